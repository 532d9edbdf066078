"""`python -m dslab run SYSTEM`: one run from the shell. Standard library and the simulator only."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import pkgutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from dslab.commands.environment import say


class WrongArgumentError(Exception):
    """An argument names something that is not there; one sentence says what is accepted."""


def systems() -> dict[str, Any]:
    """What SYSTEM may name: the modules of dslab.protocols that can make a cluster."""
    package = importlib.import_module("dslab.protocols")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    modules = {name: importlib.import_module(f"dslab.protocols.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "cluster")}


def load_schedule(file: str | None) -> list[Any]:
    """The actions in a schedule file; none without a file.

    Raises:
        WrongArgumentError: the file cannot be read, is not JSON, or is not a list.
    """
    if file is None:
        return []
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise WrongArgumentError(f"{file} cannot be read ({why}): --schedule takes a JSON file") from None
    try:
        actions = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = (
            f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "it is nested too deeply"
        )
        raise WrongArgumentError(
            f"{file} is not JSON ({where}): a schedule is a list of actions such as "
            '[{"at": 1200, "do": "crash", "node": "n1"}]'
        ) from None
    if not isinstance(actions, list):
        raise WrongArgumentError(
            f"{file} holds one {type(actions).__name__}: a schedule is a list of actions such as "
            '[{"at": 1200, "do": "crash", "node": "n1"}]'
        )
    return actions


def write_whole(file: str, text: str, option: str = "--json") -> None:
    """Write a file completely or not at all, so that an earlier one is never lost half way.

    Raises:
        WrongArgumentError: it cannot be written there.
    """
    target = Path(file)
    draft = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False, newline="\n"
        ) as out:
            draft = Path(out.name)
            out.write(text)
        with contextlib.suppress(FileNotFoundError):
            draft.chmod(target.stat().st_mode)
        draft.replace(target)
    except OSError as error:
        if draft is not None:
            draft.unlink(missing_ok=True)
        raise WrongArgumentError(
            f"{file} cannot be written ({error.strerror}): {option} takes the name of a file"
        ) from None


def report(system: Any, trace: Any, until: int) -> str:
    """What happened, in a short table: counts, where the nodes ended, what held."""
    kinds = Counter(event.kind for event in trace.events)
    fates = Counter(message.fate for message in trace.messages)
    lines = [
        f"{system.code}, seed {trace.seed}, {until} ms",
        f"events    {len(trace.events)}: "
        + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())),
        f"messages  {len(trace.messages)}: "
        + ", ".join(f"{fate} {count}" for fate, count in sorted(fates.items())),
    ]
    final = trace.state_at(len(trace.events) - 1) if trace.events else {}
    for node, state in final.items():
        fields = ", ".join(
            f"{name}={short(value)}"
            for name, value in state.items()
            if not name.startswith("@") and value not in ([], {}, None)
        )
        lines.append(f"{node:9} {fields}" if fields else node)
    if system.always or system.eventually:
        from dslab.check.invariants import check_trace

        for verdict in check_trace(trace, system.always, system.eventually):
            when = "" if verdict.time_us is None else f" at {verdict.time_us / 1000:.3f} ms"
            why = f": {verdict.violation.text}" if verdict.violation else ""
            lines.append(f"{verdict.status:9} {verdict.title}{when}{why}")
    lines.append(f"digest    {trace.digest()}")
    return "\n".join(lines)


def short(value: Any) -> str:
    """A value in a few characters."""
    if isinstance(value, list | tuple | dict) and len(value) > 3:
        return f"{len(value)} items"
    return json.dumps(value, ensure_ascii=False, default=str)


def run(arguments: argparse.Namespace) -> int:
    """Run a system once. Returns the exit status: 0 done, 1 the run itself failed, 2 a wrong argument."""
    from dslab.sim import DslabError, simulate
    from dslab.sim.errors import ScheduleError

    try:
        known = systems()
        if arguments.system not in known:
            raise WrongArgumentError(
                f"no system is called {arguments.system!r}: choose from {', '.join(known)}"
            )
        schedule = load_schedule(arguments.schedule)
        system = known[arguments.system].cluster(arguments.nodes)
        trace = simulate(system, seed=arguments.seed, schedule=schedule, until=arguments.until)
        if arguments.json:
            write_whole(arguments.json, trace.to_json())
    except (WrongArgumentError, ScheduleError) as error:
        say(f"python -m dslab run: {error}")
        return 2
    except DslabError as error:
        say(f"python -m dslab run: {error}")
        return 1
    print(trace.digest() if arguments.digest else report(system, trace, arguments.until))
    return 0
