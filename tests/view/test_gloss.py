"""Messages in words and shapes."""

from __future__ import annotations

from typing import Any

import pytest

from dslab.protocols import raft
from dslab.sim import MessageRecord, simulate
from dslab.view import read
from dslab.view.gloss import gloss, message_class, reply_types, short_name


def record(kind: str, **fields: Any) -> MessageRecord:
    return MessageRecord(0, "n1", "n3", kind, fields, 0, 0, 0, None, None, "in flight", None)


ENTRY = {"@": "Entry", "term": 2, "command": "x=8", "client": "c1", "number": 1}


@pytest.mark.parametrize(
    ("kind", "fields", "shape"),
    [
        ("AppendEntries", {"term": 3, "entries": []}, ("heartbeat", 3)),
        ("AppendEntries", {"term": 3, "entries": [ENTRY]}, ("entry", 2)),
        ("Vote", {"term": 3, "granted": True}, ("yes", 3)),
        ("Vote", {"term": 3, "granted": False}, ("no", 3)),
        ("Ack", {}, ("reply", 0)),
        ("RequestVote", {"term": 3}, ("request", 3)),
        ("Heartbeat", {}, ("heartbeat", 0)),
    ],
)
def test_a_messages_shape_follows_from_its_fields(
    kind: str, fields: dict[str, Any], shape: tuple[str, int]
) -> None:
    """Heartbeat or entry by what it carries, plus or minus by its one yes-or-no field."""
    assert message_class(record(kind, **fields), frozenset({"Vote", "Ack"})) == shape


def test_replies_are_known_by_what_caused_them() -> None:
    """A type whose first message answered the one just handled is a reply, also after a disk write."""
    trace = simulate(
        raft.cluster(5), seed=7, until=1500, schedule=[{"at": 500, "do": "request", "command": "x=1"}]
    )
    assert reply_types(read(trace)) == {"Vote", "Appended", "ClientReply"}


def test_the_docstring_of_a_message_becomes_a_sentence() -> None:
    """Terms and commands are marked up, lists of entries counted."""
    template = "{source} asks {target} to append {entries} in term {term}."
    assert (
        gloss(record("A", term=3, entries=[ENTRY]), template)
        == "n1 asks n3 to append 1 entry (`x=8`) in term {term:3}."
    )
    assert (
        gloss(record("A", term=3, entries=[ENTRY] * 2), template)
        == "n1 asks n3 to append 2 entries in term {term:3}."
    )
    assert (
        gloss(record("A", term=3, entries=[]), template) == "n1 asks n3 to append nothing in term {term:3}."
    )


def test_without_a_usable_docstring_the_fields_are_listed() -> None:
    """No docstring, or one whose braces mean something else, is no obstacle."""
    listed = "n1 sends n3 Hint: at index 4, ok yes."
    assert gloss(record("Hint", at_index=4, ok=True)) == listed
    for template in ("a set {1, 2}", "{nobody}", "{", "{source.nothing}"):
        assert gloss(record("Hint", at_index=4, ok=True), template) == listed


def test_a_message_is_called_by_a_short_name() -> None:
    """One word in plain language, more words as code."""
    assert (
        short_name(record("Vote")) == "n1's vote"
        and short_name(record("RequestVote")) == "n1's `RequestVote`"
    )


def test_a_docstring_is_filled_in_and_nothing_more():
    """No widths, attributes or indexes: it may be a student's, and the page is made in the grader's process."""
    from dslab.sim.trace import MessageRecord
    from dslab.view.gloss import gloss

    record = MessageRecord(0, "n1", "n2", "Ping", {"number": 3}, None, 0, 1, None, None, "in flight", None)
    assert gloss(record, "{source} pings {target} ({number})") == "n1 pings n2 (3)."
    for template in ("{source:>900000000}", "{source.__class__}", "{number!r:<99999999}", "{0}", "{", "}}", "{other}"):
        assert gloss(record, template) == "n1 sends n2 Ping: number 3."
