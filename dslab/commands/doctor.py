"""`python -m dslab doctor`: what this machine has of the optional parts, and how to get the rest."""

from __future__ import annotations

import platform

from dslab.commands.components import PARTS, find, pythons
from dslab.commands.environment import Environment


def rows() -> list[tuple[str, str, str, str]]:
    """One row per part: name, found, version or why not, how to get it or what uses it."""
    table = []
    for name, part in PARTS.items():
        found = find(name)
        if found.path is not None:
            table.append((name, "yes", found.version, f"for {part.purpose}"))
        else:
            table.append((name, "no", found.why_not, f"for {part.purpose}; get it: {part.get}"))
    return table


def doctor() -> int:
    """Print the table. Returns 0: nothing in it is an error."""
    ready = Environment(tell=lambda line: None).ready()
    others = ", ".join(found.version for minor, found in pythons().items() if int(minor[2:]) >= 11)
    print(f"{platform.system()} {platform.machine()}; Pythons of 3.11 or later: {others}")
    print(f".venv is {'ready' if ready else 'not set up: `python3 -m dslab lab` does it'}\n")
    lines = [("part", "found", "version, or why not", "use"), *rows()]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, [*widths, 0], strict=True)).rstrip())
    return 0
