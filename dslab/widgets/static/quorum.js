// The quorum inset: who holds which version, whom each read and write asked, what the quorums share, what is repaired.

import { h, markup, s, valueText } from "./format.js";
import { goTo, insetTable, insetView, mono, rowHead, unseen } from "./insetpieces.js";
import { parts } from "./parts.js";
import { quorumModel, quorumSentence, storesOf } from "./quorumdata.js";

const CALLS_SHOWN = { wide: 3, one: 4, small: 2 };
const CELL_WORDS = { accepted: "answered", promised: "asked, no answer yet", open: "not asked" };
const STORED_WORDS = { accepted: "stored it", promised: "asked, not stored yet", open: "not asked" };
const REPLICA_EM = 2;
const MOST_CHARS = 14;

const brief = (value) => {
  const text = valueText(value);
  return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS - 1)}…` : text;
};

parts.quorum = {
  tabs: (spec) => (storesOf(spec).length ? [["quorum", "Versions"]] : []),
  views: (ctx) => (storesOf(ctx.spec).length ? { quorum: createQuorumView(ctx) } : {}),
};

/** Replicas by reads and writes of one key; the key of the newest one unless another is chosen. */
export function createQuorumView(ctx) {
  const { doc, store, spec } = ctx;
  let wanted = null;
  const chooser = h(doc, "select", { "aria-label": "Key", onchange: () => { wanted = chooser.value || null; view.redraw(); } });
  const top = h(doc, "div", { class: "ds-strip ds-key-choice", hidden: true }, "Key", chooser);
  const view = insetView(ctx, "ds-quorum", (frame) => quorumModel(store.trace, frame, spec, wanted, CALLS_SHOWN[store.layout] ?? 3), draw);
  view.el.prepend(top);

  function draw(model, frame) {
    top.hidden = model.keys.length < 2;
    const names = ["", ...model.keys];
    if ([...chooser.options].map(({ value }) => value).join("\n") !== names.join("\n")) {
      chooser.replaceChildren(...names.map((key) => h(doc, "option", { value: key }, key === "" ? "of the newest request" : key)));
    }
    chooser.value = wanted ?? "";
    const newest = model.calls.at(-1);
    return [[model.key !== null && table(model, frame), model.key !== null && key()], [h(doc, "span", {}, markup(doc, quorumSentence(model))), " ", newest && newest.start >= 0 && goTo(ctx, newest.start)]];
  }

  function table(model, frame) {
    const { replicas, calls, shared, read, write, split } = model;
    const hints = replicas.some((row) => row.hints.length);
    const joined = (call) => call === read || call === write;
    const head = ["replica", ["holds ", mono(doc, model.key)], ...calls.flatMap((call) => [callHead(call), ...(call.repairs.length ? [h(doc, "th", { scope: "col" }, "repair")] : [])]), ...(hints ? ["keeps for"] : [])];
    const rows = replicas.map((row, i) => h(doc, "tr", { class: row.status === "crashed" ? "is-down" : null, style: `height:${REPLICA_EM * (split ? 1.7 : 1)}em` },
      rowHead(ctx, frame.nodes.get(row.id), frame),
      h(doc, "td", {}, held(row)),
      calls.flatMap((call) => [cell(call, i, joined(call) && shared.includes(row.id)), ...(call.repairs.length && i === 0 ? [arrows(call, replicas, split)] : [])]),
      hints && h(doc, "td", {}, row.hints.map(({ home, value }) => h(doc, "span", { class: "ds-hint" }, ctx.icon("turn"), `${home}: `, mono(doc, brief(value)))))));
    const foot = calls.length > 0 && h(doc, "tr", {}, h(doc, "th", { scope: "row", colspan: 2 }, "quorum"),
      calls.flatMap((call) => [h(doc, "td", {}, tally(call)), ...(call.repairs.length ? [h(doc, "td", {})] : [])]), hints && h(doc, "td", {}));
    return insetTable(doc, `Replicas of ${model.key}${model.hidden ? `, ${model.hidden} earlier ${model.hidden === 1 ? "request" : "requests"} not shown` : ""}`, head, rows, foot, "ds-versions");
  }

  function callHead(call) {
    const what = call.kind === "reads" ? [`${call.at} reads`] : [`${call.at} writes `, mono(doc, brief(call.value))];
    return h(doc, "th", { scope: "col" }, what);
  }

  // The newest version stands solid with a thick lower edge, an older one dashed: as in a log what is safe and what is not.
  function held({ held: items }) {
    if (!items.length) return h(doc, "span", { class: "ds-quiet" }, "nothing");
    return h(doc, "span", { class: items.length > 1 ? "ds-halves is-split" : null }, items.map(({ version, value, newest }) => h(doc, "span", { class: `ds-version ${newest ? "is-newest" : "is-older"}` },
      mono(doc, brief(value)), h(doc, "small", {}, unseen(doc, " version "), version.text, unseen(doc, newest ? ", the newest" : ", older")))));
  }

  function cell(call, i, shared) {
    const { state, told, behind, repaired } = call.cells[i];
    const words = (call.kind === "reads" ? CELL_WORDS : STORED_WORDS)[state];
    return h(doc, "td", { class: `ds-call${shared ? " is-shared" : ""}` }, h(doc, "i", { class: `ds-vote is-${state}`, "aria-hidden": "true" }), unseen(doc, words),
      told && (behind || !told.version?.vector) && h(doc, "small", { class: behind ? "ds-older" : null }, " ", told.version?.text === "0" ? "none" : told.version?.text ?? "none", behind && unseen(doc, ", older")),
      shared && unseen(doc, ", in both quorums"), repaired && unseen(doc, ", repaired by the read"));
  }

  // From whoever asked to each replica that gets the newest version back.
  function arrows(call, replicas, split) {
    const row = REPLICA_EM * (split ? 1.7 : 1) * 13;
    const mid = (id) => (replicas.findIndex((item) => item.id === id) + 0.5) * row;
    const from = replicas.some(({ id }) => id === call.at) ? mid(call.at) : 0;
    const ways = call.repairs.filter((id) => replicas.some((item) => item.id === id)).map((id, k) => {
      const x = 8 + k * 7;
      return `M2 ${from}H${x}V${mid(id)}H34M29 ${mid(id) - 4}l5 4l-5 4`;
    });
    const height = row * replicas.length;
    return h(doc, "td", { rowspan: replicas.length, class: "ds-repairs" }, s(doc, "svg", { viewBox: `0 0 38 ${height}`, role: "img", "aria-label": `${call.at} repairs ${call.repairs.join(", ")}` },
      s(doc, "circle", { cx: 2.5, cy: from, r: 2.5, class: "ds-repair-from" }), s(doc, "path", { d: ways.join(""), class: "ds-repair" })));
  }

  // One segment per replica that was asked, and the line at which there are enough.
  function tally({ heard, asked, n, need, state, kind }) {
    const count = heard.length;
    const enough = need !== null && count >= need;
    const words = state === "failed" ? "failed" : enough ? "quorum" : `${count} of ${need ?? n}`;
    return h(doc, "span", { class: "ds-count" }, h(doc, "span", { class: "ds-segs", "aria-hidden": "true" }, Array.from({ length: Math.max(n, asked.length, count) }, (_, k) => h(doc, "i", { class: `ds-sg is-${k < count ? "granted" : "pending"}${k + 1 === need ? " is-threshold" : ""}` }))),
      h(doc, enough ? "b" : "span", {}, words), unseen(doc, `, ${count} of ${n} ${kind === "reads" ? "answered" : "stored it"}, ${need ?? n} needed`));
  }

  function key() {
    return h(doc, "p", { class: "ds-log-key", "aria-hidden": "true" },
      [["accepted", "answered"], ["promised", "asked"], ["open", "not asked"]].map(([state, words]) => h(doc, "span", {}, h(doc, "i", { class: `ds-vote is-${state}` }), words)),
      h(doc, "span", {}, h(doc, "i", { class: "ds-shared-key" }), "in both quorums"));
  }

  return view;
}
