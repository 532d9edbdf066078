"""Deletes that do not come back: a certificate of death replaces what was deleted, and can be forgotten after a while.

Source: A. Demers et al., "Epidemic Algorithms for Replicated Database Maintenance", PODC 1987, section 2. A certificate
is an entry without a value, which spreads like any other. After `keep` ms sites drop it, but for a few, drawn when it
is made, where it stays dormant: it is not sent any more, until a site turns up with the old entry; then it is
activated and spreads again. Activating changes the certificate's own time, not the stamp of what it deletes, so newer
values live.
Left out: dropping dormant certificates at last (the paper's second threshold).
"""

from __future__ import annotations

from .anti_entropy import PushPull, newer

KEEP = 1_000                     # ms
RETAINING = 1                    # how many sites keep a dormant certificate


class Site(PushPull):
    """Push-pull anti-entropy with certificates [stamp, None, activated, sites that retain it]."""

    durable = {**PushPull.durable, "dormant": {}, "ends": {}}
    shows = (*PushPull.shows, "dormant")
    keep = KEEP
    retaining = RETAINING

    def change(self, key, value):
        if value is not None:
            return super().change(key, value)
        sites = self.random.sample(sorted([self.id, *self.peers]), self.retaining)
        self.take({key: [[self.clock + 1, self.id], None, 0, sorted(sites)]})
        return "ok"

    def take(self, entries):
        """As everywhere; but an old entry meets the certificates that sleep here, and wakes them."""
        woken = {}
        for key, entry in entries.items():
            grave = self.dormant.get(key)
            if grave is not None and not newer(entry, grave):
                woken[key] = [*grave[:2], grave[2] + 1, grave[3]]
        fresh = super().take({key: entry for key, entry in {**entries, **woken}.items() if self.outlives(key, entry)})
        for key in fresh:
            self.dormant.pop(key, None)
            if self.store[key][1] is None:
                self.ends[key] = self.now + self.keep
        return fresh

    def outlives(self, key, entry):
        """Whether an entry is newer than the certificate that sleeps here, or is that certificate, activated."""
        grave = self.dormant.get(key)
        return grave is None or newer(entry, grave) or entry[1] is None and entry[2] > grave[2]

    def on_cycle_timeout(self):
        for key in [key for key, end in self.ends.items() if end <= self.now]:
            del self.ends[key]
            if self.store.get(key, [0, 0])[1] is None:
                grave = self.store.pop(key)
                if self.id in grave[3]:
                    self.dormant[key] = grave
        super().on_cycle_timeout()


class Forgetful(Site):
    """Once all have heard of a delete, its certificate can go (instead of sleeping where it is retained)."""

    catalogue = "S19"
    retaining = 0


class Erasing(PushPull):
    """To delete an entry is to take it out of the store (instead of putting a certificate in its place)."""

    catalogue = "S19"

    def change(self, key, value):
        if value is not None:
            return super().change(key, value)
        self.store.pop(key, None)
        return "ok"


MUTANTS = (Forgetful, Erasing)
