// The widget: one cursor, one selection, and the views that follow them.

import { h, icon, setAttrs, setText, markMore, markup, plainText, clockText } from "./format.js";
import { createSession, NO_KERNEL } from "./session.js";
import { createStage } from "./stage.js";
import { createTimeline } from "./timeline.js";
import { createTransport, createPlayer, nextSpeed, interestingEvents, INTERESTING } from "./transport.js";
import { findUntil, notFoundText, readCondition } from "./conditions.js";
import { createSpeaker, keyAction, keyIsTaken } from "./keys.js";
import { createTools } from "./tools.js";
import { createFrameGuard } from "./guard.js";
import { watchTheme, watchRoom, watchVisible, onePlays, rememberedLayout, stageWidth } from "./host.js";
import { createLinksView } from "./links.js";
import { createSpacetimeView } from "./spacetime.js";
import { createEventsView, createPrintTable, createTableView } from "./events.js";
import { parts } from "./parts.js";
import { createScriptDrawer } from "./script.js";
import { createNodePopover, createMessageInspector } from "./popover.js";
import { createChips } from "./chips.js";
import { createPredict } from "./predict.js";
import { createDescription, createHelp } from "./describe.js";

const MOVES = new Set(["play", "reverse", "step", "stepback", "start", "end", "next", "prev", "until"]);
const CHANGES = new Set(["fork", "bookmark", "undo", "redo", "heal", "rename", "pin", "delete"]);
const TABS = [["cluster", "Cluster"], ["spacetime", "Space-time"], ["links", "Links"], ["events", "Events"]];
const NEEDS_STATUS = {
  crash: ["up", "paused"], restart: ["crashed"], join: ["absent"], leave: ["up"], pause: ["up"], resume: ["paused"], timeout: ["up"], request: ["up"], skew: ["up", "paused"],
};
const STATUS_WORDS = { crashed: "is already down", absent: "is absent", paused: "is paused", up: "is running", restarting: "is restarting" };
const TIGHT_STAGE_PX = 600;      // below, Heal would stand on the uppermost node: the tools fold to icons
const WARM_MS = 8;
let labsMade = 0;

/** anywidget's entry: draws the lab into `el`; the returned function stops and removes it. */
export function render({ model, el }) {
  const lab = createLab(model, el.ownerDocument);
  el.append(lab.root);
  lab.start();
  return lab.destroy;
}

/** The widget without its host: `root` to place, `start()` once placed, `destroy()`. */
export function createLab(model, doc) {
  const win = doc.defaultView;
  const number = ++labsMade;
  let idsMade = 0;
  let frame = null;
  let drawn = "";
  let tab = "cluster";
  let sideTab = "spacetime";
  let popover = null;
  let pending = null;
  let grouping = false;
  let choices = 0;                                           // how many branches have been opened by hand
  let tableMode = false;
  let acted = false;
  let searches = 0;              // a newer one, or any move, ends a search that is under way
  let room = { mode: "wide", width: 1198 };
  const stops = [];

  const root = h(doc, "div", { class: "ds dslab-lab", role: "group", "data-lm-suppress-shortcuts": "true", tabindex: "-1" });
  const live = h(doc, "div", { class: "ds-vh", role: "status", "aria-live": "polite" });
  const speaker = createSpeaker(live, win);
  const session = createSession(model, win, {
    busy: () => notice("Kernel busy: your action is queued."),
    refused: notice,
    data: () => win.queueMicrotask(reload),
    answer: reload,
    selection: (selection) => applySelection(selection),
    cursor: followCursor,
  });
  const { store, spec } = session;
  const partTabs = Object.values(parts).flatMap((part) => part.tabs(spec));
  const settings = {
    reducedMotion: Boolean(spec.reduced_motion) || Boolean(win.matchMedia?.("(prefers-reduced-motion: reduce)").matches),
    shortcuts: spec.shortcuts !== false,
  };
  root.setAttribute("aria-label", `${spec.title ?? spec.system} lab, ${spec.servers.length} servers`);

  const ctx = {
    doc, store, spec, settings, send, select, seek, reason, showTab,
    command, work, setting, query: (what, args) => session.command(what, args), hasTab: (id) => tabButtons.has(id),
    noKernel: spec.recorded ?? (session.live ? null : NO_KERNEL),
    say: (text) => speaker.say(text), notice: (text) => notice(text), icon: (name) => icon(doc, name), uid: (prefix) => `ds${number}-${prefix}-${++idsMade}`,
    close: () => closePopover(), openNode: (id) => openPopover("node", id), openMessage: (k) => openPopover("message", k),
    traceOf: (id) => session.traceOf(id),
  };

  const layoutMemory = rememberedLayout(win);

  // ---- parts ----------------------------------------------------------------------------------------------------
  const go = {
    play: () => (store.playing ? pause() : play(1)), reverse: () => play(-1),
    step: () => seek({ event: store.cursor.event + 1 }), stepback: () => seek({ event: store.cursor.event - 1 }),
    start: () => seek({ us: 0 }), end: () => seek({ us: store.trace.endUs }),
    next: () => interesting(1), prev: () => interesting(-1),
    speed: setSpeed, faster: () => setSpeed(nextSpeed(store.speed, 1)), slower: () => setSpeed(nextSpeed(store.speed, -1)),
    undo: () => ask("undo"), redo: () => ask("redo"), heal: () => send("heal", {}),
    fork: () => ask("fork", { branch: store.branch.id, at_us: Math.floor(store.cursor.time_us) }),
    compare: () => compareBranch(),
    bookmark: () => ask("bookmark", { branch: store.branch.id, event: store.cursor.event, label: bookmarkLabel() }),
    layout: { get: layoutMemory.get, set: chooseLayout }, until: runUntil, rename: (label) => ask("rename", { branch: store.branch.id, label }),
    pin: () => ask("pin", { branch: store.branch.id, pinned: !store.branch.pinned }), delete: () => ask("delete", { branch: store.branch.id }),
  };
  store.interesting = new Set(Object.keys(INTERESTING));
  for (const name of ["start", "prev", "reverse", "end", "fork", "bookmark"]) go[`${name}2`] = () => go[name]();
  const transport = createTransport(ctx, go, controlReason);
  const timeline = createTimeline(ctx, { seek, branch: openBranch, move: (times) => ask("move", { branch: store.branch.id, times_us: times }), locked: () => controlReason("step") });
  const onStage = {
    openNode: (id) => openPopover("node", id), openMessage: (k) => openPopover("message", k), partition: cutGroups,
    focused: () => {}, drafted: () => tools.update(frame),
  };
  const stage = parts.ring?.stage(ctx, onStage) ?? createStage(ctx, onStage);
  const tools = createTools(ctx, {
    request: (command, to) => send("request", { command, ...(to ? { to } : {}) }), partition: cutGroups, heal: go.heal,
    focusNode: () => stage.focusNode(), startDraft, stopDraft, draftGroups: stage.draftGroups, drafting: stage.drafting, frame: () => frame,
  });
  const views = { spacetime: createSpacetimeView(ctx), links: createLinksView(ctx), events: createEventsView(ctx), ...Object.assign({}, ...Object.values(parts).map((part) => part.views(ctx))) };
  const idle = (id) => Boolean(views[id]?.idle?.());       // it has nothing to show, and no tab, yet
  sideTab = partTabs.find(([id]) => !idle(id))?.[0] ?? sideTab;
  const table = createTableView(ctx);
  const paper = createPrintTable(ctx);
  const chips = createChips(ctx);
  const drawer = createScriptDrawer(ctx);
  const predict = createPredict(ctx);
  const help = createHelp(ctx);
  const description = createDescription(ctx);
  const popovers = { node: createNodePopover(ctx), message: createMessageInspector(ctx) };
  const player = createPlayer(win, {
    advance, stepOnce: (way) => stepPlaying(way), speed: () => store.speed, reduced: () => settings.reducedMotion,
    visible: () => visible?.seen() ?? true, paced: (ms) => stage.crowded() && guard.note(ms),
  });
  const guard = createFrameGuard((level) => stage.economize(level));
  let visible = null;
  const only = onePlays(root, () => pause());

  // ---- page -----------------------------------------------------------------------------------------------------
  const headline = h(doc, "div", { class: "ds-headline" });
  const because = h(doc, "p", {});
  const noticeBar = h(doc, "p", { class: "ds-notice", hidden: true });
  const tableButton = headButton("Table view", icon(doc, "table"), () => toggleTable());
  const describeButton = headButton("Describe", icon(doc, "words"), () => toggleDescription());
  const scriptButton = headButton("Script", icon(doc, "code"), () => toggleDrawer());
  const helpButton = headButton("Help and legend", h(doc, "b", {}, "?"), () => toggleHelp());
  const stageArea = h(doc, "div", { class: "ds-stage-area", id: ctx.uid("stage") }, stage.el, table.el, tools.form, tools.hint);
  const side = h(doc, "div", { class: "ds-side", role: "tabpanel", id: ctx.uid("side") }, Object.values(views).map((view) => view.el));
  const allTabs = TABS.toSpliced(1, 0, ...partTabs).map(([id, text]) => [id, id === "cluster" ? stage.title ?? text : text]);
  const tabButtons = new Map(allTabs.map(([id, text]) => [id, h(doc, "button", {
    type: "button", class: "ds-tab", role: "tab", id: ctx.uid("tab"), "data-tab": id, "aria-controls": id === "cluster" ? stageArea.id : side.id,
    onclick: () => showTab(id),
  }, text)]));
  const tabRow = h(doc, "div", { class: "ds-tabs" },
    h(doc, "div", { class: "ds-tablist", role: "tablist", "aria-label": "Views", onkeydown: tabKey }, [...tabButtons.values()]));
  const moreTabs = markMore(tabRow);
  const body = h(doc, "div", { class: "ds-body" }, stageArea, tabRow, side, drawer.el);
  table.el.hidden = true;
  drawer.el.hidden = true;
  root.append(
    h(doc, "div", { class: "ds-head" }, h(doc, "div", { class: "ds-say" }, headline, because),
      h(doc, "div", { class: "ds-head-end" }, chips.el, tableButton, describeButton, scriptButton, helpButton)),
    noticeBar, description.el, ...[chips.bar, predict.el].filter(Boolean), body, transport.el, timeline.el, help.el, paper.el, live);

  function headButton(name, content, onclick) {
    return h(doc, "button", { type: "button", class: "ds-btn", "aria-label": name, title: name, "aria-expanded": "false", onclick }, content);
  }

  // ---- time -----------------------------------------------------------------------------------------------------
  function seek(target) {
    const why = controlReason("step");
    if (why) {
      speaker.say(`Time is locked: ${why}.`);
      return;
    }
    pause();
    searches += 1;
    notice("");
    session.placeCursor(target);
    session.shareCursor();
    refresh("seek");
    speaker.say(plainText(sentence()[0]));
  }

  function play(way) {
    const why = controlReason("play");
    if (why) {
      speaker.say(`Play unavailable: ${why}.`);
      return;
    }
    closePopover();
    notice("");
    if (way > 0 && store.cursor.event >= store.trace.n - 1 && store.cursor.time_us >= store.trace.endUs) session.placeCursor({ us: 0 });
    only.announce();
    searches += 1;
    store.playing = way;
    player.play(way);
    refresh("play");
  }

  function pause() {
    if (!store.playing) return;
    store.playing = 0;
    player.stop();
    session.shareCursor();
    session.flush();
    refresh("pause");
    speaker.say(plainText(sentence()[0]));
  }

  // One animation frame: only what moves is drawn, unless an event was passed.
  function advance(us) {
    const from = store.cursor;
    session.placeCursor({ us: from.time_us + us });
    const { cursor } = store;
    if (stopAtReveal(from, cursor)) return false;
    if (cursor.event !== from.event) {
      narrate(from.event, cursor.event);
      refresh("play");
    } else {
      drawInstant();
    }
    session.lookAhead();
    if (cursor.time_us === from.time_us || cursor.time_us <= 0) {
      if (us !== 0) pause();
      return us === 0;
    }
    return true;
  }

  function stepPlaying(way) {
    const next = store.cursor.event + way;
    if (next < 0 || next >= store.trace.n) {
      pause();
      return false;
    }
    session.placeCursor({ event: next });
    refresh("play");
    session.lookAhead();
    return true;
  }

  // A prediction is about what comes next: play stops where it is decided.
  function stopAtReveal(from, to) {
    const reveal = spec.predict?.reveal_us;
    if (!reveal || !(from.time_us < reveal && to.time_us >= reveal)) return false;
    pause();
    return true;
  }

  function narrate(from, to) {
    if (store.speed > 1) return speaker.hush();
    const [low, high] = from < to ? [from, to] : [to, from];
    for (let i = low + 1; i <= high; i++) {
      const k = store.trace.message(i);
      if (store.trace.kind(i) === "deliver" && k !== null && store.trace.messages.klass(k) === "heartbeat") speaker.heartbeat();
      const says = store.trace.says(i);
      if (says) speaker.say(plainText(says[0]));
    }
  }

  function interesting(way) {
    const list = interestingEvents(store.branch, store.interesting, store.trace.kind);
    const here = store.cursor.event;
    const next = way > 0 ? list.find((event) => event > here) : list.findLast((event) => event < here);
    if (next === undefined) speaker.say(way > 0 ? "Nothing interesting follows." : "Nothing interesting before.");
    else seek({ event: next });
  }

  /** Goes to where a condition becomes true, computing more of the run where it must; returns what is wrong with its text. */
  function runUntil(text) {
    const why = controlReason("until");
    if (why) return `Run until unavailable: ${why}.`;
    try {
      lookFor(text, readCondition(text, spec));
      return null;
    } catch (error) {
      return error.message;
    }
  }

  async function lookFor(text, condition) {
    const search = ++searches;
    pause();
    for (let from = store.cursor.event; ;) {
      const event = findUntil(store.trace, store.branch, from, condition);
      if (event >= 0) return seek({ event });
      from = store.trace.n - 1;
      notice(`${notFoundText(text, store.branch.until_us ?? store.trace.endUs)}. Computing more.`);
      const longer = await session.extend();
      if (search !== searches) return null;                  // something else was asked for meanwhile
      if (!longer) return notice(`${notFoundText(text, store.branch.until_us ?? store.trace.endUs)}.`);
      session.openBranch(store.branch.id);
    }
  }

  function setSpeed(speed) {
    store.speed = speed;
    transport.update();
  }

  function bookmarkLabel() {
    return plainText(sentence()[0]).slice(0, 24);
  }

  function followCursor(cursor) {
    const other = cursor.branch && cursor.branch !== store.branch.id && session.ready(cursor.branch);
    if (other) session.openBranch(cursor.branch);
    session.placeCursor(cursor.time_us !== undefined ? { us: cursor.time_us } : { event: cursor.event });
    pause();
    refresh(other ? "branch" : "seek");
  }

  // ---- acting ---------------------------------------------------------------------------------------------------
  /** Why `verb` cannot be used now, on `target` if given; null if it can. */
  function reason(verb, target) {
    if (spec.verbs && !spec.verbs.includes(verb)) return "this exercise does not use it";
    if (ctx.noKernel) return ctx.noKernel;
    if (controlReason("step")) return controlReason("step");
    if (verb === "heal" && frame && frame.cut.size === 0) return "nothing is cut";
    const node = frame?.nodes.get(target);
    const needs = NEEDS_STATUS[verb];
    if (!node || !needs || needs.includes(node.status)) return null;
    return verb === "resume" || node.status !== "crashed" || verb === "crash" ? `${target} ${STATUS_WORDS[node.status]}` : `${target} is down`;
  }

  function controlReason(name) {
    const control = name.replace("2", "");
    if (store.locked && MOVES.has(control)) return "answer the prediction first";
    if (ctx.noKernel && CHANGES.has(control)) return ctx.noKernel;
    if (control === "undo" && !acted && !store.branches.some((branch) => branch.actions?.length)) return "nothing to undo yet";
    if (control === "redo" && !acted) return "nothing to redo yet";
    return null;
  }

  /** A verb at the cursor (or `atUs`): the cursor stops, the mark appears at once, the answer may be a new branch. */
  async function send(verb, args, atUs) {
    const why = reason(verb, args.node);
    if (why) {
      notice(`${verb} unavailable: ${why}.`);
      return { ok: false, error: why };
    }
    pause();
    closePopover();
    pending = { verb, node: args.node ?? null };
    stage.setPending(pending);
    root.setAttribute("data-pending", verb);
    const chosen = choices;
    const reply = await session.act(verb, args, atUs);
    pending = null;
    stage.setPending(null);
    root.removeAttribute("data-pending");
    return settle(reply, chosen, atUs);
  }

  /** Commands of the panels. A prediction is not sent: it is a trait, so it survives without a kernel. */
  function command(what, args) {
    if (what !== "answer") return ask(what, args);
    session.setAnswer(args);
    return Promise.resolve({ ok: true });
  }

  /** A command that takes its time: `tell` hears how far it is. */
  async function work(what, args, tell) {
    pause();
    const chosen = choices;
    const reply = await session.command(what, args, tell);
    return reply.stopped ? reply : settle(reply, chosen);
  }

  async function ask(what, args) {
    pause();
    const chosen = choices;
    return settle(await session.command(what, args), chosen);
  }

  /** Show what a command has changed; a branch that was opened after the first `chosen` ones stays open. */
  function settle(reply, chosen, us = store.cursor.time_us) {
    acted = true;
    if (!reply.ok) {
      notice(reply.error ?? "That did not work.");
      return reply;
    }
    notice("");
    if (chosen !== choices) {
      reload();
      return reply;
    }
    const before = store.branch.id;
    if (reply.branch && session.ready(reply.branch)) session.openBranch(reply.branch);
    else reload();
    session.placeCursor({ us });
    session.shareCursor();
    refresh("branch");
    if (store.branch.id !== before) speaker.say(`Branch ${store.branch.id} from ${clockText(us)} s.`);
    speaker.say(plainText(sentence()[0]));
    return reply;
  }

  function reload() {
    arrange();
    session.openBranch(session.ready(store.branch?.id) ? store.branch.id : (model.get("branches")[0]?.id ?? "A"));
    refresh("branch");
  }

  function openBranch(id) {
    if (id === store.branch.id) return;
    choices += 1;
    pause();
    session.openBranch(id);
    session.shareCursor();
    refresh("branch");
    speaker.say(`Branch ${id}, ${store.branch.label}.`);
  }

  function notice(text) {
    setText(noticeBar, text);
    noticeBar.hidden = !text;
    if (text) speaker.say(text);
  }

  // ---- partitions -----------------------------------------------------------------------------------------------
  function startDraft() {
    pause();
    closePopover();
    stage.startDraft();
    tools.update(frame);
    speaker.say("Partition tool. Choose servers for group B, then cut.");
  }

  function stopDraft() {
    const inside = root.contains(doc.activeElement);
    grouping = false;
    stage.stopDraft();
    tools.update(frame);
    holdFocus(inside);
  }

  function cutGroups(groups) {
    if (!groups) return;
    stopDraft();
    send("partition", { groups });
  }

  function group(id) {
    if (reason("partition")) return notice(`partition unavailable: ${reason("partition")}.`);
    if (!stage.drafting()) startDraft();
    closePopover();
    stage.focusNode(id);
    grouping = true;
    return speaker.say(`Type the group of ${id}: 1 for A, 2 for B.`);
  }

  function assignGroup(digit) {
    const id = stage.focusedNode();
    grouping = false;
    if (stage.nameGroup(id, digit)) return cutGroups(stage.draftGroups());
    return speaker.say(`${id} in group ${String.fromCharCode(64 + digit)}. Give a server another group, or press Enter, to cut.`);
  }

  // ---- selection and popovers -----------------------------------------------------------------------------------
  function select(selection) {
    applySelection(selection);
    session.share("selection", selection);
  }

  function applySelection(selection) {
    store.selection = selection ?? null;
    if (popover && store.selection?.kind !== popover) closePopover();
    refresh("selection");
  }

  function openPopover(kind, id) {
    pause();
    popover = kind;
    select({ kind, id });
    const view = popovers[kind];
    stageArea.append(view.el);
    view.el.hidden = false;
    relayout();
    view.update(frame, "open");
    view.focus?.();
  }

  function closePopover() {
    if (!popover) return;
    const view = popovers[popover];
    const hadFocus = view.el.contains(doc.activeElement);
    const kind = popover;
    popover = null;
    view.el.hidden = true;
    relayout();
    if (!hadFocus) return;
    if (kind === "node") stage.focusNode(store.selection?.id);
    else stage.focusMessage(store.selection?.id);
    holdFocus(true);
  }

  // ---- views ----------------------------------------------------------------------------------------------------
  function sentence() {
    const at = store.trace.saidAt(store.cursor.event);
    return at < 0 ? [`${spec.servers.length} servers, nothing said yet`, "Press play, or step through the events."] : store.trace.says(at);
  }

  /** Bring every view to the cursor. `why`: seek, play, pause, branch, selection, layout, answer. */
  function refresh(why) {
    if (!store.trace) return;
    const { cursor } = store;
    const inside = root.contains(doc.activeElement);
    store.answer = session.answer();
    store.feedback = session.feedback();
    frame = store.trace.frameAt(cursor.event, cursor.time_us);
    store.cutCount = frame.cut.size;
    root.classList.toggle("is-tight", store.layout === "wide" && frame.cut.size > 0 && stageWidth(room.width) < TIGHT_STAGE_PX);
    // First, because it measures itself: whatever is drawn before would have to be laid out for that.
    if (!side.hidden) views[sideTab].update(frame, why);
    const [head, tail] = sentence();
    const key = `${head}\n${tail}`;
    if (key !== drawn) {
      drawn = key;
      headline.replaceChildren(...markup(doc, head));
      because.replaceChildren(...markup(doc, tail));
    }
    if (tableMode) table.update(frame, why);
    else stage.update(frame);
    tools.update(frame);
    if (!drawer.el.hidden) drawer.update(frame, why);
    if (popover) popovers[popover].update(frame, why);
    chips.update(frame, why);
    predict.update(frame, why);
    if (!help.el.hidden) help.update(frame, why);
    if (!description.el.hidden) description.update(frame);
    if (why === "branch" || why === "layout") timeline.rebuild();
    timeline.describe(cursor);
    transport.update();
    markRoot();
    drawInstant(why !== "play");
    holdFocus(inside);
  }

  function drawInstant(stageDone = false) {
    const us = store.cursor.time_us;
    if (!stageDone && !tableMode) stage.tick(us);
    timeline.tick(us);
    transport.tick(us);
    if (!side.hidden) views[sideTab].tick?.(us);
    root.setAttribute("data-time-us", String(Math.floor(us)));
  }

  function markRoot() {
    setAttrs(root, {
      "data-event": String(store.cursor.event), "data-branch": store.branch.id, "data-playing": String(store.playing !== 0),
      "data-digest": store.branch.digest ?? "",
    });
  }

  // What had the focus may be gone, or hidden: a lost message, Heal, a form. Then the node that had it last takes it.
  function holdFocus(inside) {
    const active = doc.activeElement;
    const kept = root.contains(active) && active !== root && !active.closest("[hidden]");
    if (!inside || kept || active === root) return;
    if (!stageArea.hidden && !tableMode) stage.focusNode();
    else tabButtons.get(tab)?.focus();
  }

  function showTab(id) {
    tab = id;
    if (id !== "cluster") sideTab = id;
    arrange();
    refresh("layout");
  }

  // Wide: stage and side beside each other. Else one view at a time, chosen by the tabs.
  function arrange() {
    const wide = store.layout === "wide";
    const shown = wide ? sideTab : tab;
    stageArea.hidden = !wide && shown !== "cluster";
    side.hidden = !wide && shown === "cluster";
    for (const [name, view] of Object.entries(views)) view.el.hidden = name !== sideTab;
    for (const [name, button] of tabButtons) {
      button.hidden = name === "cluster" ? wide : idle(name);
      button.setAttribute("aria-selected", String(name === shown));
      button.tabIndex = name === shown ? 0 : -1;
    }
    side.setAttribute("aria-labelledby", tabButtons.get(sideTab).id);
    moreTabs();
    const home = { wide: stageArea, one: tabRow, small: transport.panel }[store.layout];
    if (tools.el.parentNode !== home) home.append(tools.el);
    if (wide) {
      stageArea.removeAttribute("role");
      stageArea.removeAttribute("aria-labelledby");
    } else {
      stageArea.setAttribute("role", "tabpanel");
      stageArea.setAttribute("aria-labelledby", tabButtons.get("cluster").id);
    }
  }

  function tabKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const ids = [...tabButtons].filter(([, button]) => !button.hidden).map(([id]) => id);
    const next = ids[(ids.indexOf(store.layout === "wide" ? sideTab : tab) + step + ids.length) % ids.length];
    showTab(next);
    tabButtons.get(next).focus();
  }

  function onRoom(next) {
    if (next.mode === room.mode && Math.abs(next.width - room.width) < 0.5 && frame) return;
    room = next;
    store.layout = room.mode;
    root.setAttribute("data-layout", room.mode);
    guard.reset();
    arrange();
    relayout();
    timeline.rebuild({ width: room.width - (room.mode === "wide" ? 26 : 18), mode: room.mode });
    refresh("layout");
  }

  function relayout() {
    const width = room.mode === "wide" ? stageWidth(room.width) : room.width;
    root.classList.toggle("has-popover", Boolean(popover));
    stage.relayout({ width, mode: room.mode, popover: Boolean(popover), shape: layoutMemory.get() });
  }

  function chooseLayout(shape) {
    layoutMemory.set(shape);
    relayout();
  }

  function setting(name, value) {
    settings[name === "reduced_motion" ? "reducedMotion" : name] = value;
    root.classList.toggle("is-reduced", settings.reducedMotion);
    stage.repaintMessages();
    transport.update();
  }

  function toggleDrawer(open = drawer.el.hidden) {
    const inside = drawer.el.contains(doc.activeElement);
    drawer.el.hidden = !open;
    if (inside && !open) scriptButton.focus();
    scriptButton.setAttribute("aria-expanded", String(open));
    if (open) drawer.update(frame, "open");
  }

  function toggleHelp(open = help.el.hidden) {
    if (!open) return help.close();
    help.update(frame, "open");
    return help.open();
  }

  function toggleDescription(open = description.el.hidden) {
    const inside = description.el.contains(doc.activeElement);
    description.el.hidden = !open;
    describeButton.setAttribute("aria-expanded", String(open));
    if (open) description.update(frame);
    if (open) description.focus();
    else if (inside) describeButton.focus();
  }

  function toggleTable() {
    tableMode = !tableMode;
    tableButton.setAttribute("aria-expanded", String(tableMode));
    table.el.hidden = !tableMode;
    stage.el.hidden = tableMode;
    if (store.layout !== "wide") showTab("cluster");
    refresh("layout");
    if (tableMode) table.focus?.();
    else stage.focusNode();
  }

  // ---- keyboard -------------------------------------------------------------------------------------------------
  const onNode = (verb) => () => {
    const id = popover === "node" || store.selection?.kind === "node" && !stageFocused() ? store.selection.id : stage.focusedNode();
    const paused = verb === "pause" && frame.nodes.get(id)?.status === "paused";
    return send(paused ? "resume" : verb, { node: id });
  };
  const stageFocused = () => stage.el.contains(doc.activeElement);
  const onMessage = (verb) => () => {
    if (store.selection?.kind !== "message") return speaker.say("Choose a message in flight first: key M.");
    const held = verb === "hold" && store.trace.motionAt(store.selection.id, store.cursor.event).held;
    return send(held ? "release" : verb, { message: store.selection.id });
  };

  function nextMessage(way) {
    const { messages } = store.trace;
    // What has arrived at a paused node waits there; nobody can act on it any more.
    const flying = frame.flying.filter((k) => messages.dueUs(k) === null || messages.dueUs(k) > frame.time_us).sort((a, b) => messages.dueUs(a) - messages.dueUs(b) || a - b);
    if (!flying.length) return speaker.say("No message is in flight.");
    const at = store.selection?.kind === "message" ? flying.indexOf(store.selection.id) : -1;
    const k = flying[(at + way + flying.length) % flying.length];
    select({ kind: "message", id: k });
    stage.focusMessage(k);
    return speaker.say(plainText(messages.gloss(k)) || messages.type(k));
  }

  const keyActions = {
    ...go, crash: onNode("crash"), restart: onNode("restart"), pause: onNode("pause"),
    drop: onMessage("drop"), duplicate: onMessage("duplicate"), hold: onMessage("hold"),
    nextMessage: () => nextMessage(1), prevMessage: () => nextMessage(-1),
    nextBranch: () => openBranch(store.branches[(store.branches.indexOf(store.branch) + 1) % store.branches.length].id),
    group: () => group(stage.focusedNode()), links: () => focusTab("links"), events: () => focusTab("events"),
    spacetime: () => focusTab("spacetime"), lookup: () => views.lookup && focusTab(idle("lookup") ? "ringtable" : "lookup"),
    join: () => views.lookup && onNode("join")(), leave: () => views.lookup && onNode("leave")(),
    table: toggleTable, request: () => tools.openForm(true), properties: () => chips.focus?.(), help: () => toggleHelp(), condition: () => transport.openUntil(),
    cone: () => {
      store.causalOnly = !store.causalOnly;
      refresh("selection");
    },
    escape: leave,
  };

  // With the branch it came from, or with the first that came from it; once more ends it.
  function compareBranch() {
    const { branch } = store;
    const other = store.branches.find(({ id }) => id === branch.parent) ?? store.branches.find(({ parent }) => parent === branch.id);
    if (!other) return speaker.say("There is no other branch to compare with.");
    showTab("spacetime");
    return views.spacetime.compare(store.compare ? null : other.id);
  }

  function focusTab(name) {
    showTab(name);
    views[name].focus?.();
  }

  // Escape closes the innermost thing that is open, then leaves the widget.
  function leave() {
    if (stage.drafting()) return stopDraft();
    if (tools.isOpen()) return tools.closeForm();
    if (popover) return closePopover();
    if (!help.el.hidden) return toggleHelp(false);
    if (!description.el.hidden) return toggleDescription(false);
    if (!drawer.el.hidden) return toggleDrawer(false);
    const around = root.parentElement?.closest("[tabindex]");
    return around ? around.focus() : doc.activeElement?.blur();
  }

  root.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.tagName === "INPUT" && event.target.form) {
      event.preventDefault();                    // inside a notebook the browser's own way of sending a form is lost
      event.target.form.requestSubmit();
      return;
    }
    if (event.defaultPrevented || keyIsTaken(event.target, event.key)) return;
    if (event.key === "Enter" && stage.drafting() && stage.draftGroups() && !event.target.closest("button")) {
      event.preventDefault();
      cutGroups(stage.draftGroups());
      return;
    }
    if (event.target === root && event.key.startsWith("Arrow")) {
      event.preventDefault();
      stage.focusNode();
      return;
    }
    const sliding = event.target === timeline.track && { ArrowRight: "step", ArrowUp: "step", ArrowLeft: "stepback", ArrowDown: "stepback", PageUp: "next", PageDown: "prev" }[event.key];
    const action = sliding || keyAction(event, { shortcuts: settings.shortcuts, grouping });
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    if (action.startsWith("group") && action !== "group") return assignGroup(Number(action.slice(5)));
    const why = controlReason(action);
    if (why) return notice(`Unavailable: ${why}.`);
    return keyActions[action]();
  });

  // ---- life -----------------------------------------------------------------------------------------------------
  // Keyframes are folded ahead in slices, so that a later seek never waits for more than one of them.
  function warm() {
    if (!store.trace || store.trace.warm(WARM_MS, () => win.performance.now())) return;
    warmTimer = win.setTimeout(warm, 30);
  }
  let warmTimer = 0;

  function start() {
    session.openBranch(store.cursor.branch);
    if (store.cursor.event !== null && model.get("cursor")?.event != null) session.placeCursor({ us: store.cursor.time_us });
    root.classList.toggle("is-reduced", settings.reducedMotion);
    stops.push(watchTheme(root, spec.theme ?? null, () => {
      stage.retheme();
      views.spacetime.retheme();
    }));
    stops.push(watchRoom(root, onRoom));
    visible = watchVisible(root, () => player.wake());
    for (const [event, handler] of [["beforeprint", print], ["afterprint", paper.clear]]) {
      win.addEventListener(event, handler);
      stops.push(() => win.removeEventListener(event, handler));
    }
    warm();
  }

  // On paper: the paused frame and what led to it.
  function print() {
    pause();
    closePopover();
    paper.fill();
  }

  function destroy() {
    player.stop();
    win.clearTimeout(warmTimer);
    for (const stop of stops) stop();
    visible?.destroy();
    only.destroy();
    speaker.destroy();
    session.destroy();
    for (const view of [...Object.values(views), ...Object.values(popovers), drawer, predict, help, chips, table]) view.destroy?.();
    root.remove();
  }

  return { root, start, destroy };
}
