import assert from "node:assert/strict";
import { test } from "node:test";
import { keyAction, keyIsTaken, createSpeaker } from "../../dslab/widgets/static/keys.js";
import { layoutMode, luminanceOf } from "../../dslab/widgets/static/host.js";
import { axisTicks, cursorText, faultRows, followWindow, placeLabels } from "../../dslab/widgets/static/timeline.js";
import { SPEEDS, createPlayer, interestingEvents, nextSpeed, speedIndex } from "../../dslab/widgets/static/transport.js";

test("speeds run from a thousandth to a hundred times, evenly on the log scale", () => {
  assert.deepEqual([SPEEDS[0], SPEEDS.at(-1)], [0.001, 100]);
  assert.equal(nextSpeed(0.05, 1), 0.1);
  assert.equal(nextSpeed(100, 1), 100);
  assert.equal(nextSpeed(0.001, -1), 0.001);
  assert.equal(SPEEDS[speedIndex(0.04)], 0.05);
});

/** A window whose frames are cranked by hand. */
function crank() {
  let queue = [];
  return {
    requestAnimationFrame: (f) => queue.push(f),
    cancelAnimationFrame: () => { queue = []; },
    frame(now) {
      const due = queue;
      queue = [];
      for (const f of due) f(now);
      return due.length;
    },
  };
}

test("the play loop advances by real time times speed, and never by more than a tenth of a second a frame", () => {
  const win = crank();
  let at = 0;
  const player = createPlayer(win, { advance: (us) => { at += us; return true; }, stepOnce: () => true, speed: () => 0.5, reduced: () => false, visible: () => true });
  player.play(1);
  for (const now of [1000, 1020, 1040]) win.frame(now);
  assert.equal(at, 20_000);
  win.frame(9000);
  assert.equal(at, 70_000);
  player.play(-1);
  win.frame(9000);
  win.frame(9010);
  assert.equal(at, 65_000);
  player.stop();
  assert.equal(win.frame(9020), 0);
});

test("reduced motion steps one event a second; a hidden widget asks for no frame", () => {
  const win = crank();
  let steps = 0;
  let seen = true;
  const player = createPlayer(win, { advance: () => true, stepOnce: () => { steps += 1; return true; }, speed: () => 1, reduced: () => true, visible: () => seen });
  player.play(1);
  for (let now = 0; now <= 3050; now += 50) win.frame(now);
  assert.equal(steps, 4);
  seen = false;
  win.frame(3100);
  assert.equal(win.frame(3150), 0);
  seen = true;
  player.wake();
  assert.equal(player.scheduled(), true);
});

test("the axis has round ticks", () => {
  assert.deepEqual(axisTicks(1_000_000, 2_000_000).ticks, [1_000_000, 1_200_000, 1_400_000, 1_600_000, 1_800_000, 2_000_000]);
  assert.equal(axisTicks(0, 10_000_000).step, 2_000_000);
});

test("the window holds still until the cursor leaves it", () => {
  const view = { from: 1_000_000, to: 2_000_000 };
  assert.equal(followWindow(view, 1_999_999, 9e6), view);
  const next = followWindow(view, 2_100_000, 9e6);
  assert.ok(next.from < 2_100_000 && next.to > 2_100_000 && next.to - next.from === 1_000_000);
  assert.deepEqual(followWindow(view, 8_990_000, 9e6), { from: 8_000_000, to: 9_000_000 });
});

test("overlapping faults get rows of their own", () => {
  assert.deepEqual(faultRows([{ from_us: 0, to_us: 5 }, { from_us: 3, to_us: null }, { from_us: 6, to_us: 7 }]), [0, 1, 0]);
  assert.equal(cursorText(1_250_000, 213, 900, "B"), "1.250 seconds, event 214 of 900, branch B");
});

test("keys: letters can be switched off, modifiers belong to the host", () => {
  const on = { shortcuts: true, grouping: false };
  const key = (name, extra = {}, settings = on) => keyAction({ key: name, ...extra }, settings);
  assert.deepEqual([" ", ",", ".", "<", ">", "[", "]", "Home", "End", "?", "/"].map((name) => key(name)),
    ["play", "stepback", "step", "prev", "next", "slower", "faster", "start", "end", "help", "condition"]);
  assert.deepEqual(["k", "r", "p", "m", "M", "d", "u", "h", "b", "B", "g", "x", "c", "i", "y", "l", "t"].map((name) => key(name)),
    ["crash", "restart", "pause", "nextMessage", "prevMessage", "drop", "duplicate", "hold", "nextBranch", "fork", "group", "links", "request", "properties", "cone", "events", "table"]);
  assert.equal(key("k", {}, { shortcuts: false }), null);
  assert.equal(key(" ", {}, { shortcuts: false }), "play");
  assert.equal(key("k", { ctrlKey: true }), null);
  assert.equal(key("z", { ctrlKey: true }), "undo");
  assert.equal(key("2", {}, { shortcuts: true, grouping: true }), "group2");
  assert.equal(keyIsTaken({ tagName: "BUTTON" }, " "), true);
  assert.equal(keyIsTaken({ tagName: "INPUT", type: "text" }, "k"), true);
});

test("the live region says at most one sentence a second and counts heartbeats", () => {
  let now = 0;
  let due = [];
  const win = { performance: { now: () => now }, setTimeout: (f, ms) => due.push([now + ms, f]), clearTimeout: () => {} };
  const run = (until) => {
    now = until;
    const ready = due.filter(([at]) => at <= now);
    due = due.filter(([at]) => at > now);
    for (const [, f] of ready) f();
  };
  const el = { textContent: "" };
  const speaker = createSpeaker(el, win);
  speaker.say("First.");
  run(0);
  assert.equal(el.textContent, "First.");
  for (let i = 0; i < 4; i++) speaker.heartbeat();
  speaker.say("n2 became candidate, term 4");
  run(500);
  assert.equal(el.textContent, "First.");
  run(1000);
  assert.equal(el.textContent, "4 heartbeats; n2 became candidate, term 4.");
});

test("layout by em, theme by luminance", () => {
  assert.deepEqual([1200 / 13, 700 / 13, 700 / 26, 320 / 13].map(layoutMode), ["wide", "one", "small", "small"]);
  assert.ok(luminanceOf("rgb(255, 255, 255)") > 0.99);
  assert.ok(luminanceOf("rgb(17, 19, 23)") < 0.01);
  assert.ok(luminanceOf("color(srgb 1 1 1)") > 0.99);
});

test("next interesting can be told what is interesting", () => {
  const branch = {
    interesting: [3, 5, 6, 7, 8, 9], stations: [{ event: 3 }], commits: [{ event: 5 }], decisions: [{ event: 6 }], verdicts: [{ status: "violated", event: 9 }, { status: "held", event: null }],
  };
  const of = (...kinds) => interestingEvents(branch, new Set(kinds), (event) => (event === 7 ? "invoke" : "crash"));
  assert.deepEqual(of("leaders"), [3]);
  assert.deepEqual(of("decisions", "requests"), [6, 7]);
  assert.deepEqual(of("faults"), [8]);
  assert.deepEqual(of("commits", "violations"), [5, 9]);
});

test("labels of fault bars stand behind, before or on their bar, never on one another", () => {
  const bar = (a, b, text, row = 0) => ({ a, b, row, text });
  const at = (bars) => placeLabels(bars, 0, 400).map((label) => label && [label.anchor, label.text]);
  assert.deepEqual(at([bar(10, 60, "n1 down")]), [["start", "n1 down"]]);
  assert.deepEqual(at([bar(10, 200, "n1 down"), bar(210, 395, "n2 down")]), [["middle", "n1 down"], ["middle", "n2 down"]]);
  assert.deepEqual(at([bar(300, 395, "n1 down")]), [["end", "n1 down"]]);
  assert.deepEqual(at([bar(0, 60, "n1 n2 | n3 n4 n5"), bar(61, 80, "n1 down"), bar(81, 100, "n2")]), [["middle", "n1 n2 …"], null, ["start", "n2"]]);
  assert.deepEqual(at([bar(0, 60, "n1 down", 0), bar(20, 90, "n2 down", 1)]), [["start", "n1 down"], ["start", "n2 down"]]);
});
