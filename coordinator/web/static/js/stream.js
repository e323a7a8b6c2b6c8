// The stream of changes, which comes back by itself, from where it was.

const FIRST = 1;
const LONGEST = 15;

/**
 * Listens for ever. known(): the id of the latest message; take(id, message): receives messages;
 * tell({ state, wait }): "live", "waiting" (for `wait` seconds) or "ended" (the coordinator said that it ends).
 */
export function listen(known, take, tell) {
  let pause = FIRST;
  let ended = false;

  function open() {
    const source = new EventSource(`/events?since=${encodeURIComponent(known())}`);
    source.addEventListener("state", (event) => {
      pause = FIRST;
      ended = false;
      take(event.lastEventId, JSON.parse(event.data));
      tell({ state: "live" });
    });
    source.addEventListener("end", () => {
      ended = true;
    });
    source.addEventListener("error", () => {
      source.close();
      wait(Math.round(pause));
      pause = Math.min(pause * 1.6, LONGEST);
    });
  }

  function wait(seconds) {
    if (seconds <= 0) {
      open();
      return;
    }
    tell({ state: ended ? "ended" : "waiting", wait: seconds });
    setTimeout(wait, 1000, seconds - 1);
  }

  open();
}
