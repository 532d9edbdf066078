// A history by itself: to be looked at, or a puzzle in which each operation is given its moment.

import { h, icon } from "./format.js";
import { layoutMode, watchRoom, watchTheme } from "./host.js";
import { createSpeaker } from "./keys.js";
import { createHistoryChart } from "./historychart.js";
import { judgePoints } from "./historydata.js";

/** anywidget's entry; the returned function stops and removes what was drawn. */
export function renderHistory({ model, el }) {
  const doc = el.ownerDocument;
  const win = doc.defaultView;
  const live = h(doc, "div", { class: "ds-vh", role: "status", "aria-live": "polite" });
  const speaker = createSpeaker(live, win);
  const puzzle = () => Boolean(model.get("chart").table);
  const title = model.get("title");
  const root = h(doc, "div", { class: `ds dslab-lab dslab-history${puzzle() ? " ds-puzzle" : ""}`, role: "group", "aria-label": title || "Operations", "data-lm-suppress-shortcuts": "true" });
  const ctx = { doc, icon: (name) => icon(doc, name), say: (text) => speaker.say(text) };
  const chart = createHistoryChart(ctx, { select, place });
  const none = h(doc, "button", { type: "button", class: "ds-btn ds-lab ds-out", onclick: claim }, "No order fits");
  const clear = h(doc, "button", { type: "button", class: "ds-btn ds-lab ds-out", onclick: () => write("placed", {}) }, icon(doc, "undo"), "Clear");
  const hint = h(doc, "span", { class: "ds-quiet" }, "Drag along an interval, or focus it and use the arrow keys; Delete takes a point away.");
  const tools = h(doc, "div", { class: "ds-hist-tools", hidden: !puzzle() }, none, clear, hint);
  const answer = h(doc, "p", { class: "ds-hist-head", hidden: true });
  root.append(...[title && h(doc, "div", { class: "ds-headline ds-hist-head" }, title)].filter(Boolean), chart.el, answer, tools, live);
  el.append(root);
  let width = 640;
  let mode = "wide";
  let claimed = false;

  function write(name, value) {
    model.set(name, value);
    model.save_changes();
    draw();
  }

  function select(i) {
    write("selected", i);
  }

  function place(i, units) {
    const { [i]: gone, ...rest } = model.get("placed") ?? {};
    claimed = false;
    write("placed", units === null ? rest : { ...rest, [i]: units });
  }

  // The claim ends the puzzle where it is true; where it is not, it says so and no more.
  function claim() {
    claimed = true;
    draw();
    speaker.say(answer.textContent);
  }

  function draw() {
    const whole = model.get("chart");
    const right = claimed && whole.verdict === "violation";
    answer.hidden = !claimed;
    answer.textContent = right ? "That is so: no order fits." : "There is one that does. Keep looking.";
    const look = { width: width - 30, small: mode === "small", selected: model.get("selected") ?? null };
    if (puzzle() && !right) look.placed = { ...model.get("placed") };
    chart.update(whole, look);
    root.setAttribute("data-done", String(right || (puzzle() && judgePoints(whole, model.get("placed") ?? {}).done)));
  }

  const stops = [
    watchTheme(root, null, () => {}),
    watchRoom(root, (room) => {
      width = room.width;
      mode = room.mode ?? layoutMode(room.width / 13);
      root.setAttribute("data-layout", mode);
      draw();
    }),
  ];
  const changes = ["change:chart", "change:placed", "change:selected"];
  for (const change of changes) model.on(change, draw);
  draw();
  return () => {
    for (const stop of stops) stop();
    for (const change of changes) model.off?.(change, draw);
    speaker.destroy();
    root.remove();
  };
}
