// How the tokens are distributed.

import { at, draw, keep, number, row, s, say } from "../dom.js";
import { amount, count, percent, plural } from "../format.js";
import { area, heldBy, line, scale } from "../geometry.js";
import { money } from "./votes.js";

export const needs = ["allocation", "network"];

const FRAME = { left: 40, right: 308, top: 8, bottom: 262 };
const QUARTERS = [0, 0.25, 0.5, 0.75, 1];
const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99];

function frame(x, y) {
  const labels = QUARTERS.flatMap((share) => [
    s("text", { class: "tick middle", x: x(share), y: FRAME.bottom + 18 }, `${share * 100}`),
    s("text", { class: "tick end", x: FRAME.left - 7, y: y(share) + 4 }, `${share * 100}`),
  ]);
  const rules = QUARTERS.map((share) => s("path", { class: share ? "rule" : "axis", d: `M${FRAME.left},${y(share)}H${FRAME.right}` }));
  return [...rules, ...labels, s("text", { class: "tick middle", x: x(0.5), y: FRAME.bottom + 35 }, "% of the accounts, poorest first")];
}

export function render({ sections: { allocation, network } }) {
  at("allocation-section").hidden = !allocation;
  if (!allocation) return;
  const { accounts, total, median, gini, richest, curve, top } = allocation;
  const x = scale([0, 1], [FRAME.left, FRAME.right]);
  const y = scale([0, 1], [FRAME.bottom, FRAME.top]);
  const points = curve.map(([share, held]) => [x(share), y(held)]);
  say("allocation-aside", `Gini coefficient ${gini.toFixed(2)}`);
  say("allocation-note", accounts
    ? `${plural(accounts, "account")} get ${amount(total, money(network))}. The richest fifth holds ${percent(richest)}, and half of the accounts get ${amount(median, money(network))} or less.`
    : "No account gets anything.");
  draw(
    "lorenz",
    ...frame(x, y),
    s("path", { class: "equal", d: line([[x(0), y(0)], [x(1), y(1)]]) }),
    s("text", { class: "tick end", x: x(0.5) - 10, y: y(0.52) - 6 }, "all equal"),
    s("path", { class: "area", d: area(points, FRAME.bottom) }),
    s("path", { class: "line", d: line(points) }),
  );
  keep("lorenz-rows", DECILES, (share) => share, (share) => String(heldBy(curve, share)), (share) =>
    row(number(`${Math.round(share * 100)} %`), number(percent(heldBy(curve, share)))),
  );
  keep("holders", top, (holder) => holder.account, (holder) => String(holder.balance), (holder) =>
    row(holder.account, number(amount(holder.balance, money(network))), number(percent(holder.balance / total))),
  );
}
