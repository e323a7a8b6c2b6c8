// How far the last irreversible block is behind the head, over time.

import { draw, keep, number, row, s, say } from "../dom.js";
import { clock, count, plural } from "../format.js";
import { area, line, scale, thin, ticks } from "../geometry.js";

export const needs = ["lag"];

const FRAME = { left: 34, right: 636, top: 10, bottom: 190 };
const DRAWN = 240;
const ROWS = 12;
const GAP = 30;

/** The series in stretches without a gap: while nobody looked, nothing is known. */
function stretches(points) {
  const found = [];
  for (const point of points) {
    const last = found.at(-1)?.at(-1);
    if (!last || point.at - last.at > GAP) found.push([]);
    found.at(-1).push(point);
  }
  return found;
}

/** Whole minutes (or seconds, of a short series) on the axis of time. */
function times(first, last) {
  const span = last - first;
  const step = [10, 30, 60, 120, 300, 600, 900, 1800].find((one) => span / one <= 5) ?? 3600;
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, at) => [last - at * step, at * step]);
}

const ago = (seconds) => (seconds === 0 ? "now" : seconds % 60 ? `−${seconds} s` : `−${seconds / 60} min`);

export function render({ lag }) {
  if (!lag.length) {
    say("lag-aside", "");
    draw("lag", s("text", { class: "empty", x: 335, y: 105 }, "No blocks yet"));
    return;
  }
  const last = lag.at(-1);
  const first = Math.min(lag[0].at, last.at - 30);
  const steps = ticks(Math.max(...lag.map((point) => point.blocks), 4), 3);
  const x = scale([first, last.at], [FRAME.left, FRAME.right]);
  const y = scale([0, steps.at(-1)], [FRAME.bottom, FRAME.top]);
  const drawn = stretches(lag).map((part) => thin(part, DRAWN, (point) => point.blocks).map((point) => [x(point.at), y(point.blocks)]));
  say("lag-aside", `${plural(last.blocks, "block")} behind, ${(last.blocks / 2).toFixed(last.blocks < 20 ? 1 : 0)} s`);
  draw(
    "lag",
    ...steps.map((tick) => s("path", { class: tick ? "rule" : "axis", d: `M${FRAME.left},${y(tick)}H${FRAME.right}` })),
    ...steps.map((tick) => s("text", { class: "tick end", x: FRAME.left - 6, y: y(tick) + 4 }, count(tick))),
    ...times(first, last.at).map(([at, past]) => s("text", { class: past ? "tick middle" : "tick end", x: x(at), y: FRAME.bottom + 20 }, ago(past))),
    ...drawn.map((points) => s("path", { class: "area", d: area(points, FRAME.bottom) })),
    ...drawn.map((points) => s("path", { class: "line", d: line(points) })),
    s("circle", { class: "dot", cx: x(last.at), cy: y(last.blocks), r: 3.5 }),
  );
  const size = Math.max(1, Math.ceil(lag.length / ROWS));
  const rows = lag.filter((_, at) => (lag.length - 1 - at) % size === 0).reverse();
  keep("lag-rows", rows, (point) => point.at, () => "", (point) => row(clock(point.at), number(count(point.head)), number(count(point.blocks))));
}
