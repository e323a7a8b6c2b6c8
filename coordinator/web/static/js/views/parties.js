// Parties: how far each is, and what they attest.

import { at, cell, h, keep, number, row, s, say } from "../dom.js";
import { clock, count, date, plural } from "../format.js";
import { some } from "../long.js";
import { stage, STAGES } from "../words.js";

export const needs = ["parties", "attestations"];

/** The stages as a row of dashes, for eyes only: the word is beside it. */
function track(reached) {
  const dashes = STAGES.map((_, place) => s("rect", { class: place < reached ? "on" : "off", x: place * 10, y: 0, width: 8, height: 4, rx: 2 }));
  return s("svg", { class: "track", viewBox: "0 0 88 4", "aria-hidden": "true" }, ...dashes);
}

function progress(state) {
  const [reached] = stage(state);
  const tone = state === "producing" ? "good" : reached ? "" : "bad";
  return h("span", { class: `stage ${tone}` }, track(reached), h("span", {}, state));
}

function name(party) {
  return h("span", {}, party.name, party.account === party.name ? "" : h("span", { class: "code" }, ` ${party.account}`));
}

export function render(state) {
  const { parties: { parties, seats }, attestations } = state.sections;
  const producing = parties.filter((party) => party.state === "producing").length;
  say("parties-aside", parties.length ? `${count(parties.length)}, ${count(producing)} producing` : "");
  const places = seats ? ` Parties have ${count(seats.taken)} of the ${plural(seats.most, "place")} in the schedule that this network gives them.` : "";
  say("parties-note", places.trim());
  at("parties-section").hidden = !parties.length;
  at("attestations-section").hidden = !parties.length && !attestations.attestations.length;
  const shown = some("parties", parties, "parties", () => render(state), (party) => `${party.name} ${party.account} ${party.state}`);
  keep("parties", shown, (party) => party.name, (party) => party.state, (party) =>
    row(name(party), cell(progress(party.state), "How far"), cell(stage(party.state)[1], "Next", "muted")),
  );
  attested(state, attestations);
}

function attested(state, { attestations, agree, members }) {
  say("attestations-aside", members ? `${count(agree)} of ${count(members)}` : "");
  say("attestations-note", attestations.length
    ? `${plural(agree, "party", "parties")} of ${count(members)} found the chain to be as it was sealed, through a node of their own, and signed that.`
    : "None yet. After the boot, each party audits the chain through its own node, and signs what it found.");
  at("attestations-table").hidden = !attestations.length;
  const newest = [...attestations].reverse();
  const shown = some("attestations", newest, "attestations", () => render(state), (one) => one.party);
  keep("attestations", shown, (one) => one.party, (one) => JSON.stringify(one), (one) => row(one.party, finding(one), number(one.counts ? count(one.block) : "–")));
}

function finding({ counts, ok, at, replaced }) {
  const since = replaced.length ? `; replaced since: ${replaced.join(", ")}` : "";
  const text = !counts ? "does not count" : ok ? `as sealed${since}` : "not as sealed";
  return h("span", { class: counts && ok ? "good" : "bad" }, text, h("span", { class: "code" }, ` ${date(at)}, ${clock(at)}`));
}
