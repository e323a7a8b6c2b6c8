// The boot, step by step.

import { at, h, icon, keep, say } from "../dom.js";
import { sentence } from "../format.js";
import { effort, waiting } from "../words.js";

export const needs = ["network", "steps", "chain"];

let whole = false;

/** While the boot runs it comes first; afterwards the chain does. Moved in the document, as all readers go by that. */
function arrange(done) {
  at("boot-details").open = !done;
  at(done ? "right" : "left")[done ? "append" : "prepend"](at("boot-section"));
  at(done ? "left" : "right").append(at("graph-section"));
}

function item(step, now) {
  const said = waiting(step, now);
  return h(
    "li",
    { class: `step ${step.state}` },
    icon(step.state),
    h("span", { class: "what" }, h("span", { class: "title" }, sentence(step.title)), " ", h("span", { class: "code" }, step.name)),
    h("span", { class: "visually-hidden" }, `: ${step.state}. `),
    h("span", { class: "meta" }, said || effort(step)),
    step.total > 1 && h("progress", { max: step.total, value: step.done, "aria-label": `Progress of ${step.name}` }),
  );
}

export function render({ sections: { network, steps, chain } }) {
  say("boot-aside", `${network.ended} of ${network.steps} steps`);
  const bar = at("boot-progress");
  bar.max = network.steps;
  bar.value = network.ended;
  const done = network.ended === network.steps;
  if (done !== whole) {
    whole = done;
    arrange(done);
  }
  keep("steps", steps, (step) => step.name, (step) => JSON.stringify(step) + waiting(step, chain.time), (step) => item(step, chain.time));
}
