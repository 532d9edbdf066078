// The script of a branch is the Python that Lab.code() returns.
import assert from "node:assert/strict";
import { endingAction } from "../../dslab/widgets/static/faultbars.js";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { actionCall, createScriptDrawer, pythonLiteral, scriptText } from "../../dslab/widgets/static/script.js";
import { branch, fakeContext, frameAt, spec } from "./panels-fixture.js";

test("a branch prints as the cell that makes it", () => {
  assert.equal(scriptText(spec, { actions: [{ at: 1180, do: "crash", node: "n1" }] }),
    "from dslab import Lab\nfrom dslab.protocols import raft\n\nlab = Lab(raft.cluster(5), seed=7)\nlab.crash(\"n1\", at=1180)\nlab");
});

const CALLS = [
  [{ at: 1180.5, do: "restart", node: "n1", disk: false }, "restart(\"n1\", disk=False, at=1180.5)"],
  [{ at: 1, do: "skew", node: "n1", offset: -20, rate: 1.5 }, "skew(\"n1\", offset=-20, rate=1.5, at=1)"],
  [{ at: 1, do: "timeout", node: "n1", timer: "election" }, "timeout(\"n1\", \"election\", at=1)"],
  [{ at: 1, do: "partition", groups: [["n1"], ["n2", "n3"]], in_flight: "held" }, "partition([[\"n1\"], [\"n2\", \"n3\"]], in_flight=\"held\", at=1)"],
  [{ at: 2, do: "heal" }, "heal(at=2)"],
  [{ at: 2, do: "cut", source: "n1", target: "n2" }, "cut(\"n1\", \"n2\", at=2)"],
  [{ at: 2, do: "link", source: "n1", target: "n2", latency: [5, 60], loss: 0.2, duplicate: 0.05, fifo: true },
    "link(\"n1\", \"n2\", latency=[5, 60], loss=0.2, duplicate=0.05, fifo=True, at=2)"],
  [{ at: 2, do: "delay", message: 31, by: 400 }, "delay(31, by=400, at=2)"],
  [{ at: 2, do: "request", command: "x=8", to: "n1", client: "c2" }, "request(\"x=8\", to=\"n1\", client=\"c2\", at=2)"],
];

for (const [action, call] of CALLS) {
  test(`${action.do} prints as ${call}`, () => assert.equal(actionCall(action), call));
}

test("literals are Python's", () => {
  assert.equal(pythonLiteral({ key: "ü\"", on: true, none: null, small: 0.00001 }), "{\"key\": \"ü\\\"\", \"on\": True, \"none\": None, \"small\": 1e-05}");
});

test("copy falls back to selected text where there is no clipboard", async () => {
  const { document } = new JSDOM("<!doctype html><body></body>").window;
  const ctx = fakeContext(document);
  const drawer = createScriptDrawer(ctx);
  document.body.append(drawer.el);
  drawer.update(frameAt(ctx, 25));
  assert.equal(drawer.el.querySelectorAll("li").length, 4 + 1 + branch.actions.length);
  assert.match(drawer.el.querySelector("[aria-current]").textContent, /lab\.mend/);
  drawer.el.querySelector("button").click();
  await new Promise((resolve) => setTimeout(resolve, 0));
  const area = drawer.el.querySelector("textarea");
  assert.equal(area.hidden, false);
  assert.equal(area.value, scriptText(spec, branch));
});

test("a fault ends with the action of its kind, on its node, at its end", () => {
  const actions = [{ at: 100, do: "crash", node: "n1" }, { at: 100, do: "crash", node: "n2" }, { at: 300, do: "restart", node: "n2" }, { at: 300, do: "restart", node: "n1" }, { at: 400, do: "partition", groups: [] }, { at: 500, do: "heal" }];
  const fault = (kind, action, to) => ({ kind, action, to_us: to });
  assert.equal(endingAction(fault("down", 0, 300_000), actions), 3);
  assert.equal(endingAction(fault("down", 1, 300_000), actions), 2);
  assert.equal(endingAction(fault("partition", 4, 500_000), actions), 5);
  assert.equal(endingAction(fault("down", 0, null), actions), -1);
});
