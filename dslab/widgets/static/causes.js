// Why something happened and what it led to; what a message or a field changed. No drawing here.
import { valueText } from "./format.js";
import { eventWords } from "./events.js";
import { entryText } from "./entries.js";

const ROOT_KINDS = new Set(["invoke", "request", "timer", "timeout", "start", "restart", "join", "leave"]);
const LONGEST_CHAIN = 40;

/** Causes of an event, itself first, back to the client request or the timeout that began it. */
export function causeChain(trace, event) {
  const chain = [];
  for (let i = event; i !== null && i !== undefined && i >= 0 && chain.length < LONGEST_CHAIN;) {
    chain.push(i);
    if (ROOT_KINDS.has(trace.kind(i))) break;
    const k = trace.message(i);
    i = trace.cause(i) ?? (k !== null && trace.messages.sentEvent(k) < i ? trace.messages.sentEvent(k) : null);
  }
  return chain;
}

/** What follows from an event: itself, then the first consequence of each. */
export function effectChain(trace, event, most = 6) {
  const chain = [];
  for (let i = event; i !== null && i !== undefined && chain.length < most;) {
    chain.push(i);
    i = consequences(trace).get(i)?.[0];
  }
  return chain;
}

const knownConsequences = new WeakMap();

function consequences(trace) {
  if (knownConsequences.has(trace)) return knownConsequences.get(trace);
  const found = new Map();
  for (let i = 0; i < trace.n; i++) {
    const cause = trace.cause(i);
    if (cause === null) continue;
    if (!found.has(cause)) found.set(cause, []);
    found.get(cause).push(i);
  }
  knownConsequences.set(trace, found);
  return found;
}

const EFFECTS = [
  ["role", (node, value) => `${node} becomes ${value}`],
  ["commit_index", (node, value) => `${node} commits up to index ${value}`],
  ["voted_for", (node, value) => (value === null ? null : `${node} votes for ${value}`)],
  ["term", (node, value) => `${node} moves to term ${value}`],
];

/** What an event did to its node, in words; what happened, where it changed nothing. */
export function effectWords(trace, i) {
  const node = trace.node(i);
  const patch = trace.patch(i).filter(([name]) => name[0] !== "@");
  const log = patch.find((change) => change[0] === "log" && change.length === 4);
  if (log) {
    const [, start, removed, items] = log;
    if (!items.length) return `${node}’s log is cut back to index ${start}`;
    return `${node}’s log ${removed ? "is rewritten" : "grows"} to index ${start + items.length}`;
  }
  for (const [field, words] of EFFECTS) {
    const change = patch.find(([name]) => name === field);
    const said = change && words(node, change[1]);
    if (said) return said;
  }
  const [first] = patch.filter((change) => change.length === 2);
  return first ? `${node}’s ${fieldName(first[0])} becomes ${fieldText(first[1])}` : eventWords(trace, i);
}

/** The message of the same type sent last on the same link, or -1. */
export function previousLike(trace, k) {
  const { messages } = trace;
  for (let j = k - 1; j >= 0; j--) {
    if (messages.type(j) === messages.type(k) && messages.from(j) === messages.from(k) && messages.to(j) === messages.to(k)) return j;
  }
  return -1;
}

/** [name, value, old value or undefined] for every field of a message. */
export function messageDiff(trace, k) {
  const { messages } = trace;
  const before = messages.payload(previousLike(trace, k)) ?? null;
  return Object.entries(messages.payload(k) ?? {}).filter(([name]) => name !== "@").map(([name, value]) => {
    const old = before?.[name];
    return [name, value, before && name in before && JSON.stringify(old) !== JSON.stringify(value) ? old : undefined];
  });
}

/** Values a field took up to `event`: [[us, value], ...]. */
export function fieldHistory(trace, id, field, event) {
  const points = [];
  for (let i = 0; i <= event && i < trace.n; i++) {
    if (trace.node(i) !== id) continue;
    for (const change of trace.patch(i)) if (change[0] === field && change.length === 2) points.push([trace.time(i), change[1]]);
  }
  return points;
}

/** A stepped line through the history in a box of 70 by 16. */
export function sparkPath(points, untilUs) {
  const values = points.map(([, value]) => value);
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const start = points[0][0];
  const x = (us) => (1 + (68 * (us - start)) / Math.max(1, untilUs - start)).toFixed(1);
  const y = (value) => (15 - (12 * (value - low)) / span).toFixed(1);
  return points.map(([us, value], i) => (i ? `H${x(us)}V${y(value)}` : `M${x(us)} ${y(value)}`)).join("") + "H69";
}

/** A record by key, not a message or a list. */
export const isMap = (value) => value !== null && typeof value === "object" && !Array.isArray(value) && !value["@"];

/** A field's name and value as words. */
export const fieldName = (name) => name.replace(/_/g, " ");

export function fieldText(value) {
  if (Array.isArray(value)) return value.length ? value.map(itemText).join(", ") : "none";
  if (isMap(value)) return Object.entries(value).map(([name, item]) => `${name} ${fieldText(item)}`).join("  ") || "none";
  return itemText(value);
}

export function itemText(item) {
  if (item && typeof item === "object" && item.term !== undefined) return `${item.term}: ${entryText(item)}`;
  return valueText(item);
}
