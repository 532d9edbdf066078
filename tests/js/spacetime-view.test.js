import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { render } from "../../dslab/widgets/static/lab.js";
import "../../dslab/widgets/static/log.js";
import { FakeModel, electionRun, modelState } from "./fixture.js";

/** A lab with the space-time diagram open. */
function open(extra = {}, run = electionRun(), change = () => {}) {
  const dom = new JSDOM("<!doctype html><html lang=en><title>t</title><body><main id=m></main></body></html>", { pretendToBeVisual: true });
  const { window } = dom;
  window.HTMLCanvasElement.prototype.getContext = () => null;
  const state = modelState(run, { spec: { start_us: 1_440_000, ...extra.spec }, ...extra });
  change(state);
  const model = new FakeModel(state);
  const el = window.document.getElementById("m");
  const stop = render({ model, el });
  const root = el.querySelector(".dslab-lab");
  const it = {
    window, model, root, stop,
    find: (selector) => root.querySelector(selector),
    all: (selector) => [...root.querySelectorAll(selector)],
    key(target, key, more = {}) {
      target.dispatchEvent(new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
    },
    view: () => root.querySelector(".ds-st"),
    note: () => root.querySelector(".ds-st-note").textContent,
    active: () => window.document.activeElement,
    event: () => Number(root.dataset.event),
    change(element, value) {
      element.value = value;
      element.dispatchEvent(new window.Event("change", { bubbles: true }));
    },
  };
  it.key(root, "s");
  return it;
}

function twoBranches(state) {
  const longer = electionRun();
  longer.crash(2_100_000, "n2");
  state.branches.push({ ...state.branches[0], id: "B", parent: null, label: "n2 too", until_us: 2_100_000 });
  state.chunks.B = longer.chunk();
}

test("key S opens the diagram, and its events can be walked by keys along a lane and across", () => {
  const it = open();
  assert.equal(it.find("[data-tab=spacetime]").getAttribute("aria-selected"), "true");
  const first = it.active();
  assert.ok(first.classList.contains("ds-st-stop"));
  assert.match(first.getAttribute("aria-label"), /^\d\.\d{3} s, n\d: .+, logical time \d+$/);
  it.key(first, "ArrowDown");
  const lane = (button) => /s, (\w+):/.exec(button.getAttribute("aria-label"))[1];
  assert.notEqual(it.active().dataset.event, first.dataset.event);
  assert.equal(lane(it.active()), lane(first));
  it.key(it.active(), "ArrowLeft");
  it.key(it.active(), "ArrowRight");
  assert.equal(lane(it.active()), lane(first));
  assert.equal(it.all(".ds-st-stop[tabindex='0']").length, 1);
});

test("Enter chooses an event and says what it can have influenced; Shift+Enter relates another; Escape forgets", () => {
  const it = open();
  it.key(it.active(), "Enter");
  assert.deepEqual(it.model.s.selection ?? null, null);            // told to Python a moment later
  assert.match(it.note(), /\d+ before\d+ after\d+ concurrent/);
  assert.equal(it.view().dataset.cone, it.active().dataset.event);
  assert.equal(it.active().getAttribute("aria-pressed"), "true");
  assert.equal(it.all(".ds-st-stamp").length, it.all(".ds-st-head").length);
  it.key(it.active(), "ArrowUp");
  it.key(it.active(), "Enter", { shiftKey: true });
  assert.match(it.note(), /B before A: the shortest path has 0 messages/);
  assert.match(it.note(), /Vector of A \[n1 \d+/);
  it.key(it.active(), "Escape");
  assert.doesNotMatch(it.note(), /before|after|concurrent/);
  assert.equal(it.view().dataset.cone, undefined);
});

test("a button of the note keeps the focus while the note changes", () => {
  const it = open();
  it.key(it.active(), "Enter");
  const button = (text) => it.all(".ds-st-note button").find((one) => one.textContent === text);
  button("Relate to…").focus();
  button("Relate to…").click();
  assert.equal(it.active().textContent, "Choose the other event");
  assert.equal(it.active().getAttribute("aria-pressed"), "true");
  it.find(".ds-st-stop:not([aria-pressed='true'])").focus();
  it.key(it.active(), "Enter");
  assert.match(it.note(), /A before B|B before A|concurrent/);
});

test("Enter on the chosen event goes there; a message chosen elsewhere is marked here", () => {
  const it = open();
  it.key(it.active(), "ArrowUp");
  const event = Number(it.active().dataset.event);
  it.key(it.active(), "Enter");
  it.key(it.active(), "Enter");
  assert.equal(it.event(), event);
  it.key(it.root, "m");
  assert.match(it.view().dataset.message, /^\d+$/);
  it.key(it.root, "l");
  assert.ok(it.all(".ds-events [data-chosen]").length >= 1);
});

test("Y shows the cone of the event at the cursor", () => {
  const it = open();
  it.key(it.root, "y");
  assert.equal(it.view().dataset.cone, String(it.event()));
  it.key(it.root, "y");
  assert.equal(it.view().dataset.cone, undefined);
});

test("the cut begins consistent, moves by keys, and names the receive without its send", () => {
  const it = open();
  it.find("[data-tool=cut]").click();
  assert.match(it.note(), /^A consistent cut\./);
  const grips = it.all(".ds-st-grip");
  assert.equal(grips.length, 6);
  const leader = grips.find((grip) => grip.dataset.lane === "n3");
  const before = Number(leader.getAttribute("aria-valuenow"));
  for (let i = 0; i < 8; i++) it.key(leader, "ArrowUp");
  assert.equal(Number(leader.getAttribute("aria-valuenow")), before - 8);
  assert.match(it.note(), /^Not consistent\. n\d has received “.+”, which n3 has not sent yet/);
  assert.equal(it.view().dataset.cut, "false");
  it.find("[data-tool=cut]").click();
  assert.equal(it.all(".ds-st-grip").length, 0);
});

test("axis and direction change, lanes hide, and what is folded or found is said", () => {
  const it = open({ spec: { reduced_motion: true } });
  it.find("[data-axis=rank]").click();
  assert.equal(it.view().dataset.axis, "rank");
  it.find("[data-tool=turn]").click();
  assert.equal(it.view().dataset.down, "false");
  it.find("[data-tool=filter]").click();
  const boxes = it.all(".ds-st-panel input[type=checkbox]");
  const events = () => it.all(".ds-st-stop").length;
  const lane = boxes.find((box) => box.parentNode.textContent === "n2");
  lane.checked = false;
  lane.dispatchEvent(new it.window.Event("change"));
  assert.ok(!it.all(".ds-st-head").some((head) => head.dataset.lane === "n2"));
  assert.ok(events() > 0);
  const find = it.find(".ds-st-panel input[type=search]");
  find.value = "vote term=4";
  find.dispatchEvent(new it.window.Event("input"));
  assert.match(it.find(".ds-st-panel [aria-live]").textContent, /^\d+ events$/);
  it.find("[aria-label='Next found']").click();
  assert.match(it.find(".ds-st-panel [aria-live]").textContent, /^\d+ of \d+ events$/);
});

test("as a table: times, lanes, logical times and vectors", () => {
  const it = open();
  it.find("[data-tool=table]").click();
  const [head, ...rows] = it.all(".ds-st-table tr").map((row) => [...row.children].map((cell) => cell.textContent));
  assert.deepEqual(head.slice(0, 4), ["Time, s", "Node", "What happens", "Logical time"]);
  assert.ok(rows.length > 20 && rows.every((row) => row[4].split(" ").length === 6));
  assert.equal(it.all(".ds-st-table .ds-now").length, 1);
});

test("key V compares with the branch beside; the note says where they part; once more ends it", () => {
  const it = open({}, electionRun(), (state) => {
    twoBranches(state);
    state.branches[1].parent = "A";
    state.chunks.B = new TextDecoder().decode(state.chunks.B);
  });
  it.key(it.root, "v");
  assert.equal(it.view().dataset.compare, "B");
  assert.match(it.note(), /^Branches differ from event \d+\. A has no further event; in B, n2 crashed/);
  it.find("[data-tool=divergence]").click();
  assert.equal(it.root.dataset.branch, "A");
  it.find("[data-tool=side]").click();
  assert.equal(it.all(".ds-st-head").length, 12);
  it.key(it.root, "v");
  assert.equal(it.view().dataset.compare, undefined);
});

test("a system without logs opens the diagram by itself, and clean-up leaves nothing", () => {
  const it = open({ spec: { fields: {} } });
  assert.equal(it.find("[data-tab=log]"), null);
  assert.equal(it.find("[data-tab=spacetime]").getAttribute("aria-selected"), "true");
  it.stop();
  assert.equal(it.window.document.querySelector(".dslab-lab"), null);
});
