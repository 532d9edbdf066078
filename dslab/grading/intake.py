"""Reads a notebook that was handed in: as data, with limits, and one sentence when it cannot be read."""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_BYTES = 20_000_000
MAX_DEPTH = 100

# A string as a whole, or one bracket: brackets inside strings must not count.
# One without its end is taken to the end of all: looking for it from each of its quotes would take for ever.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


class HandInError(Exception):
    """A notebook that cannot be read; the text says why and what to do."""


@dataclass(frozen=True)
class HandInCell:
    """One cell, reduced to what finding an answer needs."""

    kind: str
    source: str
    id: str | None
    dslab: dict[str, Any] = field(default_factory=dict)
    grade_id: str | None = None
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HandIn:
    """The readable cells of a notebook, its metadata, and what was odd about it."""

    cells: tuple[HandInCell, ...]
    metadata: dict[str, Any]
    flags: tuple[dict[str, str], ...] = ()


def flag(kind: str, text: str, cell: str = "") -> dict[str, str]:
    """One entry of the integrity log: something odd, not an accusation."""
    return {"kind": kind, "cell": cell, "text": text}


def too_large(size: int) -> HandInError:
    """What is said of more than MAX_BYTES."""
    return HandInError(
        f"the file has {size / 1e6:.0f} MB and at most {MAX_BYTES / 1e6:.0f} MB are read:"
        " clear the outputs (Edit, Clear All Outputs), save and hand it in again"
    )


def _refuse(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise HandInError("this is a folder with a notebook's name: hand in the .ipynb file itself")
    if not stat.S_ISREG(status.st_mode):
        raise HandInError("this is not an ordinary file: hand in the .ipynb file itself")
    if status.st_size > MAX_BYTES:
        raise too_large(status.st_size)


def _opener(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def read_bytes(path: Path) -> bytes:
    """The bytes of the file at `path`; never more than MAX_BYTES.

    Raises:
        HandInError: it is no ordinary file, cannot be read or is too large; the text is one sentence.
    """
    try:
        _refuse(path.stat())
        # What takes the file's place at this moment is refused too, and a pipe does not keep us waiting.
        with open(path, "rb", opener=_opener) as file:
            _refuse(os.fstat(file.fileno()))
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise HandInError("this is a link that leads nowhere: hand in the notebook itself") from None
        raise HandInError("there is no such file: check the path") from None
    except OSError as error:
        raise HandInError(f"the file cannot be opened ({error.strerror}): hand it in again") from None
    if len(data) > MAX_BYTES:
        raise too_large(len(data))
    return data


def _depth(data: bytes) -> int:
    depth = deepest = 0
    for match in _TOKEN.finditer(data):
        first = match[0][0]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
    return deepest


def _parse(data: bytes) -> dict[str, Any]:
    if not data.strip():
        raise HandInError("the file is empty: save the notebook in Jupyter and hand it in again")
    if _depth(data) > MAX_DEPTH:
        raise HandInError(
            f"its JSON is nested more than {MAX_DEPTH} deep: save it in Jupyter and hand it in again"
        )
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise HandInError(
            "the file is not UTF-8 text, so it is no notebook: hand in the .ipynb file"
        ) from None
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise HandInError(
            f"the file is not JSON{where}, so it is no notebook: hand in the .ipynb file"
        ) from None
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise HandInError("the file is JSON but no notebook: hand in the .ipynb file")
    return notebook


def _text(value: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = "".join(value)
    if not isinstance(value, str):
        return None
    # A lone surrogate is legal JSON but can be written to no file.
    return value.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _cell(raw: Any) -> HandInCell | None:
    source = _text(_mapping(raw).get("source"))
    kind = _mapping(raw).get("cell_type")
    if source is None or not isinstance(kind, str):
        return None
    metadata = _mapping(raw.get("metadata"))
    grade_id = _mapping(metadata.get("nbgrader")).get("grade_id")
    cell_id = raw.get("id")
    return HandInCell(
        kind=kind,
        source=source,
        id=cell_id if isinstance(cell_id, str) else None,
        dslab=_mapping(metadata.get("dslab")),
        grade_id=grade_id if isinstance(grade_id, str) else None,
        raw=raw,
    )


def hand_in_of(notebook: dict[str, Any]) -> HandIn:
    """The cells of a notebook that was read already; those that are malformed are left out and flagged.

    Raises:
        HandInError: its format is not 4.0 to 4.5, or it has no cells.
    """
    major, minor = notebook.get("nbformat"), notebook.get("nbformat_minor", 0)
    if major != 4 or not isinstance(minor, int) or not 0 <= minor <= 5:
        raise HandInError(
            f"it is in notebook format {major}.{minor} and 4.0 to 4.5 can be read:"
            " open it in JupyterLab, save it and hand it in again"
        )
    raw_cells = notebook.get("cells")
    if not isinstance(raw_cells, list):
        raise HandInError("the notebook has no list of cells: save it in Jupyter and hand it in again")
    cells, flags = [], []
    for number, raw in enumerate(raw_cells, start=1):
        cell = _cell(raw)
        if cell is None:
            flags.append(flag("bad-cell", f"cell {number} has no readable source and was left out"))
        else:
            cells.append(cell)
    return HandIn(tuple(cells), _mapping(notebook.get("metadata")), tuple(flags))


def notebook_of(data: bytes) -> HandIn:
    """The notebook in the bytes of a file; nothing in it is run, resolved or trusted.

    Raises:
        HandInError: it cannot be read, or its JSON is more than MAX_DEPTH deep; the text is one sentence.
    """
    return hand_in_of(_parse(data))


def read_notebook(path: Path) -> HandIn:
    """As notebook_of, for the file at `path`, of at most MAX_BYTES."""
    return notebook_of(read_bytes(path))
