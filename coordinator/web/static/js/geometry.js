// Points, paths and scales of the drawings. Pure: numbers in, numbers or path data out.

/** Two decimals are a hundredth of a unit, finer than any screen shows. */
const round = (value) => Math.round(value * 100) / 100;

/** The point at an angle (in turns: 0 at the top, clockwise) and a radius. */
export function polar(turn, radius) {
  const angle = 2 * Math.PI * turn;
  return [round(radius * Math.sin(angle)), round(-radius * Math.cos(angle))];
}

/** A segment of a ring, as path data. from, to: in turns. A whole ring is drawn as two halves. */
export function ring(from, to, inner, outer) {
  if (to - from >= 1) return ring(from, from + 0.5, inner, outer) + ring(from + 0.5, from + 0.9999, inner, outer);
  const large = to - from > 0.5 ? 1 : 0;
  const [a, b, c, d] = [polar(from, outer), polar(to, outer), polar(to, inner), polar(from, inner)];
  return `M${a}A${outer} ${outer} 0 ${large} 1 ${b}L${c}A${inner} ${inner} 0 ${large} 0 ${d}Z`;
}

/** The places of equal segments around a clock, with a gap between them: [[from, to], …] in turns. */
export function segments(count, gap) {
  if (count === 1) return [[0, 1]];
  return Array.from({ length: count }, (_, at) => [(at + gap / 2) / count, (at + 1 - gap / 2) / count]);
}

/** A line through points, as path data. */
export function line(points) {
  return points.map(([x, y], at) => `${at ? "L" : "M"}${round(x)},${round(y)}`).join("");
}

/** The area between a line and a base, as path data; empty for no points. */
export function area(points, base) {
  if (!points.length) return "";
  const [first, last] = [points[0], points[points.length - 1]];
  return `${line(points)}L${round(last[0])},${base}L${round(first[0])},${base}Z`;
}

/** A link between two points that bends a little towards the centre of the drawing (0, 0). */
export function link([ax, ay], [bx, by], bend) {
  const [x, y] = [(ax + bx) / 2, (ay + by) / 2];
  return `M${round(ax)},${round(ay)}Q${round(x * (1 - bend))},${round(y * (1 - bend))} ${round(bx)},${round(by)}`;
}

/** A function that maps a range of values onto a range of coordinates. */
export function scale([low, high], [from, to]) {
  const span = high - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

/** Round numbers from 0 to at least `most`: about `count` steps of 1, 2 or 5 times a power of ten, at least 1 each. */
export function ticks(most, count = 4) {
  const rough = Math.max(most, 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].find((factor) => factor * power >= rough) * power);
  const steps = Math.max(1, Math.ceil(most / step));
  return Array.from({ length: steps + 1 }, (_, at) => at * step);
}

/** Fewer points of a series, for drawing: the largest of each group, so that no peak is lost. */
export function thin(series, most, value) {
  if (series.length <= most) return series;
  const size = Math.ceil(series.length / most);
  const kept = [];
  for (let at = 0; at < series.length; at += size) {
    kept.push(series.slice(at, at + size).reduce((high, one) => (value(one) > value(high) ? one : high)));
  }
  return kept;
}

/** What the poorest `share` of the accounts hold, between the points of a Lorenz curve. */
export function heldBy(curve, share) {
  const after = curve.findIndex(([x]) => x >= share);
  if (after <= 0) return curve[Math.max(after, 0)][1];
  const [[ax, ay], [bx, by]] = [curve[after - 1], curve[after]];
  return bx === ax ? by : ay + ((by - ay) * (share - ax)) / (bx - ax);
}
