// Long tables: the first rows, a button for all, and a field to find one. Both work by keyboard as they are.

import { at } from "./dom.js";
import { count } from "./format.js";

/** Rows that are shown at first. */
export const FIRST = 25;

const open = new Set();
const again = new Map();

/**
 * The items to show of a table. id: the button's is `${id}-more`, the field's `${id}-filter`. text(item): what is
 * searched. render(): draws the table again. what: the items in the plural.
 */
export function some(id, items, what, render, text) {
  const [more, field] = [at(`${id}-more`), at(`${id}-filter`)];
  if (!again.has(id)) {
    more.addEventListener("click", () => {
      open.has(id) ? open.delete(id) : open.add(id);
      again.get(id)();
    });
    field?.addEventListener("input", () => again.get(id)());
  }
  again.set(id, render);
  if (field) field.parentElement.hidden = items.length <= FIRST;
  const wanted = field ? field.value.trim().toLowerCase() : "";
  const found = wanted ? items.filter((item) => text(item).toLowerCase().includes(wanted)) : items;
  more.hidden = found.length <= FIRST;
  more.textContent = open.has(id) ? `Show the first ${FIRST} ${what}` : `Show all ${count(found.length)} ${what}`;
  more.setAttribute("aria-expanded", String(open.has(id)));
  return open.has(id) ? found : found.slice(0, FIRST);
}
