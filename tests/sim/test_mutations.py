"""Whatever way a node changes an attribute, the disk and the trace see it: against a plain deepcopy and compare."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from dslab.sim import Node, Simulation, System

CHANGES = {
    "append": lambda node, x: node.items.append(x),
    "extend": lambda node, x: node.items.extend([x, x]),
    "insert": lambda node, x: node.items.insert(0, x),
    "replace one": lambda node, x: node.items.__setitem__(slice(0, 1), [x]),
    "cut": lambda node, x: node.items.__delitem__(slice(x, None)),
    "pop": lambda node, x: node.items and node.items.pop(),
    "clear": lambda node, x: node.items.clear(),
    "reverse": lambda node, x: node.items.reverse(),
    "sort": lambda node, x: node.items.sort(key=str),
    "repeat": lambda node, x: node.items.__imul__(1 + (x == 0 and len(node.items) < 20)),
    "a new list": lambda node, x: setattr(node, "items", [*node.items, x]),
    "a list inside": lambda node, x: node.items.append([x]),
    "change the list inside": lambda node, x: [item.append(x) for item in node.items if isinstance(item, list)],
    "a dict": lambda node, x: node.table.__setitem__(str(x), [x]),
    "change inside the dict": lambda node, x: [value.append(x) for value in node.table.values()],
    "nothing": lambda node, x: None,
    "another type": lambda node, x: setattr(node, "number", [x, float(x), bool(x), None][x % 4]),
}


class Changer(Node):
    durable = {"items": [], "table": {}, "number": 0}
    shows = ("items", "table", "number")
    changes = ()

    def on_start(self):
        self.set_timer("go", after=1)

    def on_go_timeout(self):
        step = int(self.now) - 1
        if step < len(self.changes):
            change, x = self.changes[step]
            change(self, x)
            self.set_timer("go", after=1)


class Oracle:
    """What a node is without the runtime."""

    def __init__(self):
        self.items, self.table, self.number = [], {}, 0


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), st.integers(0, 3)), max_size=12))
def test_disk_and_trace_see_every_change(changes):
    cls = type("Changing", (Changer,), {"changes": tuple((CHANGES[name], x) for name, x in changes)})
    sim, oracle = Simulation(System(cls, 1), 1), Oracle()
    sim.run(0.5)
    for step, (name, x) in enumerate(changes):
        sim.run(step + 1.5)
        CHANGES[name](oracle, x)
        assert repr(sim.hosts["n1"].disk) == repr(copy.deepcopy(vars(oracle)))
    trace = sim.trace()
    oracle, step = Oracle(), 0
    for world in trace.states():
        if trace.events[world.event].kind == "timer" and step < len(changes):
            name, x = changes[step]
            CHANGES[name](oracle, x)
            step += 1
        state = vars(world.nodes["n1"])
        assert repr({field: state[field] for field in vars(oracle)}) == repr(vars(oracle))
    assert step == len(changes)
