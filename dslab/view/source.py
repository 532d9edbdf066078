"""Shows source code in a notebook as it stands in the package, so that no lesson paraphrases it."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any


class Source:
    """Source text that a notebook shows as code."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}\n```"

    def __repr__(self) -> str:
        return self.text


def show_source(*things: Callable[..., Any] | type) -> Source:
    """The source of functions, methods or classes, one below the other.

    Args:
        things: what to show, such as `raft.Server.append`.

    Raises:
        TypeError: something without source text, such as a number.
    """
    return Source("\n\n".join(textwrap.dedent(inspect.getsource(thing)).rstrip() for thing in things))
