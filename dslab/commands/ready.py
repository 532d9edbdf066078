"""Whether this Python can run the notebooks; for people who opened one without the set-up command."""

from __future__ import annotations

import importlib.util
import sys

NEEDED = ("anywidget", "ipywidgets", "matplotlib", "networkx", "numpy")


def missing() -> list[str]:
    """What the notebooks need and this Python has not."""
    old = [] if sys.version_info >= (3, 11) else ["Python 3.11 or later"]
    return old + [name for name in NEEDED if importlib.util.find_spec(name) is None]


def ready() -> None:
    """Says in one line whether everything is here, and what to do if not."""
    lacking = missing()
    if lacking:
        print(
            f"Not here: {', '.join(lacking)}. Close this and run `python3 -m dslab lab` in the course's "
            "folder; it installs everything."
        )
    else:
        print("Ready: this Python has everything that the notebooks need.")
