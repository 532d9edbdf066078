"""Files that are no notebooks, or odd ones: each is one clear line, or graded as if nothing were odd."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hand_ins import HandIn
from hand_ins.courses import Course

THREE = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}
DIARY = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
POEM = {"cell_type": "markdown", "id": "poem", "metadata": {}, "source": "my poem"}


def _hollow(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(200_000_000)


# Name, what the file is (bytes, or a function that makes it), words of the line that says what is wrong with it.
BAD: list[tuple[str, bytes | Callable[[Path], Any], str]] = [
    ("empty", b"", "empty"),
    ("white-space", b" \n\n\t", "empty"),
    ("text", b"Dear Sir or Madam", "not JSON"),
    ("cut-short", b'{"nbformat": 4, "cells": [', "not JSON"),
    ("another-json", b'{"a": [1, 2]}', "no notebook"),
    ("deep-lists", b"[" * 100_000, "nested"),
    ("deep-objects", b'{"cells":' * 100_000, "nested"),
    ("binary", bytes(range(256)) * 40, "UTF-8"),
    ("utf-16", json.dumps(DIARY).encode("utf-16"), "UTF-8"),
    ("nbformat-3", json.dumps(THREE).encode(), "format 3"),
    ("nbformat-5", json.dumps(DIARY | {"nbformat": 5}).encode(), "format 5"),
    ("no-answer-cell", json.dumps(DIARY | {"cells": [POEM]}).encode(), "no answer cell"),
    ("no-cells", json.dumps(DIARY).encode(), "no answer cell"),
    ("cells-of-nothing", json.dumps(DIARY | {"cells": [None, 3, "x", [], {}]}).encode(), "no answer cell"),
    ("huge", _hollow, "200 MB"),
    ("folder", Path.mkdir, "folder"),
    ("broken-link", lambda path: path.symlink_to("nowhere"), "link"),
    ("link-to-itself", lambda path: path.symlink_to(path.name), "cannot be opened"),
    ("pipe", os.mkfifo, "ordinary file"),
]


def odd(course: Course) -> dict[str, bytes]:
    """Right answers in files that only look bad."""

    def text(change: Callable[[dict[str, Any]], None] = lambda notebook: None) -> str:
        notebook = course.notebook(HandIn(""), {})
        change(notebook)
        return json.dumps(notebook)

    def numbered(notebook: dict[str, Any]) -> None:
        for number, cell in enumerate(notebook["cells"]):
            cell["id"] = number

    def bare(notebook: dict[str, Any]) -> None:
        for cell in notebook["cells"]:
            cell["metadata"] = None

    def strange(notebook: dict[str, Any]) -> None:
        notebook["cells"][:0] = [{**POEM, "source": "\ud800 \u202e"}, {**POEM, "source": 7}, None]

    return {
        "byte-order-mark": b"\xef\xbb\xbf" + text().encode(),
        "not-a-number": text().replace('"metadata": {', '"metadata": {"x": NaN, "y": -Infinity, ', 1).encode(),
        "same-key-twice": text().replace('"nbformat":', '"nbformat": 3, "nbformat":', 1).encode(),
        "numbered-ids": text(numbered).encode(),
        "no-metadata": text(bare).encode(),
        "strange-cells": text(strange).encode(),
    }
