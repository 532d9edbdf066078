// The pieces of the log grid: a server's badge, a cell, a marker, the key, the note, the minimap.
import { h, markup, s, setAttrs, setText, termClass } from "./format.js";
import { quorumMeter } from "./glyphs.js";
import { entryText } from "./entries.js";
import { termRuns } from "./logentries.js";

/** The stepped line of commit indexes, as path data in a window that starts at column `first`. */
export function frontierPath(commits, first, column, row, top, right) {
  const x = (commit) => Math.min(right + 8, Math.max(commit < first - 1 ? -8 : 1.3, (commit - first + 1) * column));
  return commits.map((commit, i) => `${i ? "H" : `M${x(commit)} ${top - 5}V${top}H`}${x(commit)}V${top + (i + 1) * row}`).join("");
}

/** A triangle under a cell: the leader's match or next index of that server. */
export function indexMarker(doc, name) {
  return s(doc, "svg", { class: `ds-marker ds-${name}`, viewBox: "0 0 10 9", "aria-hidden": "true" },
    s(doc, "path", { d: "M1 8l4-6.5 4 6.5z" }));
}

function termTab(doc, term) {
  return h(doc, "span", { class: `ds-entry-term ${termClass(term)}` }, String(term));
}

/** One block over all columns in view that the snapshot stands for; cells have .154em at each side. */
function snapshotBlock(block, columns) {
  block.style.width = `calc(${columns} * 100% + ${columns - 1} * .334em)`;
  return block;
}

/** What a cell shows, as elements. */
export function cellParts(ctx, node, index, cell) {
  const { doc } = ctx;
  const drawn = (looks, ...children) => h(doc, "span", { class: looks, "aria-hidden": "true" }, ...children);
  const { entry, ghost } = cell;
  const end = node.fields.snapshot_index;
  return [
    entry && drawn(`ds-entry ds-${cell.kind}${cell.conflicting ? " ds-conflicting" : ""}`,
      entry.term !== undefined && termTab(doc, entry.term),
      h(doc, "span", { class: "ds-entry-load" }, h(doc, "span", {}, entryText(entry)))),
    cell.applied && drawn("ds-applied", ctx.icon("check")),
    cell.kind === "snapshot" && cell.first && snapshotBlock(drawn("ds-entry ds-committed ds-snapshot", `1–${end}`), Math.min(end, cell.last) - index + 1),
    ghost && drawn("ds-ghost", ghost.term !== undefined && termTab(doc, ghost.term), h(doc, "s", {}, entryText(ghost))),
    cell.pip && drawn(`ds-log-pip ds-pip-${cell.pip}`),
    cell.match && indexMarker(doc, "match"),
    cell.next && indexMarker(doc, "next"),
  ].filter(Boolean);
}

/** The same cell with another entry: only its term and its text change. */
export function refillCell(box, entry) {
  const [term] = box.getElementsByClassName("ds-entry-term");
  if (term) {
    setAttrs(term, { class: `ds-entry-term ${termClass(entry.term)}` });
    setText(term, String(entry.term));
  }
  setText(box.getElementsByClassName("ds-entry-load")[0].firstChild, entryText(entry));
}

/** What a cell says. */
export function cellLabel(node, index, { kind, entry, applied, conflicting, ghost, match, next }) {
  const term = entry?.term === undefined ? null : `term ${entry.term}`;
  return [
    `${node.id} index ${index}`,
    kind === "snapshot" ? "in the snapshot" : entry ? entryText(entry) : "empty",
    term, entry && (applied ? "applied" : kind), conflicting && "conflicting",
    ghost && `${entryText(ghost)} of term ${ghost.term} was removed here`,
    match && "match index", next && "next index",
  ].filter(Boolean).join(", ");
}

const KEY_WORDS = {
  bar: "committed up to here", match: "match", next: "next", hatch: "conflict", ghost: "removed now", applied: "applied",
};

/** The key under the grid, for the marks that are in it. */
export function keyItems(ctx, names) {
  const { doc } = ctx;
  return names.map((name) => h(doc, "span", {}, keyMark(ctx, name), KEY_WORDS[name]));
}

function keyMark(ctx, name) {
  if (name === "match" || name === "next") return indexMarker(ctx.doc, name);
  return h(ctx.doc, "i", { class: name === "applied" ? "ds-applied" : `ds-key-${name}` }, name === "applied" && ctx.icon("check"));
}

/** The note: k of n as a meter, the rule in words, buttons to the entry's moments. */
export function noteParts(ctx, index, words, moments) {
  const { doc } = ctx;
  const held = new Map(Array.from({ length: words.n }, (_, i) => [i, i < words.k ? "granted" : "pending"]));
  const buttons = ["append", "commit", "truncate"].filter((name) => moments[name] != null).map((name) => h(doc, "button", {
    class: "ds-go", type: "button", "aria-label": `Go to the ${name} of entry ${index}`,
    onclick: () => ctx.seek({ event: moments[name] }),
  }, name));
  return [
    words.k > 0 && s(doc, "svg", { viewBox: "0 0 112 34", class: "ds-note-meter", "aria-hidden": "true" }, quorumMeter(doc, held, 2, 6)),
    h(doc, "p", {}, h(doc, "b", {}, words.title), " ", markup(doc, words.text), " ",
      buttons.length > 0 && h(doc, "span", { class: "ds-gos" }, "Go to ", buttons)),
  ].filter(Boolean);
}

/** Instead of a scroll bar, a strip of the longest log with the columns in view; `scrollTo(first)` moves them. */
export function createMinimap(doc, scrollTo) {
  const svg = s(doc, "svg", { viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  const range = h(doc, "input", {
    type: "range", min: 1, step: 1, "aria-label": "First index in view", oninput: () => scrollTo(Number(range.value)),
  });
  const el = h(doc, "div", { class: "ds-minimap", hidden: true }, svg, range);
  let drawn = null;

  function update(fields, { first, fit, columns }) {
    setAttrs(range, { max: Math.max(1, columns - fit + 1), "aria-valuetext": `index ${first} of ${columns - 1}` });
    range.value = first;
    const x = (index) => (1000 * index) / columns;
    if (drawn !== fields.log) {
      drawn = fields.log;
      svg.replaceChildren(...termRuns(fields).map(([from, to, term]) => s(doc, "rect",
        { class: termClass(term), x: x(from), width: x(to - from), y: 1, height: 8 })), s(doc, "rect", { class: "ds-lens", y: 0, height: 10 }));
    }
    setAttrs(svg.lastChild, { x: x(first - 1), width: Math.max(4, x(fit)) });
  }

  return { el, update };
}
