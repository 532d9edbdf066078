"""Rumours: who has heard something new tells it to others at random, until it meets too many who knew.

Source: A. Demers et al., "Epidemic Algorithms for Replicated Database Maintenance", PODC 1987, section 1.4. Variants:
with feedback (only contacts who knew make a site lose interest) or blind; by a counter (after k of them) or by a coin
(each time with probability 1/k). Cycles begin at the same time everywhere, as in the paper's simulations, and who heard
of a rumour in this cycle counts as not having known; a contact that did not know sets the counter to 0 again. The
residue, the share of sites that never hear, is about e**-m, where m is how many messages a site sends on average.
Left out: connection limits, hunting, minimisation, and anti-entropy as a backup (see anti_entropy).
"""

from __future__ import annotations

from dslab.sim import message

from .anti_entropy import Site

CYCLE = 100                      # ms; more than two messages and a durable write take


@message
class Rumour:
    """{source} tells {target}: {entries}."""

    entries: dict


@message
class Knew:
    """{source} tells {target} which of that it knew before: {knew}."""

    knew: dict


@message
class AskRumours:
    """{source} asks {target} whether there is anything new."""


class Push(Site):
    """Tells what it is still interested in to one site a cycle; feedback and counter."""

    shows = ("store", "hot", "sent_rumours")
    cycle = (CYCLE, CYCLE)
    feedback = True              # whether it learns that the other knew
    counter = True               # whether it counts up to k; else it tosses a coin
    k = 3

    def on_start(self):
        self.hot = {}                                    # key -> useless contacts so far
        self.heard = {}                                  # key -> cycle in which it was heard
        self.cycles = self.sent_rumours = 0
        super().on_start()

    def take(self, entries):
        fresh = super().take(entries)
        for key in fresh:
            self.hot[key], self.heard[key] = 0, self.cycles
        return fresh

    def on_cycle_timeout(self):
        self.cycles += 1
        super().on_cycle_timeout()

    def contact(self, partner):
        if self.hot:
            self.tell(partner)

    def tell(self, partner):
        keys = list(self.hot)
        self.sent_rumours += len(keys)
        self.send(partner, Rumour({key: self.store[key] for key in keys}))
        if not self.feedback:
            self.loses_interest(keys)

    def on_rumour(self, sender, m):
        knew = {key: key in self.store and self.store[key][0] >= entry[0] and self.heard.get(key, -1) < self.cycles
                for key, entry in m.entries.items()}
        self.take(m.entries)
        if self.feedback:
            self.send(sender, Knew(knew))

    def on_knew(self, sender, m):
        for key, knew in m.knew.items():
            if knew:
                self.loses_interest([key])
            elif key in self.hot and self.counter:
                self.hot[key] = 0

    def loses_interest(self, keys):
        for key in keys:
            if key not in self.hot:
                continue
            self.hot[key] += 1
            if self.hot[key] >= self.k if self.counter else self.random.randrange(self.k) == 0:
                del self.hot[key]


class Pull(Push):
    """Asks one site a cycle what is new; a site that is asked loses interest in cycles in which all who asked knew.

    If one of several who asked did not know, the counter goes back to 0 (the paper's footnote on pull and counters).
    """

    def on_start(self):
        super().on_start()
        self.asked = {}                                  # key -> whether all who asked in this cycle knew

    def on_knew(self, sender, m):
        for key, knew in m.knew.items():
            self.asked[key] = knew and self.asked.get(key, True)

    def on_cycle_timeout(self):
        for key, all_knew in self.asked.items():
            super().on_knew(self.id, Knew({key: all_knew}))
        self.asked = {}
        super().on_cycle_timeout()

    def contact(self, partner):
        self.send(partner, AskRumours())

    def on_ask_rumours(self, sender, m):
        if self.hot:
            self.tell(sender)


class BlindCoin(Push):
    """Tosses a coin after each contact, whatever the other knew."""

    feedback = counter = False


class BlindCounter(Push):
    """Tells k sites, whatever they knew."""

    feedback = False
