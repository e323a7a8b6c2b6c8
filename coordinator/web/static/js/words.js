// What the page says in sentences. Pure: the state in, text out.

import { count, duration, list, plural, sentence } from "./format.js";

/** The phase in a word, and whether it is good, bad or neither. */
export const PHASES = {
  planned: ["Planned", "plain"],
  booting: ["Booting", "busy"],
  voting: ["Waiting for votes", "busy"],
  live: ["Live", "good"],
  stalled: ["Stalled", "bad"],
  down: ["Down", "bad"],
  unknown: ["Unknown", "bad"],
};

/** Where the network stands, in a sentence or two that change only when something happens. */
export function lead({ network, schedule, steps, chain }) {
  const absent = schedule.seats.filter((seat) => seat.absent).map((seat) => seat.account);
  const failed = steps.filter((step) => step.state === "failed");
  const running = steps.filter((step) => step.state === "running");
  switch (network.phase) {
    case "planned":
      return "Nothing runs yet. The network is sealed once its hosts, and the parties that it waits for, are there.";
    case "stalled":
      return `No new blocks since block ${count(chain.head)}. ${absent.length ? `${list(absent)} should sign.` : ""}`;
    case "down":
      return "No node runs. The chain is kept on the hosts.";
    case "unknown":
      return "No node answers the coordinator, so nobody here can tell how the chain is.";
    case "live":
      if (absent.length) return `Blocks are being made, but ${list(absent)} missed the latest turn.`;
      if (schedule.seats.length === 1) return `${schedule.seats[0].account} signs every block.`;
      return `${plural(schedule.seats.length, "elected producer")} sign blocks, and eosio has handed over to them.`;
    default: {
      const ended = `${network.ended} of ${network.steps} steps are done.`;
      if (failed.length) return `${ended} ${sentence(list(failed.map((step) => step.name)))} failed: the operator sees why.`;
      if (network.phase === "voting") return `${ended} The boot goes on when enough stake has voted.`;
      return running.length ? `${ended} Now: ${list(running.map((step) => step.title), 3)}.` : ended;
    }
  }
}

/** What a step does now or waits for; empty for one that has ended. now: Unix seconds by the coordinator's clock. */
export function waiting(step, now) {
  if (step.state === "pending") return step.after.length ? `after ${list(step.after, 3)}` : "";
  if (step.state === "waits") return "waits for other people";
  if (step.state === "failed") return "failed";
  if (step.state !== "running") return "";
  const parts = [];
  if (step.total > 1) parts.push(`${count(step.done)} of ${count(step.total)}`);
  const named = step.on.length ? step.on : step.waits_for;
  if (named.length) {
    const rest = step.left - named.length;
    parts.push(`${step.on.length ? "on" : "waits for"} ${list(named, 4)}${rest > 0 ? ` and ${count(rest)} more` : ""}`);
  } else if (step.left > 1 && step.total < 2) {
    parts.push(`${count(step.left)} left`);
  }
  if (step.began) parts.push(duration(Math.max(0, now - step.began)));
  return parts.join(", ");
}

/** How a step ended. */
export function effort(step) {
  const parts = step.transactions ? [plural(step.transactions, "transaction")] : [];
  if (step.seconds) parts.push(duration(step.seconds));
  return parts.join(", ");
}

/** The stages of a party, in order, each with what comes next. */
export const STAGES = [
  ["joined", "It registers its keys and its node's address."],
  ["registered", "It receives the sealed network and starts its node."],
  ["following", "Another node has to reach its node from outside."],
  ["dialled back", "Its node catches up with the chain."],
  ["in sync", "It needs an account on the chain."],
  ["account there", "It registers as a producer."],
  ["votable", "It needs votes."],
  ["voted for", "It enters the schedule at the next election."],
  ["producing", "It signs blocks."],
];

/** The outcomes that are not on that way. */
export const GONE = {
  refused: "Its registration was refused. The operator sees why.",
  revoked: "The operator has revoked it.",
};

/** How far a party is: [stages reached, what comes next]. */
export function stage(state) {
  const at = STAGES.findIndex(([name]) => name === state);
  return at < 0 ? [0, GONE[state] ?? ""] : [at + 1, STAGES[at][1]];
}

/** What is to be said about the schedule. */
export function turns({ schedule }) {
  const { seats, next } = schedule;
  const said = [];
  if (!seats.length) return "No schedule is known: no node answers yet.";
  const absent = seats.filter((seat) => seat.absent).map((seat) => seat.account);
  const unknown = seats.filter((seat) => seat.state === "unknown").length;
  if (absent.length) said.push(`Missed the latest turn: ${list(absent, 21)}.`);
  else if (seats.length === 1) said.push(`${seats[0].account} signs every block.`);
  else if (unknown) said.push(`${plural(seats.length - unknown, "producer")} of ${seats.length} seen in turn so far.`);
  else said.push("All took their latest turn.");
  if (next.length) said.push(`Next, once its proposal is irreversible: ${list(next, 21)}.`);
  return said.join(" ");
}

/** A seat's state in words. */
export const SEATS = { now: "its turn now", signed: "signed", missed: "missed", unknown: "not seen yet" };
