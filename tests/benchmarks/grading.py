"""How fast a class is graded: 40 right hand-ins by the grader, and by plain nbval over the same merged notebooks.

    python tests/benchmarks/grading.py [--json] [--hand-ins N]

Both with two processes, one after the other in this run: ours as `python -m dslab grade --workers 2` does it, theirs as
`pytest --nbval-lax -n 2 --dist loadscope`. Wall time, because that is what an instructor waits for; the ratio, because
machines differ. Memory is the largest resident size of each kind of process of ours, above what it has when its imports
are done; what a process shares with the one it was forked from counts as its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

import nbformat
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
ASSIGNMENT = ROOT / "tests" / "grading" / "assignments" / "01_functions.py"
KINDS = {
    "dslab.grading.zygote": "zygote and students",
    "ipykernel_launcher": "kernel",
    "processes import serve": "worker",
}


def make_class(folder: Path, count: int) -> tuple[Path, Path, Path]:
    """An instructor's notebook, a folder of right hand-ins, and a folder of the merged notebooks."""
    from dslab.authoring.notebooks import instructor_notebook, student_notebook
    from dslab.authoring.source import parse_source
    from dslab.grading.assignment import read_assignment
    from dslab.grading.merge import merged_notebook

    source = parse_source(ASSIGNMENT, ASSIGNMENT.read_text("utf-8"))
    instructor = folder / "instructor.ipynb"
    nbformat.write(instructor_notebook(source), instructor)
    assignment = read_assignment(instructor)
    merged = folder / "merged"
    merged.mkdir()
    (merged / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    for number in range(count):
        hand_in = student_notebook(source)
        answers = {}
        for cell in hand_in.cells:
            about = cell.metadata.get("dslab", {})
            if about.get("role") == "answer":
                cell.source = answers[about["exercise"]] = assignment.solutions[about["exercise"]] + f"\n# {number}"
        place = folder / "class" / f"student-{number:02}"
        place.mkdir(parents=True)
        nbformat.write(hand_in, place / "functions.ipynb")
        nbformat.write(merged_notebook(assignment, answers), merged / f"student-{number:02}.ipynb")
    return instructor, folder / "class", merged


class Memory(Thread):
    """Looks again and again at the processes below this one: first and largest resident size of each."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.sizes: dict[int, tuple[str, int, int]] = {}
        self.done = Event()

    def run(self) -> None:
        me = psutil.Process()
        while not self.done.wait(0.05):
            for process in me.children(recursive=True):
                try:
                    line, size = " ".join(process.cmdline()), process.memory_info().rss
                except psutil.Error:
                    continue
                kind = next((kind for part, kind in KINDS.items() if part in line), "")
                self.sizes[process.pid] = (kind, size, max(size, self.sizes.get(process.pid, ("", 0, 0))[2]))

    def largest(self) -> dict[str, int]:
        """MB, by kind."""
        found: dict[str, int] = {}
        for kind, _, size in self.sizes.values():
            if kind:
                found[kind] = max(found.get(kind, 0), round(size / 1e6))
        return found


def imports_only() -> dict[str, int]:
    """MB that each kind of process has when its imports are done and nothing is graded."""
    programs = {
        "worker": "import dslab.grading.worker, dslab.grading.plugin",
        "kernel": "import ipykernel.kernelapp, ipykernel.zmqshell, dslab.grading.session, numpy, networkx",
        "zygote and students": "import dslab.grading.zygote, matplotlib.font_manager, numpy, networkx",
    }
    show = "\nimport os, psutil; print(psutil.Process().memory_info().rss)"
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    sizes = {}
    for kind, program in programs.items():
        answer = subprocess.run([sys.executable, "-c", program + show], env=os.environ | one_thread,
                                capture_output=True, text=True, check=True)  # fmt: skip
        sizes[kind] = round(int(answer.stdout) / 1e6)
    return sizes


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a command, its own processes included."""
    before = os.times()
    start = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, check=True
    )
    wall, after = time.perf_counter() - start, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def measure(count: int) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        instructor, hand_ins, merged = make_class(folder, count)
        grade = [
            sys.executable,
            "-m",
            "dslab",
            "grade",
            str(hand_ins),
            "--assignment",
            str(instructor),
            "--workers",
            "2",
        ]
        ours, our_cpu = timed([*grade, "--out", str(folder / "out")], folder)
        results = json.loads((folder / "out" / "results.json").read_text("utf-8"))["hand_ins"]
        assert len(results) == count and all(one["points"] == one["max_points"] for one in results)
        nbval = [
            sys.executable,
            "-m",
            "pytest",
            "--nbval-lax",
            "-n",
            "2",
            "--dist",
            "loadscope",
            "-q",
            "-p",
            "no:cacheprovider",
        ]
        memory = Memory()  # in a run of its own: looking takes a tenth of the time
        memory.start()
        timed([*grade, "--out", str(folder / "again")], folder)
        memory.done.set()
        theirs, their_cpu = timed([*nbval, "--rootdir", ".", "-c", "pytest.ini", "."], merged)
    base, largest = imports_only(), memory.largest()
    return {
        "hand_ins": count,
        "ours_wall_s": round(ours, 1),
        "nbval_wall_s": round(theirs, 1),
        "ratio": round(ours / theirs, 3),
        "ours_cpu_s_per_hand_in": round(our_cpu / count, 2),
        "nbval_cpu_s_per_hand_in": round(their_cpu / count, 2),
        "memory_mb": largest,
        "imports_mb": base,
        "memory_above_imports_mb": {kind: largest[kind] - base[kind] for kind in largest},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--hand-ins", type=int, default=40)
    options = parser.parse_args()
    found = measure(options.hand_ins)
    if options.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:26} {value}")


if __name__ == "__main__":
    main()
