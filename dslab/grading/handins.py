"""Which files were handed in, and by whom: a hand-in is named by its place in the folder given."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Found:
    """One hand-in; `problem` says why there is no file to read."""

    name: str
    path: Path
    problem: str = ""


def _is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def _files(folder: Path) -> Iterator[Path]:
    """Everything named *.ipynb below `folder`: files, broken links and, one level of them, folders too."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        yield from (here / name for name in files if _is_notebook(name))
        yield from (here / name for name in folders if _is_notebook(name))
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not _is_notebook(name))


def _named(paths: Sequence[Path], root: Path) -> list[Found]:
    """Names below `root`: without the file's name where its folder has no other notebook."""
    count = Counter(path.parent for path in paths)
    found = []
    for path in paths:
        place = path.parent.relative_to(root)
        alone = count[path.parent] == 1 and place != Path()
        found.append(Found((place if alone else place / path.stem).as_posix(), path))
    return found


def _in_folder(folder: Path) -> list[Found]:
    paths = sorted(_files(folder))
    found = _named(paths, folder)
    for student in sorted(folder.iterdir()):
        visible = student.is_dir() and not student.name.startswith(".") and not _is_notebook(student.name)
        if visible and not any(student in path.parents for path in paths):
            problem = "there is no .ipynb file in this folder: hand in the notebook"
            found.append(Found(student.name, student, problem))
    return sorted(found, key=lambda one: one.name)


def _single(paths: Sequence[Path]) -> list[Found]:
    """Files named one by one: by their own names if these differ, else by their folders."""
    stems = [path.stem for path in paths]
    if len(set(stems)) == len(stems):
        return [Found(stem, path) for stem, path in zip(stems, paths, strict=True)]
    absolute = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - a link must stay itself
    root = Path(os.path.commonpath([path.parent for path in absolute]))
    named = _named(absolute, root)
    return [Found(one.name, path) for one, path in zip(named, paths, strict=True)]


def find_hand_ins(paths: Sequence[Path]) -> list[Found]:
    """Every hand-in among files and folders, with a name of its own, sorted by it.

    A file's own name is used where files are given; below a folder it is the path, without the file's name
    where each student has a folder.
    """
    found: list[Found] = []
    files = [path for path in paths if not path.is_dir()]
    if files:
        found += _single(files)
    for folder in (path for path in paths if path.is_dir()):
        if _is_notebook(folder.name):
            found.append(Found(folder.stem, folder))
        else:
            found += _in_folder(folder)
    taken: set[str] = set()
    unique = []
    for one in found:
        name, number = one.name, 2
        while name in taken:
            name, number = f"{one.name}-{number}", number + 1
        taken.add(name)
        unique.append(Found(name, one.path, one.problem))
    return sorted(unique, key=lambda one: one.name)


def file_names(names: Sequence[str]) -> dict[str, str]:
    """A file name for each hand-in: plain signs only, and different on every file system."""
    out: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "hand-in"
        candidate, number = base, 2
        while candidate.lower() in taken:
            candidate, number = f"{base}-{number}", number + 1
        taken.add(candidate.lower())
        out[name] = candidate
    return out
