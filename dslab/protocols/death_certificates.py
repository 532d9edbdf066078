"""Deletes that do not come back: a certificate of death replaces what was deleted, and can be forgotten after a while.

Source: A. Demers et al., "Epidemic Algorithms for Replicated Database Maintenance", PODC 1987, section 2. A certificate
is an entry without a value, which spreads like any other. `keep` ms after it was made sites drop it, but for a few,
drawn when it is made, where it stays dormant: it is not sent any more, until a site turns up with the old entry; then
it is activated and spreads again. Activating changes the certificate's own time, not the stamp of what it deletes, so
newer values live. Sites that have dropped it may show the old entry until the activated one reaches them.
Left out: dropping dormant certificates at last (the paper's second threshold). Clocks are taken to be about right.
"""

from __future__ import annotations

from .anti_entropy import PushPull, newer
from .anti_entropy_properties import deletes_last, one_value_per_stamp

KEEP = 1_000                     # ms
RETAINING = 2                    # how many sites keep a dormant certificate; one of them may be away when it spreads


class Site(PushPull):
    """Push-pull anti-entropy with certificates [stamp, None, activated (ms), sites that retain it]."""

    durable = {**PushPull.durable, "dormant": {}}
    shows = (*PushPull.shows, "dormant")
    promises = (one_value_per_stamp, deletes_last)
    keep = KEEP
    retaining = RETAINING

    def change(self, key, value):
        if value is not None:
            return super().change(key, value)
        sites = self.random.sample(sorted([self.id, *self.peers]), self.retaining)
        self.take({key: [[self.clock + 1, self.id], None, int(self.now), sorted(sites)]})
        return "ok"

    def take(self, entries):
        """As everywhere; but an old entry wakes the certificate that sleeps here, and what has expired is not news."""
        fresh = {}
        for key, entry in entries.items():
            grave = self.dormant.get(key)
            if grave is not None and entry[1] is not None and not newer(entry, grave):
                entry = [grave[0], None, int(self.now), grave[3]]
            elif not self.is_news(key, entry, grave):
                continue
            self.dormant.pop(key, None)
            fresh[key] = entry
        return super().take(fresh)

    def is_news(self, key, entry, grave):
        known = grave or self.store.get(key)
        if entry[1] is None and self.expired(entry) and (known is None or known[1] is None):
            return False                                 # but who still shows the value must hear of it
        return newer(entry, known) or grave is not None and entry[0] == grave[0]

    def expired(self, certificate):
        return certificate[2] + self.keep <= self.now

    def on_cycle_timeout(self):
        for key in [key for key, entry in self.store.items() if entry[1] is None and self.expired(entry)]:
            grave = self.store.pop(key)
            if self.id in grave[3]:
                self.dormant[key] = grave
        super().on_cycle_timeout()


class Forgetful(Site):
    """Once all have heard of a delete, its certificate can go (instead of sleeping where it is retained)."""

    retaining = 0


class Erasing(PushPull):
    """To delete an entry is to take it out of the store (instead of putting a certificate in its place)."""

    def change(self, key, value):
        if value is not None:
            return super().change(key, value)
        self.store.pop(key, None)
        return "ok"


MUTANTS = (Forgetful, Erasing)
