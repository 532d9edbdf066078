"""PBFT's view change: when the primary fails, the next one takes over what may have been committed.

Source: Castro, Liskov, "Practical Byzantine Fault Tolerance", OSDI 1999, sections 4.4 and 4.5.2.
A certificate stands for the messages that it is made of: with signatures, nobody can make one up.
"""

from __future__ import annotations

from dslab.sim import Node, message

NULL = "null"       # digest of the request that does nothing


@message
class Stable:
    """A checkpoint with its proof: a quorum sent this digest for this number."""

    sequence: int
    digest: str


@message
class Prepared:
    """A certificate: the pre-prepare of a request and a quorum's prepares for it, in one view."""

    view: int
    sequence: int
    digest: str
    request: object      # [client, number, command], None for the null request


@message
class Proposal:
    """What the new primary proposes for a number: a pre-prepare in the new view."""

    sequence: int
    digest: str
    request: object


@message
class ViewChange:
    """{replica} wants to go to view {view}."""

    view: int
    stable: Stable
    prepared: list[Prepared]
    replica: str


@message
class NewView:
    """{source} begins view {view} with {proposals}."""

    view: int
    proofs: list[ViewChange]
    proposals: list[Proposal]


class ViewChanges(Node):
    """The part of a replica that changes views (sections 4.4 and 4.5.2)."""

    def start_view_changes(self):
        self.wanted = {}                     # view -> {replica: its ViewChange}
        self.patience = self.view_change_timeout
        self.waits = False                   # whether the timer runs because of a request
        self.company = False                 # whether a quorum wants to leave the view before this one
        if self.changing:
            self.demand_view()
        for sequence, slot in self.slots.items():
            if sequence > self.last_executed and slot["request"] is not None:
                self.pending[slot["digest"]] = slot["request"]
                self.wait_for_progress()

    # ---- when to change (section 4.5.2)

    def wait_for_progress(self):
        """A backup that waits for a request lets its timer run."""
        if not self.changing and not self.waits and self.primary != self.id:
            self.waits = True
            self.set_timer("view_change", after=self.patience)

    def made_progress(self):
        self.patience = self.view_change_timeout
        self.cancel_timer("view_change")
        self.waits = False
        if self.pending:
            self.wait_for_progress()

    def on_view_change_timeout(self):
        if self.changing and not self.company:
            self.demand_view()               # alone, going on to yet another view would only lead away from the others
        else:
            self.ask_for_view(self.view + 1)

    def ask_for_view(self, view):
        self.view, self.changing, self.waits, self.company = view, True, False, False
        self.patience *= 2                   # the next view gets twice as long, so that in the end one is long enough
        self.demand_view()

    def demand_view(self):
        mine = ViewChange(self.view, self.stable, self.certificates(), self.id)
        self.set_timer("view_change", after=self.patience)
        self.broadcast(mine)
        self.note_view_change(mine)

    # ---- what to take along (section 4.4)

    def keep_certificate(self, sequence, slot):
        self.prepared[sequence] = Prepared(self.view, sequence, slot["digest"], slot["request"])

    def certificates(self):
        """P: what prepared here after the last stable checkpoint, each in its latest view."""
        return [self.prepared[sequence] for sequence in sorted(self.prepared)]

    def on_view_change(self, sender, m):
        if m.replica == sender and m.view >= self.view and is_sound(m):
            self.note_view_change(m)

    def note_view_change(self, m):
        self.wanted.setdefault(m.view, {}).setdefault(m.replica, m)
        newest = {replica: view for view, asked in sorted(self.wanted.items()) if view >= self.view
                  for replica in asked}
        ahead = {replica: view for replica, view in newest.items() if view > self.view}
        if self.changing and not self.company and len(newest) >= self.quorum:
            self.company = True              # from now on it is the new primary's turn
            self.set_timer("view_change", after=self.patience)
        if len(ahead) >= self.weak:          # at least one loyal replica has lost patience: join, however early
            self.ask_for_view(min(ahead.values()))
        elif self.changing and self.primary == self.id and len(self.wanted.get(self.view, {})) >= self.quorum:
            self.begin_view()

    def begin_view(self):
        """The new primary has heard a quorum: one loyal replica in it knows of every request that was committed."""
        proofs = [self.wanted[self.view][replica] for replica in sorted(self.wanted[self.view])]
        proposals = proposals_from(proofs)
        self.broadcast(NewView(self.view, proofs, proposals))
        self.enter_view(proofs, proposals)
        self.propose()

    def on_new_view(self, sender, m):
        starts = m.view > self.view or (m.view == self.view and self.changing)
        if starts and sender == self.primary_of(m.view) and self.justified(m):
            self.view = m.view
            self.enter_view(m.proofs, m.proposals)

    def justified(self, m):
        """A quorum asked for this view, and what is proposed follows from what they said."""
        replicas = {proof.replica for proof in m.proofs if isinstance(proof, ViewChange)
                    and proof.view == m.view and is_sound(proof)}
        return len(m.proofs) == len(replicas) >= self.quorum and list(m.proposals) == proposals_from(m.proofs)

    def enter_view(self, proofs, proposals):
        """Starts over with every number after the last stable checkpoint of the proofs."""
        self.changing = self.waits = False
        self.cancel_timer("view_change")
        self.wanted = {view: asked for view, asked in self.wanted.items() if view > self.view}
        self.slots = {}
        self.truncate(newest_checkpoint(proofs))
        for proposal in proposals:
            if proposal.sequence > self.low_mark:
                self.accept(proposal.sequence, proposal.digest, proposal.request)
        early, self.early = self.early, []
        for sender, m in early:
            getattr(self, self.message_handler(type(m), self.id, sender))(sender, m)
        for sequence in list(self.slots):
            if sequence in self.slots and self.slots[sequence]["state"] == "pre-prepared":
                self.advance(sequence) if self.primary == self.id else self.prepare(sequence)
        if self.pending:
            self.wait_for_progress()


def is_sound(m):
    """Whether a view change is what a loyal replica could send: certificates of earlier views, above its checkpoint."""
    return isinstance(m.stable, Stable) and all(
        isinstance(p, Prepared) and p.view < m.view and p.sequence > m.stable.sequence for p in m.prepared)


def newest_checkpoint(proofs):
    """The stable checkpoint with the highest number among view changes (min-s of section 4.4)."""
    return max((proof.stable for proof in proofs), key=lambda stable: stable.sequence)


def proposals_from(proofs):
    """O: for each number after the newest checkpoint the request prepared in the latest view, or the null request."""
    latest = {}
    for certificate in [p for proof in proofs for p in proof.prepared]:
        if certificate.sequence not in latest or certificate.view > latest[certificate.sequence].view:
            latest[certificate.sequence] = certificate
    first = newest_checkpoint(proofs).sequence + 1
    return [Proposal(s, latest[s].digest, latest[s].request) if s in latest else Proposal(s, NULL, None)
            for s in range(first, max(latest, default=0) + 1)]
