"""The widget's JavaScript and CSS as one text each: the modules of `static/`, put end to end.

anywidget wants one ES module per widget and keeps its text in every saved widget state. The files import each
other by name only and share no top-level names, so joining them needs no tool: import lines go, `export` goes
and one default export comes. The result travels compressed: a few lines unpack and import it.
"""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .minify import minify

STATIC = Path(__file__).parent / "static"
BASE = (
    "format", "parts", "trace", "causality", "geometry", "glyphs", "guard", "canvas", "stage", "faultbars", "timeline",
    "conditions", "until", "transport", "host", "keys", "session", "tools", "entries", "links",
    "events", "spacelayout", "spacepaint", "spacecompare", "spacetime", "script", "causes", "popover", "chips",
    "predict", "describe",
)
LAST = ("lab",)
# One sheet for every lab: a page has one style element for all widgets of a class, and the last one written stays.
STYLES = ("lab", "panels", "spacetime", "insets", "replicas", "history", "ring")


class Part(NamedTuple):
    """A view that only some labs have.

    Attributes:
        modules: its files. fields: it is needed where a node shows one of them.
    """

    modules: tuple[str, ...]
    fields: frozenset[str]


PARTS = {
    "log": Part(("logentries", "logcells", "log"), frozenset({"log"})),
    "insets": Part(
        ("insetpieces", "insetdata", "insets"), frozenset({"promised", "accepted_ballot", "slots"})
    ),
    "quorum": Part(("insetpieces", "quorumdata", "quorum"), frozenset({"versions", "siblings", "hints"})),
    "merge": Part(("insetpieces", "mergedata", "merge"), frozenset({"crdt"})),
    "chain": Part(("insetpieces", "chain"), frozenset({"hist"})),
    "pair": Part(("insetpieces", "pair"), frozenset({"ready"})),
    "history": Part(("historydata", "historychart", "historyview"), frozenset({"@history"})),
    "ring": Part(("ringdata", "ringlayout", "ringpaint", "ring", "ringviews"), frozenset({"bits"})),
}

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./\w+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|let|class)", re.MULTILINE)

_UNPACK = """const packed = "{packed}";
const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
const url = URL.createObjectURL(new Blob([await new Response(stream).text()], {{ type: "text/javascript" }}));
const lab = await import(url);
URL.revokeObjectURL(url);
export default lab.default;
"""

# A history by itself, without a lab around it.
HISTORY = ("format", "host", "keys", "historydata", "historychart", "historywidget")
HISTORY_STYLES = ("lab", "history")


def parts_for(fields: Iterable[str]) -> tuple[str, ...]:
    """The parts that a lab needs whose nodes show these fields."""
    shown = set(fields)
    return tuple(name for name, part in PARTS.items() if part.fields & shown)


def modules_of(parts: Iterable[str] = PARTS) -> tuple[str, ...]:
    """The modules of a widget with these parts, in the order in which they are joined; all parts if none are named."""
    return tuple(dict.fromkeys((*BASE, *(m for name in parts for m in PARTS[name].modules), *LAST)))


MODULES = modules_of()


@cache
def _module(name: str) -> str:
    """One file without its imports and exports."""
    return minify(_EXPORT.sub("", _IMPORT.sub("", (STATIC / f"{name}.js").read_text("utf-8"))))


@cache
def source(modules: tuple[str, ...] = MODULES, entry: str = "render") -> str:
    """The widget's ES module; `entry` is what it exports."""
    return "\n".join(map(_module, modules)) + f"\nexport default {{ {entry} }};\n"


@cache
def javascript(modules: tuple[str, ...] = MODULES, entry: str = "render") -> str:
    """The same module as it travels: compressed, with what unpacks it; equal sources give equal text."""
    packed = base64.b64encode(gzip.compress(source(modules, entry).encode(), 9, mtime=0)).decode("ascii")
    return _UNPACK.format(packed=packed)


@cache
def css(styles: tuple[str, ...] = STYLES) -> str:
    """The widget's style sheet."""
    return "\n".join((STATIC / f"{name}.css").read_text("utf-8") for name in styles)
