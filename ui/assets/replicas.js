/* Watches that the page's events and their stream reach one replica of the app. Where they do not, either another replica took
   over, and the page is opened anew, or a proxy gives the requests to several in turn, and no page can work. */

const HEADER = "x-diptych-replica";
const MOVED = "diptych-moved";
export const LEFT = "diptych-left";
const ASK_TIMES = 8;
const SETTLE_MS = 1500;
const AGAIN_MS = 20000;

let events = null;
let stream = null;
let isLooking = false;

/** Reads from now on who answers the queue's requests. */
export function watchReplicas() {
  const send = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await send(...asked);
    note(new URL(answer.url || location.href).pathname, answer.headers.get(HEADER));
    return answer;
  };
}

function note(path, replica) {
  if (!replica) return;
  if (path.endsWith("/queue/data")) stream = replica;
  else events = replica;
  if (stream && events && events !== stream) look();
}

async function look() {
  if (isLooking) return;
  isLooking = true;
  const seen = await askAround();
  if (comesBack(seen)) leave(seen);
  // After a restart the new stream comes a moment later than the event it is for.
  else setTimeout(openAnew, SETTLE_MS, [...seen, events, stream]);
}

function openAnew(seen) {
  isLooking = false;
  if (events === stream) return;
  const now = Date.now();
  if (now - Number(sessionStorage.getItem(MOVED)) < AGAIN_MS) return leave(seen);
  sessionStorage.setItem(MOVED, String(now));
  location.reload();
}

function leave(seen) {
  sessionStorage.setItem(LEFT, location.href);
  location.replace(`scattered?seen=${[...new Set(seen)].join(",")}`);
}

/** The names of those who answered, one request after another. */
export async function askAround() {
  const seen = [];
  for (let time = 0; time < ASK_TIMES; time += 1) {
    const answer = await fetch("replica", { cache: "no-store" }).catch(() => null);
    if (answer?.ok) seen.push((await answer.json()).replica);
  }
  return seen;
}

/** Whether a replica answered again after another one had: one that took over would answer from then on. */
export function comesBack(seen) {
  const turns = seen.filter((name, place) => name !== seen[place - 1]);
  return new Set(turns).size < turns.length;
}
