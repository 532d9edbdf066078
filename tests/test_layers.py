"""The import rules, read off the syntax trees; what may be committed; that what is public is explained."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import dslab

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "dslab"


@dataclass(frozen=True)
class Rule:
    """What one layer may import.

    Args:
        ours: our own packages, beside itself.
        others: distributions beyond the standard library, anywhere in the layer.
        inside: distributions that may be imported inside a function only, where a plot is asked for.
        ours_inside: our own packages that may be imported inside a function only.
    """

    ours: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    inside: frozenset[str] = frozenset()
    ours_inside: frozenset[str] = frozenset()


def rule(ours: str = "", others: str = "", inside: str = "", ours_inside: str = "") -> Rule:
    """A rule from words."""
    return Rule(*(frozenset(words.split()) for words in (ours, others, inside, ours_inside)))


PLOTS = "matplotlib networkx"
NOTEBOOKS = "nbformat jupytext nbval nbclient jupyter_client IPython jinja2 tqdm"
RULES = {
    "sim": rule(),
    "protocols": rule("sim"),
    "check": rule("sim"),
    "experiments": rule("sim protocols check", "numpy", PLOTS + " tqdm", "live"),
    "view": rule("sim"),
    "widgets": rule("view sim check", "anywidget traitlets ipywidgets IPython"),
    "live": rule("sim", "cloudpickle"),
    "services": rule("live sim"),
    "authoring": rule(
        "sim check protocols grading", NOTEBOOKS
    ),  # one row of the table: grading below authoring
    "grading": rule("sim check protocols", NOTEBOOKS + " ipykernel pytest _pytest", "distributed networkx numpy"),
    "commands": rule("", "", "jupyterlab", "sim protocols check"),
    "__init__": rule(),  # loads by name when asked: see test_top_level_names_load
    "__main__": rule("commands"),
}


def imports(source: str, module: str) -> Iterator[tuple[str, bool, int]]:
    """Every module that a source imports: full name, whether inside a function, line.

    Relative imports are resolved against `module`; what stands under `if TYPE_CHECKING:` never runs.
    """
    package = module.split(".")[:-1]

    def visit(node: ast.AST, inside: bool) -> Iterator[tuple[str, bool, int]]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                yield from visit(child, inside)
            return
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, inside, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            for name in node.names:
                yield f"{start}.{name.name}", inside, node.lineno
        deeper = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from visit(child, deeper)

    yield from visit(ast.parse(source), False)


def broken_rules(source: str, module: str) -> list[str]:
    """The imports of one module that its layer forbids, a sentence each."""
    layer = module.split(".")[1] if "." in module else "__init__"
    allowed = RULES[layer]
    problems = []
    for name, inside, line in imports(source, module):
        top, *rest = name.split(".")
        if top == "dslab":
            target = rest[0] if rest else "__init__"
            fine = target in {layer, *allowed.ours} or (inside and target in allowed.ours_inside)
        else:
            fine = (
                top in sys.stdlib_module_names or top in allowed.others or (inside and top in allowed.inside)
            )
        if not fine:
            where = " in a function" if inside else ""
            problems.append(f"{module}:{line} imports {name}{where}; {layer} may not")
    return problems


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the package with its file."""
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts), file


def test_every_layer_has_a_rule():
    """A new package under dslab/ gets its row in the table before it gets code."""
    assert {module.split(".")[1] for module, _ in modules()} <= set(RULES)


def test_no_module_breaks_the_import_table():
    """Design, architecture: layout and import direction."""
    problems = [
        problem for module, file in modules() for problem in broken_rules(file.read_text("utf-8"), module)
    ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("dslab.sim.node", "import dslab.check"),
        ("dslab.sim.node", "from dslab import Lab"),
        ("dslab.sim.node", "from ..protocols import raft"),
        ("dslab.sim.node", "from .. import view"),
        ("dslab.sim.node", "def f():\n    from dslab.check import invariants"),
        ("dslab.sim.trace", "import numpy as np"),
        ("dslab.sim.trace", "def f():\n    import numpy"),
        ("dslab.protocols.raft", "from dslab.check.invariants import check_trace"),
        ("dslab.protocols.raft", "from dslab.view import scene"),
        ("dslab.protocols.raft", "class A:\n    def f(self):\n        import matplotlib.pyplot"),
        ("dslab.check.invariants", "from dslab.protocols import raft"),
        ("dslab.check.explore", "def f():\n    from dslab.protocols import raft"),
        ("dslab.view.pack", "import networkx"),
        ("dslab.view.pack", "try:\n    import anywidget\nexcept ImportError:\n    pass"),
        ("dslab.view.pack", "from dslab.protocols.raft import Server"),
        ("dslab.widgets.lab", "import numpy"),
        ("dslab.widgets.lab", "from dslab.grading import cli"),
        ("dslab.experiments.elections", "import matplotlib.pyplot as plt"),
        ("dslab.experiments.elections", "def f():\n    from dslab.view import chart"),
        ("dslab.experiments.elections", "from dslab.live import start"),
        ("dslab.grading.cli", "from dslab.widgets import Lab"),
        ("dslab.grading.cli", "from dslab.authoring import cli"),
        ("dslab.authoring.cli", "import dslab.services"),
        ("dslab.commands.lab", "import jupyterlab"),
        ("dslab.live.running", "from dslab.check import invariants"),
        ("dslab.live.process", "import psutil"),
        ("dslab.services.etcd", "import requests"),
        ("dslab.__init__", "from dslab.sim import Node"),
    ],
)
def test_the_checker_bites(module, source):
    """A seeded violation of each kind is found, in any spelling and at any depth."""
    assert broken_rules(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("dslab.sim.node", "from .message import message\nimport json, collections.abc"),
        ("dslab.protocols.raft", "from dslab.sim import Node, message"),
        ("dslab.check.invariants", "from ..sim.trace import Trace"),
        ("dslab.experiments.elections", "import numpy\ndef f():\n    import matplotlib.pyplot"),
        ("dslab.view.pack", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy"),
        ("dslab.commands.run", "def f():\n    from dslab.sim import simulate"),
    ],
)
def test_the_checker_lets_pass_what_the_table_allows(module, source):
    """No rule forbids what the design asks for."""
    assert broken_rules(source, module) == []


def notebook_sources() -> list[Path]:
    """The notebooks as people edit them."""
    return sorted((ROOT / "notebooks" / "source").glob("*.py"))


def test_notebooks_use_public_names_only():
    """A notebook imports dslab's top-level names, its protocols and its experiments, nothing private."""
    problems = []
    for file in notebook_sources():
        for name, _, line in imports(file.read_text("utf-8"), "notebook"):
            top, *rest = name.split(".")
            public = not rest or rest[0] in {*dslab.__all__, "protocols", "experiments", "live", "services"}
            if top == "dslab" and (not public or any(part.startswith("_") for part in rest)):
                problems.append(f"{file.name}:{line} imports {name}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("layer", ["sim", "protocols", "check", "view", "widgets"])
def test_light_layers_load_without_numpy_or_matplotlib(layer):
    """They run in a browser-only Jupyter too, so no import of theirs may bring a heavy library in."""
    if importlib.util.find_spec(f"dslab.{layer}") is None:
        pytest.fail(f"dslab.{layer} is missing")
    names = [f"dslab.{layer}"]
    names += [module.name for module in pkgutil.walk_packages([str(PACKAGE / layer)], f"dslab.{layer}.")]
    program = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
        "print(*sorted({'numpy', 'matplotlib', 'networkx', 'pandas'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert answer.stdout.split() == []


@pytest.mark.parametrize("name", dslab.__all__)
def test_top_level_names_load_and_are_explained(name):
    """Every name that a notebook may use exists and says in its first line what it promises."""
    explain(getattr(dslab, name), f"dslab.{name}")


def explain(thing, name):
    """Assert that a public class or function has a docstring of its own."""
    if inspect.isclass(thing) or inspect.isroutine(thing):
        text = thing.__doc__ if inspect.isclass(thing) else inspect.getdoc(thing)
        assert text and text.strip(), f"{name} has no docstring"


@pytest.mark.parametrize(
    "layer", ["sim", "protocols", "check", "experiments", "view", "widgets", "live", "services"]
)
def test_public_classes_and_functions_are_explained(layer):
    """So has every class and function of the layers that students read, if its name has no underscore."""
    unexplained = []
    for module, file in modules():
        if module.split(".")[1] != layer:
            continue
        for node in ast.parse(file.read_text("utf-8")).body:
            public = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                unexplained.append(f"{module}:{node.lineno} {node.name}")
    assert not unexplained, "\n".join(unexplained)


# A path into somebody's home folder, an address of an index, or a folder of the machine that wrote the file.
MACHINE = re.compile(
    r"(?<![\w.$~}])/(?:home|root|Users)/[\w.-]+/|[A-Z]:\\Users\\|"
    r"--(?:extra-)?index-url|--find-links|registry\.npmjs|pypi\.org/simple|files\.pythonhosted|deb\.debian\.org",
)


def committed_texts() -> Iterator[tuple[str, str]]:
    """Every text file that is committed or about to be, with its text."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    for name in filter(None, listing.stdout.split("\0")):
        file = ROOT / name
        if file.is_file() and file != Path(__file__).resolve():
            try:
                yield name, file.read_text("utf-8")
            except UnicodeDecodeError:
                continue


@pytest.mark.needs("git")
def test_no_file_names_the_machine_that_wrote_it():
    """What is committed holds on every machine: no home folder, no index or mirror."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git clone")
    problems = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in committed_texts()
        if MACHINE.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    "line", ["/home/" + "student/x.py", "see /" + "root/x/y", "--index-url x", "C:\\Users\\student\\x"]
)
def test_machine_names_are_recognised(line):
    """The pattern finds what it is for."""
    assert MACHINE.search(line)


@pytest.mark.parametrize(
    "line", ["notebooks/home/x", "GET /api/home", "~/" + "root/x/", "https://example.org/home/x/"]
)
def test_other_paths_are_not_taken_for_machine_names(line):
    """Nor does it cry wolf."""
    assert not MACHINE.search(line)
