"""The words for a run: short enough for their place, true, and the same every time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dslab.protocols import raft
from dslab.sim import Node, System, message, simulate
from dslab.view import announce, narrate, read
from dslab.view.words import HEADLINE, REASON, fit, in_words, plain_text

GOLDEN = Path(__file__).with_name("narration.txt")
LESSON = [
    {"at": 300, "do": "request", "command": "x=1"},
    {"at": 1200, "do": "crash", "node": "n1"},
    {"at": 2000, "do": "request", "command": "x=2"},
    {"at": 3000, "do": "restart", "node": "n1"},
    {"at": 4000, "do": "partition", "groups": [["n1", "n2"], ["n3", "n4", "n5"]]},
    {"at": 4300, "do": "heal"},
]


@message
class Ping:
    """{source} calls {target} for the {turn}th time."""

    turn: int


@message
class Pong:
    turn: int


class Caller(Node):
    """A protocol with none of the shared fields."""

    def on_start(self) -> None:
        self.heard = 0
        if self.id == "n1":
            self.set_timer("call", after=10)

    def on_call_timeout(self) -> None:
        self.broadcast(Ping(self.heard + 1))
        self.set_timer("call", after=50)

    def on_ping(self, sender: str, m: Ping) -> None:
        self.send(sender, Pong(m.turn))

    def on_pong(self, sender: str, m: Pong) -> None:
        self.heard += 1


def lines(schedule: list[dict], until: int = 5000) -> list[str]:
    reading = read(simulate(raft.cluster(5), seed=7, schedule=schedule, until=until))
    return [
        f"{reading.events[event].time_us / 1000:9.3f}  {headline} | {reason}"
        for event, (headline, reason) in narrate(reading).items()
    ]


def test_a_fixed_lesson_reads_as_before() -> None:
    """The narration of one Raft run, word for word; DSLAB_RECORD=1 records it anew."""
    told = "\n".join(lines(LESSON)) + "\n"
    if os.environ.get("DSLAB_RECORD"):
        GOLDEN.write_text(told, "utf-8")
    assert told == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("seed", range(8))
def test_headlines_and_reasons_fit_their_lines(seed: int) -> None:
    """At most 45 and 75 characters, without stray braces, whatever happens to five servers or twelve."""
    from .test_pack import random_schedule

    size = 12 if seed % 2 else 5
    schedule = random_schedule(seed, nodes=size, actions=25)
    reading = read(simulate(raft.cluster(size), seed=seed, schedule=schedule, until=3000))
    for headline, reason in narrate(reading).values():
        for text, most in ((headline, HEADLINE), (reason, REASON)):
            plain = plain_text(text)
            assert 0 < len(plain) <= most, plain
            assert "{" not in plain and "`" not in plain and "None" not in plain, plain


def test_a_leader_that_commits_without_a_majority_is_called_out() -> None:
    """The sentence about safety counts the copies that are really there."""

    class Hasty(raft.Server):
        def committable(self):  # type: ignore[no-untyped-def]
            return self.last_index

    schedule = [
        {"at": 1000, "do": "partition", "groups": [["n1"], ["n2", "n3", "n4", "n5"]]},
        {"at": 1001, "do": "request", "command": "x=1", "to": "n1"},
    ]
    system = raft.cluster(5, server=Hasty)
    said = narrate(read(simulate(system, seed=7, schedule=schedule, until=1300))).values()
    assert any(
        "commits entry 1" in headline and "Only one of five servers hold it" in reason
        for headline, reason in said
    )


def test_a_protocol_without_shared_fields_is_told_by_messages_and_timers() -> None:
    """A student's ping-pong gets its docstrings and its own attributes, no word about terms or votes."""
    reading = read(simulate(System(Caller, nodes=2), seed=1, until=100))
    said = list(narrate(reading).values())
    assert ("n2 receives `Ping` from n1", "n1 calls n2 for the 1th time.") in said
    assert ("n1 receives `Pong` from n2", "Now heard is `1`.") in said
    assert any(headline == "n1's call timer runs out" for headline, _ in said)
    assert not any(word in text for pair in said for text in pair for word in ("vote", "lead", "term"))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "nothing"),
        ([], "nothing"),
        ({"x": 1, "y": {"z": True}}, "x=1, y=(z=yes)"),
        ({"": "ab"}, '""=ab'),
        ([2, "n1"], "2 of n1"),
        ([0, ""], "none"),
        ([2, 1], "[2, 1]"),
        (["n1", "n2"], "n1, n2"),
        ({"milk": [[1, "n1"], [2, "n2"]]}, "milk=[1 of n1, 2 of n2]"),
        ({"set": ["a", "b"], "rest": []}, "set=[a, b], rest=nothing"),
        ({"@": "Command", "command": "x=1", "client": "c1"}, "x=1"),
        ("x=1", "x=1"),
        (None, "none"),
    ],
)
def test_a_value_in_a_sentence_has_no_braces_and_says_where_it_ends(value: object, words: str) -> None:
    assert in_words(value) == words


def test_of_a_table_or_list_the_sentence_says_what_has_come_or_gone() -> None:
    class Keeper(Node):
        shows = ("table", "items")

        def on_start(self) -> None:
            self.table: dict[str, int] = {"a": 1}
            self.items, self.step = [7], 0
            self.set_timer("tick", after=10)

        def on_tick_timeout(self) -> None:
            self.step += 1
            if self.step == 1:
                self.table["b"] = 2
            elif self.step == 2:
                del self.table["a"]
            elif self.step == 3:
                self.items.append(9)
            elif self.step == 4:
                self.items.clear()
            self.set_timer("tick", after=10)

    said = narrate(read(simulate(System(Keeper, nodes=1), seed=1, until=45)))
    reasons = [plain_text(reason) for _, reason in said.values()][1:]
    assert reasons == [
        "Now table includes b=2.",
        "Now table is without a.",
        "Now items includes 9.",
        "Now items is nothing.",
    ]


def test_a_branch_says_what_made_it() -> None:
    """The first thing that differs names the branch, the action, and where the other future is kept."""
    schedule = [{"at": 1200, "do": "crash", "node": "n1"}]
    reading = read(simulate(raft.cluster(5), seed=7, schedule=schedule, until=2000))
    says = narrate(reading)
    crash = next(e.id for e in reading.events if e.kind == "crash")
    won = next(event for event, (headline, _) in says.items() if event > crash and "wins" in headline)
    told = announce(says, reading, "B", "A", crash, schedule[0], [won])
    assert told[crash] == (
        "In branch B, n1 crashes while it leads term {term:1}",
        "You crashed n1 at 1.200 s. Branch A keeps the other future.",
    )
    assert told[won][0].startswith("In branch B, ") and told[won][1] == told[crash][1]
    assert {event: pair for event, pair in told.items() if event not in (crash, won)} == {
        event: pair for event, pair in says.items() if event not in (crash, won)
    }


def test_two_leaders_are_both_explained() -> None:
    """While an old leader is cut off and a new one is known, one sentence says why it is harmless."""
    schedule = [{"at": 1000, "do": "partition", "groups": [["n1", "n2"], ["n3", "n4", "n5"]]}]
    told = lines(schedule, 2000)
    assert any(
        "Two leaders, two terms | n1 still leads term {term:1} but reaches only n2, so nothing" in line
        for line in told
    )


@pytest.mark.parametrize(
    ("choices", "kept"),
    [(("abc def", "abc"), "abc"), (("abcd efgh ijkl",), "abcd…"), (("{term:3} is",), "{term:3} is")],
)
def test_fit_takes_the_first_choice_that_fits(choices: tuple[str, ...], kept: str) -> None:
    """Markup does not count; the last choice is cut at a word."""
    assert fit(6, *choices) == kept


def told_of_liars(case_name: str) -> list[str]:
    from dslab.protocols import pbft, pbft_cases

    case = getattr(pbft_cases, case_name)
    system = pbft.cluster(case.nodes, clients=case.clients)
    reading = read(simulate(system, seed=1, schedule=case.schedule, until=case.until))
    told = narrate(reading)
    for headline, reason in told.values():
        assert len(plain_text(headline)) <= HEADLINE and len(plain_text(reason)) <= REASON, (headline, reason)
        assert "slots is" not in reason and "{" not in plain_text(headline + reason)
    return [headline for headline, _ in told.values()]


def test_agreement_among_liars_is_told_by_numbers_and_contradictions() -> None:
    """Who gives which number to what, who contradicts whom, and who executes what."""
    told = told_of_liars("TWO_LIARS")
    wanted = [
        "Traitor n1 lies to n4 only",
        "n1 gives number 1 to `c1.1 x=1`",
        "n4 accepts `c2.1 y=2` as number 1",
        "n4 contradicts n3 about number 1",
        "n3 has prepared number 1",
        "n3 executes `c1.1 x=1` as number 1",
        "n4 executes `c2.1 y=2` as number 1",
    ]
    places = [told.index(headline) for headline in wanted]
    assert places == sorted(places)


def test_a_view_change_is_told_by_who_asks_who_begins_and_who_enters() -> None:
    """Once each, in this order."""
    told = [plain_text(headline) for headline in told_of_liars("PRIMARY_CRASHES")]
    places = [told.index(f"n2 {what} view 1") for what in ("asks for", "begins")] + [told.index("n3 enters view 1")]
    assert places == sorted(places) and not any("term" in headline for headline in told)
