/* Gradio's page hears the answers to its events over one stream, which the server ends as soon as no event is under way. The
   next event asks for another, but not while the page takes the old one to be open: so one that was taken on just when the
   stream ended was answered to nobody until yet another event came. Here the stream goes on where the server ended it, until
   every event that was taken on is answered. */

const JOIN = "/queue/join";
const DATA = "/queue/data";
const HEAD = /^data: \{"msg":"(\w+)","event_id":(?:null|"(\w+)")/;
/** A request that hangs keeps the answers to others back no longer than this. */
const MOST_WAIT_MS = 1000;

/** Follows from now on what is asked of the queue. */
export function keepStream() {
  const send = window.fetch;
  const events = { joining: new Set(), unanswered: new Set(), early: new Set() };
  window.fetch = (...asked) => {
    const { pathname } = new URL(asked[0].url || asked[0], location.href);
    if (pathname.endsWith(DATA)) return streamed(() => send(...asked), events);
    const sent = send(...asked);
    if (pathname.endsWith(JOIN)) join(sent, events);
    return sent;
  };
}

function join(sent, { joining, unanswered, early }) {
  const told = sent
    .then((answer) => answer.clone().json())
    // An answer may overtake the word that the event was taken on.
    .then(({ event_id: id }) => id && !early.delete(id) && unanswered.add(id))
    .catch(() => null)
    .finally(() => joining.delete(told));
  joining.add(told);
}

async function streamed(open, events) {
  const answer = await open();
  if (!answer.ok || !answer.body) return answer;
  const texts = goingOn(answer, open, events);
  const body = new ReadableStream({
    async pull(controller) {
      const { value, done } = await texts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => texts.return(),
  });
  const { status, statusText, headers } = answer;
  return new Response(body.pipeThrough(new TextEncoderStream()), { status, statusText, headers });
}

/** The messages of the stream and of those that follow it; that it ends is told once nothing is to come any more. */
async function* goingOn(first, open, events) {
  const { joining, unanswered, early } = events;
  let answer = first;
  let end = null;
  try {
    for (;;) {
      end = yield* messages(answer.body, events);
      if (!end) return;
      if (joining.size) await Promise.race([Promise.allSettled(joining), new Promise((over) => setTimeout(over, MOST_WAIT_MS))]);
      const next = joining.size || unanswered.size ? await open() : null;
      if (!next?.ok || !next.body) return yield end;
      [answer, end] = [next, null];
    }
  } finally {
    // Broken off: the page tells of each event that it failed, and nobody answers them any more.
    if (!end) for (const ids of [unanswered, early]) ids.clear();
  }
}

/** Hands on all messages but that of the end, which it returns. */
async function* messages(body, { unanswered, early }) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return null;
    const whole = (rest + value).split("\n\n");
    rest = whole.pop();
    let end = null;
    for (const message of whole) {
      const [, what, id] = HEAD.exec(message) || [];
      if (what === "close_stream") end = `${message}\n\n`;
      else {
        if (what === "process_completed" && !unanswered.delete(id)) early.add(id);
        yield `${message}\n\n`;
      }
    }
    if (end) return end;
  }
}
