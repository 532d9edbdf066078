// The inset of replicated data types: what each replica holds and has seen, the lattice of their states, how an update spreads.

import { clockText, h, markup, s } from "./format.js";
import { insetTable, insetView, mono, rowHead, unseen } from "./insetpieces.js";
import { mergeModel, mergeSentence, mergingOf } from "./mergedata.js";
import { parts } from "./parts.js";

const CARD = { wide: 108, high: 40, across: 16, up: 26 };
const CURVE = { wide: 205, high: 74, left: 20, foot: 20 };
const TEXT_MOST = { value: 30, card: 14 };

parts.merge = {
  tabs: (spec) => (mergingOf(spec).length ? [["merge", "Merges"]] : []),
  views: (ctx) => (mergingOf(ctx.spec).length ? { merge: createMergeView(ctx) } : {}),
};

const cut = (text, longest) => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text);

/** Replicas with their values and the updates they have seen; above them who includes whom. */
export function createMergeView(ctx) {
  const { doc, store, spec } = ctx;

  function draw(model, frame) {
    const said = mergeSentence(model);
    const body = h(doc, "div", { class: "ds-merge-body" }, h(doc, "div", {}, table(model, frame), model.spread && curve(model.spread)), model.total > 0 && lattice(model));
    return [[body], [h(doc, said.wrong ? "b" : "span", { class: said.wrong ? "ds-wrong" : null }, markup(doc, said.text))]];
  }

  function table({ replicas, origins, join, kind }, frame) {
    return insetTable(doc, `${kind}, updates seen by origin`, ["replica", "value", ...origins.map((name) => h(doc, "th", { scope: "col" }, unseen(doc, "updates of "), name))],
      replicas.map((row) => h(doc, "tr", { class: row.status === "crashed" ? "is-down" : null }, rowHead(ctx, frame.nodes.get(row.id), frame),
        h(doc, "td", {}, h(doc, "code", { class: "ds-mono", title: row.value }, cut(row.value, TEXT_MOST.value))),
        origins.map((name) => {
          const lacks = join[name] - (row.seen[name] ?? 0);
          return h(doc, "td", { class: lacks ? "ds-older" : null }, String(row.seen[name] ?? 0), lacks > 0 && unseen(doc, `, ${lacks} missing`));
        }))), null, "ds-merges");
  }

  // A state above another includes it; the dashed one nobody holds yet: what merging all would give.
  function lattice({ groups }) {
    const levels = Math.max(...groups.map(({ level }) => level)) + 1;
    const rows = Array.from({ length: levels }, (_, level) => groups.filter((group) => group.level === level));
    const widest = Math.max(...rows.map((row) => row.length));
    const width = widest * (CARD.wide + CARD.across);
    const height = levels * (CARD.high + CARD.up) - CARD.up + 4;
    const place = new Map();
    rows.forEach((row, level) => row.forEach((group, k) => place.set(group, {
      x: (width - row.length * (CARD.wide + CARD.across)) / 2 + k * (CARD.wide + CARD.across) + CARD.across / 2, y: height - 2 - (level + 1) * CARD.high - level * CARD.up,
    })));
    const edges = groups.flatMap((group) => group.covers.map((j) => {
      const [up, down] = [place.get(group), place.get(groups[j])];
      const [top, foot] = [up.x + CARD.wide / 2, down.x + CARD.wide / 2];
      const lane = up.x + (foot >= top ? CARD.wide + CARD.across / 2 : -CARD.across / 2);       // beside the cards between
      return s(doc, "path", {
        class: "ds-covers",
        d: group.level - groups[j].level > 1 ? `M${lane} ${up.y + CARD.high / 2}H${foot >= top ? up.x + CARD.wide : up.x}M${lane} ${up.y + CARD.high / 2}V${down.y - CARD.up / 2}L${foot} ${down.y}` : `M${foot} ${down.y}L${top} ${up.y + CARD.high}`,
      });
    }));
    return s(doc, "svg", { class: "ds-lattice", viewBox: `0 0 ${width} ${height}`, style: `width:${width / 13}em`, role: "img", "aria-label": latticeWords(groups) },
      edges, groups.map((group) => card(group, place.get(group))));
  }

  function card({ members, differ }, { x, y }) {
    const names = members.map(({ id }) => id).join(", ");
    return s(doc, "g", { transform: `translate(${x} ${y})` },
      s(doc, "rect", { class: `ds-card${members.length ? "" : " is-join"}${differ ? " is-torn" : ""}`, width: CARD.wide, height: CARD.high, rx: 3.5 }),
      s(doc, "text", { class: "ds-t12 ds-b", x: 8, y: 16 }, cut(names || "all merged", TEXT_MOST.card)),
      s(doc, "text", { class: "ds-t12 ds-s", x: 8, y: 32 }, members.length ? cut(differ ? "differ" : members[0].value, TEXT_MOST.card) : "nobody has it yet"));
  }

  function latticeWords(groups) {
    const name = ({ members }) => members.map(({ id }) => id).join(", ") || "all merged, which nobody holds yet";
    const words = groups.flatMap((group) => group.covers.map((j) => `${name(group)} includes ${name(groups[j])}`));
    return words.length ? `Lattice: ${words.join("; ")}.` : `Lattice: one state, at ${name(groups[0])}.`;
  }

  // How many have seen the newest update, over time.
  function curve({ by, count, from, until, heard, n }) {
    const span = Math.max(1, until - from);
    const x = (us) => CURVE.left + ((us - from) / span) * (CURVE.wide - CURVE.left - 6);
    const y = (k) => CURVE.high - CURVE.foot - (k / n) * (CURVE.high - CURVE.foot - 8);
    const line = heard.map(({ us }, k) => `${k ? "H" : `M${x(from)} ${y(0)}H`}${x(us)}V${y(k + 1)}`).join("");
    return s(doc, "svg", { class: "ds-curve", viewBox: `0 0 ${CURVE.wide} ${CURVE.high}`, style: `width:${CURVE.wide / 13}em`, role: "img", "aria-label": `Update ${count} of ${by}: seen by ${heard.length} of ${n} at ${clockText(until)} s` },
      s(doc, "path", { class: "ds-hist-lane", d: `M${CURVE.left} ${y(n)}H${CURVE.wide}M${CURVE.left} ${y(0)}H${CURVE.wide}` }),
      s(doc, "path", { class: "ds-curve-line", d: `${line}H${x(until)}` }),
      s(doc, "text", { class: "ds-t12 ds-s", x: 2, y: y(n) + 4 }, `${n}`), s(doc, "text", { class: "ds-t12 ds-s", x: 2, y: y(0) + 4 }, "0"),
      s(doc, "text", { class: "ds-t12 ds-s", x: CURVE.left, y: CURVE.high - 4 }, `update ${count} of ${by}: seen by ${heard.length}`));
  }

  return insetView(ctx, "ds-merge", (frame) => mergeModel(store.trace, frame, spec), draw);
}
