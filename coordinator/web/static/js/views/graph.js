// The peer graph.

import { at, draw, h, keep, row, s, say } from "../dom.js";
import { list, plural } from "../format.js";
import { link } from "../geometry.js";

export const needs = ["graph", "nodes", "parties"];

const RADIUS = 90;
const NAMED = 24;
const KINDS = { genesis: "genesis", producer: "producer", full: "relay", party: "party" };

/** Nodes are smaller where there are many. */
const size = (count) => Math.max(1.6, Math.min(7, 42 / Math.sqrt(count + 20)));

/** The names of nodes that run: the operator's as their agents say, parties' as far as they have come. */
function running({ nodes, parties }) {
  const up = ["following", "dialled back", "in sync", "account there", "votable", "voted for", "producing"];
  const own = nodes.filter((node) => node.state === "running").map((node) => node.name);
  return new Set([...own, ...parties.parties.filter((party) => up.includes(party.state)).map((party) => party.name)]);
}

function label({ name, x, y }) {
  const side = x > 0.2 ? "start" : x < -0.2 ? "end" : "middle";
  const aside = { start: 10, end: -10, middle: 0 }[side];
  const away = side === "middle" ? (y > 0 ? 17 : -11) : 3;
  return s("text", { class: `tiny ${side}`, x: x * RADIUS + aside, y: y * RADIUS + away }, name);
}

export function render({ sections }) {
  const { places, links } = sections.graph;
  const up = running(sections);
  const point = ({ x, y }) => [x * RADIUS, y * RADIUS];
  const r = size(places.length);
  say("graph-aside", `${plural(places.length, "node")}, ${plural(links.length, "link")}`);
  draw(
    "graph",
    ...links.map(([a, b]) => s("path", { class: up.has(places[a].name) && up.has(places[b].name) ? "link up" : "link", d: link(point(places[a]), point(places[b]), 0.25) })),
    ...places.map((place) => s("circle", { class: `node ${place.kind}${up.has(place.name) ? " up" : ""}`, cx: point(place)[0], cy: point(place)[1], r }, s("title", {}, `${place.name}, ${KINDS[place.kind]}`))),
    ...(places.length <= NAMED ? places.map(label) : []),
  );
  at("graph").classList.toggle("many", places.length > 60);
  const kinds = Object.keys(KINDS).filter((kind) => places.some((place) => place.kind === kind));
  at("graph-legend").replaceChildren(...[...kinds.map((kind) => [`node up ${kind}`, KINDS[kind]]), ["node", "not running"]].map(([look, text]) =>
    h("li", {}, s("svg", { viewBox: "-8 -8 16 16", class: "icon" }, s("circle", { class: look, r: 5 })), text)));
  if (at("links").closest("details").open || places.length <= NAMED) table(places, links);
}

function table(places, links) {
  const peers = places.map(() => []);
  for (const [a, b] of links) {
    peers[a].push(places[b].name);
    peers[b].push(places[a].name);
  }
  keep("links", places.map((place, number) => ({ name: place.name, peers: peers[number] })), (one) => one.name, (one) => one.peers.join(" "), (one) =>
    row(one.name, one.peers.length ? list(one.peers, 12) : "nobody"),
  );
}
