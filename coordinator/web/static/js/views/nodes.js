// Hosts and nodes.

import { cell, keep, number, row, say } from "../dom.js";
import { count, list, plural } from "../format.js";
import { some } from "../long.js";

export const needs = ["hosts", "nodes"];

const TONES = { running: "good", failed: "bad" };

export function render(state) {
  const { hosts, nodes } = state.sections;
  const away = hosts.filter((host) => !host.connected).map((host) => host.name);
  const running = nodes.filter((node) => node.state === "running").length;
  say("nodes-aside", `${plural(hosts.length, "host")}, ${running} of ${plural(nodes.length, "node")} running`);
  say("hosts-note", away.length ? `Away: ${list(away, 12)}.` : "All hosts are connected.");
  const shown = some("nodes", nodes, "nodes", () => render(state), (node) => `${node.name} ${node.host} ${node.account} ${node.state}`);
  keep("nodes", shown, (node) => node.name, (node) => JSON.stringify(node), (node) =>
    row(
      node.name,
      cell(node.host, "Host"),
      cell(node.role, "Role"),
      cell(node.state, "State", `state ${TONES[node.state] ?? "plain"}`),
      number(node.head ? count(node.head) : "–", "Head"),
      number(node.lib ? count(node.lib) : "–", "LIB"),
      number(count(node.peers), "Peers"),
    ),
  );
}
