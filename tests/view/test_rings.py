"""The words and the picture for rings of keys, on runs of Chord and on fields that are not what they should be."""

import re

import pytest

from dslab import Node, System
from dslab.protocols import chord
from dslab.sim import simulate
from dslab.view import narrate, read, storyboard
from dslab.view.rings import bits_of, distance, key_text, lookups_of, positions_of
from dslab.view.scene import scene_at
from dslab.view.words import plain_text

SCHEDULE = [
    *({"at": 100 + 30 * i, "do": "request", "command": f"k{i}={i}"} for i in range(8)),
    {"at": 700, "do": "request", "command": "#300"},
    {"at": 900, "do": "join", "node": "n12"},
    {"at": 2000, "do": "crash", "node": "n3"},
    {"at": 4000, "do": "leave", "node": "n5"},
]


@pytest.fixture(scope="module")
def reading():
    system = chord.cluster(12, bits=10, absent=("n12",))
    return read(simulate(system, seed=1, schedule=SCHEDULE, until=6000))


@pytest.fixture(scope="module")
def says(reading):
    return {event: tuple(map(plain_text, said)) for event, said in narrate(reading).items()}


def test_each_hop_is_told_with_what_is_left(reading, says):
    """The numbers are counted once more from the places of the nodes."""
    told = 0
    for event, (headline, reason) in says.items():
        asks = re.fullmatch(r"(n\d+) asks (n\d+) for key (\d+)", headline)
        left = re.search(r"(\d+) are left to the key, (\d+) from (n\d+)\.", reason)
        if not asks or not left:
            continue
        nodes = scene_at(reading, event).nodes
        for name, number in ((asks[2], left[1]), (left[3], left[2])):
            assert (int(asks[3]) - nodes[name].fields["position"]) % 1024 == int(number)
        assert int(left[1]) < int(left[2])
        told += 1
    assert told >= 3


def test_who_is_found_is_the_owner(reading, says):
    found = [(event, *re.fullmatch(r"Key (\d+) is found: (n\d+) owns it", headline).groups())
             for event, (headline, _) in says.items() if "is found" in headline]
    assert len(found) >= 5
    for event, key, owner in found:
        scene = scene_at(reading, event)
        up = {n: node.fields["position"] for n, node in scene.nodes.items()
              if n in scene.servers and node.status == "up" and node.fields["successors"]}
        assert min(up, key=lambda n: (up[n] - int(key)) % 1024) == owner


def test_members_come_and_go_in_words(says):
    headlines = [headline for headline, _ in says.values()]
    for words in ("n12 joins through n1", "n12 has found its place", "n3 crashes", "n5 leaves"):
        assert any(words in headline for headline in headlines), words
    reasons = [reason for headline, reason in says.values() if "'s successor is now" in headline]
    assert any("n3 is down" in reason for reason in reasons)
    assert any("n5 has left" in reason for reason in reasons)


def test_moved_keys_are_those_that_somebody_else_had(reading, says):
    moved = [(event, re.search(r"moves? from (n\d+) to (n\d+)", headline)) for event, (headline, _) in says.items()]
    moved = [(event, match) for event, match in moved if match]
    assert moved
    for event, match in moved:
        earlier = [scene_at(reading, e).nodes[match[1]].fields.get("keys") for e in range(0, event, 7)]
        now = scene_at(reading, event).nodes[match[2]].fields["keys"]
        assert any(set(keys or []) & set(now) for keys in earlier)


def test_upkeep_that_changes_nothing_is_not_told(says):
    assert not [headline for headline, _ in says.values() if "receives" in headline]


def test_sentences_fit(says):
    assert all(len(headline) <= 45 and len(reason) <= 75 for headline, reason in says.values())


def test_the_storyboard_draws_the_ring(reading):
    board = storyboard(reading)
    assert "key " in board.svg and " owns" in board.svg
    assert "is found" in board.text
    assert storyboard(reading) == board


ODD = [None, 1, -1, "x", True, [], {}, [None], [[]], {"1": None}, {"1": {"key": "x"}},
       {"1": {"key": 3, "path": "a", "asking": [1], "owner": 4, "state": []}}, {"a": ["n1", 3]}, [[1, 2]], 2**70]


@pytest.mark.parametrize("field", ["position", "tokens", "bits", "metric", "predecessor", "successors", "fingers",
                                   "buckets", "keys", "lookups"])
def test_fields_of_another_shape_are_left_out(field):
    """Nothing throws, in words or picture; what cannot be read is not talked about."""

    class Odd(Node):
        shows = ("position", "bits", "metric", "predecessor", "successors", "fingers", "buckets", "keys", "lookups",
                 "tokens")
        field, values = "", ()

        def on_start(self):
            self.position, self.bits, self.metric, self.predecessor = 3, 5, "clockwise", None
            self.successors, self.fingers, self.buckets, self.keys = ["n2"], [[4, "n2"]], {"1": ["n2"]}, [1]
            self.lookups, self.tokens, self.at = {"1": {"key": 4, "path": ["n1"], "asking": ["n2"]}}, [], 0
            self.set_timer("next", after=5)

        def on_next_timeout(self):
            setattr(self, self.field, self.values[self.at])
            self.at += 1
            if self.at < len(self.values):
                self.set_timer("next", after=5)

    system = System(Odd, nodes=2, options={"field": field, "values": tuple(map(frozen, ODD))})
    trace = simulate(system, seed=1, until=200)
    narrate(read(trace))
    storyboard(read(trace))


def frozen(value):
    """A value that all nodes may share."""
    from dslab.sim import FrozenDict, FrozenList

    if isinstance(value, dict):
        return FrozenDict({name: frozen(item) for name, item in value.items()})
    return FrozenList([frozen(item) for item in value]) if isinstance(value, list) else value


def test_numbers_of_a_ring():
    ring = {"bits": 10, "position": 971}
    assert (bits_of(ring), positions_of(ring), distance(971, 733, ring)) == (10, [971], 786)
    assert distance(12, 10, {"bits": 4, "position": 12, "metric": "xor"}) == 6
    assert key_text(2**159, {"bits": 160, "position": 1}) == "800000…"
    for fields in ({"bits": True, "position": 1}, {"bits": 0, "position": 1}, {"bits": 4}, {}):
        assert bits_of(fields) is None
    assert lookups_of({"lookups": [1]}) == {} and lookups_of({}) == {}
