"""Generators of random numbers on their way to the answer: `draw(Random(3))`, `walk(np.random.default_rng(3))`.

The answer's process has one generator for each of the check's, and goes on with it from call to call; it is set anew
when the check itself has drawn from its own. What the answer draws does not come back: a check that went on with it
would draw what the answer likes.
"""

from __future__ import annotations

import random
import sys
from typing import Any

BITS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")  # numpy's


def state_of(value: Any) -> list[Any] | None:
    """The kind and the state of a generator; None for anything else."""
    if type(value) is random.Random:
        return ["Random", value.getstate()]
    numpy: Any = sys.modules.get("numpy.random")
    if numpy is not None and type(value) is numpy.Generator and type(value.bit_generator).__name__ in BITS:
        return ["Generator", value.bit_generator.state]
    if numpy is not None and type(value) is numpy.RandomState:
        return ["RandomState", value.get_state()]
    return None


def with_state(kind: str, state: Any) -> Any:
    """A generator of this kind in this state."""
    if kind == "Random":
        made: Any = random.Random()
        made.setstate(state)
        return made
    import numpy

    if kind == "RandomState":
        made = numpy.random.RandomState()
        made.set_state(state)
        return made
    bits = getattr(numpy.random, state["bit_generator"])()
    bits.state = state
    return numpy.random.Generator(bits)
