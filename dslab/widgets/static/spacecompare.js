// Two branches beside each other: what they share, what only one has, and which event stands for which. No drawing.
import { clockText, listText, valueText } from "./format.js";
import { laneOf } from "./trace.js";
import { eventWords } from "./events.js";

const sameValue = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);

function equalEvents(one, two, i) {
  return one.time(i) === two.time(i) && one.kind(i) === two.kind(i) && one.node(i) === two.node(i) && one.message(i) === two.message(i)
    && sameValue(one.detail(i), two.detail(i)) && sameValue(one.patch(i), two.patch(i));
}

/** How many events two runs have in common from the start. */
export function commonEvents(one, two) {
  const most = Math.min(one.n, two.n);
  let i = 0;
  while (i < most && equalEvents(one, two, i)) i++;
  return i;
}

// What an event is, whenever it happens: where, of what kind, about which message with which fields.
function identityOf(trace, i) {
  const k = trace.message(i);
  const { messages } = trace;
  const about = k === null ? trace.detail(i) : [messages.type(k), messages.from(k), messages.to(k), messages.payload(k)];
  return JSON.stringify([trace.kind(i), trace.node(i), about]);
}

/**
 * {prefix, partner, onlyMine, onlyOther}: how many events are shared, which later event of this run is which of the other (the
 * first of its kind is the first there, and so on), and the events on lanes that have no partner.
 */
export function branchDiff(mine, other) {
  const prefix = commonEvents(mine, other);
  const waiting = new Map();
  for (let i = prefix; i < other.n; i++) {
    const name = identityOf(other, i);
    if (!waiting.has(name)) waiting.set(name, []);
    waiting.get(name).push(i);
  }
  const taken = new Map();
  const partner = new Map();
  const onlyMine = new Set();
  for (let i = prefix; i < mine.n; i++) {
    const name = identityOf(mine, i);
    const next = taken.get(name) ?? 0;
    const found = waiting.get(name)?.[next];
    taken.set(name, next + 1);
    if (found !== undefined) partner.set(i, found);
    else if (laneOf(mine.events, i) !== null) onlyMine.add(i);
  }
  const matched = new Set(partner.values());
  const onlyOther = new Set();
  for (let i = prefix; i < other.n; i++) if (!matched.has(i) && laneOf(other.events, i) !== null) onlyOther.add(i);
  return { prefix, partner, onlyMine, onlyOther };
}

/** The other run's event that stands for `event`: itself in the shared part, else the latest partner up to there. */
export function linkedEvent({ prefix, partner }, event) {
  if (event < prefix) return event;
  for (let i = event; i >= prefix; i--) if (partner.has(i)) return partner.get(i);
  return prefix - 1;
}

/** The first divergence in words: {title, text}. */
export function diffWords(mine, other, { prefix }, id, otherId) {
  if (prefix >= mine.n && prefix >= other.n) return { title: "The branches are equal so far.", text: "" };
  const tell = (trace, name) => (prefix < trace.n ? `in ${name}, ${eventWords(trace, prefix).replace(/^In branch \w+, /, "")} at ${clockText(trace.time(prefix))} s` : `${name} has no further event`);
  const text = `${tell(mine, id)}; ${tell(other, otherId)}.`;
  return { title: `Branches differ from event ${prefix}.`, text: text[0].toUpperCase() + text.slice(1) };
}

const TOLD_FIELDS = ["role", "term", "view", "ballot", "leader", "commit_index", "chosen", "value"];

/** How the two states differ now, in a line. */
export function stateDiff(frame, otherFrame, id, otherId) {
  const said = [];
  for (const [node, mine] of frame.nodes) {
    const theirs = otherFrame.nodes.get(node);
    if (mine.status !== theirs.status) {
      said.push(`${node} is ${mine.status} in ${id}, ${theirs.status} in ${otherId}`);
      continue;
    }
    const fields = TOLD_FIELDS.filter((name) => name in mine.fields && !sameValue(mine.fields[name], theirs.fields[name]));
    if (fields.length) said.push(`${node} has ${fields.map((name) => `${name.replace(/_/g, " ")} ${valueText(mine.fields[name])} in ${id}, ${valueText(theirs.fields[name])} in ${otherId}`)[0]}`);
  }
  return said.length ? `Now ${listText(said.slice(0, 3))}${said.length > 3 ? `, and ${said.length - 3} more nodes differ` : ""}.` : "Every node is in the same state in both now.";
}
