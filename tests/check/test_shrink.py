"""Shortening schedules."""

from dslab.check.shrink import shortest
from dslab.sim.case import Case


def case_of(letters):
    """A case whose actions are letters."""
    return Case("letters", "", [{"do": letter} for letter in letters], 1)


def letters_of(case):
    """The letters of a case's actions."""
    return "".join(action["do"] for action in case.schedule)


def needs(*wanted):
    """Fails while it has all the wanted letters."""
    return lambda case: "failed" if set(wanted) <= set(letters_of(case)) else None


def test_keeps_only_what_is_needed_in_order():
    """Whatever else was there goes."""
    small, found = shortest(case_of("abcdefghij"), "failed", needs("b", "i"))
    assert (letters_of(small), found) == ("bi", "failed")


def test_result_can_be_empty():
    """A system may fail although nothing happens."""
    small, _ = shortest(case_of("abc"), "failed", lambda case: "failed")
    assert letters_of(small) == ""


def test_no_single_action_of_the_result_can_go():
    """Also where only pairs may go: ab or cd must be complete."""

    def find(case):
        return (
            "failed"
            if letters_of(case).count("a") == letters_of(case).count("b") and "c" in letters_of(case)
            else None
        )

    small, _ = shortest(case_of("abcab"), "failed", find)
    assert all(
        find(small._replace(schedule=small.schedule[:i] + small.schedule[i + 1 :])) is None
        for i in range(len(small.schedule))
    )


def test_attempts_are_limited():
    """What was found by then is still right."""
    tried = []

    def find(case):
        tried.append(case)
        return needs("z")(case)

    small, _ = shortest(case_of("abcdefghijklmnopqrstuvwxyz"), "failed", find, attempts=3)
    assert len(tried) == 3 and "z" in letters_of(small)
