/* The History page's way to the server: an answer, or `{error}` with words to show. */

const UNREACHABLE = "The app cannot be reached. Nothing was changed.";

export const ask = (path) => answerOf(() => fetch(path, { cache: "no-store" }));

export const change = (path, document) =>
  answerOf(() => fetch(path, { method: "POST", headers: { "X-Diptych": "1", "Content-Type": "application/json" }, body: JSON.stringify(document) }));

async function answerOf(call) {
  try {
    const reply = await call();
    const document = await reply.json();
    return reply.ok ? document : { error: document.error?.message || "The app did not answer." };
  } catch {
    return { error: UNREACHABLE };
  }
}
