"""Judges a history of a map of registers by brute force: is there an order that one single copy could have produced?

Source: J. M. Wing, C. Gong, "Testing and Verifying Concurrent Objects", JPDC 17, 1993, with the memory of G. Lowe
(visited pairs of operations done and state). Independent of the package.
"""

from __future__ import annotations

from collections import defaultdict


def linearizable(history):
    """Whether some order of the operations respects real time and gives every answer.

    Args:
        history: operations as `Trace.history` gives them; "x=1" writes and answers "1", "x" reads. An operation
            without an answer may have happened or not.
    """
    registers = defaultdict(list)
    for operation in history:
        registers[operation["command"].partition("=")[0]].append(operation)
    return all(map(one_register, registers.values()))


def one_register(operations):
    """The same for one register; linearizability is local."""
    answered = sum(1 << i for i, o in enumerate(operations) if o["completed_us"] is not None)
    begun = [(0, None)]
    seen = set(begun)
    while begun:
        done, value = begun.pop()
        if done & answered == answered:
            return True
        open_ = [i for i in range(len(operations)) if not done >> i & 1]
        # nothing can take effect after another operation that had not begun when it ended
        first_end = min(
            o["completed_us"] for i in open_ if (o := operations[i])["completed_us"] is not None
        )
        for i in open_:
            operation = operations[i]
            if operation["invoked_us"] > first_end:
                continue
            _, is_write, written = operation["command"].partition("=")
            after = written if is_write else value
            if operation["completed_us"] is not None and operation["result"] != after:
                continue
            state = (done | 1 << i, after)
            if state not in seen:
                seen.add(state)
                begun.append(state)
    return False
