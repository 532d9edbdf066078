// What a node or a message looks like at one event: plain records first (testable), then their drawing.

import { s, setAttrs, iconGroup, termClass, clockText, durationText, countText, valueText } from "./format.js";
import { NODE, fix, arcPath, tickPath, outward } from "./geometry.js";

const KNOWN_LETTERS = { leader: "L", follower: "F", candidate: "C", primary: "P", backup: "B", proposer: "P" };
const BADGE_ICONS = { paused: "pausenode", skew: "clock", disk: "disk" };
const PROPOSING = ["prepare", "accept"];        // phases of a ballot that is under way
const HALO_PX = 4;
const EDGE_PX = 14;            // half a name

/** How many of `n` make a majority. */
export function quorumOf(n) {
  return Math.floor(n / 2) + 1;
}

/** The servers whose majority counts for a node: its configuration's, old and new, where it shows one. */
export function votersOf({ fields: { configuration: now } }, servers) {
  return now?.voters ? servers.filter((id) => now.voters.includes(id) || now.outgoing?.includes(id)) : servers;
}

function roleLetter(spec, role) {
  const given = spec.roles?.[role];
  const letter = typeof given === "string" ? given : given?.letter;
  return letter ?? KNOWN_LETTERS[role] ?? (role ? String(role).slice(0, 1).toUpperCase() : "");
}

/** A ballot as a record: its number, and whose it is where ballots say so; null for none. */
export function ballotOf(value) {
  const parts = Array.isArray(value) ? value : Number.isInteger(value) ? [value]
    : value && typeof value === "object" ? Object.entries(value).filter(([name]) => name !== "@").map(([, item]) => item) : [];
  const [counter, owner] = parts;
  if (!Number.isInteger(counter)) return null;
  const by = owner === undefined || owner === null ? "" : valueText(owner);
  return { counter, by, key: `${counter} ${by}`, text: by ? `${counter} of ${by}` : String(counter) };
}

/** What a protocol calls its times of leadership, with the number in force at a node: ["term", 3]; null for none. */
export function eraOf(fields) {
  for (const name of ["term", "view", "epoch", "round"]) if (Number.isInteger(fields[name])) return [name, fields[name]];
  const numbers = [fields.ballot, fields.promised].map((value) => ballotOf(value)?.counter).filter((counter) => counter !== undefined);
  return numbers.length ? ["ballot", Math.max(...numbers)] : null;
}

/** Letter of the group a node is in, or null while nothing is partitioned. */
export function groupLetter(groups, id) {
  const index = groups ? groups.findIndex((group) => group.includes(id)) : -1;
  return index < 0 ? null : String.fromCharCode(65 + index);
}

/** Votes of a candidate by server: granted, denied, pending or lost; null for anyone else. */
export function votesOf(node, frame, trace) {
  if (node.fields.role !== "candidate" || node.status === "crashed") return null;
  if (node.fields.votes === undefined && node.fields.voted_for === undefined) return null;      // elected without votes
  const servers = votersOf(node, trace.spec.servers);
  const given = node.fields.votes ?? [];
  const votes = new Map(servers.map((id) => [id, voteIn(given, id)]));
  for (const id of servers) {
    if (votes.get(id) !== "granted" && id !== node.id) votes.set(id, voteOnTheWay(node, id, frame, trace, votes.get(id)));
  }
  if (votes.get(node.id) === "pending" && node.fields.voted_for === node.id) votes.set(node.id, "granted");
  return votes;
}

function voteIn(given, id) {
  if (Array.isArray(given)) return given.includes(id) ? "granted" : "pending";
  return given[id] === true ? "granted" : given[id] === false ? "denied" : "pending";
}

// The newest message of this term between the two tells: a "no" that arrived, or a request or reply that was lost.
function voteOnTheWay(node, voter, frame, trace, known) {
  const { messages } = trace;
  for (let k = lastSentBefore(trace, frame.event); k >= 0; k--) {
    if (messages.term(k) && messages.term(k) < node.fields.term) break;
    const asked = messages.from(k) === node.id && messages.to(k) === voter && messages.klass(k) === "request";
    const answered = messages.from(k) === voter && messages.to(k) === node.id;
    if (!(asked || answered) || messages.term(k) !== node.fields.term) continue;
    const end = messages.endEvent(k);
    const ended = end !== null && end <= frame.event;
    if (ended && messages.fate(k) === "dropped") return "lost";
    if (answered && ended && messages.klass(k) === "no") return "denied";
    return known;
  }
  return known;
}

function lastSentBefore(trace, event) {
  let low = 0;
  let high = trace.messages.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (trace.messages.sentEvent(middle) <= event) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** "2 of 5": the four-state votes in numbers. */
export function tally(votes) {
  const states = [...votes.values()];
  const count = (state) => states.filter((item) => item === state).length;
  return { granted: count("granted"), lost: count("lost"), denied: count("denied"), total: states.length };
}

/** The timer a node's ring shows: a random one (with a range) before a fixed one, then the soonest. */
export function shownTimer(node) {
  const timers = Object.entries(node.timers).map(([name, timer]) => ({ name, ...timer }));
  timers.sort((a, b) => (b.max > b.min) - (a.max > a.min) || a.due - b.due);
  return timers[0] ?? null;
}

/** Remaining part of a timer's maximum at `us`. */
export function timerFraction(timer, us) {
  const whole = Math.max(timer.max, timer.due - timer.set, 1);
  return Math.max(0, Math.min(1, (timer.due - us) / whole));
}

function reaches(node, frame, servers) {
  return servers.filter((id) => id === node.id
    || !(frame.cut.has(`${node.id}>${id}`) || frame.cut.has(`${id}>${node.id}`))).length;
}

function nodeLine(node, frame, votes, spec) {
  const { role, voted_for: votedFor, term } = node.fields;
  if (node.status === "crashed") return `crashed at ${clockText(node.statusSince)}`;
  if (node.status === "restarting" || node.status === "absent") return node.status;
  if (node.status === "paused") return `paused at ${clockText(node.statusSince)}`;
  if (node.treason) return `traitor: ${node.treason.behaviour}`;
  if (votes) return `${role}, ${tally(votes).granted} of ${tally(votes).total} votes`;
  const voters = votersOf(node, spec.servers);
  if (role === "leader" && reaches(node, frame, voters) < quorumOf(voters.length)) return "leader, cut off";
  const candidate = frame.nodes.get(votedFor);
  const standing = candidate && candidate.id !== node.id && candidate.status === "up" && candidate.fields.role === "candidate"
    && candidate.fields.term === term;
  if (role === "follower" && standing) return `voted for ${votedFor}`;
  const believed = role === "leader" ? null : believedLeader(node, spec);
  if (believed) return believed === node.id ? "believes it leads" : `believes ${believed} leads`;
  if (PROPOSING.includes(node.fields.phase)) return `proposer, ${node.fields.phase}`;
  if (node.fields.chosen !== undefined && node.fields.chosen !== null) return `learned ${valueText(node.fields.chosen)}`;
  if (node.fields.decided !== undefined && node.fields.decided !== null) return `decided ${valueText(node.fields.decided)}`;
  return roleOf(node) ?? (node.kind === "client" ? "client" : "");
}

// The role that a node shows, or the one that its other fields tell.
function roleOf({ id, fields }) {
  if (fields.role !== undefined) return fields.role;
  if (fields.primary !== undefined) return fields.primary === id ? "primary" : "backup";
  if (PROPOSING.includes(fields.phase) || (fields.phase !== undefined && fields.promised === undefined)) return "proposer";
  return fields.promised !== undefined ? "acceptor" : null;
}

// Only where that is all a node knows: beside a term or a view the picture of the others says as much.
function believedLeader({ fields }, spec) {
  return eraOf(fields) === null && spec.servers.includes(fields.leader) ? fields.leader : null;
}

function badgeOf(node) {
  if (node.status === "paused") return "paused";
  if (node.status === "crashed") return null;
  return node.diskLost ? "disk" : node.skew ? "skew" : null;
}

/** Everything drawn for one node, as a record of words and numbers. */
export function nodeView(node, frame, trace, spec) {
  const role = roleOf(node);
  const [era, term] = eraOf(node.fields) ?? ["term", null];
  const votes = votesOf(node, frame, trace);
  const up = node.status === "up" || node.status === "paused";
  const text = node.kind === "client" ? node.id : roleLetter(spec, role) + (term ?? "");
  const line = nodeLine(node, frame, votes, spec);
  return {
    id: node.id, kind: node.kind, status: node.status, role, era, term, votes, line, text,
    traitor: up ? node.treason?.behaviour ?? null : null,
    ring: up ? ringOf(node, role, spec) : null,
    timer: up && node.kind === "server" ? shownTimer(node) : null,
    badge: badgeOf(node),
    group: groupLetter(frame.groups, node.id),
    name: nodeName(node, line, era, term, votes, frame),
  };
}

function ringOf({ id, fields }, role, spec) {
  if (role === "leader" || role === "primary" || believedLeader({ fields }, spec) === id) return "leader";
  return role === "candidate" || PROPOSING.includes(fields.phase) ? "candidate" : null;
}

function nodeName(node, line, era, term, votes, frame) {
  const { role } = node.fields;
  const parts = [node.id];
  if (node.kind === "client") parts.push("client");
  else if (node.status !== "up") parts.push(node.status);
  if (role && node.status !== "crashed") parts.push(role);
  else if (line && node.kind !== "client" && node.status === "up" && !node.treason) parts.push(line);
  if (node.treason) parts.push(`traitor, ${node.treason.behaviour}`);
  if (term !== null) parts.push(`${era} ${term}`);
  if (votes) parts.push(`${tally(votes).granted} of ${tally(votes).total} votes`);
  if (node.skew) parts.push("clock skewed");
  if (node.diskLost) parts.push("disk lost");
  const letter = groupLetter(frame.groups, node.id);
  if (letter) parts.push(`group ${letter}`);
  return parts.join(", ");
}

/** Legend words of the message classes. */
export const CLASS_WORDS = {
  request: "request", reply: "reply", yes: "reply, yes", no: "reply, no", heartbeat: "heartbeat", entry: "entry",
  forged: "forged",
};

export const GLYPH_REACH = { request: 5, reply: 6, yes: 6, no: 6, heartbeat: 4, entry: 8, forged: 8 };
export const ARROW_AT = { request: 8.2, reply: 9.2, yes: 9.2, no: 9.2, heartbeat: 6.2, entry: 11.2, forged: 11.2 };

/** The mark of a message class around the origin. */
export function messageMark(doc, klass, term) {
  switch (klass) {
    case "heartbeat": return [s(doc, "circle", { r: 4, class: "ds-m-req" })];
    case "entry": return [
      s(doc, "rect", { x: -9, y: -9, width: 18, height: 18, rx: 3, class: `ds-m-data ${termClass(term)}` }),
      s(doc, "text", { y: 4.3, "text-anchor": "middle", class: `ds-t12 ds-b ds-on ${termClass(term)}` }, String(term)),
    ];
    case "forged": return [
      s(doc, "path", { d: "M0 -9L8.5 6H-8.5z", class: "ds-m-forged" }),
      s(doc, "path", { d: "M0 -4v4.5M0 3v.1", class: "ds-m-sign" }),
    ];
    case "reply": case "yes": case "no": return [
      s(doc, "circle", { r: 7, class: "ds-m-rep" }),
      klass === "reply" ? null
        : s(doc, "path", { d: klass === "no" ? "M-3.2 0h6.4" : "M-3.2 0h6.4M0 -3.2v6.4", class: "ds-m-sign" }),
    ];
    default: return [s(doc, "circle", { r: 6, class: "ds-m-req" })];
  }
}

/** Arrow ahead of a message whose route points along +x, `x` px from its middle. */
export function arrowPath(klass, x = ARROW_AT[klass] ?? 8.2) {
  return klass === "heartbeat" ? `M${x} -3.6l5.5 3.6-5.5 3.6z` : `M${x} -4.2l6.5 4.2-6.5 4.2z`;
}

/** Tapering tail behind a message, never longer than the way flown. */
export function tailPath(klass, flownPx) {
  const reach = GLYPH_REACH[klass] ?? 5;
  const [length, half] = klass === "heartbeat" ? [22, 2.4] : [30, 4];
  const end = Math.min(length + reach, flownPx);
  return end > reach ? `M${fix(-end)} 0L${-reach} ${-half}V${half}z` : "";
}

/** Words for one message: its gloss, else type and ends; then its fate. */
export function messageName(trace, k, us, mark, twin) {
  const { messages } = trace;
  const words = [`${messages.type(k)}, ${messages.from(k)} to ${messages.to(k)}`];
  if (messages.term(k)) words.push(`term ${messages.term(k)}`);
  if (mark?.held) words.push("held");
  else if (messages.dueUs(k) !== null) words.push(`arrives in ${durationText(Math.max(0, messages.dueUs(k) - us))}`);
  if (mark?.delayUs) words.push(`delayed +${durationText(mark.delayUs)}`);
  if (twin) words.push("×2");
  return words.join(", ");
}

/** The outline of a traitor: a star of eight points around the origin. */
export function starPath(outer, inner) {
  return `${Array.from({ length: 16 }, (_, i) => {
    const angle = (i * Math.PI) / 8;
    const r = i % 2 ? inner : outer;
    return `${i ? "L" : "M"}${fix(r * Math.sin(angle))} ${fix(-r * Math.cos(angle))}`;
  }).join("")}z`;
}

/** Elements of one node, at the origin of its group; returns the parts that change. */
export function buildNode(doc, node, scale) {
  const parts = {
    hit: s(doc, "circle", { r: NODE.focus, class: "ds-hit" }),
    halo: s(doc, "circle", { r: NODE.focus, class: "ds-halo" }),
    focus: s(doc, "circle", { r: NODE.focus, class: "ds-focus-ring" }),
    track: s(doc, "circle", { r: NODE.timer, class: "ds-timer-track" }),
    arc: s(doc, "path", { class: "ds-timer-arc" }),
    ticks: s(doc, "path", { class: "ds-timer-tick" }),
    body: node.kind === "client"
      ? s(doc, "rect", { x: -21.5, y: -21.5, width: 43, height: 43, rx: 4, class: "ds-nf" })
      : s(doc, "circle", { r: NODE.body, class: "ds-nf" }),
    star: s(doc, "path", { d: starPath(26, 20), class: "ds-nf", display: "none" }),
    ring: s(doc, "circle", { r: NODE.ring, transform: "rotate(-90)" }),
    text: s(doc, "text", { y: 6, "text-anchor": "middle", class: "ds-nt" }),
    cross: s(doc, "path", { d: "M-10.5 -10.5l21 21M10.5 -10.5l-21 21", class: "ds-x-down" }),
    pips: s(doc, "g", {}),
    badge: s(doc, "g", { transform: "translate(19.1 19.1)" }),
    group: s(doc, "g", { transform: "translate(-21.9 -21.9)" }),
  };
  const sized = (kids) => s(doc, "g", { transform: scale === 1 ? null : `scale(${fix(scale * 100) / 100})` }, kids);
  const { text, group, ...shapes } = parts;
  const g = s(doc, "g", {
    class: "dslab-node", role: "button", tabindex: "-1", "data-node": node.id, "data-kind": node.kind,
    "aria-haspopup": "dialog",
  }, sized(Object.values(shapes)));
  // Letters stand beside the button, not in it: its name says the same in words.
  const caption = s(doc, "g", { class: "ds-caption", "aria-hidden": "true" }, sized([text, group]));
  return { g, caption, parts };
}

function show(element, visible) {
  element.style.display = visible ? "" : "none";
}

/** Bring a node's elements to its view. `places` gives the voters' angles; only a `live` change is animated. */
export function paintNode(doc, built, view, places, selected, live) {
  const { g, parts } = built;
  const down = view.status === "crashed";
  setAttrs(g, {
    "data-traitor": view.traitor, "aria-label": view.name, "aria-pressed": String(selected), "data-status": view.status, "data-role": view.role ?? "",
    "data-term": view.term ?? "",
  });
  parts.body.setAttribute("class", `ds-nf ${view.kind === "client" ? "ds-term-0" : termClass(view.term)} `
    + (down ? "is-down" : view.status === "restarting" || view.status === "absent" ? "is-ghost" : ""));
  parts.star.setAttribute("class", parts.body.getAttribute("class"));
  parts.star.setAttribute("display", view.traitor ? "inline" : "none");
  show(parts.body, !view.traitor);
  parts.text.setAttribute("class", `ds-nt ds-on ${view.status === "up" || view.status === "paused"
    ? termClass(view.kind === "client" ? 0 : view.term) : "ds-term-0"}`);
  if (parts.text.textContent !== view.text) parts.text.textContent = view.text;
  parts.text.style.fontSize = view.text.length > 3 ? "13px" : "";
  show(parts.text, !down);
  show(parts.cross, down);
  show(parts.ring, Boolean(view.ring));
  if (built.ring !== view.ring) parts.ring.setAttribute("class", view.ring !== "leader" ? "ds-ring-cand" : live ? "ds-ring-leader is-won" : "ds-ring-leader");
  built.ring = view.ring;
  const timed = Boolean(view.timer);
  for (const part of [parts.track, parts.arc, parts.ticks]) show(part, timed);
  if (timed) parts.ticks.setAttribute("d", timerTicks(view.timer));
  parts.focus.setAttribute("r", view.votes ? NODE.pipsFocus : NODE.focus);
  show(parts.halo, selected);
  parts.pips.replaceChildren(...(view.votes ? votePips(doc, view.votes, places) : []));
  parts.badge.replaceChildren(...(view.badge ? badgeMark(doc, BADGE_ICONS[view.badge], 10, 13) : []));
  parts.group.replaceChildren(...(view.group ? groupTag(doc, view.group) : []));
}

function timerTicks(timer) {
  const whole = Math.max(timer.max, timer.due - timer.set, 1);
  return tickPath(0) + (timer.min < timer.max && timer.min > 0 ? tickPath(timer.min / whole) : "");
}

/** The depleting arc at `us`; ink and thicker in its last sixth. */
export function paintTimer(built, timer, us) {
  const fraction = timerFraction(timer, us);
  built.parts.arc.setAttribute("d", arcPath(NODE.timer, fraction));
  const low = fraction < 1 / 6;
  if (built.low !== low) built.parts.arc.setAttribute("class", low ? "ds-timer-arc is-low" : "ds-timer-arc");
  built.low = low;
}

function votePips(doc, votes, places) {
  return [...votes].flatMap(([id, state]) => {
    const out = outward(places.get(id));
    const at = { cx: fix(NODE.pips * out.x), cy: fix(NODE.pips * out.y) };
    const pip = s(doc, "circle", { ...at, r: 5.5, class: `ds-pip is-${state}`, "data-voter": id, "data-vote": state });
    const cross = state === "denied"
      ? s(doc, "path", { d: `M${at.cx - 2.6} ${at.cy - 2.6}l5.2 5.2m0 -5.2l-5.2 5.2`, class: "ds-pip-x" }) : null;
    return [pip, cross].filter(Boolean);
  });
}

/** Round badge with an icon, around the origin. */
export function badgeMark(doc, name, r, size) {
  return [s(doc, "circle", { r, class: "ds-badge" }), iconGroup(doc, name, -size / 2, -size / 2, size)];
}

function groupTag(doc, letter) {
  return [
    s(doc, "rect", { x: -8, y: -8, width: 16, height: 16, rx: 3, class: "ds-gtag" }),
    s(doc, "text", { y: 4.3, "text-anchor": "middle", class: "ds-t12 ds-b ds-on-ink" }, letter),
  ];
}

/** The quorum meter with its threshold and word; `votes` in four states. */
export function quorumMeter(doc, votes, x, y) {
  const { granted, lost, total } = tally(votes);
  const need = quorumOf(total);
  const pitch = Math.min(19, 150 / total);
  const width = pitch - 3;
  const segments = Array.from({ length: total }, (_, i) => s(doc, "rect", {
    x: fix(x + i * pitch), y, width: fix(width), height: 9, rx: 1.5,
    class: `ds-seg ${i < granted ? "is-on" : i >= total - lost ? "is-lost" : ""}`,
  }));
  const mark = fix(x + need * pitch - 1.5);
  const reached = granted >= need;
  return s(doc, "g", { class: "ds-meter" }, segments,
    s(doc, "path", { d: `M${mark} ${y - 5}v19`, class: "ds-thr" }),
    s(doc, "text", {
      x: mark, y: y + 26, "text-anchor": "middle", class: `ds-t12 ds-halo ${reached ? "ds-b" : "ds-s"}`,
    }, reached ? "quorum" : `quorum ${need}`));
}

/** Where a node's name and line stand: beside it, or outside the ring when there is room for the name only. */
export function labelPlace(layout, place, view) {
  const scale = layout.scale;
  if (layout.inRow && view.kind === "server") {
    return { x: place.x, y: place.y + (view.votes ? 70 : 56) * scale, anchor: "middle", line: layout.labels === "full" };
  }
  if (layout.labels === "full" && view.kind === "server") {
    const right = place.x - layout.cx > -1;
    const away = (view.votes ? 61 : 48) * scale;
    return { x: place.x + (right ? away : -away), y: place.y - 2, anchor: right ? "start" : "end", line: true };
  }
  if (view.kind === "client") return { x: place.x, y: place.y + 40 * scale + 5, anchor: "middle", line: false };
  const reach = (view.votes ? 68 : view.status === "crashed" ? 42 : 52) * scale;
  const out = outward(place);
  const x = Math.max(EDGE_PX, Math.min(layout.width - EDGE_PX, place.x + out.x * reach));
  return { x, y: place.y + out.y * reach + HALO_PX + 1, anchor: "middle", line: false };
}

/** "heartbeat × 212" when they are hidden, else the class word; one kind of reply needs no more than "reply". */
export function legendWord(klass, classes, hiddenCount) {
  if (hiddenCount) return `${CLASS_WORDS[klass]} × ${hiddenCount}`;
  const replies = ["reply", "yes", "no"].filter((name) => classes.has(name));
  return replies.includes(klass) && replies.length === 1 ? "reply" : CLASS_WORDS[klass];
}

/** Summary of the cluster for its group label. */
export function clusterName(frame) {
  const servers = [...frame.nodes.values()].filter((node) => node.kind === "server");
  const down = servers.filter((node) => node.status === "crashed").length;
  return `Cluster diagram, ${countText(servers.length, "server")}${down ? `, ${down} down` : ""}, `
    + `${countText(frame.flying.length, "message")} in flight`;
}

/** A node in miniature: role letter, term, ring; a cross when it is down. */
export function nodeBadge(doc, view) {
  const down = view.status === "crashed";
  return s(doc, "svg", { class: "ds-mini", viewBox: "0 0 32 32", "aria-hidden": "true" },
    view.traitor ? s(doc, "path", { d: starPath(13, 10), transform: "translate(16 16)", class: `ds-nf ds-thin ${termClass(view.term)}` })
      : s(doc, "circle", { cx: 16, cy: 16, r: 11, class: `ds-nf ds-thin ${down ? "is-down" : termClass(view.term)}` }),
    !down && view.ring && s(doc, "circle", { cx: 16, cy: 16, r: 14, class: view.ring === "leader" ? "ds-ring-leader" : "ds-ring-cand" }),
    down ? s(doc, "path", { d: "M11.5 11.5l9 9M20.5 11.5l-9 9", class: "ds-x-down" })
      : s(doc, "text", { x: 16, y: 20.2, "text-anchor": "middle", class: `ds-t12 ds-b ds-on ${termClass(view.term)}` }, view.text));
}
