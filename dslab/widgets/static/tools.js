// The stage tools: a client request, a partition drawn or chosen, and Heal while anything is cut.

import { h, icon, setAttrs, setText, listText } from "./format.js";

/** `go`: request(command, to), partition(groups), heal(), startDraft(), stopDraft(), draftGroups(). */
export function createTools(ctx, go) {
  const { doc, spec, store } = ctx;
  const tool = (verb, iconName, text, onclick, klass = "") => h(doc, "button", {
    type: "button", class: `ds-btn ds-lab ${klass}`, "data-verb": verb, "data-name": text, "aria-label": text, onclick,
  }, icon(doc, iconName), h(doc, "span", {}, text));
  const request = tool("request", "request", "Request", () => openForm(form.hidden));
  const partition = tool("partition", "partition", "Partition", () => (go.drafting() ? go.stopDraft() : draft()));
  const heal = tool("heal", "heal", "Heal", go.heal, "ds-out");
  const el = h(doc, "div", { class: "ds-tools", role: "group", "aria-label": "Act on the cluster" }, request, partition, heal);

  const command = h(doc, "input", { type: "text", "aria-label": "Command", value: "x=1", size: "8", spellcheck: "false" });
  const to = h(doc, "select", { "aria-label": "To" });
  const form = h(doc, "form", {
    class: "ds-ask", hidden: true, "aria-label": "Client request",
    onsubmit: (event) => {
      event.preventDefault();
      // Not to the button that opened it: the key that sent the form would press it.
      go.focusNode();
      openForm(false);
      go.request(command.value.trim(), to.value || null);
    },
  }, h(doc, "b", {}, spec.clients?.[0] ?? "c1"), " asks ", command, to, h(doc, "button", { class: "ds-btn ds-solid", type: "submit" }, "Send"));
  const words = h(doc, "span", {});
  const cut = h(doc, "button", { type: "button", class: "ds-btn ds-solid", onclick: () => go.partition(go.draftGroups()) }, "Cut");
  const hint = h(doc, "div", { class: "ds-ask", hidden: true, role: "group", "aria-label": "Partition tool" }, words, cut,
    h(doc, "button", { type: "button", class: "ds-btn ds-lab ds-out", onclick: () => go.stopDraft() }, "Cancel"));

  function draft() {
    const why = ctx.reason("partition");
    if (why) ctx.notice(`Partition unavailable: ${why}.`);
    else go.startDraft();
  }

  let opener = null;

  /** Ask for a client request, to `target` or whoever leads; afterwards the focus goes back to where it came from. */
  function openForm(open, target) {
    const why = open && ctx.reason("request");
    if (why) {
      ctx.notice(`Request unavailable: ${why}.`);
      return;
    }
    if (open && form.hidden) opener = doc.activeElement;
    if (!open && form.contains(doc.activeElement)) (opener?.isConnected ? opener : request).focus();
    form.hidden = !open;
    request.setAttribute("aria-expanded", String(open));
    if (!open) return;
    const leader = [...go.frame().nodes.values()].find((node) => node.fields.role === "leader" && node.status === "up");
    to.replaceChildren(h(doc, "option", { value: "" }, "to whoever it knows"),
      ...spec.servers.map((id) => h(doc, "option", { value: id, selected: id === (target ?? leader?.id) }, `to ${id}`)));
    command.focus();
    command.select();
  }

  function update(frame) {
    const drafting = go.drafting();
    heal.hidden = frame.cut.size === 0;
    setAttrs(partition, { "aria-pressed": String(drafting) });
    hint.hidden = !drafting;
    for (const button of [request, partition, heal]) {
      const why = ctx.reason(button.dataset.verb);
      setAttrs(button, {
        "aria-disabled": String(Boolean(why)), "aria-label": why ? `${button.dataset.name} unavailable: ${why}` : button.dataset.name,
      });
    }
    const groups = drafting && go.draftGroups();
    cut.hidden = !groups;
    if (drafting) setText(words, groups ? groups.map((group) => listText(group)).join(" | ") : "Draw a line across links, or choose servers for group B.");
  }

  return { el, form, hint, update, openForm, closeForm: () => openForm(false), isOpen: () => !form.hidden };
}
