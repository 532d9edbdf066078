"""The widget's JavaScript and CSS as one text each: the modules of `static/`, put end to end.

anywidget wants one ES module per widget. The files import each other by name only and share no top-level names, so
joining them needs no tool: import lines go, `export` goes, one default export comes.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
MODULES = (
    "format", "trace", "geometry", "glyphs", "canvas", "stage", "timeline", "transport", "host", "keys", "session", "tools",
    "log", "links", "events", "script", "popover", "chips", "predict", "describe", "lab",
)
STYLES = ("lab", "panels")

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./\w+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|let|class)", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/)\n", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+|\n(?=\n)", re.MULTILINE)


@cache
def javascript() -> str:
    """The widget's ES module, without its comments and indentation."""
    parts = [(STATIC / f"{name}.js").read_text("utf-8") for name in MODULES]
    text = "\n".join(_EXPORT.sub("", _IMPORT.sub("", part)) for part in parts)
    return _INDENT.sub("", _COMMENT.sub("", text)) + "\nexport default { render };\n"


@cache
def css() -> str:
    """The widget's style sheet."""
    return "\n".join((STATIC / f"{name}.css").read_text("utf-8") for name in STYLES)
