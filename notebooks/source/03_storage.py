# %% [markdown] name="storage-title"
# # Storage
#
# Data outlives the machine that holds it, because there are several. Then: which of them holds what, which of
# them is right, and what may somebody who asks be told? Eight parts, each a sitting; each exercise says its
# own time.
#
# | part | you will | about |
# |---|---|---|
# | [What may you see?](#histories) | tell histories that a register can have produced from others | 60 min |
# | [Where does a key live?](#placement) | place keys so that a new node does not move them all | 45 min |
# | [Chord](#chord) | walk through a ring by fingers, and mend it | 80 min |
# | [Kademlia](#kademlia) | measure distance by exclusive or, and race | 25 min |
# | [Quorums](#quorums) | build a replicated register in steps, judged by a checker | 120 min |
# | [Finding what differs](#repair) | compare two stores by a few hashes | 35 min |
# | [One in front](#chain) | see what a primary and a chain buy | 20 min |
# | [Merging](#merging) | write data that cannot conflict, and see what that does not mean | 60 min |
#
# The first exercise takes three minutes.

# %% [markdown] name="histories-why" tags=["why"]
# <a id="histories"></a>
# ## What may you see?
#
# In 2014 a tester cut the leader of an etcd cluster off from the others and read from it. It answered from
# memory, with a value that had been replaced elsewhere. The database called itself consistent, and so it
# was, in some sense of the word. A promise is worth what it rules out, so look at what clients can see, their
# *history*: who asked for what, from when to when, and what was answered. Nothing inside the system counts.
#
# Before you read on: which answers would *you* never accept from a store that several people use? Write down
# two rules.


# %% name="histories-setup"
from dslab import Lab, Prediction, judge_schedule, show_source, simulate, verify
from dslab.check.history import check_history
from dslab.protocols import local_reads, local_reads_cases, local_reads_variants, storage_questions
from dslab.widgets.report import judge_order, judge_shortcut

# %% [markdown] name="histories-explain-register" tags=["explain"]
# ### How it works
#
# A register: a write puts a value in, a read gets the one that was written last. An operation takes from the
# moment its client asks until it has its answer, and takes effect somewhere in between. A history is
# **linearizable** if one can choose a moment for each operation, inside its time, so that a single register
# asked at these moments would have given all these answers.
#
# An operation that was never answered may have taken effect at any moment since, also much later; or it never
# will. So it may be placed anywhere after its beginning, or left out.

# %% [markdown] name="histories-predict-task" tags=["predict"]
# ### Predict
#
# A store with three copies. n1 puts all writes in order and tells the others; each copy answers reads itself, at
# once. The way from n1 to n3 is long. The labs stay locked until you have chosen an answer and said how sure
# you are.

# %% name="histories-predict-other-client" tags=["predict"]
case = local_reads_cases.OTHER_CLIENT
Lab(local_reads.cluster(3), seed=case.seed, schedule=case.schedule, until=case.until, start=238,
    predict=Prediction(**storage_questions.OTHER_CLIENT), title="Another client reads")

# %% name="histories-predict-identity" tags=["predict"]
case = local_reads_cases.IDENTITY
Lab(local_reads.cluster(3, server=local_reads_variants.AnswersCasItself, clients=3), seed=case.seed,
    schedule=case.schedule, until=case.until, start=273,
    predict=Prediction(**storage_questions.IDENTITY), title="Set 119 to 119")

# %% name="histories-predict-wanders" tags=["predict"]
case = local_reads_cases.WANDERS
Lab(local_reads.cluster(3), seed=case.seed, schedule=case.schedule, until=case.until, start=257,
    predict=Prediction(**storage_questions.WANDERS), title="A client wanders")

# %% [markdown] name="histories-explain-checker" tags=["explain"]
# ### How to check a history
#
# Try orders: put one operation after another in its place, ask the register whether it would have answered so,
# and go back where no operation fits. Wing and Gong (1993) did just that; Lowe (2017) adds a memory of the
# dead ends. It takes two decisions, which are yours now: what may come *next*, and when nothing else need be
# tried.

# %% [markdown] name="history-next-statement" tags=["exercise"]
# ### Exercise *history-next* (10 minutes)
#
# **Given** an `operation` and `remaining`, the list of all operations that have no place yet, this one
# included. Each is a dictionary with "client", "do" ("read" or "write"), "value", and "invoked" and
# "completed": when its client asked and was answered, as whole numbers; "completed" is None if it never was.
# **Goal**: `may_come_next` is True if the operation may be the next one in the order, as far as *time* is concerned;
# whether the register would answer so is asked for you.

# %% name="history-next-exercise" tags=["exercise"] points=5
def may_come_next(operation, remaining):
    """Whether time allows this operation to be placed before all the others."""
    ### BEGIN SOLUTION
    ends = [other["completed"] for other in remaining if other["completed"] is not None]
    return all(end >= operation["invoked"] for end in ends)
    ### END SOLUTION

# %% name="history-next-mutant-by-start" tags=["mutant"] property="Nothing possible is refused" catalogue="S3"
def may_come_next(operation, remaining):
    return operation["invoked"] == min(other["invoked"] for other in remaining)

# %% name="history-next-mutant-by-end" tags=["mutant"] property="Nothing possible is refused" catalogue="S3"
def may_come_next(operation, remaining):
    ends = [other["completed"] or 10**9 for other in remaining]
    return (operation["completed"] or 10**9) == min(ends)

# %% name="history-next-mutant-own-order" tags=["mutant"] property="Nothing impossible is accepted" catalogue="S1"
def may_come_next(operation, remaining):
    own = [other["invoked"] for other in remaining if other["client"] == operation["client"]]
    return operation["invoked"] == min(own)

# %% name="history-next-mutant-any-order" tags=["mutant"] property="Nothing impossible is accepted" catalogue="S5"
def may_come_next(operation, remaining):
    return operation in remaining

# %% name="history-next-mutant-drops-unanswered" tags=["mutant"] property="Nothing possible is refused" catalogue="S4"
def may_come_next(operation, remaining):
    answered = [other for other in remaining if other["completed"] is not None]
    return operation in answered and all(other["completed"] >= operation["invoked"] for other in answered)

# %% name="history-next-mutant-waits-for-unanswered" tags=["mutant"] property="Nothing possible is refused" catalogue="S4"
def may_come_next(operation, remaining):
    return all((other["completed"] or other["invoked"]) >= operation["invoked"] for other in remaining)

# %% name="history-next-check" tags=["check"] points=3 title="A checker with this rule is right"
judge_order("history-next", may_come_next, seeds=range(12), minutes=10)

# %% name="history-next-hidden" tags=["hidden"] points=2 title="It is right for histories that you have not seen"
judge_order("history-next", may_come_next, seeds=range(1000, 1020), minutes=10)

# %% [markdown] name="history-shortcut-statement" tags=["exercise"]
# ### Exercise *history-shortcut* (5 minutes)
#
# A checker is slow because it goes back. An operation was placed next, that was legal, and no order came of
# it. Must the checker try another one *in its place*? Somebody who made this course's checker eight times
# faster with a rule like that had nine wrong verdicts on 102 histories of etcd, and did not notice.
# **Given** the `operation`, and the register's value `before` and `after` it. **Goal**:
# `need_not_go_back` is True if any other operation in its place would lead nowhere too. It must
# stay right, and spare what reads can spare.

# %% name="history-shortcut-exercise" tags=["exercise"] points=3
def need_not_go_back(operation, before, after):
    """Whether placing this operation here can have done no harm."""
    ### BEGIN SOLUTION
    return operation["do"] == "read"
    ### END SOLUTION

# %% name="history-shortcut-mutant-unchanged" tags=["mutant"] property="Nothing possible is refused" catalogue="S3"
def need_not_go_back(operation, before, after):
    return before == after

# %% name="history-shortcut-mutant-greedy" tags=["mutant"] property="Nothing possible is refused" catalogue="S3"
def need_not_go_back(operation, before, after):
    return True

# %% name="history-shortcut-mutant-answered" tags=["mutant"] property="Nothing possible is refused" catalogue="S4"
def need_not_go_back(operation, before, after):
    return operation["completed"] is not None

# %% name="history-shortcut-mutant-never" tags=["mutant"] property="Reads need no second try" catalogue="S3"
def need_not_go_back(operation, before, after):
    return False

# %% name="history-shortcut-check" tags=["check"] points=2 title="Saves time and stays right"
judge_shortcut("history-shortcut", need_not_go_back, seeds=range(25), minutes=5)

# %% name="history-shortcut-hidden" tags=["hidden"] points=1 title="Stays right for histories that you have not seen"
judge_shortcut("history-shortcut", need_not_go_back, seeds=range(1000, 1020), minutes=5)

# %% [markdown] name="histories-reflect" tags=["reflect"]
# ### Reflect
#
# 1. A history is linearizable. You leave one read out. Is it still? You leave one *write* out?
# 2. Two keys, each linearizable by itself. Is the whole? Two keys, each sequentially consistent?
# 3. Your two rules from the beginning: which of the models forbids what they forbid?
#
# <details><summary>Compare with these</summary>
#
# 1. Without the read, yes: the order that fits still fits. Without the write, perhaps not: somebody may have
#    read it.
# 2. Linearizability is *local*: points in time put the keys' orders together. Sequential consistency is
#    not: each key may have an order, and the orders contradict each other.
# 3. "Never older than what I have seen" is monotonic reads; "what I wrote is there" is read your writes;
#    "what is finished is seen by everybody" is linearizability, and only that.
#
# </details>

# %% [markdown] name="histories-reading" tags=["reading"]
# ### Reading
#
# - Herlihy, Wing, *Linearizability: A Correctness Condition for Concurrent Objects* (1990), §1 and §3: the
#   definition, and why it is local.
# - Terry and others, *Session Guarantees for Weakly Consistent Replicated Data* (1994), §2: four promises to
#   one client, on two pages.
# - van Steen, Tanenbaum, *Distributed Systems*, §7.2 and §7.3: the same models from the data's side and from
#   the client's.

# %% [markdown] name="placement-recall" tags=["reflect"]
# **Before you go on** (from memory): when is a history linearizable? What may a write that was never answered
# have done? Which of the models speak about one client alone?

# %% [markdown] name="placement-why" tags=["why"]
# <a id="placement"></a>
# ## Where does a key live?
#
# last.fm kept its pages fast with memcached: a key's server was `servers[hash(key) % len(servers)]`. In 2007
# they described what happened whenever they added a server: nearly every key had a new home, so the whole
# cache was empty at once, and the database behind it was killed while it filled again.
#
# You have five servers and twenty thousand keys; a sixth server comes. How many keys *must* move so that all
# six hold about as many? Design a rule for which no more than that do, before you read on.

# %% [markdown] name="placement-predict-task" tags=["predict"]
# ### Predict

# %% [markdown] name="placement-explain-ring" tags=["explain"]
# ### How it works
#
# **A ring of points.** Keys and nodes are hashed to positions 0 to 2**m - 1, and after the last comes the
# first. A key belongs to the node whose point one meets first on the way clockwise; the key's own position
# counts. A new point takes keys from one node only: those between the point before it and itself.
#
# A node may have several points (*virtual nodes*); a key may have several copies.

# %% name="placement-setup"
from dslab.protocols import placement_steps, placement_steps_cases

# %% [markdown] name="ring-owner-statement" tags=["exercise"]
# ### Exercise *ring-owner* (8 minutes)
#
# **Given** `points`, a sorted list of `(position, node)`, in which a node may have several points; and the
# `position` of a key. Positions are 0 to 255. **Goal**: `owner` returns the name of the node to which the
# key belongs.

# %% name="ring-owner-exercise" tags=["exercise"] points=4
def owner(points, position):
    """The node that holds a position of the ring."""
    ### BEGIN SOLUTION
    return next((node for point, node in points if point >= position), points[0][1])
    ### END SOLUTION

# %% name="ring-owner-mutant-modulo" tags=["mutant"] property="Every key is with its owner" catalogue="S11"
def owner(points, position):
    return points[position % len(points)][1]

# %% name="ring-owner-mutant-no-wrap" tags=["mutant"] property="Every key is with its owner" catalogue="S13"
def owner(points, position):
    return next((node for point, node in points if point >= position), points[-1][1])

# %% name="ring-owner-mutant-open-end" tags=["mutant"] property="Every key is with its owner" catalogue="S13"
def owner(points, position):
    return next((node for point, node in points if point > position), points[0][1])

# %% name="ring-owner-mutant-before" tags=["mutant"] property="Every key is with its owner" catalogue="S13"
def owner(points, position):
    return next((node for point, node in reversed(points) if point <= position), points[-1][1])

# %% name="ring-owner-mutant-first-point-only" tags=["mutant"] property="Every key is with its owner" catalogue="S12"
def owner(points, position):
    first = {}
    for point, node in points:
        first.setdefault(node, point)
    return min(first, key=lambda node: (first[node] - position) % 256)

# %% name="ring-owner-mutant-nearest" tags=["mutant"] property="Every key is with its owner" catalogue="S13"
def owner(points, position):
    return min(points, key=lambda one: abs(one[0] - position))[1]

# %% name="ring-owner-check" tags=["check"] points=3 title="Keys lie where the ring says"
verify("ring-owner", owner, placement_steps.owning, like=placement_steps.owned_by_ring,
       cases=placement_steps_cases.OWNER, minutes=8)

# %% name="ring-owner-hidden" tags=["hidden"] points=1 title="So do keys and rings that you have not seen"
verify("ring-owner", owner, placement_steps.owning, like=placement_steps.owned_by_ring,
       cases=placement_steps_cases.OTHER_OWNERS, seeds=range(501, 503), minutes=8)

# %% [markdown] name="ring-copies-play-task" tags=["play"]
# Three copies of each key, on the next three nodes. n1 and n2 stand side by side on the ring. They also stand side
# by side in one rack, host *a*, which loses its power at 100 ms. Play on: what is left?

# %% name="ring-copies-play" tags=["play"]
case = placement_steps_cases.NEIGHBOURS
Lab(placement_steps.by_point(6), seed=case.seed, schedule=case.schedule, until=case.until, start=5,
    title="Three copies, two hosts")

# %% [markdown] name="ring-copies-statement" tags=["exercise"]
# ### Exercise *ring-copies* (12 minutes)
#
# **Given** `points` as before, `hosts` (a dictionary: node to host; several nodes share a host), a `position`, and
# how many `copies` there should be. **Goal**: `holders` returns the list of nodes that hold a copy: the
# owner first, and then the next ones clockwise, but never two on one host; as many as were asked for, or one on
# each host if there are fewer.

# %% name="ring-copies-exercise" tags=["exercise"] points=6
def holders(points, hosts, position, copies):
    """The nodes that hold the copies of a position."""
    ### BEGIN SOLUTION
    turned = sorted(points, key=lambda point: (point[0] < position, point))
    chosen = {}
    for _, node in turned:
        chosen.setdefault(hosts[node], node)
    return list(chosen.values())[:copies]
    ### END SOLUTION

# %% name="ring-copies-mutant-next-points" tags=["mutant"] property="Copies are on different hosts" catalogue="S15"
def holders(points, hosts, position, copies):
    later = [node for point, node in points if point >= position]
    return (later + [node for _, node in points])[:copies]

# %% name="ring-copies-mutant-next-nodes" tags=["mutant"] property="Copies are on different hosts" catalogue="S15"
def holders(points, hosts, position, copies):
    later = [node for point, node in points if point >= position] + [node for _, node in points]
    return list(dict.fromkeys(later))[:copies]

# %% name="ring-copies-mutant-unlike-the-last" tags=["mutant"] property="Copies are on different hosts" catalogue="S15"
def holders(points, hosts, position, copies):
    found = []
    for _, node in [one for one in points if one[0] >= position] + points:
        if not found or hosts[found[-1]] != hosts[node]:
            found.append(node)
    return found[:copies]

# %% name="ring-copies-mutant-stops-at-the-end" tags=["mutant"] property="There are enough copies" catalogue="S13"
def holders(points, hosts, position, copies):
    found = {}
    for point, node in points:
        if point >= position:
            found.setdefault(hosts[node], node)
    return list(found.values())[:copies]

# %% name="ring-copies-mutant-fixed-hosts" tags=["mutant"] property="Copies are the next ones" catalogue="S15"
def holders(points, hosts, position, copies):
    found = {}
    for _, node in points:
        found.setdefault(hosts[node], node)
    return [found[host] for host in sorted(found)][:copies]

# %% name="ring-copies-mutant-drops-a-copy" tags=["mutant"] property="There are enough copies" catalogue="S15"
def holders(points, hosts, position, copies):
    later = [node for point, node in points if point >= position] + [node for _, node in points]
    nearest = list(dict.fromkeys(later))[:copies]
    return list({hosts[node]: node for node in reversed(nearest)}.values())[::-1]

# %% name="ring-copies-check" tags=["check"] points=4 title="A host may die"
verify("ring-copies", holders, placement_steps.copying, like=placement_steps.copied,
       cases=placement_steps_cases.COPY, minutes=12)

# %% name="ring-copies-hidden" tags=["hidden"] points=2 title="So it may on rings that you have not seen"
verify("ring-copies", holders, placement_steps.copying, like=placement_steps.copied,
       cases=placement_steps_cases.OTHER_COPIES, minutes=12)

# %% [markdown] name="placement-reflect" tags=["reflect"]
# ### Reflect
#
# 1. 100 points for each node instead of one: what does it cost, and who pays?
# 2. All points are fair, and still one node is busy and seven are idle. How can that be?
# 3. One host runs 100 of the ring's points, and each key has three copies. What must be looked at beyond the
#    next three points?
#
# <details><summary>Compare with these</summary>
#
# 1. The table of points, which everybody who places a key must have: 100 times the memory, and a longer
#    search, which hardly grows. When a node dies its keys go to many others instead of to one: also a gain.
# 2. One key is hot. Placement spreads keys, not requests; a hot key needs copies, or bounded loads.
# 3. Whose the points are: copies go to the next three *different* hosts, and better to different racks.
#
# </details>

# %% [markdown] name="placement-reading" tags=["reading"]
# ### Reading
#
# - Karger and others, *Consistent Hashing and Random Trees* (1997), §4: what a family of hash functions must
#   promise.
# - Mirrokni, Thorup, Zadimoghaddam, *Consistent Hashing with Bounded Loads* (2016), §1: the rule fits into a
#   paragraph.
# - van Steen, Tanenbaum, *Distributed Systems*, §6.2: names without structure, and how to find who they
#   belong to.

# %% [markdown] name="chord-recall" tags=["reflect"]
# **Before you go on**: which keys move when a node joins a ring of points? Who holds a key whose position is
# exactly that of a node? Why is one point per node not enough?

# %% [markdown] name="chord-why" tags=["why"]
# <a id="chord"></a>
# ## Chord
#
# So far everybody knows every node. A million nodes that come and go cannot be told about each other. Chord
# (2001) lets each know some twenty others, and still finds every key in about ten steps. Its authors claimed
# that its ring always mends. The paper won a prize for having stood the test of time, and a year later
# Pamela Zave showed, with a tool that tries all small cases, that no published version does: not one of its
# seven claimed invariants was one. You will find such a case, too.
#
# Before you read on: you may keep the names of *twenty* nodes of a million. Which twenty?

# %% name="chord-setup"
from dslab.protocols import chord, chord_steps
from dslab.protocols.identifiers import between

# %% [markdown] name="chord-play-task" tags=["play"]
# ### Play
#
# Ten nodes on a circle of 64 identifiers, as in the paper. n2, at 8, is asked who owns 54. Step through the
# lookup in the tab *Ring*, and before each step say which node is asked next. Which of its fingers are
# rejected, and why? Then ask for a key of your own: *request*, `#17`.

# %% name="chord-play-lookup" tags=["play"]
case = chord_steps.FAR
Lab(chord_steps.routed(10), seed=case.seed, schedule=case.schedule, until=case.until, start=58, title="Who owns 54?")

# %% [markdown] name="chord-explain-fingers" tags=["explain"]
# ### How it works
#
# **Fingers.** Finger i of a node at p names the owner of p + 2**i: the first half of them are near, the last
# one is half-way round. A lookup goes to the *last* node before the key that the asked one knows. That at
# least halves the way, so it takes about half of log2 N hops, one for each bit that is set.
#
# **Successors.** A key belongs to (predecessor, node]. It is found when it lies between an asked node and that
# node's successor. So fingers make it short, and successors make it right.

# %% name="chord-explain-lookup-source" tags=["explain"]
show_source(chord.Server.find_closer)

# %% [markdown] name="chord-closest-statement" tags=["exercise"]
# ### Exercise *chord-closest* (12 minutes)
#
# **Given** the `server` that is asked, and a `key`, an identifier. **Allowed names** of the server: `id` (its
# name), `position`, `bits` (there are 2**bits identifiers), `fingers` (a list of `[start, name]`), `successors`
# (a list of names) and `position_of(name)`. And `between(x, low, high, bits)`: whether x lies on the way
# clockwise from low to high, both ends excluded. **Goal**: `closest_preceding_node` returns the name of the
# last node before the key among all that this server knows, or its own name if it knows none.

# %% name="chord-closest-exercise" tags=["exercise"] points=6
def closest_preceding_node(server, key):
    """Whom to ask next (section IV-D of the paper)."""
    ### BEGIN SOLUTION
    best = server.id
    for name in [name for _, name in server.fingers if name] + server.successors:
        if between(server.position_of(name), server.position_of(best), key, server.bits):
            best = name
    return best
    ### END SOLUTION

# %% name="chord-closest-mutant-successor" tags=["mutant"] property="Lookups are short" catalogue="S14"
def closest_preceding_node(server, key):
    following = server.successors[0]
    return following if between(server.position_of(following), server.position, key, server.bits) else server.id

# %% name="chord-closest-mutant-first-finger" tags=["mutant"] property="Lookups are short" catalogue="S14"
def closest_preceding_node(server, key):
    for _, name in server.fingers:
        if between(server.position_of(name), server.position, key, server.bits):
            return name
    return server.id

# %% name="chord-closest-mutant-no-wrap" tags=["mutant"] property="Lookups are short" catalogue="S13"
def closest_preceding_node(server, key):
    before = [name for _, name in server.fingers if server.position < server.position_of(name) < key]
    return max(before, key=server.position_of) if before else server.successors[0]

# %% name="chord-closest-mutant-nearest" tags=["mutant"] property="Lookups are short" catalogue="S13"
def closest_preceding_node(server, key):
    known = [server.id, *(name for _, name in server.fingers), *server.successors]
    return min(known, key=lambda name: abs(server.position_of(name) - key))

# %% name="chord-closest-mutant-farthest" tags=["mutant"] property="Lookups are short" catalogue="S14"
def closest_preceding_node(server, key):
    return server.fingers[-1][1]

# %% name="chord-closest-check" tags=["check"] points=4 title="Lookups halve the way"
verify("chord-closest", closest_preceding_node, chord_steps.routing, like=chord_steps.routed,
       cases=chord_steps.ROUTING, minutes=12)

# %% name="chord-closest-hidden" tags=["hidden"] points=2 title="They do on rings that you have not seen"
verify("chord-closest", closest_preceding_node, chord_steps.routing, like=chord_steps.routed,
       cases=chord_steps.OTHER_RINGS, minutes=12)

# %% [markdown] name="chord-churn-task" tags=["play"]
# ### Join, leave, crash
#
# In this ring n4, n5 and n6 are not there yet. Let one of them *join*, and watch: whom does it ask, who learns of
# it, and when? Let another one *leave*, and *crash* a third. How long is the ring not a ring?

# %% name="chord-churn-play" tags=["play"]
Lab(chord_steps.stabilized(8), seed=4, start=200, title="Coming and going")

# %% [markdown] name="chord-stabilize-explain" tags=["explain"]
# Who joins knows one thing, its successor, and nobody knows *it*. So every node asks its successor from time to
# time: who stands before you? If that one stands between the two, it is the better successor; and either way the
# node tells its successor about itself. A list of successors, copied from the successor's, stands in when one dies.

# %% [markdown] name="chord-stabilize-statement" tags=["exercise"]
# ### Exercise *chord-stabilize* (20 minutes)
#
# **Goal**: two conclusions. `reconcile`: the node that is, or shall be, the successor has told who is its
# `predecessor` (a name, or None) and who are the `others` after it. `notify`: a node called `name` thinks that
# it stands before this one. **Allowed names**: `position`, `bits`, `predecessor` (a name or None), `successors`,
# `position_of(name)`, `between`; `adopt_list(names)`: the first names of it, in ring order, become the successor
# list; `precedes_successor(name)`: whether it stands between this node and its successor; `consider(name)`: asks
# that node whether it lives, and then it is the successor; `notify_successor()`: says "I stand before you".

# %% name="chord-stabilize-exercise" tags=["exercise"] points=8
class Mending(chord_steps.Skeleton):
    """A node that keeps the ring a ring (section IV-E of the paper)."""

    def reconcile(self, successor, predecessor, others):
        """The answer of a successor is here."""
        ### BEGIN SOLUTION
        self.adopt_list([successor] + others)
        if predecessor and self.precedes_successor(predecessor):
            self.consider(predecessor)
        self.notify_successor()
        ### END SOLUTION

    def notify(self, name):
        """Somebody thinks that it is the predecessor."""
        ### BEGIN SOLUTION
        here = self.position_of(name)
        if not self.predecessor or between(here, self.position_of(self.predecessor), self.position, self.bits):
            self.predecessor = name
        ### END SOLUTION

# %% name="chord-stabilize-mutant-says-nothing" tags=["mutant"] property="The ring mends" catalogue="S14"
class Mending(chord_steps.Stabilized):
    def reconcile(self, successor, predecessor, others):
        self.adopt_list([successor, *others])
        if predecessor is not None and self.precedes_successor(predecessor):
            self.consider(predecessor)

# %% name="chord-stabilize-mutant-keeps-its-successor" tags=["mutant"] property="The ring mends" catalogue="S14"
class Mending(chord_steps.Stabilized):
    def reconcile(self, successor, predecessor, others):
        self.adopt_list([successor, *others])
        self.notify_successor()

# %% name="chord-stabilize-mutant-list-of-one" tags=["mutant"] property="The ring mends" catalogue="S14"
class Mending(chord_steps.Stabilized):
    def reconcile(self, successor, predecessor, others):
        super().reconcile(successor, predecessor, [])

# %% name="chord-stabilize-mutant-prefers-the-farther" tags=["mutant"] property="The ring mends" catalogue="S13"
class Mending(chord_steps.Stabilized):
    def notify(self, name):
        now = self.predecessor
        if now is None or between(self.position_of(now), self.position_of(name), self.position, self.bits):
            self.predecessor = name

# %% name="chord-stabilize-mutant-only-the-others" tags=["mutant"] property="The ring mends" catalogue="S14"
class Mending(chord_steps.Stabilized):
    def reconcile(self, successor, predecessor, others):
        self.adopt_list(others or [successor])
        if predecessor is not None and self.precedes_successor(predecessor):
            self.consider(predecessor)
        self.notify_successor()

# %% name="chord-stabilize-mutant-first-one-stays" tags=["mutant"] property="The ring mends" catalogue="S14"
class Mending(chord_steps.Stabilized):
    def notify(self, name):
        self.predecessor = self.predecessor or name

# %% name="chord-stabilize-mutant-no-wrap" tags=["mutant"] property="The ring mends" catalogue="S13"
class Mending(chord_steps.Stabilized):
    def notify(self, name):
        now = self.predecessor
        if now is None or self.position_of(now) < self.position_of(name) < self.position:
            self.predecessor = name

# %% name="chord-stabilize-check" tags=["check"] points=5 title="The ring mends"
verify("chord-stabilize", Mending, chord_steps.stabilizing, like=chord_steps.stabilized,
       cases=chord_steps.STABILIZING, minutes=20)

# %% name="chord-stabilize-hidden" tags=["hidden"] points=3 title="It mends after changes that you have not seen"
verify("chord-stabilize", Mending, chord_steps.stabilizing, like=chord_steps.stabilized,
       cases=[case._replace(seed=seed) for case in chord_steps.STABILIZING for seed in (51, 52, 53)], minutes=20)

# %% [markdown] name="chord-reflect" tags=["reflect"]
# ### Reflect
#
# 1. Which pointers must be right for a lookup to find the *right* node, and which only for it to be short?
# 2. A node knows its next r successors. Half of all nodes die at once. How likely is it, roughly, that a
#    node has lost all of its list?
# 3. Who may look a key up *while* the ring mends, and what can go wrong for that one?
#
# <details><summary>Compare with these</summary>
#
# 1. Successors; fingers only shorten. That is why a join needs one right pointer and can leave the rest to
#    later.
# 2. One half to the power of r: with r = 20 one in a million.
# 3. Everybody. Between a join and the next *stabilize* a key may be looked for at the old owner: the lookup
#    fails, and trying again after a while helps.
#
# </details>

# %% [markdown] name="chord-reading" tags=["reading"]
# ### Reading
#
# - Stoica and others, *Chord: A Scalable Peer-to-peer Lookup Service for Internet Applications* (2001), §4:
#   lookup, join and stabilisation in three pages.
# - Zave, *Reasoning about Identifier Spaces: How to Make Chord Correct* (2017), §3: how rings break, with
#   pictures.
# - van Steen, Tanenbaum, *Distributed Systems*, §6.2.3: Chord worked through with numbers.

# %% [markdown] name="merging-recall" tags=["reflect"]
# **Before you go on**: what may a chain's tail do alone? What is a tombstone for? Which write does "the newest
# wins" throw away, and who had been told that it was safe?

# %% [markdown] name="merging-why" tags=["why"]
# <a id="merging"></a>
# ## Merging
#
# Dynamo kept both versions of a cart that had been changed on two sides, and the shop merged them: everything
# that is in one of them is in the cart. Nothing that was added is ever lost. But what somebody had *removed*
# came back, and customers wondered.
#
# Merging is easy to get wrong by hand, so choose data for which it cannot go wrong: whoever hears the same
# news, in any order, however often, knows the same. Try it with the simplest: a counter that two replicas
# may count up without asking each other.

# %% name="merging-setup"
from dslab import judge_laws
from dslab.protocols import crdt_cases, crdt_questions, crdt_steps, crdt_steps_cases, crdt_variants

# %% [markdown] name="merging-predict-task" tags=["predict"]
# ### Predict
#
# n1 adds 3, n2 adds 5, and they send each other what they know. Three ways to merge, and what each of them makes
# of it. The first two are people's first two ideas.

# %% name="merging-predict-total" tags=["predict"]
case = crdt_cases.TWO_COUNT
Lab(crdt_cases.stage(server=crdt_variants.SingleTotal), seed=case.seed, schedule=case.schedule, until=case.until,
    start=55, predict=Prediction(**crdt_questions.ONE_TOTAL), title="The larger total")

# %% name="merging-predict-twice" tags=["predict"]
case = crdt_cases.DELIVERED_TWICE
Lab(crdt_cases.stage(server=crdt_variants.AddsUp), seed=case.seed, schedule=case.schedule, until=case.until,
    start=58, predict=Prediction(**crdt_questions.TWICE), title="Merging adds")

# %% [markdown] name="merging-play-task" tags=["play"]
# ### Play
#
# The same two runs with a slot for each replica. In the tab *Merge* the states stand as a lattice: each merge goes up
# to the lowest state that is above both. Deliver a message again (click it, *duplicate*), or an old one late:
# which move does it make in the picture?

# %% name="merging-play" tags=["play"]
case = crdt_cases.DELIVERED_TWICE
Lab(crdt_cases.stage(crdt="g-counter"), seed=case.seed, schedule=case.schedule, until=case.until, start=55,
    title="A slot for each")

# %% [markdown] name="merging-explain" tags=["explain"]
# ### How it works
#
# A merge that is *commutative*, *associative* and *idempotent* does not care about order and repetition: it is the
# least upper bound of a partial order, and every update moves up. Then all who have heard the same updates are
# equal, whatever the network did. That is a promise about agreement. Whether what they agree on makes sense
# is another matter; the last prediction of this part is about that.

# %% name="merging-predict-carts" tags=["predict"]
case = crdt_cases.TWO_CARTS
Lab(crdt_cases.stage(crdt="lww-register"), seed=case.seed, schedule=case.schedule, until=case.until, start=36,
    predict=Prediction(**crdt_questions.CARTS), title="Two carts")

# %% [markdown] name="crdt-counter-statement" tags=["exercise"]
# ### Exercise *crdt-counter* (12 minutes)
#
# Replicas send each other their whole *state* from time to time; states get lost, come twice, and come late.
# **Goal**: a counter. `inc(state, amount, replica)` returns the state after this `replica` (its name) has
# added `amount`, 0 or more; `merge(state, other)` what a replica knows after it has received another's
# state; `value(state)` what a reader is told. A state is plain data: numbers, text, lists, dictionaries; the
# first one is what `initial` returns.

# %% name="crdt-counter-exercise" tags=["exercise"] points=7
class MyCounter(crdt_steps.Counter):
    """A counter that grows, on any number of replicas."""

    def initial(self):
        return {}

    def inc(self, state, amount, replica):
        """The state after this replica has added the amount."""
        ### BEGIN SOLUTION
        state[replica] = state.get(replica, 0) + amount
        return state
        ### END SOLUTION

    def merge(self, state, other):
        """What is known from both states together."""
        ### BEGIN SOLUTION
        for replica, added in other.items():
            state[replica] = max(added, state.get(replica, 0))
        return state
        ### END SOLUTION

    def value(self, state):
        """What a reader is told."""
        ### BEGIN SOLUTION
        return sum(state.values())
        ### END SOLUTION

# %% name="crdt-counter-mutant-one-slot" tags=["mutant"] property="Every update counts, once" catalogue="S17"
class MyCounter(crdt_steps.Counter):
    def initial(self):
        return 0

    def inc(self, state, amount, replica):
        return state + amount

    def merge(self, state, other):
        return max(state, other)

    def value(self, state):
        return state

# %% name="crdt-counter-mutant-adds" tags=["mutant"] property="Same updates, same value" catalogue="S16"
class MyCounter(crdt_steps.Counter):
    def inc(self, state, amount, replica):
        return {**state, replica: state.get(replica, 0) + amount}

    def merge(self, state, other):
        names = sorted({*state, *other})
        return {name: state.get(name, 0) + other.get(name, 0) for name in names}

    def value(self, state):
        return sum(number for number in state.values())

# %% name="crdt-counter-mutant-takes-the-other" tags=["mutant"] property="Every update counts, once" catalogue="S16"
class MyCounter(crdt_steps.Counter):
    def inc(self, state, amount, replica):
        return {**state, replica: state.get(replica, 0) + amount}

    def merge(self, state, other):
        return {**state, **other}

    def value(self, state):
        return sum(number for number in state.values())

# %% name="crdt-counter-mutant-largest-slot" tags=["mutant"] property="Every update counts, once" catalogue="S17"
class MyCounter(crdt_steps.Counter):
    def inc(self, state, amount, replica):
        return {**state, replica: state.get(replica, 0) + amount}

    def merge(self, state, other):
        return {name: max(state.get(name, 0), other.get(name, 0)) for name in sorted({*state, *other})}

    def value(self, state):
        return max(state.values(), default=0)

# %% name="crdt-counter-mutant-last-amount" tags=["mutant"] property="Every update counts, once" catalogue="S17"
class MyCounter(crdt_steps.Counter):
    def inc(self, state, amount, replica):
        return {**state, replica: max(amount, state.get(replica, 0))}

    def merge(self, state, other):
        return {name: max(state.get(name, 0), other.get(name, 0)) for name in sorted({*state, *other})}

    def value(self, state):
        return sum(number for number in state.values())

# %% name="crdt-counter-mutant-list-of-all" tags=["mutant"] property="Every update counts, once" catalogue="S20"
class MyCounter(crdt_steps.Counter):
    def initial(self):
        return []

    def inc(self, state, amount, replica):
        return [*state, amount]

    def merge(self, state, other):
        return state + other[len(state):]

    def value(self, state):
        return sum(state)

# %% name="crdt-counter-check" tags=["check"] points=4 title="Every addition counts once"
verify("crdt-counter", MyCounter, crdt_steps.counting, like=crdt_steps.counted, cases=crdt_steps_cases.COUNTER,
       minutes=12)

# %% name="crdt-counter-laws" tags=["check"] points=1 title="Its merge obeys the laws"
judge_laws("crdt-counter", MyCounter, crdt_steps.AnsweredCounter, minutes=12)

# %% name="crdt-counter-hidden" tags=["hidden"] points=2 title="So it does in storms that you have not seen"
verify("crdt-counter", MyCounter, crdt_steps.counting, like=crdt_steps.counted,
       cases=crdt_steps_cases.storms(range(501, 509)), minutes=12)

# %% [markdown] name="merging-set-task" tags=["predict"]
# **A set.** The simplest one from which things can be removed holds two sets: what was added, and what was removed.
# Both only grow, so they merge by union; what is in the first and not in the second is there.

# %% name="merging-predict-again" tags=["predict"]
case = crdt_cases.ADDED_AGAIN
Lab(crdt_cases.stage(crdt="2p-set"), seed=case.seed, schedule=case.schedule, until=case.until, start=65,
    predict=Prediction(**crdt_questions.BACK_AGAIN), title="Milk, no milk, milk")

# %% [markdown] name="or-set-statement" tags=["exercise"]
# ### Exercise *or-set* (25 minutes)
#
# **Goal**: a set from which one may also remove. A remove takes away the adds that its replica *had seen*, no
# others; so if somebody adds while somebody else removes, the add wins, and what was removed can be added
# again. `add(state, element, tag)`: no two adds ever have the same `tag`, a text such as "n2.7".
# `remove(state, element)`, `merge(state, other)`, and `value(state)`, a list of the elements. A state is
# plain data: lists and dictionaries with text as keys.

# %% name="or-set-exercise" tags=["exercise"] points=11
class MySet(crdt_steps.Set):
    """A set in which an add wins over a remove that has not seen it."""

    def initial(self):
        ### BEGIN SOLUTION
        return {"tags": {}, "gone": []}
        ### STUB return {}
        ### END SOLUTION

    def add(self, state, element, tag):
        ### BEGIN SOLUTION
        state["tags"][tag] = element
        return state
        ### END SOLUTION

    def remove(self, state, element):
        ### BEGIN SOLUTION
        state["gone"] += [tag for tag, held in state["tags"].items() if held == element]
        return state
        ### END SOLUTION

    def merge(self, state, other):
        ### BEGIN SOLUTION
        state["tags"].update(other["tags"])
        state["gone"] = sorted({*state["gone"], *other["gone"]})
        return state
        ### END SOLUTION

    def value(self, state):
        ### BEGIN SOLUTION
        return [element for tag, element in state["tags"].items() if tag not in state["gone"]]
        ### END SOLUTION

# %% name="or-set-mutant-two-phases" tags=["mutant"] property="Every update counts, once" catalogue="S19"
class MySet(crdt_steps.Set):
    def initial(self):
        return {"in": [], "out": []}

    def add(self, state, element, tag):
        return {**state, "in": sorted({*state["in"], element})}

    def remove(self, state, element):
        return {**state, "out": sorted({*state["out"], element} & set(state["in"]))}

    def merge(self, state, other):
        return {half: sorted({*state[half], *other[half]}) for half in ("in", "out")}

    def value(self, state):
        return [one for one in state["in"] if one not in state["out"]]

# %% name="or-set-mutant-no-tombstones" tags=["mutant"] property="Every update counts, once" catalogue="S19"
class MySet(crdt_steps.Set):
    def add(self, state, element, tag):
        return {**state, tag: element}

    def remove(self, state, element):
        return {tag: held for tag, held in state.items() if held != element}

    def merge(self, state, other):
        return {**state, **other}

    def value(self, state):
        return list(state.values())

# %% name="or-set-mutant-one-tag-only" tags=["mutant"] property="Every update counts, once" catalogue="S19"
class MySet(crdt_steps.Set):
    def initial(self):
        return {"in": {}, "out": []}

    def add(self, state, element, tag):
        return {**state, "in": {**state["in"], element: tag}}

    def remove(self, state, element):
        return {**state, "out": sorted({*state["out"], state["in"].get(element, "")})}

    def merge(self, state, other):
        return {"in": {**state["in"], **other["in"]}, "out": sorted({*state["out"], *other["out"]})}

    def value(self, state):
        return [element for element, tag in state["in"].items() if tag not in state["out"]]

# %% name="or-set-mutant-newest-side-wins" tags=["mutant"] property="Every update counts, once" catalogue="S19"
class MySet(crdt_steps.Set):
    def add(self, state, element, tag):
        return {**state, element: abs(state.get(element, 0)) + 1}

    def remove(self, state, element):
        return {**state, element: -abs(state.get(element, 0)) - 1}

    def merge(self, state, other):
        return {one: max(state.get(one, 0), other.get(one, 0), key=lambda n: (abs(n), n)) for one in {**state, **other}}

    def value(self, state):
        return [one for one, count in state.items() if count > 0]

# %% name="or-set-mutant-keeps-tombstones-to-itself" tags=["mutant"] property="Same updates, same value" catalogue="S20"
class MySet(crdt_steps.Set):
    def initial(self):
        return {"in": {}, "out": []}

    def add(self, state, element, tag):
        return {**state, "in": {**state["in"], tag: element}}

    def remove(self, state, element):
        return {**state, "out": state["out"] + [tag for tag, one in state["in"].items() if one == element]}

    def merge(self, state, other):
        return {"in": {**state["in"], **other["in"]}, "out": state["out"]}

    def value(self, state):
        return [one for tag, one in state["in"].items() if tag not in state["out"]]

# %% name="or-set-mutant-removes-the-unseen" tags=["mutant"] property="Every update counts, once" catalogue="S19"
class MySet(crdt_steps.Set):
    def initial(self):
        return {"in": {}, "out": {}}

    def add(self, state, element, tag):
        return {**state, "in": {**state["in"], tag: element}}

    def remove(self, state, element):
        return {**state, "out": {**state["out"], element: len(state["in"]) + 1}}

    def merge(self, state, other):
        return {"in": {**state["in"], **other["in"]}, "out": {**state["out"], **other["out"]}}

    def value(self, state):
        tags = list(state["in"].values())
        return [one for one in tags if tags.index(one) + 1 > state["out"].get(one, 0)]

# %% name="or-set-check" tags=["check"] points=6 title="An add wins over a remove that has not seen it"
verify("or-set", MySet, crdt_steps.sets, like=crdt_steps.or_set, cases=crdt_steps_cases.SET, minutes=25)

# %% name="or-set-laws" tags=["check"] points=1 title="Its merge obeys the laws"
judge_laws("or-set", MySet, crdt_steps.AnsweredSet, minutes=25)

# %% name="or-set-hidden" tags=["hidden"] points=4 title="So it does in storms that you have not seen"
verify("or-set", MySet, crdt_steps.sets, like=crdt_steps.or_set, cases=crdt_steps_cases.set_storms(range(501, 509)),
       minutes=25)

# %% [markdown] name="merging-or-set-task" tags=["predict"]
# Yours is built. One more question before you compare it with what others wrote.

# %% name="merging-predict-or-set" tags=["predict"]
case = crdt_cases.ADD_AND_REMOVE
Lab(crdt_cases.stage(crdt="or-set"), seed=case.seed, schedule=case.schedule, until=case.until, start=228,
    predict=Prediction(**crdt_questions.WHO_WINS), title="Add and remove at once")

# %% [markdown] name="merging-operations-task" tags=["predict"]
# **Operations instead of states.** "inc 3" is shorter than a whole state. What does the network have to promise then?

# %% name="merging-predict-operation" tags=["predict"]
case = crdt_cases.COUNTED_TWICE
Lab(crdt_cases.stage(server=crdt_variants.RunsAgain), seed=case.seed, schedule=case.schedule, until=case.until,
    start=12, predict=Prediction(**crdt_questions.COPY), title="The same operation again")

# %% name="merging-predict-early" tags=["predict"]
case = crdt_cases.REMOVED_BEFORE_ADDED
Lab(crdt_cases.stage(3, server=crdt_variants.RunsAtOnce), seed=case.seed, schedule=case.schedule, until=case.until,
    start=62, predict=Prediction(**crdt_questions.OVERTAKEN), title="Removed before it was added")

# %% [markdown] name="merging-stock-task" tags=["predict"]
# **Converged, and wrong.** A counter that may also go down, for a stock of one. A replica that sees 0 refuses to sell.

# %% name="merging-predict-stock" tags=["predict"]
case = crdt_cases.BOTH_SELL
Lab(crdt_cases.stage(server=crdt_variants.Sells), seed=case.seed, schedule=case.schedule, until=case.until,
    start=95, predict=Prediction(**crdt_questions.LAST_ONE), title="The last one")

# %% [markdown] name="merging-rights-task" tags=["play"]
# The same schedule, where the right to sell is given out in advance: n1 holds it, n2 does not. Nobody asks anybody at
# the moment of the sale. What does n2's customer hear, and what has to happen before n2 may sell one?

# %% name="merging-rights-play" tags=["play"]
case = crdt_cases.BOTH_SELL
Lab(crdt_cases.stage(crdt="bounded-counter"), seed=case.seed, schedule=case.schedule, until=case.until, start=95,
    title="One has the right")

# %% [markdown] name="merging-reflect" tags=["reflect"]
# ### Reflect
#
# 1. Merge is commutative, associative and idempotent. Which of the three does a network that loses nothing and
#    doubles nothing still need?
# 2. Everybody agrees: the stock is -1. Which promise was kept, which one was nobody's?
# 3. An OR-set's tags and tombstones grow for ever. When may one be forgotten?
#
# <details><summary>Compare with these</summary>
#
# 1. The first two: messages still overtake each other, and states still come by different ways. Even
#    idempotence, if a state reaches somebody by two ways.
# 2. All replicas that heard the same are equal: kept. "At least 0" is about two replicas' *sum of choices*; it
#    needs somebody to ask before the last item is sold, or shares of the stock given out in advance.
# 3. When every replica has seen it, and that takes the news of everybody: a bit of agreement after all.
#
# </details>

# %% [markdown] name="merging-reading" tags=["reading"]
# ### Reading
#
# - Shapiro, Preguiça, Baquero, Zawirski, *Conflict-free Replicated Data Types* (2011), §2 and §3: the two kinds
#   and why they converge.
# - The same, *A Comprehensive Study of Convergent and Commutative Replicated Data Types* (2011), §3: counters,
#   registers, sets and sequences, one page each.
# - Kleppmann, *Designing Data-Intensive Applications* (2017), chapter 5: where carts, calendars and editors
#   meet these.

# %% [markdown] name="storage-reflect" tags=["reflect"]
# ## One page
#
# Without looking: for the ring, the quorum, the chain and the CRDT write down who may write without asking
# anybody, what a reader may see, which failure stops it, and what must be on the disk. Where you wrote
# "consistent", replace it by the name of a model. What is missing on your page is what to repeat tomorrow.
