"""Reads EDN, the notation of Clojure's data: keywords and symbols become text, vectors and lists become lists.

Source: R. Hickey, "edn: extensible data notation", https://github.com/edn-format/edn. Left out: arbitrary precision of
decimals, and what tags mean: the value behind a tag is read, the tag is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .history import HistoryError, hashable

BLANK = re.compile(r"(?:[\s,]+|;[^\n]*|#!/[^\n]*)*")
TOKEN = re.compile(r"""[^\s,;()\[\]{}"]+""")
TEXT = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
INTEGER = re.compile(r"[+-]?\d+N?")
DECIMAL = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?M?")
ENDS = {"(": ")", "[": "]", "{": "}", "#{": "}"}
WORDS: dict[str, Any] = {"nil": None, "true": True, "false": False}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
CHARACTERS = {"newline": "\n", "space": " ", "tab": "\t", "return": "\r"}
DEEPEST = 100               # collections, tags and the like within each other
LONGEST = 4_000             # digits of a number


class Edn:
    """A text in EDN, read from the front.

    Args:
        text: what to read.
        line: number of its first line, for errors.
    """

    def __init__(self, text: str, line: int = 1) -> None:
        self.text, self.place, self._line, self._counted = text, 0, line, 0
        self.depth = 0

    @property
    def line(self) -> int:
        """The line of what comes next."""
        self._line += self.text.count("\n", self._counted, self.place)
        self._counted = self.place
        return self._line

    def opens(self) -> str | None:
        """What the next form begins with: "(", "[", "{", "#{", another character, or None at the end."""
        self._skip()
        return "#{" if self.text.startswith("#{", self.place) else self.text[self.place:self.place + 1] or None

    def forms(self, end: str | None = None) -> Iterator[tuple[int, Any]]:
        """All forms up to the bracket `end`, or to the end of the text: (line, value)."""
        while (opening := self.opens()) != end:
            if opening is None:
                raise self.error(f"it ends before a closing {end}")
            line = self.line
            yield line, self.value()
        self.place += len(end or "")

    def enter(self) -> str:
        """Goes into a collection; returns the bracket that ends it."""
        opening = self.opens() or ""
        self.place += len(opening)
        return ENDS[opening]

    def value(self) -> Any:
        """The next value."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"more than {DEEPEST} brackets or tags are open")
        value = self._form()
        self.depth -= 1
        return value

    def _form(self) -> Any:
        opening = self.opens()
        if opening is None:
            raise self.error("it ends where a value should be")
        if opening in ENDS:
            return self._collection(opening)
        if opening == '"':
            found = TEXT.match(self.text, self.place)
            if found is None:
                raise self.error('a text has no closing "')
            self.place = found.end()
            return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _unescaped, found[1], flags=re.DOTALL)
        if opening in ")]}":
            raise self.error(f"a closing {opening} without an opening one")
        return self._atom()

    def _collection(self, opening: str) -> Any:
        line = self.line
        items = [value for _, value in self.forms(self.enter())]
        if opening == "#{":
            return frozenset([hashable(item) for item in items])
        if opening != "{":
            return items
        if len(items) % 2:
            raise HistoryError(f"line {line}: a map has a key without a value")
        return {hashable(key): value for key, value in zip(items[::2], items[1::2])}

    def _atom(self) -> Any:
        found = TOKEN.match(self.text, self.place)
        assert found is not None          # every other character is a bracket, a quote or blank
        token = found[0]
        self.place = found.end()
        if token.startswith("#"):
            if token.startswith("#_"):
                self.place = found.start() + 2
                self.value()
                return self.value()
            if token in ("##Inf", "##-Inf", "##NaN"):
                return float(token[2:].lower())
            return self.value()                                    # a tag
        if token.startswith("^"):                                  # metadata
            self.place = found.start() + 1
            self.value()
            return self.value()
        if token.startswith("\\"):
            return CHARACTERS.get(token[1:], token[1:2] or self.text[self.place - 1:self.place])
        if token.startswith(":"):
            return token[1:]
        if INTEGER.fullmatch(token):
            if len(token) > LONGEST:
                raise self.error(f"a number has more than {LONGEST} digits")
            return int(token.rstrip("N"))
        if DECIMAL.fullmatch(token):
            return float(token.rstrip("M"))
        return WORDS.get(token, token)

    def _skip(self) -> None:
        """Passes over blanks, comments and what `#_` discards before the end of a collection."""
        while True:
            self.place = BLANK.match(self.text, self.place).end()  # type: ignore[union-attr]  # it matches nothing too
            if not self.text.startswith("#_", self.place):
                return
            self.place += 2
            self.value()

    def error(self, what: str) -> HistoryError:
        """What is wrong at this place."""
        return HistoryError(f"line {self.line}: this is not EDN: {what}")


def _unescaped(found: re.Match[str]) -> str:
    sign = found[1]
    return chr(int(sign[1:], 16)) if sign[0] == "u" and len(sign) == 5 else ESCAPES.get(sign, sign)


def read_edn(text: str) -> Any:
    """The first value in a text.

    Raises:
        HistoryError: it is not EDN; says on which line.
    """
    return Edn(text).value()
