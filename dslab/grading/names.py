"""What the text of a cell defines and imports, read off its syntax."""

from __future__ import annotations

import ast
import symtable
import types
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


@lru_cache(maxsize=1024)
def function_code(text: str, name: str, file: str, method: str = "") -> types.CodeType | None:
    """The code of the function, or of a method of the class, that a cell defines last by this name; None without."""
    parsed = _parsed(text)
    found = next((one for one in reversed(parsed[1].body if parsed else []) if name in _defined_by(one)), None)
    if method and isinstance(found, ast.ClassDef):
        name, found = method, next((one for one in reversed(found.body) if method in _defined_by(one)), None)
    if found is None:
        return None
    try:
        parts = compile(ast.Module([found], []), file, "exec", dont_inherit=True).co_consts
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    codes = [part for part in parts if isinstance(part, types.CodeType) and part.co_name in (name, "<lambda>")]
    return codes[-1] if codes else None


def _defined_by(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Lambda):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return []
