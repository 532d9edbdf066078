// What the insets are made of: tables whose rows are nodes, meters, and a view that draws anew only when it must.

import { clockText, h, markMore } from "./format.js";
import { nodeBadge, nodeView } from "./glyphs.js";

export const unseen = (doc, text) => h(doc, "span", { class: "ds-vh" }, text);
export const mono = (doc, text) => h(doc, "code", { class: "ds-mono" }, text);

// A row's name: it chooses the node everywhere, and is where the arrow keys move.
export function rowHead(ctx, node, frame, extra) {
  const { doc, store } = ctx;
  const view = nodeView(node, frame, store.trace, ctx.spec);
  const chosen = store.selection?.kind === "node" && store.selection.id === node.id;
  return h(doc, "th", { scope: "row" }, h(doc, "button", {
    class: "ds-inset-node", type: "button", "data-row": node.id, "aria-pressed": String(chosen),
    onclick: () => ctx.select({ kind: "node", id: node.id }),
  }, nodeBadge(doc, view), h(doc, "b", {}, node.id), unseen(doc, view.name.slice(node.id.length)), extra && h(doc, "small", { "aria-hidden": "true" }, extra)));
}

// One segment per voter, at the voter's own place; `look` tells digests apart by pattern.
export function meter(doc, { pips, count, need, of, word, look = 0 }) {
  const reached = count >= need;
  return h(doc, "span", { class: "ds-count" },
    h(doc, "span", { class: "ds-segs", "aria-hidden": "true" }, pips.map((state) => h(doc, "i", { class: `ds-sg is-${state} is-look${look}` }))),
    h(doc, reached ? "b" : "span", {}, reached && word ? word : `${count} of ${of}`), reached && word && unseen(doc, `, ${count} of ${of}`));
}

export function insetTable(doc, title, head, rows, foot, klass = "") {
  return h(doc, "table", { class: `ds-inset-table ${klass}` }, h(doc, "caption", { class: title.includes(",") ? null : "ds-vh" }, title),
    h(doc, "thead", {}, h(doc, "tr", {}, head.map((cell) => (cell.tagName === "TH" ? cell : h(doc, "th", { scope: "col" }, cell))))),
    h(doc, "tbody", {}, rows), foot && h(doc, "tfoot", {}, foot));
}

/** One tab stop for the names of all rows; up and down move among them. */
function rove(el) {
  const buttons = () => [...el.querySelectorAll("[data-row]")];
  el.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = buttons();
    const at = all.indexOf(event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    all[Math.max(0, Math.min(all.length - 1, at + step))].focus();
  });
  el.addEventListener("focusin", (event) => {
    if (buttons().includes(event.target)) for (const item of buttons()) item.tabIndex = item === event.target ? 0 : -1;
  });
}

// A view that draws anew only when what it shows has changed, and then keeps the focus where it was.
export function insetView(ctx, klass, read, draw) {
  const { doc, store } = ctx;
  const content = h(doc, "div", {});
  const note = h(doc, "p", { class: "ds-inset-note" });
  const scroller = h(doc, "div", { class: "ds-inset-scroll" }, content);
  const el = h(doc, "div", { class: `ds-inset ${klass}` }, scroller, note);
  const more = markMore(scroller);
  let shown = "";
  let frame = null;
  rove(el);

  function update(next) {
    frame = next;
    const model = read(frame);
    const states = [...frame.nodes.values()].map((node) => nodeView(node, frame, store.trace, ctx.spec).name);
    const look = JSON.stringify([model, states, store.selection, store.layout, store.branch.id]);
    if (look === shown) return;
    shown = look;
    const active = el.contains(el.getRootNode().activeElement) ? el.getRootNode().activeElement : null;
    const kept = active && [active.dataset.row && `[data-row="${active.dataset.row}"]`, active.dataset.slot && `[data-slot="${active.dataset.slot}"]`].find(Boolean);
    const [parts, said] = draw(model, frame);
    const atEnd = scroller.scrollLeft + scroller.clientWidth >= scroller.scrollWidth - 4;      // then it follows the newest
    content.replaceChildren(...parts.filter(Boolean));
    if (atEnd) scroller.scrollLeft = scroller.scrollWidth;
    more();
    note.replaceChildren(...said.filter(Boolean));
    note.hidden = !note.childNodes.length;
    const stops = [...el.querySelectorAll("[data-row]")];
    stops.forEach((item, i) => { item.tabIndex = i ? -1 : 0; });
    if (kept) (el.querySelector(kept) ?? stops[0])?.focus({ preventScroll: true });
  }

  return { el, update, redraw: () => { shown = ""; update(frame); }, focus: () => el.querySelector("[data-row]")?.focus() };
}

export function goTo(ctx, event) {
  const at = clockText(ctx.store.trace.time(event));
  return h(ctx.doc, "button", { class: "ds-go", type: "button", onclick: () => ctx.seek({ event }) }, `Go to ${at} s`);
}
