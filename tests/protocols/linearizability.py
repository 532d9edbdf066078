"""A second opinion on reads: tries every order of the operations on one register, as the definition says.

Source: M. Herlihy, J. Wing, "Linearizability: A Correctness Condition for Concurrent Objects", ACM TOPLAS 12(3), 1990.
"""

from __future__ import annotations

import math
from typing import Any


def is_linearizable(history: list[dict[str, Any]], initial: Any = None) -> bool:
    """Whether some order of the operations respects real time and gives every answer.

    Args:
        history: operations of a trace; commands are "key=value" or "key". One that is open may have taken effect at
            any time after it was asked, or never.
        initial: what a key holds before it is written.
    """
    keys = dict.fromkeys(str(o["command"]).partition("=")[0] for o in history)
    return all(_one_key([o for o in history if str(o["command"]).partition("=")[0] == key], initial) for key in keys)


def _one_key(history: list[dict[str, Any]], initial: Any) -> bool:
    operations = []
    for o in history:
        _, is_write, value = str(o["command"]).partition("=")
        ends = math.inf if o["completed_us"] is None else o["completed_us"]
        if is_write or ends < math.inf:
            operations.append((o["invoked_us"], ends, value if is_write else o["result"], bool(is_write)))
    seen = set()

    def search(left: frozenset[int], value: Any) -> bool:
        if all(operations[i][1] == math.inf for i in left):
            return True
        if (left, value) in seen:
            return False
        seen.add((left, value))
        first_end = min(operations[i][1] for i in left)
        for i in left:
            began, _, said, is_write = operations[i]
            if began <= first_end and (is_write or said == value) and search(left - {i}, said if is_write else value):
                return True
        return False

    return search(frozenset(range(len(operations))), initial)
