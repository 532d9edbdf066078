"""Which files were handed in, and by whom: a hand-in is named by its place in the folder or zip given."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath
from zipfile import ZipInfo

from dslab.grading import archives
from dslab.grading.intake import HandInError, read_bytes

# Control characters, signs that turn the direction of text, halves of a character.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_EMPTY = "there is no .ipynb file in this folder: hand in the notebook"
_ONLY_ZIP = "there is only a zip file in this folder: hand in the .ipynb file itself"
_ZIP = "this is a zip file among the hand-ins: hand in the .ipynb file itself"
_OUTSIDE = "its place in the zip leads out of the zip: hand in the .ipynb file itself"
_TWICE = "the zip has another file of this name, which was taken: hand in one .ipynb file"


@dataclass(frozen=True)
class Found:
    """One hand-in; `problem` says why there is nothing to read.

    Attributes:
        path: its file, or the zip file that `entry` is in.
    """

    name: str
    path: Path
    problem: str = ""
    entry: ZipInfo | None = None

    def read(self) -> bytes:
        """The bytes that were handed in.

        Raises:
            HandInError: they cannot be read; the text is one sentence.
        """
        if self.problem:
            raise HandInError(self.problem)
        return read_bytes(self.path) if self.entry is None else archives.read_entry(self.path, self.entry)


def _is_notebook(place: PurePath) -> bool:
    return place.name.lower().endswith(".ipynb") and not place.name.startswith("._")


def is_zip(place: PurePath) -> bool:
    """True if this is the name of a zip file."""
    return place.name.lower().endswith(".zip")


def _is_left_behind(name: str) -> bool:
    """Folders that editors and systems make: checkpoints, a Mac's second halves of files."""
    return name == "__MACOSX" or name.startswith(".")


def _named(places: Sequence[PurePath]) -> list[str]:
    """Names: without the file's name where its folder has no other notebook."""
    count = Counter(place.parent for place in places)
    return [
        (place.parent if count[place.parent] == 1 and place.parent.parts else place.with_suffix("")).as_posix()
        for place in places
    ]


def _students_level(notebooks: Collection[PurePath], folders: Collection[PurePath]) -> PurePath:
    """The folder whose folders are the students': the given one, or one that holds all of them together."""
    level = PurePosixPath()
    while True:
        inside = [folder for folder in folders if folder.parent == level]
        depth = len(level.parts) + 2
        if len(inside) != 1 or not notebooks or any(len(place.parts) <= depth for place in notebooks):
            return level
        level = PurePosixPath(inside[0])


def _collected(files: Iterable[PurePath], folders: Collection[PurePath]) -> list[tuple[str, PurePath, str]]:
    """Name, place and problem of each hand-in below a folder, and of each student's folder without one.

    Args:
        files: places relative to the folder, without those in folders that were left behind.
        folders: likewise.
    """
    files = sorted(files)
    notebooks = [place for place in files if _is_notebook(place)]
    zips = [place for place in files if is_zip(place)]
    found = [(name, place, "") for name, place in zip(_named(notebooks), notebooks)]
    level = _students_level(notebooks, folders)
    for folder in sorted(folder for folder in folders if folder.parent == level):
        if not any(folder in place.parents for place in notebooks):
            only_zip = any(folder in place.parents for place in zips)
            found.append((folder.as_posix(), folder, _ONLY_ZIP if only_zip else _EMPTY))
    found += [(place.with_suffix("").as_posix(), place, _ZIP) for place in zips if place.parent == level]
    return found


def _in_folder(root: Path) -> list[Found]:
    files: list[PurePath] = []
    folders: list[PurePath] = []
    closed: list[Found] = []

    def refused(error: OSError) -> None:
        place = PurePosixPath(Path(error.filename).relative_to(root).as_posix())
        name = place.as_posix() if place.parts else root.name
        closed.append(Found(name, root / place, f"this folder cannot be opened ({error.strerror})"))
        if place in folders:
            folders.remove(place)

    for here, inside, names in os.walk(root, onerror=refused):
        below = PurePosixPath(Path(here).relative_to(root).as_posix())
        inside[:] = sorted(name for name in inside if not _is_left_behind(name))
        files += [below / name for name in names]
        files += [below / name for name in inside if _is_notebook(PurePosixPath(name))]
        inside[:] = [name for name in inside if not _is_notebook(PurePosixPath(name))]
        folders += [below / name for name in inside]
    return closed + [Found(name, root / place, problem) for name, place, problem in _collected(files, folders)]


def _in_zip(path: Path) -> list[Found]:
    try:
        entries = archives.entries(path)
    except HandInError as error:
        return [Found(path.stem, path, str(error))]
    found: list[Found] = []
    inside: dict[PurePath, ZipInfo] = {}
    for entry in entries:
        place = PurePosixPath(entry.filename.replace("\\", "/"))
        if any(map(_is_left_behind, set(place.parts[:-1]) - {".."})):
            continue
        if place.is_absolute() or ".." in place.parts:
            if _is_notebook(place):
                found.append(Found(place.with_suffix("").as_posix(), path, _OUTSIDE))
        elif place in inside and _is_notebook(place):
            found.append(Found(place.with_suffix("").as_posix(), path, _TWICE))
        else:
            inside[place] = entry
    folders = {folder for place in inside for folder in place.parents if folder.parts}
    return found + [
        Found(name, path, problem, inside.get(at)) for name, at, problem in _collected(inside, folders)
    ]


def _single(paths: Sequence[Path]) -> list[Found]:
    """Files named one by one: by their own names if these differ, else by their folders."""
    stems = [path.stem for path in paths]
    if len(set(stems)) == len(stems):
        return [Found(stem, path) for stem, path in zip(stems, paths, strict=True)]
    absolute = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - a link must stay itself
    root = Path(os.path.commonpath([path.parent for path in absolute]))
    named = _named([path.relative_to(root) for path in absolute])
    return [Found(name, path) for name, path in zip(named, paths, strict=True)]


def find_hand_ins(paths: Sequence[Path]) -> list[Found]:
    """Every hand-in among files, folders and zip files, with a name of its own, sorted by it.

    A file's own name is used where files are given; below a folder or in a zip it is the path, without the
    file's name where each student has a folder. Signs that nobody sees are replaced in names.
    """
    found: list[Found] = []
    files = [path for path in paths if not os.path.isdir(path) and not is_zip(path)]  # noqa: PTH112 - never raises
    if files:
        found += _single(files)
    for path in paths:
        if path in files:
            continue
        if _is_notebook(path):
            found.append(Found(path.stem, path))
        elif os.path.isdir(path):  # noqa: PTH112 - never raises
            found += _in_folder(path)
        else:
            found += _in_zip(path)
    taken: set[str] = set()
    unique = []
    for one in sorted(found, key=lambda one: (one.name, one.problem)):  # what can be graded has the plain name
        plain = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", one.name)
        name, number = plain, 2
        while name in taken:
            name, number = f"{plain}-{number}", number + 1
        taken.add(name)
        unique.append(replace(one, name=name))
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
