// The log grid: what a cell is, why an entry is committed, where its moments are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { currentLeader, entryText } from "../../dslab/widgets/static/entries.js";
import { authorityAt, classifyCell, commitNote, logMoments, logServers, termRuns, truncatedEntries } from "../../dslab/widgets/static/logentries.js";
import { createLogView } from "../../dslab/widgets/static/log.js";
import { frontierPath } from "../../dslab/widgets/static/logcells.js";
import { SERVERS, branch, entry, fakeContext, frameAt, spec } from "./panels-fixture.js";

const { document } = new JSDOM("<!doctype html><body></body>").window;
const at = (event) => {
  const ctx = fakeContext(document);
  const frame = frameAt(ctx, event);
  return { ctx, frame, nodes: SERVERS.map((id) => frame.nodes.get(id)) };
};
const cell = (nodes, id, index) => classifyCell(nodes.find((node) => node.id === id), index, authorityAt(nodes, index));

test("only servers that show a log have rows", () => {
  assert.deepEqual(logServers(spec), SERVERS);
  assert.deepEqual(logServers({ servers: ["a"], fields: { a: ["role"] } }), []);
});

test("a cell is committed by its own server's commit index", () => {
  const { nodes } = at(25);
  assert.equal(cell(nodes, "n3", 7).kind, "committed");
  assert.equal(cell(nodes, "n5", 7).kind, "uncommitted");
  assert.equal(cell(nodes, "n2", 7).kind, "empty");
  assert.equal(cell(nodes, "n3", 5).applied, true);
  assert.equal(cell(nodes, "n3", 6).applied, false);
});

test("an entry conflicts when its term differs from the committed entry, or from the leader's", () => {
  const { nodes } = at(25);
  assert.equal(cell(nodes, "n1", 6).conflicting, true);
  assert.equal(cell(nodes, "n4", 6).conflicting, false);
  assert.equal(currentLeader(nodes).id, "n3", "the leader of the highest term counts");
});

test("indexes inside a snapshot are one block", () => {
  const node = { id: "n1", status: "up", fields: { log: [entry(2, "a")], snapshot_index: 120, commit_index: 121 } };
  assert.equal(classifyCell(node, 120, null).kind, "snapshot");
  assert.equal(classifyCell(node, 121, null).entry.command, "a");
});

test("only the voters of a configuration count, and a snapshot holds what it stands for", () => {
  const fields = { term: 1, commit_index: 1, configuration: { voters: ["n1", "n2", "n3"], outgoing: [] } };
  const server = (id, role, log, more = {}) => ({ id, status: "up", fields: { ...fields, role, log, ...more } });
  const nodes = [server("n1", "leader", [entry(1, "a"), entry(1, "b")]), server("n2", "follower", [], { snapshot_index: 1 }),
    server("n3", "follower", []), server("n4", "follower", [entry(1, "a"), entry(1, "b")])];
  assert.deepEqual([commitNote(nodes, "n1", 1).k, commitNote(nodes, "n1", 1).n], [2, 3]);
  assert.equal(commitNote(nodes, "n1", 2).text, "n1 may commit it when 1 more server holds it.");
  nodes[0].fields.configuration = { voters: ["n2", "n3", "n4"], outgoing: ["n1", "n2", "n3"] };
  assert.match(commitNote(nodes, "n1", 2).text, /majorities of the old and of the new servers/);
});

test("truncated entries are ghosts only on the event that removed them", () => {
  assert.deepEqual(truncatedEntries(at(9).frame.nodes.get("n2")).map(([index, item]) => [index, item.command]), [[4, "w=6"], [5, "w=3"]]);
  assert.deepEqual(truncatedEntries(at(10).frame.nodes.get("n2")), []);
});

test("a committed entry of the leader's own term says so", () => {
  const { nodes } = at(25);
  const note = commitNote(nodes, "n3", 7, { stations: branch.stations, commitTerm: 4 });
  assert.equal(note.title, "Entry 7 is committed:");
  assert.equal(note.text, "on 3 of 5, and of the leader’s own term. n1’s 7 conflicts with it and cannot win.");
  assert.deepEqual(note.holders, ["n3", "n4", "n5"]);
});

test("an entry of an old term on a majority is not committed (§5.4.2)", () => {
  const make = (id, term, role, log, status = "up") => ({ id, status, fields: { term, role, log, commit_index: 1 } });
  const old = [entry(1, "a"), entry(2, "b")];
  const nodes = [make("n1", 2, "leader", old, "crashed"), make("n2", 4, "follower", old), make("n3", 4, "candidate", old), make("n4", 4, "follower", old), make("n5", 3, "follower", [old[0]])];
  const note = commitNote(nodes, "n3", 2, { stations: [{ term: 2, leader: "n1" }] });
  assert.equal(note.title, "Entry 2 is on 4 of 5 but not committed.");
  assert.equal(note.text, "Its leader n1 crashed first; n3 may commit it only behind an entry of term {term:4} (§5.4.2).");
});

test("an entry short of a majority says how many more it needs", () => {
  const note = commitNote(at(25).nodes, "n3", 8, {});
  assert.equal(note.title, "Entry 8 is on 2 of 5.");
  assert.equal(note.text, "n3 may commit it when 1 more server holds it.");
});

test("a doomed entry names the entry that wins", () => {
  const note = commitNote(at(25).nodes, "n1", 6, {});
  assert.equal(note.title, "Entry 6 of n1 conflicts.");
  assert.match(note.text, /committed entry there is `y=2` of term \{term:4\}/);
});

test("moments of an entry are the events that appended, committed and truncated it", () => {
  const { ctx } = at(25);
  assert.deepEqual(logMoments(ctx.store.trace, "n3", 7, 4), { append: 17, commit: 21, commitTerm: 4, truncate: null });
  assert.equal(logMoments(ctx.store.trace, "n2", 4, 2).truncate, 9);
});

test("commands are shown as a student writes them", () => {
  assert.equal(entryText(entry(1, "x=1")), "x=1");
  assert.equal(entryText(entry(1, null)), "no-op");
  assert.equal(entryText({ "@": "Op", term: 2, key: "x", value: 1 }), "{key=x, value=1}");
});

test("the frontier steps at each row's commit index", () => {
  assert.equal(frontierPath([1, 3], 1, 10, 5, 2, 100), "M10 -3V2H10V7H30V12");
});

test("the minimap draws runs of one term", () => {
  assert.deepEqual(termRuns({ log: [entry(1, "a"), entry(1, "b"), entry(3, "c")] }), [[0, 2, 1], [2, 3, 3]]);
});

test("the grid has rows, header cells and one tab stop; Enter selects and arrows move", () => {
  const { ctx, frame } = at(25);
  const view = createLogView(ctx);
  document.body.append(view.el);
  view.update(frame, "seek");
  const grid = view.el.querySelector("[role=grid]");
  assert.equal(grid.querySelectorAll("[role=row]").length, 6);
  assert.equal(grid.querySelectorAll("[role=rowheader]").length, 5);
  assert.equal(grid.querySelectorAll("[role=gridcell][tabindex='0']").length, 1);
  view.focus();
  const key = (name) => document.activeElement.dispatchEvent(new document.defaultView.KeyboardEvent("keydown", { key: name, bubbles: true }));
  key("ArrowRight");
  key("ArrowDown");
  assert.equal(document.activeElement.dataset.cell, "n2:2");
  key("Enter");
  assert.deepEqual(ctx.store.selection, { kind: "entry", id: "n2:2" });
  assert.match(view.el.querySelector(".ds-note").textContent, /Entry 2 is committed/);
  view.el.querySelector(".ds-note button").click();
  assert.deepEqual(ctx.calls.at(-1), ["seek", { event: 1 }]);
  view.el.remove();
});

test("only the columns in view are drawn", () => {
  const { ctx } = at(25);
  const long = Array.from({ length: 5000 }, (_, i) => entry(1 + Math.floor(i / 1000), `x=${i}`));
  const frame = frameAt(ctx, 25);
  for (const id of SERVERS) frame.nodes.set(id, { ...frame.nodes.get(id), fields: { ...frame.nodes.get(id).fields, log: long } });
  const view = createLogView(ctx);
  document.body.append(view.el);
  view.update(frame, "seek");
  assert.ok(view.el.querySelectorAll("[role=gridcell]").length < 80);
  assert.equal(view.el.querySelector(".ds-minimap").hidden, false);
  assert.equal(view.el.querySelector("[role=grid]").getAttribute("aria-colcount"), "5002");
  view.el.remove();
});

test("a leader without the entry will replace it", () => {
  const make = (id, term, role, log) => ({ id, status: "up", fields: { term, role, log, commit_index: 0 } });
  const nodes = [make("n1", 1, "leader", [entry(1, "a")]), make("n2", 2, "leader", []), make("n3", 2, "follower", [])];
  const note = commitNote(nodes, "n1", 1, { stations: [{ term: 1, leader: "n1" }] });
  assert.equal(note.text, "Its leader n1 is behind the times; n2 leads term {term:2} without it and will replace it.");
});
