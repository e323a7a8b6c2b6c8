// Numbers, amounts and times as people read them. Pure.

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });
const exact = new Intl.NumberFormat("en", { maximumFractionDigits: 4 });
const time = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });

/** 12,345. */
export const count = (number) => whole.format(number);

/** An amount in the smallest unit: 1.234M SYS, or 12.5 SYS. */
export function amount(units, { precision, symbol }) {
  const tokens = units / 10 ** precision;
  return `${tokens >= 100000 ? short.format(tokens) : exact.format(tokens)} ${symbol}`;
}

/** 81.2 %; small shares keep a digit that is not zero. */
export function percent(share) {
  const value = share * 100;
  const digits = value === 0 || value >= 99.95 ? 0 : value >= 1 ? 1 : 2;
  return `${value.toFixed(digits)} %`;
}

/** 3.2 s, 1 min 20 s, 2 h 5 min. */
export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const all = Math.round(seconds);
  if (all < 60) return `${all} s`;
  if (all < 3600) return `${Math.floor(all / 60)} min ${all % 60} s`;
  return `${Math.floor(all / 3600)} h ${Math.floor((all % 3600) / 60)} min`;
}

/** The time of day, 24 hours, where the reader is. */
export const clock = (seconds) => time.format(new Date(seconds * 1000));

/** 28 Nov. */
export const date = (seconds) => day.format(new Date(seconds * 1000));

/** For <time datetime>. */
export const iso = (seconds) => new Date(seconds * 1000).toISOString();

/** 1 node, 2 nodes. */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** a, b and c; of many only the first ones. */
export function list(names, most = 6) {
  if (names.length > most) return `${names.slice(0, most - 1).join(", ")} and ${count(names.length - most + 1)} more`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

/** With a capital letter. */
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
