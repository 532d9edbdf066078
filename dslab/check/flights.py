"""The messages in flight, as bits of a state: one for each message, and one for each further copy of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dslab.sim import Message

from .frozen import freeze
from .steps import Flight


class Flights:
    """Numbers for messages, and bits for their copies in flight.

    Args:
        index: {node: its number}.
        shift: where the bits begin in a state.
        kept: whether what was sent once may arrive again and again, so that nothing is ever taken away.

    Attributes:
        messages: all different messages, by number.
        by_bit: {bit: (what the arrival does, by the state of its receiver; the receiver's number; bits of further
            copies; ("deliver", number of the message); bit where it stands in a state)}; the bits without the shift.
    """

    def __init__(self, index: Mapping[str, int], shift: int, kept: bool) -> None:
        self.index, self.shift, self.kept = index, shift, kept
        self.messages: list[Flight] = []
        self.by_bit: dict[int, tuple[dict[int, Any] | None, int, int, tuple[str, int], int]] = {}
        self._bits: list[list[int]] = []               # of each message: those of its copies
        self._numbers: dict[Any, int] = {}

    def number(self, source: str, target: str, m: Message) -> int:
        """The number of a message from one node to another."""
        key = source, target, freeze(m)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.messages)
            self.messages.append((source, target, m))
            self._bits.append([])
            self._new_copy(number)
        return number

    def _new_copy(self, number: int) -> int:
        """One more bit for a message, for one more copy of it in flight."""
        small, bits, kind = 1 << len(self.by_bit), self._bits[number], ("deliver", number)
        bit = small << self.shift
        bits.append(bit)
        if len(bits) == 1:
            self.by_bit[small] = ({}, self.index[self.messages[number][1]], 0, kind, bit)
        else:
            table, i, more, _, first = self.by_bit[bits[0] >> self.shift]
            self.by_bit[bits[0] >> self.shift] = (table, i, more | bit, kind, first)
            self.by_bit[small] = (None, i, 0, kind, bit)         # the first copy speaks for all
        return bit

    def send(self, state: int, sent: tuple[int, ...]) -> int:
        """The state with more messages in flight."""
        for number in sent:
            bits = self._bits[number]
            if self.kept:
                state |= bits[0]
                continue
            bit = next((bit for bit in bits if not state & bit), None)
            state |= self._new_copy(number) if bit is None else bit
        return state

    def take(self, state: int, number: int) -> int:
        """The state with one copy of a message less."""
        if self.kept:
            return state
        return state ^ next(bit for bit in reversed(self._bits[number]) if state & bit)

    def of(self, state: int) -> Iterator[int]:
        """The numbers of the messages in flight, once for each copy."""
        net = state >> self.shift
        while net:
            bit = net & -net
            net ^= bit
            yield self.by_bit[bit][3][1]
