// Conditions: what they say about a run, what is refused in words, and that nothing typed is ever run as code.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConditionError, conditionText, findUntil, literalText, readCondition } from "../../dslab/widgets/static/conditions.js";
import { assembleTrace, decodeChunk } from "../../dslab/widgets/static/trace.js";
import { electionRun, modelState } from "./fixture.js";

const run = electionRun();
const { spec, branches, chunks } = modelState(run);
const trace = assembleTrace(branches, { A: decodeChunk(chunks.A) }, "A", spec);
const branch = { ...branches[0], verdicts: [{ name: "safe", status: "violated", event: 9 }, { name: "live", status: "reached", event: 4 }] };
const at = (text, event = trace.n - 1, extra = {}) => readCondition(text, { ...spec, ...extra }).test({ trace, branch, event, frame: trace.frameAt(event) });
const made = (fields, text, status = "up") => readCondition(text, { servers: ["n1", "n2"], fields: {} })
  .test({ trace, branch, event: 0, frame: { nodes: new Map([["n1", { id: "n1", status, fields }], ["n2", { id: "n2", status: "up", fields: {} }]]) } });

test("run until finds the next event at which a condition becomes true", () => {
  const crash = run.events.findIndex((event) => event.kind === "crash");
  const found = findUntil(trace, branch, crash, readCondition('any(role == "leader")', spec));
  assert.equal(trace.frameAt(found).nodes.get("n3").fields.role, "leader");
  assert.equal(trace.frameAt(found - 1).nodes.get("n3").fields.role, "candidate");
  assert.equal(findUntil(trace, branch, 0, readCondition("n2.term >= 9", spec)), -1);
  assert.equal(findUntil(trace, branch, -1, readCondition("violated()", spec)), 9);
  assert.equal(findUntil(trace, branch, -1, readCondition('violated("live")', spec)), -1);
  assert.equal(findUntil(trace, branch, -1, readCondition('reached("live")', spec)), 4);
  assert.equal(trace.kind(findUntil(trace, branch, -1, readCondition('kind == "crash"', spec))), "crash");
});

test("messages are found where they are sent, delivered and dropped, as in the trace itself", () => {
  const { messages } = trace;
  for (const [text, wanted] of [
    ['sent("RequestVote")', (i) => [...Array(messages.count).keys()].some((k) => messages.sentEvent(k) === i && messages.type(k) === "RequestVote")],
    ['delivered(none, "n3")', (i) => trace.kind(i) === "deliver" && messages.from(trace.message(i) ?? 0) === "n3" && trace.message(i) !== null],
    ['dropped(none, none, "n1")', (i) => trace.kind(i) === "drop" && messages.to(trace.message(i)) === "n1"],
  ]) {
    for (let i = 0; i < trace.n; i++) assert.equal(at(text, i), Boolean(wanted(i)), `${text} at event ${i}`);
  }
});

test("what binds tighter, by every combination of truth values against JavaScript", () => {
  const words = { true: true, false: false };
  for (const a of ["true", "false"]) for (const b of ["true", "false"]) for (const c of ["true", "false"]) {
    const [x, y, z] = [words[a], words[b], words[c]];
    assert.equal(made({}, `${a} or ${b} and not ${c}`), x || (y && !z));
    assert.equal(made({}, `not (${a} or ${b}) and ${c}`), !(x || y) && z);
    assert.equal(made({}, `${a} && !${b} || ${c}`), (x && !y) || z);
  }
});

test("values: numbers, texts, lists such as ballots, parts of records and of logs", () => {
  const fields = { term: 3, role: "leader", ballot: [2, "n1"], log: [{ "@": "Entry", term: 1, command: "x=1" }, { term: 3, command: 'say "é"' }], votes: { n2: true }, none: null };
  for (const text of ["n1.term == 3", "n1.term != 4", "n1.term >= 3 and n1.term <= 3", "n1.term > -1", "n1.ballot == [2, 'n1']", 'n1.ballot > [1, "n9"]', "n1.ballot < [10]",
    "n1.log[0].term == 1", "n1.log[-1].term == n1.term", 'n1.log[1].command == "say \\"é\\""', "len(n1.log) == 2", "n1.votes.n2", 'n1.votes["n2"] == true', '"n2" in n1.votes',
    '"lead" in n1.role', "3 in [1, 3]", "n1.none == none", "count(term == 3) == 1", 'n1.status == "up"', 'any(id == "n2" and status == "up")', "n1.role = 'leader'", "n1.term ≥ 3"]) {
    assert.equal(made(fields, text), true, text);
  }
  for (const text of ["n1.nothing == 1", "n1.nothing != 1", "n1.role > 2", "n1.log[9].term == 1", "all(term == 3)", "n1.term in 3", "len(n1.term) == 0"]) assert.equal(made(fields, text), false, text);
  assert.equal(made(fields, 'n1.role == "leader"', "crashed"), false, "a node that is down shows nothing");
  assert.equal(made(fields, 'n1.status == "crashed"', "crashed"), true);
  assert.equal(made(fields, "any(term == 3)", "crashed"), false);
});

test("what is wrong is said in one sentence that names the place", () => {
  for (const [text, words] of [
    ["", /Write a condition/], ["n1.term ==", /ends too early: a value is missing/], ["n9.term == 1", /There is no node n9; there are n1, n2/], ['role == "leader"', /Whose role\? Write any\(role/],
    ["n1", /a field, such as n1\./], ["n1.term == 3 n2.term", /character 14.*expected “and”, “or” or the end/], ["(n1.term == 3", /“\)” is missing/], ["n1.term == 3 == 3", /between two comparisons/],
    ["n1.term == 'x", /At character 12/], ["frobnicate(1)", /“frobnicate\(…\)” with 1 values is unknown/], ["sent(1,2,3,4)", /unknown/], ["n1.term == 3;", /At character 13/],
  ]) {
    assert.throws(() => readCondition(text, spec), (error) => error instanceof ConditionError && words.test(error.message), text);
  }
});

test("worst inputs: depth, length, prototypes and code are refused or mean nothing", () => {
  assert.throws(() => readCondition("(".repeat(120) + ")".repeat(120), spec), /nests at most 40/);
  assert.throws(() => readCondition("not ".repeat(70) + "true", spec), /nests at most/);
  assert.throws(() => readCondition("[".repeat(140), spec), /nests at most/);
  assert.throws(() => readCondition(`n1.role == "${"x".repeat(400)}"`, spec), /at most 300/);
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    assert.equal(made({}, `n1.${name} == none`), false, name);
    assert.equal(made({}, `n1.${name}.${name} == none or "${name}" in [n1.${name}]`), false, name);
  }
  globalThis.escaped = false;
  for (const text of ["constructor.constructor('escaped = true')()", "(() => { escaped = true })()", "n1.role == `${escaped = true}`", "escaped = true", "alert(1)", "import('x')", "n1['constructor']"]) {
    assert.throws(() => at(text), ConditionError, text);
  }
  assert.equal(globalThis.escaped, false);
  assert.doesNotThrow(() => made({}, "len(n1.x) in n1.y and n1.z[n2.w] == [n1.v]"));
});

test("menus write conditions that can be read, whatever is typed into them", () => {
  const base = { what: "field", node: "any", field: "role", op: "==" };
  assert.equal(conditionText({ ...base, value: "leader" }), 'any(role == "leader")');
  assert.equal(conditionText({ ...base, node: "n2", field: "term", op: ">", value: "3" }), "n2.term > 3");
  assert.equal(conditionText({ what: "message", when: "sent", type: "Vote", from: "any", to: "n1" }), 'sent("Vote", none, "n1")');
  assert.equal(conditionText({ what: "message", when: "dropped", type: "any", from: "any", to: "any" }), "dropped()");
  assert.equal(conditionText({ what: "property", property: "safe" }), 'violated("safe")');
  for (const value of ['"', "\\", "true", "-1.5", "1e9", "", "né", "a b) or (true"]) {
    assert.doesNotThrow(() => readCondition(conditionText({ ...base, value }), spec), value);
    if (!["true", "-1.5"].includes(value)) assert.equal(made({ x: value.trim() }, `n1.x == ${literalText(value)}`), true, value);
  }
});
