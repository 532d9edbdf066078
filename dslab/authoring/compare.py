"""Says where a committed notebook differs from a fresh build."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode

PNG = "image/png"


def _joined(value: Any) -> Any:
    return "".join(value) if isinstance(value, list) else value


def _output(output: NotebookNode) -> dict[str, Any]:
    """An output without counters; of a PNG only that it is there, for its bytes change with the library."""
    plain = {
        key: _joined(value)
        for key, value in output.items()
        if key not in ("data", "metadata", "execution_count")
    }
    for mime, value in output.get("data", {}).items():
        plain[mime] = "(a picture)" if mime == PNG else _joined(value)
    return plain


def _cell_difference(old: NotebookNode, new: NotebookNode) -> str | None:
    for key, what in (("cell_type", "type"), ("source", "text"), ("metadata", "metadata")):
        if old.get(key) != new.get(key):
            return what
    if old.cell_type != "code":
        return None
    before, after = [_output(one) for one in old.outputs], [_output(one) for one in new.outputs]
    for number, (left, right) in enumerate(zip(before, after, strict=False), start=1):
        for key in sorted(set(left) | set(right)):
            if left.get(key) != right.get(key):
                return f"output {number} ({key})"
    return (
        f"number of outputs ({len(before)} committed, {len(after)} built)"
        if len(before) != len(after)
        else None
    )


def first_difference(committed: NotebookNode, fresh: NotebookNode) -> str | None:
    """The first cell that differs and what of it, as words; None if the two are the same."""
    for number, (old, new) in enumerate(zip(committed.cells, fresh.cells, strict=False), start=1):
        if old.get("id") != new.get("id"):
            return f'cell {number} is "{old.get("id")}" and its source has "{new.get("id")}" there'
        what = _cell_difference(old, new)
        if what is not None:
            return f'cell "{new.id}" differs in its {what}'
    if len(committed.cells) != len(fresh.cells):
        return f"it has {len(committed.cells)} cells and its source makes {len(fresh.cells)}"
    if committed.metadata != fresh.metadata:
        return "the notebook's own metadata differs"
    return None
