"""From the states of a search back to the steps between them, and to a case that proves what was found.

A search keeps of each state nothing but the one before it. So a way is found again by trying the steps of each state
on it until one leads to the next.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslab.sim import DslabError

from .counterexample import NO_HANDLER_FAILS, case_of, replayed, schedule_of
from .exploration import VIOLATED, Exploration
from .invariants import title_of
from .judge import Broken
from .space import Space
from .standin import HandlerFailed
from .steps import Deed


def prove(found: Exploration, last: int | None, error: Broken | HandlerFailed) -> None:
    """Makes a case of the way to a violation, runs it, and notes what it shows.

    Args:
        found: the search. last: the state from which the last step went; None if the first state is wrong already.
        error: what was met.

    Raises:
        DslabError: the run does not show it.
    """
    space = found.space
    name = error.name if isinstance(error, Broken) else NO_HANDLER_FAILS
    deeds: list[Deed] = []
    if last is not None:
        deeds, state = _deeds(found, _way(found, last))
        deeds.append(_breaking(space, state, name))
    stepped = space.system.stepped()
    started = [space.flights.messages[m] for m in space.start_sent]
    case = case_of(stepped, name.replace("_", "-"), schedule_of(started, deeds, space.bounds.traitors))
    verdict = replayed(stepped, case, space.judge.always, name)
    if verdict is None:
        title = next((title_of(prop) for prop in space.judge.always if prop.__name__ == name), name)
        raise DslabError(f"the search found {title!r} violated ({error}), but running its {len(case.schedule)} steps "
                         f"does not show it; look for an attribute that is a set whose order counts, or a property "
                         f"that asks for the order of a dict")
    found.result, found.verdict, found.case, found.system = VIOLATED, verdict, case, stepped


def path(found: Exploration, state: int) -> list[Deed]:
    """The steps from the start to a state of a search."""
    return _deeds(found, _way(found, state))[0]


def _way(found: Exploration, state: int) -> list[int]:
    """The states from the start of a search to one of them."""
    states = [state]
    while (parent := found.parents[states[-1]]) is not None:
        states.append(parent)
    return states[::-1]


def _deeds(found: Exploration, states: Sequence[int]) -> tuple[list[Deed], int]:
    """The steps along states of a search, and the real state at their end (which symmetry may rename)."""
    root, space = states[0], found.space
    deeds = path(*found.roots[root]) if root in found.roots else []
    now = found.roots_real.get(root, root)
    for wanted in states[1:]:
        for step, new in space.steps(now):
            try:
                new = space.after(step, new)
            except Broken:
                continue
            if found.canonical(new) == wanted:
                deeds.append(space.deed(step))
                now = new
                break
        else:
            raise DslabError("a step of the search cannot be found again; a property or a handler depends on "
                             "something that is not part of the state")
    return deeds, now


def _breaking(space: Space, state: int, name: str) -> Deed:
    """The step from a state that breaks a property, or at which a handler fails."""
    try:
        for step, new in space.steps(state):
            try:
                space.after(step, new)
            except Broken as broken:
                if broken.name == name:
                    return space.deed(step)
    except HandlerFailed as failed:
        assert space.handlers.attempt is not None
        return space.deed(space.handlers.attempt)._replace(script=failed.script)
    raise DslabError(f"the step that violates {name} cannot be found again")
