"""`python -m dslab build`: notebooks from their sources, or the proof that the committed ones are right."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from dslab.authoring.cells import BuildError, Source
from dslab.authoring.compare import first_difference
from dslab.authoring.execute import ExecutionError, execute
from dslab.authoring.notebooks import instructor_notebook, student_notebook
from dslab.authoring.proofs import prove
from dslab.authoring.source import read_source
from dslab.grading.arguments import Parser

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def _parser() -> Parser:
    parser = Parser(prog="python -m dslab build", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="notebooks such as 02-consensus; all if none is named"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--check",
        action="store_true",
        help="write nothing: compare with the committed notebooks and prove every exercise",
    )
    what.add_argument(
        "--instructor",
        type=Path,
        metavar="FOLDER",
        help="write the instructor's notebooks there instead: solutions and hidden checks",
    )
    parser.add_argument(
        "--notebooks",
        type=Path,
        default=NOTEBOOKS,
        metavar="FOLDER",
        help="the folder that has source/ (default: the course's)",
    )
    return parser


def _paths(folder: Path, names: list[str]) -> list[Path]:
    """The source files to build, in order.

    Raises:
        ValueError: there is none, or none with a name that was given.
    """
    sources = sorted((folder / "source").glob("[0-9][0-9]_*.py"))
    if not sources:
        raise ValueError(
            f"there is no source in {folder / 'source'}: say --notebooks FOLDER, the folder above it"
        )
    by_name = {path.stem.replace("_", "-"): path for path in sources}
    chosen = []
    for name in names:
        key = Path(name).stem.replace("_", "-")
        if key not in by_name:
            raise ValueError(f"there is no notebook {name}: there are {', '.join(by_name)}")
        chosen.append(by_name[key])
    return chosen or sources


def _executed(source: Source, folder: Path) -> NotebookNode:
    notebook = student_notebook(source)
    try:
        return execute(notebook, folder)
    except ExecutionError as error:
        cell = next(cell for cell in source.cells if cell.name == error.cell)
        raise source.error(
            cell, f'the cell "{cell.name}" {error} in the handout, which must run to its end'
        ) from None


def _write(notebook: NotebookNode, target: Path) -> str:
    """Writes unless nothing but pictures' bytes would change; returns what was done."""
    if target.exists():
        try:
            if first_difference(nbformat.read(target, as_version=4), notebook) is None:
                return "unchanged"
        except (ValueError, AttributeError, nbformat.ValidationError):
            pass  # whatever stands there is no notebook; the build replaces it
    target.parent.mkdir(parents=True, exist_ok=True)
    # In one step: an interrupted build must not leave half a notebook.
    partial = target.with_name(target.name + ".part")
    nbformat.write(notebook, partial)
    partial.replace(target)
    return "written"


def _check(source: Source, folder: Path) -> list[str]:
    """What is wrong with a committed notebook and its exercises."""
    fresh = _executed(source, folder)
    committed = folder / f"{source.name}.ipynb"
    remedy = f'run "python -m dslab build {source.name}" and commit what it writes'
    problems = []
    try:
        difference = first_difference(nbformat.read(committed, as_version=4), fresh)
        if difference is not None:
            problems.append(f"{committed.name} is not what its source builds: {difference}; {remedy}")
    except FileNotFoundError:
        problems.append(f"{committed.name} is not there: {remedy}")
    except (ValueError, AttributeError, nbformat.ValidationError):
        problems.append(f"{committed.name} is no notebook: {remedy}")
    return problems + [f"{source.path.name}: {problem}" for problem in prove(source, fresh)]


def _do(path: Path, options: argparse.Namespace) -> bool:
    """One source; True if all is well."""
    source = read_source(path)
    folder = options.notebooks.resolve()
    if options.instructor is not None:
        target = options.instructor / f"{source.name}.ipynb"
        print(f"{target}: {_write(instructor_notebook(source), target)}")
        return True
    if options.check:
        problems = _check(source, folder)
        for problem in problems:
            print(problem, file=sys.stderr)
        if not problems:
            proved = f"{len(source.exercises)} exercises and {len(source.tagged('mutant'))} mutants proved"
            print(f"{source.name}: as its source builds it; {proved}")
        return not problems
    target = folder / f"{source.name}.ipynb"
    print(f"{target}: {_write(_executed(source, folder), target)}")
    return True


def main(argv: list[str] | None = None) -> int:
    """Builds or checks; returns 0, or 1 after a mistake in a source, or 2 after one in the arguments.

    Args:
        argv: the arguments, with or without the command's own name first.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    options = _parser().parse_args(arguments[1:] if arguments[:1] == ["build"] else arguments)
    try:
        paths = _paths(options.notebooks, options.names)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    good = True
    for path in paths:
        try:
            good &= _do(path, options)
        except BuildError as error:
            print(error, file=sys.stderr)
            good = False
        except KeyboardInterrupt:
            print(f"stopped at {path.name}; the notebooks named above are complete", file=sys.stderr)
            return 130
    return 0 if good else 1
