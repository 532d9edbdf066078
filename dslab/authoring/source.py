r'''Reads notebooks/source/NN_slug.py, from which the student's and the instructor's notebooks are made.

A cell starts at a `# %%` line that names it and may tag it; a Markdown cell is `# %% [markdown]`, its text
lines start with `# `:

    # %% [markdown] name="raft-vote-statement" tags=["exercise"]
    # **Given** a server and a request. **Goal**: ...

    # %% name="raft-vote-exercise" tags=["exercise"] points=4
    def grant_vote(server, request):
        """True if this server grants the vote (Raft §5.2, §5.4.1)."""
        ### BEGIN SOLUTION
        ...
        ### END SOLUTION

    # %% name="raft-vote-mutant-ignores-log" tags=["mutant"] property="Leader completeness" catalogue="C8"
    # %% name="raft-vote-check" tags=["check"] points=2 title="Grants a vote as §5.4.1 says"
    # %% name="raft-vote-hidden" tags=["hidden"] points=2

- A code cell tagged `exercise` is the answer cell; its name is the exercise's id and `-exercise`. Cells whose
  names start with that id and a hyphen belong to it. Its `points`, if given, are the sum over its checks.
- `### BEGIN SOLUTION` ... `### END SOLUTION` holds the reference; `### STUB text` lines inside it are what
  the student gets there (see dslab.grading.regions).
- A `mutant` is a whole answer cell with a mistake that students really make. The first check that fails with
  it must name its `property` in the failure's text, or be the cell that `property` names.
- `hidden` cells are checks that only the instructor's notebook has; `solution` cells are kept out of the
  handout too. `skip-REASON` leaves a cell in the handout but does not run it.
- The code cells without a tag are the set-up: they run when answers are graded. Cells tagged play, explain,
  experiment and so on do not.
'''

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jupytext
from nbformat import ValidationError

from dslab.authoring.cells import BuildError, Source, SourceCell
from dslab.authoring.rules import check_header, first_mistake

_FILE = re.compile(r"(\d\d)_([a-z0-9]+(?:_[a-z0-9]+)*)\.py")
_BAD_TAGS = re.compile(r"\btags=(?!\[)")
_JUPYTEXT = ("lines_to_next_cell", "cell_marker")  # its own notes, not the author's


def _headers(text: str) -> list[tuple[int, str]]:
    return [(at, line) for at, line in enumerate(text.split("\n"), start=1) if line.startswith("# %%")]


def _header_lines(text: str, cells: list[Any]) -> list[int]:
    """The line of each cell's header; a `# %%` inside a string opens no cell, so names decide."""
    headers = _headers(text)
    found: list[int] = []
    position = 0
    for cell in cells:
        metadata = cell["metadata"]
        label = metadata.get("incorrectly_encoded_metadata") or metadata.get("name") or ""
        at = position
        while at < len(headers) and str(label) not in headers[at][1]:
            at += 1
        found.append(headers[at][0] if at < len(headers) else 1)
        position = at + 1 if at < len(headers) else position
    return found


def _cell(path: Path, raw: Any, line: int) -> SourceCell:
    keys = {key: value for key, value in raw["metadata"].items() if key not in _JUPYTEXT}
    mistake = check_header(raw["cell_type"], keys)
    if mistake is not None:
        raise BuildError(path, line, mistake)
    return SourceCell(
        raw["cell_type"], keys["name"], raw["source"], line, tuple(keys.get("tags", ())), keys=keys
    )


def _with_exercises(cells: list[SourceCell]) -> tuple[SourceCell, ...]:
    """Each cell with the exercise that its name starts with: the longest one that fits."""
    ids = [cell.name.removesuffix("-exercise") for cell in cells if cell.is_code("exercise")]
    ids.sort(key=len, reverse=True)
    return tuple(
        replace(cell, exercise=next((one for one in ids if cell.name.startswith(one + "-")), ""))
        for cell in cells
    )


def parse_source(path: Path, text: str) -> Source:
    """The source in `text`, after every rule was checked.

    Raises:
        BuildError: the first mistake, in one sentence with file and line.
    """
    match = _FILE.fullmatch(path.name)
    if match is None:
        raise BuildError(path, 1, "a source is named NN_slug.py, as in 02_consensus.py: rename it")
    try:
        notebook = jupytext.reads(text, fmt="py:percent")
    except ValidationError as error:
        line = next((at for at, line in _headers(text) if _BAD_TAGS.search(line)), 1)
        words = f'the tags are not a list: write tags=["check"] ({error.message})'
        raise BuildError(path, line, words) from None
    lines = _header_lines(text, notebook.cells)
    cells = [_cell(path, raw, line) for raw, line in zip(notebook.cells, lines, strict=True)]
    source = Source(path, f"{match[1]}-{match[2].replace('_', '-')}", _with_exercises(cells))
    mistake = first_mistake(source)
    if mistake is not None:
        cell, words, line = mistake
        raise source.error(cell, words, line)
    return source


def read_source(path: Path) -> Source:
    """The source file at `path`; raises BuildError as parse_source does."""
    try:
        return parse_source(path, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise BuildError(
            path, 1, f"the file is not UTF-8 text (byte {error.start}): save it as UTF-8"
        ) from None
