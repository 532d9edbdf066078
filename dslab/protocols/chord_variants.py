"""Variants of Chord: the rules of 2001, which leave rings that never mend, and mutants with one rule taken out of each.

The docstring of a mutant says what people believe. `Chord2001` is no belief: it is the pseudocode of figure 7 and the
successor list of section V of I. Stoica et al., "Chord", SIGCOMM 2001, in which P. Zave found such rings ("Using
Lightweight Modeling to Understand Chord", ACM SIGCOMM Computer Communication Review 42(2), 2012).
"""

from __future__ import annotations

from . import chord


class DeadPredecessor(chord.Server):
    """Who stops answering need not be forgotten as predecessor: somebody closer will call (as figure 7 has it).

    A server that lies before the dead one never replaces it, so the last living one before the gap is told again and
    again that its successor is the dead one: the ring does not mend. `check_predecessor` of 2003 repairs this.
    """

    catalogue = "S14"

    def on_check_predecessor_timeout(self):
        """There is no such rule in 2001."""


class AdoptsUnseen(chord.Server):
    """Whom the successor names is there, so it becomes the successor at once (as figure 7 has it).

    It may be dead, and takes the place of a living name in the list. Asking it first repairs this.
    """

    catalogue = "S14"

    def consider(self, name):
        self.adopt_list([name, *self.successors])


class JoinsWithOne(chord.Server):
    """To know one's successor is enough to be in the ring (as figure 7 has it).

    If that one fails before the first round of repairs, nothing is left to go on with. To take over the whole list
    of the successor repairs this.
    """

    catalogue = "S14"

    def found_entrance(self, owner):
        self.enter()
        self.adopt_list([owner])


class Chord2001(DeadPredecessor, AdoptsUnseen, JoinsWithOne):
    """The rules of 2001: all three."""


# ---- mutants


class NoWrap(chord.Server):
    """A key belongs to the server with the next higher number (and nobody thinks of the end of the circle)."""

    catalogue = "S13"

    def precedes(self, name, key):
        return self.position < self.position_of(name) < key


class AtTheKey(chord.Server):
    """A server at the key comes before it (instead of owning it)."""

    catalogue = "S13"

    def precedes(self, name, key):
        return super().precedes(name, key) or self.position_of(name) == key


class FingersOnly(chord.Server):
    """Fingers are what finds things, so fingers are what must be repaired (and successors are not)."""

    catalogue = "S14"

    def stabilize(self):
        self.awaited = None
        if self.fresh and self.successors:
            self.notify_successor()


class SuccessorsOnly(chord.Server):
    """The successor is right, so it will do (instead of the last finger before the key)."""

    catalogue = "S14"

    def closest_preceding_node(self, key, avoid=()):
        return next((name for name in self.successors[:1] if name not in avoid and self.precedes(name, key)), self.id)


class NearestFinger(chord.Server):
    """The first finger that leads towards the key is a safe choice (instead of the last before it)."""

    catalogue = "S14"

    def closest_preceding_node(self, key, avoid=()):
        return next((name for _, name in self.fingers
                     if name is not None and name not in avoid and self.precedes(name, key)), self.id)


class Unnoticed(chord.Server):
    """Who knows its successor is in the ring (and need not tell it)."""

    catalogue = "S14"

    def notify_successor(self):
        """Says nothing."""


class FirstComeFirst(chord.Server):
    """Who has a predecessor needs no other (even if somebody joins in between)."""

    catalogue = "S14"

    def notify(self, name):
        self.predecessor = self.predecessor or name


class OneSuccessor(chord.Server):
    """One successor is enough to go round the ring (instead of a list of them)."""

    catalogue = "S14"

    def adopt_list(self, names):
        super().adopt_list(names[:1])


class KeepsItsKeys(chord.Server):
    """Keys stay where they were written (instead of moving to who joins)."""

    catalogue = "S11"

    def owe(self, to, low, high, even_nothing=False):
        items = self.store
        if to == self.predecessor and high == self.position_of(to):
            self.store = {}
        super().owe(to, low, high, even_nothing)
        self.store = items


MUTANTS = (NoWrap, AtTheKey, FingersOnly, SuccessorsOnly, NearestFinger, Unnoticed, FirstComeFirst, OneSuccessor,
           KeepsItsKeys)
