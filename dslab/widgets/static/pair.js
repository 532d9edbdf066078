// The inset of primary and backup: which view each server knows, who has all, and which operations are acknowledged.

import { countText, h } from "./format.js";
import { insetTable, insetView, rowHead, unseen } from "./insetpieces.js";
import { parts } from "./parts.js";

const RUNS_SHOWN = { wide: 6, one: 8, small: 3 };

const showing = (spec, name) => (spec.servers ?? []).filter((id) => (spec.fields?.[id] ?? []).includes(name));
const knownView = ({ fields }) => (Array.isArray(fields.view) && Number.isInteger(fields.view[0]) ? { number: fields.view[0], primary: fields.view[1] ?? null, backup: fields.view[2] ?? null } : null);

parts.pair = {
  tabs: (spec) => (showing(spec, "ready").length ? [["pair", "Views"]] : []),
  views: (ctx) => (showing(ctx.spec, "ready").length ? { pair: createPairView(ctx) } : {}),
};

/** The servers with the view that each knows, and the newest view of all: what the view service says, or who knows most. */
export function pairModel(frame, spec) {
  const row = (id) => {
    const node = frame.nodes.get(id);
    const { role, run, ready, tag, at_work: atWork } = node.fields;
    return { id, status: node.status, role: String(role ?? "decides"), view: knownView(node), run: Number.isInteger(run) ? run : 0, ready: ready === true, tag: JSON.stringify(tag ?? null), atWork: Number.isInteger(atWork) ? atWork : 0 };
  };
  const rows = [...showing(spec, "at_work"), ...showing(spec, "ready")].filter((id) => frame.nodes.has(id)).map(row);
  const now = rows.map(({ view }) => view).filter(Boolean).reduce((best, view) => (view.number > (best?.number ?? 0) ? view : best), null);
  const of = (id) => rows.find((item) => item.id === id) ?? null;
  const primary = of(now?.primary);
  const backup = of(now?.backup);
  const both = primary && backup && primary.tag === backup.tag ? Math.min(primary.run, backup.run) : primary?.run ?? 0;
  return { rows, now, primary, backup, both, tag: primary?.tag, stale: rows.filter((item) => item.role === "primary" && item.status === "up" && item.id !== now?.primary) };
}

/** Who may answer, and what an answer waits for. */
export function pairSentence({ now, primary, backup, stale }) {
  if (!now || !primary) return "Nobody is primary yet.";
  const late = stale.map(({ id, view }) => ` ${id} still takes itself for the primary${view ? ` of view ${view.number}` : ""}.`).join("");
  const waiting = backup && primary.tag === backup.tag ? backup.run - primary.run : 0;
  const said = primary.view?.number !== now.number ? `${primary.id} does not know yet that it is primary.`
    : !backup ? `${primary.id} is primary and has no backup: nobody could take its place.`
      : !primary.ready ? `${backup.id} does not have all that ${primary.id} has yet, so ${primary.id} answers nobody.`
        : waiting > 0 ? `${backup.id} has run ${countText(waiting, "operation")} of which ${primary.id} has not heard; then ${primary.id} answers.`
          : `What ${primary.id} answers, ${backup.id} has run before.`;
  return `View ${now.number}: ${said}${late}`;
}

/** A row per server: solid is the newest view, or run by both; dashed is older, or not acknowledged. */
export function createPairView(ctx) {
  const { doc, store, spec } = ctx;
  const box = (text, solid, words) => h(doc, "span", { class: `ds-version ${solid ? "is-newest" : "is-older"}` }, text, unseen(doc, words));

  function viewCell({ view }, now) {
    if (!view?.number) return "none yet";
    const newest = view.number === now.number;
    return box(`${view.number}: ${view.primary}${view.backup ? `, ${view.backup}` : ""}`, newest, newest ? ", the newest view" : ", an older view");
  }

  function runCells(row, { both, tag }) {
    const first = Math.max(0, row.run - (RUNS_SHOWN[store.layout] ?? RUNS_SHOWN.wide));
    return [first ? "… " : null, ...Array.from({ length: row.run - first }, (_, k) => first + k + 1).map((place) => {
      const known = row.tag === tag && place <= both;
      return box(String(place), known, known ? ", run by primary and backup" : ", not known to both");
    })];
  }

  function draw(model, frame) {
    const about = (row) => (row.role === "decides" ? (row.atWork ? `at work in view ${row.atWork}` : "") : runCells(row, model));
    const table = insetTable(doc, "Primary and backup", ["server", "role", "knows view", "has run"],
      model.rows.map((row) => h(doc, "tr", { class: row.status === "crashed" ? "is-down" : null }, rowHead(ctx, frame.nodes.get(row.id), frame),
        h(doc, "td", {}, row.role), h(doc, "td", {}, viewCell(row, model.now)), h(doc, "td", { class: "ds-runs" }, about(row)))), null, "ds-chain");
    return [[table], [pairSentence(model)]];
  }

  return insetView(ctx, "ds-pair-view", (frame) => pairModel(frame, spec), draw);
}
