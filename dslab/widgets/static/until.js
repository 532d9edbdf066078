// The form of "run until": menus that write a condition, and the condition itself, to be changed at will.

import { h, menuOf, setText } from "./format.js";
import { conditionText } from "./conditions.js";

const COMPARE = ["==", "!=", ">=", "<=", ">", "<"];
const HINT = 'Such as: any(role == "leader") and n2.term > 3, count(log[0].term == 1) >= 3, delivered("Vote", "n1").';

/** `go.until(text)` looks for it and returns what is wrong with the text, or nothing. */
export function createUntilForm(ctx, go) {
  const { doc, spec, store } = ctx;
  const fields = [...new Set(Object.entries(spec.fields ?? {}).filter(([id]) => spec.servers.includes(id)).flatMap(([, names]) => names))];
  const select = (label, options) => menuOf(doc, { "aria-label": label, onchange: write }, options);
  const nodes = (any) => [["any", any], ...spec.servers.map((id) => [id])];
  const menus = {
    what: select("Kind of condition", [["field", "a field"], ["message", "a message"], ["property", "a property"]]),
    node: select("Node", nodes("any server")), field: select("Field", [...fields, "status"].map((name) => [name])), op: select("Comparison", COMPARE.map((op) => [op])),
    value: h(doc, "input", { type: "text", "aria-label": "Value", value: fields.includes("role") ? "leader" : "", size: "7", oninput: write }),
    type: select("Message", [["any", "any message"]]), when: select("What happens to it", [["sent"], ["delivered"], ["dropped"]]),
    from: select("Sender", nodes("from any")), to: select("Receiver", nodes("to any")), property: select("Property", []),
  };
  const PARTS = { field: ["node", "field", "op", "value"], message: ["type", "when", "from", "to"], property: ["property"] };
  if (fields.includes("role")) menus.field.value = "role";
  const problem = h(doc, "p", { id: ctx.uid("until"), class: "ds-until-problem ds-quiet" }, HINT);
  const text = h(doc, "input", { type: "text", class: "ds-mono ds-condition", "aria-label": "Condition", "aria-describedby": problem.id, spellcheck: "false", autocomplete: "off", oninput: () => say("") });
  const el = h(doc, "form", { class: "ds-until ds-until-form", onsubmit: (event) => {
    event.preventDefault();
    say(go.until(text.value) ?? "");
  } }, h(doc, "label", { class: "ds-until" }, "Run until", menus.what), Object.entries(menus).filter(([name]) => name !== "what").map(([, menu]) => menu),
  h(doc, "div", { class: "ds-until ds-until-line" }, text, h(doc, "button", { class: "ds-btn ds-solid", type: "submit" }, "Run until")), problem);
  let known = null;

  function say(wrong) {
    setText(problem, wrong || HINT);
    problem.classList.toggle("ds-wrong", Boolean(wrong));
    text.setAttribute("aria-invalid", String(Boolean(wrong)));
    if (wrong) ctx.say(wrong);
  }

  function write() {
    const shown = PARTS[menus.what.value];
    for (const [name, menu] of Object.entries(menus)) menu.hidden = name !== "what" && !shown.includes(name);
    text.value = conditionText(Object.fromEntries(Object.entries(menus).map(([name, menu]) => [name, menu.value])));
    say("");
  }

  /** The message types and properties of the run on show. */
  function sync() {
    const properties = (spec.properties ?? []).filter(({ kind }) => kind === "always");
    const look = JSON.stringify([store.branch?.id, properties.map(({ name }) => name), store.trace?.n]);
    if (look === known) return;
    known = look;
    const refill = (menu, options) => {
      const kept = menu.value;
      menu.replaceChildren(...options.map(([value, words]) => h(doc, "option", { value }, words)));
      if (options.some(([value]) => value === kept)) menu.value = kept;
    };
    const types = [...new Set(store.trace?.messageColumns.type ?? [])].sort();
    refill(menus.type, [["any", "any message"], ...types.map((type) => [type, type])]);
    refill(menus.property, [["", "any property is violated"], ...properties.map(({ name, title }) => [name, `“${title}” is violated`])]);
  }

  write();
  return { el, sync, focus: () => { text.focus(); text.select(); } };
}
