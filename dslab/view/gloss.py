"""What a message is: its class, which decides its shape on the stage, and a sentence in plain language."""

from __future__ import annotations

import re
from typing import Any

from dslab.sim import Message, MessageRecord

from .scene import Reading, term_of
from .words import in_words, payload, shorten

ANSWERS = re.compile(r"(Reply|Response|Result|Ack|Acknowledged|Answer|Pong)$")
PLACE = re.compile(r"\{(\w+)\}")       # in a docstring that is a template
BRACE = re.compile(r"[{}]")             # one that is not
TERM_FIELD = re.compile(r"(^|_)(term|view|epoch)$")
WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def reply_types(reading: Reading) -> frozenset[str]:
    """Message types that answer others.

    A type is one if its first message went back to the sender of the message that was just being handled.
    """
    events, messages = reading.events, reading.messages
    answers: dict[str, bool] = {}
    for record in messages:
        if record.type in answers:
            continue
        event = None if record.sent_event is None else events[record.sent_event]
        if event is not None and event.kind == "write" and event.cause is not None:
            event = events[event.cause]  # what a node saved before it answered
        heard = None if event is None or event.message is None else messages[event.message]
        answers[record.type] = bool(ANSWERS.search(record.type)) or (
            heard is not None
            and heard.source == record.target
            and heard.type != record.type
            and not answers.get(heard.type)
        )
    return frozenset(name for name, is_answer in answers.items() if is_answer)


def message_class(record: MessageRecord, answers: frozenset[str]) -> tuple[str, int]:
    """The class and the term that a message's glyph shows.

    Args:
        record: the message.
        answers: types that are replies, from `reply_types`.

    Returns:
        ("request" | "reply" | "yes" | "no" | "heartbeat" | "entry" | "forged", term or 0).
    """
    fields = record.fields
    term = term_of(fields)
    if record.forged:
        return "forged", term
    entries = fields.get("entries")
    if isinstance(entries, list):
        return ("entry", term_of(entries[-1]) or term) if entries else ("heartbeat", term)
    if record.type in answers:
        flags = [value for value in fields.values() if isinstance(value, bool)]
        return ("reply" if len(flags) != 1 else "yes" if flags[0] else "no"), term
    return ("heartbeat" if "heartbeat" in record.type.lower() else "request"), term


class Glosses:
    """Sentences for messages, made from the docstrings of their classes."""

    def __init__(self, reading: Reading) -> None:
        self._templates = glossary(reading)
        self._made: dict[Any, str] = {}

    def of(self, record: MessageRecord, fields: str) -> str:
        """The sentence for a message whose fields have the given repr; equal messages share it."""
        key = (record.type, record.source, record.target, fields)
        sentence = self._made.get(key)
        if sentence is None:
            sentence = self._made[key] = gloss(record, self._templates.get(record.type, ""))
        return sentence


def glossary(reading: Reading) -> dict[str, str]:
    """{message type: first line of its docstring}, for types whose class is at hand."""
    found: dict[str, str] = {}
    for raw in reading.trace._messages:
        if isinstance(raw[2], Message) and type(raw[2]).__name__ not in found:
            found[type(raw[2]).__name__] = (type(raw[2]).__doc__ or "").strip().partition("\n")[0]
    return found


def gloss(record: MessageRecord, template: str = "") -> str:
    """The sentence for one message.

    Args:
        record: the message.
        template: text with {source}, {target} and field names in braces; empty for a list of all fields.
    """
    words = {name: _word(name, value) for name, value in record.fields.items()}
    words.update(source=record.source, target=record.target)
    literal, *rest = PLACE.split(template)
    known = all(name in words for name in rest[::2])
    if template and known and not any(BRACE.search(part) for part in (literal, *rest[1::2])):
        filled = [text for name, after in zip(rest[::2], rest[1::2]) for text in (words[name], after)]
        return "".join([literal, *filled]).rstrip(".") + "."  # no str.format: the text may be a student's
    fields = ", ".join(f"{name.replace('_', ' ')} {words[name]}" for name in record.fields)
    return f"{record.source} sends {record.target} {record.type}" + (f": {fields}." if fields else ".")


def _word(name: str, value: Any) -> str:
    if TERM_FIELD.search(name) and isinstance(value, int) and value > 0:
        return f"{{term:{value}}}"
    if isinstance(value, list) and all(isinstance(item, dict) and "@" in item for item in value):
        if not value:
            return "nothing"
        noun = " ".join(WORD.split(value[0]["@"])).lower()
        if len(value) == 1:
            return f"1 {noun} (`{payload(value[0])}`)"
        return f"{len(value)} {noun[:-1] + 'ies' if noun.endswith('y') else noun + 's'}"
    if name in ("command", "value", "result", "key") and value is not None:
        return f"`{shorten(in_words(value), 24)}`"
    return shorten(in_words(value), 60)


def short_name(record: MessageRecord) -> str:
    """ "n2's vote", "n1's `RequestVote`": a message in a few words."""
    plain = len(WORD.split(record.type)) == 1
    return f"{record.source}'s " + (record.type.lower() if plain else f"`{record.type}`")
