"""Takes out of a JavaScript text what only its reader needs: comments, indentation, spaces around punctuation.

It knows the style of the files in `static/` (every statement ends with its semicolon or brace, spaces stand around a
division, a comment stands on a line of its own or after two spaces) and no more of the language.
"""

from __future__ import annotations

import re

DEPTH = 4  # of template literals and braces within a template literal

COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/)\n|[ \t]{2,}// .*$", re.MULTILINE)
INDENT = re.compile(r"^[ \t]+|\n(?=\n)", re.MULTILINE)
SPACE = re.compile(r"\s*(=>|[=!]==|&&|\|\||\?\?=?|[<>]=?|[-+*]=|[=?:,*/%{}()\[\];])\s*")

STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
PATTERN = r"(?<=[ (,=:\[!&|?])/(?![ /*])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/"


def _template(depth: int) -> str:
    return rf"`(?:[^`\\$]|\\.|\$(?!\{{)|\$\{{{_inside(depth)}\}})*`"


def _inside(depth: int) -> str:
    nested = rf"|\{{{_inside(depth - 1)}\}}|{_template(depth - 1)}" if depth else ""
    return rf"""(?:{PATTERN}|[^{{}}`"']|{STRING}{nested})*"""


LITERAL = re.compile(f"({STRING}|{PATTERN}|{_template(DEPTH)})")


def minify(text: str) -> str:
    """The same program in fewer characters; what stands in strings, templates and patterns stays as it is."""
    parts = LITERAL.split(INDENT.sub("", COMMENT.sub("", text)))
    return "".join(part if i % 2 else SPACE.sub(r"\1", part) for i, part in enumerate(parts))
