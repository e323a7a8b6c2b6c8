// The schedule, drawn as a clock of turns.

import { cell, draw, keep, number, row, s, say } from "../dom.js";
import { count, plural } from "../format.js";
import { polar, ring, segments } from "../geometry.js";
import { SEATS, turns } from "../words.js";

export const needs = ["schedule"];

const [INNER, OUTER, HAND] = [66, 88, 94];
const NAMED = 8;

/** A producer's segment: its track, and on it as much as it signed of its turn, from the inside out. */
function seat({ account, state, made, absent }, [from, to], turn) {
  const share = Math.min(made / turn, 1);
  const kind = absent ? "absent" : state;
  return s(
    "g",
    { class: `seat ${kind}` },
    s("title", {}, `${account}: ${SEATS[state]}, ${made} of ${turn} blocks`),
    s("path", { class: "track", d: ring(from, to, INNER, OUTER) }),
    share > 0 && s("path", { class: "fill", d: ring(from, to, INNER, INNER + (OUTER - INNER) * share) }),
    absent && s("path", { class: "gap", d: cross((from + to) / 2) }),
  );
}

/** A cross in the middle of a segment, so that absence is not told by colour alone. */
function cross(middle) {
  const [x, y] = polar(middle, (INNER + OUTER) / 2);
  return `M${x - 3.5},${y - 3.5}l7,7m0,-7l-7,7`;
}

/** What points at the segment whose turn it is. */
function hand([from, to]) {
  const middle = (from + to) / 2;
  const [tip, left, right] = [polar(middle, OUTER + 2.5), polar(middle - 0.008, HAND + 3), polar(middle + 0.008, HAND + 3)];
  return s("path", { class: "hand", d: `M${tip}L${left}L${right}Z` });
}

/** The number of each seat, where there is room; the names are in the centre and in the table. */
function numbers(places) {
  if (places.length < 2) return [];
  return places.map(([from, to], at) => {
    const [x, y] = polar((from + to) / 2, INNER - 8);
    return s("text", { class: "tiny middle", x, y: y + 2.5 }, String(at + 1));
  });
}

export function render({ sections: { schedule } }) {
  const { seats, turn } = schedule;
  say("schedule-aside", seats.length ? plural(seats.length, "producer") : "");
  say("schedule-note", turns({ schedule }));
  const places = segments(seats.length, 0.08);
  const now = seats.findIndex((one) => one.state === "now");
  const centre = now < 0 ? [] : [
    s("text", { class: "label", y: -12 }, seats.length === 1 ? "signs alone" : `turn of ${now + 1}`),
    s("text", { class: seats[now].account.length > 10 ? "name small" : "name", y: 5 }, seats[now].account),
    s("text", { class: "label", y: 21 }, `${seats[now].made} of ${turn} blocks`),
  ];
  draw("clock", ...seats.map((one, at) => seat(one, places[at], turn)), ...(seats.length > 1 && now >= 0 ? [hand(places[now])] : []),
    ...(seats.length <= 3 * NAMED ? numbers(places) : []), ...centre);
  keep("seats", seats.map((one, at) => ({ ...one, at })), (one) => one.account, (one) => JSON.stringify(one), (one) =>
    row(number(String(one.at + 1)), one.account, cell(one.absent ? "missed" : SEATS[one.state], "", one.absent ? "bad" : ""), number(`${count(one.made)}/${turn}`)),
  );
}
