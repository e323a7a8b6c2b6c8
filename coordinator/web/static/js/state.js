// The page's copy of the coordinator's state. Pure.

const EVENTS = 200;
const LAGS = 900;

/** Nothing known yet. */
export const NOTHING = { id: "", sections: {}, events: [], lag: [] };

/** The state after a message: sections are replaced, logs grow. */
export function merge(state, id, message) {
  const before = message.whole ? NOTHING : state;
  return {
    id,
    sections: { ...before.sections, ...message.sections },
    events: [...before.events, ...message.events].slice(-EVENTS),
    lag: [...before.lag, ...message.lag].slice(-LAGS),
  };
}

/** Names of what a message changed: sections, and logs under their own names. */
export function changed(message) {
  const logs = ["events", "lag"].filter((name) => message.whole || message[name].length);
  return new Set([...Object.keys(message.sections), ...logs]);
}
