// Elements of the page. Texts are always texts: nothing here parses markup.

const SVG = "http://www.w3.org/2000/svg";

/** The element of that id. */
export const at = (id) => document.getElementById(id);

const there = (child) => child !== undefined && child !== false;

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(there));
  return element;
}

/** An HTML element. */
export const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

/** An SVG element. */
export const s = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** An icon, for eyes only: the text beside it says the same. */
export const icon = (name) => s("svg", { class: `icon ${name}`, "aria-hidden": "true" }, s("use", { href: `/icons.svg#${name}` }));

/** Sets an element's text, if it is another one. */
export function say(id, text) {
  const element = at(id);
  if (element.textContent !== text) element.textContent = text;
}

/** Draws into an SVG, keeping its title, which names it for screen readers. Children that are false are left out. */
export function draw(id, ...children) {
  const svg = at(id);
  svg.replaceChildren(svg.querySelector("title"), ...children.filter(there));
}

/**
 * Brings the children of a list or table body in line with items, keeping the elements of those that stay.
 * key(item): its identity; make(item): its element; mark(item): what it looks like, as text; an element is made anew
 * only when that changed.
 */
export function keep(id, items, key, mark, make) {
  const parent = at(id);
  const known = new Map([...parent.children].map((element) => [element.dataset.key, element]));
  const wanted = items.map((item) => {
    const [name, look] = [String(key(item)), mark(item)];
    const old = known.get(name);
    if (old && old.dataset.mark === look) return old;
    const element = make(item);
    element.dataset.key = name;
    element.dataset.mark = look;
    return element;
  });
  if (wanted.length !== parent.children.length || wanted.some((element, place) => parent.children[place] !== element)) {
    parent.replaceChildren(...wanted);
  }
}

/**
 * A table row: cells are texts, elements, or [attributes, content]; the first one heads the row. The roles are those
 * that rows have anyway; browsers drop them where a narrow screen shows a row as a block.
 */
export function row(...cells) {
  const made = cells.map((cell, place) => {
    const [attributes, content] = Array.isArray(cell) ? cell : [{}, cell];
    return place ? h("td", { role: "cell", ...attributes }, content) : h("th", { scope: "row", role: "rowheader", ...attributes }, content);
  });
  return h("tr", { role: "row" }, ...made);
}

/** A cell with a number in it. label: the column's name, shown where the table is too narrow for columns. */
export const number = (text, label) => [{ class: "number", "data-label": label }, text];

/** A cell. */
export const cell = (content, label, kind) => [{ class: kind, "data-label": label }, content];
