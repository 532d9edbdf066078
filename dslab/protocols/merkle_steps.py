"""Comparing two stores by their hash trees, with the decision from outside: where to go on after some hashes."""

from __future__ import annotations

from dslab.sim.case import Case

from . import anti_entropy

DEPTHS = {3: 3}                  # bits in the name of a leaf, by the number of sites; 4 otherwise
CONTENTS = tuple((f"k{number}", f"{number}") for number in range(1, 13))


class Site(anti_entropy.Comparing):
    """A site that begins with twelve entries, the same everywhere."""

    contents = CONTENTS


def differing(answer, nodes=2, **options):
    """Sites that ask a function where to go on.

    Args:
        answer: called as answer(mine, theirs, depth): `mine` is {node: hash} of the site's whole tree, `theirs` that of
            the nodes asked for last, at the other site; nodes are text such as "" (the root) and "01", and those of
            `depth` bits are leaves. Returns two lists: the nodes to ask for next, and the leaves that differ.
        nodes, options: as for anti_entropy.cluster.
    """

    class Asking(Site):
        """A site whose comparison is decided outside."""

        def descend(self, mine, theirs):
            found = answer(dict(mine), dict(theirs), self.depth)
            wanted = f"{answer.__name__} must return two lists of nodes: what to ask for next, and which leaves differ"
            if not isinstance(found, (tuple, list)) or len(found) != 2:
                raise TypeError(f"{wanted}; not {found!r}")
            below, leaves = found
            for given in (below, leaves):
                if not isinstance(given, (list, tuple)) or any(node not in mine for node in given):
                    raise TypeError(f"{wanted}; not {given!r}")
                if len(set(given)) < len(given):
                    raise TypeError(f"{answer.__name__} returned {given!r}, which names a node twice")
            short = [node for node in leaves if len(node) != self.depth]
            if short:
                raise TypeError(f"{answer.__name__} returned {short[0]!r} among the leaves, which has {len(short[0])} "
                                f"bits; leaves have {self.depth}")
            return list(below), list(leaves)

    return _named(Asking, f"differing({answer.__name__}, ", nodes, options)


def compared(nodes=2, **options):
    """Sites that compare as they should; arguments as for anti_entropy.cluster."""
    return _named(Site, "compared(", nodes, options)


def _named(server, maker, nodes, options):
    given = "".join(f", {name}={value!r}" for name, value in options.items())
    depth = {"depth": DEPTHS[nodes]} if nodes in DEPTHS else {}
    system = anti_entropy.cluster(nodes, server=server, **depth, **options)
    system.imports = "from dslab.protocols import merkle_steps"
    return system.replace(code=f"merkle_steps.{maker}{nodes}{given})")


def _at(at, do, **arguments):
    return {"at": at, "do": do, **arguments}


def _apart(name, shows, changes, question, **about):
    """A run in which n1 and n2 are apart while clients change entries; then they compare."""
    schedule = [_at(1, "partition", groups=[["n1"]])]
    schedule += [_at(10 + 15 * i, "request", command=command, to=site, client="c1" if site == "n1" else "c2")
                 for i, (site, command) in enumerate(changes)]
    schedule += [_at(20 + 15 * len(changes), "heal"), _at(900, "request", command="k1", to="n1")]
    return Case(name, shows, schedule, 1_000, nodes=2, clients=2, question=question, **about)


SAME = _apart("same", "nothing differs.", [], "Which hash says that all below it is the same?")
ONE = _apart("one", "one entry differs.", [("n1", "k3=new")],
             "The root's hashes differ. Which of the 31 hashes of the tree can differ, and which cannot?")
VALUE = _apart("value", "n1 and n2 have given the same key different values.", [("n1", "k5=a"), ("n2", "k5=b")],
               "Both hold the key. By what do their hashes differ?")
SEVERAL = _apart("several", "five entries differ, at both sites.",
                 [("n1", "k1=a"), ("n2", "k4=b"), ("n1", "k7=c"), ("n2", "new=d"), ("n1", "delete k9")],
                 "Two hashes came back and both differ. How many subtrees hold a difference?")
MANY = _apart("many", "n2 has written ten entries that n1 lacks.", [("n2", f"m{i}={i}") for i in range(10)],
              "How many leaves differ, and how many hashes lie above them?")
DIFFER = (SAME, ONE, VALUE, SEVERAL, MANY)


def others(first):
    """Other runs like these, for checks that are not shown; with other keys and values.

    Args:
        first: any integer; different ones give different runs.
    """
    return (_apart("one-other", ONE.shows, [("n2", f"k{first % 12 + 1}=other")], ONE.question),
            _apart("some", "some entries differ.", [(f"n{i % 2 + 1}", f"x{first}-{i}={i}") for i in range(6)],
                   SEVERAL.question),
            _apart("three-sites", "three sites, whose trees have three levels below the root; two entries differ.",
                   [("n1", f"k{first % 9 + 2}=a"), ("n2", "k1=b")], ONE.question)._replace(nodes=3),
            _apart("gone", "two entries are deleted.", [("n1", f"delete k{first % 11 + 1}"), ("n1", "delete k12")],
                   VALUE.question))
