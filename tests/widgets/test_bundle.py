"""A lab carries the modules that it needs, and they can stand in one scope."""

import re
from collections import Counter
from itertools import combinations

import pytest

from dslab import Lab, Node, System
from dslab.protocols import chord, raft
from dslab.widgets import bundle

NAMES = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)
IMPORTS = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";$', re.MULTILINE)


def text(module):
    return (bundle.STATIC / f"{module}.js").read_text("utf-8")


def test_no_two_modules_share_a_name():
    names = Counter(name for module in bundle.MODULES for name in NAMES.findall(text(module)))
    assert [name for name, times in names.items() if times > 1] == []


def test_every_composition_holds_all_that_its_modules_import():
    for count in range(len(bundle.PARTS) + 1):
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
