// What the protocol insets show, as plain records: ballots, slots and phases. No drawing here.
//
// Nothing is known of a protocol but the names of the fields that its nodes show, so a student's own class gets the same
// pictures as ours.

import { valueText } from "./format.js";
import { ballotOf, quorumOf } from "./glyphs.js";
import { isMap } from "./causes.js";
import { entryText } from "./entries.js";

const ACCEPTS = ["promised", "accepted_ballot"];
const PROPOSES = ["phase", "promises", "accepts"];
const ACCEPTED_FIELDS = ["accepted_ballot", "accepted_value"];
const BALLOT_FIELDS = ["ballot", "promised", ...ACCEPTED_FIELDS];
const DIGITS = /^\d+$/;

const shows = (spec, id, names) => names.some((name) => (spec.fields?.[id] ?? []).includes(name));
const serversWith = (spec, names) => (spec.servers ?? []).filter((id) => shows(spec, id, names));

/** The insets that a system has something for. */
export function insetsOf(spec) {
  const slots = serversWith(spec, ["slots"]);
  const views = slots.some((id) => shows(spec, id, ["view"]));
  return [
    (serversWith(spec, ACCEPTS).length > 0 || (slots.length > 0 && !views)) && "ballots",
    views && "phases",
  ].filter(Boolean);
}

// ---- ballots ------------------------------------------------------------------------------------------------------

/** Lower ballots first: by number, then by proposer as text, like Python's tuples. */
export function ballotOrder(a, b) {
  return a.counter - b.counter || (a.by < b.by ? -1 : Number(a.by > b.by));
}

const knownHistories = new WeakMap();

/**
 * Every ballot that was begun or accepted in a run, in order of events: [{event, node, ballot, value}], `value`
 * undefined where nothing was accepted. What was accepted once counts for ever, also when it is overwritten later.
 */
export function ballotHistory(trace) {
  if (knownHistories.has(trace)) return knownHistories.get(trace);
  const found = [];
  for (let i = 0; i < trace.n; i++) {
    const changed = (name) => trace.patch(i).some((change) => change[0] === name);
    if (!BALLOT_FIELDS.some(changed)) continue;
    const node = trace.node(i);
    const { fields } = trace.frameAt(i).nodes.get(node);
    for (const name of ["ballot", "promised"]) {
      const ballot = changed(name) && ballotOf(fields[name]);
      if (ballot) found.push({ event: i, node, ballot });
    }
    const ballot = ACCEPTED_FIELDS.some(changed) && ballotOf(fields.accepted_ballot);
    if (ballot) found.push({ event: i, node, ballot, value: fields.accepted_value ?? null });
  }
  knownHistories.set(trace, found);
  return found;
}

/** Acceptors, ballots and proposers at a frame, and what a majority has accepted in one ballot. */
export function ballotModel(trace, frame, spec) {
  const ids = serversWith(spec, ACCEPTS);
  const need = quorumOf(ids.length);
  const nodes = spec.servers.map((id) => frame.nodes.get(id));
  const ballots = new Map();
  const entered = (ballot) => ballots.get(ballot.key) ?? ballots.set(ballot.key, { ballot, values: new Map(), chosen: null }).get(ballot.key);
  for (const { event, node, ballot, value } of ballotHistory(trace)) {
    if (event > frame.event) break;
    const entry = entered(ballot);
    if (value === undefined || !ids.includes(node)) continue;
    const name = valueText(value);
    const voters = entry.values.get(name) ?? entry.values.set(name, []).get(name);
    if (!voters.includes(node)) voters.push(node);
    if (voters.length === need && !entry.chosen) entry.chosen = { value: name, event };
  }
  const acceptors = nodes.filter((node) => ids.includes(node.id)).map(({ id, status, fields }) => ({
    id, status, promised: ballotOf(fields.promised), accepted: ballotOf(fields.accepted_ballot),
    value: fields.accepted_value, learned: fields.chosen,
  }));
  const rows = [...ballots.values()].sort((a, b) => ballotOrder(a.ballot, b.ballot)).map((entry) => ballotRow(entry, acceptors, need));
  return {
    acceptors, need, ballots: rows, chosen: rows.filter((row) => row.chosen),
    proposers: nodes.filter(({ id }) => shows(spec, id, PROPOSES)).map((node) => proposerRow(node, ids)).filter(({ ballot }) => ballot),
    learners: nodes.filter(({ fields }) => fields.chosen !== undefined && fields.chosen !== null)
      .map(({ id, fields }) => ({ id, value: valueText(fields.chosen) })),
  };
}

// One ballot over all acceptors: who accepted, who still may, and who has promised a later one and cannot any more.
function ballotRow({ ballot, values, chosen }, acceptors, need) {
  const [value, voters] = [...values].reduce((most, item) => (item[1].length > most[1].length ? item : most), [null, []]);
  const marks = acceptors.map(({ id, promised }) => {
    const accepted = [...values.values()].some((ids) => ids.includes(id));
    const way = promised ? ballotOrder(promised, ballot) : -1;
    return { id, state: accepted ? "accepted" : way > 0 ? "closed" : way === 0 ? "promised" : "open" };
  });
  const closed = marks.filter(({ state }) => state === "closed").length;
  return { ballot, value, values: [...values.keys()], count: voters.length, marks, chosen, dead: !chosen && acceptors.length - closed < need };
}

function proposerRow({ id, status, fields }, acceptors) {
  const promises = isMap(fields.promises) ? Object.entries(fields.promises) : [].concat(fields.promises ?? []).map((from) => [from, null]);
  const earlier = promises.map(([from, told]) => ({ from, ballot: ballotOf(told?.[0]), value: told?.[1] })).filter(({ ballot }) => ballot);
  const bound = fields.phase === "prepare" ? earlier.sort((a, b) => ballotOrder(b.ballot, a.ballot))[0] ?? null : null;
  const accepts = isMap(fields.accepts) ? Object.keys(fields.accepts) : [].concat(fields.accepts ?? []);
  const answered = fields.phase === "accept" ? accepts : promises.map(([from]) => from);
  return {
    id, status, ballot: ballotOf(fields.ballot), phase: String(fields.phase ?? ""), bound,
    value: fields.value ?? null, wish: fields.wish ?? null,
    pips: acceptors.map((voter) => ({ id: voter, state: answered.includes(voter) ? "granted" : "pending" })),
  };
}

/** What can be said about the ballots in one sentence. */
export function ballotSentence({ ballots, chosen, need, acceptors, learners }) {
  const values = [...new Set(chosen.map((row) => row.chosen.value))];
  const told = [...new Set(learners.map(({ value }) => value))];
  if (values.length > 1) return { wrong: true, text: `Two values were chosen: \`${values.join("` and `")}\`.` };
  if (told.length > 1) return { wrong: true, text: `Learners disagree: ${learners.map(({ id, value }) => `${id} holds \`${value}\``).join(", ")}.` };
  if (values.length) {
    const first = chosen.reduce((a, b) => (b.chosen.event < a.chosen.event ? b : a));
    return { event: first.chosen.event, text: `\`${values[0]}\` is chosen: ${first.count} of ${acceptors.length} accepted it in ballot ${first.ballot.text}.` };
  }
  const best = ballots.reduce((most, row) => (row.count > (most?.count ?? 0) ? row : most), null);
  return { text: best ? `Nothing is chosen yet: at most ${best.count} of ${acceptors.length} accepted one ballot, ${need} must.` : `Nothing is chosen yet: ${need} of ${acceptors.length} must accept one ballot.` };
}

// ---- slots of Multi-Paxos -------------------------------------------------------------------------------------------

const slotNumbers = (slots) => Object.keys(isMap(slots) ? slots : {}).filter((name) => DIGITS.test(name)).map(Number);

/** Every node's slots at a frame; per slot how many hold the same ballot and value, and whether chosen values differ. */
export function slotModel(frame, spec) {
  const ids = serversWith(spec, ["slots"]);
  const rows = ids.map((id) => frame.nodes.get(id)).map(({ id, status, fields }) => ({
    id, status, ballot: ballotOf(fields.ballot), slots: new Map(slotNumbers(fields.slots).map((number) => [number, slotOf(fields.slots[number])])),
  }));
  const numbers = [...new Set(rows.flatMap((row) => [...row.slots.keys()]))].sort((a, b) => a - b);
  const columns = numbers.map((number) => {
    const held = rows.map((row) => row.slots.get(number)).filter(Boolean);
    const tallies = new Map();
    for (const slot of held) tallies.set(`${slot.ballot?.key} ${slot.value}`, (tallies.get(`${slot.ballot?.key} ${slot.value}`) ?? 0) + 1);
    const chosen = [...new Set(held.filter((slot) => slot.chosen).map((slot) => slot.value))];
    return { number, count: Math.max(...tallies.values()), chosen };
  });
  for (const row of rows) {
    for (const [number, slot] of row.slots) {
      const { chosen } = columns.find((column) => column.number === number);
      slot.conflicting = chosen.length > 1 || (chosen.length === 1 && chosen[0] !== slot.value);
    }
  }
  return { rows, columns, need: quorumOf(ids.length), n: ids.length };
}

function slotOf(slot) {
  return { ballot: ballotOf(slot?.ballot), value: valueText(slot?.value), text: entryText(slot?.value), chosen: Boolean(slot?.chosen) };
}

// ---- phases of PBFT -------------------------------------------------------------------------------------------------

/** How far a request is at a replica; the position is its rank. */
export const SLOT_STATES = ["", "pre-prepared", "prepared", "committed", "executed"];

/** Every replica's phases for one sequence number (the newest where `wanted` is null). */
export function phaseModel(frame, spec, wanted = null) {
  const ids = serversWith(spec, ["slots"]);
  const n = ids.length;
  const faulty = Math.max(0, Math.floor((n - 1) / 3));
  const nodes = ids.map((id) => frame.nodes.get(id));
  const states = new Map();
  for (const { fields } of nodes) {
    for (const number of slotNumbers(fields.slots)) {
      const rank = stateRank(fields.slots[number]);
      const known = states.get(number) ?? { number, rank: 0, by: 0 };
      states.set(number, rank > known.rank ? { number, rank, by: 1 } : { ...known, by: known.by + Number(rank === known.rank) });
    }
  }
  const sequences = [...states.values()].sort((a, b) => a.number - b.number);
  const number = states.has(wanted) ? wanted : sequences.at(-1)?.number ?? null;
  const digests = digestsOf(nodes, number);
  const rows = nodes.map((node) => phaseRow(node, number, digests, ids));
  // 2f+1 where n is 3f+1; in general so many that any two quorums share a correct replica.
  return { n, faulty, need: Math.ceil((n + faulty + 1) / 2), sequences, number, digests, rows };
}

function stateRank(slot) {
  return Math.max(0, SLOT_STATES.indexOf(slot?.state ?? ""));
}

// In the order in which the replicas name them, each with a letter: the first is drawn solid, others patterned.
function digestsOf(nodes, number) {
  const found = new Set();
  for (const { fields } of nodes) if (fields.slots?.[number]?.digest != null) found.add(valueText(fields.slots[number].digest));
  for (const { fields } of nodes) {
    const slot = fields.slots?.[number];
    for (const digest of [...Object.values(slot?.prepares ?? {}), ...Object.values(slot?.commits ?? {})]) if (digest != null) found.add(valueText(digest));
  }
  return [...found].map((digest, i) => ({ digest, letter: String.fromCharCode(65 + i), look: Math.min(i, 2) }));
}

function phaseRow({ id, status, treason, fields }, number, digests, ids) {
  const slot = number === null ? undefined : fields.slots?.[number];
  const primary = primaryOf(fields, ids);
  const own = slot?.digest == null ? null : valueText(slot.digest);
  const sides = (votes, extra) => digests.map(({ digest, letter, look }) => {
    const voters = ids.filter((voter) => (votes?.[voter] != null && valueText(votes[voter]) === digest) || (extra === voter && own === digest));
    return { digest, letter, look, voters, count: voters.length };
  }).filter((side) => side.count > 0);
  return {
    id, status, traitor: Boolean(treason), view: Number.isInteger(fields.view) ? fields.view : null, primary: primary === id,
    low: fields.low_mark ?? null, high: fields.high_mark ?? null,
    digest: digests.find(({ digest }) => digest === own) ?? null,
    rank: stateRank(slot), state: SLOT_STATES[stateRank(slot)],
    // The primary's pre-prepare stands for its prepare.
    prepares: sides(slot?.prepares, primary), commits: sides(slot?.commits, null),
  };
}

function primaryOf(fields, ids) {
  if (ids.includes(fields.primary)) return fields.primary;
  return Number.isInteger(fields.view) && fields.primary === undefined ? ids[fields.view % ids.length] : null;
}
