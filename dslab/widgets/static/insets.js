// The protocol insets: the ballots of Paxos and Multi-Paxos, the phases of PBFT. Tables that follow the cursor.

import { h, markup, roundel, termClass, valueText } from "./format.js";
import { parts } from "./parts.js";
import { goTo, insetTable, insetView, meter, mono, rowHead, unseen } from "./insetpieces.js";
import { ballotModel, ballotSentence, insetsOf, phaseModel, slotModel, SLOT_STATES } from "./insetdata.js";

const COLUMNS = { wide: 5, one: 6, small: 3 };       // ballots in view
const MOST_SLOTS = 40;                               // the newest; what has no room is scrolled to
const STRIP = { wide: 14, one: 18, small: 7 };       // sequence numbers to choose from
const PIP_WORDS = { accepted: "accepted", promised: "promised, may accept", open: "may accept", closed: "promised a later one" };
const INSET_NAMES = { ballots: "Ballots", phases: "Phases" };

parts.insets = { tabs: insetTabs, views: createInsets };

/** The tabs of the insets that this system has: [[id, name], ...]. */
export function insetTabs(spec) {
  return insetsOf(spec).map((id) => [id, INSET_NAMES[id]]);
}

/** The views behind those tabs, by id. */
export function createInsets(ctx) {
  const make = { ballots: createBallotsView, phases: createPhasesView };
  return Object.fromEntries(insetsOf(ctx.spec).map((id) => [id, make[id](ctx)]));
}

function ballotMark(doc, ballot) {
  if (!ballot) return h(doc, "span", { class: "ds-quiet" }, "none");
  return h(doc, "span", { class: "ds-ballot" }, roundel(doc, ballot.counter), ballot.by && h(doc, "small", {}, unseen(doc, " of "), ballot.by));
}

// ---- Paxos --------------------------------------------------------------------------------------------------------

/** Ballots of single-decree Paxos, slots of Multi-Paxos; whichever the nodes show. */
export function createBallotsView(ctx) {
  const { doc, store, spec } = ctx;
  const most = () => COLUMNS[store.layout] ?? COLUMNS.wide;

  function read(frame) {
    return { single: ballotModel(store.trace, frame, spec), multi: slotModel(frame, spec) };
  }

  function draw({ single, multi }, frame) {
    const said = single.acceptors.length ? ballotSentence(single) : null;
    return [
      [single.acceptors.length > 0 && acceptorTable(single, frame), single.acceptors.length > 0 && single.proposers.length > 0 && proposerTable(single, frame),
        single.acceptors.length > 0 && pipKey(), multi.rows.length > 0 && slotTable(multi, frame)],
      said ? [h(doc, said.wrong ? "b" : "span", { class: said.wrong ? "ds-wrong" : null }, markup(doc, said.text)), " ", said.event !== undefined && goTo(ctx, said.event)] : [],
    ];
  }

  // The newest ballots, and the first one that chose.
  function inView(ballots) {
    const last = ballots.slice(-most());
    const chosen = ballots.find((row) => row.chosen);
    return chosen && !last.includes(chosen) ? [chosen, ...last.slice(1)] : last;
  }

  function acceptorTable(model, frame) {
    const columns = inView(model.ballots);
    const hidden = model.ballots.length - columns.length;
    const foot = columns.length > 0 && [
      h(doc, "tr", {}, h(doc, "th", { scope: "row", colspan: 3 }, "value"), columns.map(({ values, value }) => h(doc, "td", { class: values.length > 1 ? "ds-conflict" : null }, value !== null && mono(doc, values.join(" / "))))),
      h(doc, "tr", {}, h(doc, "th", { scope: "row", colspan: 3 }, "accepted by"), columns.map((row) => h(doc, "td", {}, votes(row, model)))),
    ];
    return insetTable(doc, `Acceptors${hidden ? `, ${hidden} earlier ${hidden === 1 ? "ballot" : "ballots"} not shown` : ""}`,
      ["acceptor", "promised", "accepted", ...columns.map(({ ballot, chosen }) => h(doc, "th", { scope: "col", class: chosen ? "is-chosen" : null }, unseen(doc, "ballot "), ballotMark(doc, ballot)))],
      model.acceptors.map((acceptor, i) => h(doc, "tr", { class: acceptor.status === "crashed" ? "is-down" : null }, rowHead(ctx, frame.nodes.get(acceptor.id), frame),
        h(doc, "td", {}, ballotMark(doc, acceptor.promised)),
        h(doc, "td", {}, acceptor.accepted ? [ballotMark(doc, acceptor.accepted), h(doc, "span", { class: "ds-accepted-value" }, " ", mono(doc, valueText(acceptor.value)))] : ballotMark(doc, null)),
        columns.map((row) => pipCell(row.marks[i], row)))), foot, "ds-acceptors");
  }

  function pipCell({ state }, { chosen }) {
    return h(doc, "td", { class: `ds-pip-cell${chosen ? " is-chosen" : ""}` }, h(doc, "i", { class: `ds-vote is-${state}`, "aria-hidden": "true" }), unseen(doc, PIP_WORDS[state]));
  }

  function votes({ count, chosen, dead }, { acceptors }) {
    const told = `${count} of ${acceptors.length}`;
    if (chosen) return h(doc, "b", { class: "ds-chosen-word" }, ctx.icon("check"), "chosen", unseen(doc, ` by ${told}`));
    return h(doc, "span", { class: dead ? "ds-dead" : null }, told, dead && unseen(doc, ", can no longer be chosen"));
  }

  function proposerTable(model, frame) {
    const { need } = model;
    return insetTable(doc, "Proposers", ["proposer", "ballot", "phase", "answers", "value"], model.proposers.map((item) => {
      const count = item.pips.filter(({ state }) => state === "granted").length;
      return h(doc, "tr", { class: item.status === "crashed" ? "is-down" : null }, rowHead(ctx, frame.nodes.get(item.id), frame), h(doc, "td", {}, ballotMark(doc, item.ballot)),
        h(doc, "td", {}, item.phase),
        h(doc, "td", {}, item.phase === "prepare" || item.phase === "accept" ? meter(doc, { pips: item.pips.map(({ state }) => state), count, need, of: item.pips.length, word: "quorum" }) : ""),
        h(doc, "td", {}, item.value !== null && mono(doc, valueText(item.value)),
          item.value !== null && item.wish !== null && valueText(item.wish) !== valueText(item.value) && h(doc, "small", { class: "ds-bound" }, "not its own ", mono(doc, valueText(item.wish))),
          item.bound && h(doc, "small", { class: "ds-bound" }, "must take ", ballotMark(doc, item.bound.ballot), " ", mono(doc, valueText(item.bound.value)), ` from ${item.bound.from}`)));
    }), null, "ds-proposers");
  }

  function pipKey() {
    return h(doc, "p", { class: "ds-log-key", "aria-hidden": "true" }, ["accepted", "promised", "open", "closed"].map((state) => h(doc, "span", {}, h(doc, "i", { class: `ds-vote is-${state}` }), PIP_WORDS[state])));
  }

  function slotTable({ rows, columns, need, n }, frame) {
    const shown = columns.slice(-MOST_SLOTS);
    const hidden = columns.length - shown.length;
    return insetTable(doc, `Slots${hidden ? `, ${hidden} earlier not shown` : ""}`, ["node", "ballot", ...shown.map(({ number }) => h(doc, "th", { scope: "col" }, unseen(doc, "slot "), String(number)))],
      rows.map((row) => h(doc, "tr", { class: row.status === "crashed" ? "is-down" : null }, rowHead(ctx, frame.nodes.get(row.id), frame), h(doc, "td", {}, ballotMark(doc, row.ballot)),
        shown.map(({ number }) => h(doc, "td", {}, slotCell(row.slots.get(number)))))),
      shown.length > 0 && h(doc, "tr", {}, h(doc, "th", { scope: "row", colspan: 2 }, "held alike by"), shown.map(({ count, chosen }) => h(doc, "td", {}, count >= need ? h(doc, "b", {}, `${count} of ${n}`, unseen(doc, ", a quorum")) : `${count} of ${n}`,
        chosen.length > 1 && h(doc, "b", { class: "ds-wrong" }, " conflict")))), "ds-slots");
  }

  function slotCell(slot) {
    if (!slot) return "";
    const words = [slot.ballot && `, ballot ${slot.ballot.text}`, slot.chosen ? ", chosen" : ", not chosen", slot.conflicting && ", in conflict"].filter(Boolean).join("");
    return h(doc, "span", { class: `ds-entry ds-slot-entry ${slot.chosen ? "ds-committed" : "ds-uncommitted"}${slot.conflicting ? " ds-conflicting" : ""}` },
      slot.ballot && h(doc, "span", { class: `ds-entry-term ${termClass(slot.ballot.counter)}`, "aria-hidden": "true" }, String(slot.ballot.counter)),
      h(doc, "span", { class: "ds-entry-load" }, h(doc, "span", {}, slot.text)), unseen(doc, words));
  }

  return insetView(ctx, "ds-ballots", read, draw);
}

// ---- PBFT ---------------------------------------------------------------------------------------------------------

/** Replicas by phase for one sequence number, with conflicting digests in halves of their own. */
export function createPhasesView(ctx) {
  const { doc, store, spec } = ctx;
  let wanted = null;                     // null follows the newest
  const strip = h(doc, "div", { class: "ds-strip", role: "group", "aria-label": "Sequence number" });
  const view = insetView(ctx, "ds-phases", (frame) => phaseModel(frame, spec, wanted), draw);
  view.el.prepend(strip);
  strip.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const all = [...strip.querySelectorAll("[data-slot]")];
    const at = all.indexOf(event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = all[Math.max(0, Math.min(all.length - 1, at + step))];
    choose(Number(next.dataset.slot), next === all.at(-1));
  });

  function choose(number, newest) {
    wanted = newest ? null : number;
    view.redraw();
    strip.querySelector("[aria-pressed=true]")?.focus();
    ctx.say(`Sequence number ${number}.`);
  }

  function draw(model, frame) {
    drawStrip(model);
    if (model.number === null) return [[table(model, frame)], [h(doc, "span", { class: "ds-quiet" }, "No request has been given a sequence number yet.")]];
    return [[table(model, frame), digestKey(model)], sentence(model)];
  }

  function drawStrip({ sequences, number, rows }) {
    const focused = strip.contains(strip.getRootNode().activeElement);
    const at = sequences.findIndex((item) => item.number === number);
    const most = STRIP[store.layout] ?? STRIP.wide;
    const first = Math.max(0, Math.min(sequences.length - most, at - Math.floor(most / 2)));
    const shown = sequences.slice(first, first + most);
    const marks = marksText(rows);
    strip.replaceChildren(...shown.map((item) => h(doc, "button", {
      class: `ds-seq is-rank${item.rank}`, type: "button", "data-slot": item.number, "aria-pressed": String(item.number === number), tabindex: item.number === number ? 0 : -1,
      "aria-label": `sequence number ${item.number}, ${SLOT_STATES[item.rank] || "begun"} at ${item.by}`, onclick: () => choose(item.number, item === sequences.at(-1)),
    }, String(item.number), item.rank === 4 && ctx.icon("check"))), marks && h(doc, "span", { class: "ds-quiet" }, marks));
    if (focused) strip.querySelector("[aria-pressed=true]")?.focus({ preventScroll: true });
  }

  function marksText(rows) {
    const known = rows.filter(({ low, status }) => low !== null && status !== "crashed");
    if (!known.length) return "";
    const range = (values) => (Math.min(...values) === Math.max(...values) ? String(values[0]) : `${Math.min(...values)}–${Math.max(...values)}`);
    const highs = known.map(({ high }) => high).filter((high) => high !== null);
    return `checkpoint ${range(known.map(({ low }) => low))}${highs.length ? `, high mark ${range(highs)}` : ""}`;
  }

  function table(model, frame) {
    return insetTable(doc, model.number === null ? "Replicas" : `Sequence number ${model.number}: ${model.n} replicas, ${model.faulty} may be faulty, ${model.need} make a quorum`,
      ["replica", "pre-prepare", "prepare", "commit", "executed"],
      model.rows.map((row) => h(doc, "tr", { class: row.status === "crashed" ? "is-down" : null },
        rowHead(ctx, frame.nodes.get(row.id), frame, row.primary ? "primary" : row.traitor ? "traitor" : ""),
        h(doc, "td", {}, row.digest && h(doc, "span", { class: "ds-digest" }, h(doc, "i", { class: `ds-sg is-granted is-look${row.digest.look}`, "aria-hidden": "true" }), row.digest.letter)),
        h(doc, "td", {}, halves(row.prepares, model)), h(doc, "td", {}, halves(row.commits, model)),
        h(doc, "td", {}, row.rank === 4 ? [ctx.icon("check"), unseen(doc, "executed")] : ""))));
  }

  function halves(sides, model) {
    const split = model.digests.length > 1;
    return h(doc, "div", { class: split ? "ds-halves is-split" : "ds-halves" }, sides.map((side) => h(doc, "span", {}, split && h(doc, "b", {}, side.letter),
      meter(doc, { pips: model.rows.map(({ id }) => (side.voters.includes(id) ? "granted" : "pending")), count: side.count, need: model.need, of: model.need, look: side.look }))));
  }

  function digestKey({ digests }) {
    return h(doc, "p", { class: "ds-log-key" }, digests.map(({ digest, letter, look }) => h(doc, "span", {}, h(doc, "i", { class: `ds-sg is-granted is-look${look}`, "aria-hidden": "true" }), `${letter}: `, mono(doc, digest))));
  }

  function sentence({ digests, rows, need, faulty, number }) {
    const split = digests.length > 1;
    const done = digests.map(({ digest, letter }) => [letter, rows.filter((row) => row.digest?.digest === digest && row.rank >= 3)]).filter(([, ids]) => ids.length);
    if (done.length > 1) return [h(doc, "b", { class: "ds-wrong" }, `Two digests committed for number ${number}: ${done.map(([letter, at]) => `${letter} at ${at.map(({ id }) => id).join(", ")}`).join("; ")}.`)];
    if (split) return [`The replicas were told different things: ${digests.map(({ letter }) => letter).join(" and ")}. ${need} must agree on one; while at most ${faulty} ${faulty === 1 ? "is" : "are"} faulty, any two groups of ${need} share a correct replica.`];
    return [];
  }

  return view;
}
