"""A lab carries the modules that it needs, and they can stand in one scope."""

import gzip
import json
import re
import subprocess
from collections import Counter
from itertools import combinations

import pytest

from dslab import Lab, Node, System
from dslab.protocols import abd, chord, crdt, multi_paxos, raft
from dslab.widgets import bundle, minify

NAMES = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)
IMPORTS = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";$', re.MULTILINE)


def text(module):
    return (bundle.STATIC / f"{module}.js").read_text("utf-8")


def test_no_two_modules_share_a_name():
    names = Counter(name for module in bundle.MODULES for name in NAMES.findall(text(module)))
    assert [name for name, times in names.items() if times > 1] == []


def test_every_composition_holds_all_that_its_modules_import():
    for count in (0, 1, 2, len(bundle.PARTS)):
        for parts in combinations(bundle.PARTS, count):
            modules = bundle.modules_of(parts)
            assert len(set(modules)) == len(modules)
            missing = {(m, needed) for m in modules for needed in IMPORTS.findall(text(m)) if needed not in modules}
            assert missing == set(), parts


def test_import_lines_are_of_the_form_that_is_taken_out():
    for module in bundle.MODULES:
        assert len(IMPORTS.findall(text(module))) == len(re.findall("^import ", text(module), re.MULTILINE)), module


@pytest.mark.parametrize(("system", "parts"), [(raft.cluster(3), ("log",)), (chord.cluster(4), ("ring",))])
def test_a_lab_carries_the_parts_that_its_nodes_show_something_for(system, parts):
    lab = Lab(system, until=50)
    assert tuple(name for name in lab._parts if name != "history") == parts
    assert lab._esm == bundle.javascript(bundle.modules_of(lab._parts))
    assert ("createRing(" in lab.export_html()) == ("ring" in parts)


def test_a_class_of_ones_own_gets_the_ring_by_its_fields():
    class Mine(Node):
        shows = ("position", "bits")

        def on_start(self):
            self.position, self.bits = 3, 5

    assert "ring" in Lab(System(Mine, nodes=2), until=10)._parts


def test_labs_of_one_page_share_one_style_sheet():
    """A page has one style element for all widgets of a class, so the last lab's sheet is every lab's."""
    ring, plain = Lab(chord.cluster(4)), Lab(raft.cluster(3))
    assert ring._css == plain._css == bundle.css()
    assert bundle.css().count(".ds-ring") > 0


MOST = 120_000      # bytes, compressed: the text is kept once per widget in a saved notebook


@pytest.mark.parametrize("protocol", [raft, chord, crdt, multi_paxos, abd])
def test_no_lab_carries_more_than_its_budget(protocol):
    lab = Lab(protocol.cluster(4), until=20)
    assert len(gzip.compress(bundle.source(bundle.modules_of(lab._parts)).encode(), 9)) < MOST


SAME_TREE = """
const { parse } = require("internal/deps/acorn/acorn/dist/acorn");
const tree = (text) => JSON.stringify(parse(text, { ecmaVersion: "latest", sourceType: "module" }),
  (name, value) => (name === "start" || name === "end" ? undefined : value));
const pairs = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const [name, plain, small] of pairs) if (tree(plain) !== tree(small)) console.log(name);
"""


@pytest.mark.needs("node")
def test_the_smaller_text_is_the_same_program():
    """As Node's own parser of JavaScript has it: equal syntax trees, and the same texts in strings and templates."""
    plain = {name: minify.INDENT.sub("", text(name)) for name in [*bundle.MODULES, "historywidget"]}
    pairs = [(name, source, minify.minify(source)) for name, source in plain.items()]
    node = ["node", "--expose-internals", "-e", SAME_TREE]
    done = subprocess.run(node, input=json.dumps(pairs), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_smaller_text_keeps_what_looks_like_code_in_strings_templates_and_patterns():
    plain = (
        'const a = "x = 1, // y";  // note\n'
        '  const b = `p ${c ? `${d, "}"} e ; f` : { g: 1 }} h = i`;\n'
        'const j = /[/ ] = "/.test(k) / 2;\n'
        "const o = 'a = \"b\" ; c';\n"
        'const l = `"${k.replace(/[ "]/g, "x")}"  m = ${n}`;\n'
    )
    assert minify.minify(plain) == (
        'const a="x = 1, // y";const b=`p ${c ? `${d, "}"} e ; f` : { g: 1 }} h = i`;const j=/[/ ] = "/.test(k)/2;'
        "const o='a = \"b\" ; c';"
        'const l=`"${k.replace(/[ "]/g, "x")}"  m = ${n}`;'
    )
