// Events in words, the full event log as a table, and the table that stands in for the cluster diagram.
import { clockText, countText, durationText, h, menuOf, plainText, setAttrs, valueText } from "./format.js";
import { clusterName, nodeView } from "./glyphs.js";

const ROW_EM = 2;

/** "Append entries" from "AppendEntries". */
export function typeWords(type) {
  const words = String(type).replace(/_/g, " ").replace(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase();
  return words[0].toUpperCase() + words.slice(1);
}

const EVENT_WORDS = {
  start: (node) => `${node} starts`,
  timer: (node, name) => `${node}’s ${name} timer runs out`,
  timeout: (node, detail) => `${node}’s ${detail?.timer ?? "timer"} is made to run out`,
  write: (node) => `${node}’s disk has the write`,
  crash: (node) => `${node} crashes`,
  restart: (node, detail) => `${node} restarts${detail?.disk === false ? " without its disk" : ""}`,
  absent: (node) => `${node} is absent`,
  join: (node, detail) => `${node} joins${detail?.to ? ` through ${detail.to}` : ""}`,
  leave: (node) => `${node} leaves`,
  pause: (node) => `${node} is paused`,
  resume: (node) => `${node} resumes`,
  skew: (node, detail) => `${node}’s clock is off by ${valueText(detail?.offset ?? 0)} ms, rate ${valueText(detail?.rate ?? 1)}`,
  load_dice: (node, detail) => `${node}’s next draws come out as ${(detail?.outcomes ?? []).join(", ")}`,
  turn_traitor: (node, detail) => `${node} becomes a traitor: ${detail?.behaviour}`,
  turn_loyal: (node) => `${node} is loyal again`,
  lose_disk: (node) => `${node} loses its disk`,
  invoke: (node, detail) => `${node} asks ${valueText(detail?.command)}`,
  complete: (node, detail) => `${node} is answered ${valueText(detail?.result)}`,
  request: (node, detail) => `a request for ${valueText(detail?.command)}`,
  partition: (node, detail) => `partition ${(detail?.groups ?? []).map((group) => group.join(" ")).join(" | ")}`,
  heal: () => "every link is whole again",
  cut: (node, detail) => `${detail.source} to ${detail.target} is cut`,
  mend: (node, detail) => `${detail.source} to ${detail.target} is mended`,
  link: (node, detail) => `${detail.source} to ${detail.target} changes its quality`,
};
const MESSAGE_WORDS = {
  deliver: "arrives", drop: "is lost", hold: "is held", release: "is released", delay: "is delayed", duplicate: "is duplicated",
};

/** One event as a plain sentence without a stop; the narration where there is one. */
export function eventWords(trace, i) {
  const says = trace.says(i);
  if (says?.[0]) return plainText(says[0]);
  const kind = trace.kind(i);
  const k = trace.message(i);
  const detail = trace.detail(i);
  if (MESSAGE_WORDS[kind] && k !== null) {
    const reason = kind === "drop" && typeof detail === "string" ? ` (${detail})` : "";
    return `${typeWords(trace.messages.type(k))} from ${trace.messages.from(k)} to ${trace.messages.to(k)} ${MESSAGE_WORDS[kind]}${reason}`;
  }
  return EVENT_WORDS[kind]?.(trace.node(i), detail) ?? [trace.node(i), kind].filter(Boolean).join(" ");
}

/** Ids of the events that pass a filter {node, kind, text, among}; `among` is a Set of ids or null. */
export function filterEvents(trace, { node = "", kind = "", text = "", among = null }) {
  const wanted = text.trim().toLowerCase();
  const found = [];
  for (let i = 0; i < trace.n; i++) {
    if (node && trace.node(i) !== node) continue;
    if (kind && trace.kind(i) !== kind) continue;
    if (among && !among.has(i)) continue;
    if (wanted && !eventWords(trace, i).toLowerCase().includes(wanted)) continue;
    found.push(i);
  }
  return found;
}

/** The events as text to keep: "csv" or "json". */
export function eventsFile(trace, ids, form) {
  const rows = ids.map((i) => ({
    event: i, time_us: trace.time(i), node: trace.node(i), kind: trace.kind(i), cause: trace.cause(i), text: eventWords(trace, i),
  }));
  if (form === "json") return `${JSON.stringify(rows, null, 1)}\n`;
  const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replace(/"/g, "\"\"")}"` : value);
  const lines = rows.map((row) => Object.values(row).map((value) => quoted(String(value ?? ""))).join(","));
  return `${["event,time_us,node,kind,cause,text", ...lines].join("\n")}\n`;
}

export function createEventsView(ctx) {
  const { doc, store, spec } = ctx;
  const choices = (label, values) => menuOf(doc, { class: "ds-input", "aria-label": label, onchange: refilter }, values);
  const byNode = choices("Node", [["", "any node"], ...[...spec.servers, ...spec.clients ?? []].map((id) => [id, id])]);
  const byKind = choices("Kind", [["", "any kind"]]);
  const byText = h(doc, "input", { class: "ds-input", type: "search", placeholder: "Find", "aria-label": "Text", oninput: refilter });
  const save = (form) => h(doc, "button", { class: "ds-btn ds-lab", type: "button", "aria-label": `Download ${form}`, onclick: () => download(form.toLowerCase()) },
    ctx.icon("download"), form);
  const caption = h(doc, "caption", {});
  const above = h(doc, "tr", { "aria-hidden": "true" });
  const below = h(doc, "tr", { "aria-hidden": "true" });
  const body = h(doc, "tbody", {}, above, below);
  const rows = new Map();
  const table = h(doc, "table", { class: "ds-table" }, caption,
    h(doc, "thead", {}, h(doc, "tr", {}, ["Time, s", "Node", "Kind", "What happens"].map((name) => h(doc, "th", { scope: "col" }, name)))), body);
  const scroller = h(doc, "div", { class: "ds-events-scroll", onscroll: () => draw() }, table);
  const el = h(doc, "div", { class: "ds-events" },
    h(doc, "div", { class: "ds-filters", role: "group", "aria-label": "Filter the events" }, byNode, byKind, byText, save("CSV"), save("JSON")), scroller);
  let trace = null;
  let ids = [];
  let shown = "";
  let current = -1;
  let subject = -1;
  body.addEventListener("keydown", onKey);

  function refilter() {
    const among = subject >= 0 ? trace.past(subject).add(subject) : null;
    ids = filterEvents(trace, { node: byNode.value, kind: byKind.value, text: byText.value, among });
    caption.textContent = `Branch ${store.branch.id}, ${ids.length === trace.n ? "" : `${ids.length} of `}${countText(trace.n, "event")}`
      + (among ? `, only the causal past of event ${subject}` : "");
    shown = "";
    draw();
    reveal(place(current));
    draw();
  }

  // The event whose causal past is asked for, or -1.
  function causalSubject() {
    if (!store.causalOnly) return -1;
    const { kind, id } = store.selection ?? {};
    if (kind === "property") return store.branch.verdicts?.find((verdict) => verdict.name === id)?.event ?? -1;
    if (kind === "message") return store.trace.messages.sentEvent(id);
    return kind === "event" ? Number(id) : current;
  }

  function newTrace() {
    trace = store.trace;
    const had = body.contains(el.getRootNode().activeElement);
    rows.clear();
    body.replaceChildren(above, below);
    const kinds = [...new Set(trace.events?.kind ?? Array.from({ length: trace.n }, (_, i) => trace.kind(i)))].sort();
    const kept = byKind.value;
    byKind.replaceChildren(...["", ...kinds].map((kind) => h(doc, "option", { value: kind }, kind ? kind.replace("_", " ") : "any kind")));
    byKind.value = kinds.includes(kept) ? kept : "";
    refilter();
    if (had) body.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
  }

  // Row of the newest listed event at or before `event`.
  function place(event) {
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ids[middle] <= event) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  const rowPx = () => ROW_EM * (parseFloat(doc.defaultView?.getComputedStyle(el).fontSize) || 13);

  function reveal(row) {
    const top = row * rowPx();
    const room = (scroller.clientHeight || 260) - 2.4 * rowPx();
    if (top < scroller.scrollTop || top > scroller.scrollTop + room - rowPx()) scroller.scrollTop = Math.max(0, top - room / 2);
  }

  function draw() {
    if (!trace) return;
    const count = Math.ceil((scroller.clientHeight || 300) / rowPx()) + 4;
    const first = Math.max(0, Math.min(ids.length - count, Math.floor(scroller.scrollTop / rowPx()) - 2));
    const last = Math.min(ids.length, first + count);
    const look = `${first} ${last} ${current} ${JSON.stringify(store.selection)}`;
    if (look === shown) return;
    shown = look;
    const had = body.contains(el.getRootNode().activeElement);
    above.style.height = `${first * ROW_EM}em`;
    below.style.height = `${(ids.length - last) * ROW_EM}em`;
    const now = ids[place(current)];
    const stop = now >= ids[first] && now <= ids[last - 1] ? now : ids[first];
    placeRows(ids.slice(first, last), now, stop);
    table.setAttribute("aria-rowcount", ids.length + 1);
    if (had && !body.contains(el.getRootNode().activeElement)) rows.get(stop)?.querySelector("button").focus({ preventScroll: true });
  }

  // Rows that stay are left where they are, so that the one with the focus keeps it.
  function placeRows(shownIds, now, stop) {
    const wanted = new Set(shownIds);
    for (const [i, row] of rows) {
      if (wanted.has(i)) continue;
      row.remove();
      rows.delete(i);
    }
    let next = above.nextSibling;
    for (const i of shownIds) {
      if (!rows.has(i)) rows.set(i, makeRow(i));
      const row = rows.get(i);
      if (row === next) next = row.nextSibling;
      else body.insertBefore(row, next);
      const time = i === now ? "ds-now" : i > current ? "ds-later" : null;
      setAttrs(row, { class: time, "aria-current": i === now ? "true" : null, "data-chosen": isChosen(i) ? "true" : null });
      setAttrs(row.querySelector("button"), { tabindex: i === stop ? 0 : -1 });
    }
  }

  // The chosen event, or both ends of the chosen message.
  function isChosen(i) {
    const { kind, id } = store.selection ?? {};
    if (kind === "message") return trace.message(i) === id || (trace.messages.sentEvent(id) === i);
    return kind === "event" && Number(id) === i;
  }

  function makeRow(i) {
    const go = h(doc, "button", { class: "ds-event-go", type: "button", "data-event": i, "aria-label": `${clockText(trace.time(i))}, event ${i}` },
      clockText(trace.time(i)));
    return h(doc, "tr", { onclick: () => ctx.seek({ event: i }) }, h(doc, "td", {}, go), h(doc, "td", {}, trace.node(i) ?? ""),
      h(doc, "td", {}, trace.kind(i).replace("_", " ")), h(doc, "td", {}, eventWords(trace, i)));
  }

  function onKey(event) {
    const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10 }[event.key];
    const here = Number(event.target.dataset?.event ?? -1);
    if (!step || here < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const target = Math.min(ids.length - 1, Math.max(0, place(here) + step));
    reveal(target);
    draw();
    rows.get(ids[target])?.querySelector("button").focus({ preventScroll: true });
  }

  function download(form) {
    const type = form === "csv" ? "text/csv" : "application/json";
    const url = doc.defaultView.URL.createObjectURL(new doc.defaultView.Blob([eventsFile(trace, ids, form)], { type }));
    h(doc, "a", { href: url, download: `${spec.system}-${store.branch.id}-events.${form}` }).click();
    doc.defaultView.setTimeout(() => doc.defaultView.URL.revokeObjectURL(url), 1000);
  }

  function update(frame) {
    const moved = frame.event !== current;
    current = frame.event;
    const last = subject;
    subject = causalSubject();
    if (trace === store.trace && subject !== last) refilter();
    if (trace !== store.trace) newTrace();
    else if (moved) reveal(place(current));
    draw();
  }

  return { el, update, focus: () => body.querySelector("[tabindex='0']")?.focus() };
}

const PRINTED_EVENTS = 120;

/** What happened up to the cursor, in words, for paper: filled when the page is printed. */
export function createPrintTable(ctx) {
  const { doc, store } = ctx;
  const el = h(doc, "div", { class: "ds-print" });

  function fill() {
    const { trace, cursor } = store;
    const told = [];
    for (let i = cursor.event; i >= 0 && told.length < PRINTED_EVENTS; i--) if (trace.says(i)) told.unshift(i);
    const cells = (i) => [clockText(trace.time(i)), trace.node(i) ?? "", eventWords(trace, i)].map((text) => h(doc, "td", {}, text));
    el.replaceChildren(h(doc, "table", { class: "ds-table" }, h(doc, "caption", {}, `Branch ${store.branch.id} up to ${clockText(cursor.time_us)} s`),
      h(doc, "thead", {}, h(doc, "tr", {}, ["Time, s", "Node", "What happens"].map((name) => h(doc, "th", { scope: "col" }, name)))),
      h(doc, "tbody", {}, told.map((i) => h(doc, "tr", {}, cells(i))))));
  }

  return { el, fill, clear: () => el.replaceChildren() };
}

/** The cluster diagram as two tables: node states and messages in flight. */
export function createTableView(ctx) {
  const { doc, store, spec } = ctx;
  const el = h(doc, "div", { class: "ds-tables", role: "region", "aria-label": "Table view", tabindex: "0" });
  const cellRow = (first, rest) => h(doc, "tr", {}, h(doc, "th", { scope: "row" }, first), rest.map((text) => h(doc, "td", {}, text)));
  const tableOf = (title, names, rows) => h(doc, "table", { class: "ds-table" }, h(doc, "caption", {}, title),
    h(doc, "thead", {}, h(doc, "tr", {}, names.map((name) => h(doc, "th", { scope: "col" }, name)))), h(doc, "tbody", {}, rows));
  let shown = "";

  function update(frame) {
    const look = `${store.branch.id} ${frame.event} ${store.playing ? "" : frame.time_us}`;
    if (look === shown) return;
    shown = look;
    const { messages } = store.trace;
    const hidden = ["role", "term"];
    const present = (name) => [...frame.nodes.values()].some((node) => tableValue(node.fields[name]) !== "");
    const fields = [...new Set(Object.values(spec.fields ?? {}).flat())].filter((name) => !hidden.includes(name) && present(name));
    const views = new Map([...frame.nodes.values()].map((node) => [node, nodeView(node, frame, store.trace, spec)]));
    const eras = new Set([...views.values()].filter((view) => view.term !== null).map((view) => view.era));
    const nodes = [...views].map(([node, view]) => cellRow(node.id, [view.line, valueText(view.term ?? ""), ...fields.map((name) => tableValue(node.fields[name]))]));
    const flying = frame.flying.map((k) => cellRow(typeWords(messages.type(k)), [messages.from(k), messages.to(k),
      messages.dueUs(k) === null ? "" : durationText(Math.max(0, messages.dueUs(k) - frame.time_us)), plainText(messages.gloss(k))]));
    el.replaceChildren(tableOf(clusterName(frame), ["Node", "State", [...eras].join(", ") || "term", ...fields.map((name) => name.replace(/_/g, " "))], nodes),
      flying.length ? tableOf("In flight", ["Message", "From", "To", "Arrives in", "Says"], flying) : h(doc, "p", { class: "ds-quiet" }, "No message is in flight."));
  }

  return { el, update, focus: () => el.focus() };
}

function tableValue(value) {
  if (value === undefined) return "";
  if (Array.isArray(value)) return countText(value.length, "item");
  const plain = value && typeof value === "object" && !value["@"];
  return plain ? Object.entries(value).map(([name, item]) => `${name} ${valueText(item)}`).join("  ") : valueText(value ?? "");
}
