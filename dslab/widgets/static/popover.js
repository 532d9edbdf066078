// What a node or a message is, why, and what can be done to it.
import { clockText, countText, durationText, h, markup, s } from "./format.js";
import { groupLetter, nodeView } from "./glyphs.js";
import { eventWords, typeWords } from "./events.js";
import { causeChain, effectChain, effectWords, fieldHistory, fieldName, fieldText, isMap, itemText, messageDiff, sparkPath } from "./causes.js";

// A map changes key by key: only what is new stands out.
function mapNode(doc, value, old) {
  return h(doc, "span", { class: "ds-map" }, Object.entries(value).map(([name, item]) => h(doc, "span",
    { class: old && JSON.stringify(old[name]) !== JSON.stringify(item) ? "ds-changed" : null }, `${name} ${itemText(item)}`)));
}

// The value and, where it differs, what it was.
function fieldNode(doc, value, old, differs) {
  if (isMap(value) && Object.keys(value).length > 0 && Object.keys(value).length <= 8) return [mapNode(doc, value, differs && isMap(old) ? old : null)];
  const cells = plainFieldNode(doc, value);
  if (differs) {
    cells[0].classList.add("ds-changed");
    if (old !== undefined && !(Array.isArray(value) && value.length > 3)) cells.push(h(doc, "span", { class: "ds-was" }, "was ", h(doc, "s", {}, fieldText(old))));
  }
  return cells;
}

function plainFieldNode(doc, value) {
  const long = Array.isArray(value) ? value.length > 3 : value && typeof value === "object" && Object.keys(value).length > 8;
  if (!long) return [h(doc, "span", { class: "ds-value" }, fieldText(value))];
  const items = Array.isArray(value) ? value.map((item, i) => [i + 1, item]) : Object.entries(value);
  return [h(doc, "details", {}, h(doc, "summary", {}, countText(items.length, "item")),
    h(doc, "ol", { class: "ds-items" }, items.map(([name, item]) => h(doc, "li", {}, `${name}  ${itemText(item)}`))))];
}

// The frame both share: title, close button, Escape, focus that returns to where it came from.
function popoverShell(ctx, name) {
  const { doc } = ctx;
  const id = ctx.uid(name);
  const title = h(doc, "b", { id });
  const line = h(doc, "span", {});
  const body = h(doc, "div", { class: "ds-pop-body", tabindex: "0", role: "group", "aria-label": "Details" });
  const verbs = h(doc, "div", { class: "ds-pop-verbs" });
  const el = h(doc, "div", { class: `ds-pop ds-pop-${name}`, role: "dialog", "aria-labelledby": id, hidden: true, onkeydown: onKey },
    h(doc, "div", { class: "ds-pop-head" }, h(doc, "div", { class: "ds-pop-title" }, title, line),
      h(doc, "button", { class: "ds-btn", type: "button", "aria-label": "Close", onclick: close }, ctx.icon("cross"))),
    body, verbs);
  let opener = null;

  function onKey(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (form.close) form.close();
    else close();
  }

  function close() {
    ctx.close();
    if (opener?.isConnected) opener.focus();
    opener = null;
  }

  function focus() {
    const { activeElement } = el.getRootNode();
    if (activeElement && !el.contains(activeElement)) opener = activeElement;
    (verbs.querySelector("button:not([aria-disabled])") ?? el.querySelector("button")).focus();
  }

  /** A small form in place of the verbs: fields [[name, label, attributes]], then apply({name: text}). */
  function form(heading, fields, apply) {
    const done = () => { form.close = null; grid.hidden = false; asked.remove(); grid.querySelector("button")?.focus(); };
    const grid = verbs.firstChild;
    const inputs = fields.map(([field, label, attrs]) => [field, label, attrs.choices
      ? h(doc, "select", { class: "ds-input" }, attrs.choices.map((choice) => h(doc, "option", { value: choice }, fieldName(choice))))
      : h(doc, "input", { class: "ds-input", required: true, ...attrs })]);
    const asked = h(doc, "form", { class: "ds-form", onsubmit: (event) => {
      event.preventDefault();
      done();
      apply(Object.fromEntries(inputs.map(([field, , input]) => [field, input.value])));
    } }, h(doc, "b", {}, heading), inputs.map(([, label, input]) => h(doc, "label", {}, h(doc, "span", {}, label), input)),
    h(doc, "div", { class: "ds-row" }, h(doc, "button", { class: "ds-btn ds-solid" }, "Apply"),
      h(doc, "button", { class: "ds-btn ds-lab", type: "button", onclick: done }, "Cancel")));
    form.close = done;
    grid.hidden = true;
    verbs.append(asked);
    inputs[0][2].focus();
  }

  /** Verb rows: possible ones in columns, the others below with their reason. */
  function drawVerbs(list) {
    const look = JSON.stringify(list.map(({ id: verb, name: words, why }) => [verb, words, why]));
    if (verbs.dataset.look === look) return;
    const had = verbs.contains(el.getRootNode().activeElement);
    form.close = null;
    verbs.dataset.look = look;
    const [{ why = null } = {}] = list;
    if (why && list.length > 1 && list.every((verb) => verb.why === why)) {
      verbs.replaceChildren(h(doc, "p", { class: "ds-gloss ds-quiet" }, `Nothing can be done to it now: ${why}.`));
      return;
    }
    const able = list.filter((verb) => !verb.why);
    const unable = list.filter((verb) => verb.why);
    const many = unable.length > 2;
    verbs.replaceChildren(h(doc, "div", {}, able.length > 0 && h(doc, "div", { class: "ds-verbs" }, able.map(verbButton)),
      unable.length > 0 && h(doc, "div", { class: `ds-verbs ds-unable ${many ? "is-many" : ""}` }, unable.map(verbButton),
        many && h(doc, "p", { class: "ds-quiet", "aria-hidden": "true" }, `Not now: ${unable.at(-1).why}.`))));
    if (had) verbs.querySelector("button")?.focus();
  }

  function verbButton(verb) {
    return h(doc, "button", {
      class: "ds-verb", type: "button", "data-verb": verb.id, "aria-disabled": verb.why ? "true" : null,
      "aria-keyshortcuts": verb.why ? null : verb.key,
      onclick: () => (verb.why ? ctx.notice(`${verb.name} unavailable: ${verb.why}.`) : verb.run()),
    }, verb.icon && ctx.icon(verb.icon), h(doc, "span", {}, verb.name),
    verb.why ? [h(doc, "span", { class: "ds-vh" }, " unavailable: "), h(doc, "span", { class: "ds-why" }, verb.why)] : verb.key && h(doc, "kbd", { "aria-hidden": "true" }, verb.key));
  }

  return { el, title, line, body, focus, form, drawVerbs, close };
}

const rowOf = (doc, name, ...value) => h(doc, "tr", {}, h(doc, "th", { scope: "row" }, fieldName(name)), h(doc, "td", {}, ...value));

/** Fields of a message as text: term=3; granted=true. Lists and maps are left out. */
export function lieText(payload) {
  const plain = Object.entries(payload ?? {}).filter(([name, value]) => name !== "@" && (value === null || typeof value !== "object"));
  return plain.map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`).join("; ");
}

/** The arguments of turn_traitor from a form's text; a value that is no JSON is text. */
export function treasonOf({ fields, to, by }) {
  const made = {};
  if (fields !== undefined) {
    made.fields = {};
    for (const lie of fields.split(";").filter((part) => part.trim())) {
      const [name, ...rest] = lie.split("=");
      made.fields[name.trim()] = jsonOrText(rest.join("=").trim());
    }
  }
  if (to?.trim()) made.to = to.trim().split(/[\s,]+/);
  if (by !== undefined) made.by = Number(by);
  return made;
}

function jsonOrText(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function createNodePopover(ctx) {
  const { doc, store, spec } = ctx;
  const shell = popoverShell(ctx, "node");
  const { el, form } = shell;
  let shown = "";
  let frame = null;

  function update(next) {
    frame = next;
    const node = store.selection?.kind === "node" ? frame.nodes.get(store.selection.id) : null;
    el.hidden = !node;
    if (!node) return;
    shell.title.textContent = node.id;
    shell.line.textContent = nodeLineWords(node);
    const look = `${store.branch.id} ${node.id} ${frame.event} ${store.watch?.get(node.id)}`;
    if (look !== shown) shell.body.replaceChildren(stateTable(node));
    shown = look;
    shell.drawVerbs(nodeVerbs(node));
  }

  function nodeLineWords(node) {
    const view = nodeView(node, frame, store.trace, spec);
    const group = groupLetter(frame.groups, node.id);
    const role = view.term !== null && node.status === "up" ? `${view.line.replace(/, cut off$/, "")} ${node.fields.role === "leader" ? "of" : "in"} ${"term" in node.fields ? "term" : "view"} ${view.term}` : view.line;
    return [role, group && `group ${group}`].filter(Boolean).join(", ");
  }

  function stateTable(node) {
    const names = spec.fields?.[node.id] ?? Object.keys(node.fields);
    return h(doc, "table", { class: `ds-state ${node.status === "crashed" ? "is-stale" : ""}`, "aria-label": `State of ${node.id}` }, h(doc, "tbody", {},
      names.filter((name) => name !== "role" && name in node.fields).map((name) => stateRow(node, name))));
  }

  function stateRow(node, name) {
    const value = node.fields[name];
    const changed = node.changed.includes(name) && JSON.stringify(node.before[name]) !== JSON.stringify(value);
    const cells = fieldNode(doc, value, node.before[name], changed);
    if (store.watch?.get(node.id) === name) cells.push(h(doc, "span", { class: "ds-quiet" }, " watched"));
    const row = rowOf(doc, name, cells);
    const history = typeof value === "number" ? fieldHistory(store.trace, node.id, name, frame.event) : [];
    row.append(h(doc, "td", { class: "ds-spark" }, history.length > 1 && s(doc, "svg", { viewBox: "0 0 70 16", "aria-hidden": "true" },
      s(doc, "path", { d: sparkPath(history, frame.time_us) }))));
    return row;
  }

  function nodeVerbs(node) {
    const allowed = (verb) => spec.verbs.includes(verb);
    const down = node.status === "crashed";
    const paused = node.status === "paused";
    const act = (verb, args = {}) => () => ctx.send(verb, { node: node.id, ...args });
    const timers = Object.keys(node.timers);
    const timeout = () => (timers.length < 2 ? act("timeout")()
      : form("Make a timer run out", [["timer", "Timer", { choices: timers }]], (answer) => act("timeout", answer)()));
    const rows = node.kind === "client" ? [["request", "request", "Request…", "C", askRequest]] : [
      ["crash", "crash", "Crash", "K", act("crash")],
      paused ? ["resume", "play", "Resume", "P", act("resume")] : ["pause", "pausenode", "Pause", "P", act("pause")],
      ["request", "request", "Request…", "C", askRequest],
      ["timeout", "timeout", "Time out now", null, timeout],
      ["step", "step", "Step this node", null, stepNode],
      ["skew", "clock", "Skew clock…", null, askSkew],
      ["lose_disk", "disk", "Lose disk", null, act("lose_disk")],
      ["turn_traitor", "traitor", "Make traitor…", null, askTreason],
      ...(node.treason ? [["turn_loyal", "heal", "Make loyal", null, act("turn_loyal")]] : []),
      ["watch", "watch", "Watch field…", null, askWatch],
    ];
    const restart = ["restart", "restart", "Restart", "R", act("restart")];
    if (node.status === "absent") rows.unshift(["join", "request", "Join", "J", act("join")]);
    else if (!down && "bits" in node.fields) rows.splice(1, 0, ["leave", "minus", "Leave", "O", act("leave")]);
    if (down) rows.unshift(restart, ["restart", "restart", "Restart without disk", null, act("restart", { disk: false })]);
    else if (node.kind !== "client") rows.push(restart);
    return rows.filter(([verb]) => verb === "step" || verb === "watch" || allowed(verb)).map(([verb, icon, name, key, run]) => ({
      id: name === "Restart without disk" ? "restart-without-disk" : verb, icon, name, key, run,
      why: verb === "watch" ? null : verb === "step" ? (nextAt(node.id) < 0 ? "no later event" : null) : ctx.reason(verb, node.id),
    }));

    function askRequest() {
      const to = node.kind === "client" ? {} : { to: node.id };
      form(`Ask ${node.kind === "client" ? "the cluster" : node.id}`, [["command", "Command", { value: `x=${frame.event % 90 + 10}` }]],
        ({ command }) => ctx.send("request", { command, ...to, ...(node.kind === "client" && node.id !== "c1" ? { client: node.id } : {}) }));
    }

    function askSkew() {
      form("Skew the clock", [["offset", "Ahead by, ms", { type: "number", value: node.skew?.offset ?? 100, step: "any" }],
        ["rate", "Rate (1 = right)", { type: "number", value: node.skew?.rate ?? 1, min: 0.01, max: 100, step: "any" }]], ({ offset, rate }) => {
        const args = {};
        if (Number(offset)) args.offset = Number(offset);
        if (Number(rate) !== 1) args.rate = Number(rate);
        act("skew", args)();
      });
    }

    function askTreason() {
      form("Make it a traitor", [["behaviour", "Behaviour", { choices: ["silent", "equivocate", "corrupt", "delay"] }]], ({ behaviour }) => {
        const lies = ["fields", "It says", { class: "ds-input ds-wide", value: lastWords(), placeholder: "term=9; granted=true" }];
        const others = [...spec.servers, ...spec.clients ?? []].filter((id) => id !== node.id);
        const to = (required) => ["to", "Only to", { required, placeholder: others.slice(-2).join(" "), value: required ? others.at(-1 - (spec.clients ?? []).length) : "" }];
        const asked = {
          silent: [to(false)], equivocate: [lies, to(true)], corrupt: [lies], delay: [["by", "Late by, ms", { type: "number", min: 0, value: 100, step: "any" }], to(false)],
        }[behaviour];
        form(`${node.id}: ${behaviour}`, asked, (answer) => act("turn_traitor", { behaviour, ...treasonOf(answer) })());
      });
    }

    // What the node said last, as a lie to begin with.
    function lastWords() {
      const { messages } = store.trace;
      for (let k = messages.count - 1; k >= 0; k--) {
        if (messages.from(k) === node.id && messages.sentEvent(k) <= frame.event) return lieText(messages.payload(k));
      }
      return "";
    }

    function askWatch() {
      form("Watch a field", [["field", "Field", { choices: ["none", ...(spec.fields?.[node.id] ?? [])] }]], ({ field }) => {
        store.watch ??= new Map();
        if (field === "none") store.watch.delete(node.id);
        else store.watch.set(node.id, field);
        ctx.select({ kind: "node", id: node.id });
      });
    }

    function stepNode() {
      ctx.seek({ event: nextAt(node.id) });
    }
  }

  function nextAt(id) {
    for (let i = frame.event + 1; i < store.trace.n; i++) if (store.trace.node(i) === id) return i;
    return -1;
  }

  return { el, update, focus: shell.focus };
}

export function createMessageInspector(ctx) {
  const { doc, store, spec } = ctx;
  const shell = popoverShell(ctx, "message");
  const { el } = shell;
  let shown = "";

  function update(frame) {
    const k = store.selection?.kind === "message" ? Number(store.selection.id) : -1;
    el.hidden = !(k >= 0 && k < store.trace.messages.count);
    if (el.hidden) return;
    const { messages } = store.trace;
    shell.title.textContent = typeWords(messages.type(k));
    shell.line.textContent = `${messages.from(k)} → ${messages.to(k)}, ${fateWords(frame, k)}`;
    const look = `${store.branch.id} ${store.branch.digest} ${k}`;
    if (look !== shown) shell.body.replaceChildren(...inspection(k));
    shown = look;
    shell.drawVerbs(messageVerbs(frame, k));
  }

  function fateWords(frame, k) {
    const { trace } = store;
    const { messages } = trace;
    const end = messages.endEvent(k);
    if (frame.event < messages.sentEvent(k)) return `sent at ${clockText(messages.sentUs(k))} s`;
    if (end !== null && end <= frame.event) return `${messages.fate(k) === "dropped" ? "lost" : "arrived"} at ${clockText(trace.time(end))} s`;
    const { held, due } = trace.motionAt(k, frame.event);
    if (held || due === null) return "held";
    return `arrives in ${durationText(Math.max(0, due - frame.time_us))}`;
  }

  function inspection(k) {
    const { trace } = store;
    const { messages } = trace;
    const end = messages.endEvent(k);
    const diff = messageDiff(trace, k);
    return [
      messages.gloss(k) && h(doc, "p", { class: "ds-gloss" }, markup(doc, messages.gloss(k))),
      diff.length > 0 && h(doc, "table", { class: "ds-state", "aria-label": "Fields" }, h(doc, "tbody", {}, diff.map(([name, value, old]) => rowOf(doc, name, fieldNode(doc, value, old, old !== undefined))))),
      h(doc, "table", { class: "ds-state ds-chains" }, h(doc, "tbody", {},
        rowOf(doc, "Why?", chainNode(causeChain(trace, messages.sentEvent(k)).reverse(), eventWords)),
        rowOf(doc, "What then?", end === null ? "not decided yet" : chainNode(effectChain(trace, end), effectWords)))),
    ].filter(Boolean);
  }

  // The end of the chain at once; the steps between on demand.
  function chainNode(chain, words) {
    const link = (i) => h(doc, "button", { class: "ds-step", type: "button", onclick: () => ctx.seek({ event: i }) },
      words(store.trace, i), h(doc, "span", { class: "ds-quiet" }, ` (event ${i})`));
    return [link(chain[0]), chain.length > 1 && h(doc, "details", {}, h(doc, "summary", {}, `+${chain.length - 1}`, h(doc, "span", { class: "ds-vh" }, " more steps")),
      h(doc, "ol", { class: "ds-items" }, chain.slice(1).map((i) => h(doc, "li", {}, link(i)))))];
  }

  function messageVerbs(frame, k) {
    const { held } = store.trace.motionAt(k, frame.event);
    const act = (verb, args = {}) => () => ctx.send(verb, { message: k, ...args });
    const delay = () => shell.form("Delay", [["by", "By, ms", { type: "number", min: 1, value: 100, step: "any" }]], ({ by }) => act("delay", { by: Number(by) })());
    return [
      ["deliver", "Deliver", null, act("deliver")], ["drop", "Drop", "D", act("drop")],
      held ? ["release", "Release", "H", act("release")] : ["hold", "Hold", "H", act("hold")],
      ["delay", "Delay…", null, delay], ["duplicate", "Twice", "U", act("duplicate")],
    ].filter(([verb]) => spec.verbs.includes(verb)).map(([verb, name, key, run]) => ({
      id: verb, name, key, run, why: ctx.reason(verb, k) ?? (frame.flying.includes(k) ? null : "not in flight"),
    }));
  }

  return { el, update, focus: shell.focus };
}
