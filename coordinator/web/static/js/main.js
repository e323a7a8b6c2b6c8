// Listens to the coordinator and draws what changed.

import { at, say } from "./dom.js";
import { clock } from "./format.js";
import { changed, merge, NOTHING } from "./state.js";
import { listen } from "./stream.js";
import * as allocation from "./views/allocation.js";
import * as events from "./views/events.js";
import * as graph from "./views/graph.js";
import * as lag from "./views/lag.js";
import * as nodes from "./views/nodes.js";
import * as parties from "./views/parties.js";
import * as schedule from "./views/schedule.js";
import * as steps from "./views/steps.js";
import * as summary from "./views/summary.js";
import * as votes from "./views/votes.js";

const VIEWS = [summary, steps, schedule, votes, lag, graph, nodes, parties, allocation, events];

let state = NOTHING;

function take(id, message) {
  state = merge(state, id, message);
  const names = changed(message);
  for (const view of VIEWS) {
    if (view.needs.some((name) => names.has(name))) view.render(state);
  }
  document.body.classList.add("known");
}

function connection({ state: kind, wait }) {
  const known = state.sections.chain ? ` Shown: ${clock(state.sections.chain.time)}.` : "";
  document.body.classList.toggle("stale", kind !== "live");
  at("connection").dataset.state = kind;
  const said = {
    live: "Connected",
    waiting: `The coordinator cannot be reached.${known}`,
    ended: `The coordinator has stopped; the nodes keep running.${known}`,
  };
  say("connection-said", said[kind]);
  say("connection-wait", wait ? `Next try in ${wait} s` : "");
}

at("links").closest("details").addEventListener("toggle", () => state.sections.graph && graph.render(state));
listen(() => state.id, take, connection);
