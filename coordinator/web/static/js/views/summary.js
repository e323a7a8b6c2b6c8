// Name, phase, the sentence at the top, the figures below it, and the identity at the bottom.

import { at, h, say } from "../dom.js";
import { count, duration, plural } from "../format.js";
import { lead, PHASES } from "../words.js";

export const needs = ["network", "chain", "steps", "nodes", "schedule", "parties"];

/** What is said of a chain's figure; before its first block, that there is none. */
const none = (chain, otherwise) => (chain.head ? otherwise : "no blocks yet");

function figures({ network, chain, nodes, schedule, parties }) {
  const running = nodes.filter((node) => node.state === "running").length;
  const behind = chain.head - chain.lib;
  const list = [
    ["Head", count(chain.head), chain.age === null ? none(chain, "no node answers") : `${duration(chain.age)} ago`],
    ["Irreversible", count(chain.lib), behind ? `${plural(behind, "block")} behind` : none(chain, "with the head")],
    ["In the schedule", count(schedule.seats.length), schedule.seats.length === 1 ? schedule.seats[0].account : none(chain, "producers")],
    ["Nodes running", count(running), `of ${count(nodes.length)}`],
  ];
  if (parties.parties.length) {
    const seats = parties.seats ? `${count(parties.seats.taken)} in the schedule` : "";
    list.push(["Parties", count(parties.parties.length), seats]);
  }
  if (network.ended < network.steps) list.push(["Boot", `${network.ended}/${network.steps}`, "steps done"]);
  return list;
}

export function render({ sections }) {
  const { network } = sections;
  const [word, tone] = PHASES[network.phase] ?? PHASES.unknown;
  say("name", network.name);
  say("phase", word);
  at("phase").dataset.tone = tone;
  document.title = `${word}: ${network.name}`;
  say("lead", lead(sections));
  at("figures").replaceChildren(
    ...figures(sections).map(([name, value, note]) => h("div", {}, h("dt", {}, name), h("dd", {}, value), h("dd", { class: "unit" }, note))),
  );
  say("chain-id", network.chain_id || "not sealed yet");
  say("manifest", network.manifest || "not sealed yet");
}
