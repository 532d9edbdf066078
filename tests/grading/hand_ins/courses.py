"""The three assignments, as an instructor has them, and hand-ins made from them as files."""

from __future__ import annotations

import copy
import json
import re
import sys
from pathlib import Path
from typing import Any

from dslab.authoring.cells import Source
from dslab.authoring.notebooks import instructor_notebook, student_notebook
from dslab.authoring.source import read_source
from dslab.grading import regions
from dslab.grading.assignment import Assignment, assignment_of
from dslab.grading.intake import hand_in_of
from hand_ins import HandIn

FOLDER = Path(__file__).parents[1] / "assignments"
SOURCES = {"functions": "01_functions.py", "protocol": "02_protocol.py"}

# Literals of a hidden check that stand nowhere else: odd words, and numbers of six digits and more.
_CANARY = re.compile(r"\d{6,}|zyxomma|quagga|wombat")


class Course:
    """An assignment, its handout, and the right answers without the marks of the author."""

    def __init__(self, name: str) -> None:
        self.source: Source | None = None
        if name in SOURCES:
            self.source = read_source(FOLDER / SOURCES[name])
            self.instructor = _plain(instructor_notebook(self.source))
            self.handout = _plain(student_notebook(self.source))
        else:
            sys.path.insert(0, str(FOLDER))
            import sheet

            self.instructor = sheet.notebook()
            self.handout = copy.deepcopy(self.instructor)
            for cell in self.handout["cells"]:
                cell["source"] = _as_given_out(cell["source"])
        self.assignment: Assignment = assignment_of(hand_in_of(self.instructor), name)
        self.right = {
            exercise: "\n".join(line for line in text.split("\n") if not line.strip().startswith("### "))
            for exercise, text in self.assignment.solutions.items()
        }

    def notebook(self, hand_in: HandIn, places: dict[str, str]) -> dict[str, Any]:
        """What is handed in, as data.

        Args:
            places: what stands for @PORT@, @INSTRUCTOR@ and @OUTSIDE@.
        """
        notebook = copy.deepcopy(self.handout)
        cells = {cell["id"]: cell for cell in notebook["cells"]}
        for answer in self.assignment.answers:
            text = hand_in.answers.get(answer.exercise, None if hand_in.stubs else self.right[answer.exercise])
            if text is None:
                continue
            for name, value in places.items():
                text = text.replace(f"@{name}@", value)
            marked = self.source is None or text.startswith("%%") or regions.marked_exercises(text)
            cells[answer.cell_id]["source"] = text if marked else f"{regions.marker(answer.exercise)}\n{text}"
        if hand_in.change is not None:
            hand_in.change(cells, notebook)
        return notebook

    def data(self, hand_in: HandIn, places: dict[str, str]) -> bytes:
        """The file's bytes."""
        return json.dumps(self.notebook(hand_in, places)).encode()

    def canaries(self) -> set[str]:
        """Texts and numbers of hidden checks that no student may ever see."""
        shown = json.dumps(self.handout)
        hidden = [cell for cell in self.instructor["cells"] if _hidden(cell)]
        found = set()
        for cell in hidden:
            unseen = set(cell["source"].split("\n")) - set(_as_given_out(cell["source"]).split("\n"))
            for line in cell["source"].split("\n") if cell["metadata"].get("dslab") else unseen:
                found |= set(_CANARY.findall(line))
                found |= {line.strip()} if len(line.strip()) > 20 else set()
        return {one for one in found if one not in shown}


def _plain(notebook: Any) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(notebook))
    return data


def _hidden(cell: dict[str, Any]) -> bool:
    return bool(cell["metadata"].get("dslab", {}).get("hidden")) or regions.has_hidden_tests(cell["source"])


def _as_given_out(text: str) -> str:
    """A cell as `nbgrader generate_assignment` makes it."""
    stub = ("# YOUR CODE HERE", "raise NotImplementedError()")
    return regions.without_hidden_tests(regions.stub_of(text, stub) if regions.has_solution(text) else text)
