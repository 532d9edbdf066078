"""Copied code runs as it is: every system that a notebook opens in a Lab, and every variant of a protocol."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dslab
import dslab.protocols
from dslab import Lab
from dslab.check.properties import linearizable
from dslab.check.weaker import agreeing
from dslab.protocols import quorum
from dslab.protocols.raft_properties import election_safety
from dslab.sim import System
from dslab.sim.case import Case

NOTEBOOKS = Path(__file__).parents[2] / "notebooks" / "source"
HOMES = {
    home.name: importlib.import_module(f"dslab.protocols.{home.name}")
    for home in pkgutil.iter_modules(dslab.protocols.__path__)
}
MAKERS = ("cluster", "stage")


def shown_in_notebooks() -> Iterator[System]:
    """Systems that stand in a call of Lab and need no class of the notebook's own."""
    names = {**HOMES, **vars(dslab), "case": Case("", "", [], 100, nodes=3, clients=2)}
    for notebook in sorted(NOTEBOOKS.glob("*.py")):
        for node in ast.walk(ast.parse(notebook.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Lab" and node.args:
                given = {part.id for part in ast.walk(node.args[0]) if isinstance(part, ast.Name)}
                if given <= set(names):
                    yield eval(compile(ast.Expression(node.args[0]), notebook.name, "eval"), dict(names))


def variants() -> Iterator[System]:
    """Each class of a protocol's files in the place that its makers have for it."""
    for name, home in HOMES.items():
        base = name.removesuffix("_variants")
        makers = [getattr(HOMES[m], maker) for m in (name, base, f"{base}_cases") if m in HOMES for maker in MAKERS
                  if hasattr(HOMES[m], maker)]
        for cls in [c for c in vars(home).values() if inspect.isclass(c) and c.__module__ == home.__name__]:
            for make in makers:
                asked = inspect.signature(make).parameters
                given = {"nodes": 4} if "nodes" in asked else {}
                for place, usual in asked.items():
                    if inspect.isclass(usual.default) and issubclass(cls, usual.default):
                        yield make(**given, **{place: cls})


def made_again(code: str, imports: str) -> System:
    names: dict[str, Any] = {}
    exec(imports, names)
    return eval(code, names)


def test_the_code_of_every_system_in_a_notebook_and_of_every_variant_makes_it_again() -> None:
    found = {(s.code, s.import_lines): s for s in [*shown_in_notebooks(), *variants()] if isinstance(s, System)}
    assert len(found) > 200
    for (code, imports), system in found.items():
        again = made_again(code, imports)
        assert (again.classes, again.options, again.code) == (system.classes, system.options, code)
        assert [p.__name__ for p in again.always] == [p.__name__ for p in system.always]


def test_properties_of_ours_are_in_the_code_and_ones_own_are_not() -> None:
    def mine(world: Any) -> None:
        """Nothing is asked."""

    given = [linearizable("key-value", initial="0"), agreeing(50), election_safety, mine]
    lab = Lab(quorum.cluster(3, clients=2), seed=3, until=50, properties=given)
    names: dict[str, Any] = {}
    exec(lab.code(), names)
    again, listed = names["lab"], [prop["title"] for prop in lab.spec["properties"]]
    assert 'properties=[linearizable("key-value", initial="0"), agreeing(50, model="register"), ' in lab.code()
    assert again.digest() == lab.digest() and again.code() == lab.code()
    assert [prop["title"] for prop in again.spec["properties"]] == [title for title in listed if title != "Mine"]
