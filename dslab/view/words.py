"""Words: markup, lengths, and values as a student would write them."""

from __future__ import annotations

import re
from typing import Any

HEADLINE, REASON = 45, 75
MARKUP = re.compile(r"\{term:(\d+)\}|`([^`]*)`")
NODE = re.compile(r"[a-z]+\d+")
EMPTY = '""'
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

Said = tuple[str, str]


def plain_text(text: str) -> str:
    """A narrated text without its markup."""
    return MARKUP.sub(lambda m: m[1] or m[2] or "", text)


def fit(most: int, *choices: str) -> str:
    """The first choice that is short enough, or the last one cut at a word."""
    for text in choices:
        if len(plain_text(text)) <= most:
            return text
    words, kept = plain_text(choices[-1]).split(" "), ""
    for word in words:
        if len(kept) + len(word) + 2 > most:
            break
        kept += word + " "
    return kept.rstrip(" ,;:") + "…"


def say(headline: Any, reason: Any) -> Said:
    """A headline and a reason; either may be a tuple of choices, best first."""
    headlines = headline if isinstance(headline, tuple) else (headline,)
    reasons = reason if isinstance(reason, tuple) else (reason,)
    return fit(HEADLINE, *headlines), fit(REASON, *reasons)


def payload(entry: Any) -> str:
    """What a log entry says, in a few characters."""
    if isinstance(entry, dict) and entry.get("command", entry) is None:
        return "no-op"
    value = entry.get("command", entry.get("value")) if isinstance(entry, dict) else entry
    if isinstance(value, dict) and "@" in value:
        return shorten(str(value["@"]), 16)
    return shorten(value if isinstance(value, str) else plain_value(value), 16)


def plain_value(value: Any) -> str:
    """A value as a student would write it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "[" + ", ".join(map(plain_value, value)) + "]"
    if isinstance(value, dict):
        inner = ", ".join(f"{key}={plain_value(item)}" for key, item in value.items() if key != "@")
        return f"{value['@']}({inner})" if "@" in value else "{" + inner + "}"
    return str(value)


def in_words(value: Any) -> str:
    """A value inside a sentence: "x=1, y=2" for a table, "2 of n1" for the stamp [2, "n1"], "nothing" if empty."""
    if isinstance(value, list) and len(value) == 2 and type(value[0]) is int and NODE.fullmatch(str(value[1])):
        return f"{value[0]} of {value[1]}"
    if value == [0, ""]:
        return "none"
    if isinstance(value, list):
        names = value and all(isinstance(item, str) and item for item in value)
        inner = ", ".join(map(_inside, value))
        return inner if names else f"[{inner}]" if value else "nothing"
    if isinstance(value, dict) and "@" not in value:
        return ", ".join(f"{key or EMPTY}={_inside(item)}" for key, item in value.items()) or "nothing"
    if isinstance(value, dict) and "command" in value:
        return payload(value)
    return plain_value(value)


def _inside(value: Any) -> str:
    """A value inside another: with brackets where one could not see where it ends."""
    text = in_words(value) or EMPTY
    if isinstance(value, dict) and value and "@" not in value:
        return f"({text})"
    return f"[{text}]" if isinstance(value, list) and ", " in text and text[0] != "[" else text


def shorten(text: str, most: int) -> str:
    """A text cut to a number of characters, the last of which then is an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def number_word(n: int) -> str:
    """ "three" for 3; digits beyond ten."""
    return NUMBERS[n] if 0 <= n < len(NUMBERS) else str(n)


def listed(items: list[str]) -> str:
    """ "n1, n2 and n3"."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""
