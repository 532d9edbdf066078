"""Two stores that find where they differ by a hash tree, with the way down from outside; and the runs that judge it.

Source: G. DeCandia et al., "Dynamo", SOSP 2007, section 4.7. The tree is that of merkle.py.
"""

from __future__ import annotations

from dslab.sim.case import Case

from . import anti_entropy
from .anti_entropy_properties import ALWAYS, few_hashes, finds_what_differs

CONTENTS = tuple((f"k{i}", str(i)) for i in range(40))
JUDGED = (finds_what_differs, few_hashes, *ALWAYS)
PARAMETERS = {"contents": CONTENTS, "cycle": (10_000, 20_000), "clients": 2}    # exchanges begin by `timeout` actions


def comparing(answer, nodes=2, **options):
    """Stores that compare their trees with a function.

    Args:
        answer: called as answer(mine, theirs, depth) with {node: hash} of the own tree, {node: hash} of the nodes that
            were asked for last, and the length of a leaf's name; returns (nodes to ask for next, leaves that differ).
        nodes, options: as for anti_entropy.cluster.
    """

    class Comparer(anti_entropy.Comparing):
        """A site that is told where to go on."""

        def descend(self, mine, theirs):
            found = answer(dict(mine), dict(theirs), self.depth)
            if not isinstance(found, tuple) or len(found) != 2 or not all(isinstance(one, list) for one in found):
                raise TypeError(f"{answer.__name__} returned {found!r}; it must return two lists: nodes, leaves")
            below, leaves = found
            for node in [*below, *leaves]:
                if node not in mine:
                    raise TypeError(f"{answer.__name__} returned {node!r}; the tree has no such node: a name is at "
                                    f"most {self.depth} times 0 or 1")
            if set(below) & set(theirs):
                raise TypeError(f"{answer.__name__} asks for {below!r} again: each hash is asked for once")
            for leaf in leaves:
                if len(leaf) != self.depth:
                    raise TypeError(f"{answer.__name__} says that {leaf!r} is a leaf; leaves have {self.depth} digits")
            return list(below), list(leaves)

    return _judged(Comparer, nodes, options, f"comparing({answer.__name__}, {nodes}{_printed(options)})")


def compared(nodes=2, **options):
    """Stores that compare their trees as merkle.py does; arguments as for anti_entropy.cluster."""
    return _judged(anti_entropy.Comparing, nodes, options, f"compared({nodes}{_printed(options)})")


def _judged(server, nodes, options, code):
    system = anti_entropy.cluster(nodes, server=server, **{**PARAMETERS, **options})
    system.always, system.imports = JUDGED, "from dslab.protocols import merkle_steps"
    return system.replace(code=f"merkle_steps.{code}")


def _printed(options):
    return "".join(f", {name}={value!r}" for name, value in options.items())


def _writes(at, key, to):
    return {"at": at, "do": "request", "command": f"{key}=new", "to": to, "client": f"c{to[1:]}"}


def _compare(at, node):
    return {"at": at, "do": "timeout", "node": node, "timer": "cycle"}


def _reads(at, *keys):
    return [{"at": at + 60 * i, "do": "request", "command": key, "to": f"n{i % 2 + 1}", "client": f"c{i % 2 + 1}"}
            for i, key in enumerate(keys)]


EQUAL = Case(
    "equal",
    "both stores hold the same 40 keys, and n1 compares.",
    [_compare(50, "n1"), *_reads(400, "k1", "k2")],
    until=700,
    nodes=2,
    clients=2,
    question="The hashes of the roots are equal. What is left to ask?",
)

ONE_KEY = Case(
    "one-key",
    "one of 40 keys was written at n1 only; then n1 compares.",
    [_writes(10, "k7", "n1"), _compare(100, "n1"), *_reads(500, "k7", "k7")],
    until=800,
    nodes=2,
    clients=2,
    question="Two hashes below a node were compared and one of them differs. Below which of the two must you look?",
)

TWO_SIDES = Case(
    "two-sides",
    "three keys were written at n1 and two at n2, which compares.",
    [*[_writes(10 + 40 * i, f"k{key}", "n1") for i, key in enumerate((3, 21, 30))],
     *[_writes(10 + 40 * i, f"k{key}", "n2") for i, key in enumerate((11, 35))],
     _compare(200, "n2"), *_reads(700, "k3", "k11")],
    until=1_000,
    nodes=2,
    clients=2,
    question="Several branches differ. Which of them has your function gone into, and which not?",
)

UNKNOWN_KEY = Case(
    "unknown-key",
    "n2 holds a key that n1 has never heard of; n1 compares.",
    [_writes(10, "extra", "n2"), _compare(100, "n1"), *_reads(500, "extra", "extra")],
    until=800,
    nodes=2,
    clients=2,
    question="The key is missing here. Does the leaf's hash know that?",
)

COMPARE = (EQUAL, ONE_KEY, TWO_SIDES, UNKNOWN_KEY)
OTHERS = tuple(
    TWO_SIDES._replace(name=f"others-{first}", seed=first, schedule=[
        *[_writes(10 + 40 * i, f"k{(first * (i + 3)) % 40}", "n1") for i in range(4)],
        *[_writes(20 + 40 * i, f"k{(first * (i + 9) + 1) % 40}", "n2") for i in range(2)],
        _compare(300, "n1" if first % 2 else "n2"), *_reads(800, "k1")])
    for first in (7, 12, 17)
)
