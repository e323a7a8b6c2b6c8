// What happened, newest first.

import { h, icon, keep, say } from "../dom.js";
import { clock, date, iso, plural } from "../format.js";
import { some } from "../long.js";

export const needs = ["events"];

const ICONS = { good: "done", bad: "bad", plain: "plain" };

export function render(state) {
  const numbered = state.events.map((event, number) => ({ ...event, number })).reverse();
  say("events-aside", numbered.length ? plural(numbered.length, "event") : "none since this command began");
  const shown = some("events", numbered, "events", () => render(state), (event) => event.text);
  keep("events", shown, (event) => `${event.at} ${event.text}`, () => "", (event) =>
    h("li", { class: `event ${event.tone}` },
      h("time", { datetime: iso(event.at), title: date(event.at) }, clock(event.at)),
      icon(ICONS[event.tone]),
      event.tone === "bad" && h("span", { class: "visually-hidden" }, "Problem: "),
      h("span", {}, event.text)),
  );
}
