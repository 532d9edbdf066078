"""The widget's JavaScript and CSS as one text each: the modules of `static/`, put end to end.

anywidget wants one ES module per widget and keeps its text in every saved widget state. The files import each
other by name only and share no top-level names, so joining them needs no tool: import lines go, `export` goes
and one default export comes. The result travels compressed: a few lines unpack and import it.
"""

from __future__ import annotations

import base64
import gzip
import re
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
MODULES = (
    "format", "trace", "causality", "geometry", "glyphs", "guard", "canvas", "stage", "faultbars", "timeline",
    "conditions", "until", "transport", "host", "keys", "session", "tools", "entries", "logcells", "log", "links",
    "events", "spacelayout", "spacepaint", "spacecompare", "spacetime", "script", "causes", "insetdata",
    "insets", "popover", "chips", "predict", "describe", "lab",
)
STYLES = ("lab", "panels", "insets", "spacetime")

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./\w+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|let|class)", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/)\n", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+|\n(?=\n)", re.MULTILINE)

_UNPACK = """const packed = "{packed}";
const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
const url = URL.createObjectURL(new Blob([await new Response(stream).text()], {{ type: "text/javascript" }}));
const lab = await import(url);
URL.revokeObjectURL(url);
export default lab.default;
"""


@cache
def source() -> str:
    """The widget's ES module, readable but for its comments and indentation."""
    parts = [(STATIC / f"{name}.js").read_text("utf-8") for name in MODULES]
    text = "\n".join(_EXPORT.sub("", _IMPORT.sub("", part)) for part in parts)
    return _INDENT.sub("", _COMMENT.sub("", text)) + "\nexport default { render };\n"


@cache
def javascript() -> str:
    """The same module as it travels: compressed, with what unpacks it; equal sources give equal text."""
    packed = base64.b64encode(gzip.compress(source().encode(), 9, mtime=0)).decode("ascii")
    return _UNPACK.format(packed=packed)


@cache
def css() -> str:
    """The widget's style sheet."""
    return "\n".join((STATIC / f"{name}.css").read_text("utf-8") for name in STYLES)
