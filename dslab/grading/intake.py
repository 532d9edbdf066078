"""Reads a notebook that was handed in: as data, with limits, and one sentence when it cannot be read."""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LARGEST_FILE = 100_000_000  # bytes
MAX_BYTES = 20_000_000  # without saved outputs
MAX_TOKENS = 2_000_000  # strings and brackets of a larger file that is made lean
MAX_DEPTH = 100

# A string as a whole, or one bracket: brackets inside strings must not count.
# One without its end is taken to the end of all: looking for it from each of its quotes would take for ever.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)

# What is in a notebook and in no answer: the key, as it stands there, and the depth of brackets around it.
_HEAVY = {b'"outputs"': 3, b'"attachments"': 3, b'"widgets"': 2}


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
    """What is said of more than LARGEST_FILE, or of less that is made of too many parts."""
    most = "at most" if size > LARGEST_FILE else "of one with so many parts less than"
    return HandInError(
        f"the file has {size / 1e6:.0f} MB and {most} {LARGEST_FILE / 1e6:.0f} MB are read:"
        " clear the outputs (Edit, Clear All Outputs), save and hand it in again"
    )


def too_deep() -> HandInError:
    """What is said of JSON that is nested more than MAX_DEPTH deep."""
    return HandInError(f"its JSON is nested more than {MAX_DEPTH} deep: save it in Jupyter and hand it in again")


def lean(data: bytes) -> bytes:
    """A file's bytes, if there are more than MAX_BYTES without outputs, pasted pictures and the state of widgets.

    They go before anything is made of them: as data they would take many times as much memory.

    Raises:
        HandInError: even so it has more.
    """
    if len(data) <= MAX_BYTES:
        return data
    kept, start = [], 0
    depth, key, begin = 0, b"", -1  # of brackets; the string just read; where a value to be left out begins
    for number, match in enumerate(_TOKEN.finditer(data)):
        token = match[0]
        if number > MAX_TOKENS:
            raise too_large(len(data))
        if token in (b"[", b"{"):
            if begin < 0 and _HEAVY.get(key) == depth:
                begin, outer = match.start(), depth
            depth += 1
            if depth > MAX_DEPTH:
                raise too_deep()
        elif token in (b"]", b"}"):
            depth -= 1
            if begin >= 0 and depth == outer:
                kept += [data[start:begin], b"null"]
                start, begin = match.end(), -1
        key = token
    kept.append(data[start:])
    if sum(map(len, kept)) > MAX_BYTES:
        size = sum(map(len, kept)) / 1e6
        raise HandInError(
            f"without its outputs the file still has {size:.0f} MB and at most {MAX_BYTES / 1e6:.0f} MB are read:"
            " take out what does not belong to the answers and hand it in again"
        )
    return b"".join(kept)


def _refuse(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise HandInError("this is a folder with a notebook's name: hand in the .ipynb file itself")
    if not stat.S_ISREG(status.st_mode):
        raise HandInError("this is not an ordinary file: hand in the .ipynb file itself")
    if status.st_size > LARGEST_FILE:
        raise too_large(status.st_size)


def _opener(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def read_bytes(path: Path) -> bytes:
    """The bytes of the file at `path`, made lean.

    Raises:
        HandInError: it is no ordinary file, cannot be read or is too large; the text is one sentence.
    """
    try:
        _refuse(path.stat())
        # What takes the file's place at this moment is refused too, and a pipe does not keep us waiting.
        with open(path, "rb", opener=_opener) as file:
            _refuse(os.fstat(file.fileno()))
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise HandInError("this is a link that leads nowhere: hand in the notebook itself") from None
        raise HandInError("there is no such file: check the path") from None
    except OSError as error:
        raise HandInError(f"the file cannot be opened ({error.strerror}): hand it in again") from None
    if len(data) > LARGEST_FILE:
        raise too_large(len(data))
    return lean(data)


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
        raise too_deep()
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
    return value.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


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
    found = [_cell(raw) for raw in raw_cells]
    cells = tuple(cell for cell in found if cell is not None)
    flags: tuple[dict[str, str], ...] = ()
    if len(cells) < len(found):
        bad = len(found) - len(cells)
        which = f"cell {found.index(None) + 1}" + (f" and {bad - 1} more" if bad > 1 else "")
        flags = (flag("bad-cell", f"{which}: no readable source; left out"),)
    return HandIn(cells, _mapping(notebook.get("metadata")), flags)


def notebook_of(data: bytes) -> HandIn:
    """The notebook in the bytes of a file; nothing in it is run, resolved or trusted.

    Raises:
        HandInError: it cannot be read, or its JSON is more than MAX_DEPTH deep; the text is one sentence.
    """
    return hand_in_of(_parse(data))


def read_notebook(path: Path) -> HandIn:
    """As notebook_of, for the file at `path`, of at most LARGEST_FILE."""
    return notebook_of(read_bytes(path))
