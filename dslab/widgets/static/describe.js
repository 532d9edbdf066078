// The state in words, and the help dialog: description, legend, keys, switches.
import { clockText, countText, h, listText, s, setText, termClass } from "./format.js";
import { CLASS_WORDS, groupLetter, messageMark, nodeView, starPath } from "./glyphs.js";
import { typeWords } from "./events.js";
import { parts } from "./parts.js";

const KEYS = [
  ["Tab, Shift-Tab", "next, previous region"], ["Arrows", "move among nodes, cells, events"], ["Enter", "inspect, open the verbs"], ["Space", "play, pause"],
  [", .", "step back, forward"], ["< >", "previous, next interesting event"], ["/", "run until a condition"], ["[ ]", "slower, faster"], ["Home, End", "start, end"],
  ["K R P", "crash, restart, pause the node"], ["C", "client request"], ["M, Shift-M", "next, previous message in flight"],
  ["D U H", "drop, duplicate, hold the message"], ["G and a digit", "group for a partition"], ["X", "link matrix"], ["B, Shift-B", "next branch, fork here"],
  ["I", "properties"], ["Y", "causal past of the selection"], ["L", "event log"], ["S", "space-time diagram"], ["Enter, Shift-Enter", "there: choose an event, relate another to it"], ["V", "compare with the other branch"], ["T", "table view"], ["?", "this help"], ["Esc", "close, then leave the widget"],
];

/** One paragraph of what is the case now. */
export function describeFrame(frame, store) {
  const { trace, branch } = store;
  const spec = trace.spec;
  const nodes = [...frame.nodes.values()].filter((node) => node.kind === "server");
  const said = [`${clockText(frame.time_us)} seconds, event ${frame.event + 1}${store.locked ? "" : ` of ${trace.n}`}${branch ? `, branch ${branch.id}` : ""}.`];
  said.push(...nodes.map((node) => {
    const view = nodeView(node, frame, trace, spec);
    const commit = node.fields.commit_index;
    const facts = [view.line || node.status, node.status !== "crashed" && view.term !== null && `${view.era} ${view.term}`,
      node.fields.log && countText(node.fields.log.length, "log entry", "log entries"), commit !== undefined && `${commit} committed`];
    return `${node.id}: ${facts.filter(Boolean).join(", ")}.`;
  }));
  if (frame.groups) said.push(`Partition: ${frame.groups.map((group) => `${groupLetter(frame.groups, group[0])} is ${listText(group)}`).join("; ")}.`);
  else if (frame.cut.size) said.push(`Cut: ${listText([...frame.cut].map((link) => link.replace(">", " to ")))}.`);
  const { messages } = trace;
  const flying = frame.flying.slice(0, 5).map((k) => `${typeWords(messages.type(k)).toLowerCase()} from ${messages.from(k)} to ${messages.to(k)}`);
  const rest = frame.flying.length - flying.length;
  if (rest) flying.push(`${rest} more`);
  said.push(flying.length ? `In flight: ${listText(flying)}.` : "No message is in flight.");
  return said.join(" ");
}

/** The state in words, below the head: kept up to date while it is open. */
export function createDescription(ctx) {
  const { doc, store } = ctx;
  const el = h(doc, "div", { class: "ds-notice ds-description", role: "region", "aria-label": "Description", tabindex: "-1", hidden: true });
  return {
    el,
    update: (frame) => setText(el, describeFrame(frame, store)),
    focus: () => el.focus(),
  };
}

export function createHelp(ctx) {
  const { doc, store } = ctx;
  const title = ctx.uid("help");
  const now = h(doc, "p", {});
  const el = h(doc, "div", { class: "ds-help", role: "dialog", "aria-labelledby": title, hidden: true, onkeydown: (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  } },
  h(doc, "div", { class: "ds-help-head" }, h(doc, "b", { id: title }, "Help and legend"), h(doc, "button", { class: "ds-btn", type: "button", "aria-label": "Close", onclick: close }, ctx.icon("cross"))),
  h(doc, "div", { class: "ds-help-body", tabindex: "0", role: "region", "aria-label": "Help text" },
    h(doc, "h4", {}, "Now"), now,
    h(doc, "h4", {}, "Legend"), h(doc, "ul", { class: "ds-legend-list" }, legend()),
    h(doc, "h4", {}, "Settings"), toggle("Single-letter keys", "shortcuts", ctx.settings.shortcuts), toggle("Reduced motion", "reduced_motion", ctx.settings.reducedMotion),
    h(doc, "h4", {}, "Keys"), h(doc, "table", { class: "ds-keys" }, h(doc, "tbody", {}, [...KEYS, ...Object.values(parts).flatMap((part) => part.keys?.(ctx.spec) ?? [])].map(([keys, does]) => h(doc, "tr", {}, h(doc, "th", { scope: "row" }, keys), h(doc, "td", {}, does)))))));
  let frame = null;
  let opener = null;

  function legend() {
    const mark = (...parts) => s(doc, "svg", { viewBox: "-17 -17 34 34", "aria-hidden": "true" }, parts);
    const disc = (extra) => s(doc, "circle", { r: 10, class: `ds-nf ${extra ?? termClass(3)}` });
    const cell = (looks) => h(doc, "span", { class: `ds-entry ${looks}`, "aria-hidden": "true" }, h(doc, "span", { class: `ds-entry-term ${termClass(3)}` }, "3"), h(doc, "span", { class: "ds-entry-load" }, h(doc, "span", {}, "x=8")));
    return [
      [mark(disc(), s(doc, "circle", { r: 14, class: "ds-ring-leader" })), "leader: a second ring"],
      [mark(disc(), s(doc, "circle", { r: 14, class: "ds-ring-cand" })), "candidate: a dashed ring"],
      [mark(disc("is-down"), s(doc, "path", { d: "M-5 -5l10 10M5 -5l-10 10", class: "ds-x-down" })), "crashed"],
      [mark(disc(termClass(2)), s(doc, "text", { y: 4.3, "text-anchor": "middle", class: "ds-t12 ds-b ds-on" }, "F2")), "letter: role; number, colour: term, view or ballot"],
      [mark(s(doc, "path", { d: starPath(13, 10), class: "ds-nf ds-term-0" })), "traitor: a star"],
      ...["request", "yes", "no", "heartbeat", "entry", "forged"].map((klass) => [mark(...messageMark(doc, klass, 3)), CLASS_WORDS[klass]]),
      [cell("ds-uncommitted"), "entry, not committed"], [cell("ds-committed"), "entry, committed"], [cell("ds-uncommitted ds-conflicting"), "entry in conflict"],
    ].map(([drawing, text]) => h(doc, "li", {}, drawing, text));
  }

  function toggle(text, name, initial) {
    const box = h(doc, "input", { type: "checkbox", role: "switch", checked: initial, onchange: () => ctx.setting(name, box.checked) });
    return h(doc, "label", { class: "ds-check" }, box, h(doc, "span", {}, text));
  }

  function open() {
    opener = el.getRootNode().activeElement;
    el.hidden = false;
    draw();
    el.querySelector("button").focus();
  }

  function close() {
    el.hidden = true;
    if (opener?.isConnected) opener.focus();
  }

  function draw() {
    if (frame && !el.hidden) now.textContent = describeFrame(frame, store);
  }

  return { el, open, close, focus: open, update(next) { frame = next; draw(); } };
}
