"""Runs of replicated stores worth keeping: each shows what a rule about quorums is good for, or what it is not.

Every link takes 10 ms unless a case says otherwise, so the order of messages is the one that is told. A write that a
client asks for at 195 ms reaches its coordinator at 205; by 229 that has heard R replicas and sent the value.
"""

from __future__ import annotations

from random import Random

from dslab.sim.case import Case

from .raft_cases import _at


def _slow(at, source, *targets, ms=400):
    return [_at(at, "link", source=source, target=target, latency=[ms, ms]) for target in targets]


def _fast(at, source, *targets):
    return _slow(at, source, *targets, ms=10)


def _deaf(at, source, *targets, loss=1):
    """What a server sends from now on is lost."""
    return [_at(at, "link", source=source, target=target, loss=loss) for target in targets]


def _asks(at, client, command, to):
    """A request that reaches its server 5 ms later than `at`."""
    return _at(at - 5, "request", command=command, to=to, client=client)


HALF_WRITTEN = Case(
    "half-written",
    "x=0 is everywhere; the write of 1 has reached n1 only and is still running; c2 reads at n1, later c3 at n2.",
    [
        _asks(10, "c1", "x=0", "n1"),
        *_slow(220, "n1", "n2", "n3"),
        _asks(200, "c1", "x=1", "n1"),
        *_fast(232, "n1", "n2"),
        _asks(235, "c2", "x", "n1"),
        *_slow(255, "n1", "n2"),
        _asks(280, "c3", "x", "n2"),
        *_fast(460, "n1", "n2", "n3"),
    ],
    until=1_500,
    clients=3,
    catalogue="S6",
    question="c2 has read 1, and c3 asks after that. Which replicas answer c3's read, and who made sure they have 1?",
)

UNKNOWN_WRITE = Case(
    "unknown-write",
    "the write of 1 reaches n1 only, then n1 is cut off, and c1 is told that it failed; later c2 and c3 read.",
    [
        _asks(10, "c1", "x=0", "n1"),
        _asks(200, "c1", "x=1", "n1"),
        *_deaf(220, "n1", "n2", "n3"),
        _asks(300, "c2", "x", "n2"),
        *_deaf(900, "n1", "n2", "n3", loss=0),
        _asks(920, "c2", "x", "n1"),
        *_slow(985, "n1", "n3"),
        _asks(990, "c3", "x", "n3"),
    ],
    until=1_500,
    clients=3,
    progress=False,
    catalogue="S7",
    question="c1 was told that its write failed. What do the replicas hold at that moment, and what may a read return?",
)

HOMES_CUT_OFF = Case(
    "homes-cut-off",
    "n1, n2, n3 keep b; n1 and n2 are cut off; n3 writes b=1, n4 stands in; all is mended, and c2 reads at n1.",
    [
        _asks(10, "c1", "b=0", "n1"),
        _at(200, "partition", groups=[["n1", "n2"], ["n3", "n4"]]),
        _asks(250, "c1", "b=1", "n3"),
        _at(700, "heal"),
        *_slow(701, "n3", "n1", ms=60),
        _asks(750, "c2", "b", "n1"),
        _asks(1_500, "c3", "b", "n1"),
    ],
    until=2_500,
    nodes=4,
    clients=3,
    progress=False,
    catalogue="S8",
    question="Who has stored b=1 when c1 is told so, and which of them does a read at n1 ask?",
)

BOUNCING = Case(
    "bouncing",
    "x=3 is everywhere and x=5 at n1 only; c2 reads at n1, at n3, and at n1 again. R = W = 1.",
    [
        _asks(10, "c1", "x=3", "n1"),
        *_slow(150, "n1", "n2", "n3", ms=600),
        _asks(200, "c1", "x=5", "n1"),
        _asks(230, "c2", "x", "n1"),
        _asks(270, "c2", "x", "n3"),
        _asks(310, "c2", "x", "n1"),
        *_fast(500, "n1", "n2", "n3"),
    ],
    until=1_500,
    clients=2,
    catalogue="S10",
    question="c2 has read 5. How could n3 know that, before it answers with what it has?",
)

SLOW_CLOCK = Case(
    "slow-clock",
    "n2's clock is half a second behind; c1 writes x=1 at n1, then c2 x=2 at n2, and c3 reads x.",
    [
        _at(2, "skew", node="n2", offset=-500),
        _asks(600, "c1", "x=1", "n1"),
        _asks(800, "c2", "x=2", "n2"),
        _asks(1_000, "c3", "x", "n3"),
    ],
    until=2_000,
    clients=3,
    catalogue="F11",
    question="x=2 was written after x=1 was acknowledged. What do the two clocks say about that?",
)

TWO_CARTS = Case(
    "two-carts",
    "c1 puts milk into an empty cart at n1, and c2 bread at n3, at the same time; then c3 looks into it.",
    [
        _asks(10, "c1", "cart+milk", "n1"),
        _asks(12, "c2", "cart+bread", "n3"),
        _asks(300, "c3", "cart", "n2"),
        _asks(400, "c3", "cart+eggs", "n2"),
        _asks(600, "c1", "cart", "n1"),
    ],
    until=1_500,
    clients=3,
    catalogue="S9",
    question="Two clients got an empty cart and put one item back. Which of the two puts has seen the other?",
)

SAME_DOOR = TWO_CARTS._replace(
    name="same-door",
    shows="the same, and both puts go through n1.",
    schedule=[{**act, "to": "n1"} if act["do"] == "request" else act for act in TWO_CARTS.schedule],
    question="n1 counts its writes 1 and 2. Had the client of the second seen the first?",
)

FAST_CLOCK = TWO_CARTS._replace(
    name="fast-clock",
    shows="n1's clock is half a second ahead; c1 adds milk there, then c2, who finds milk, adds bread at n3.",
    schedule=[
        _at(2, "skew", node="n1", offset=500),
        _asks(10, "c1", "cart+milk", "n1"),
        _asks(200, "c2", "cart+bread", "n3"),
        _asks(400, "c3", "cart", "n2"),
    ],
    question="c2's cart was put later, and holds both items. What does n1's clock say about the two?",
)

THREE_CARTS = TWO_CARTS._replace(
    name="three-carts",
    shows="c1 puts milk, c2 bread and c3 eggs into an empty cart at the same time.",
    schedule=[_asks(10, "c1", "cart+milk", "n1"), _asks(11, "c2", "cart+bread", "n2"),
              _asks(12, "c3", "cart+eggs", "n3"), _asks(300, "c1", "cart", "n2")],
    question="How many writes are there of which none has seen another?",
)

COMES_LATE = TWO_CARTS._replace(
    name="comes-late",
    shows="c1 puts milk; c2 has found it and adds bread; after that the first write reaches n3.",
    schedule=[*_slow(25, "n1", "n3", ms=300), _asks(10, "c1", "cart+milk", "n1"), _asks(150, "c2", "cart+bread", "n2"),
              _asks(600, "c3", "cart", "n3")],
    question="n3 holds milk and bread, and milk alone arrives. Has what n3 holds seen that write?",
)

COMES_TWICE = TWO_CARTS._replace(
    name="comes-twice",
    shows="c1 puts milk, and every message of n1 arrives twice.",
    schedule=[*[_at(1, "link", source="n1", target=other, duplicate=1.0) for other in ("n2", "n3")],
              _asks(10, "c1", "cart+milk", "n1"), _asks(300, "c2", "cart", "n2")],
    question="The same vector arrives again. Has one that is equal seen it?",
)

SAME_MILK = TWO_CARTS._replace(
    name="same-milk",
    shows="c1 and c2 both put milk into an empty cart at the same time, at n1 and n3.",
    schedule=[_asks(10, "c1", "cart+milk", "n1"), _asks(12, "c2", "cart+milk", "n3"), _asks(300, "c3", "cart", "n2")],
    question="Both carts hold the same. Has one of the two writes seen the other, and which of them has a later write "
             "seen that knows only one of them?",
)

REGISTER = (HALF_WRITTEN, UNKNOWN_WRITE, SLOW_CLOCK)
CARTS = (TWO_CARTS, SAME_DOOR, FAST_CLOCK, THREE_CARTS, COMES_LATE, COMES_TWICE, SAME_MILK)


def busy_carts(seeds):
    """Runs in which four clients fill one cart while messages come late and twice.

    Args:
        seeds: one run for each.
    """
    return tuple(_busy_cart(seed) for seed in seeds)


def _busy_cart(seed):
    random, servers = Random(f"carts/{seed}"), ("n1", "n2", "n3")
    schedule = [_at(1, "link", source=a, target=b, latency=[1, random.choice([5, 40, 250])],
                    duplicate=random.choice([0, 0, 0.5])) for a in servers for b in servers if a != b]
    schedule += [_asks(10 + 25 * i + random.randint(0, 20), f"c{random.randint(1, 4)}",
                       "cart" if random.random() < 0.3 else f"cart+i{i}", random.choice(servers)) for i in range(30)]
    schedule += [_asks(2_500 + 100 * i, f"c{i}", "cart", server) for i, server in enumerate(servers, 1)]
    return Case(f"busy-{seed}", "four clients fill one cart; messages come late, and twice.",
                sorted(schedule, key=lambda act: act["at"]), 5_000, clients=4, seed=seed, catalogue="S9",
                question="Of the writes that met at this replica, which had seen which?")
