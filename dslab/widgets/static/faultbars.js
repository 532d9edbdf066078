// Fault bars as controls: each opens a small form, and another beginning or end is another branch.

import { h, clockText } from "./format.js";
import { fix } from "./geometry.js";

const ENDS = { down: ["restart"], pause: ["resume"], partition: ["heal", "partition"], cut: ["mend", "heal"], link: ["link"], traitor: ["turn_loyal", "turn_traitor"] };
const BUTTON_PX = 24;
const SHARED = ["node", "source", "target"];

/** Position of the action that ended a fault, or -1: the one of its kind, on the same node or link, at that very time. */
export function endingAction(fault, actions) {
  const begun = actions[fault.action] ?? {};
  const same = (action) => SHARED.every((name) => !(name in action) || !(name in begun) || action[name] === begun[name]);
  return actions.findIndex((action, i) => i !== fault.action && action.at * 1000 === fault.to_us
    && ENDS[fault.kind]?.includes(action.do) && same(action));
}

/** The transparent buttons over the bars, and the form. `move(times_us)` asks for the branch. */
export function createFaultBars(ctx, move) {
  const { doc, store } = ctx;
  const el = h(doc, "div", { class: "ds-faults", role: "group", "aria-label": "Faults", onkeydown: onKey });
  const input = (label) => h(doc, "input", { type: "number", min: 0, step: "any", required: true, size: 7, "aria-label": label });
  const words = h(doc, "b", {});
  const from = input("From, ms");
  const to = input("To, ms");
  const until = h(doc, "span", {}, "to ", to);
  const form = h(doc, "form", {
    class: "ds-ask ds-fault-form", hidden: true, "aria-label": "Move a fault", onsubmit: submit,
    onkeydown: (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
    },
  }, words, " from ", from, until, "ms", h(doc, "button", { class: "ds-btn ds-solid", type: "submit" }, "Move"),
  h(doc, "button", { class: "ds-btn ds-lab ds-out", type: "button", onclick: () => close() }, "Cancel"));
  let bars = [];
  let chosen = 0;
  let edited = null;

  function onKey(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const next = step && el.children[[...el.children].indexOf(event.target) + step];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    next?.focus();
  }

  function edit(at) {
    const { fault } = bars[at];
    const why = fault.action === null ? "it is not an action of this branch" : ctx.reason(store.branch.actions[fault.action].do);
    if (why) return ctx.notice(`${fault.label} cannot be moved: ${why}.`);
    edited = { at, begin: fault.action, end: endingAction(fault, store.branch.actions) };
    words.textContent = fault.label;
    from.value = fault.from_us / 1000;
    to.value = fault.to_us === null ? "" : fault.to_us / 1000;
    until.hidden = to.disabled = edited.end < 0;
    form.hidden = false;
    return from.select();
  }

  function close() {
    form.hidden = true;
    el.children[edited.at]?.focus();
  }

  function submit(event) {
    event.preventDefault();
    const { fault } = bars[edited.at];
    const times = {};
    const note = (position, ms, us) => position >= 0 && Math.round(ms * 1000) !== us && (times[position] = Math.round(ms * 1000));
    note(edited.begin, Number(from.value), fault.from_us);
    if (edited.end >= 0 && Number(to.value) <= Number(from.value)) return ctx.say("A fault ends after it begins.");
    note(edited.end, Number(to.value), fault.to_us);
    close();
    return Object.keys(times).length ? move(times) : ctx.say("It stays where it is.");
  }

  /** Lay the buttons over `bars` [{fault, a, b, top}] of the branch on show, in px. */
  function place(next) {
    const focused = [...el.children].indexOf(doc.activeElement);
    bars = next;
    chosen = Math.min(chosen, Math.max(0, bars.length - 1));
    el.replaceChildren(...bars.map(({ fault, a, b, top }, i) => h(doc, "button", {
      type: "button", class: "ds-fault-button", "data-fault-button": fault.label, tabindex: i === chosen ? 0 : -1, "aria-haspopup": "dialog",
      "aria-label": `${fault.label}, from ${clockText(fault.from_us)} ${fault.to_us === null ? "on" : `to ${clockText(fault.to_us)}`} s: move`,
      style: `left:${fix(a / 13 * 10) / 10}em;top:${fix((top + 4 - BUTTON_PX / 2) / 13 * 10) / 10}em;width:${fix(Math.max(BUTTON_PX, b - a) / 13 * 10) / 10}em`,
      onclick: () => edit(i), onfocus: () => stopAt(i),
    })));
    if (focused >= 0) el.children[Math.min(focused, bars.length - 1)]?.focus();
  }

  function stopAt(i) {
    chosen = i;
    [...el.children].forEach((button, at) => { button.tabIndex = at === i ? 0 : -1; });
  }

  return { el, form, place };
}
