"""`python -m dslab check MODEL FILE --format FORMAT`: the verdict on a recorded history, from the shell."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from dslab.commands.environment import say
from dslab.commands.main import Parser, whole
from dslab.commands.run import WrongArgumentError

SHOWN = 12          # operations of an order that are printed
LONGEST = 400       # characters of an error
LABEL = 44          # characters before the bars of a chart


def build_parser() -> Parser:
    """The parser of this command."""
    from dslab.check.formats import FORMATS
    from dslab.check.models import MODELS

    parser = Parser(prog="python -m dslab check", description="Judge a recorded history: ok, violation or unknown.")
    parser.add_argument("model", metavar="MODEL", help=f"the kind of object: {', '.join(MODELS)}; "
                        "of transactions the level, for example serializable")
    parser.add_argument("file", metavar="FILE", help="the history")
    parser.add_argument("--format", metavar="FORMAT", required=True, help=f"how it is written: {', '.join(FORMATS)}")
    parser.add_argument("--consistency", metavar="NAME", help="what it should keep (default: linearizable, or what is "
                        "usual for the model)")
    parser.add_argument("--steps", type=whole(1), metavar="N", help="most steps of the search for an order")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def read(chosen: argparse.Namespace) -> list[Any]:
    """The operations in the file.

    Raises:
        WrongArgumentError: it cannot be read.
    """
    from dslab.check.formats import FORMATS, read_history

    if chosen.format not in FORMATS:
        raise WrongArgumentError(f"no format is called {chosen.format!r}: choose from {', '.join(FORMATS)}")
    try:
        text = Path(chosen.file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongArgumentError(f"{chosen.file} cannot be read ({getattr(error, 'strerror', None) or error}): "
                                 f"FILE is a text file with a history") from None
    return read_history(text, chosen.format)


def judged(chosen: argparse.Namespace, operations: list[Any]) -> Any:
    """The verdict."""
    from dslab.check.formats import FORMATS, USUAL
    from dslab.check.history import CONSISTENCY, check_history
    from dslab.check.models import model_named

    form = FORMATS[chosen.format]
    if form.judges is not None:
        from dslab.check.transactional import judged as judged_transactions

        options: dict[str, Any] = {} if chosen.steps is None else {"steps": chosen.steps}
        return judged_transactions(operations, form.judges, chosen.consistency or chosen.model, **options)
    consistency = chosen.consistency or USUAL.get(chosen.format) or USUAL.get(chosen.model) or "linearizable"
    if consistency not in CONSISTENCY:
        raise WrongArgumentError(f"no consistency is called {consistency!r}: choose from {', '.join(CONSISTENCY)}")
    model = model_named(chosen.model).name
    options = {"initial": form.initial[model]} if model in form.initial else {}
    if chosen.steps is not None:
        options["steps"] = chosen.steps
    return check_history(operations, chosen.model, consistency, **options)


def as_json(verdict: Any, operations: list[Any]) -> dict[str, Any]:
    """The verdict as one object; operations are told with their lines."""
    def told(i: int) -> dict[str, Any]:
        o = operations[i]
        return {"index": i, "line": o.line, "process": o.process, "do": o.do, "key": o.key,
                "argument": _plain(o.argument), "result": _plain(o.result), "status": o.status}

    return {"verdict": verdict.verdict, "model": verdict.model, "consistency": verdict.consistency,
            "operations": len(operations), "why": verdict.why,
            "witness": None if verdict.witness is None else list(verdict.witness),
            "stuck": None if verdict.stuck is None else told(verdict.stuck),
            "smallest": [told(i) for i in verdict.smallest], "tried": dict(verdict.tried),
            "details": _plain(dict(verdict.details))}


def _plain(value: Any) -> Any:
    """A value that JSON can hold."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def report(verdict: Any, operations: list[Any], file: str) -> str:
    """The verdict for people."""
    size = f"{len(operations):,} operation{'s' if len(operations) != 1 else ''}"
    lines = [f"{verdict.verdict:10}{file}: {verdict.consistency}, {verdict.model}, {size}"]
    lines.append(f"{'why':10}{verdict.why}")
    if verdict.stuck is not None:
        lines.append(f"{'stuck':10}line {operations[verdict.stuck].line}: {operations[verdict.stuck]}")
    if verdict.smallest:
        lines.append(f"{'smallest':10}these cannot all have happened as they were told, whatever else did:")
        lines += chart([operations[i] for i in verdict.smallest])
    if verdict.witness:
        lines.append(f"{'order':10}{len(verdict.witness):,} of them, one after another:")
        lines += [f"{'':10}{operations[i]}" for i in verdict.witness[:SHOWN]]
        if len(verdict.witness) > SHOWN:
            lines.append(f"{'':10}and {len(verdict.witness) - SHOWN:,} more; --json gives them all")
    if verdict.tried:
        lines.append(f"{'tried':10}" + ", ".join(f"{name} {number:,}" for name, number in verdict.tried.items()))
    return "\n".join(lines)


def chart(part: list[Any]) -> list[str]:
    """Operations as bars in real time; one that was never answered stays open."""
    moments = sorted({o.invoked for o in part} | {o.completed for o in part if o.completed is not None})
    at = {moment: 2 * place for place, moment in enumerate(moments)}
    rows = []
    for o in part[:SHOWN]:
        end = 2 * len(moments) if o.completed is None else at[o.completed]
        bar = " " * at[o.invoked] + "|" + "-" * (end - at[o.invoked] - 1) + (">" if o.completed is None else "|")
        rows.append(f"{'':10}{f'line {o.line}: {o}'[:LABEL]:{LABEL}}  {bar}")
    if len(part) > SHOWN:
        rows.append(f"{'':10}and {len(part) - SHOWN:,} more; --json gives them all")
    return rows


def main(argv: Sequence[str]) -> int:
    """Judge one history. Returns the exit status: 0 ok, 1 violation or unknown, 2 a wrong argument or no history."""
    from dslab.check.history import HistoryError

    chosen = build_parser().parse_args(list(argv))
    try:
        operations = read(chosen)
        verdict = judged(chosen, operations)
    except WrongArgumentError as error:
        say(f"python -m dslab check: {error}")
        return 2
    except HistoryError as error:
        say(f"python -m dslab check: {chosen.file}: {str(error)[:LONGEST]}")
        return 2
    text = json.dumps(as_json(verdict, operations)) if chosen.json else report(verdict, operations, chosen.file)
    coding = sys.stdout.encoding or "utf-8"           # a text may hold what a terminal cannot show
    print(text.encode(coding, "backslashreplace").decode(coding))
    return 0 if verdict.verdict == "ok" else 1
