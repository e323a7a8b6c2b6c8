// The stake that has voted, against the threshold.

import { at, cell, draw, keep, number, row, s, say } from "../dom.js";
import { amount, percent } from "../format.js";
import { scale } from "../geometry.js";

export const needs = ["votes", "network"];

const WIDTH = 400;

export function render({ sections: { votes, network } }) {
  at("candidates-details").hidden = !votes?.candidates.length;
  if (!votes) {
    say("votes-aside", "");
    say("votes-note", "Nobody can vote yet: the system contract is not there.");
    draw("votes-bar", s("rect", { class: "track", x: 0, y: 8, width: WIDTH, height: 10, rx: 5 }));
    return;
  }
  const { activated, threshold, enforced, candidates } = votes;
  const reached = activated >= threshold;
  const across = scale([0, Math.max(activated, threshold) * 1.06], [0, WIDTH]);
  const mark = across(threshold);
  say("votes-aside", reached ? "threshold reached" : `${percent(activated / threshold)} of the threshold`);
  const rule = enforced ? `${amount(threshold, money(network))} must, before anybody is elected.` : `This system contract elects without a threshold; others wait for ${amount(threshold, money(network))}.`;
  say("votes-note", `${amount(activated, money(network))} have voted${enforced ? "; " : ". "}${rule}`);
  draw(
    "votes-bar",
    s("rect", { class: "track", x: 0, y: 8, width: WIDTH, height: 10, rx: 5 }),
    activated > 0 && s("rect", { class: "fill", x: 0, y: 8, width: Math.max(across(activated), 6), height: 10, rx: 5 }),
    s("path", { class: "mark", d: `M${mark},3V23` }),
    s("text", { class: `tick ${mark > WIDTH * 0.85 ? "end" : mark < WIDTH * 0.15 ? "start" : "middle"}`, x: mark, y: 36 }, "threshold"),
  );
  keep("candidates", candidates, (one) => one.account, (one) => JSON.stringify(one), (one) =>
    row(one.account, cell(one.scheduled ? "yes" : "no"), number(percent(one.share))),
  );
}

/** How amounts of this network are written. */
export const money = ({ precision, symbol }) => ({ precision, symbol });
