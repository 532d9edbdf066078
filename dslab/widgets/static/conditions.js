// Conditions on a run, as text: any(role == "leader") and n2.term > 3. Read by a small grammar and never evaluated as code.
//
//   condition = and-chain { "or" and-chain } ; and-chain = term { "and" term } ; term = "not" term | comparison
//   comparison = value [ ("==" | "!=" | ">=" | "<=" | ">" | "<" | "in") value ]
//   value = number | text | list | true | false | none | "(" condition ")" | call | node "." field | field (inside any, all, count)
// A field that is not there compares with nothing: every comparison with it is false.

import { valueText } from "./format.js";

const LONGEST = 300;
const DEEPEST = 40;
const TOKENS = /\s*(?:(\d+(?:\.\d+)?)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([\p{L}_][\p{L}\p{N}_]*)|(==|!=|>=|<=|&&|\|\||[=≠≥≤><!().,[\]-]))/uy;
const SAME = { "=": "==", "≠": "!=", "≥": ">=", "≤": "<=", "&&": "and", "||": "or", "!": "not" };
const COMPARISONS = new Set(["==", "!=", ">=", "<=", ">", "<", "in"]);
const WORDS = new Map([["true", true], ["True", true], ["false", false], ["False", false], ["none", null], ["None", null], ["null", null]]);
const QUANTIFIERS = new Set(["any", "all", "count"]);
const EVENT_CALLS = new Map([["sent", null], ["delivered", "deliver"], ["dropped", "drop"]]);
const STATUS_KINDS = new Set(["start", "crash", "restart", "absent", "join", "leave", "pause", "resume", "turn_traitor", "turn_loyal"]);

/** What is wrong with the text of a condition. */
export class ConditionError extends Error {}

/**
 * Reads a condition for a system. Returns {test(env), everyEvent}: `env` is {trace, branch, frame, event}; where
 * `everyEvent` is false only events that change a node can change the answer. Throws a ConditionError.
 */
export function readCondition(text, spec) {
  const source = String(text ?? "").trim();
  if (!source) throw new ConditionError('Write a condition, such as any(role == "leader").');
  if (source.length > LONGEST) throw new ConditionError(`A condition has at most ${LONGEST} characters.`);
  const tokens = tokensOf(source);
  const nodes = [...(spec.servers ?? []), ...(spec.clients ?? [])];
  let at = 0;
  let depth = 0;
  let everyEvent = false;

  const peek = () => tokens[at];
  const is = (sign) => peek().sign === sign;
  const fail = (expected) => {
    throw new ConditionError(peek().end ? `The condition ends too early: ${expected} is missing.` : `At character ${peek().at + 1}, “${peek().text}”: expected ${expected}.`);
  };
  const take = (sign) => {
    if (!is(sign)) fail(`“${sign}”`);
    at += 1;
  };
  const deeper = (read) => {
    depth += 1;
    if (depth > DEEPEST) throw new ConditionError(`A condition nests at most ${DEEPEST} deep.`);
    const made = read();
    depth -= 1;
    return made;
  };

  function either(scoped) {
    return deeper(() => chain("or", () => chain("and", () => term(scoped))));
  }

  function chain(word, read) {
    const parts = [read()];
    while (is(word)) {
      at += 1;
      parts.push(read());
    }
    if (parts.length === 1) return parts[0];
    return word === "or" ? (env) => parts.some((part) => truth(part(env))) : (env) => parts.every((part) => truth(part(env)));
  }

  function term(scoped) {
    if (!is("not")) return comparison(scoped);
    at += 1;
    const part = deeper(() => term(scoped));
    return (env) => !truth(part(env));
  }

  function comparison(scoped) {
    const left = value(scoped);
    if (!COMPARISONS.has(peek().sign)) return left;
    const { sign } = tokens[at++];
    const right = value(scoped);
    if (COMPARISONS.has(peek().sign)) fail("“and” or “or” between two comparisons");
    return (env) => compare(sign, left(env), right(env));
  }

  function value(scoped) {
    const token = peek();
    if (token.value !== undefined) return constant(token);
    if (is("-") && typeof tokens[at + 1].value === "number") {
      at += 1;
      return constant({ value: -peek().value });
    }
    if (is("(")) {
      at += 1;
      const inner = either(scoped);
      take(")");
      return inner;
    }
    if (is("[")) return list(scoped);
    if (token.name === undefined) return fail("a value");
    at += 1;
    if (WORDS.has(token.name)) return () => WORDS.get(token.name);
    if (is("(")) return call(token, scoped);
    return steps(named(token, scoped), scoped);
  }

  function constant({ value: known }) {
    at += 1;
    return () => known;
  }

  function list(scoped) {
    const items = several("[", "]", () => deeper(() => value(scoped)));
    return (env) => items.map((item) => item(env));
  }

  function several(open, close, read) {
    const items = [];
    take(open);
    while (!is(close)) {
      if (items.length) take(",");
      items.push(read());
    }
    take(close);
    return items;
  }

  function named(token, scoped) {
    const { name } = token;
    if (nodes.includes(name)) {
      if (!is(".")) fail(`a field, such as ${name}.${spec.fields?.[name]?.[0] ?? "status"}`);
      at += 1;
      const field = peek().name;
      if (field === undefined) fail("the name of a field");
      at += 1;
      return (env) => fieldOf(env.frame.nodes.get(name), field);
    }
    if (scoped) return (env) => fieldOf(env.node, name);
    if (name === "time" || name === "kind") {
      everyEvent = true;
      return name === "time" ? (env) => env.trace.time(env.event) / 1000 : (env) => env.trace.kind(env.event);
    }
    throw new ConditionError(is(".") ? `There is no node ${name}; there are ${nodes.slice(0, 12).join(", ")}${nodes.length > 12 ? " and more" : ""}.`
      : `Whose ${name}? Write any(${name} == …) or ${nodes[0] ?? "n1"}.${name}.`);
  }

  // Parts of a value: .term of an entry, [0] of a list, ["n2"] of a record.
  function steps(start, scoped) {
    let read = start;
    while (is(".") || is("[")) {
      const before = read;
      let key;
      if (is(".")) {
        at += 1;
        const { name } = peek();
        if (name === undefined) fail("the name of a part");
        at += 1;
        key = () => name;
      } else {
        at += 1;
        key = deeper(() => value(scoped));
        take("]");
      }
      read = (env) => partOf(before(env), key(env));
    }
    return read;
  }

  function call({ name, at: from }, scoped) {
    if (QUANTIFIERS.has(name)) {
      take("(");
      const inner = either(true);
      take(")");
      return (env) => quantify(name, spec.servers.map((id) => env.frame.nodes.get(id)).filter((node) => node.status !== "crashed"), (node) => truth(inner({ ...env, node })));
    }
    const given = several("(", ")", () => deeper(() => value(scoped)));
    if (name === "len" && given.length === 1) return (env) => sizeOf(given[0](env));
    if (name === "violated" || name === "reached") {
      everyEvent = true;
      return (env) => hasVerdict(env, name, given.map((item) => item(env)));
    }
    if (EVENT_CALLS.has(name) && given.length <= 3) {
      everyEvent = true;
      return (env) => messagesAt(env, EVENT_CALLS.get(name)).some((k) => matches(env.trace.messages, k, given.map((item) => item(env))));
    }
    throw new ConditionError(`At character ${from + 1}: “${name}(…)” with ${given.length} values is unknown; there are any, all, count, len, sent, delivered, dropped, violated and reached.`);
  }

  const test = either(false);
  if (!peek().end) fail("“and”, “or” or the end");
  return { test: (env) => truth(test(env)), everyEvent };
}

function tokensOf(source) {
  const tokens = [];
  TOKENS.lastIndex = 0;
  for (let at = 0; at < source.length;) {
    TOKENS.lastIndex = at;
    const match = TOKENS.exec(source);
    const wrong = at + source.slice(at).search(/\S/);
    if (!match) throw new ConditionError(`At character ${wrong + 1}, “${source[wrong]}”: a condition is made of fields, numbers, "texts", comparisons, and, or, not.`);
    const [whole, number, quoted, name, sign] = match;
    const text = whole.trim();
    const word = SAME[sign ?? name] ?? sign ?? name;
    const token = { at: at + whole.length - text.length, text };
    if (number !== undefined) token.value = Number(number);
    else if (quoted !== undefined) token.value = quoted.slice(1, -1).replace(/\\(.)/g, "$1");
    else if (sign !== undefined || ["and", "or", "not", "in"].includes(word)) token.sign = word;
    else token.name = name;
    tokens.push(token);
    at = TOKENS.lastIndex;
  }
  return [...tokens, { end: true, at: source.length, text: "" }];
}

// ---- values: plain data of the trace, looked at through own properties only ------------------------------------------

function fieldOf(node, field) {
  if (field === "status") return node?.status;
  if (field === "id") return node?.id;
  return !node || node.status === "crashed" ? undefined : partOf(node.fields, field);
}

function partOf(value, key) {
  if (Array.isArray(value) && Number.isInteger(key)) return value.at(key);
  return value !== null && typeof value === "object" && !Array.isArray(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function sizeOf(value) {
  if (Array.isArray(value) || typeof value === "string") return value.length;
  return value !== null && typeof value === "object" ? Object.keys(value).filter((name) => name !== "@").length : undefined;
}

const truth = (value) => Boolean(Array.isArray(value) ? value.length : value);

function compare(sign, a, b) {
  if (a === undefined || b === undefined) return false;
  if (sign === "==" || sign === "!=") return same(a, b) === (sign === "==");
  if (sign === "in") return Array.isArray(b) ? b.some((item) => same(item, a)) : typeof b === "string" ? typeof a === "string" && b.includes(a) : partOf(b, a) !== undefined;
  const way = orderOf(a, b);
  return way !== null && { ">=": way >= 0, "<=": way <= 0, ">": way > 0, "<": way < 0 }[sign];
}

function same(a, b) {
  return a === b || (typeof a === "object" && typeof b === "object" && JSON.stringify(a) === JSON.stringify(b));
}

// Numbers, texts, and lists item by item, such as ballots; null where there is no order.
function orderOf(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const way = orderOf(a[i], b[i]);
      if (way !== 0) return way;
    }
    return a.length - b.length;
  }
  if (typeof a !== typeof b || !["number", "string"].includes(typeof a)) return null;
  return a < b ? -1 : Number(a > b);
}

function quantify(name, nodes, holds) {
  if (name === "count") return nodes.filter(holds).length;
  return name === "any" ? nodes.some(holds) : nodes.length > 0 && nodes.every(holds);
}

function hasVerdict({ branch, event }, status, names) {
  return (branch?.verdicts ?? []).some((verdict) => verdict.status === status && verdict.event !== null && verdict.event <= event
    && (!names.length || names.includes(verdict.name)));
}

const sentBy = new WeakMap();

function messagesAt({ trace, event }, kind) {
  if (kind) return trace.kind(event) === kind && trace.message(event) !== null ? [trace.message(event)] : [];
  if (!sentBy.has(trace)) {
    const found = new Map();
    for (let k = 0; k < trace.messages.count; k++) {
      const at = trace.messages.sentEvent(k);
      found.set(at, [...(found.get(at) ?? []), k]);
    }
    sentBy.set(trace, found);
  }
  return sentBy.get(trace).get(event) ?? [];
}

function matches(messages, k, [type, from, to]) {
  const wanted = (given, value) => given === undefined || given === null || given === value;
  return wanted(type, messages.type(k)) && wanted(from, messages.from(k)) && wanted(to, messages.to(k));
}

/** First event after `from` at which a condition becomes true; -1 if there is none in this run. */
export function findUntil(trace, branch, from, { test, everyEvent }) {
  const at = (event) => test({ trace, branch, event, frame: trace.frameAt(event) });
  let before = from >= 0 && at(from);
  for (let i = from + 1; i < trace.n; i++) {
    if (!everyEvent && !trace.patch(i).length && !STATUS_KINDS.has(trace.kind(i))) continue;
    const now = at(i);
    if (now && !before) return i;
    before = now;
  }
  return -1;
}

// ---- menus: each choice is the text of a condition, so that choosing teaches typing ----------------------------------

/** A value typed into a menu's field, as it stands in a condition. */
export function literalText(value) {
  const text = String(value).trim();
  if (/^-?\d+(\.\d+)?$/.test(text) || WORDS.has(text)) return text;
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/** The text of a condition chosen from menus. */
export function conditionText({ what, node, field, op, value, when, type, from, to, property }) {
  if (what === "message") {
    const given = [type, from, to].map((item) => (item && item !== "any" ? literalText(item) : "none"));
    while (given.at(-1) === "none") given.pop();
    return `${when}(${given.join(", ")})`;
  }
  if (what === "property") return `violated(${property ? literalText(property) : ""})`;
  return node === "any" ? `any(${field} ${op} ${literalText(value)})` : `${node}.${field} ${op} ${literalText(value)}`;
}

/** A condition and its first event, for a notice. */
export function notFoundText(text, endUs) {
  return `Up to ${valueText(Math.round(endUs / 1000) / 1000)} s the run never reaches: ${text}`;
}
