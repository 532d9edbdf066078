// What a ring of keys shows, as plain records: marks, arcs, lookups hop by hop with their reasons, keys that moved.
//
// Nothing is known of a protocol but the names of the fields that its nodes show. A field that is missing, stale or of
// another shape is taken as absent: a student's class is drawn as far as it goes, and nothing here throws.

const FIELDS = new Set(["position", "tokens", "bits", "metric", "predecessor", "successors", "fingers", "buckets", "keys", "lookups"]);
const GONE = new Set(["absent", "left", "gone"]);
const MEMBER_EVENTS = new Set(["join", "leave", "crash", "restart", "start"]);
const LOSSES = new Set(["crash", "leave"]);
const MOST_BITS = 512;
const SAFE_XOR_BITS = 31;
const NONE = [];

const isRecord = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const list = (value) => (Array.isArray(value) ? value : NONE);
const names = (value) => list(value).filter((item) => typeof item === "string");
const whole = (value) => (Number.isInteger(value) && value >= 0 ? value : null);
const name = (value) => (typeof value === "string" ? value : null);

/** Whether a system has a ring: some server shows how many bits a key has, and where on the ring it stands. */
export function hasRing(spec) {
  return (spec.servers ?? []).some((id) => {
    const shown = spec.fields?.[id] ?? NONE;
    return shown.includes("bits") && (shown.includes("position") || shown.includes("tokens"));
  });
}

/** How far from `from` to `to`: clockwise, or the exclusive or of both read as a number. */
export function distance(metric, from, to, bits) {
  if (metric === "xor") return bits <= SAFE_XOR_BITS ? (from ^ to) >>> 0 : Number(BigInt(from) ^ BigInt(to));
  const size = 2 ** bits;
  return (((to - from) % size) + size) % size;
}

/** A key as text: as it is while it is short, else its first digits in base 16. */
export function keyText(key, bits) {
  return bits <= 24 ? String(key) : `${BigInt(key).toString(16).padStart(Math.ceil(bits / 4), "0").slice(0, 6)}…`;
}

/** A distance as text: exact while it is short, else the power of two below it. */
export function distanceText(value) {
  return value < 1e6 ? String(value) : `2^${Math.floor(Math.log2(value))}`;
}

/** Length of the bar of a distance, 0 to 1, on a log scale: log2(d + 1) of m bits. */
export function barLength(value, bits) {
  return Math.min(1, Math.log2(value + 1) / bits);
}

// ---- one node -----------------------------------------------------------------------------------------------------

const read = new WeakMap();

/** What a node shows of a ring, from its fields; each part empty where it does not show it. */
export function dhtOf(fields) {
  if (!isRecord(fields)) return dhtOf(NO_FIELDS);
  if (read.has(fields)) return read.get(fields);
  const bits = Number.isInteger(fields.bits) && fields.bits > 0 && fields.bits <= MOST_BITS ? fields.bits : null;
  const size = bits === null ? 0 : 2 ** bits;
  const onRing = (value) => whole(value) !== null && value < size;
  const tokens = list(fields.tokens).filter(onRing);
  const found = {
    bits,
    metric: fields.metric === "xor" ? "xor" : "clockwise",
    positions: tokens.length ? tokens : onRing(fields.position) ? [fields.position] : NONE,
    predecessor: name(fields.predecessor),
    successors: names(fields.successors),
    alone: Array.isArray(fields.successors) && !names(fields.successors).length,
    fingers: list(fields.fingers).map((entry, i) => (Array.isArray(entry)
      ? { number: i + 1, start: whole(entry[0]), node: name(entry[1]) } : { number: i + 1, start: null, node: null })),
    buckets: Object.entries(isRecord(fields.buckets) ? fields.buckets : {}).map(([shared, nodes]) => ({ number: Number(shared), nodes: names(nodes) }))
      .filter(({ number }) => Number.isInteger(number)).sort((a, b) => a.number - b.number),
    keys: list(fields.keys).filter(onRing),
    lookups: Object.entries(isRecord(fields.lookups) ? fields.lookups : {}).map(([number, item]) => lookupIn(number, item, size)).filter(Boolean),
  };
  read.set(fields, found);
  return found;
}

const NO_FIELDS = {};

function lookupIn(number, item, size) {
  if (!isRecord(item) || whole(item.key) === null || item.key >= size) return null;
  return {
    number, key: item.key, path: names(item.path), asking: names(item.asking), owner: name(item.owner),
    state: item.state === "found" || item.state === "failed" ? item.state : "going",
  };
}

/** Every node that a node knows: [{name, words, numbers}], the same node once; fingers first, then buckets, then successors. */
export function contactsOf(dht, self) {
  const known = new Map();
  const add = (node, words, number) => {
    if (node === null || node === self) return;
    if (!known.has(node)) known.set(node, { name: node, words, numbers: [] });
    if (known.get(node).words === words) known.get(node).numbers.push(number);
  };
  for (const { number, node } of dht.fingers) add(node, "finger", number);
  for (const { number, nodes } of dht.buckets) for (const node of nodes) add(node, "bucket", number);
  dht.successors.forEach((node, i) => add(node, "successor", i + 1));
  return [...known.values()];
}

// ---- the ring at one moment ---------------------------------------------------------------------------------------

/**
 * The ring of a frame: `marks` in the order of their positions, [{id, position, state}], a node with several tokens
 * once for each; `live`, those that run; `arcs` one for each of these, [{id, from, position, part}], `part` of the whole
 * ring; `nodes`, what each shows; `rest`, servers without a place. Of `before`, an earlier model, what still holds is kept.
 */
export function ringModel(frame, spec, before = null) {
  if (before !== null && before.servers === spec.servers && refreshed(before, frame)) return before;
  const nodes = new Map();
  const states = new Map();
  const rest = [];
  let bits = null;
  let metric = "clockwise";
  const raw = (spec.servers ?? NONE).map((id) => frame.nodes.get(id));
  for (const node of raw) {
    if (!node) continue;
    const dht = dhtOf(node.fields);
    nodes.set(node.id, dht);
    states.set(node.id, stateOf(node));
    if (bits === null && dht.bits !== null) ({ bits, metric } = dht);
    if (dht.bits === null || dht.bits !== bits || !dht.positions.length) rest.push(node.id);
  }
  const linked = [...nodes.values()].some((dht) => dht.successors.length > 0);
  if (linked) for (const [id, dht] of nodes) if (dht.alone && states.get(id) === "up") states.set(id, "joining");
  const apart = new Set(rest);
  const marks = [...nodes].filter(([id]) => !apart.has(id)).flatMap(([id, dht]) => dht.positions.map((position) => ({ id, position, state: states.get(id) })));
  marks.sort((a, b) => a.position - b.position);
  const live = marks.filter(({ state }) => state === "up");
  const size = 2 ** (bits ?? 1);
  const members = new Set(live.map(({ id }) => id)).size;
  return { servers: spec.servers, raw, bits: bits ?? 1, metric, size, nodes, states, rest, marks, live, members, arcs: arcsOf(live, size), version: (before?.version ?? 0) + 1 };
}

// Brings a model up to date where no node has moved, come or gone; false where it must be made anew.
function refreshed(model, frame) {
  const changed = [];
  for (let i = 0; i < model.raw.length; i++) {
    const node = frame.nodes.get(model.servers[i]);
    const old = model.raw[i];
    if (node === old) continue;
    if (!node || !old || stateOf(node) !== stateOf(old)) return false;
    const [dht, was] = [dhtOf(node.fields), dhtOf(old.fields)];
    if (dht.bits !== was.bits || dht.metric !== was.metric || dht.alone !== was.alone || !sameNumbers(dht.positions, was.positions)) return false;
    changed.push([i, node, dht, sameNumbers(dht.keys, was.keys)]);
  }
  for (const [i, node, dht, same] of changed) {
    model.raw[i] = node;
    model.nodes.set(node.id, dht);
    if (!same) model.version += 1;
  }
  return true;
}

const sameNumbers = (a, b) => a === b || (a !== undefined && a.length === b.length && a.every((value, i) => value === b[i]));

/** "up", "down" or "gone": whether a node runs, has failed, or is no member; one that has not found its place yet is "joining". */
export function stateOf(node) {
  if (GONE.has(node.status) || GONE.has(node.fields?.status)) return "gone";
  return node.status === "crashed" ? "down" : "up";
}

function arcsOf(live, size) {
  return live.map(({ id, position }, i) => {
    const before = live[(i + live.length - 1) % live.length].position;
    const length = live.length === 1 ? size : (position - before + size) % size;
    return { id, from: (before + 1) % size, position, part: length / size };
  });
}

/** Index in a list sorted by `position` of the mark that owns a key: the first at or after it, round the ring. */
export function ownerIndex(marks, key) {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (marks[middle].position < key) low = middle + 1;
    else high = middle;
  }
  return marks.length ? low % marks.length : -1;
}

/** How many keys each running mark holds, in the order of `model.live`; a server's tokens share out what it holds. */
export function loads(model) {
  const counts = new Array(model.live.length).fill(0);
  const alone = new Map(model.live.map(({ id }, i) => [id, i]));
  for (const [id, dht] of model.nodes) {
    if (!alone.has(id)) continue;
    if (dht.positions.length === 1) counts[alone.get(id)] += dht.keys.length;
    else for (const key of dht.keys) {
      const at = ownerIndex(model.live, key);
      counts[model.live[at].id === id ? at : alone.get(id)] += 1;
    }
  }
  return counts;
}

/** Where a node stands for a key: of several tokens the one that is nearest before it, or at it. */
export function positionFor(dht, key, metric) {
  if (dht === undefined || !dht.positions.length) return null;
  if (dht.positions.length === 1 || key === null) return dht.positions[0];
  return dht.positions.reduce((best, at) => (distance(metric, at, key, dht.bits) < distance(metric, best, key, dht.bits) ? at : best));
}

// ---- what happened up to here -------------------------------------------------------------------------------------

const histories = new WeakMap();

/**
 * A run as a ring sees it, read once: `lookups` with their hops, `moves` of keys from node to node, `changes` of who
 * is a member, and `versionAt(node, event)`, what a node showed after an event.
 */
export function ringHistory(trace) {
  if (histories.has(trace)) return histories.get(trace);
  const found = readHistory(trace);
  histories.set(trace, found);
  return found;
}

function readHistory(trace) {
  const state = new Map();
  const versions = new Map();
  const open = new Map();
  const holders = new Map();
  const down = new Set();
  const has = (id, key) => !down.has(id) && dhtOf(state.get(id) ?? NO_FIELDS).keys.includes(key);
  const history = { lookups: [], moves: [], changes: [], versionAt };
  const servers = new Set(trace.spec?.servers ?? NONE);
  for (let i = 0; i < trace.n; i++) {
    const node = trace.node(i);
    if (MEMBER_EVENTS.has(trace.kind(i)) && servers.has(node) && !trace.detail(i)?.ignored) {
      history.changes.push({ event: i, kind: trace.kind(i), node });
      if (LOSSES.has(trace.kind(i))) down.add(node);
      else down.delete(node);
    }
    if (node === null) continue;
    if (trace.kind(i) === "deliver") noteAnswer(open.get(node), trace, i);
    const patch = trace.patch(i).filter(([field]) => FIELDS.has(field));
    if (!patch.length) continue;
    const old = state.get(node) ?? NO_FIELDS;
    const fields = { ...old };
    for (const change of patch) fields[change[0]] = change.length === 4 ? splicedList(fields[change[0]], change) : change[1];
    state.set(node, fields);
    if (!versions.has(node)) versions.set(node, []);
    versions.get(node).push([i, fields]);
    if (fields.lookups !== old.lookups) followLookups(history, open, trace, node, i, fields);
    if (fields.keys !== old.keys) followKeys(history, holders, node, i, dhtOf(fields).keys, dhtOf(old).keys, has);
  }
  return history;

  function versionAt(node, event) {
    const rows = versions.get(node) ?? NONE;
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle][0] <= event) low = middle + 1;
      else high = middle;
    }
    return dhtOf(low ? rows[low - 1][1] : NO_FIELDS);
  }
}

function splicedList(value, [, start, removed, items]) {
  const old = list(value);
  return [...old.slice(0, start), ...list(items), ...old.slice(start + removed)];
}

function noteAnswer(going, trace, i) {
  const k = trace.message(i);
  if (!going || k === null) return;
  const from = trace.messages.from(k);
  for (const lookup of going.values()) {
    const hop = lookup.ended === null && lookup.hops.findLast((item) => item.name === from && item.answered === null);
    if (hop) hop.answered = i;
  }
}

// A lookup is known by its node and number; one with another key, or that starts over, is a new one.
function followLookups(history, open, trace, node, i, fields) {
  if (!open.has(node)) open.set(node, new Map());
  const going = open.get(node);
  const { lookups, metric } = dhtOf(fields);
  for (const shown of lookups) {
    let lookup = going.get(shown.number);
    if (!lookup || lookup.key !== shown.key || (lookup.ended !== null && shown.state === "going")) {
      lookup = { node, number: shown.number, key: shown.key, begun: i, ended: null, state: "going", owners: [], path: NONE, asking: NONE, hops: [] };
      going.set(shown.number, lookup);
      history.lookups.push(lookup);
    }
    grow(lookup, shown, trace, i, metric);
  }
}

// What an event adds: nodes that are asked, nodes on the path that were not seen being asked, the owner, the end.
function grow(lookup, shown, trace, i, metric) {
  const { hops } = lookup;
  const k = trace.message(i);
  const sender = trace.kind(i) === "deliver" && k !== null ? trace.messages.from(k) : null;
  const told = sender !== null && hops.some((hop) => hop.name === sender) ? sender : null;
  const answered = hops.findLast((hop) => hop.answered !== null)?.name;
  let parent = told ?? answered ?? (hops.length && metric !== "xor" ? hops.at(-1).name : lookup.node);
  const round = 1 + (hops.findLast((hop) => hop.name === parent)?.round ?? 0);
  const at = told === null ? i : trace.messages.sentEvent(k);
  let added = 0;
  const add = (item, more) => {
    const again = hops.some((hop) => hop.name === item);
    hops.push({ name: item, parent: again && told === null ? lookup.node : parent, round: metric === "xor" ? round : round + added, event: i, told: added && metric !== "xor" ? i : at, again, answered: null, found: null, lost: null, walked: false, ...more });
    added += 1;
    if (metric !== "xor") parent = item;
  };
  for (const item of appended(lookup.path, shown.path, lookup.node)) {
    const asked = hops.findLast((hop) => hop.name === item && !hop.walked);
    if (asked) asked.walked = true;
    else add(item, { walked: true });
  }
  for (const item of shown.asking) if (!lookup.asking.includes(item) && !hops.some((hop) => hop.name === item && hop.event === i)) add(item, {});
  Object.assign(lookup, { path: shown.path, asking: shown.asking });
  const before = lookup.owners.at(-1)?.owner ?? null;
  if (shown.owner !== before) {
    lookup.owners.push({ event: i, owner: shown.owner });
    const lost = before !== null && hops.findLast((hop) => hop.name === before && hop.found !== null);
    if (lost) lost.lost = i;
    if (shown.owner !== null && shown.owner !== lookup.node) {
      if (!hops.some((hop) => hop.name === shown.owner && hop.lost === null)) add(shown.owner, { answered: i });
      hops.findLast((hop) => hop.name === shown.owner).found = i;
    }
  }
  if (lookup.ended === null && shown.state !== "going") Object.assign(lookup, { ended: i, state: shown.state });
}

// What a path has got since: the rest where the old one is its beginning (a path may come back), else what is new in it.
function appended(old, path, self) {
  const begins = old.every((item, i) => path[i] === item);
  const rest = begins ? path.slice(old.length) : path.filter((item) => !old.includes(item));
  return old.length || rest[0] !== self ? rest : rest.slice(1);
}

// A key that one node gets and another one held has moved; where nobody held it, it is new, and where somebody still has
// it, it is a copy.
function followKeys(history, holders, node, i, keys, old, has) {
  const now = new Set(keys);
  const had = new Set(old);
  const from = new Map();
  for (const key of now) {
    const held = holders.get(key) ?? NONE;
    if (held.includes(node)) continue;
    if (held.length && !had.has(key) && !held.some((id) => has(id, key))) from.set(held.at(-1), [...(from.get(held.at(-1)) ?? NONE), key]);
    holders.set(key, [...held, node]);
  }
  // the last who held a key stays known: what it hands over may be on its way
  for (const key of had) if (!now.has(key) && holders.get(key)?.length > 1) holders.set(key, holders.get(key).filter((item) => item !== node));
  for (const [source, moved] of from) history.moves.push({ event: i, from: source, to: node, keys: moved });
}

/** The lookups that had begun by an event, the newest one last and one under way before all that are over. */
export function lookupsAt(history, event) {
  const until = (at) => at !== null && at <= event;
  return history.lookups.filter((lookup) => lookup.begun <= event).map((lookup) => {
    const hops = lookup.hops.filter((hop) => hop.event <= event).map((hop) => ({ ...hop, answered: until(hop.answered) ? hop.answered : null, found: until(hop.found) && !until(hop.lost) }));
    return {
      ...lookup, hops, id: idOf(lookup), state: until(lookup.ended) ? lookup.state : "going",
      owner: lookup.owners.findLast((item) => item.event <= event)?.owner ?? null,
      newest: hops.reduce((last, hop) => Math.max(last, hop.event), until(lookup.ended) ? lookup.ended : lookup.begun),
    };
  }).sort((a, b) => (a.state === "going") - (b.state === "going") || a.newest - b.newest);
}

const idOf = (lookup) => `${lookup.node} ${lookup.begun} ${lookup.number}`;

/** The event at which a lookup gets its next hop or ends after `event`, or -1. */
export function nextOf(history, id, event) {
  const lookup = history.lookups.find((item) => idOf(item) === id);
  const events = lookup ? [...lookup.hops.map((hop) => hop.event), ...(lookup.ended === null ? NONE : [lookup.ended])] : NONE;
  return events.filter((at) => at > event).reduce((least, at) => (least < 0 || at < least ? at : least), -1);
}

// ---- why a hop went where it did ----------------------------------------------------------------------------------

/**
 * A hop with its reason: `left` (the distance from there to the key, null if unknown), `why`, and the contacts of the
 * node that was asked which were not chosen: `rejected`, [{name, why: "past" | "short" | "further"}].
 */
export function explainHop(lookup, hop, history) {
  const teller = history.versionAt(hop.parent, hop.told);
  const { bits, metric } = teller.bits === null ? history.versionAt(lookup.node, hop.event) : teller;
  const where = (id) => positionFor(history.versionAt(id, hop.event), lookup.key, metric);
  const here = where(hop.parent);
  const there = where(hop.name);
  const left = there === null || bits === null ? null : hop.found && metric !== "xor" ? 0 : distance(metric, there, lookup.key, bits);
  if (hop.again) return { left, why: "asked again", rejected: NONE };
  const contacts = contactsOf(teller, hop.parent).map((item) => ({ ...item, position: where(item.name) })).filter(({ position }) => position !== null);
  if (here === null || there === null || bits === null) return { left, why: `named by ${hop.parent}`, rejected: NONE };
  return { left, ...(metric === "xor" ? nearest : furthest)({ lookup, hop, here, there, bits, contacts, teller }) };
}

// Clockwise: the furthest contact that does not pass the key.
function furthest({ lookup, hop, here, there, bits, contacts }) {
  const way = (position) => distance("clockwise", here, position, bits);
  const toKey = way(lookup.key);
  const chosen = contacts.find((item) => item.name === hop.name);
  const passes = (position) => way(position) > toKey || toKey === 0;
  const others = contacts.filter((item) => item.name !== hop.name);
  const rejected = others.map((item) => ({ name: item.name, numbers: item.numbers, words: item.words, why: passes(item.position) ? "past" : way(item.position) > way(there) ? "further" : "short" }));
  const past = rejected.filter(({ why }) => why === "past").length;
  const better = others.filter((item) => !passes(item.position) && way(item.position) > way(there) && way(item.position) < toKey)
    .sort((a, b) => way(b.position) - way(a.position))[0];
  const word = chosen ? linkWords(chosen) : `named by ${hop.parent}`;
  if (hop.found && way(there) >= toKey) return { why: toKey === 0 ? `the key is at ${hop.parent} itself` : chosen ? `the key lies between ${hop.parent} and its successor` : `named by ${hop.parent} as the owner`, rejected };
  if (passes(there)) return { why: `${word}, past the key`, rejected };
  if (better) return { why: `${word}, though ${linkWords(better)} is nearer and not past the key`, rejected };
  return { why: `${word}, the ${chosen?.words === "successor" ? "furthest" : "largest"} not past the key${past ? `; ${past} passed it` : ""}`, rejected };
}

// Exclusive or: the contact that is nearest to the key.
function nearest({ lookup, hop, there, bits, contacts, here }) {
  const far = (position) => distance("xor", position, lookup.key, bits);
  const others = contacts.filter((item) => item.name !== hop.name && item.name !== lookup.node);
  const nearer = others.filter((item) => far(item.position) < far(there)).length;
  const rejected = others.filter((item) => far(item.position) > far(there)).map((item) => ({ name: item.name, numbers: item.numbers, words: item.words, why: "further" }));
  const shared = sharedBits(there, lookup.key, bits);
  const rank = nearer ? `${ordinal(nearer + 1)} nearest to the key` : "nearest to the key";
  const of = contacts.some((item) => item.name === hop.name) ? ` of ${hop.parent}'s ${others.length + 1}` : "";
  const closer = far(there) < far(here) ? "" : ", no nearer than before";
  return { why: `${rank}${of}; shares ${shared} of ${bits} bits${closer}`, rejected };
}

const linkWords = (item) => (item.words === "successor" && item.numbers[0] === 1 ? "successor" : `${item.words} ${item.numbers.at(-1)}`);
const ordinal = (n) => `${n}${n % 100 > 10 && n % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th"}`;

/** How many leading bits two keys share. */
export function sharedBits(a, b, bits) {
  const differing = distance("xor", a, b, bits);
  return differing === 0 ? bits : Math.max(0, bits - 1 - Math.floor(Math.log2(differing)));
}

/** A hop in one sentence, for those who hear it: "Hop 2: n606, finger 8, the largest not past the key. 127 left." */
export function hopSentence(lookup, index, history, bits) {
  if (index < 0) return `${lookup.node} asks for key ${keyText(lookup.key, bits)}`;
  const hop = lookup.hops[index];
  const { left, why } = explainHop(lookup, hop, history);
  const end = hop.found ? "found" : left === null ? "" : `${distanceText(left)} left`;
  return `Hop ${index + 1}: ${hop.name}, ${why}${end && `; ${end}`}${silent(lookup, hop) ? "; no answer" : ""}`;
}

/** A node that was asked and never answered before the lookup ended or went on. */
export function silent(lookup, hop) {
  return hop.answered === null && !hop.found && (lookup.state !== "going" || lookup.hops.some((item) => item.event > hop.event && item.round > hop.round));
}

// ---- members that come and go -------------------------------------------------------------------------------------

/** Joins, leaves and crashes up to an event, newest first, each with the keys that moved before the next one. */
export function churnAt(history, model, event) {
  const total = new Set([...model.nodes.values()].flatMap((dht) => dht.keys)).size;
  const changes = history.changes.filter((item) => item.event <= event && item.kind !== "start");
  const first = { event: -1, kind: "start", node: null };
  return [first, ...changes].map((change, i, all) => {
    const until = Math.min(event, (all[i + 1]?.event ?? event + 1) - 1);
    const moves = history.moves.filter((move) => move.event >= change.event && move.event <= until);
    const moved = new Set(moves.flatMap((move) => move.keys)).size;
    return { ...change, moves, moved, total, part: total ? moved / total : 0, fair: 1 / Math.max(1, new Set(model.live.map(({ id }) => id)).size) };
  }).filter((change) => change.node !== null || change.moved > 0).reverse();
}

// ---- the race -----------------------------------------------------------------------------------------------------

/**
 * Three ways to the same key from the same node, followed through the tables of this moment: each {name, basis, hops,
 * end}. `basis` tells whether the tables are those that the nodes show or what the positions would make of them; no
 * message is sent for it. `end` is "found", "stuck" (nothing leads on) or "loop".
 */
export function race(model, from, key) {
  const { live, bits } = model;
  if ([...model.nodes.values()].some((dht) => dht.positions.length > 1)) return NONE;
  const at = new Map(live.map(({ id, position }) => [id, position]));
  if (!at.has(from)) return NONE;
  const order = live.map(({ id }) => id);
  const rank = new Map(order.map((id, i) => [id, i]));
  const shows = (part) => live.some(({ id }) => model.nodes.get(id)[part].length > 0);
  const owner = order[ownerIndex(live, key)];
  const before = (id) => order[(rank.get(id) + order.length - 1) % order.length];
  const next = (id) => (shows("successors") ? model.nodes.get(id).successors.find((item) => at.has(item)) ?? null : order[(rank.get(id) + 1) % order.length]);
  const way = (a, b) => distance("clockwise", a, b, bits);

  function byFinger(id) {
    if (id === before(owner)) return owner;
    const contacts = shows("fingers") ? contactsOf(model.nodes.get(id), id).map((item) => item.name).filter((item) => at.has(item)) : idealFingers(id);
    const inside = contacts.filter((item) => way(at.get(id), at.get(item)) < way(at.get(id), key));
    return inside.length ? inside.reduce((best, item) => (way(at.get(id), at.get(item)) > way(at.get(id), at.get(best)) ? item : best)) : next(id);
  }

  function idealFingers(id) {
    return Array.from({ length: bits }, (_, i) => order[ownerIndex(live, (at.get(id) + 2 ** i) % model.size)]).filter((item) => item !== id);
  }

  const far = (id) => distance("xor", at.get(id), key, bits);
  const closest = order.reduce((best, id) => (far(id) < far(best) ? id : best));
  const byPrefix = (id) => {
    const shown = shows("buckets");
    const contacts = shown ? contactsOf(model.nodes.get(id), id).map((item) => item.name).filter((item) => at.has(item)) : idealBuckets(id);
    const best = contacts.reduce((least, item) => (least === null || far(item) < far(least) ? item : least), null);
    return best !== null && far(best) < far(id) ? best : null;
  };

  // One contact for each prefix length, the one that is nearest to the node itself.
  function idealBuckets(id) {
    const found = new Map();
    for (const other of order) {
      if (other === id) continue;
      const shared = sharedBits(at.get(id), at.get(other), bits);
      const held = found.get(shared);
      if (!held || distance("xor", at.get(id), at.get(other), bits) < distance("xor", at.get(id), at.get(held), bits)) found.set(shared, other);
    }
    return [...found.values()];
  }

  const basis = (part) => (shows(part) ? "the tables shown" : "made from the positions");
  return [
    { name: "successors only", basis: basis("successors"), ...follow(from, owner, next, order.length) },
    { name: "fingers", basis: basis("fingers"), ...follow(from, owner, byFinger, order.length) },
    { name: "prefixes (xor)", basis: basis("buckets"), ...follow(from, closest, byPrefix, order.length) },
  ];
}

function follow(from, goal, step, most) {
  const hops = [];
  const seen = new Set([from]);
  for (let id = from; id !== goal;) {
    id = step(id);
    if (id === null || id === undefined) return { hops, end: "stuck", goal };
    hops.push(id);
    if (id !== goal && (seen.has(id) || hops.length > most)) return { hops, end: "loop", goal };
    seen.add(id);
  }
  return { hops, end: "found", goal };
}
