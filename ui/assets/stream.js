/* Gradio's page hears the answers to its events over one stream, which the server ends as soon as no event is under way. The
   next event asks for another, but not while the page takes the old one to be open: so one that was taken on just when the
   stream ended was answered to nobody until yet another event came. Here the stream goes on where the server ended it, until
   every event that was taken on is answered. */

const JOIN = "/queue/join";
const DATA = "/queue/data";
const HEAD = /^data: \{"msg":"(\w+)","event_id":(?:null|"(\w+)")/;
const END = 'data: {"msg":"close_stream","event_id":null}\n\n';
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
  const due = [...events.unanswered];
  const answer = await open();
  if (!answer.ok || !answer.body) return answer;
  const texts = goingOn(answer, due, open, events);
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

/** The messages of the stream and of those that follow it; that it ends is told once nothing is to come any more. `before`: the
    events that were under way when it was asked for. */
async function* goingOn(first, before, open, events) {
  const { joining, unanswered, early } = events;
  let answer = first;
  let due = before;
  for (;;) {
    let end = null;
    let fault = null;
    try {
      end = yield* messages(answer.body, events);
    } catch (error) {
      fault = error;
    }
    if (!end) {
      const isIdle = !joining.size && !unanswered.size;
      for (const ids of [unanswered, early]) ids.clear();
      // Broken off: the page tells of each event under way that it failed. Where there is none, the next opens another stream.
      if (isIdle) yield END;
      else if (fault) throw fault;
      return;
    }
    // By its end the server says that none of those is under way any more; of one taken on since it may not know.
    for (const id of due) unanswered.delete(id);
    await heard(events);
    due = [...unanswered];
    const next = joining.size || unanswered.size ? await open().catch(() => null) : null;
    if (!next?.ok || !next.body) return yield end;
    answer = next;
  }
}

/** Waits until it is told of one event at least that it was taken on, or of each that it was not. */
async function heard({ joining, unanswered }) {
  if (!joining.size) return;
  const over = new Promise((resolve) => setTimeout(resolve, MOST_WAIT_MS, END));
  while (joining.size && !unanswered.size) if ((await Promise.race([...joining, over])) === END) return;
}

/** Hands on all messages but that of the end, which it returns. */
async function* messages(body, { unanswered, early }) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
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
  } finally {
    reader.cancel().catch(() => null);
  }
}
