"""Python and the browser read the same bytes alike: equal code, equal states, equal branches."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dslab import Lab
from dslab.protocols import raft
from dslab.sim.schedule import to_us

STATIC = Path(__file__).parents[2] / "dslab" / "widgets" / "static"
SCRIPT = f"""
import {{ scriptText }} from {json.dumps((STATIC / "script.js").as_uri())};
import {{ assembleTrace, decodeChunk }} from {json.dumps((STATIC / "trace.js").as_uri())};
import {{ readFileSync }} from "node:fs";
const {{ spec, branches, chunks, stops }} = JSON.parse(readFileSync(0, "utf8"));
const decoded = Object.fromEntries(Object.entries(chunks).map(([id, text]) => [id, decodeChunk(text)]));
const result = branches.map((branch) => {{
  const trace = assembleTrace(branches, decoded, branch.id, spec);
  const states = stops[branch.id].map((event) => Object.fromEntries([...trace.frameAt(event).nodes].map(
    ([id, node]) => [id, {{ status: node.status, ...node.fields }}])));
  const flying = stops[branch.id].map((event) => trace.frameAt(event).flying);
  return {{ code: scriptText(spec, branch), n: trace.n, messages: trace.messages.count, states, flying }};
}});
console.log(JSON.stringify(result));
"""
ACTIONS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("request", ('say "hé" \\ \n x=1',), {"to": "n2"}),
    ("crash", ("n1",), {"at": 1200}),
    ("restart", ("n1",), {"disk": False, "at": 1300.5}),
    ("leave", ("n4",), {"at": 1350}),
    ("join", ("n4",), {"to": "n2", "at": 1360}),
    ("pause", ("n2",), {"at": 1400.125}),
    ("resume", ("n2",), {"at": 1500}),
    ("lose_disk", ("n3",), {"at": 1500}),
    ("skew", ("n4",), {"offset": -20.5, "rate": 0.5, "at": 1510}),
    ("timeout", ("n2", "election"), {"at": 1520}),
    ("load_dice", ("n2", [1, 0]), {"at": 1525}),
    ("turn_traitor", ("n3", "equivocate"), {"fields": {"term": 3, "granted": True}, "to": ["n2", "n4"], "at": 1530}),
    ("turn_traitor", ("n3", "delay"), {"by": 12.5, "at": 1580}),
    ("turn_loyal", ("n3",), {"at": 1590}),
    ("partition", (["n1", "n2"], ["n3"]), {"in_flight": "held", "at": 1600}),
    ("heal", (), {"at": 1700}),
    ("cut", ("n1", "n2"), {"at": 1710}),
    ("mend", ("n1", "n2"), {"at": 1720}),
    (
        "link",
        ("n1", "n2"),
        {"latency": [10, 20.5], "loss": 1e-05, "duplicate": 1.0, "fifo": True, "at": 1730},
    ),
    ("drop", (300,), {"at": 1740}),
    ("hold", (301,), {"at": 1750}),
    ("release", (301,), {"at": 1760}),
    ("delay", (302,), {"by": 1.5, "at": 1770}),
    ("duplicate", (303,), {"at": 1780}),
    ("deliver", (304,), {"at": 1790}),
    ("request", ([1, {"k": None}, True, 0.25],), {"at": 1800}),
]


@pytest.mark.needs("node")
def test_the_browser_prints_and_folds_what_python_does() -> None:
    """Byte-equal cells for every verb, and equal states, counts and flights in a tree of forks."""
    lab = Lab(raft.cluster(5), seed=7, until=2500)
    for verb, args, kwargs in ACTIONS:
        getattr(lab, verb)(*args, **{"at": 300, **kwargs})
    lab.seek(1900)
    lab.crash("n5", at=1650)
    lab.crash("n4", at=1640)
    lab.seek(1000, branch="A")
    lab.fork(900)
    lab.crash("n2", at=12_000)
    sizes = {b["id"]: len(lab.trace(b["id"])) for b in lab.branches}
    stops = {name: [*range(36, size, 37), size - 1] for name, size in sizes.items()}
    given = {
        "spec": lab.spec,
        "branches": lab.branches,
        "stops": stops,
        "chunks": {name: chunk.decode() for name, chunk in lab.chunks.items()},
    }
    run = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT],
        input=json.dumps(given),
        text=True,
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for branch, seen in zip(lab.branches, json.loads(run.stdout), strict=True):
        trace = lab.trace(branch["id"])
        assert seen["code"] == lab.code(branch["id"])
        assert (seen["n"], seen["messages"]) == (len(trace), len(trace.messages))
        assert branch["until_us"] == to_us(trace.until_us / 1000)
        for event, state, flying in zip(stops[branch["id"]], seen["states"], seen["flying"], strict=True):
            now = {node: {**fields, "traitor": False} for node, fields in trace.state_at(event).items()}
            loyal = {node: {**fields, "traitor": False} for node, fields in state.items()}
            assert loyal == now, (branch["id"], event)
            assert sorted(flying) == [
                m.id
                for m in trace.messages
                if m.sent_event is not None
                and m.sent_event <= event
                and (m.end_event is None or m.end_event > event)
            ]
