// The inset of a chain: its servers from head to tail, the updates that each has, and which are known to be at the tail.

import { h, valueText } from "./format.js";
import { insetTable, insetView, rowHead, unseen } from "./insetpieces.js";
import { parts } from "./parts.js";

const UPDATES_SHOWN = { wide: 6, one: 8, small: 3 };

const linksOf = (spec) => (spec.servers ?? []).filter((id) => (spec.fields?.[id] ?? []).includes("hist"));
const textOf = (update) => valueText(Array.isArray(update) && update.length === 3 ? update[2] : update);

parts.chain = {
  tabs: (spec) => (linksOf(spec).length ? [["chain", "Chain"]] : []),
  views: (ctx) => (linksOf(ctx.spec).length ? { chain: createChainView(ctx) } : {}),
};

/** The servers in the order of the newest chain that one of them shows; those outside it last. */
export function chainModel(frame, spec) {
  const nodes = linksOf(spec).map((id) => frame.nodes.get(id)).filter(Boolean);
  const newest = nodes.filter(({ fields }) => Array.isArray(fields.chain)).reduce((best, node) => ((node.fields.number ?? 0) > (best?.fields.number ?? -1) ? node : best), null);
  const order = (newest?.fields.chain ?? []).map((item) => String(Array.isArray(item) ? item[0] : item));
  const place = ({ id }) => (order.includes(id) ? order.indexOf(id) : order.length);
  const rows = [...nodes].sort((a, b) => place(a) - place(b)).map(({ id, status, fields }) => ({
    id, status, role: order.includes(id) ? String(fields.role ?? "") : "not in it", place: order.indexOf(id) + 1, number: fields.number ?? 0,
    updates: (Array.isArray(fields.hist) ? fields.hist : []).map(textOf), acknowledged: Number.isInteger(fields.acknowledged) ? fields.acknowledged : 0,
  }));
  const links = rows.filter((row) => row.place);
  return { rows, length: Math.max(0, ...rows.map(({ updates }) => updates.length)), tail: links.at(-1) ?? null, head: links[0] ?? null };
}

/** How far the newest update is, in a sentence. */
export function chainSentence({ head, tail }) {
  if (!head) return "There is no chain yet.";
  const [at, done] = [head.updates.length, tail.updates.length];
  if (!at) return `${head.id} orders updates, ${tail.id} answers.`;
  if (done >= at) return `All ${at === 1 ? "of one update has" : `${at} updates have`} reached the tail, so every server of the chain has ${at === 1 ? "it" : "them"}.`;
  return `${at - done} ${at - done === 1 ? "update is" : "updates are"} on the way down; only what ${tail.id} has may be answered.`;
}

/** A row per server, head first: solid with a thick lower edge is known to be at the tail, dashed may be sent again. */
export function createChainView(ctx) {
  const { doc, store, spec } = ctx;

  function draw(model, frame) {
    const most = UPDATES_SHOWN[store.layout] ?? UPDATES_SHOWN.wide;
    const first = Math.max(0, model.length - most);
    const numbers = Array.from({ length: model.length - first }, (_, k) => first + k);
    const table = insetTable(doc, `Head to tail${first ? `, ${first} earlier not shown` : ""}`, ["server", "place", ...numbers.map((k) => h(doc, "th", { scope: "col" }, unseen(doc, "update "), String(k + 1)))],
      model.rows.map((row) => h(doc, "tr", { class: row.status === "crashed" ? "is-down" : null }, rowHead(ctx, frame.nodes.get(row.id), frame), h(doc, "td", {}, row.role),
        numbers.map((k) => h(doc, "td", {}, row.updates[k] !== undefined && h(doc, "span", { class: `ds-version ${k < row.acknowledged ? "is-newest" : "is-older"}` },
          h(doc, "code", { class: "ds-mono" }, row.updates[k].length > 10 ? `${row.updates[k].slice(0, 9)}…` : row.updates[k]), unseen(doc, k < row.acknowledged ? ", at the tail" : ", not known to be at the tail")))))), null, "ds-chain");
    return [[table], [chainSentence(model)]];
  }

  return insetView(ctx, "ds-chain-view", (frame) => chainModel(frame, spec), draw);
}
