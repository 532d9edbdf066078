// Words, numbers and elements: everything that turns data into text or nodes of the document.

const SVG_NS = "http://www.w3.org/2000/svg";

// 16 px grid, stroke 1.5, round ends; "*" before a path means "filled".
const ICON_PATHS = {
  play: "*M5 3.2v9.6L12.6 8z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  reverse: "M11 3.2v9.6L3.4 8z",
  step: "M6 3.5 10.5 8 6 12.5",
  stepback: "M10 3.5 5.5 8 10 12.5",
  start: "M11.5 3.5 7 8l4.5 4.5M4 3.5v9",
  end: "M4.5 3.5 9 8l-4.5 4.5M12 3.5v9",
  next: "M2.5 3.5 7 8l-4.5 4.5|*M11.5 5 14 8l-2.5 3L9 8z",
  prev: "M13.5 3.5 9 8l4.5 4.5|*M4.5 5 7 8l-2.5 3L2 8z",
  fork: "M4.5 2.5v11M4.5 11.2c0-3.4 7-1.9 7-6.2M13.1 3.4a1.6 1.6 0 1 1-3.2 0a1.6 1.6 0 0 1 3.2 0",
  crash: "M13.75 8a5.75 5.75 0 1 1-11.5 0a5.75 5.75 0 0 1 11.5 0M5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2",
  restart: "M13.2 8.4A5.25 5.25 0 1 1 12 4.6|M12.6 1.9v3.2H9.4",
  pausenode: "M13.75 8a5.75 5.75 0 1 1-11.5 0a5.75 5.75 0 0 1 11.5 0M6.5 6v4M9.5 6v4",
  partition: "M6.2 4.4a1.9 1.9 0 1 1-3.8 0a1.9 1.9 0 0 1 3.8 0M6.2 11.6a1.9 1.9 0 1 1-3.8 0a1.9 1.9 0 0 1 3.8 0"
    + "M5.9 5.5 13.5 11M5.9 10.5 13.5 5",
  heal: "m7.4 4.9 1.5-1.5a2.6 2.6 0 0 1 3.7 3.7l-1.5 1.5M8.6 11.1l-1.5 1.5a2.6 2.6 0 0 1-3.7-3.7l1.5-1.5M6.5 9.5l3-3",
  inspect: "M11.25 7a4.25 4.25 0 1 1-8.5 0a4.25 4.25 0 0 1 8.5 0M10.2 10.2l3.3 3.3",
  code: "M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5",
  undo: "M6 3 3 6l3 3M3.2 6H9a3.5 3.5 0 0 1 0 7H6.5",
  redo: "M10 3l3 3-3 3M12.8 6H7a3.5 3.5 0 0 0 0 7h2.5",
  speed: "M3.3 12.2a5.75 5.75 0 1 1 9.4 0M8 9l2.7-3.2",
  bookmark: "M4.5 2.5h7v11L8 10.6l-3.5 2.9z",
  check: "m3.2 8.4 3.2 3.2 6.4-7",
  cross: "m4 4 8 8M12 4l-8 8",
  unknown: "M5.7 5.9a2.3 2.3 0 1 1 3.4 2c-.8.5-1.1.9-1.1 1.7M8 12.4v.1",
  hourglass: "M4 2.7h8M4 13.3h8M5.2 2.7v2.1L8 8l2.8-3.2V2.7M5.2 13.3v-2.1L8 8l2.8 3.2v2.1",
  request: "M8 3.2v9.6M3.2 8h9.6",
  clock: "M13.75 8a5.75 5.75 0 1 1-11.5 0a5.75 5.75 0 0 1 11.5 0M8 4.8V8l2.2 1.5",
  disk: "M3.25 4.2a4.75 1.9 0 0 1 9.5 0a4.75 1.9 0 0 1-9.5 0v7.6c0 1 2.1 1.9 4.75 1.9s4.75-.9 4.75-1.9V4.2",
  lock: "M4.7 7h6.6a1.2 1.2 0 0 1 1.2 1.2v4.1a1.2 1.2 0 0 1-1.2 1.2H4.7a1.2 1.2 0 0 1-1.2-1.2V8.2A1.2 1.2 0 0 1 4.7 7z"
    + "|M5.5 7V5.2a2.5 2.5 0 0 1 5 0V7",
  traitor: "M8 2.6 14 13H2zM8 6.6v2.8M8 11.2v.1",
  timeout: "M6.3 1.8h3.4M8 1.8v2M13 9a5 5 0 1 1-10 0a5 5 0 0 1 10 0M8 6.5V9",
  watch: "M1.8 8S4 4 8 4s6.2 4 6.2 4S12 12 8 12 1.8 8 1.8 8zM9.8 8a1.8 1.8 0 1 1-3.6 0a1.8 1.8 0 0 1 3.6 0",
  more: "*M4.5 8a1.3 1.3 0 1 1-2.6 0a1.3 1.3 0 0 1 2.6 0M9.3 8a1.3 1.3 0 1 1-2.6 0a1.3 1.3 0 0 1 2.6 0"
    + "M14.1 8a1.3 1.3 0 1 1-2.6 0a1.3 1.3 0 0 1 2.6 0",
  copy: "M6.9 5.5h5.2a1.4 1.4 0 0 1 1.4 1.4v5.2a1.4 1.4 0 0 1-1.4 1.4H6.9a1.4 1.4 0 0 1-1.4-1.4V6.9a1.4 1.4 0 0 1 1.4-1.4z"
    + "|M10.5 3.2V3a1 1 0 0 0-1-1H3.5a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h.2",
  table: "M2.5 3.5h11v9h-11zM2.5 6.5h11M2.5 9.5h11M6.5 3.5v9",
  words: "M3 4h10M3 7h10M3 10h10M3 13h6",
  turn: "M3 5.2h8.2M8.6 2.6l2.6 2.6-2.6 2.6M5.2 8v5M2.8 10.6 5.2 13l2.4-2.4",
  minus: "M3.2 8h9.6",
  columns: "M3 3.2h4v9.6H3zM9 3.2h4v9.6H9z",
  download: "M8 2.5v7.6M4.9 7.2 8 10.3l3.1-3.1M2.8 13.3h10.4",
};

function fillElement(element, attrs, children) {
  for (const [name, value] of Object.entries(attrs ?? {})) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** An HTML element: h(doc, "button", {class, onclick}, "text", child). */
export function h(doc, tag, attrs, ...children) {
  return fillElement(doc.createElement(tag), attrs, children);
}

/** An SVG element, same arguments as h(). */
export function s(doc, tag, attrs, ...children) {
  return fillElement(doc.createElementNS(SVG_NS, tag), attrs, children);
}

/** Set attributes only where they differ: the browser repaints nothing that stays. */
export function setAttrs(element, attrs) {
  for (const [name, value] of Object.entries(attrs)) {
    if (value == null || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

const MENU_UP_TO = 300;

/**
 * A select of [value, text]. A longer one has only its first and its chosen option until it is used: Chromium reads
 * all options of a page again whenever one of its forms changes, which stops it for 50 ms where there are thousands.
 */
export function menuOf(doc, attrs, options) {
  const option = ([value, text]) => h(doc, "option", { value }, text ?? value);
  const el = h(doc, "select", attrs, options.slice(0, options.length > MENU_UP_TO ? 1 : options.length).map(option));
  if (options.length <= MENU_UP_TO) return el;
  const hold = (held) => {
    const { value } = el;
    el.replaceChildren(...held.map(option));
    el.value = value;
  };
  const fill = () => el.options.length < options.length && hold(options);
  el.addEventListener("pointerdown", fill);
  el.addEventListener("focus", fill);
  el.addEventListener("blur", () => hold(options.filter(([value], i) => i === 0 || value === el.value)));
  return el;
}

/** Chooses in a menu that may not have been used yet. */
export function chooseIn(menu, value) {
  if (![...menu.options].some((option) => option.value === value)) menu.append(h(menu.ownerDocument, "option", { value }, value));
  menu.value = value;
}

/** Keeps the sides to which an area can be scrolled on in its `data-more`; call what it returns when the content changes. */
export function markMore(scroller) {
  const mark = () => {
    const left = scroller.scrollLeft;
    const sides = [left > 2 && "left", left + scroller.clientWidth < scroller.scrollWidth - 2 && "right"];
    setAttrs(scroller, { "data-more": sides.filter(Boolean).join(" ") || null });
  };
  scroller.addEventListener("scroll", mark);
  return mark;
}

/** Replace an element's text only when it differs. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Path data of an icon, for a canvas. */
export function iconData(name) {
  return ICON_PATHS[name].replaceAll("|", "").replaceAll("*", "");
}

function iconPaths(doc, name) {
  return (ICON_PATHS[name] ?? ICON_PATHS.unknown).split("|").map((path) => (path[0] === "*"
    ? s(doc, "path", { d: path.slice(1), fill: "currentColor" })
    : s(doc, "path", { d: path })));
}

/** A designed icon for HTML; always decoration, the control carries the name. */
export function icon(doc, name) {
  return s(doc, "svg", { class: "ds-ic", viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
    iconPaths(doc, name));
}

/** The same icon as a group inside another SVG, `size` px wide with its corner at x, y. */
export function iconGroup(doc, name, x, y, size, extra = "") {
  return s(doc, "g", { class: `ds-icg ${extra}`, transform: `translate(${x} ${y}) scale(${size / 16})` },
    iconPaths(doc, name));
}

/** "1.428": seconds with three decimals from integer microseconds. */
export function clockText(us) {
  return (Math.floor(Math.max(0, us) / 1000) / 1000).toFixed(3);
}

/** "7 ms", "1.2 s", "250 µs": a duration in words. */
export function durationText(us) {
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${trimZeros((us / 1000).toFixed(us < 1e4 ? 1 : 0))} ms`;
  return `${trimZeros((us / 1e6).toFixed(2))} s`;
}

function trimZeros(text) {
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

/** "1/50×", "1×", "20×". */
export function speedText(speed) {
  return speed >= 1 ? `${trimZeros(speed.toFixed(1))}×` : `1/${Math.round(1 / speed)}×`;
}

/** Terms share six fills in turn; the number beside the fill tells equal fills apart. */
export function termClass(term) {
  return Number.isInteger(term) && term > 0 ? `ds-term-${((term - 1) % 6) + 1}` : "ds-term-0";
}

/** The term roundel: fill and number. */
export function roundel(doc, term) {
  return h(doc, "span", { class: `ds-tm ${termClass(term)}` }, String(term));
}

const MARKUP = /\{term:(\d+)\}|`([^`]*)`/g;

/** Nodes for a narrated text: `{term:4}` becomes a roundel, backticks become code. */
export function markup(doc, text) {
  const parts = [];
  let last = 0;
  for (const match of String(text ?? "").matchAll(MARKUP)) {
    parts.push(text.slice(last, match.index));
    parts.push(match[1] ? roundel(doc, Number(match[1])) : h(doc, "code", { class: "ds-mono" }, match[2]));
    last = match.index + match[0].length;
  }
  parts.push(String(text ?? "").slice(last));
  return parts.filter((part) => part !== "");
}

/** The same text for an accessible name or the live region. */
export function plainText(text) {
  return String(text ?? "").replace(MARKUP, (_, term, code) => term ?? code);
}

/** "n1, n2 and n3". */
export function listText(items) {
  const words = [...items].map(String);
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** "1 vote", "2 votes". */
export function countText(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}

/** A field value as a student would write it: x=1, [1, 2], none. */
export function valueText(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(valueText).join(", ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).filter(([key]) => key !== "@");
    const inner = entries.map(([key, item]) => `${key}=${valueText(item)}`).join(", ");
    return value["@"] ? `${value["@"]}(${inner})` : `{${inner}}`;
  }
  return String(value);
}
