# %% [markdown] name="consensus-title"
# # Consensus
#
# Several computers must agree, although any of them may stop, messages get lost, and some may lie. Seven
# parts, each a sitting of half an hour to an hour and a half; each exercise says its own time.
#
# | part | you will | about |
# |---|---|---|
# | [Elections](#elections) | find out why "the highest wins" is not enough | 45 min |
# | [Paxos](#paxos) | write an acceptor, and break one | 90 min |
# | [Why it may never end](#flp) | keep two proposers from deciding, by search | 30 min |
# | [Raft](#raft) | take its rules away, one by one | 80 min |
# | [Raft in four steps](#steps) | build your own, and put it into a storm of faults | 90 min |
# | [Liars](#liars) | count quorums that a traitor cannot split | 50 min |
# | [Real processes](#real) | kill a leader with SIGKILL, yours and etcd's | 40 min |
#
# The first exercise takes two minutes.

# %% name="consensus-setup"
from dslab import ClientReply, Lab, Prediction, judge_schedule, show_source, verify
from dslab.protocols import raft, raft_cases, raft_variants

# %% [markdown] name="raft-majority-statement" tags=["exercise"]
# ## Exercise *raft-majority* (2 minutes)
#
# Most protocols below count answers, and go on when a *majority* has given the same. **Given** the number of
# servers, `n`. **Goal**: `majority(n)` is the smallest number of servers such that two groups of that size
# always share a server. Write it, run the cell, run the check; a wrong answer costs nothing.

# %% name="raft-majority-exercise" tags=["exercise"] points=2
def majority(n):
    """How many of n servers must agree."""
    ### BEGIN SOLUTION
    return n // 2 + 1
    ### END SOLUTION

# %% name="raft-majority-mutant-half" tags=["mutant"] property="One leader per term" catalogue="C32"
def majority(n):
    return n // 2

# %% name="raft-majority-mutant-rounded" tags=["mutant"] property="One leader per term" catalogue="C32"
def majority(n):
    return (n + 1) // 2

# %% name="raft-majority-mutant-all" tags=["mutant"] property="Requests are answered" catalogue="C35"
def majority(n):
    return n

# %% name="raft-majority-mutant-all-but-one" tags=["mutant"] property="Requests are answered" catalogue="C35"
def majority(n):
    return max(2, n - 1)

# %% name="raft-majority-mutant-three-quarters" tags=["mutant"] property="Requests are answered" catalogue="C35"
def majority(n):
    return 3 * n // 4

# %% name="raft-majority-check" tags=["check"] points=2 title="Counts a majority"
verify("raft-majority", majority, raft_variants.counting, like=raft.cluster,
       cases=raft_cases.MAJORITY, minutes=2)

# %% [markdown] name="election-why" tags=["why"]
# <a id="elections"></a>
# ## Elections
#
# On 21 October 2018 GitHub's main data centre, in the east of the USA, was cut off for 43 seconds. A failover
# program promoted databases on the west coast; the ones in the east had already accepted writes that had not
# been copied. When the link came back, each side held writes that the other had never seen, and neither could
# be thrown away. Repairing it took 24 hours and 11 minutes.
#
# Two leaders, each sure of itself. How would *you* have several servers choose one? Note down a rule before
# you go on; the next three are what people propose first.

# %% name="election-setup"
from dslab.protocols import bully, bully_cases, bully_epochs, highest_id, ring, ring_cases, ring_questions, ring_steps

# %% [markdown] name="election-predict-task" tags=["predict"]
# ### Predict
#
# *Bully* (Garcia-Molina 1982): who misses the leader asks all servers with higher numbers whether they live.
# If none answers in time, it leads and tells the others. The lab stays locked until you have chosen an
# answer, said how sure you are and pressed *Record prediction*; then play it on. Each leader has something
# written to the *store*, the sixth server: who should have been stopped, and by whom?

# %% name="election-predict-bully" tags=["predict"]
case = bully_cases.SLOW_ANSWER
Lab(bully_epochs.cluster(5, store=bully_epochs.CarelessStore, clients=2), seed=case.seed, schedule=case.schedule,
    until=case.until, start=20, predict=Prediction(**ring_questions.SLOW_ANSWER), title="The highest wins?")

# %% [markdown] name="election-play-task" tags=["play"]
# ### Play
#
# The simplest rule of all: each server calls its number, waits, and the highest it has heard wins. Make two
# servers lead at once. (A slow link is enough: open *Links*, then *Loss, latency and order of one link*.)

# %% name="election-play" tags=["play"]
Lab(highest_id.cluster(5), seed=3, title="Call your number")

# %% [markdown] name="election-explain-time" tags=["explain"]
# ### How it works
#
# Both rules decide when a timer runs out. That is sound only if every message arrives in time; a slow
# server and a dead one look alike from outside. Where in this code is that assumption?

# %% name="election-explain-time-source" tags=["explain"]
show_source(highest_id.Server.on_decide_timeout, bully.Server.on_answer_timeout)

# %% [markdown] name="election-explain-ring" tags=["explain"]
# **A ring** (Chang and Roberts 1979) needs no clock. Numbers travel in one direction. A number that comes
# back to its owner has passed everybody. Nothing wrong can happen; but if one server or one message is lost,
# it may be that nothing happens at all.

# %% name="election-predict-ring" tags=["predict"]
case = ring_cases.TWO_STARTERS
Lab(ring_cases.stage(6), seed=case.seed, schedule=case.schedule, until=case.until, start=12,
    predict=Prediction(**ring_questions.TWO_STARTERS), title="A ring of six")

# %% name="election-explain-ring-source" tags=["explain"]
show_source(ring.Server.on_election, ring.Server.win)

# %% [markdown] name="ring-pass-statement" tags=["exercise"]
# ### Exercise *ring-pass* (8 minutes)
#
# **Given** the `own` number of a server, a number that it has `received` from its neighbour, which is not
# its own, and whether it is `marked`: its own number, or a higher one, is already on its way. **Goal**:
# `pass_on` returns which number goes on to the next server, or None for nothing. All numbers differ, and a
# message that helps nobody must not be sent.

# %% name="ring-pass-exercise" tags=["exercise"] points=4
def pass_on(own, received, marked):
    """What goes on to the successor."""
    ### BEGIN SOLUTION
    if received > own:
        return received
    return None if marked else own
    ### END SOLUTION

# %% name="ring-pass-mutant-all" tags=["mutant"] property="The highest leads" catalogue="C2"
def pass_on(own, received, marked):
    return received

# %% name="ring-pass-mutant-lowest" tags=["mutant"] property="The highest leads" catalogue="C2"
def pass_on(own, received, marked):
    if received < own:
        return received
    return None if marked else own

# %% name="ring-pass-mutant-mine" tags=["mutant"] property="Requests are answered" catalogue="C2"
def pass_on(own, received, marked):
    return None if marked else own

# %% name="ring-pass-mutant-sleeps" tags=["mutant"] property="Requests are answered" catalogue="C2"
def pass_on(own, received, marked):
    return received if received > own else None

# %% name="ring-pass-mutant-drops-nothing" tags=["mutant"] property="Nothing twice" catalogue="C2"
def pass_on(own, received, marked):
    return max(own, received)

# %% name="ring-pass-check" tags=["check"] points=3 title="The highest number comes round, and no other"
verify("ring-pass", pass_on, ring_steps.passing, like=ring_steps.right, cases=ring_steps.RING, minutes=8)

# %% name="ring-pass-hidden" tags=["hidden"] points=1 title="It does so in rings that you have not seen"
verify("ring-pass", pass_on, ring_steps.passing, like=ring_steps.right, cases=ring_steps.OTHER_RINGS, minutes=8)

# %% [markdown] name="election-reflect" tags=["reflect"]
# ### Reflect
#
# 1. A resource (a disk, a printer) gets orders from n4 and n5, both sure that they lead. What must an order
#    carry so that the resource can tell the older leader from the newer?
# 2. Six servers in a ring, all start. How many messages at most, how many at least? (Count on paper; then
#    play `Lab(ring.cluster(6))` and `Lab(ring.cluster(6, numbers=(6, 5, 4, 3, 2, 1)))` in cells of your own:
#    *Events*, filtered by the kind *deliver*, counts them.)
#
# <details><summary>Compare with these</summary>
#
# 1. A number that grows with every election, such as Raft's term. The resource refuses the smaller one.
# 2. Numbers falling in the direction of travel: 6 + 5 + 4 + 3 + 2 + 1 = 21, and 6 to announce the winner.
#    Rising: each is swallowed at once but the highest, 5 + 6 = 11, and 6 again.
#
# </details>

# %% [markdown] name="election-reading" tags=["reading"]
# ### Reading
#
# - Garcia-Molina, *Elections in a Distributed Computing System* (1982), §3: what it assumes about time.
# - Chang, Roberts, *An Improved Algorithm for Decentralized Extrema-Finding* (1979): three pages, with the
#   count of messages.
# - van Steen, Tanenbaum, *Distributed Systems*, §5.4: both, and elections in networks without a ring.

# %% [markdown] name="paxos-why" tags=["why"]
# <a id="paxos"></a>
# ## Paxos
#
# Chubby, the lock service that much of Google hangs on, is built on Paxos. Its builders wrote in 2007 what
# that took: a page of pseudocode became several thousand lines, and one of the surprises was the disk. A
# replica whose disk loses what it has promised breaks its word without knowing, and one broken promise is
# enough for two values to be "the" value.
#
# The task: some processes propose values, one value is to be *chosen*, never two, whatever crashes or is
# lost. Before you read on: three acceptors, each takes the first value that it hears, two of three decide.
# Find the run in which nobody ever decides.

# %% [markdown] name="paxos-explain-roles" tags=["explain"]
# ### How it works
#
# A *proposer* tries under a *ballot*, a number with its own name in it, so that no two are equal: `[1, "p1"]`
# in code, 1.p1 in text. **Phase 1** (`Prepare`): it asks the *acceptors*, the servers that remember, to
# *promise*: nothing below this ballot any more; and to report what they have accepted last. **Phase 2**
# (`Accept`): when a majority has promised, it asks them to accept a value. A value that a majority has
# accepted under one ballot is chosen. Which value may it ask for? That is the whole art. (Section numbers in
# the code of this part are those of Lamport's *Paxos Made Simple*.)

# %% [markdown] name="paxos-predict-task" tags=["predict"]
# ### Predict
#
# Acceptors a1, a2, a3 (in the second lab a1 to a5); proposers p1, which would like v, and p2, which would
# like w.

# %% name="paxos-setup"
from dslab.protocols import paxos_cases, paxos_questions, paxos_steps, paxos_steps_cases, paxos_variants
from dslab.protocols.paxos import Accepted, Promise

# %% name="paxos-predict-own-mind" tags=["predict"]
case = paxos_cases.OWN_MIND
Lab(paxos_cases.stage(), seed=case.seed, schedule=case.schedule, until=case.until, start=118,
    predict=Prediction(**paxos_questions.OWN_MIND), title="The proposer with its own mind")

# %% name="paxos-predict-commonest" tags=["predict"]
case = paxos_cases.COMMONEST
Lab(paxos_cases.stage(5), seed=case.seed, schedule=case.schedule, until=case.until, start=222,
    predict=Prediction(**paxos_questions.COMMONEST), title="v, v and w")

# %% [markdown] name="paxos-break-first" tags=["explain"]
# Now the same two runs with proposers that believe the wrong answers. One chip turns red: *One value
# chosen*. At which event exactly?

# %% name="paxos-own-mind-broken" tags=["play"]
case = paxos_cases.OWN_MIND
Lab(paxos_cases.stage(proposer=paxos_variants.OwnValueProposer), seed=case.seed, schedule=case.schedule,
    until=case.until, start=118, title="p2 asks for what it likes")

# %% name="paxos-commonest-broken" tags=["play"]
case = paxos_cases.COMMONEST
Lab(paxos_cases.stage(5, proposer=paxos_variants.CommonestValueProposer), seed=case.seed, schedule=case.schedule,
    until=case.until, start=222, title="p1 counts reports")

# %% [markdown] name="paxos-value-statement" tags=["exercise"]
# ### Exercise *paxos-value* (10 minutes)
#
# **Given** `promises`, what a majority of acceptors has answered to this proposer's `Prepare`: a list of
# `(ballot, value)`, the last thing that each has accepted, or `(None, None)`; in the order of their arrival.
# A ballot is a list such as `[2, "p1"]`, and ballots compare as they stand. And `wish`, the value that this
# proposer would like. **Goal**: `value_to_propose` returns the value to put into the `Accept`.

# %% name="paxos-value-exercise" tags=["exercise"] points=5
def value_to_propose(promises, wish):
    """The value of a proposal (P2c, section 2.2 of the paper)."""
    ### BEGIN SOLUTION
    accepted = [(ballot, value) for ballot, value in promises if ballot is not None]
    return max(accepted)[1] if accepted else wish
    ### END SOLUTION

# %% name="paxos-value-mutant-own" tags=["mutant"] property="One value chosen" catalogue="C24"
def value_to_propose(promises, wish):
    return wish

# %% name="paxos-value-mutant-commonest" tags=["mutant"] property="One value chosen" catalogue="C25"
def value_to_propose(promises, wish):
    values = [value for ballot, value in promises if ballot is not None]
    return max(values, key=values.count) if values else wish

# %% name="paxos-value-mutant-first" tags=["mutant"] property="One value chosen" catalogue="C25"
def value_to_propose(promises, wish):
    return next((value for ballot, value in promises if ballot is not None), wish)

# %% name="paxos-value-mutant-last" tags=["mutant"] property="One value chosen" catalogue="C25"
def value_to_propose(promises, wish):
    return next((value for ballot, value in reversed(promises) if ballot is not None), wish)

# %% name="paxos-value-mutant-lowest" tags=["mutant"] property="One value chosen" catalogue="C25"
def value_to_propose(promises, wish):
    accepted = [(ballot, value) for ballot, value in promises if ballot is not None]
    return min(accepted)[1] if accepted else wish

# %% name="paxos-value-mutant-largest" tags=["mutant"] property="One value chosen" catalogue="C25"
def value_to_propose(promises, wish):
    return max((value for ballot, value in promises if ballot is not None), default=wish)

# %% name="paxos-value-mutant-as-text" tags=["mutant"] property="One value chosen" catalogue="C27"
def value_to_propose(promises, wish):
    accepted = [(str(ballot), value) for ballot, value in promises if ballot is not None]
    return max(accepted)[1] if accepted else wish

# %% name="paxos-value-mutant-by-name" tags=["mutant"] property="One value chosen" catalogue="C27"
def value_to_propose(promises, wish):
    accepted = [(ballot[1], value) for ballot, value in promises if ballot is not None]
    return max(accepted)[1] if accepted else wish

# %% name="paxos-value-mutant-anything-but-mine" tags=["mutant"] property="One value chosen" catalogue="C24"
def value_to_propose(promises, wish):
    for b,v in promises:
        if b is not None and v != wish:
            return v
    return wish

# %% name="paxos-value-check" tags=["check"] points=3 title="Proposes what may be chosen already"
verify("paxos-value", value_to_propose, paxos_steps.proposing, like=paxos_steps.asked,
       cases=paxos_steps_cases.VALUE, seeds=range(2, 22, 2), minutes=10)

# %% name="paxos-value-hidden" tags=["hidden"] points=2 title="Proposes it in runs that you have not seen"
verify("paxos-value", value_to_propose, paxos_steps.proposing, like=paxos_steps.asked,
       cases=raft_cases.rotated(paxos_steps_cases.VALUE, 1, 21, "a"), seeds=range(502, 522, 2), minutes=10)

# %% [markdown] name="paxos-acceptor-statement" tags=["exercise"]
# ### Exercise *paxos-acceptor* (20 minutes)
#
# **Goal**: an acceptor. **Given** `Voter`, which has `promised`, `accepted_ballot` and `accepted_value`,
# all None at first, and `send(to, message)`. Messages that come: `Prepare(ballot)`, `Accept(ballot,
# value)`. Messages to answer with: `Promise(ballot, accepted_ballot, accepted_value)`, `Accepted(ballot)`,
# both with the ballot that was asked for. An acceptor that cannot say yes says nothing. Ballots are lists
# such as `[2, "p1"]` and compare as they stand. What must an acceptor still know after a restart?

# %% name="paxos-acceptor-exercise" tags=["exercise"] points=10
class MyAcceptor(paxos_steps.Voter):
    """An acceptor (section 2.2 of the paper)."""

    ### BEGIN SOLUTION
    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    ### STUB durable = {}                  # attribute -> value on an empty disk
    ### END SOLUTION

    def on_prepare(self, sender, m):
        """A proposer asks for a promise."""
        ### BEGIN SOLUTION
        if self.promised is None or m.ballot > self.promised:
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))
        ### END SOLUTION

    def on_accept(self, sender, m):
        """A proposer asks to accept a value."""
        ### BEGIN SOLUTION
        if self.promised is None or m.ballot >= self.promised:
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))
        ### END SOLUTION

# %% name="paxos-acceptor-mutant-accepts-late" tags=["mutant"] property="One value chosen" catalogue="C26"
class MyAcceptor(paxos_steps.Acceptor):
    def on_accept(self, sender, m):
        self.accepted_ballot = m.ballot
        self.accepted_value = m.value
        self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-counter-only" tags=["mutant"] property="One value chosen" catalogue="C27"
class MyAcceptor(paxos_steps.Acceptor):
    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot[0] >= self.promised[0]:
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))

    def on_accept(self, sender, m):
        if self.promised is None or m.ballot[0] >= self.promised[0]:
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-forgets" tags=["mutant"] property="One value chosen" catalogue="C28"
class MyAcceptor(paxos_steps.Acceptor):
    durable = {}

    def on_start(self):
        self.promised = self.accepted_ballot = self.accepted_value = None

# %% name="paxos-acceptor-mutant-keeps-promise-only" tags=["mutant"] property="One value chosen" catalogue="C28"
class MyAcceptor(paxos_steps.Acceptor):
    durable = {"promised": None}

    def on_start(self):
        self.accepted_ballot = self.accepted_value = None

# %% name="paxos-acceptor-mutant-reports-nothing" tags=["mutant"] property="One value chosen" catalogue="C24"
class MyAcceptor(paxos_steps.Acceptor):
    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot > self.promised:
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, None, None))

# %% name="paxos-acceptor-mutant-first-value-stays" tags=["mutant"] property="Requests are answered" catalogue="C36"
class MyAcceptor(paxos_steps.Acceptor):
    def on_accept(self, sender, m):
        if self.accepted_value in (None, m.value):
            super().on_accept(sender, m)

# %% name="paxos-acceptor-mutant-promises-once" tags=["mutant"] property="Requests are answered" catalogue="C36"
class MyAcceptor(paxos_steps.Acceptor):
    def on_prepare(self, sender, m):
        if self.promised is None:
            super().on_prepare(sender, m)

# %% name="paxos-acceptor-mutant-keeps-value-only" tags=["mutant"] property="One value chosen" catalogue="C28"
class MyAcceptor(paxos_steps.Acceptor):
    durable = {"accepted_ballot": None, "accepted_value": None}

    def on_start(self):
        self.promised = None

# %% name="paxos-acceptor-mutant-looks-at-accepted" tags=["mutant"] property="One value chosen" catalogue="C26"
class MyAcceptor(paxos_steps.Acceptor):
    def on_accept(self, sender, m):
        if self.accepted_ballot is None or m.ballot >= self.accepted_ballot:
            self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-accepts-downwards" tags=["mutant"] property="One value chosen" catalogue="C26"
class MyAcceptor(paxos_steps.Acceptor):
    def on_accept(self, sender, m):
        if self.promised is None or m.ballot >= self.promised:
            self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-reports-the-old-promise" tags=["mutant"] property="One value chosen" catalogue="C25"
class MyAcceptor(paxos_steps.Voter):
    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot > self.promised:
            old = self.promised if self.accepted_value is not None else None
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, old, self.accepted_value))
    def on_accept(self, sender, m):
        if self.promised is None or m.ballot >= self.promised:
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-promise-goes-down" tags=["mutant"] property="One value chosen" catalogue="C26"
class MyAcceptor(paxos_steps.Voter):
    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    def on_prepare(self, sender, m):
        self.promised = m.ballot
        self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))
    def on_accept(self, sender, m):
        if self.promised is None or m.ballot >= self.promised:
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-promise-not-kept" tags=["mutant"] property="One value chosen" catalogue="C26"
class MyAcceptor(paxos_steps.Voter):
    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot > self.promised:
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))
    def on_accept(self, sender, m):
        if self.promised is None or m.ballot >= self.promised:
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-promise-forgets-the-value" tags=["mutant"] property="One value chosen" catalogue="C24"
class MyAcceptor(paxos_steps.Voter):
    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot > self.promised:
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))
            self.accepted_ballot = self.accepted_value = None
    def on_accept(self, sender, m):
        if self.promised is None or m.ballot >= self.promised:
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-refuses-with-nothing" tags=["mutant"] property="One value chosen" catalogue="C24"
class MyAcceptor(paxos_steps.Voter):
    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot > self.promised:
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))
        else:
            self.send(sender, Promise(self.promised, None, None))
    def on_accept(self, sender, m):
        if self.promised is None or m.ballot >= self.promised:
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-compares-with-the-accepted" tags=["mutant"] property="One value chosen" catalogue="C26"
class MyAcceptor(paxos_steps.Voter):
    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    def on_prepare(self, sender, m):
        if self.accepted_ballot is None or m.ballot > self.accepted_ballot:
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))
    def on_accept(self, sender, m):
        if self.promised is None or m.ballot >= self.promised:
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-only-promised" tags=["mutant"] property="Requests are answered" catalogue="C26"
class MyAcceptor(paxos_steps.Voter):
    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot > self.promised:
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))
    def on_accept(self, sender, m):
        if self.promised is None or m.ballot == self.promised:
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-needs-a-promise" tags=["mutant"] property="Requests are answered" catalogue="C26"
class MyAcceptor(paxos_steps.Voter):
    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot > self.promised:
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))
    def on_accept(self, sender, m):
        if self.promised is not None and m.ballot >= self.promised:
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-higher-counters-only" tags=["mutant"] property="Requests are answered" catalogue="C27"
class MyAcceptor(paxos_steps.Voter):
    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot[0] > self.promised[0]:
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))
    def on_accept(self, sender, m):
        if self.promised is None or m.ballot >= self.promised:
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-same-counter-changes-nothing" tags=["mutant"] property="Learners agree" catalogue="C27"
class MyAcceptor(paxos_steps.Voter):
    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    def on_prepare(self, sender, m):
        if self.promised is None or m.ballot > self.promised:
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))
    def on_accept(self, sender, m):
        if self.promised is None or m.ballot >= self.promised:
            self.promised = m.ballot
            if self.accepted_ballot is None or m.ballot[0] > self.accepted_ballot[0]:
                self.accepted_ballot = m.ballot
                self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-mutant-as-text" tags=["mutant"] property="Requests are answered" catalogue="C27"
class MyAcceptor(paxos_steps.Voter):
    durable = {"promised": None, "accepted_ballot": None, "accepted_value": None}
    def on_prepare(self, sender, m):
        if self.promised is None or str(m.ballot) > str(self.promised):
            self.promised = m.ballot
            self.send(sender, Promise(m.ballot, self.accepted_ballot, self.accepted_value))
    def on_accept(self, sender, m):
        if self.promised is None or str(m.ballot) >= str(self.promised):
            self.promised = self.accepted_ballot = m.ballot
            self.accepted_value = m.value
            self.send(sender, Accepted(m.ballot))

# %% name="paxos-acceptor-check" tags=["check"] points=6 title="Promises, accepts and remembers"
verify("paxos-acceptor", MyAcceptor, paxos_steps.accepting, like=paxos_steps.asked,
       cases=paxos_steps_cases.ACCEPTOR, seeds=range(2, 22, 2), minutes=20)

# %% name="paxos-acceptor-hidden" tags=["hidden"] points=4 title="Does so in runs that you have not seen"
verify("paxos-acceptor", MyAcceptor, paxos_steps.accepting, like=paxos_steps.asked,
       cases=raft_cases.rotated(paxos_steps_cases.ACCEPTOR, 1, 21, "a"), seeds=range(502, 522, 2), minutes=20)

# %% [markdown] name="paxos-break-it-statement" tags=["exercise"]
# ### Exercise *paxos-break-it* (15 minutes)
#
# `HastyAcceptor` keeps its promise when it is asked for another one, and forgets it when it is asked to
# accept. Below, p1 wants v and p2 wants w; every message takes 10 ms; `two_ballots` makes p1 begin at 10 ms
# and p2 at 50 ms. **Goal**: add actions so that two values are chosen: any that work earn 7 points, at most 4
# actions, the two given included, earn all 10. Paxos itself must hold under the same actions. A partition can
# *hold* what is under way, instead of losing it: `in_flight="held"`.

# %% name="paxos-break-it-source" tags=["explain"]
show_source(paxos_variants.HastyAcceptor)

# %% name="paxos-break-it-setup"
two_ballots = [
    {"at": 10, "do": "timeout", "node": "p1", "timer": "propose"},
    {"at": 50, "do": "timeout", "node": "p2", "timer": "propose"},
]

# %% name="paxos-break-it-lab" tags=["play"]
Lab(paxos_cases.stage(acceptor=paxos_variants.HastyAcceptor), seed=1, schedule=two_ballots, until=200, title="Break it")

# %% name="paxos-break-it-exercise" tags=["exercise"] points=10
my_actions = [
    ### BEGIN SOLUTION
    {"at": 35, "do": "partition", "groups": [["p1", "a1"]], "in_flight": "held"},
    {"at": 100, "do": "heal"},
    ### STUB # such as {"at": 25, "do": "crash", "node": "a1"},
    ### END SOLUTION
]

# %% name="paxos-break-it-mutant-lost" tags=["mutant"] property="break no property" catalogue="C26"
my_actions = [
    {"at": 35, "do": "partition", "groups": [["p1", "a1"]]},
    {"at": 100, "do": "heal"},
]

# %% name="paxos-break-it-mutant-only-given" tags=["mutant"] property="break no property" catalogue="C26"
my_actions = [
    {"at": 70, "do": "crash", "node": "a1"},
]

# %% name="paxos-break-it-mutant-disk" tags=["mutant"] property="also break Paxos" catalogue="C28"
my_actions = [
    {"at": 1, "do": "cut", "source": "p1", "target": "a3"},
    {"at": 42, "do": "crash", "node": "a2"},
    {"at": 44, "do": "restart", "node": "a2", "disk": False},
    {"at": 45, "do": "cut", "source": "p2", "target": "a1"},
]

# %% name="paxos-break-it-mutant-long" tags=["mutant"] property="paxos-break-it-par" catalogue="C26"
my_actions = [
    {"at": 25, "do": "link", "source": "p1", "target": "a2", "latency": 100},
    {"at": 25, "do": "cut", "source": "p1", "target": "a3"},
    {"at": 45, "do": "cut", "source": "p2", "target": "a1"},
]

# %% name="paxos-break-it-check" tags=["check"] points=7 title="A schedule with which two values are chosen"
judge_schedule("paxos-break-it", my_actions and [*two_ballots, *my_actions],
               paxos_cases.stage(acceptor=paxos_variants.HastyAcceptor), paxos_cases.stage(), seed=1, minutes=15,
               question="which message must arrive late, and who must have promised what by then?")

# %% name="paxos-break-it-par" tags=["check"] points=3 title="In four actions or fewer"
judge_schedule("paxos-break-it", my_actions and [*two_ballots, *my_actions],
               paxos_cases.stage(acceptor=paxos_variants.HastyAcceptor), paxos_cases.stage(), seed=1, par=4, minutes=15)

# %% [markdown] name="multi-paxos-explain" tags=["explain"]
# ### Many values: Multi-Paxos
#
# A service needs a log: one Paxos per slot. Phase 1 does not mention a value, so a leader can do it once for
# all slots to come; a command then takes one round trip. Commands are in flight for several slots at once,
# and a leader can die and leave a hole: a slot without a value, below one that has its value.

# %% name="multi-paxos-setup"
from dslab.protocols import consensus_questions, multi_paxos, multi_paxos_cases

# %% name="multi-paxos-predict" tags=["predict"]
case = multi_paxos_cases.HOLE
Lab(multi_paxos.cluster(3, clients=3), seed=case.seed, schedule=case.schedule, until=case.until, start=258,
    predict=Prediction(**consensus_questions.HOLE), title="A hole in the log")

# %% [markdown] name="paxos-reflect" tags=["reflect"]
# ### Reflect
#
# 1. a1 has accepted v under 1.p1. May it ever accept w?
# 2. Why may a proposer stop listening after the promises of a majority, though the others could report more?
# 3. Who knows first that a value is chosen? Who may never know?
#
# <details><summary>Compare with these</summary>
#
# 1. Yes, under a higher ballot, if v was not chosen; an acceptor that clings to its first value can leave
#    three acceptors with three values, stuck.
# 2. A chosen value stands on a majority, and two majorities share an acceptor. So one of those that it heard
#    would have reported it.
# 3. Nobody at first: it is a fact about several acceptors. The proposer learns it from their answers, and it
#    may crash before it tells anybody.
#
# </details>

# %% [markdown] name="paxos-reading" tags=["reading"]
# ### Reading
#
# - Lamport, *Paxos Made Simple* (2001), §2: the invariant P2c that you implemented.
# - Chandra, Griesemer, Redstone, *Paxos Made Live* (2007), §5: what is between a page of pseudocode and a
#   service.
# - van Steen, Tanenbaum, *Distributed Systems*, §8.2: Paxos built up from failures, one at a time.

# %% [markdown] name="flp-recall" tags=["reflect"]
# **Before you go on** (from memory): Which value does a proposer ask for if its promises report v under 1.p1
# and w under 2.p2? What must be on an acceptor's disk before which message leaves? Why do n4 and n5 both
# lead in the first lab?

# %% [markdown] name="flp-why" tags=["why"]
# <a id="flp"></a>
# ## Why it may never end
#
# In 1985 Fischer, Lynch and Paterson proved that no deterministic protocol for consensus can promise to
# *decide* if a single process may stop and nothing bounds how long a message takes. Many read this as
# "consensus is impossible"; yet Paxos runs everywhere. What exactly is impossible? Play the adversary and
# see.

# %% name="flp-predict-duel" tags=["predict"]
case = paxos_cases.duel(40)
Lab(paxos_cases.stage(), seed=case.seed, schedule=case.schedule, until=case.until, start=29,
    predict=Prediction(**paxos_questions.DUEL), title="Two proposers")

# %% [markdown] name="flp-search-task" tags=["play"]
# ### Play against it
#
# `explore` tries *every* order in which messages arrive and timers run out, and stops at the first state that
# breaks a property; breadth-first, so the way there is a shortest one. Two proposers and, to keep it small,
# one acceptor that never fails. Ask for a run in which each proposer had its promises once, twice, three
# times, and nothing is accepted: it breaks the property that says Paxos ends within so many ballots. The
# first takes 6 actions. How many will the third take?

# %% name="flp-setup"
from dslab import explore, show_counterexample
from dslab.protocols import ben_or, paxos
from dslab.protocols.paxos_properties import ends_within

# %% name="flp-search" tags=["play"]
pair = paxos.cluster(proposers=2, acceptors=1)
for rounds in (1, 2, 3):
    found = explore(pair, timeouts=2 * rounds, always=[ends_within(rounds)], goals=())
    print(len(found.case.schedule), "actions:", found)

# %% [markdown] name="flp-search-lab-task" tags=["play"]
# Six actions more for each round, for ever: whoever orders the messages can always lead to one more state in
# which nothing is decided. That is the heart of the proof of FLP, seen in this protocol. The last of these
# runs, to be played:

# %% name="flp-search-lab" tags=["play"]
show_counterexample(found)

# %% [markdown] name="flp-safety-task" tags=["play"]
# Now the other half of the game: lead it to *two* chosen values. You may use any order of messages that there
# is; with three acceptors and one ballot for each proposer, the search tries them all.

# %% name="flp-safety" tags=["play"]
explore(paxos.cluster(proposers=2, acceptors=3, ballots=1), timeouts=2)

# %% [markdown] name="flp-backoff-task" tags=["experiment"]
# ### Experiment: toss for it
#
# So no order of messages made them disagree, although some kept them from deciding. Nobody can promise that
# it ends; but bad luck can be made unlikely. Two proposers begin together, and a ballot takes 40 ms. Each
# waits before it tries again: always the same time, or a random one.

# %% name="flp-backoff" tags=["experiment"]
from dslab.experiments.paxos_duels import duels

for wait in [(35, 35), (35, 50), (35, 70), (40, 160)]:
    print(duels(wait, trials=50))

# %% [markdown] name="flp-ben-or-task" tags=["play"]
# **Ben-Or** (1983) needs no clock at all. Everybody says what it prefers; who sees a majority says so. A value
# that enough servers name in this second step is decided; who hears of none tosses a coin, and another round
# begins. Five servers, opinions 0 and 1. Which run is the longest that you can bring about by slow links? It
# ends with probability one, and you cannot make it disagree.

# %% name="flp-ben-or" tags=["play"]
Lab(ben_or.cluster(5), seed=2, title="Toss a coin")

# %% [markdown] name="flp-reflect" tags=["reflect"]
# ### Reflect
#
# 1. FLP speaks of *every* run. What do Paxos, Raft and Ben-Or each give up instead of safety?
# 2. Why does a leader that everybody leaves in peace end the duel, and why does choosing one not escape FLP?
#
# <details><summary>Compare with these</summary>
#
# 1. Paxos and Raft may wait longer than any bound if timing stays bad; Ben-Or may toss badly for ever, with
#    probability zero.
# 2. With one proposer there is nobody to overtake it. But electing it is consensus again: ballots make a
#    wrong choice harmless, and time-outs make it, with luck, rare.
#
# </details>

# %% [markdown] name="flp-reading" tags=["reading"]
# ### Reading
#
# - Fischer, Lynch, Paterson, *Impossibility of Distributed Consensus with One Faulty Process* (1985), §3: two
#   pages; lemma 3 is the step that you saw six actions at a time.
# - Ben-Or, *Another Advantage of Free Choice* (1983): protocol A is ten lines.
# - van Steen, Tanenbaum, *Distributed Systems*, §8.2: what can be reached under which assumptions.

# %% [markdown] name="raft-recall" tags=["reflect"]
# **Before you go on**: What does FLP forbid, and what does it not? A proposer has two of three promises, both
# empty. Can a value have been chosen already? Which two facts must one disk write keep together?

# %% [markdown] name="raft-why" tags=["why"]
# <a id="raft"></a>
# ## Raft
#
# Paxos agrees on one value. A service needs a log of them, one after the other, and people who can hold the
# protocol in their heads: when Raft's authors tested 43 students, 33 did better on Raft than on Paxos. Ongaro
# and Ousterhout, *In Search of an Understandable Consensus Algorithm*, extended version; § numbers in this
# part are that paper's.
#
# Each rule of Raft exists because something breaks without it. You will see what, by running Raft without
# the rule.

# %% name="raft-setup"
from dslab.protocols import raft_questions, raft_steps, raft_steps_cases
from dslab.protocols.raft import AppendEntries, Entry, RequestVote, Vote
from dslab.protocols.raft_variants import Truncating

# %% [markdown] name="raft-predict-task" tags=["predict"]
# ### Predict
#
# Three situations. Each lab stands at the moment that matters. Many people get at least one of them wrong,
# which is the point: note what surprised you.

# %% name="raft-predict-restart" tags=["predict"]
case = raft_cases.RESTARTED_VOTER
Lab(raft.cluster(case.nodes, clients=case.clients), seed=case.seed, schedule=case.schedule, until=case.until,
    start=38, predict=Prediction(**raft_questions.VOTER), title="A voter restarts")

# %% name="raft-predict-log" tags=["predict"]
case = raft_cases.LONG_LOG
Lab(raft.cluster(case.nodes, clients=case.clients), seed=case.seed, schedule=case.schedule, until=case.until,
    start=370, predict=Prediction(**raft_questions.TWO_LOGS), title="Two logs")

# %% name="raft-predict-commit" tags=["predict"]
case = raft_cases.FIGURE_8
Lab(raft.cluster(case.nodes, clients=case.clients), seed=case.seed, schedule=case.schedule, until=case.until,
    start=325, predict=Prediction(**raft_questions.OLD_ENTRY), title="Figure 8 of the paper")

# %% [markdown] name="raft-play-task" tags=["play"]
# ### Play
#
# Kill the leader (click it and choose *Crash*), play until there is another, and *Restart* the old one: what
# does it do with the first message that it gets? Then cut the cluster into two and three (*Partition*), let
# the client write on both sides (*Request*), and *Heal* it.

# %% name="raft-play" tags=["play"]
Lab(raft.cluster(5), seed=7, title="Kill the leader")

# %% [markdown] name="raft-explain-election" tags=["explain"]
# ### How it works
#
# **An election** (§5.2): *new term → vote for oneself → wait again → ask → count*. A server that hears from
# no leader for a random time stands for election; with the votes of a majority it leads. A term is what the
# ballot is in Paxos: at most one leader has it. Why is the time drawn at random? (You know from the duel.)

# %% [markdown] name="raft-explain-term" tags=["explain"]
# **A newer term ends every role** (§5.1). A deposed leader does not know that it is one until a message
# tells it. Each handler starts with this step; what may a server do in the new term that it could not do a
# moment before?

# %% name="raft-explain-term-source" tags=["explain"]
show_source(raft.Server.adopt)

# %% [markdown] name="raft-explain-append" tags=["explain"]
# **Replication** (§5.3): *check term → update term → check the entry before → append → commit → reply*. A
# leader sends what it believes is new to a follower, with index and term of the entry before it as proof; a
# follower that lacks that entry says so, and the leader goes back.
#
# **What survives a crash** (Figure 2) is little, and must be written before any message that depends on it
# leaves; all else starts anew. Your first prediction was about one of these. (You will say which others in
# the part after this one.)

# %% [markdown] name="raft-vote-statement" tags=["exercise"]
# ### Exercise *raft-vote* (15 minutes)
#
# **Given** `server`, which was asked; the name of the `candidate`; and its `request` with `term`,
# `last_index` and `last_term` (index and term of the last entry in the candidate's log). **Goal**:
# `grant_vote` returns True if the server gives its vote and False if not (§5.2, §5.4.1). The reply is sent
# for you; everything that must be true *before* it leaves is yours to do. **Allowed names** of the server:
# `term`, `voted_for` (None or a name), `last_index`, `term_at(index)`, `adopt(term)` and
# `reset_election_timer()`, which makes it wait for a whole time-out again. Decide when that is deserved.

# %% name="raft-vote-exercise" tags=["exercise"] points=10
def grant_vote(server, candidate, request):
    """True if this server votes for the candidate."""
    ### BEGIN SOLUTION
    if request.term < server.term:
        return False
    server.adopt(request.term)
    if server.voted_for not in (None, candidate):
        return False
    mine = (server.term_at(server.last_index), server.last_index)
    if (request.last_term, request.last_index) < mine:
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True
    ### STUB # 1. check the term: is the request from the past?
    ### STUB # 2. update the term
    ### STUB # 3. decide: one vote a term, and only for a log that misses nothing
    ### STUB # 4. note the vote
    ### STUB raise NotImplementedError("write your answer here")
    ### END SOLUTION

# %% name="raft-vote-mutant-longest-log" tags=["mutant"] property="Commits are kept" catalogue="C7"
def grant_vote(server, candidate, request):
    if request.term < server.term:
        return False
    server.adopt(request.term)
    if server.voted_for not in (None, candidate) or request.last_index < server.last_index:
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True

# %% name="raft-vote-mutant-last-term-only" tags=["mutant"] property="Commits are kept" catalogue="C8"
def grant_vote(server, candidate, request):
    if request.term < server.term:
        return False
    server.adopt(request.term)
    if server.voted_for not in (None, candidate) or request.last_term < server.term_at(server.last_index):
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True

# %% name="raft-vote-mutant-both" tags=["mutant"] property="Requests are answered" catalogue="C8"
def grant_vote(server, candidate, request):
    if request.term < server.term:
        return False
    server.adopt(request.term)
    newer = request.last_term >= server.term_at(server.last_index) and request.last_index >= server.last_index
    if server.voted_for not in (None, candidate) or not newer:
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True

# %% name="raft-vote-mutant-ignores-log" tags=["mutant"] property="Commits are kept" catalogue="C7"
def grant_vote(server, candidate, request):
    if request.term < server.term:
        return False
    server.adopt(request.term)
    if server.voted_for not in (None, candidate):
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True

# %% name="raft-vote-mutant-votes-twice" tags=["mutant"] property="One leader per term" catalogue="C9"
def grant_vote(server, candidate, request):
    if request.term < server.term:
        return False
    server.adopt(request.term)
    if (request.last_term, request.last_index) < (server.term_at(server.last_index), server.last_index):
        return False
    server.reset_election_timer()
    return True

# %% name="raft-vote-mutant-vote-before-term" tags=["mutant"] property="Requests are answered" catalogue="C5"
def grant_vote(server, candidate, request):
    if request.term < server.term or server.voted_for not in (None, candidate):
        return False
    server.adopt(request.term)
    if (request.last_term, request.last_index) < (server.term_at(server.last_index), server.last_index):
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True

# %% name="raft-vote-mutant-always-calm" tags=["mutant"] property="Requests are answered" catalogue="C6"
def grant_vote(server, candidate, request):
    server.reset_election_timer()
    if request.term < server.term:
        return False
    server.adopt(request.term)
    if server.voted_for not in (None, candidate):
        return False
    if (request.last_term, request.last_index) < (server.term_at(server.last_index), server.last_index):
        return False
    server.voted_for = candidate
    return True

# %% name="raft-vote-mutant-strictly-newer" tags=["mutant"] property="Requests are answered" catalogue="C8"
def grant_vote(server, candidate, request):
    if request.term < server.term:
        return False
    server.adopt(request.term)
    if server.voted_for not in (None, candidate):
        return False
    if (request.last_term, request.last_index) <= (server.term_at(server.last_index), server.last_index):
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True

# %% name="raft-vote-mutant-refuses-its-own-term" tags=["mutant"] property="Requests are answered" catalogue="C5"
def grant_vote(server, candidate, request):
    if request.term <= server.term:
        return False
    server.adopt(request.term)
    if server.voted_for not in (None, candidate):
        return False
    if (request.last_term, request.last_index) < (server.term_at(server.last_index), server.last_index):
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True

# %% name="raft-vote-mutant-notes-before-it-compares" tags=["mutant"] property="Requests are answered" catalogue="C5"
def grant_vote(server, candidate, request):
    if request.term < server.term:
        return False
    server.adopt(request.term)
    if server.voted_for not in (None, candidate):
        return False
    server.voted_for = candidate
    if (request.last_term, request.last_index) < (server.term_at(server.last_index), server.last_index):
        return False
    server.reset_election_timer()
    return True

# %% name="raft-vote-mutant-never-waits" tags=["mutant"] property="Who votes waits" catalogue="C6"
def grant_vote(server, candidate, request):
    if request.term < server.term:
        return False
    server.adopt(request.term)
    if server.voted_for not in (None, candidate):
        return False
    if (request.last_term, request.last_index) < (server.term_at(server.last_index), server.last_index):
        return False
    server.voted_for = candidate
    return True

# %% name="raft-vote-mutant-votes-in-the-past" tags=["mutant"] property="Requests are answered" catalogue="C4"
def grant_vote(server, candidate, request):
    server.adopt(request.term)
    if server.voted_for not in (None, candidate):
        return False
    if (request.last_term, request.last_index) < (server.term_at(server.last_index), server.last_index):
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True

# %% name="raft-vote-mutant-once-is-enough" tags=["mutant"] property="Requests are answered" catalogue="C5"
def grant_vote(server, candidate, request):
    if request.term < server.term:
        return False
    server.adopt(request.term)
    if server.voted_for is not None:
        return False
    if (request.last_term, request.last_index) < (server.term_at(server.last_index), server.last_index):
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True

# %% name="raft-vote-mutant-notes-itself" tags=["mutant"] property="Requests are answered" catalogue="C5"
def grant_vote(server, candidate, request):
    if request.term < server.term:
        return False
    server.adopt(request.term)
    if server.voted_for not in (None, candidate):
        return False
    if (request.last_term, request.last_index) < (server.term_at(server.last_index), server.last_index):
        return False
    server.voted_for = server.id
    server.reset_election_timer()
    return True

# %% name="raft-vote-mutant-leader-refuses" tags=["mutant"] property="Requests are answered" catalogue="C5"
def grant_vote(server, candidate, request):
    if request.term < server.term:
        return False
    if server.role == 'leader':
        return False
    server.adopt(request.term)
    if server.voted_for not in (None, candidate):
        return False
    if (request.last_term, request.last_index) < (server.term_at(server.last_index), server.last_index):
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True

# %% name="raft-vote-check" tags=["check"] points=6 title="Votes as §5.2 and §5.4.1 say"
verify("raft-vote", grant_vote, raft_variants.voting, like=raft.cluster, cases=raft_cases.VOTE,
       seeds=range(1, 31), minutes=15)

# %% name="raft-vote-hidden" tags=["hidden"] points=4 title="Votes rightly in runs that you have not seen"
verify("raft-vote", grant_vote, raft_variants.voting, like=raft.cluster,
       cases=raft_cases.rotated(raft_cases.VOTE, 1, 21), seeds=range(501, 541), minutes=15)

# %% [markdown] name="raft-commit-statement" tags=["exercise"]
# ### Exercise *raft-commit* (15 minutes)
#
# **Given** `server`, a leader. `match_index` tells for each *other* server up to which index it is known to
# hold the leader's log, `next_index` which entry the leader will send it next; this leader does not wait
# for answers before it sends on. **Goal**: `new_commit_index` returns up to which index the log is
# committed now (§5.3, §5.4.2). Your third prediction is about this. **Allowed names** of the server:
# `term`, `commit_index` (what is committed so far), `last_index`, `term_at(index)`, `match_index`,
# `next_index` (dictionaries by name) and `quorum`, the size of a majority.

# %% name="raft-commit-exercise" tags=["exercise"] points=10
def new_commit_index(server):
    """The highest index that is safe for ever."""
    ### BEGIN SOLUTION
    for index in range(server.last_index, server.commit_index, -1):
        copies = 1 + sum(match >= index for match in server.match_index.values())
        if copies >= server.quorum and server.term_at(index) == server.term:
            return index
    return server.commit_index
    ### STUB # 1. which index do enough servers hold?
    ### STUB # 2. may it be counted?
    ### STUB raise NotImplementedError("write your answer here")
    ### END SOLUTION

# %% name="raft-commit-mutant-any-term" tags=["mutant"] property="Commits are kept" catalogue="C14"
def new_commit_index(server):
    for index in range(server.last_index, server.commit_index, -1):
        if 1 + sum(match >= index for match in server.match_index.values()) >= server.quorum:
            return index
    return server.commit_index

# %% name="raft-commit-mutant-half" tags=["mutant"] property="Commits are kept" catalogue="C32"
def new_commit_index(server):
    servers = len(server.peers) + 1
    for index in range(server.last_index, server.commit_index, -1):
        copies = 1 + sum(match >= index for match in server.match_index.values())
        if copies >= servers // 2 and server.term_at(index) == server.term:
            return index
    return server.commit_index

# %% name="raft-commit-mutant-next-index" tags=["mutant"] property="Commits are kept" catalogue="C17"
def new_commit_index(server):
    for index in range(server.last_index, server.commit_index, -1):
        copies = 1 + sum(following > index for following in server.next_index.values())
        if copies >= server.quorum and server.term_at(index) == server.term:
            return index
    return server.commit_index

# %% name="raft-commit-mutant-everybody" tags=["mutant"] property="What is safe is committed" catalogue="C35"
def new_commit_index(server):
    lowest = min(server.match_index.values())
    return max(server.commit_index, lowest if server.term_at(lowest) == server.term else 0)

# %% name="raft-commit-mutant-all-but-one" tags=["mutant"] property="What is safe is committed" catalogue="C35"
def new_commit_index(server):
    index = sorted(server.match_index.values())[1]
    return max(server.commit_index, index if server.term_at(index) == server.term else 0)

# %% name="raft-commit-mutant-four-copies-any-term" tags=["mutant"] property="Commits are kept" catalogue="C14"
def new_commit_index(server):
    held = sorted([server.last_index, *server.match_index.values()], reverse=True)
    index = held[server.quorum - 1]
    enough = server.term_at(index) == server.term or len(held) == 5 and held[3] >= index
    return max(server.commit_index, index if enough else 0)

# %% name="raft-commit-mutant-forgets-itself" tags=["mutant"] property="What is safe is committed" catalogue="C32"
def new_commit_index(server):
    for index in range(server.last_index, server.commit_index, -1):
        copies = sum(match >= index for match in server.match_index.values())
        if copies >= server.quorum and server.term_at(index) == server.term:
            return index
    return server.commit_index

# %% name="raft-commit-mutant-next-only" tags=["mutant"] property="What is safe is committed" catalogue="C14"
def new_commit_index(server):
    index = server.commit_index + 1
    copies = 1 + sum(match >= index for match in server.match_index.values())
    safe = copies >= server.quorum and server.term_at(index) == server.term
    return index if safe else server.commit_index

# %% name="raft-commit-mutant-last-is-mine" tags=["mutant"] property="Commits are kept" catalogue="C14"
def new_commit_index(server):
    if server.term_at(server.last_index) != server.term:
        return server.commit_index
    held = sorted([server.last_index, *server.match_index.values()], reverse=True)
    return max(server.commit_index, held[server.quorum - 1])

# %% name="raft-commit-mutant-any-is-mine" tags=["mutant"] property="Commits are kept" catalogue="C14"
def new_commit_index(server):
    held = sorted([server.last_index, *server.match_index.values()], reverse=True)
    mine = any(server.term_at(index) == server.term for index in range(1, server.last_index + 1))
    return max(server.commit_index, held[server.quorum - 1] if mine else 0)

# %% name="raft-commit-mutant-never" tags=["mutant"] property="What is safe is committed" catalogue="C14"
def new_commit_index(server):
    return server.commit_index

# %% name="raft-commit-mutant-lowest-first" tags=["mutant"] property="What is safe is committed" catalogue="C14"
def new_commit_index(server):
    for index in range(server.commit_index + 1, server.last_index + 1):
        copies = 1 + sum(m >= index for m in server.match_index.values())
        if copies >= server.quorum and server.term_at(index) == server.term:
            return index
    return server.commit_index

# %% name="raft-commit-mutant-exactly" tags=["mutant"] property="What is safe is committed" catalogue="C35"
def new_commit_index(server):
    for index in range(server.last_index, server.commit_index, -1):
        copies = 1 + sum(m == index for m in server.match_index.values())
        if copies >= server.quorum and server.term_at(index) == server.term:
            return index
    return server.commit_index

# %% name="raft-commit-mutant-all-or-nothing" tags=["mutant"] property="What is safe is committed" catalogue="C35"
def new_commit_index(server):
    copies = 1 + sum(m >= server.last_index for m in server.match_index.values())
    if copies >= server.quorum and server.term_at(server.last_index) == server.term:
        return server.last_index
    return server.commit_index

# %% name="raft-commit-mutant-from-nothing" tags=["mutant"] property="the log is committed already" catalogue="C14"
def new_commit_index(server):
    for index in range(server.last_index, 0, -1):
        copies = 1 + sum(m >= index for m in server.match_index.values())
        if copies >= server.quorum and server.term_at(index) == server.term:
            return index
    return 0

# %% name="raft-commit-check" tags=["check"] points=6 title="Commits as §5.4.2 says"
verify("raft-commit", new_commit_index, raft_variants.committing, like=raft_variants.pipelining,
       cases=raft_cases.COMMIT, seeds=range(1, 31), minutes=15)

# %% name="raft-commit-hidden" tags=["hidden"] points=4 title="Commits rightly in runs that you have not seen"
verify("raft-commit", new_commit_index, raft_variants.committing, like=raft_variants.pipelining,
       cases=raft_cases.rotated(raft_cases.COMMIT, 1, 21), seeds=range(501, 541), minutes=15)

# %% [markdown] name="raft-break-it-statement" tags=["exercise"]
# ### Exercise *raft-break-it* (15 minutes)
#
# `Truncating` is Raft with one method changed: it believes that what a message does not mention must go.
# Below are both versions. While nothing fails the cluster of three runs well. **Goal**: a schedule that
# breaks one of its promises, while Raft itself keeps them all under it; the shorter the better: any that
# works earns 7 points, at most 3 actions earn all 10 (the shortest known has 2).
#
# Look for it in the lab: click a server or a message, or open *Links*, and play on; the chip of a broken
# promise turns red. Nothing keeps messages in order: one may overtake another. `lab.schedule()` in a cell of
# your own gives the list to paste below.

# %% name="raft-break-it-source" tags=["explain"]
show_source(raft.Server.append, Truncating)

# %% name="raft-break-it-lab" tags=["play"]
lab = Lab(raft.cluster(3, server=Truncating), seed=7, start=400, title="Break it")
lab

# %% name="raft-break-it-exercise" tags=["exercise"] points=10
my_schedule = [
    ### BEGIN SOLUTION
    {"at": 400, "do": "cut", "source": "n1", "target": "n3"},
    {"at": 420, "do": "request", "command": "x=1", "to": "n1"},
    ### STUB # such as {"at": 500, "do": "crash", "node": "n2"},
    ### END SOLUTION
]

# %% name="raft-break-it-mutant-crash" tags=["mutant"] property="break no property" catalogue="C12"
my_schedule = [
    {"at": 420, "do": "request", "command": "x=1", "to": "n1"},
    {"at": 470, "do": "crash", "node": "n1"},
]

# %% name="raft-break-it-mutant-everybody-has-it" tags=["mutant"] property="break no property" catalogue="C12"
my_schedule = [
    {"at": 420, "do": "request", "command": "x=1", "to": "n1"},
    {"at": 428, "do": "delay", "message": 17, "by": 40},
    {"at": 480, "do": "crash", "node": "n1"},
]

# %% name="raft-break-it-mutant-lost-disk" tags=["mutant"] property="also break Raft" catalogue="C9"
my_schedule = [
    {"at": 400, "do": "cut", "source": "n1", "target": "n3"},
    {"at": 420, "do": "request", "command": "x=1", "to": "n1"},
    {"at": 600, "do": "crash", "node": "n2"},
    {"at": 610, "do": "restart", "node": "n2", "disk": False},
]

# %% name="raft-break-it-mutant-long" tags=["mutant"] property="raft-break-it-par" catalogue="C12"
my_schedule = [
    {"at": 400, "do": "cut", "source": "n1", "target": "n3"},
    {"at": 420, "do": "request", "command": "x=1", "to": "n1"},
    {"at": 428, "do": "delay", "message": 17, "by": 40},
    {"at": 480, "do": "crash", "node": "n1"},
]

# %% name="raft-break-it-check" tags=["check"] points=7 title="A schedule that breaks a promise"
judge_schedule("raft-break-it", my_schedule, raft.cluster(3, server=Truncating), raft.cluster(3), seed=7,
               minutes=15, question="which entry is acknowledged, and what can still reach its holders?")

# %% name="raft-break-it-par" tags=["check"] points=3 title="In three actions or fewer"
judge_schedule("raft-break-it", my_schedule, raft.cluster(3, server=Truncating), raft.cluster(3), seed=7,
               par=3, minutes=15)

# %% [markdown] name="reads-why" tags=["why"]
# ### Reads, members, snapshots, returns
#
# Four things that the paper's Figure 2 leaves out, and that real systems have got wrong: etcd, TiKV and
# RedisRaft have all had reports of stale reads. A read changes nothing, so why put it through the log?

# %% name="reads-setup"
from dslab.protocols import raft_reads, raft_reads_cases, raft_reads_variants

# %% name="reads-predict-new" tags=["predict"]
case = raft_reads_cases.NOT_YET_KNOWN
Lab(raft_reads.cluster(3, server=raft_reads_variants.AnswersAtOnce, clients=2), seed=case.seed,
    schedule=case.schedule, until=case.until, start=308,
    predict=Prediction(**consensus_questions.NEW_LEADER_READS), title="A new leader is asked")

# %% name="reads-predict-old" tags=["predict"]
case = raft_reads_cases.TWO_TRUTHS
Lab(raft_reads.cluster(3, server=raft_reads_variants.LocalReads, clients=4), seed=case.seed,
    schedule=case.schedule, until=case.until, start=498,
    predict=Prediction(**consensus_questions.OLD_LEADER_READS), title="An old leader is asked")

# %% [markdown] name="reads-explain" tags=["explain"]
# Is either of these reads *linearizable*: could a single copy, which answers each request at one moment
# between question and answer, have said the same? (No: each misses a write that had ended.) The repair has
# two halves (§8): commit an entry of one's own term first; then, *after* the read came, ask a majority
# whether one still leads. The same schedule with both: when does c4 get its answer, and from whom?

# %% name="reads-explain-source" tags=["explain"]
show_source(raft_reads.Server.serve, raft_reads.Server.is_confirmed)

# %% name="reads-play" tags=["play"]
case = raft_reads_cases.TWO_TRUTHS
Lab(raft_reads.cluster(3, clients=4), seed=case.seed, schedule=case.schedule, until=case.until, start=498,
    title="Two truths, one of them told")

# %% [markdown] name="reads-lease-task" tags=["play"]
# A *lease* saves the question: for a while nobody else can be elected, so no need to ask. Here n1 holds one,
# is paused for two seconds, and its clock stands still meanwhile, as in a suspended virtual machine. What
# does c3 read at n1?

# %% name="reads-lease" tags=["play"]
case = raft_reads_cases.STOPPED_CLOCK
Lab(raft_reads_variants.leasing(3, clients=3), seed=case.seed, schedule=case.schedule, until=case.until,
    start=2_450, title="A lease and a pause")

# %% [markdown] name="members-task" tags=["predict"]
# **Members.** Three servers become five. Most would just tell everybody.

# %% name="members-setup"
from dslab.protocols import raft_membership, raft_membership_cases, raft_membership_variants

# %% name="members-predict" tags=["predict"]
case = raft_membership_cases.TWO_MAJORITIES
Lab(raft_membership.cluster(5, server=raft_membership_variants.SwitchesAtOnce), seed=case.seed,
    schedule=case.schedule, until=case.until, start=125,
    predict=Prediction(**consensus_questions.TWO_MAJORITIES), title="From three to five")

# %% [markdown] name="snapshots-task" tags=["play"]
# **Snapshots.** A log cannot grow for ever: save the state, then cut the log. This server does it in two
# writes, and n1 loses its power between them. Its log begins at which index now? Watch n1 after its return.

# %% name="snapshots-setup"
from dslab.protocols import raft_snapshots, raft_snapshots_cases, raft_snapshots_variants

# %% name="snapshots-play" tags=["play"]
case = raft_snapshots_cases.BETWEEN_TWO_WRITES
Lab(raft_snapshots.cluster(3, server=raft_snapshots_variants.TrimsAfterwards, clients=5, snapshot_after=4),
    seed=case.seed, schedule=case.schedule, until=case.until, start=165, title="Between two writes")

# %% [markdown] name="returns-task" tags=["predict"]
# (What went wrong: the log still held entries 1 to 5, but the snapshot says that it begins at 5. So entry 5
# of n1 is now another than entry 5 of the others.)
#
# **Returns.** A server was alone for a while. The second lab is the same run with *pre-votes*; play it after
# the first, and compare the terms.

# %% name="returns-setup"
from dslab.protocols import raft_prevote, raft_prevote_cases

# %% name="returns-predict" tags=["predict"]
case = raft_prevote_cases.RETURNS
Lab(raft.cluster(3), seed=case.seed, schedule=case.schedule, until=case.until, start=1_058,
    predict=Prediction(**consensus_questions.RETURNS), title="Somebody comes back")

# %% name="returns-play" tags=["play"]
case = raft_prevote_cases.RETURNS
Lab(raft_prevote.cluster(3), seed=case.seed, schedule=case.schedule, until=case.until, start=1_058,
    title="Somebody comes back, and asks first")

# %% [markdown] name="raft-experiment" tags=["experiment"]
# ### Experiment
#
# How long is a cluster without a leader? Lines are this simulator, markers are the paper's Figure 16. With
# 100 trials a curve, medians lie within a few per cent of the paper's; the tails, which hang on single
# trials, within about a factor of two. Before you look: why is the curve for 150–155 ms a staircase?
# `trials=1000` takes half a minute and is what the paper did.

# %% name="raft-experiment-run" tags=["experiment"]
from dslab.experiments.election_figures import figure_16

figure_16(trials=100, seed=1, ranges=[(150, 155), (150, 200), (150, 300)])

# %% [markdown] name="raft-reflect" tags=["reflect"]
# ### Reflect
#
# Go back to your three predictions. For each: which single rule decided it, and where in the code does it
# stand?
#
# 1. In Figure 8, n1 leads term 3 and gets one more request, which reaches n2 and n3 before n1 dies. Is x=1
#    committed then?
# 2. What would break if a server wrote its term to the disk, but not its vote? And its vote, but not its
#    term?
# 3. The clock of one server runs ten times too fast. Which promises of Raft does that put at risk, and
#    which not?
#
# <details><summary>Compare with these</summary>
#
# 1. Yes: the new entry is of term 3 and on a majority, and whoever wins needs a log at least as new; x=1
#    stands before it.
# 2. Two leaders in one term, as in your first prediction. The other way round the vote would be for a term
#    that the server no longer remembers, so it could vote again in it.
# 3. Only progress: it may call elections all the time. No safety property of Raft speaks of time. A lease
#    does: n1 answered x=1 long after x=2 was committed.
#
# The staircase: time-outs of almost the same length split the votes, and each new try takes another 150 ms.
#
# </details>

# %% [markdown] name="raft-reading" tags=["reading"]
# ### Reading
#
# - Ongaro, Ousterhout, *In Search of an Understandable Consensus Algorithm* (extended version), §5.2–§5.4:
#   four pages, all the rules you used; read Figure 8 with your third prediction beside it.
# - Ongaro, *Consensus: Bridging Theory and Practice*, §3.8 (what must be on the disk) and chapter 9
#   (elections, measured): why the time-outs are what they are.
# - van Steen, Tanenbaum, *Distributed Systems*, §8.2: the same problem seen from process groups, with the
#   failure models that Raft leaves out.

# %% [markdown] name="steps-why" tags=["why"]
# <a id="steps"></a>
# ## Raft, built in four steps
#
# People who wrote Raft on their own report one to three days for the election and four for the log. It goes
# faster in steps that can be tested one by one. Below is a server without decisions: it knows *when* to
# decide and whom to tell. You add the decisions, each step a class that inherits the one before; in the end
# your own cluster survives a storm of faults. About 85 minutes in all. Stuck at a step? Derive the next one
# from `raft_steps.Elected`, `Replicated` or `Committed`: then it is judged as if yours were right.

# %% name="steps-source" tags=["explain"]
show_source(raft_steps.Skeleton.become_leader, raft_steps.Skeleton.on_append_entries, raft_steps.Skeleton.commit_up_to)

# %% [markdown] name="steps-election-statement" tags=["exercise"]
# ### Exercise *steps-election* (20 minutes)
#
# **Given** `Skeleton`, with `role` ("follower", "candidate" or "leader"), `term`, `voted_for`, `votes` (who
# answered what, while candidate), `leader`, `last_index`, `term_at(index)`, `quorum`, `peers`, `id`, and
# `adopt(term)`, `reset_election_timer()`, `become_leader()`, `send(to, message)`, `broadcast(message)`.
# **Goal**: four decisions. Messages: `RequestVote(term, last_index, last_term)`, `Vote(term, granted)`.
# Your `grant_vote` is welcome here. A client will ask your cluster who leads.

# %% name="steps-election-exercise" tags=["exercise"] points=8
class Electing(raft_steps.Skeleton):
    """A server that elects and is elected (§5.2)."""

    def on_election_timeout(self):
        """Nobody leads: stand for election."""
        ### BEGIN SOLUTION
        self.role = "candidate"
        self.term += 1
        self.voted_for, self.leader = self.id, None
        self.votes = {self.id: True}
        self.reset_election_timer()
        self.broadcast(RequestVote(self.term, self.last_index, self.term_at(self.last_index)))
        ### END SOLUTION

    def on_request_vote(self, sender, m):
        """Answer a candidate."""
        ### BEGIN SOLUTION
        granted = grant_vote(self, sender, m)
        self.adopt(m.term)
        self.send(sender, Vote(self.term, granted))
        ### END SOLUTION

    def on_vote(self, sender, m):
        """Count an answer; with enough of them, self.become_leader()."""
        ### BEGIN SOLUTION
        self.adopt(m.term)
        if self.role == "candidate" and m.term == self.term:
            self.votes[sender] = m.granted
            if sum(self.votes.values()) >= self.quorum:
                self.become_leader()
        ### END SOLUTION

    def follows(self, leader, term):
        """A message of a leader of `term` is here. True if this server follows it from now on."""
        ### BEGIN SOLUTION
        self.adopt(term)
        if term < self.term:
            return False
        self.role, self.leader, self.votes = "follower", leader, {}
        self.reset_election_timer()
        return True
        ### END SOLUTION

# %% name="steps-election-mutant-old-votes" tags=["mutant"] property="One leader per term" catalogue="C4"
class Electing(raft_steps.Elected):
    def on_vote(self, sender, m):
        self.adopt(m.term)
        if self.role == "candidate":
            self.votes[sender] = m.granted
            self.count_votes()

# %% name="steps-election-mutant-old-leader" tags=["mutant"] property="Nobody follows the past" catalogue="C4"
class Electing(raft_steps.Elected):
    def follows(self, leader, term):
        self.adopt(term)
        self.role, self.leader, self.votes = "follower", leader, {}
        self.reset_election_timer()
        return True

# %% name="steps-election-mutant-waits-for-votes" tags=["mutant"] property="Requests are answered" catalogue="C10"
class Electing(raft_steps.Elected):
    def on_election_timeout(self):
        self.role = "candidate"
        self.term += 1
        self.voted_for, self.leader = self.id, None
        self.votes = {self.id: True}
        self.broadcast(RequestVote(self.term, self.last_index, self.term_at(self.last_index)))

# %% name="steps-election-mutant-not-for-itself" tags=["mutant"] property="One leader per term" catalogue="C9"
class Electing(raft_steps.Elected):
    def on_election_timeout(self):
        self.role = "candidate"
        self.term += 1
        self.voted_for = self.leader = None
        self.votes = {self.id: True}
        self.reset_election_timer()
        self.broadcast(RequestVote(self.term, self.last_index, self.term_at(self.last_index)))

# %% name="steps-election-mutant-counts-answers" tags=["mutant"] property="One leader per term" catalogue="C32"
class Electing(raft_steps.Elected):
    def on_vote(self, sender, m):
        self.adopt(m.term)
        if self.role == "candidate" and m.term == self.term:
            self.votes[sender] = m.granted
            if len(self.votes) >= self.quorum:
                self.become_leader()

# %% name="steps-election-mutant-already-voted" tags=["mutant"] property="Requests are answered" catalogue="C5"
class Electing(raft_steps.Elected):
    def on_request_vote(self, sender, m):
        if self.voted_for not in (None, sender):
            return self.send(sender, Vote(self.term, False))
        super().on_request_vote(sender, m)

# %% name="steps-election-mutant-adds-up-terms" tags=["mutant"] property="One leader per term" catalogue="C4"
class Electing(raft_steps.Elected):
    def on_election_timeout(self):
        self.role = "candidate"
        self.term += 1
        self.voted_for, self.leader = self.id, None
        self.votes[self.id] = True
        self.reset_election_timer()
        self.broadcast(RequestVote(self.term, self.last_index, self.term_at(self.last_index)))

# %% name="steps-election-mutant-hears-no-heartbeat" tags=["mutant"] property="Requests are answered" catalogue="C10"
class Electing(raft_steps.Elected):
    def follows(self, leader, term):
        self.adopt(term)
        if term == self.term:
            self.role, self.leader, self.votes = "follower", leader, {}
        return term == self.term

# %% name="steps-election-mutant-stays-candidate" tags=["mutant"] property="Who follows is no candidate" catalogue="C5"
class Electing(raft_steps.Elected):
    def follows(self, leader, term):
        self.adopt(term)
        if term == self.term:
            self.leader = leader
            self.reset_election_timer()
        return term == self.term

# %% name="steps-election-mutant-late-votes" tags=["mutant"] property="Elected once" catalogue="C4"
class Electing(raft_steps.Elected):
    def on_vote(self, sender, m):
        self.adopt(m.term)
        if m.term == self.term:
            self.votes[sender] = m.granted
            self.count_votes()

# %% name="steps-election-mutant-silent-refusal" tags=["mutant"] property="Requests are answered" catalogue="C4"
class Electing(raft_steps.Elected):
    def on_request_vote(self, sender, m):
        granted = grant_vote(self, sender, m)
        self.adopt(m.term)
        if granted:
            self.send(sender, Vote(self.term, granted))

# %% name="steps-election-mutant-answers-their-term" tags=["mutant"] property="Requests are answered" catalogue="C4"
class Electing(raft_steps.Elected):
    def on_request_vote(self, sender, m):
        granted = grant_vote(self, sender, m)
        self.adopt(m.term)
        self.send(sender, Vote(m.term, granted))

# %% name="steps-election-mutant-ignores-newer-terms" tags=["mutant"] property="Requests are answered" catalogue="C4"
class Electing(raft_steps.Elected):
    def on_vote(self, sender, m):
        if self.role == "candidate" and m.term == self.term:
            self.votes[sender] = m.granted
            if sum(self.votes.values()) >= self.quorum:
                self.become_leader()

# %% name="steps-election-mutant-adds-up-answers" tags=["mutant"] property="One leader per term" catalogue="C32"
class Electing(raft_steps.Elected):
    def on_election_timeout(self):
        super().on_election_timeout()
        self.count = 1
    def on_vote(self, sender, m):
        self.adopt(m.term)
        if self.role == "candidate" and m.term == self.term and m.granted:
            self.count += 1
            if self.count >= self.quorum:
                self.become_leader()

# %% name="steps-election-mutant-all-peers" tags=["mutant"] property="Requests are answered" catalogue="C35"
class Electing(raft_steps.Elected):
    def on_vote(self, sender, m):
        self.adopt(m.term)
        if self.role == "candidate" and m.term == self.term:
            self.votes[sender] = m.granted
            if sum(self.votes.values()) >= len(self.peers):
                self.become_leader()

# %% name="steps-election-mutant-gives-up" tags=["mutant"] property="Requests are answered" catalogue="C10"
class Electing(raft_steps.Elected):
    def on_vote(self, sender, m):
        self.adopt(m.term)
        if self.role == "candidate" and m.term == self.term:
            self.votes[sender] = m.granted
            if sum(self.votes.values()) >= self.quorum:
                self.become_leader()
            if not m.granted:
                self.role = 'follower'

# %% name="steps-election-mutant-calmed-by-the-past" tags=["mutant"] property="Requests are answered" catalogue="C6"
class Electing(raft_steps.Elected):
    def follows(self, leader, term):
        self.adopt(term)
        self.reset_election_timer()
        if term < self.term:
            return False
        self.role, self.leader, self.votes = "follower", leader, {}
        self.reset_election_timer()
        return True

# %% name="steps-election-mutant-forgets-its-vote" tags=["mutant"] property="One leader per term" catalogue="C9"
class Electing(raft_steps.Elected):
    def follows(self, leader, term):
        self.adopt(term)
        if term < self.term:
            return False
        self.role, self.leader, self.votes = "follower", leader, {}
        self.voted_for = None
        self.reset_election_timer()
        return True

# %% name="steps-election-mutant-follows-all" tags=["mutant"] property="Nobody follows the past" catalogue="C4"
class Electing(raft_steps.Elected):
    def follows(self, leader, term):
        self.adopt(term)
        if term < self.term:
            return True
        self.role, self.leader, self.votes = "follower", leader, {}
        self.reset_election_timer()
        return True

# %% name="steps-election-mutant-says-nothing" tags=["mutant"] property="must return True or False" catalogue="C4"
class Electing(raft_steps.Elected):
    def follows(self, leader, term):
        self.adopt(term)
        if term < self.term:
            return False
        self.role, self.leader, self.votes = "follower", leader, {}
        self.reset_election_timer()

# %% name="steps-election-check" tags=["check"] points=5 title="Elects one leader a term"
verify("steps-election", Electing, raft_steps.electing, like=raft_steps.elected, cases=raft_steps_cases.ELECTION,
       seeds=range(1, 7), faults=raft_steps_cases.NO_RESTARTS, minutes=20)

# %% name="steps-election-hidden" tags=["hidden"] points=3 title="Elects one in runs that you have not seen"
verify("steps-election", Electing, raft_steps.electing, like=raft_steps.elected, faults=raft_steps_cases.NO_RESTARTS,
       cases=raft_cases.rotated(raft_steps_cases.ELECTION, 1, 21), seeds=range(501, 507), minutes=20)

# %% [markdown] name="steps-replication-statement" tags=["exercise"]
# ### Exercise *steps-replication* (25 minutes)
#
# **Goal**: the leader's log reaches everybody. **Given** now `log` (a list of `Entry(term, command, client,
# number)`; index 1 is `log[0]`), `next_index` and `match_index` (dictionaries by name: what to send next, and
# what is *proved* to be there), `commit_index`, `committable()`, `commit_up_to(index)` and `redirect(client,
# m)`. Messages: `AppendEntries(term, prev_index, prev_term, entries, commit_index)` and `Appended(term,
# success, match_index)`; the latter is sent for you, with `match_index` the end of what was appended, or,
# where that failed, the index after which the next try should begin. Properties look at `match_index` while
# you play: what a leader counts must be there.

# %% name="steps-replication-exercise" tags=["exercise"] points=10
class Replicating(Electing):
    """A server that keeps its log equal to the leader's (§5.3)."""

    def on_client_request(self, sender, m):
        """m has a command and a number. Not the leader? self.redirect(sender, m)."""
        ### BEGIN SOLUTION
        if self.role != "leader":
            return self.redirect(sender, m)
        self.log.append(Entry(self.term, m.command, sender, m.number))
        for peer in self.peers:
            self.replicate(peer)
        ### END SOLUTION

    def replicate(self, peer):
        """Send the peer what it may lack; heartbeats go by themselves, and are empty."""
        ### BEGIN SOLUTION
        prev = self.next_index[peer] - 1
        entries = self.log[prev:]
        self.send(peer, AppendEntries(self.term, prev, self.term_at(prev), entries, self.commit_index))
        ### END SOLUTION

    def append(self, m):
        """Put the entries of an AppendEntries into the log; False if they do not fit there."""
        ### BEGIN SOLUTION
        if m.prev_index > self.last_index or self.term_at(m.prev_index) != m.prev_term:
            return False
        for place, entry in enumerate(m.entries, start=m.prev_index):
            if place >= self.last_index or self.log[place] != entry:
                self.log[place:] = [entry]
        return True
        ### END SOLUTION

    def on_appended(self, sender, m):
        """Note what is proved, commit what may be committed, and send what is still missing."""
        ### BEGIN SOLUTION
        self.adopt(m.term)
        if self.role != "leader" or m.term < self.term:
            return
        if m.success:
            self.match_index[sender] = max(self.match_index[sender], m.match_index)
            self.commit_up_to(self.committable())
        self.next_index[sender] = max(self.match_index[sender], m.match_index) + 1
        if self.next_index[sender] <= self.last_index:
            self.replicate(sender)
        ### END SOLUTION

# %% name="steps-replication-mutant-heartbeat" tags=["mutant"] property="What a leader counts is there" catalogue="C11"
class Replicating(raft_steps.Replicated):
    def append(self, m):
        return True if not m.entries else super().append(m)

# %% name="steps-replication-mutant-truncates" tags=["mutant"] property="What a leader counts is there" catalogue="C12"
class Replicating(raft_steps.Replicated):
    def append(self, m):
        if m.prev_index > self.last_index or self.term_at(m.prev_index) != m.prev_term:
            return False
        self.log[m.prev_index:] = m.entries
        return True

# %% name="steps-replication-mutant-next" tags=["mutant"] property="What a leader counts is there" catalogue="C17"
class Replicating(raft_steps.Replicated):
    def replicate(self, peer):
        super().replicate(peer)
        self.next_index[peer] = self.last_index + 1
        self.match_index[peer] = self.next_index[peer] - 1

# %% name="steps-replication-mutant-own-length" tags=["mutant"] property="What a leader counts is there" catalogue="C18"
class Replicating(raft_steps.Replicated):
    def on_appended(self, sender, m):
        super().on_appended(sender, m)
        if self.role == "leader" and m.success and m.term == self.term:
            self.match_index[sender] = self.last_index

# %% name="steps-replication-mutant-no-proof" tags=["mutant"] property="What a leader counts is there" catalogue="C11"
class Replicating(raft_steps.Replicated):
    def append(self, m):
        if m.prev_index > self.last_index:
            return False
        for place, entry in enumerate(m.entries, start=m.prev_index):
            if place >= self.last_index or self.log[place] != entry:
                self.log[place:] = [entry]
        return True

# %% name="steps-replication-mutant-never-goes-back" tags=["mutant"] property="Requests are answered" catalogue="C17"
class Replicating(raft_steps.Replicated):
    def on_appended(self, sender, m):
        if m.success or m.term > self.term:
            super().on_appended(sender, m)

# %% name="steps-replication-mutant-any-answer" tags=["mutant"] property="What a leader counts is there" catalogue="C18"
class Replicating(raft_steps.Replicated):
    def on_appended(self, sender, m):
        self.adopt(m.term)
        if self.role != "leader":
            return
        if m.success:
            self.match_index[sender] = max(self.match_index[sender], m.match_index)
            self.commit_up_to(self.committable())
        self.next_index[sender] = max(self.match_index[sender], m.match_index) + 1
        if self.next_index[sender] <= self.last_index:
            self.replicate(sender)

# %% name="steps-replication-mutant-sends-once" tags=["mutant"] property="Requests are answered" catalogue="C17"
class Replicating(raft_steps.Replicated):
    def on_appended(self, sender, m):
        self.adopt(m.term)
        if self.role != "leader" or m.term < self.term:
            return
        if m.success:
            self.match_index[sender] = max(self.match_index[sender], m.match_index)
            self.commit_up_to(self.committable())
        self.next_index[sender] = max(self.match_index[sender], m.match_index) + 1

# %% name="steps-replication-mutant-keeps-the-tail" tags=["mutant"] property="Logs match" catalogue="C7"
class Replicating(raft_steps.Replicated):
    def append(self, m):
        if m.prev_index > self.last_index or self.term_at(m.prev_index) != m.prev_term:
            return False
        self.log[m.prev_index:m.prev_index + len(m.entries)] = m.entries
        return True

# %% name="steps-replication-mutant-same-words" tags=["mutant"] property="What a leader counts is there" catalogue="C7"
class Replicating(raft_steps.Replicated):
    def append(self, m):
        if m.prev_index > self.last_index or self.term_at(m.prev_index) != m.prev_term:
            return False
        for place, entry in enumerate(m.entries, start=m.prev_index):
            if place >= self.last_index or self.log[place].command != entry.command:
                self.log[place:] = [entry]
        return True

# %% name="steps-replication-mutant-awaits-heartbeat" tags=["mutant"] property="Requests are answered" catalogue="C17"
class Replicating(raft_steps.Replicated):
    def on_client_request(self, sender, m):
        if self.role != "leader":
            return self.redirect(sender, m)
        self.log.append(Entry(self.term, m.command, sender, m.number))

# %% name="steps-replication-mutant-commits-at-once" tags=["mutant"] property="Committed is stored" catalogue="C15"
class Replicating(raft_steps.Replicated):
    def on_client_request(self, sender, m):
        if self.role != "leader":
            return self.redirect(sender, m)
        self.log.append(Entry(self.term, m.command, sender, m.number))
        for peer in self.peers:
            self.replicate(peer)
        self.commit_up_to(self.last_index)

# %% name="steps-replication-mutant-commits-for-others" tags=["mutant"] property="Committed is stored" catalogue="C13"
class Replicating(raft_steps.Replicated):
    def replicate(self, peer):
        prev = self.next_index[peer] - 1
        entries = self.log[prev:]
        self.send(peer, AppendEntries(self.term, prev, self.term_at(prev), entries, self.last_index))

# %% name="steps-replication-mutant-first-answer-commits" tags=["mutant"] property="Committed is stored" catalogue="C32"
class Replicating(raft_steps.Replicated):
    def on_appended(self, sender, m):
        self.adopt(m.term)
        if self.role != "leader" or m.term < self.term:
            return
        if m.success:
            self.match_index[sender] = max(self.match_index[sender], m.match_index)
            self.commit_up_to(m.match_index)
        self.next_index[sender] = max(self.match_index[sender], m.match_index) + 1
        if self.next_index[sender] <= self.last_index:
            self.replicate(sender)

# %% name="steps-replication-mutant-only-at-the-end" tags=["mutant"] property="Requests are answered" catalogue="C12"
class Replicating(raft_steps.Replicated):
    def append(self, m):
        if m.prev_index != self.last_index or self.term_at(m.prev_index) != m.prev_term:
            return False
        self.log.extend(m.entries)
        return True

# %% name="steps-replication-mutant-last-one-never" tags=["mutant"] property="Requests are answered" catalogue="C17"
class Replicating(raft_steps.Replicated):
    def on_appended(self, sender, m):
        self.adopt(m.term)
        if self.role != "leader" or m.term < self.term:
            return
        if m.success:
            self.match_index[sender] = max(self.match_index[sender], m.match_index)
            self.commit_up_to(self.committable())
        self.next_index[sender] = max(self.match_index[sender], m.match_index) + 1
        if self.next_index[sender] < self.last_index:
            self.replicate(sender)

# %% name="steps-replication-mutant-one-behind" tags=["mutant"] property="Requests are answered" catalogue="C17"
class Replicating(raft_steps.Replicated):
    def on_appended(self, sender, m):
        self.adopt(m.term)
        if self.role != "leader" or m.term < self.term:
            return
        if m.success:
            self.match_index[sender] = self.next_index[sender] - 1
            self.commit_up_to(self.committable())
        self.next_index[sender] = max(self.match_index[sender], m.match_index) + 1
        if self.next_index[sender] <= self.last_index:
            self.replicate(sender)

# %% name="steps-replication-mutant-ignores-newer-terms" tags=["mutant"] property="Requests are answered" catalogue="C4"
class Replicating(raft_steps.Replicated):
    def on_appended(self, sender, m):
        if self.role != "leader" or m.term < self.term:
            return
        if m.success:
            self.match_index[sender] = max(self.match_index[sender], m.match_index)
            self.commit_up_to(self.committable())
        self.next_index[sender] = max(self.match_index[sender], m.match_index) + 1
        if self.next_index[sender] <= self.last_index:
            self.replicate(sender)

# %% name="steps-replication-mutant-refusals" tags=["mutant"] property="What a leader counts is there" catalogue="C11"
class Replicating(raft_steps.Replicated):
    def on_appended(self, sender, m):
        self.adopt(m.term)
        if self.role != "leader" or m.term < self.term:
            return
        if True:
            self.match_index[sender] = max(self.match_index[sender], m.match_index)
            self.commit_up_to(self.committable())
        self.next_index[sender] = max(self.match_index[sender], m.match_index) + 1
        if self.next_index[sender] <= self.last_index:
            self.replicate(sender)

# %% name="steps-replication-mutant-by-number" tags=["mutant"] property="Requests are answered" catalogue="C19"
class Replicating(raft_steps.Replicated):
    def on_client_request(self, sender, m):
        if self.role != "leader":
            return self.redirect(sender, m)
        self.log.append(Entry(self.term, m.command, sender, self.last_index + 1))
        for peer in self.peers:
            self.replicate(peer)

# %% name="steps-replication-check" tags=["check"] points=6 title="Logs become equal, and the leader knows which"
verify("steps-replication", Replicating, raft_steps.replicating, like=raft_steps.replicated,
       cases=raft_steps_cases.REPLICATION, seeds=range(1, 7), faults=raft_steps_cases.NO_RESTARTS, minutes=25)

# %% name="steps-replication-hidden" tags=["hidden"] points=4 title="Logs become equal in runs that you have not seen"
verify("steps-replication", Replicating, raft_steps.replicating, like=raft_steps.replicated,
       cases=raft_cases.rotated(raft_steps_cases.REPLICATION, 1, 21), seeds=range(501, 507),
       faults=raft_steps_cases.NO_RESTARTS, minutes=25)

# %% [markdown] name="steps-commitment-statement" tags=["exercise"]
# ### Exercise *steps-commitment* (20 minutes)
#
# So far the leader counts whatever a majority holds, and its followers apply whatever they have. **Goal**:
# `committable()`, the leader's side (your `new_commit_index` is welcome); `known_committed(m)`, the
# follower's, called after `append(m)` was successful; and `answer(index, entry, result)`, called for each
# entry that any server has just applied: who tells which client what? A client gets
# `ClientReply(number, True, result)`.

# %% name="steps-commitment-exercise" tags=["exercise"] points=8
class Committing(Replicating):
    """A server that applies what is safe for ever (§5.3, §5.4.2)."""

    def committable(self):
        """The leader's highest index that is safe for ever."""
        ### BEGIN SOLUTION
        return new_commit_index(self)
        ### END SOLUTION

    def known_committed(self, m):
        """The highest index that AppendEntries m proves to be committed and in this log."""
        ### BEGIN SOLUTION
        return min(m.commit_index, m.prev_index + len(m.entries))
        ### END SOLUTION

    def answer(self, index, entry, result):
        """This server has applied entry, of entry.client and entry.number, which stands at index."""
        ### BEGIN SOLUTION
        if self.role != "leader":
            return
        self.send(entry.client, ClientReply(entry.number, True, result))
        ### END SOLUTION

# %% name="steps-commitment-mutant-any-term" tags=["mutant"] property="Commits are kept" catalogue="C14"
class Committing(raft_steps.Committed):
    def committable(self):
        held = sorted([self.last_index, *self.match_index.values()], reverse=True)
        return max(self.commit_index, held[self.quorum - 1])

# %% name="steps-commitment-mutant-own-length" tags=["mutant"] property="State machines agree" catalogue="C13"
class Committing(raft_steps.Committed):
    def known_committed(self, m):
        return min(m.commit_index, self.last_index)

# %% name="steps-commitment-mutant-not-mine" tags=["mutant"] property="Commits are kept" catalogue="C15"
class Committing(raft_steps.Committed):
    def on_vote(self, sender, m):
        super().on_vote(sender, m)
        if self.leader == self.id:
            del self.log[self.commit_index:]

# %% name="steps-commitment-mutant-by-index" tags=["mutant"] property="Answered is committed" catalogue="C19"
class Committing(raft_steps.Committed):
    def on_start(self):
        super().on_start()
        self.waiting = {}

    def on_client_request(self, sender, m):
        super().on_client_request(sender, m)
        if self.leader == self.id:
            self.waiting[self.last_index] = (sender, m.number)

    def answer(self, index, entry, result):
        if index in self.waiting:
            client, number = self.waiting.pop(index)
            self.send(client, ClientReply(number, True, result))

# %% name="steps-commitment-mutant-told-at-once" tags=["mutant"] property="Answered is committed" catalogue="C15"
class Committing(raft_steps.Committed):
    def on_client_request(self, sender, m):
        super().on_client_request(sender, m)
        if self.leader == self.id:
            self.send(sender, ClientReply(m.number, True, None))

# %% name="steps-commitment-mutant-says-nothing" tags=["mutant"] property="Requests are answered" catalogue="C15"
class Committing(raft_steps.Committed):
    def answer(self, index, entry, result):
        if self.role == "leader" and entry.term != self.term:
            self.send(entry.client, ClientReply(entry.number, True, result))

# %% name="steps-commitment-mutant-last-is-mine" tags=["mutant"] property="Commits are kept" catalogue="C14"
class Committing(raft_steps.Committed):
    def committable(self):
        held = sorted([self.last_index, *self.match_index.values()], reverse=True)
        mine = self.term_at(self.last_index) == self.term
        return max(self.commit_index, held[self.quorum - 1] if mine else 0)

# %% name="steps-commitment-mutant-any-is-mine" tags=["mutant"] property="Commits are kept" catalogue="C14"
class Committing(raft_steps.Committed):
    def committable(self):
        held = sorted([self.last_index, *self.match_index.values()], reverse=True)
        mine = any(entry.term == self.term for entry in self.log)
        return max(self.commit_index, held[self.quorum - 1] if mine else 0)

# %% name="steps-commitment-mutant-no-result" tags=["mutant"] property="Answers are results" catalogue="C15"
class Committing(raft_steps.Committed):
    def answer(self, index, entry, result):
        if self.role != "leader":
            return
        self.send(entry.client, ClientReply(entry.number, True, None))

# %% name="steps-commitment-mutant-command" tags=["mutant"] property="Answers are results" catalogue="C15"
class Committing(raft_steps.Committed):
    def answer(self, index, entry, result):
        if self.role != "leader":
            return
        self.send(entry.client, ClientReply(entry.number, True, entry.command))

# %% name="steps-commitment-mutant-followers" tags=["mutant"] property="Requests are answered" catalogue="C15"
class Committing(raft_steps.Committed):
    def answer(self, index, entry, result):
        if self.role != "leader":
            self.send(entry.client, ClientReply(entry.number, True, result))

# %% name="steps-commitment-mutant-no-answer-given" tags=["mutant"] property="Answers are results" catalogue="C15"
class Committing(raft_steps.Replicated):
    def committable(self):
        return new_commit_index(self)
    def known_committed(self, m):
        return min(m.commit_index, m.prev_index + len(m.entries))

# %% name="steps-commitment-mutant-before-entries" tags=["mutant"] property="What is known is applied" catalogue="C13"
class Committing(raft_steps.Committed):
    def known_committed(self, m):
        return min(m.commit_index, m.prev_index)

# %% name="steps-commitment-mutant-never-hears" tags=["mutant"] property="What is known is applied" catalogue="C13"
class Committing(raft_steps.Committed):
    def known_committed(self, m):
        return self.commit_index

# %% name="steps-commitment-mutant-runs-again" tags=["mutant"] property="An entry runs once" catalogue="C23"
class Committing(raft_steps.Committed):
    def answer(self, index, entry, result):
        if self.role == 'leader':
            self.send(entry.client, ClientReply(entry.number, True, self.execute(entry)))

# %% name="steps-commitment-mutant-own-term-only" tags=["mutant"] property="Requests are answered" catalogue="C15"
class Committing(raft_steps.Committed):
    def answer(self, index, entry, result):
        if self.role == 'leader' and entry.term == self.term:
            self.send(entry.client, ClientReply(entry.number, True, result))

# %% name="steps-commitment-check" tags=["check"] points=5 title="Applies what is safe, and only that"
verify("steps-commitment", Committing, raft_steps.committing, like=raft_steps.committed,
       cases=raft_steps_cases.COMMITMENT, seeds=range(1, 7), faults=raft_steps_cases.NO_RESTARTS, minutes=20)

# %% name="steps-commitment-hidden" tags=["hidden"] points=3 title="Applies it in runs that you have not seen"
verify("steps-commitment", Committing, raft_steps.committing, like=raft_steps.committed,
       cases=raft_cases.rotated(raft_steps_cases.COMMITMENT, 1, 21), seeds=range(501, 507),
       faults=raft_steps_cases.NO_RESTARTS, minutes=20)

# %% [markdown] name="steps-restart-statement" tags=["exercise"]
# ### Exercise *steps-restart* (20 minutes)
#
# Now servers lose their power. `on_start` runs when a server starts and again after each restart; whatever
# `durable` names is there already by then, with the value from the disk. **Goal**: say what is durable and
# what starts anew, and let every request of a client run *once*, however often it stands in the log: a client
# that hears nothing sends it again, with the same number. **Given**: `forget()` sets everything that may be
# lost; `execute(entry)` runs a command on the state machine and returns its result.

# %% name="steps-restart-exercise" tags=["exercise"] points=8
class Restarting(Committing):
    """A server that survives."""

    ### BEGIN SOLUTION
    durable = {"term": 0, "voted_for": None, "log": []}
    ### STUB durable = {}                  # attribute -> value on an empty disk
    ### END SOLUTION

    def on_start(self):
        """Set what is not durable."""
        ### BEGIN SOLUTION
        self.forget()
        self.done = {}
        self.reset_election_timer()
        ### END SOLUTION

    def run(self, entry):
        """Entry is committed: the result of its request, which runs once."""
        ### BEGIN SOLUTION
        number, result = self.done.get(entry.client, (0, None))
        if entry.number > number:
            result = self.execute(entry)
            self.done[entry.client] = (entry.number, result)
        return result
        ### END SOLUTION

# %% name="steps-restart-mutant-vote-in-memory" tags=["mutant"] property="One leader per term" catalogue="C9"
class Restarting(raft_steps.Committed):
    durable = {"term": 0, "log": []}

    def on_start(self):
        self.forget()
        self.voted_for, self.done = None, {}
        self.reset_election_timer()

    def run(self, entry):
        number, result = self.done.get(entry.client, (0, None))
        if entry.number > number:
            result = self.execute(entry)
            self.done[entry.client] = (entry.number, result)
        return result

# %% name="steps-restart-mutant-log-in-memory" tags=["mutant"] property="Commits are kept" catalogue="C9"
class Restarting(raft_steps.Committed):
    durable = {"term": 0, "voted_for": None}

    def on_start(self):
        self.forget()
        self.log, self.done = [], {}
        self.reset_election_timer()

    def run(self, entry):
        number, result = self.done.get(entry.client, (0, None))
        if entry.number > number:
            result = self.execute(entry)
            self.done[entry.client] = (entry.number, result)
        return result

# %% name="steps-restart-mutant-store-on-disk" tags=["mutant"] property="A request runs once" catalogue="C21"
class Restarting(raft_steps.Committed):
    durable = {"term": 0, "voted_for": None, "log": [], "store": {}, "ran": []}

    def on_start(self):
        store, ran = self.store, self.ran
        self.forget()
        self.store, self.ran, self.done = store, ran, {}
        self.reset_election_timer()

    def run(self, entry):
        number, result = self.done.get(entry.client, (0, None))
        if entry.number > number:
            result = self.execute(entry)
            self.done[entry.client] = (entry.number, result)
        return result

# %% name="steps-restart-mutant-fresh-number" tags=["mutant"] property="A request runs once" catalogue="C16"
class Restarting(raft_steps.Committed):
    durable = {"term": 0, "voted_for": None, "log": []}

    def on_start(self):
        self.forget()
        self.done = {}
        self.reset_election_timer()

    def run(self, entry):
        known = (entry.client, entry.number, entry.term)
        if known not in self.done:
            self.done[known] = self.execute(entry)
        return self.done[known]

# %% name="steps-restart-mutant-at-the-front" tags=["mutant"] property="A request runs once" catalogue="C23"
class Restarting(raft_steps.Committed):
    durable = {"term": 0, "voted_for": None, "log": []}

    def on_start(self):
        self.forget()
        self.seen = {}
        self.reset_election_timer()

    def on_client_request(self, sender, m):
        if self.role != "leader":
            self.redirect(sender, m)
        elif self.seen.get(sender) != m.number:
            self.seen[sender] = m.number
            super().on_client_request(sender, m)

    def run(self, entry):
        return self.execute(entry)

# %% name="steps-restart-mutant-by-number" tags=["mutant"] property="Stores follow the log" catalogue="C23"
class Restarting(raft_steps.Restarted):
    def run(self, entry):
        if entry.number not in self.done:
            self.done[entry.number] = self.execute(entry)
        return self.done[entry.number]

# %% name="steps-restart-mutant-by-command" tags=["mutant"] property="Stores follow the log" catalogue="C16"
class Restarting(raft_steps.Restarted):
    def run(self, entry):
        if entry.command not in self.done:
            self.done[entry.command] = self.execute(entry)
        return self.done[entry.command]

# %% name="steps-restart-mutant-by-client-and-command" tags=["mutant"] property="Stores follow the log" catalogue="C16"
class Restarting(raft_steps.Restarted):
    def run(self, entry):
        if (entry.client, entry.command) not in self.done:
            self.done[entry.client, entry.command] = self.execute(entry)
        return self.done[entry.client, entry.command]

# %% name="steps-restart-mutant-says-nothing-twice" tags=["mutant"] property="Answers are results" catalogue="C23"
class Restarting(raft_steps.Restarted):
    def run(self, entry):
        number, _ = self.done.get(entry.client, (0, None))
        if entry.number <= number:
            return None
        self.done[entry.client] = (entry.number, self.execute(entry))
        return self.done[entry.client][1]

# %% name="steps-restart-mutant-says-what-is-now" tags=["mutant"] property="Answers are results" catalogue="C23"
class Restarting(raft_steps.Restarted):
    def run(self, entry):
        number, _ = self.done.get(entry.client, (0, None))
        if entry.number <= number:
            return self.store.get(entry.command.partition("=")[0])
        self.done[entry.client] = (entry.number, self.execute(entry))
        return self.done[entry.client][1]

# %% name="steps-restart-mutant-another-number" tags=["mutant"] property="A request runs once" catalogue="C16"
class Restarting(raft_steps.Restarted):
    def run(self, entry):
        number, result = self.done.get(entry.client, (0, None))
        if entry.number != number:
            result = self.execute(entry)
            self.done[entry.client] = (entry.number, result)
        return result

# %% name="steps-restart-mutant-table-on-disk" tags=["mutant"] property="Stores follow the log" catalogue="C21"
class Restarting(raft_steps.Restarted):
    durable = {"term": 0, "voted_for": None, "log": [], "done": {}}

    def on_start(self):
        self.forget()
        self.reset_election_timer()

# %% name="steps-restart-mutant-applied-on-disk" tags=["mutant"] property="Stores follow the log" catalogue="C21"
class Restarting(raft_steps.Restarted):
    durable = {"term": 0, "voted_for": None, "log": [], "last_applied": 0}

    def on_start(self):
        applied = self.last_applied
        self.forget()
        self.commit_index = self.last_applied = applied
        self.done = {}
        self.reset_election_timer()

# %% name="steps-restart-mutant-still-leads" tags=["mutant"] property="in on_client_request" catalogue="C3"
class Restarting(raft_steps.Committed):
    durable = {"term": 0, "voted_for": None, "log": [], "role": "follower"}
    def on_start(self):
        r = self.role
        self.forget()
        self.done = {}
        self.reset_election_timer()
        self.role = r
    def run(self, entry):
        number, result = self.done.get(entry.client, (0, None))
        if entry.number > number:
            result = self.execute(entry)
            self.done[entry.client] = (entry.number, result)
        return result

# %% name="steps-restart-check" tags=["check"] points=5 title="Survives restarts, and runs requests once"
verify("steps-restart", Restarting, raft_steps.restarting, like=raft_steps.restarted, cases=raft_steps_cases.RESTART,
       seeds=range(1, 9), minutes=20)

# %% name="steps-restart-hidden" tags=["hidden"] points=3 title="Survives storms that you have not seen"
verify("steps-restart", Restarting, raft_steps.restarting, like=raft_steps.restarted,
       cases=raft_cases.rotated(raft_steps_cases.RESTART, 1, 21), seeds=range(501, 511), minutes=20)

# %% [markdown] name="liars-recall" tags=["reflect"]
# **Before you go on**: Which entries may a Raft leader count? Who answers a client whose leader died, and why
# is the request not run twice? What would change in all of Raft's rules if one server could lie?

# %% [markdown] name="liars-why" tags=["why"]
# <a id="liars"></a>
# ## Liars
#
# On 20 July 2008 Amazon's S3 was down for some seven hours. Nothing had crashed. A few messages between servers
# had one wrong bit each; they were well formed, so they were believed and passed on, until servers spent
# their time on gossip about a state of the world that did not exist. A fault that *says* something wrong,
# perhaps different things to different people, is called Byzantine, and no timeout finds it.

# %% name="liars-setup"
from dslab.protocols import pbft, pbft_cases, pbft_steps, pbft_variants

# %% [markdown] name="liars-predict-task" tags=["predict"]
# ### Predict
#
# PBFT (*Practical Byzantine Fault Tolerance*, 1999): the *primary*, which leads, gives each request a number
# (*pre-prepare*); the replicas tell each other which request they heard under that number (*prepare*), and,
# once a *quorum*, enough of them, says the same, that they know so (*commit*). A star marks a liar; what it
# says depends on whom it tells.

# %% name="liars-predict-five" tags=["predict"]
case = pbft_cases.ONE_MORE_NODE
Lab(pbft.cluster(5, server=pbft_variants.MajorityQuorum, clients=2), seed=case.seed, schedule=case.schedule,
    until=case.until, start=25,
    predict=Prediction(**consensus_questions.FIVE_AND_ONE), title="One more, and safer?")

# %% name="liars-predict-signed" tags=["predict"]
case = pbft_cases.HALF_AND_HALF
Lab(pbft.cluster(4, clients=2), seed=case.seed, schedule=case.schedule, until=case.until, start=25,
    predict=Prediction(**consensus_questions.SIGNED), title="Signed lies")

# %% [markdown] name="liars-explain" tags=["explain"]
# ### How it works
#
# A replica acts on *matching* messages of a quorum. The argument is the one of Paxos, with one word more:
# two quorums share a **loyal** member, and a loyal one says the same to everybody. It takes n > 3f replicas
# to stand f liars: f may never answer, and f of those that do may lie.

# %% name="liars-explain-source" tags=["explain"]
show_source(pbft.Replica.is_prepared, pbft.Replica.is_committed, pbft.Replica.matching)

# %% [markdown] name="byzantine-quorum-statement" tags=["exercise"]
# ### Exercise *byzantine-quorum* (10 minutes)
#
# **Given** `n` replicas, of which up to `f` lie, n > 3f. **Goal**: `quorum` is a number of equal answers
# that is *safe* (two quorums always share a loyal replica) and *live* (it comes even if the liars say
# nothing). There may be more than one right answer.

# %% name="byzantine-quorum-exercise" tags=["exercise"] points=5
def quorum(n, f):
    """How many of n replicas must agree if up to f lie."""
    ### BEGIN SOLUTION
    return (n + f) // 2 + 1
    ### END SOLUTION

# %% name="byzantine-quorum-mutant-majority" tags=["mutant"] property="Prepared agree" catalogue="C33"
def quorum(n, f):
    return n // 2 + 1

# %% name="byzantine-quorum-mutant-twice" tags=["mutant"] property="Prepared agree" catalogue="C33"
def quorum(n, f):
    return 2 * f + 1

# %% name="byzantine-quorum-mutant-everybody" tags=["mutant"] property="Requests are answered" catalogue="C35"
def quorum(n, f):
    return n

# %% name="byzantine-quorum-mutant-all-but-one" tags=["mutant"] property="Requests are answered" catalogue="C35"
def quorum(n, f):
    return n - 1

# %% name="byzantine-quorum-mutant-thrice" tags=["mutant"] property="Requests are answered" catalogue="C35"
def quorum(n, f):
    return 3 * f + 1

# %% name="byzantine-quorum-check" tags=["check"] points=3 title="Counts a quorum that liars cannot split"
verify("byzantine-quorum", quorum, pbft_steps.counting, like=pbft.cluster, cases=pbft_steps.QUORUM, minutes=10)

# %% name="byzantine-quorum-hidden" tags=["hidden"] points=2 title="Counts it against liars that you have not seen"
verify("byzantine-quorum", quorum, pbft_steps.counting, like=pbft.cluster, cases=pbft_steps.MORE, minutes=10)

# %% [markdown] name="generals-explain" tags=["explain"]
# ### Generals
#
# The oldest form of the problem (Lamport, Shostak and Pease 1982): a commander sends an order, and all loyal
# generals must do the same, and what he ordered if he is loyal. OM(m): everybody passes on what it heard, m
# times, and believes the majority. Try three generals first. (The star is for you; generals do not see it.)

# %% name="generals-setup"
from dslab.protocols import generals, generals_cases

# %% name="generals-predict" tags=["predict"]
case = generals_cases.THREE_COMMANDER
Lab(generals.cluster(3), seed=case.seed, schedule=case.schedule, until=case.until, start=58,
    predict=Prediction(**consensus_questions.THREE_GENERALS), title="Three generals")

# %% [markdown] name="generals-play-task" tags=["play"]
# Four generals, the commander a traitor who tells n4 something else: what makes n2, n3 and n4 agree? Then seven
# with two traitors: 156 messages for one order. Where do they come from?

# %% name="generals-play-four" tags=["play"]
case = generals_cases.COMMANDER_LIES
Lab(generals.cluster(4), seed=case.seed, schedule=case.schedule, until=case.until, start=18, title="Four generals")

# %% name="generals-play-seven" tags=["explain"]
[generals.messages_of(n, m) for n, m in [(4, 1), (7, 2), (10, 3)]]

# %% [markdown] name="liars-play-task" tags=["play"]
# ### Play: one liar too many
#
# Four replicas stand one liar. Here n1, the primary, and n2 both lie: they say x=1 to n3 and y=2 to n4. Find
# the moment at which *One request per number* breaks, and the two quorums that let it: whom do they share?
# Then take one `turn_traitor` back (*Script*, then *Copy as code*; delete a line in a cell of your own) and
# look again.

# %% name="liars-play" tags=["play"]
case = pbft_cases.TWO_LIARS
Lab(pbft.cluster(4, clients=2), seed=case.seed, schedule=case.schedule, until=case.until, start=25,
    title="f + 1 liars")

# %% [markdown] name="liars-reflect" tags=["reflect"]
# ### Reflect
#
# 1. n = 6, f = 1. Which sizes of quorum are safe and live?
# 2. Why does PBFT need the second round, *commit*? Two quorums of prepares already share a loyal replica.
# 3. Your hospital has four replicas of one program. One bug makes all four wrong at once. What did PBFT buy?
#
# <details><summary>Compare with these</summary>
#
# 1. 4 and 5: two groups of three need share nobody, six waits for the liar.
# 2. Prepares make the number unique within a *view*, the time of one primary. After a change of primary the
#    new one must hear of it; commits say that enough loyal replicas hold the proof.
# 3. Nothing against that bug. f counts *independent* faults.
#
# The generals: n2, n3 and n4 each hear the same three words, attack twice and retreat once. And 156 = 6
# orders, 6 x 5 that pass them on, 6 x 5 x 4 that pass these on.
#
# </details>

# %% [markdown] name="liars-reading" tags=["reading"]
# ### Reading
#
# - Castro, Liskov, *Practical Byzantine Fault Tolerance* (1999), §4.2 and §4.4.
# - Lamport, Shostak, Pease, *The Byzantine Generals Problem* (1982), §2: why three cannot do it; §3: how four
#   can.
# - van Steen, Tanenbaum, *Distributed Systems*, §8.2.5.

# %% [markdown] name="real-recall" tags=["reflect"]
# **Before you go on**: How many liars can seven replicas stand, and how large is a quorum? Why is a silent
# replica less trouble than a lying one? What must be on a Raft server's disk before its vote leaves?

# %% [markdown] name="real-why" tags=["why"]
# <a id="real"></a>
# ## Real processes
#
# A simulator knows when a disk has written and how long a message takes, because it says so. In 2018 people
# found that PostgreSQL, like many others, had believed for twenty years that a second `fsync` after a failed
# one would tell the truth; it need not. So let the same class run where nobody is kind: each server an
# operating-system process, TCP between them, a file that is synced before a message leaves, and SIGKILL,
# which no process can catch.

# %% [markdown] name="real-kill-task" tags=["play"]
# ### Kill the leader
#
# Five processes; the one that leads is killed five times, while a client writes and reads. First guess: how
# long is there no leader, if a server waits 150 to 300 ms? *Your own* Raft runs as well: write
# `raft_steps.restarting(Restarting, 5)` for `raft.cluster(5)`. What is printed here is true on every
# machine; what was measured stands in the figure, and differs from run to run.

# %% name="real-kill" tags=["play"]
from dslab import check_trace
from dslab.live.downtime import compare_with_processes

system = raft.cluster(5)
times, trace = compare_with_processes(system, kills=5, trials=100)
for verdict in check_trace(trace, system.always):
    print(f"{verdict.title}: {verdict.status}")

# %% name="real-downtime" tags=["experiment"]
from dslab.experiments.downtime_figures import figure_downtimes

figure_downtimes(times.times, "Raft's leader killed: five processes, and the simulator with their latency and disk")

# %% [markdown] name="real-recorded-task" tags=["play"]
# The run was recorded as every run is, so it can be played: find a kill, and the message with which the next
# leader begins. (This cell runs when you run it; its picture is not kept in the notebook, because no two
# runs are the same.)

# %% name="real-recorded" tags=["play", "skip-every-run-differs"]
Lab.recorded(trace, system=system, title="Real processes")

# %% [markdown] name="etcd-task" tags=["play"]
# ### Use a library: etcd
#
# etcd keeps the state of Kubernetes clusters, by Raft: here three members, a heartbeat every 100 ms,
# time-outs of 1 to 2 s. Predict its downtime from the figure above, then kill its leader three times. The
# simulator is given the same times and knows nothing else of etcd. Where etcd is not installed, the figure
# says so, and how to get it.

# %% name="etcd-kill" tags=["play"]
from dslab.live.downtime import predicted
from dslab.services.etcd import etcd, probe

downtimes = probe().why_not
if not downtimes:
    with etcd(3) as cluster:
        downtimes = [cluster.downtime()[0] for _ in range(3)]
simulated = predicted(raft.cluster(3, election_timeout=(1000, 2000), heartbeat=100), trials=100)
figure_downtimes({"etcd": downtimes, "simulator": simulated}, "etcd's leader killed: three members")

# %% [markdown] name="real-reflect" tags=["reflect"]
# ### Reflect
#
# 1. In which runs is the simulator too fast, and what does it leave out?
# 2. Your cluster survives SIGKILL. Which failures of a machine were *not* tried here?
#
# <details><summary>Compare with these</summary>
#
# 1. Where the machine was busy: a process waits for a processor, a sync waits for another one. The simulator
#    was given typical times, not the worst ones.
# 2. A disk that says "written" and is not, a full disk, a clock that jumps, a network that delays for
#    minutes, memory that flips a bit; and whatever stops all five at once.
#
# </details>

# %% [markdown] name="real-reading" tags=["reading"]
# ### Reading
#
# - Ongaro, *Consensus: Bridging Theory and Practice*, chapter 9: elections measured; compare its tails with
#   yours.
# - etcd.io, *Tuning*: why heartbeat and time-out are what they are; two pages.
# - Yuan and others, *Simple Testing Can Prevent Most Critical Failures* (2014), §3: three nodes and three
#   events are usually enough to break a real system.

# %% [markdown] name="consensus-reflect" tags=["reflect"]
# ## One page
#
# Without looking: for elections, Paxos, Raft and PBFT write down who may stop without harm, what must be on
# the disk, which two groups must meet and in whom, and what none of them can promise. Compare with the
# tables in van Steen and Tanenbaum, §8.2; what is missing on your page is what to repeat tomorrow.
