"""What an instructor's text defines and imports, read off its syntax."""

from __future__ import annotations

import ast
import symtable
from functools import lru_cache


def _parsed(text: str) -> tuple[str, ast.Module] | None:
    for attempt in (lambda: text, lambda: _without_magics(text)):
        try:
            plain = attempt()
            return plain, ast.parse(plain)
        except (SyntaxError, ValueError, RecursionError):
            continue
    return None


def _without_magics(text: str) -> str:
    return "\n".join("" if line.lstrip()[:1] in ("%", "!", "?") else line for line in text.split("\n"))


@lru_cache(maxsize=1024)
def defined_names(text: str) -> tuple[str, ...]:
    """The names that a cell defines at its top level, other than by importing; in the order of the alphabet."""
    parsed = _parsed(text)
    if parsed is None:
        return ()
    symbols = symtable.symtable(parsed[0], "<cell>", "exec").get_symbols()
    return tuple(sorted(one.get_name() for one in symbols if one.is_assigned() or one.is_namespace()))


@lru_cache(maxsize=1024)
def import_statements(text: str) -> tuple[str, ...]:
    """The import statements at the top level of a cell, each on a line of its own."""
    parsed = _parsed(text)
    found = parsed[1].body if parsed else []
    return tuple(ast.unparse(one) for one in found if isinstance(one, ast.Import | ast.ImportFrom))


@lru_cache(maxsize=1024)
def defined_classes(text: str) -> tuple[str, ...]:
    """The names that a cell defines at its top level by `class`."""
    parsed = _parsed(text)
    return tuple(one.name for one in (parsed[1].body if parsed else []) if isinstance(one, ast.ClassDef))
