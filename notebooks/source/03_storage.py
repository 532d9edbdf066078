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
# | [Quorums](#quorum) | build a replicated register in steps, judged by a checker | 120 min |
# | [Finding what differs](#repair) | compare two stores by a few hashes | 35 min |
# | [One in front](#chain) | see what a primary and a chain buy | 20 min |
# | [Merging](#merging) | write data that cannot conflict, and see what that does not mean | 60 min |
#
# The first exercise takes ten minutes.

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
from dslab import (
    HistoryChart, Lab, Prediction, check_history, judge_order, judge_puzzles, judge_schedule, judge_shortcut,
    linearizable, puzzle, show_source, verify,
)
from dslab.protocols import local_reads, local_reads_cases, local_reads_variants, storage_questions

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

# %% [markdown] name="history-puzzles-statement" tags=["exercise"]
# ### Exercise *history-puzzles* (10 minutes)
#
# Four histories of one register that holds 0 at first. In each picture put a point on every bar (drag it, or use
# the arrow keys; the line below shows what the register would hold then). **Goal**: a proof for each: an *order*
# such as `"BAC"`, in which an operation that was never answered may be left out; or a *set* such as
# `{"A", "C"}` of operations that cannot all have happened, the smaller the better. A bare True or False earns
# half. More of them: `puzzle(seed, difficulty=1)` to 5, as many as you like.

# %% name="history-puzzles-setup"
series = {"a": (3, 1), "b": (2, 2), "c": (4, 3), "d": (1, 4)}

# %% name="history-puzzles-a" tags=["play"]
HistoryChart(puzzle(3, 1).operations, initial="0", puzzle=True, title="Puzzle a")

# %% name="history-puzzles-b" tags=["play"]
HistoryChart(puzzle(2, 2).operations, initial="0", puzzle=True, title="Puzzle b")

# %% name="history-puzzles-c" tags=["play"]
HistoryChart(puzzle(4, 3).operations, initial="0", puzzle=True, title="Puzzle c")

# %% name="history-puzzles-d" tags=["play"]
HistoryChart(puzzle(1, 4).operations, initial="0", puzzle=True, title="Puzzle d")

# %% name="history-puzzles-exercise" tags=["exercise"] points=6
my_answers = {
    ### BEGIN SOLUTION
    "a": {"B", "E"}, "b": "ABDEFC",
    "c": "ACDBEFG", "d": {"D", "E", "F", "H"},
    ### STUB "a": None,
    ### STUB "b": None,
    ### STUB "c": None,
    ### STUB "d": None,
    ### END SOLUTION
}

# %% name="history-puzzles-mutant-own-order" tags=["mutant"] property="puzzle a" catalogue="S1"
my_answers = {"a": True, "b": True, "c": True, "d": True}

# %% name="history-puzzles-mutant-by-start" tags=["mutant"] property="puzzle b" catalogue="S3"
my_answers = {"a": False, "b": False, "c": False, "d": False}

# %% name="history-puzzles-mutant-without-pending" tags=["mutant"] property="puzzle c" catalogue="S4"
my_answers = {"a": False, "b": True, "c": False, "d": False}

# %% name="history-puzzles-mutant-order-of-asking" tags=["mutant"] property="puzzle b" catalogue="S3"
my_answers = {"a": False, "b": "ABCDEF", "c": "ABCDEFG", "d": False}

# %% name="history-puzzles-mutant-no-proof" tags=["mutant"] property="history-puzzles-proofs" catalogue="S3"
my_answers = {"a": False, "b": True, "c": True, "d": False}

# %% name="history-puzzles-check" tags=["check"] points=4 title="Every history gets its verdict"
judge_puzzles("history-puzzles", my_answers, series, minutes=10)

# %% name="history-puzzles-proofs" tags=["check"] points=2 title="Every verdict has its proof"
judge_puzzles("history-puzzles", my_answers, series, proofs=True, minutes=10)

# %% [markdown] name="histories-predict-task" tags=["predict"]
# ### Predict
#
# A store with three copies. n1 puts all writes in order and tells the others; each copy answers reads itself, at
# once. The way from n1 to n3 is long. The labs stay locked until you have chosen an answer and said how sure
# you are. Then play on, and see in the tab *Operations* what the clients were told.

# %% name="histories-predict-other-client" tags=["predict"]
case = local_reads_cases.OTHER_CLIENT
Lab(local_reads.cluster(3), seed=case.seed, schedule=case.schedule, until=case.until, start=238,
    properties=[linearizable()], predict=Prediction(**storage_questions.OTHER_CLIENT), title="Another client reads")

# %% name="histories-predict-identity" tags=["predict"]
case = local_reads_cases.IDENTITY
Lab(local_reads.cluster(3, server=local_reads_variants.AnswersCasItself, clients=3), seed=case.seed,
    schedule=case.schedule, until=case.until, start=273,
    predict=Prediction(**storage_questions.IDENTITY), title="Set 119 to 119")

# %% name="histories-predict-wanders" tags=["predict"]
case = local_reads_cases.WANDERS
Lab(local_reads.cluster(3), seed=case.seed, schedule=case.schedule, until=case.until, start=257,
    properties=[linearizable(consistency="monotonic reads")],
    predict=Prediction(**storage_questions.WANDERS), title="A client wanders")

# %% [markdown] name="histories-models-task" tags=["explain"]
# ### Weaker promises
#
# | model | there is ... | it keeps |
# |---|---|---|
# | linearizable | one order for all | real time |
# | sequential | one order for all | each client's own order |
# | causal | an order for each client | everybody's own order, and what was read before what was written after it |
# | PRAM | an order for each client | everybody's own order |
# | sessions | an order for each client | one of four things that a client may expect of *itself* |
# | eventual | agreement in the end | nothing on the way |
#
# Between each two neighbours lies a history that the weaker one accepts and the stronger one refuses. For each
# picture say first *why* the stronger refuses it; then find the order that the weaker one has in mind. (A
# *compare-and-set*, cas, replaces a value if it is the expected one, and says whether it was.)

# %% name="histories-models-setup"
from IPython.display import Markdown

from dslab import BETWEEN, BETWEEN_TRANSACTIONS, separation_table

# %% name="histories-models" tags=["explain"]
for pair in BETWEEN[:7]:
    display(Markdown(f"**{pair.weaker}, not {pair.stronger}.** {pair.sentence}"))
    display(HistoryChart(pair.history, consistency=pair.stronger, title=pair.name))

# %% [markdown] name="histories-sessions-task" tags=["explain"]
# **Promises to one client** (Terry and others 1994): to see what one has written, never to read something older
# than before, and to have one's writes, and those that answer to what one read, in order. They are independent
# of each other. For each pair: what did the client do, and what did it have a right to expect?

# %% name="histories-sessions" tags=["explain"]
for pair in BETWEEN[7:]:
    display(Markdown(f"**{pair.weaker}, not {pair.stronger}.** {pair.sentence}"))
    display(HistoryChart(pair.history, consistency=pair.stronger, title=pair.name))

# %% [markdown] name="histories-transactions-task" tags=["explain"]
# **Transactions** do several things at once. *Serializable*: some order of whole transactions gives all
# answers; it need not be the order in time. *Strict* adds real time. *Snapshot isolation*: each reads from one
# moment, and two that write the same do not both commit. So "serializable" and "linearizable" are promises
# about different things, and a serializable database may answer from yesterday. Each row below is a smallest
# history between levels. Which of these would you let your bank have? Find *write skew*, *lost update* and
# *long fork* among them.

# %% name="histories-transactions" tags=["explain"]
Markdown(separation_table(BETWEEN_TRANSACTIONS))

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
# whether the register would answer so is asked for you. One that is asked in the very moment in which another is
# answered overlaps it.

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

# %% name="history-next-mutant-waits" tags=["mutant"] property="Nothing possible is refused" catalogue="S4"
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
# 4. Which rows of the table of transactions are write skew, lost update and long fork?
#
# <details><summary>Compare with these</summary>
#
# 1. Without the read, yes: the order that fits still fits. Without the write, perhaps not: somebody may have
#    read it.
# 2. Linearizability is *local*: points in time put the keys' orders together. Sequential consistency is
#    not: each key may have an order, and the orders contradict each other.
# 3. "Never older than what I have seen" is monotonic reads; "what I wrote is there" is read your writes;
#    "what is finished is seen by everybody" is linearizability, and only that.
# 4. Write skew: each reads what the other writes, as it was before. Lost update: both read the same version and
#    both write the next. Long fork: two readers see two writes in different orders.
#
# </details>

# %% [markdown] name="histories-reading" tags=["reading"]
# ### Reading
#
# - Herlihy, Wing, *Linearizability: A Correctness Condition for Concurrent Objects* (1990), §1 and §3: the
#   definition, and why it is local.
# - Terry and others, *Session Guarantees for Weakly Consistent Replicated Data* (1994), §2: four promises to
#   one client, on two pages.
# - van Steen, Tanenbaum, *Distributed Systems* (4th edition), §7.2 and §7.3: the same models from the data's
#   side and from the client's.

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

# %% name="placement-setup"
from dslab.protocols import (
    consistent_hashing_cases,
    consistent_hashing_variants,
    hash_table,
    placement_steps,
    placement_steps_cases,
)

# %% [markdown] name="placement-table-task" tags=["play"]
# ### Play
#
# A table on *one* node first. It has buckets, and a key's bucket is its hash modulo their number. Write keys until the
# table grows (`a=1`, `b=2`, ...): how many of them change their bucket when it does?

# %% name="placement-table" tags=["play"]
Lab(hash_table.cluster(), seed=1, schedule=[
    {"at": 20 * i, "do": "request", "command": f"k{i}={i}"} for i in range(1, 9)],
    until=600, start=150, title="A table")

# %% [markdown] name="placement-predict-task" tags=["predict"]
# ### Predict
#
# Now the table is spread over servers. First a key's number decides, modulo how many servers there are; then a position
# on a ring: each server answers for the part of it that ends where it stands. Having answered, play on, and look in the
# tab *Churn* at which keys went where.

# %% name="placement-predict-modulo" tags=["predict"]
case = consistent_hashing_cases.ONE_MORE
Lab(consistent_hashing_cases.stage(6, server=consistent_hashing_variants.Modulo, clients=4), seed=case.seed,
    schedule=case.schedule, until=case.until, start=2_990, predict=Prediction(**storage_questions.ONE_MORE),
    title="hash % n")

# %% name="placement-predict-one-point" tags=["predict"]
case = consistent_hashing_cases.CROWDED
Lab(consistent_hashing_cases.stage(8, server=consistent_hashing_variants.OnePoint, clients=4), seed=case.seed,
    schedule=case.schedule, until=case.until, start=90, predict=Prediction(**storage_questions.CROWDED),
    title="Each at the hash of its name")

# %% [markdown] name="placement-explain-ring" tags=["explain"]
# ### How it works
#
# **A ring of points.** Keys and nodes are hashed to positions 0 to 2**m - 1, and after the last comes the
# first. A key belongs to the node whose point one meets first on the way clockwise; the key's own position
# counts. A new point takes keys from one node only: those between the point before it and itself.
#
# A node may have several points (*virtual nodes*); a key may have several copies.

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

# %% name="ring-owner-mutant-starts-at-n1" tags=["mutant"] property="Every key is with its owner" catalogue="S13"
def owner(points, position):
    later = [node for point, node in points if point >= position]
    return later[0] if later else "n1"

# %% name="ring-owner-mutant-modulo-255" tags=["mutant"] property="Every key is with its owner" catalogue="S13"
def owner(points, position):
    return min(points, key=lambda one: (one[0] - position) % 255)[1]

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

# %% name="ring-copies-mutant-always-three" tags=["mutant"] property="There are enough copies" catalogue="S15"
def holders(points, hosts, position, copies):
    found = {}
    for _, node in [one for one in points if one[0] >= position] + points:
        found.setdefault(hosts[node], node)
    return list(found.values())[:3]

# %% name="ring-copies-mutant-walks-for-ever" tags=["mutant"] property="look for a loop that never ends" catalogue="S15"
def holders(points, hosts, position, copies):
    found, walk = {}, [one for one in points if one[0] >= position] + points
    while len(found) < copies:
        for _, node in walk:
            if len(found) < copies:
                found.setdefault(hosts[node], node)
    return list(found.values())

# %% name="ring-copies-mutant-one-point-short" tags=["mutant"] property="There are enough copies" catalogue="S13"
def holders(points, hosts, position, copies):
    start = next((i for i, one in enumerate(points) if one[0] >= position), 0)
    found = {}
    for _, node in points[start:] + points[:max(start - 1, 0)]:
        found.setdefault(hosts[node], node)
    return list(found.values())[:copies]

# %% name="ring-copies-check" tags=["check"] points=4 title="A host may die"
verify("ring-copies", holders, placement_steps.copying, like=placement_steps.copied,
       cases=placement_steps_cases.COPY, minutes=12)

# %% name="ring-copies-hidden" tags=["hidden"] points=2 title="So it may on rings that you have not seen"
verify("ring-copies", holders, placement_steps.copying, like=placement_steps.copied,
       cases=placement_steps_cases.OTHER_COPIES, minutes=12)

# %% [markdown] name="placement-join-task" tags=["play"]
# ### Play
#
# The same sixty keys on a ring with points for each server. Let n6 join (*join*): which servers give keys away, and to
# whom? Then crash one: who has its keys now?

# %% name="placement-join" tags=["play"]
case = consistent_hashing_cases.ONE_MORE
Lab(consistent_hashing_cases.stage(6, clients=4), seed=case.seed, schedule=case.schedule, until=case.until, start=2_990,
    title="One more server")

# %% [markdown] name="placement-experiment-task" tags=["experiment"]
# ### Experiment
#
# How many keys move, and how even is it? First guesses: five servers become six, a hundred points each; and a thousand
# servers of which each takes at most 1.25 times the mean and sends the rest on (*bounded loads*, 2016): how many
# servers further, on average?

# %% name="placement-experiment" tags=["experiment"]
from dslab.experiments.placement import bounded_loads, moved

for modulo in (True, False):
    print("hash % n" if modulo else "a ring", f"moves {moved(5, modulo=modulo).share:.0%} of the keys")
for c in (1.1, 1.25, 2):
    bounded = bounded_loads(c=c, rings=5)
    print(f"at most {c} times the mean: a key is passed on by {bounded.extra_hops:.1f} servers")
print(f"without a bound the fullest has {bounded.unbounded / 100:.1f} times the mean")

# %% [markdown] name="placement-virtual-task" tags=["experiment"]
# What do more points per node buy? Below, the share of the emptiest and of the fullest hundredth of the nodes, for 1 to
# 20 points each. Marks are the paper's, lines are ours. How many points would you take, and why not a thousand?

# %% name="placement-virtual" tags=["experiment"]
from dslab.experiments.storage_figures import figure_virtual_nodes

figure_virtual_nodes()

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
# lookup in the tab *Lookup*, and before each step say which node is asked next. Which of its fingers are
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
    """Whom to ask next (sections IV-D and IV-E.3 of the paper)."""
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

# %% name="chord-closest-mutant-no-wrap" tags=["mutant"] property="The closest one is named" catalogue="S13"
def closest_preceding_node(server, key):
    before = [name for _, name in server.fingers if server.position < server.position_of(name) < key]
    return max(before, key=server.position_of) if before else server.successors[0]

# %% name="chord-closest-mutant-nearest" tags=["mutant"] property="The closest one is named" catalogue="S13"
def closest_preceding_node(server, key):
    known = [server.id, *(name for _, name in server.fingers), *server.successors]
    return min(known, key=lambda name: abs(server.position_of(name) - key))

# %% name="chord-closest-mutant-farthest" tags=["mutant"] property="Lookups are short" catalogue="S14"
def closest_preceding_node(server, key):
    return server.fingers[-1][1]

# %% name="chord-closest-mutant-fingers-only" tags=["mutant"] property="The closest one is named" catalogue="S14"
def closest_preceding_node(server, key):
    for _, name in reversed(server.fingers):
        if between(server.position_of(name), server.position, key, server.bits):
            return name
    return server.id

# %% name="chord-closest-mutant-never-itself" tags=["mutant"] property="The closest one is named" catalogue="S13"
def closest_preceding_node(server, key):
    best = server.successors[0]
    for name in [name for _, name in server.fingers] + server.successors:
        if between(server.position_of(name), server.position_of(best), key, server.bits):
            best = name
    return best

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
        self.adopt_list([successor, *others])
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

# %% name="chord-stabilize-mutant-believes-the-last" tags=["mutant"] property="Predecessors come nearer" catalogue="S14"
class Mending(chord_steps.Stabilized):
    def notify(self, name):
        self.predecessor = name or self.predecessor

# %% name="chord-stabilize-mutant-believes" tags=["mutant"] property="A nearer successor has answered" catalogue="S14"
class Mending(chord_steps.Stabilized):
    def reconcile(self, successor, predecessor, others):
        names = [successor, *others]
        if predecessor is not None and self.precedes_successor(predecessor):
            names.insert(0, predecessor)
        self.adopt_list(names)
        self.notify_successor()

# %% name="chord-stabilize-mutant-asks-anybody" tags=["mutant"] property="is told to ask itself" catalogue="S14"
class Mending(chord_steps.Stabilized):
    def reconcile(self, successor, predecessor, others):
        self.adopt_list([successor, *others])
        if predecessor is not None:
            self.consider(predecessor)
        self.notify_successor()

# %% name="chord-stabilize-check" tags=["check"] points=5 title="The ring mends"
verify("chord-stabilize", Mending, chord_steps.stabilizing, like=chord_steps.stabilized,
       cases=chord_steps.STABILIZING, minutes=20)

# %% name="chord-stabilize-hidden" tags=["hidden"] points=3 title="It mends after changes that you have not seen"
verify("chord-stabilize", Mending, chord_steps.stabilizing, like=chord_steps.stabilized,
       cases=[case._replace(seed=seed) for case in chord_steps.STABILIZING for seed in (51, 52, 53)], minutes=20)

# %% [markdown] name="chord-never-mends-task" tags=["play"]
# ### A ring that never mends
#
# The rules of 2001 had no `check_predecessor`, believed in whom a successor named without asking it, and let a
# node in with one successor only. `explore` tries every order of events. First: n2 joins between n1 and n3, and
# one node fails. Then, from there on: can the two that are left become a ring again, if timers run out as often
# as they like, and messages come in any order, or twice, or not at all?

# %% name="chord-never-mends-setup"
from dslab.experiments.chord_mending import can_mend, crowd
from dslab.protocols import chord_cases, chord_variants

# %% name="chord-never-mends" tags=["play"]
print("The rules of 2001:", can_mend(chord_variants.Chord2001))
print("The rules of today:", can_mend(chord.Server, states=20_000))

# %% name="chord-never-mends-play" tags=["play"]
case = chord_cases.GONE_BETWEEN
Lab(chord_cases.three(chord_variants.Chord2001), seed=case.seed, schedule=case.schedule, until=case.until, start=255,
    title="The rules of 2001")

# %% [markdown] name="chord-never-mends-explain" tags=["explain"]
# n3 takes n2 for its predecessor and n2 is dead. n1 asks n3 who stands before it, hears "n2", makes it its
# successor, finds it dead, goes back to n3, and hears "n2" again. Nobody ever asks the *predecessor* whether it
# lives. Three repairs: ask it (the paper of 2003), ask a node before making it the successor, and let nobody in
# without a whole list of successors (Zave). Above is the first run of `chord_cases.CASES`; open the second one
# in the same way. Which of the three is missing in each of them?

# %% name="chord-repairs-source" tags=["explain"]
show_source(chord.Server.on_check_predecessor_timeout)

# %% [markdown] name="chord-thousand-task" tags=["experiment"]
# ### Experiment: a thousand nodes
#
# 1,000 nodes, every message an event; eight come and eight go while others look keys up. First guess: how many
# hops does a lookup take, and how many of them fail?

# %% name="chord-thousand" tags=["experiment"]
print(crowd(1_000, changes=16, lookups=100, seed=1))

# %% [markdown] name="chord-paths-task" tags=["experiment"]
# Two measurements of its authors (2001 and 2003): how long lookups are for rings of 8 to 8,192 nodes (no messages here,
# only the tables), and what becomes of them when many nodes fail at once, before anything is mended. Marks are the
# paper's, lines are ours. Where half of the nodes are dead our lookups run into about one timeout more than the
# paper's.

# %% name="chord-paths" tags=["experiment"]
from dslab.experiments.storage_figures import figure_failures, figure_paths

figure_paths()

# %% name="chord-failures" tags=["experiment"]
figure_failures()

# %% [markdown] name="chord-reflect" tags=["reflect"]
# ### Reflect
#
# 1. Which pointers must be right for a lookup to find the *right* node, and which only for it to be short?
# 2. A node knows its next r successors. Half of all nodes die at once. How likely is it, roughly, that a
#    node has lost all of its list?
# 3. Who may look a key up *while* the ring mends, and what can go wrong for that one?
# 4. Which of the three repairs is missing in each of the two runs of `chord_cases.CASES`?
#
# <details><summary>Compare with these</summary>
#
# 1. Successors; fingers only shorten. That is why a join needs one right pointer and can leave the rest to
#    later.
# 2. One half to the power of r: with r = 20 one in a million.
# 3. Everybody. Between a join and the next *stabilize* a key may be looked for at the old owner: the lookup
#    fails, and trying again after a while helps.
# 4. In the first n3 must ask its predecessor whether it lives; in the second n2 must have a whole list of
#    successors before it is let in. To ask before one makes a node the successor keeps a dead name from taking
#    the place of a living one.
#
# </details>

# %% [markdown] name="chord-reading" tags=["reading"]
# ### Reading
#
# - Stoica and others, *Chord: A Scalable Peer-to-peer Lookup Protocol for Internet Applications* (2003), §IV:
#   lookup, join and stabilisation in five pages.
# - Zave, *Reasoning about Identifier Spaces: How to Make Chord Correct* (2017), §3: how rings break, with
#   pictures.
# - van Steen, Tanenbaum, *Distributed Systems*, §6.2.3: Chord worked through with numbers.

# %% [markdown] name="kademlia-recall" tags=["reflect"]
# **Before you go on**: which finger does a Chord node ask, and which ones does it reject? What does
# *stabilize* ask for, and what does *notify* tell? Who must be asked whether it lives, so that the ring mends?

# %% [markdown] name="kademlia-why" tags=["why"]
# <a id="kademlia"></a>
# ## Kademlia
#
# BitTorrent's clients find each other without a server: a table of addresses is spread over all of them,
# and a measurement in 2013 counted between 15 and 27 million on a day. Nobody there *stabilises* anything.
# Kademlia (2002) learns about other nodes from the lookups that pass by, asks several at once, and does not
# wait for the dead.
#
# The trick is a distance that both sides measure alike. In Chord, who asks me is not who I would ask. Which
# distance between two numbers is symmetric, and gets smaller with each bit that agrees?

# %% name="kademlia-setup"
from dslab.protocols import kademlia, storage_cases

# %% [markdown] name="kademlia-predict-task" tags=["predict"]
# ### Predict
#
# The distance between two positions is their exclusive or, read as a number: 6 xor 3 = 0110 xor 0011 = 0101 =
# 5. Whoever shares more bits from the left is nearer.

# %% name="kademlia-predict" tags=["predict"]
case = storage_cases.NEAREST
Lab(kademlia.cluster(6, bits=4, positions=(1, 4, 7, 10, 12, 15)), seed=case.seed, schedule=case.schedule,
    until=case.until, start=52, predict=Prediction(**storage_questions.NEAREST), title="Nearest to 8")

# %% [markdown] name="kademlia-explain" tags=["explain"]
# ### How it works
#
# A node has a **bucket** for each length of a prefix that others share with it: half of all nodes in bucket 0, a
# quarter in bucket 1, and so on; of each it remembers at most k. A lookup asks the nearest three that it knows for the
# nearest that *they* know, again and again, until nobody knows a nearer one. Who does not answer is
# simply not waited for. And whoever asks is remembered: tables are kept by the traffic itself.

# %% name="kademlia-explain-source" tags=["explain"]
show_source(kademlia.Server.seen)

# %% [markdown] name="kademlia-play-task" tags=["play"]
# ### Play
#
# Sixteen nodes. Ask n1 for `#200` (*request*), and count who is asked at once, and how often a lookup comes
# nearer. Then crash two of those and ask again: what does it cost, compared with a Chord ring whose finger is
# dead?

# %% name="kademlia-play" tags=["play"]
Lab(kademlia.cluster(16, bits=8), seed=3, schedule=[{"at": 50, "do": "request", "command": "#200", "to": "n1"}],
    until=800, start=45, title="Sixteen nodes")

# %% [markdown] name="kademlia-race-task" tags=["experiment"]
# ### Experiment: a race
#
# Along successors a lookup takes N/2 hops; by fingers about half of log2 N; by buckets of k less, and the less
# the larger k. Guess for N = 16,384: 7 by fingers; with k = 1, 8 and 20? In the tab *Race* of the lab above the
# three race.

# %% name="kademlia-race" tags=["experiment"]
from dslab.experiments.storage_figures import figure_hops

figure_hops()

# %% [markdown] name="kademlia-reflect" tags=["reflect"]
# ### Reflect
#
# 1. 13 xor 9 = 4. Which bit do 9 and 13 differ in, and in which bucket does 13 keep 9, if positions have
#    four bits?
# 2. A full bucket prefers nodes that it has known for long. Why is that wise in a network of strangers?
#
# <details><summary>Compare with these</summary>
#
# 1. 1101 and 1001 share the first bit and differ in the second: a common prefix of length 1.
# 2. Who has been there for an hour will, on average, stay longer than who has just come; and nobody can
#    flush the table by sending many new names.
#
# </details>

# %% [markdown] name="kademlia-reading" tags=["reading"]
# ### Reading
#
# - Maymounkov, Mazières, *Kademlia: A Peer-to-peer Information System Based on the XOR Metric* (2002), §2.
# - Wang, Kangasharju, *Measuring Large-Scale Distributed Systems: Case of BitTorrent Mainline DHT* (2013), §4:
#   how one counts millions.
# - Rhea and others, *Handling Churn in a DHT* (2004), §4: what happens to lookups when nodes stay minutes.

# %% [markdown] name="quorum-recall" tags=["reflect"]
# **Before you go on**: what is 6 xor 3, and which of 2 and 7 is nearer to 6? Why does Kademlia ask three nodes
# at once? When may a read return an older value than another read that is over?

# %% [markdown] name="quorum-why" tags=["why"]
# <a id="quorum"></a>
# ## Quorums
#
# "Add to cart" must never be refused, said Amazon, and built Dynamo (2007): N replicas hold a key, a write is
# done when W of them have it, a read asks R. Databases that followed tell their users: R + W > N, and reads
# are consistent. In 2013 a tester wrote 2,000 numbers into one of them during a partition. Nearly all were
# acknowledged; nine out of ten were gone afterwards.
#
# No leader, no log, no votes: two numbers to choose. What exactly do overlapping sets promise, and what not?
# Before you read on: N = 3, R = W = 2. Try to find a read that is wrong.

# %% name="quorum-setup"
from dslab.protocols import (
    abd,
    quorum,
    quorum_cases,
    quorum_handoff,
    quorum_properties,
    quorum_questions,
    quorum_sessions,
    quorum_steps,
    quorum_steps_cases,
)

# %% [markdown] name="quorum-predict-task" tags=["predict"]
# ### Predict
#
# Three replicas, each on its own machine; whoever is asked by a client coordinates: it asks the others, and
# answers when enough have answered. The third lab has four servers, of which n1, n2 and n3 keep the key b.

# %% name="quorum-predict-half-written" tags=["predict"]
case = quorum_cases.HALF_WRITTEN
Lab(quorum.cluster(3, clients=3), seed=case.seed, schedule=case.schedule, until=case.until, start=233,
    properties=[linearizable()], predict=Prediction(**quorum_questions.HALF_WRITTEN), title="R + W > N")

# %% name="quorum-predict-unknown" tags=["predict"]
case = quorum_cases.UNKNOWN_WRITE
Lab(quorum.cluster(3, clients=3, tries=1), seed=case.seed, schedule=case.schedule, until=case.until, start=890,
    properties=[linearizable()], predict=Prediction(**quorum_questions.UNKNOWN_WRITE), title="A write that failed")

# %% name="quorum-predict-homes" tags=["predict"]
case = quorum_cases.HOMES_CUT_OFF
Lab(quorum_handoff.cluster(4, server=quorum_handoff.Sloppy, clients=3), seed=case.seed, schedule=case.schedule,
    until=case.until, start=660, predict=Prediction(**quorum_questions.HOMES_CUT_OFF), title="Somebody stands in")

# %% [markdown] name="quorum-play-task" tags=["play"]
# ### Play
#
# The first run again, with a reader that writes back: c2 is told 1 only when two replicas have it. When does c2 get its
# answer now, and why may c3 still be told 0?

# %% name="quorum-play-abd" tags=["play"]
case = quorum_cases.HALF_WRITTEN
Lab(abd.cluster(3, clients=3), seed=case.seed, schedule=case.schedule, until=case.until, start=233,
    properties=[linearizable()], title="The reader writes back")

# %% [markdown] name="quorum-explain" tags=["explain"]
# ### How it works
#
# Any R and any W of N replicas share one if R + W > N. So a read meets the newest *acknowledged* write, and
# versions tell which of the answers is the newest. What this does not give: an order for what is still running,
# or has failed. **ABD** (1995) adds one sentence: what a read is about to return, a quorum must hold first.
# Then every later read meets it, too. Two round trips for a read, no leader, no election, and it is
# linearizable. Below is the read of the store *without* it: in which order does it do its two things?

# %% name="quorum-explain-source" tags=["explain"]
show_source(quorum.Replica.found)

# %% [markdown] name="quorum-steps-explain" tags=["explain"]
# ### Built in four steps
#
# Every server is a replica and a coordinator. For a client it asks all replicas what they hold; a **write** then
# picks a version, `[counter, name]`, newer than all that it heard, and has it stored; a **read** takes the newest
# answer. Below is a server without decisions: it knows whom to ask and when to decide. You add the decisions.
# Each step is a class that inherits the one before. Stuck? Derive the next step from `quorum_steps.Written`,
# `Read` or `Repaired`: then it is judged as if yours were right.

# %% name="quorum-steps-source" tags=["explain"]
show_source(quorum_steps.quorum.Coordinator.heard, quorum_steps.quorum.Coordinator.stored)

# %% [markdown] name="quorum-write-statement" tags=["exercise"]
# ### Exercise *quorum-write* (20 minutes)
#
# **Given** `self.R` and `self.W`, with R + W > N, `self.id`, `self.counter` (0 at first), `self.versions` ({key:
# [version, value]}: what this replica stores), `self.held(key)` (the same for one key; `[[0, ""], None]` if there
# is nothing). `answers` is {replica: [version, value]}, `acks` a list of replicas. Versions are lists
# `[counter, name]` and compare as they stand. **Goal**: three decisions.

# %% name="quorum-write-exercise" tags=["exercise"] points=6
class Writing(quorum_steps.Skeleton):
    """A replica that stores, and coordinates writes."""

    def new_version(self, answers):
        """The version of this write, different from all others; None while too few have answered."""
        ### BEGIN SOLUTION
        if len(answers) < self.R:
            return None
        counters = [version[0] for version, _ in answers.values()]
        self.counter = max([self.counter, *counters]) + 1
        return [self.counter, self.id]
        ### END SOLUTION

    def keep(self, key, version, value):
        """Somebody wants this stored here."""
        ### BEGIN SOLUTION
        if version > self.held(key)[0]:
            self.versions[key] = [version, value]
        ### END SOLUTION

    def is_stored(self, acks):
        """Whether the client may be told: these replicas have stored the version, or hold a newer one."""
        ### BEGIN SOLUTION
        return len(acks) >= self.W
        ### END SOLUTION

# %% name="quorum-write-mutant-own-counter" tags=["mutant"] property="Writes are newer" catalogue="S9"
class Writing(quorum_steps.Written):
    def new_version(self, answers):
        self.counter += 1
        return [self.counter, self.id]

# %% name="quorum-write-mutant-no-name" tags=["mutant"] property="One value per version" catalogue="S9"
class Writing(quorum_steps.Written):
    def new_version(self, answers):
        version = super().new_version(answers)
        return version and [version[0], "w"]

# %% name="quorum-write-mutant-forgets-its-own" tags=["mutant"] property="One value per version" catalogue="S9"
class Writing(quorum_steps.Written):
    def new_version(self, answers):
        if len(answers) >= self.R:
            return [1 + max(version[0] for version, _ in answers.values()), self.id]

# %% name="quorum-write-mutant-asks-one" tags=["mutant"] property="Writes are newer" catalogue="S6"
class Writing(quorum_steps.Written):
    def new_version(self, answers):
        self.counter = max(self.counter, *(version[0] for version, _ in answers.values())) + 1
        return [self.counter, self.id]

# %% name="quorum-write-mutant-last-wins" tags=["mutant"] property="What is acknowledged is stored" catalogue="S9"
class Writing(quorum_steps.Written):
    def keep(self, key, version, value):
        self.versions[key] = [list(version), value]

# %% name="quorum-write-mutant-one-is-enough" tags=["mutant"] property="What is acknowledged is stored" catalogue="S7"
class Writing(quorum_steps.Written):
    def is_stored(self, acks):
        return len(acks) > 0

# %% name="quorum-write-mutant-one-less" tags=["mutant"] property="What is acknowledged is stored" catalogue="S8"
class Writing(quorum_steps.Written):
    def is_stored(self, acks):
        return len(acks) >= self.W - 1

# %% name="quorum-write-mutant-everybody" tags=["mutant"] property="Requests are answered" catalogue="S7"
class Writing(quorum_steps.Written):
    def is_stored(self, acks):
        return len(acks) == len(self.peers) + 1

# %% name="quorum-write-mutant-asks-as-many-as-it-stores" tags=["mutant"] property="Writes are newer" catalogue="S6"
class Writing(quorum_steps.Written):
    def new_version(self, answers):
        return quorum_steps.Written.new_version(self, answers) if len(answers) >= self.R else self.guess(answers)

    def guess(self, answers):
        if len(answers) >= self.W:
            self.counter = 1 + max(self.counter, *(version[0] for version, _ in answers.values()))
            return [self.counter, self.id]

# %% name="quorum-write-mutant-exactly-as-many" tags=["mutant"] property="Writing.is_stored says that" catalogue="S6"
class Writing(quorum_steps.Written):
    def is_stored(self, acks):
        return len(acks) == self.W

# %% name="quorum-write-mutant-majority" tags=["mutant"] property="Writes are newer" catalogue="C33"
class Writing(quorum_steps.Written):
    def new_version(self, answers):
        if 2 * len(answers) > len(self.peers) + 1:
            self.counter = 1 + max(self.counter, *(version[0] for version, _ in answers.values()))
            return [self.counter, self.id]

# %% name="quorum-write-mutant-value-only" tags=["mutant"] property="must be [version, value]" catalogue="S9"
class Writing(quorum_steps.Written):
    def keep(self, key, version, value):
        if version > self.held(key)[0]:
            self.versions[key] = str(value)

# %% name="quorum-write-check" tags=["check"] points=4 title="What is acknowledged is stored, in order"
verify("quorum-write", Writing, quorum_steps.writing, like=quorum_steps.written,
       cases=[*quorum_steps_cases.WRITE, *quorum_steps_cases.storms(range(1, 7))],
       minutes=20)

# %% name="quorum-write-hidden" tags=["hidden"] points=2 title="So it is in storms that you have not seen"
verify("quorum-write", Writing, quorum_steps.writing, like=quorum_steps.written,
       cases=quorum_steps_cases.storms(range(501, 509)), minutes=20)

# %% [markdown] name="quorum-read-statement" tags=["exercise"]
# ### Exercise *quorum-read* (8 minutes)
#
# **Given** `answers`, {replica: [version, value]}, which grows with each answer that comes. **Goal**: `newest`
# returns the `[version, value]` that a read returns, or None while it is too early to say. A read must see every
# write that was acknowledged before the read began.

# %% name="quorum-read-exercise" tags=["exercise"] points=4
class Reading(Writing):
    """A replica that coordinates reads, too."""

    def newest(self, answers):
        """What a read returns after these answers; None: wait for more."""
        ### BEGIN SOLUTION
        if len(answers) < self.R:
            return None
        return max(answers.values(), key=lambda held: held[0])
        ### END SOLUTION

# %% name="quorum-read-mutant-own-copy" tags=["mutant"] property="Reads are fresh" catalogue="S1"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        return answers.get(self.id)

# %% name="quorum-read-mutant-first-answer" tags=["mutant"] property="Reads are fresh" catalogue="S10"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        return next(iter(answers.values()), None)

# %% name="quorum-read-mutant-last-answer" tags=["mutant"] property="Reads are fresh" catalogue="S9"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        return list(answers.values())[-1] if len(answers) >= self.R else None

# %% name="quorum-read-mutant-largest-value" tags=["mutant"] property="Reads are fresh" catalogue="S9"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        if len(answers) >= self.R:
            return max(answers.values(), key=lambda answer: answer[1] or "")

# %% name="quorum-read-mutant-commonest" tags=["mutant"] property="Reads are fresh" catalogue="S6"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        held = list(answers.values())
        return max(held, key=held.count) if len(held) >= self.R else None

# %% name="quorum-read-mutant-everybody" tags=["mutant"] property="Requests are answered" catalogue="S6"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        if len(answers) > len(self.peers):
            return max(answers.values(), key=lambda answer: answer[0])

# %% name="quorum-read-mutant-two-answers" tags=["mutant"] property="Reads are fresh" catalogue="S6"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        if len(answers) >= 2:
            return max(answers.values(), key=lambda answer: answer[0])

# %% name="quorum-read-mutant-as-many-as-it-stores" tags=["mutant"] property="Reads are fresh" catalogue="S6"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        if len(answers) >= self.W:
            return max(answers.values(), key=lambda answer: answer[0])

# %% name="quorum-read-mutant-versions-as-text" tags=["mutant"] property="Reads are fresh" catalogue="S9"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        if len(answers) >= self.R:
            return max(answers.values(), key=lambda answer: str(answer[0]))

# %% name="quorum-read-mutant-counts-only" tags=["mutant"] property="Reads are fresh" catalogue="F8"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        if len(answers) >= self.R:
            return max(answers.values(), key=lambda answer: answer[0][0])

# %% name="quorum-read-mutant-with-its-name" tags=["mutant"] property="it must return one of the answers" catalogue="S9"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        if len(answers) >= self.R:
            return max(answers.items(), key=lambda answer: answer[1][0])

# %% name="quorum-read-mutant-majority" tags=["mutant"] property="Reads are fresh" catalogue="C33"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        if 2 * len(answers) > len(self.peers) + 1:
            return max(answers.values(), key=lambda answer: answer[0])

# %% name="quorum-read-mutant-waits-for-agreement" tags=["mutant"] property="Requests are answered" catalogue="S6"
class Reading(quorum_steps.Read):
    def newest(self, answers):
        held = list(answers.values())
        return next((one for one in held if held.count(one) >= self.R), None)

# %% name="quorum-read-check" tags=["check"] points=3 title="Reads see what was acknowledged"
verify("quorum-read", Reading, quorum_steps.reading, like=quorum_steps.read,
       cases=[*quorum_steps_cases.READ, *quorum_steps_cases.storms(range(1, 7))], minutes=8)

# %% name="quorum-read-hidden" tags=["hidden"] points=1 title="They do in storms that you have not seen"
verify("quorum-read", Reading, quorum_steps.reading, like=quorum_steps.read,
       cases=quorum_steps_cases.storms(range(501, 509)), minutes=8)

# %% [markdown] name="quorum-repair-statement" tags=["exercise"]
# ### Exercise *quorum-repair* (20 minutes)
#
# Now the judge is the checker: histories must be linearizable. **Given**
# `read = self.operation(name)`, whose `newest` is known: read["version"] and read["value"]; read["answers"] as
# before; read["asked"], all replicas; read["acks"], empty: who is known to hold this version;
# read["repairs"], for the picture: whom it is sent to. `self.put(name)` sends the version to all that
# are asked and not in read["acks"], adds to read["acks"] whoever says that it is stored, and tells the client as
# soon as `self.is_stored(read["acks"])`. `self.finish(name)` tells it at once. **Goal**: `found`.

# %% name="quorum-repair-setup"
def judged(maker):
    """The same systems, whose histories must be linearizable."""
    return lambda *arguments, **options: maker(*arguments, **options).expecting(linearizable())

# %% name="quorum-repair-exercise" tags=["exercise"] points=8
class Repairing(Reading):
    """A replica whose reads leave the register as they say it is."""

    def found(self, name):
        """The newest version is known; what must be true before the client is told?"""
        read = self.operation(name)
        ### BEGIN SOLUTION
        read["acks"] = [one for one, answer in read["answers"].items() if answer[0] == read["version"]]
        if self.is_stored(read["acks"]):
            return self.finish(name)
        read["repairs"] = [one for one in read["asked"] if one not in read["acks"]]
        self.put(name)
        ### END SOLUTION

# %% name="quorum-repair-mutant-overlap-is-enough" tags=["mutant"] property="Reads never go back" catalogue="S6"
class Repairing(quorum_steps.Repaired):
    def found(self, name):
        self.finish(name)

# %% name="quorum-repair-mutant-tells-first" tags=["mutant"] property="Reads never go back" catalogue="S6"
class Repairing(quorum_steps.Repaired):
    def found(self, name):
        self.finish(name)
        self.put(name)

# %% name="quorum-repair-mutant-two-agree" tags=["mutant"] property="Reads never go back" catalogue="S6"
class Repairing(quorum_steps.Repaired):
    def found(self, name):
        read = self.operation(name)
        newest = [one for one, answer in read["answers"].items() if answer[0] == read["version"]]
        self.finish(name) if len(newest) >= self.R else self.put(name)

# %% name="quorum-repair-mutant-all-answered-hold-it" tags=["mutant"] property="Reads never go back" catalogue="S6"
class Repairing(quorum_steps.Repaired):
    def found(self, name):
        read = self.operation(name)
        read["acks"] = list(read["answers"])
        self.finish(name) if self.is_stored(read["acks"]) else self.put(name)

# %% name="quorum-repair-mutant-everybody" tags=["mutant"] property="Requests are answered" catalogue="S6"
class Repairing(quorum_steps.Repaired):
    def found(self, name):
        read = self.operation(name)
        if len({str(answer[0]) for answer in read["answers"].values()}) == 1 and len(read["answers"]) == self.N:
            self.finish(name)

# %% name="quorum-repair-mutant-same-number" tags=["mutant"] property="Reads never go back" catalogue="F8"
class Repairing(quorum_steps.Repaired):
    def found(self, name):
        read = self.operation(name)
        read["acks"] = [one for one, held in read["answers"].items() if held[0][0] == read["version"][0]]
        self.finish(name) if self.is_stored(read["acks"]) else self.put(name)

# %% name="quorum-repair-mutant-same-value" tags=["mutant"] property="Reads never go back" catalogue="S6"
class Repairing(quorum_steps.Repaired):
    def found(self, name):
        read = self.operation(name)
        read["acks"] = [one for one, held in read["answers"].items() if held[1] == read["value"]]
        self.finish(name) if self.is_stored(read["acks"]) else self.put(name)

# %% name="quorum-repair-mutant-counts-itself" tags=["mutant"] property="Reads never go back" catalogue="S6"
class Repairing(quorum_steps.Repaired):
    def found(self, name):
        self.operation(name)["acks"] = [self.id]
        self.put(name)

# %% name="quorum-repair-mutant-says-nothing" tags=["mutant"] property="Requests are answered" catalogue="S6"
class Repairing(quorum_steps.Repaired):
    def found(self, name):
        read = self.operation(name)
        read["acks"] = [one for one, held in read["answers"].items() if held[0] == read["version"]]
        if self.is_stored(read["acks"]):
            self.finish(name)

# %% name="quorum-repair-check" tags=["check"] points=5 title="The register is linearizable"
verify("quorum-repair", Repairing, judged(quorum_steps.repairing), like=judged(quorum_steps.repaired),
       cases=[*quorum_steps_cases.REPAIR, *quorum_steps_cases.storms(range(1, 7))], minutes=20)

# %% name="quorum-repair-hidden" tags=["hidden"] points=3 title="It is in storms that you have not seen"
verify("quorum-repair", Repairing, judged(quorum_steps.repairing), like=judged(quorum_steps.repaired),
       cases=quorum_steps_cases.storms(range(501, 509)), minutes=20)

# %% [markdown] name="quorum-restart-statement" tags=["exercise"]
# ### Exercise *quorum-restart* (10 minutes)
#
# A server may lose its power at any moment, and comes back. **Goal**: what must be on its disk, and what
# starts anew. Attributes: `versions`, `requests` (client to [number, version] of the newest write that this
# server has given a version to), `counter`, and what `self.forget()` sets. **Allowed**: `durable`, a
# dictionary of attributes and their values on an empty disk, and `on_start`, which runs after every start;
# durable attributes are there already when it does.

# %% name="quorum-restart-exercise" tags=["exercise"] points=6
class Restarting(Repairing):
    """A replica that keeps its word after a restart."""

    ### BEGIN SOLUTION
    durable = {"counter": 0, "versions": {}, "requests": {}}
    ### STUB durable = {}                  # attribute -> value on an empty disk
    ### END SOLUTION

    def on_start(self):
        """Runs at every start; set what is not durable."""
        ### BEGIN SOLUTION
        self.forget()
        ### END SOLUTION

# %% name="quorum-restart-mutant-nothing" tags=["mutant"] property="Reads are fresh" catalogue="S7"
class Restarting(quorum_steps.Repaired):
    durable = {}

# %% name="quorum-restart-mutant-versions-only" tags=["mutant"] property="Linearizable" catalogue="S7"
class Restarting(quorum_steps.Restarted):
    durable = {"versions": {}}

    def on_start(self):
        self.requests, self.counter = {}, 0
        self.forget()

# %% name="quorum-restart-mutant-no-versions" tags=["mutant"] property="Reads are fresh" catalogue="S7"
class Restarting(quorum_steps.Restarted):
    durable = {"requests": {}, "counter": 0}

    def on_start(self):
        self.versions = {}
        self.forget()

# %% name="quorum-restart-mutant-starts-anew" tags=["mutant"] property="Reads are fresh" catalogue="S7"
class Restarting(quorum_steps.Restarted):
    def on_start(self):
        self.versions, self.requests, self.counter = {}, {}, 0
        self.forget()

# %% name="quorum-restart-mutant-no-requests" tags=["mutant"] property="Linearizable" catalogue="S4"
class Restarting(quorum_steps.Restarted):
    durable = {"versions": {}, "counter": 0}

    def on_start(self):
        self.requests = {}
        self.forget()

# %% name="quorum-restart-mutant-sets-nothing" tags=["mutant"] property="self.forget() sets reads" catalogue="S7"
class Restarting(quorum_steps.Restarted):
    def on_start(self):
        print("started")

# %% name="quorum-restart-mutant-reads-on-disk" tags=["mutant"] property="Requests are answered" catalogue="S7"
class Restarting(quorum_steps.Restarted):
    durable = {"versions": {}, "counter": 0, "requests": {}, "reads": {}}

    def on_start(self):
        self.latest, self.writes = {}, {}

# %% name="quorum-restart-check" tags=["check"] points=4 title="Stays linearizable through restarts"
verify("quorum-restart", Restarting, judged(quorum_steps.restarting), like=judged(quorum_steps.restarted),
       cases=[*quorum_steps_cases.RESTART, *quorum_steps_cases.storms(range(1, 7), restarts=True)], minutes=10)

# %% name="quorum-restart-hidden" tags=["hidden"] points=2 title="It does in storms that you have not seen"
verify("quorum-restart", Restarting, judged(quorum_steps.restarting), like=judged(quorum_steps.restarted),
       cases=quorum_steps_cases.storms(range(501, 509), restarts=True), minutes=10)

# %% [markdown] name="quorum-break-it-statement" tags=["exercise"]
# ### Exercise *quorum-break-it* (15 minutes)
#
# The store without write-back. Every message takes 10 ms, a disk no time at all; x=0 is written at 10 ms and is
# everywhere by 100. **Goal**: add actions so that what the clients are told is not linearizable. Any that work earn
# 7 points; at most 7 actions in all, the given one (action 1) included, earn all 10. Clients are c1, c2
# and c3; an action such as
# `{"at": 500, "do": "request", "client": "c2", "command": "x=7", "to": "n3"}` writes, "x" reads. A partition loses what
# is under way. Look in the tab *Operations* at what is there to be seen.

# %% name="quorum-break-it-setup"
x_is_zero = [{"at": 10, "do": "request", "client": "c1", "command": "x=0", "to": "n1"}]
plain = quorum.cluster(3, clients=3, latency=10, disk=0).expecting(linearizable())
atomic = abd.cluster(3, clients=3, latency=10, disk=0).expecting(linearizable())

# %% name="quorum-break-it-lab" tags=["play"]
Lab(plain, seed=1, schedule=x_is_zero, until=600, start=150, title="Break it")

# %% name="quorum-break-it-exercise" tags=["exercise"] points=10
my_actions = [
    ### BEGIN SOLUTION
    {"at": 200, "do": "request", "client": "c1", "command": "x=1", "to": "n1"},
    {"at": 232, "do": "partition", "groups": [["n1"]]},
    {"at": 234, "do": "heal"},
    {"at": 235, "do": "request", "client": "c2", "command": "x", "to": "n1"},
    {"at": 266, "do": "partition", "groups": [["n1", "c1", "c2"]]},
    {"at": 300, "do": "request", "client": "c3", "command": "x", "to": "n2"},
    ### STUB # such as {"at": 150, "do": "crash", "node": "n3"},
    ### END SOLUTION
]

# %% name="quorum-break-it-mutant-nothing-lost" tags=["mutant"] property="break no property" catalogue="S6"
my_actions = [
    {"at": 200, "do": "request", "client": "c1", "command": "x=1", "to": "n1"},
    {"at": 215, "do": "request", "client": "c2", "command": "x", "to": "n1"},
    {"at": 290, "do": "request", "client": "c3", "command": "x", "to": "n2"},
]

# %% name="quorum-break-it-mutant-old-is-allowed" tags=["mutant"] property="break no property" catalogue="S4"
my_actions = [
    {"at": 200, "do": "request", "client": "c1", "command": "x=1", "to": "n1"},
    {"at": 232, "do": "crash", "node": "n1"},
    {"at": 260, "do": "request", "client": "c3", "command": "x", "to": "n2"},
]

# %% name="quorum-break-it-mutant-lost-disks" tags=["mutant"] property="also break Abd" catalogue="S7"
my_actions = [
    {"at": 150, "do": "crash", "node": "n2"},
    {"at": 151, "do": "crash", "node": "n3"},
    {"at": 160, "do": "restart", "node": "n2", "disk": False},
    {"at": 161, "do": "restart", "node": "n3", "disk": False},
    {"at": 200, "do": "request", "client": "c3", "command": "x", "to": "n2"},
]

# %% name="quorum-break-it-mutant-long" tags=["mutant"] property="quorum-break-it-par" catalogue="S6"
my_actions = [
    {"at": 200, "do": "request", "client": "c1", "command": "x=1", "to": "n1"},
    {"at": 232, "do": "cut", "source": "n1", "target": "n2"},
    {"at": 232, "do": "cut", "source": "n1", "target": "n3"},
    {"at": 244, "do": "heal"},
    {"at": 245, "do": "request", "client": "c2", "command": "x", "to": "n1"},
    {"at": 276, "do": "cut", "source": "n1", "target": "n2"},
    {"at": 276, "do": "cut", "source": "n1", "target": "n3"},
    {"at": 310, "do": "request", "client": "c3", "command": "x", "to": "n2"},
]

# %% name="quorum-break-it-check" tags=["check"] points=7 title="A history that no register could have"
judge_schedule("quorum-break-it", my_actions and [*x_is_zero, *my_actions], plain, atomic, seed=1, minutes=15,
               question="which replica holds x=1 alone, who reads it there, and who repairs it for whom after that?")

# %% name="quorum-break-it-par" tags=["check"] points=3 title="In seven actions or fewer"
judge_schedule("quorum-break-it", my_actions and [*x_is_zero, *my_actions], plain, atomic, seed=1, par=7,
               minutes=15)

# %% [markdown] name="sloppy-break-it-statement" tags=["exercise"]
# ### Exercise *sloppy-break-it* (12 minutes)
#
# A *sloppy* quorum counts a server that keeps a hint as if it were at home. Four servers, N = 3, R = W = 2; n1, n2, n3
# keep b, and n4 stands in. b=0 is written at 10 ms. Messages take 10 ms. **Goal**: a read that does not see a write
# that was acknowledged before it: any that works earns 7 points, at most 5 actions in all, the given one (action 1)
# included, earn 10.

# %% name="sloppy-break-it-setup"
b_is_zero = [{"at": 10, "do": "request", "client": "c1", "command": "b=0", "to": "n1"}]
sloppy = quorum_handoff.cluster(4, server=quorum_handoff.Sloppy, clients=3, latency=10, disk=0)
strict = quorum_handoff.cluster(4, clients=3, latency=10, disk=0)
sloppy.always = strict.always = (quorum_properties.reads_are_fresh,)

# %% name="sloppy-break-it-lab" tags=["play"]
Lab(sloppy, seed=1, schedule=b_is_zero, until=1_200, start=150, title="Break the sloppy one")

# %% name="sloppy-break-it-exercise" tags=["exercise"] points=10
my_partition = [
    ### BEGIN SOLUTION
    {"at": 200, "do": "partition", "groups": [["n1", "n2"], ["n3", "n4"]]},
    {"at": 250, "do": "request", "client": "c2", "command": "b=1", "to": "n3"},
    {"at": 900, "do": "request", "client": "c3", "command": "b", "to": "n1"},
    ### STUB # such as {"at": 150, "do": "crash", "node": "n4"},
    ### END SOLUTION
]

# %% name="sloppy-break-it-mutant-one-away" tags=["mutant"] property="break no property" catalogue="S8"
my_partition = [
    {"at": 200, "do": "partition", "groups": [["n1"], ["n2", "n3", "n4"]]},
    {"at": 250, "do": "request", "client": "c2", "command": "b=1", "to": "n3"},
    {"at": 900, "do": "request", "client": "c3", "command": "b", "to": "n2"},
]

# %% name="sloppy-break-it-mutant-after-the-hint" tags=["mutant"] property="break no property" catalogue="S8"
my_partition = [
    {"at": 200, "do": "crash", "node": "n1"},
    {"at": 250, "do": "request", "client": "c2", "command": "b=1", "to": "n3"},
    {"at": 600, "do": "restart", "node": "n1"},
    {"at": 1_500, "do": "request", "client": "c3", "command": "b", "to": "n1"},
]

# %% name="sloppy-break-it-mutant-disk" tags=["mutant"] property="also break" catalogue="S7"
my_partition = [
    {"at": 150, "do": "lose_disk", "node": "n1"},
    {"at": 160, "do": "crash", "node": "n1"},
    {"at": 161, "do": "restart", "node": "n1", "disk": False},
    {"at": 162, "do": "crash", "node": "n2"},
    {"at": 163, "do": "restart", "node": "n2", "disk": False},
    {"at": 200, "do": "request", "client": "c3", "command": "b", "to": "n1"},
]

# %% name="sloppy-break-it-mutant-long" tags=["mutant"] property="sloppy-break-it-par" catalogue="S8"
my_partition = [
    {"at": 200, "do": "partition", "groups": [["n1", "n2"], ["n3", "n4"]]},
    {"at": 250, "do": "request", "client": "c2", "command": "b=1", "to": "n3"},
    {"at": 700, "do": "cut", "source": "n3", "target": "n1"},
    {"at": 701, "do": "cut", "source": "n3", "target": "n2"},
    {"at": 900, "do": "request", "client": "c3", "command": "b", "to": "n1"},
]

# %% name="sloppy-break-it-mutant-nobody-reads" tags=["mutant"] property="break no property" catalogue="S8"
my_partition = [
    {"at": 205, "do": "partition", "groups": [["n1", "n2"], ["n3", "n4"]]},
    {"at": 255, "do": "request", "client": "c2", "command": "b=1", "to": "n3"},
]

# %% name="sloppy-break-it-check" tags=["check"] points=7 title="A read misses an acknowledged write"
judge_schedule("sloppy-break-it", my_partition and [*b_is_zero, *my_partition], sloppy, strict, seed=1,
               minutes=12,
               question="which two servers hold the write when it is acknowledged, and which two does the read ask?")

# %% name="sloppy-break-it-par" tags=["check"] points=3 title="In five actions or fewer"
judge_schedule("sloppy-break-it", my_partition and [*b_is_zero, *my_partition], sloppy, strict, seed=1, par=5,
               minutes=12)

# %% [markdown] name="sessions-task" tags=["predict"]
# ### One client at a time
#
# R = W = 1 is fast and eventually consistent: once nobody writes any more, all replicas will agree. Predict what one
# client may see, then look at it in the tab *Operations*.

# %% name="sessions-predict" tags=["predict"]
case = quorum_cases.BOUNCING
Lab(quorum_sessions.cluster(3, clients=2, client=quorum_sessions.Forgetful), seed=case.seed, schedule=case.schedule,
    until=case.until, start=225, properties=[linearizable(consistency="monotonic reads")],
    predict=Prediction(**quorum_questions.BOUNCING), title="A client that wanders")

# %% [markdown] name="sessions-explain" tags=["explain"]
# A *session* repairs it for this client alone, with no quorum: the client carries the versions that it has seen, and a
# replica that has less lets it wait, or asks others. How long does c2 wait at n3 now? Which promise to c1 and c2
# *together* is still missing?

# %% name="sessions-play" tags=["play"]
case = quorum_cases.BOUNCING
Lab(quorum_sessions.cluster(3, clients=2), seed=case.seed, schedule=case.schedule, until=case.until, start=225,
    properties=[linearizable(consistency="monotonic reads")], title="5, and not 3 again")

# %% [markdown] name="siblings-task" tags=["predict"]
# ### Two truths kept
#
# Two customers put something into one cart at the same time, at different servers. Here the write with the later time
# wins.

# %% name="siblings-setup"
from dslab.protocols import dynamo, dynamo_variants

# %% name="siblings-predict" tags=["predict"]
case = quorum_cases.TWO_CARTS
Lab(dynamo.cluster(3, clients=3, server=dynamo_variants.LastWriterWins), seed=case.seed, schedule=case.schedule,
    until=case.until, start=5, predict=Prediction(**quorum_questions.TWO_CARTS), title="The later one wins")

# %% [markdown] name="siblings-statement" tags=["exercise"]
# ### Exercise *siblings* (15 minutes)
#
# A *version vector* counts the writes of each client, `{"c1": 2, "c2": 1}`. One that is at least as large in every
# entry has seen all that the other one has; an entry that is not there is 0. Writes of which neither has seen the other
# are *siblings*: both are kept, even if their values are equal, and whoever reads gets both. **Given** `siblings`, a
# list of `[vector, value]` that a replica holds, none of which has seen another; and the `vector` and `value` of a
# write that arrives, perhaps late, perhaps a second time. **Goal**: `keep` returns the list that is left.

# %% name="siblings-exercise" tags=["exercise"] points=5
def keep(siblings, vector, value):
    """What a replica holds after this write has arrived."""
    ### BEGIN SOLUTION
    def has_seen(one, other):
        return all(one.get(client, 0) >= count for client, count in other.items())

    if any(has_seen(held, vector) for held, _ in siblings):
        return siblings
    return [sibling for sibling in siblings if not has_seen(vector, sibling[0])] + [[vector, value]]
    ### END SOLUTION

# %% name="siblings-mutant-last-wins" tags=["mutant"] property="A write stays until it is seen" catalogue="S9"
def keep(siblings, vector, value):
    return [[vector, value]]

# %% name="siblings-mutant-larger-sum" tags=["mutant"] property="A write stays until it is seen" catalogue="F10"
def keep(siblings, vector, value):
    return [max([*siblings, [vector, value]], key=lambda one: sum(one[0].values()))]

# %% name="siblings-mutant-first-difference" tags=["mutant"] property="A write stays until it is seen" catalogue="F10"
def keep(siblings, vector, value):
    order = [[one[0].get(client, 0) for client in ("c1", "c2", "c3")] for one in [*siblings, [vector, value]]]
    return [[*siblings, [vector, value]][order.index(max(order))]]

# %% name="siblings-mutant-keeps-all" tags=["mutant"] property="Siblings are conflicts" catalogue="S9"
def keep(siblings, vector, value):
    return siblings if [vector, value] in siblings else [*siblings, [vector, value]]

# %% name="siblings-mutant-keeps-the-first" tags=["mutant"] property="A write stays until it is seen" catalogue="S9"
def keep(siblings, vector, value):
    return siblings or [[vector, value]]

# %% name="siblings-mutant-only-when-equal" tags=["mutant"] property="Siblings are conflicts" catalogue="S9"
def keep(siblings, vector, value):
    return [one for one in siblings if one[0] != vector] + [[vector, value]]

# %% name="siblings-mutant-never-late" tags=["mutant"] property="Siblings are conflicts" catalogue="S9"
def keep(siblings, vector, value):
    older = [one for one in siblings if all(vector.get(client, 0) >= count for client, count in one[0].items())]
    return [one for one in siblings if one not in older] + [[vector, value]]

# %% name="siblings-mutant-equal-is-new" tags=["mutant"] property="Siblings are conflicts" catalogue="S9"
def keep(siblings, vector, value):
    def newer(one, other):
        return one != other and all(one.get(client, 0) >= count for client, count in other.items())

    rest = [one for one in siblings if not newer(vector, one[0])]
    return rest if any(newer(one[0], vector) for one in rest) else [*rest, [vector, value]]

# %% name="siblings-mutant-replaces-all" tags=["mutant"] property="A write stays until it is seen" catalogue="S9"
def keep(siblings, vector, value):
    covers = dynamo.descends
    if any(covers(one[0], vector) for one in siblings):
        return list(siblings)
    return [[vector, value]] if any(covers(vector, one[0]) for one in siblings) else [*siblings, [vector, value]]

# %% name="siblings-mutant-seen-by-all" tags=["mutant"] property="Siblings are conflicts" catalogue="S9"
def keep(siblings, vector, value):
    covers = dynamo.descends
    if siblings and all(covers(one[0], vector) for one in siblings):
        return list(siblings)
    return [one for one in siblings if not covers(vector, one[0])] + [[vector, value]]

# %% name="siblings-mutant-two-clients" tags=["mutant"] property="A write stays until it is seen" catalogue="S9"
def keep(siblings, vector, value):
    def covers(one, other):
        return all(one.get(client, 0) >= other.get(client, 0) for client in ("c1", "c2"))

    rest = [one for one in siblings if not covers(vector, one[0])]
    return rest if any(covers(one[0], vector) for one in rest) else [*rest, [vector, value]]

# %% name="siblings-mutant-equal-values" tags=["mutant"] property="A write stays until it is seen" catalogue="S9"
def keep(siblings, vector, value):
    covers = dynamo.descends
    if any(covers(one[0], vector) or one[1] == value for one in siblings):
        return list(siblings)
    return [one for one in siblings if not covers(vector, one[0])] + [[vector, value]]

# %% name="siblings-check" tags=["check"] points=3 title="Nothing that was added is lost"
verify("siblings", keep, dynamo_variants.merging, like=dynamo_variants.merged, cases=quorum_cases.CARTS, minutes=15)

# %% name="siblings-hidden" tags=["hidden"] points=2 title="Nothing is lost in runs that you have not seen"
verify("siblings", keep, dynamo_variants.merging, like=dynamo_variants.merged,
       cases=quorum_cases.busy_carts(range(21, 25)), minutes=15)

# %% [markdown] name="quorum-pbs-task" tags=["experiment"]
# ### Experiment: how stale is stale?
#
# R = W = 1 promises nothing. How often is it wrong? Bailis and others took delays from production, of LinkedIn with
# SSDs and with disks (LNKD-SSD, LNKD-DISK), of Yammer (YMMR), and of a store at three sites 75 ms apart (WAN), and
# computed for N = 3 how long after a write 99.9% of reads see it. Predict first: the disks of LinkedIn, R = W = 1: half
# a second, 50 ms, or 5? Marks are the paper's, lines are ours. For what other R and W cost, run
# `python -m dslab experiment pbs --trace LNKD-DISK --r 2 --w 1`.

# %% name="quorum-pbs" tags=["experiment"]
from dslab.experiments.storage_figures import figure_pbs

figure_pbs()

# %% [markdown] name="quorum-live-task" tags=["play"]
# ### Real processes, real disks
#
# The same classes, as operating-system processes. The links from n1 get slow; c1 writes 2 at n1, and as soon as
# n1 has it on its disk, it is killed with SIGKILL: the write is half done. c2 reads, n1 comes back, c3 reads.
# Your own store runs as well: write `quorum_steps.restarting(Restarting, 3, clients=3)`. Before you run it:
# what may c2 and c3 read, and what will c1 be told?

# %% name="quorum-live" tags=["play"]
from dslab.live.half_write import kill_in_a_write

store = quorum_steps.restarted(3, clients=3)
trace = kill_in_a_write(store)
print("linearizable:", check_history(trace).verdict)
print("c1 was told:", next(one["result"] for one in trace.history if one["command"] == "x=2"))

# %% [markdown] name="quorum-live-recorded-task" tags=["play"]
# The run was recorded, so it can be played. Find the kill, and where the value 2 was at that moment. (This
# cell's picture is not kept in the notebook: no two runs are the same.)

# %% name="quorum-live-recorded" tags=["play", "skip-every-run-differs"]
Lab.recorded(trace, system=store, title="Killed in the middle of a write")

# %% [markdown] name="quorum-reflect" tags=["reflect"]
# ### Reflect
#
# Back to your predictions: for each, which rule decided it, and in which of your four steps does it stand?
#
# 1. Your store with write-back is linearizable. What can Raft do that it cannot? (Think of *x = x + 1*.)
# 2. A read with W = 1, R = N sees every write. Which failure of one node stops it, and which stops W = N,
#    R = 1?
# 3. A client is told "failed". Which three things can be true of its write?
# 4. A session keeps c2's own reads from going back. Which promise to c1 and c2 *together* is still missing?
# 5. Your store would keep its word with a counter that begins at 0 again after a restart. Why? And why would it
#    not without `requests`?
#
# <details><summary>Compare with these</summary>
#
# 1. Anything that depends on what is there: two clients that both read 5 both write 6. A register with reads
#    and writes needs no consensus, which is why no FLP stands in its way; compare-and-set needs it.
# 2. Any dead replica stops reads in the first, and writes in the second.
# 3. It is nowhere; it is on some replicas and will be overwritten; it is on some and a read will find it,
#    perhaps next year, and make it the value.
# 4. That c2 sees what c1 was told before c2 asked: real time between clients, which is linearizability.
# 5. Whatever version a server gives to a write it stores itself, in the same step, and it is among those whom it
#    asks before it gives the next one. `requests` is not in the versions: without it, a write that is asked for
#    again gets a new version, and an old value comes back over a newer one.
#
# </details>

# %% [markdown] name="quorum-reading" tags=["reading"]
# ### Reading
#
# - Attiya, Bar-Noy, Dolev, *Sharing Memory Robustly in Message-Passing Systems* (1995), §3: your steps, by
#   those who proved them.
# - DeCandia and others, *Dynamo: Amazon's Highly Available Key-value Store* (2007), §4: sloppy quorums, hints,
#   vector clocks and Merkle trees, in a system that had to earn money.
# - Bailis and others, *Probabilistically Bounded Staleness for Practical Partial Quorums* (2012), §3 and §5:
#   the model behind the experiment.

# %% [markdown] name="repair-recall" tags=["reflect"]
# **Before you go on**: what does a read do before it answers, and why is R + W > N not enough without it? What
# does a hint hold, and why does it not count? When are two versions siblings?

# %% [markdown] name="repair-why" tags=["why"]
# <a id="repair"></a>
# ## Finding what differs
#
# In 1986 Xerox kept its address book at 300 sites. A change was mailed to all of them; mail gets lost, so
# each night every site compared its whole copy with another one's, and sent what differed, by mail again, to
# everybody: up to 90,000 messages a night, and the network stood still. What came of it is the theory of
# rumours and epidemics in computers.
#
# Two replicas hold a million keys each, and three of them differ. You may send hashes. How many do you need
# to find the three?

# %% [markdown] name="repair-explain" tags=["explain"]
# ### How it works
#
# **A tree of hashes** (Merkle 1987). Keys are put into 2**d buckets by the first d bits of their hash. A leaf is the
# hash of a bucket, an inner node the hash of its two children, the root the hash of everything. A node is called
# by the bits on the way to it: "" is the root, "0" and "1" are below it, "0110" is a leaf of a tree of depth 4. Two
# equal hashes mean that all below them is equal.

# %% name="repair-setup"
from dslab.protocols import anti_entropy, death_certificates, merkle_steps

# %% [markdown] name="repair-predict-task" tags=["predict"]
# ### Predict
#
# Comparing whole stores is the surest way to make them equal: what one has and the other lacks is sent, and of two
# entries for the same key the newer one stays. Now somebody deletes.

# %% name="repair-predict-deleted" tags=["predict"]
case = storage_cases.DELETED
both = (("tea", "1"), ("milk", "2"))
Lab(anti_entropy.cluster(3, server=death_certificates.Erasing, contents=both, cycle=(150, 250)),
    seed=case.seed, schedule=case.schedule, until=case.until, start=90,
    predict=Prediction(**storage_questions.DELETED), title="Deleted at one of three")

# %% [markdown] name="merkle-diff-statement" tags=["exercise"]
# ### Exercise *merkle-diff* (12 minutes)
#
# A comparison begins with the root's hash and goes on as you say. **Given** `mine`, {node: hash} of this
# store's whole tree; `theirs`, {node: hash} of just the nodes that the other one was asked for last; `depth`, the
# length of a leaf's name. **Goal**: `descend` returns two lists: the nodes to ask for next, and the leaves
# that are now known to differ. No hash must be asked for in vain.

# %% name="merkle-diff-exercise" tags=["exercise"] points=5
def descend(mine, theirs, depth):
    """(nodes to ask for next, leaves that differ)"""
    ### BEGIN SOLUTION
    ask, leaves = [], []
    for node, other in theirs.items():
        if mine[node] != other and len(node) < depth:
            ask += [node + "0", node + "1"]
        elif mine[node] != other:
            leaves.append(node)
    return ask, leaves
    ### END SOLUTION

# %% name="merkle-diff-mutant-everything" tags=["mutant"] property="Few hashes"
def descend(mine, theirs, depth):
    ask = [node + bit for node in theirs for bit in "01" if len(node) < depth]
    return ask, [node for node in theirs if len(node) == depth and mine[node] != theirs[node]]

# %% name="merkle-diff-mutant-left-first" tags=["mutant"] property="Exchanges find what differs"
def descend(mine, theirs, depth):
    wrong = [node for node in theirs if mine[node] != theirs[node]][:1]
    ask = [node + bit for node in wrong for bit in "01" if len(node) < depth]
    return ask, [node for node in wrong if len(node) == depth]

# %% name="merkle-diff-mutant-all-leaves-at-once" tags=["mutant"] property="Few hashes"
def descend(mine, theirs, depth):
    if "" in theirs:
        return [node for node in mine if len(node) == depth and mine[""] != theirs[""]], []
    return [], [node for node in theirs if mine[node] != theirs[node]]

# %% name="merkle-diff-mutant-equal-is-different" tags=["mutant"] property="Exchanges find what differs"
def descend(mine, theirs, depth):
    wrong = [node for node in theirs if mine[node] != theirs[node]]
    ask = [node + bit for node in wrong for bit in "01" if len(node) < depth]
    return ask, [node for node in theirs if len(node) == depth]

# %% name="merkle-diff-mutant-stops-early" tags=["mutant"] property="Exchanges find what differs"
def descend(mine, theirs, depth):
    wrong = [node for node in theirs if mine[node] != theirs[node]]
    ask = [node + bit for node in wrong for bit in "01" if len(node) + 1 < depth]
    return ask, [node + "0" for node in wrong if len(node) + 1 == depth]

# %% name="merkle-diff-mutant-depth-four" tags=["mutant"] property="Exchanges find what differs"
def descend(mine, theirs, depth):
    wrong = [node for node in theirs if mine[node] != theirs[node]]
    return [node + bit for node in wrong for bit in "01" if len(node) < 4 and node + bit in mine], [
        node for node in wrong if len(node) == 4]

# %% name="merkle-diff-mutant-asks-twice" tags=["mutant"] property="names a node twice"
def descend(mine, theirs, depth):
    wrong = [node for node in theirs if mine[node] != theirs[node]]
    return [node + bit for node in wrong for bit in "0101" if len(node) < depth], [
        node for node in wrong if len(node) == depth]

# %% name="merkle-diff-check" tags=["check"] points=3 title="Finds what differs with few hashes"
verify("merkle-diff", descend, merkle_steps.differing, like=merkle_steps.compared,
       cases=merkle_steps.DIFFER, minutes=12)

# %% name="merkle-diff-hidden" tags=["hidden"] points=2 title="Finds what differs in stores that you have not seen"
verify("merkle-diff", descend, merkle_steps.differing, like=merkle_steps.compared,
       cases=merkle_steps.others(7), minutes=12)

# %% [markdown] name="repair-play-task" tags=["play"]
# ### Play
#
# Three sites, each with twelve keys; every second or so, each compares with another one. Write a key at n1 (*request*,
# `k7=new`), and follow it: which hashes are asked for, and how does n3 hear of it? Then cut n3 off, `delete k7` at n2,
# and heal. This time the delete leaves an entry without a value: find it in n2's store. Who wins?

# %% name="repair-play" tags=["play"]
Lab(anti_entropy.cluster(3, server=merkle_steps.Site, cycle=(800, 1200)), seed=2,
    title="Three sites")

# %% [markdown] name="repair-gossip-task" tags=["experiment"]
# ### Experiment: rumours
#
# Comparing everything is sure and slow. A *rumour* is fast: who has news calls somebody at random, and stops after it
# has called people who knew already, k times (1987: *feedback and counter*; *blind and coin* does not ask whether they
# knew, and stops after any call with a chance of one in k). How many never hear of it? First guess: at k = 1, of 1,000
# sites, five, fifty or two hundred? Marks are the paper's, lines are ours.

# %% name="repair-gossip" tags=["experiment"]
from dslab.experiments.storage_figures import figure_rumours

figure_rumours()

# %% [markdown] name="repair-reflect" tags=["reflect"]
# ### Reflect
#
# 1. A tree of hashes over 1,024 buckets, one of which differs: how many pairs of hashes are compared?
# 2. Back to your prediction: a delete leaves a tombstone. When may that be thrown away, and what happens if a
#    replica comes back after a year?
#
# <details><summary>Compare with these</summary>
#
# 1. The root, and two children on each of ten levels: 21.
# 2. When every replica has seen it. "Never had it" and "had it and deleted it" look alike, so one that was away
#    for longer than tombstones are kept brings the dead entry back; it must be filled anew instead.
#
# </details>

# %% [markdown] name="repair-reading" tags=["reading"]
# ### Reading
#
# - Demers and others, *Epidemic Algorithms for Replicated Database Maintenance* (1987), §1: the night mail, and
#   the tables that you have reproduced.
# - DeCandia and others, *Dynamo: Amazon's Highly Available Key-value Store* (2007), §4.7: a tree for each range
#   of keys.
# - van Steen, Tanenbaum, *Distributed Systems*, §4.4: gossip among other ways to tell many.

# %% [markdown] name="chain-recall" tags=["reflect"]
# **Before you go on**: how do two replicas find one differing key of a thousand? What does a rumour die of?

# %% [markdown] name="chain-why" tags=["why"]
# <a id="chain"></a>
# ## One in front
#
# On 31 January 2017 GitLab's second database had fallen behind and had to be built anew. Tired, late in the
# evening, an engineer emptied the data directory: on the *first* database, as it turned out. The second one had
# been emptied before. A snapshot that somebody had happened to take six hours earlier was all that was left.
#
# One node in front, others behind it, is the oldest way to keep copies. Everything depends on two moments:
# when the client is told "done", and who takes over with what.

# %% name="chain-setup"
from dslab.protocols import chain, primary_backup

# %% [markdown] name="chain-explain" tags=["explain"]
# ### How it works
#
# **Primary and backup**: one server decides, the other one has everything before the client is told; a view
# service says who is who, and it may only promote a backup that is complete. **A chain** puts the copies in a
# row: writes enter at the head, and are done when they come out of the tail; reads ask the tail, which is never
# behind. A master takes dead ones out of the row.

# %% name="chain-predict" tags=["predict"]
case = storage_cases.ON_ITS_WAY
Lab(chain.cluster(3, clients=2, latency=10, disk=0), seed=case.seed, schedule=case.schedule, until=case.until,
    start=614,
    properties=[linearizable()], predict=Prediction(**storage_questions.ON_ITS_WAY), title="On its way to the tail")

# %% [markdown] name="chain-play-task" tags=["play"]
# ### Play
#
# Go on with that run: n2 dies at 900, in the middle. Who notices, who sends what again, and is x=3 written once
# or twice? Then try the two ends: crash the head during a write, and the tail.

# %% [markdown] name="primary-play-task" tags=["play"]
# And a primary with a backup: the primary dies at 800; how long does c1 wait, and for whom? Now cut n1 off instead of
# crashing it (*Copy as code*, or click): n1 still believes that it is the primary. What keeps it from telling a client
# something old?

# %% name="primary-play" tags=["play"]
Lab(primary_backup.cluster(3, clients=2), seed=1, schedule=[
    {"at": 300, "do": "request", "command": "x=1", "to": "n1"}, {"at": 800, "do": "crash", "node": "n1"},
    {"at": 820, "do": "request", "command": "x", "to": "n2"}], until=2_000, start=780, title="The primary dies")

# %% [markdown] name="chain-reflect" tags=["reflect"]
# ### Reflect
#
# 1. Why may a chain's tail answer reads alone, without asking anybody, and a primary may not?
# 2. In a chain of five the middle node dies. Which writes are in danger, and who sends them again?
#
# <details><summary>Compare with these</summary>
#
# 1. What the tail holds, everybody holds, so it is done and cannot be lost; a primary cannot know from
#    itself whether it still is one.
# 2. Those that its predecessor has sent and the tail has not acknowledged: the predecessor keeps them until
#    then, and sends them to its new successor.
#
# </details>

# %% [markdown] name="chain-reading" tags=["reading"]
# ### Reading
#
# - van Renesse, Schneider, *Chain Replication for Supporting High Throughput and Availability* (2004), §2 and §3.
# - Budhiraja and others, *The Primary-Backup Approach* (1993), §2: what makes a service a primary with backups,
#   and what it costs at least.
# - van Steen, Tanenbaum, *Distributed Systems*, §7.5: primaries, chains and quorums among each other.

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
# The same two runs with a slot for each replica. In the tab *Merges* the states stand as a lattice: each merge goes up
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

# %% name="crdt-counter-mutant-three-names" tags=["mutant"] property="Every update counts, once" catalogue="S17"
class MyCounter(crdt_steps.Counter):
    def initial(self):
        return {"n1": 0, "n2": 0, "n3": 0}

    def inc(self, state, amount, replica):
        return {**state, replica: state.get(replica, 0) + amount}

    def merge(self, state, other):
        return {name: max(state[name], other[name]) for name in ("n1", "n2", "n3")}

    def value(self, state):
        return sum(number for number in state.values())

# %% name="crdt-counter-check" tags=["check"] points=4 title="Every addition counts once"
verify("crdt-counter", MyCounter, crdt_steps.counting, like=crdt_steps.counted, cases=crdt_steps_cases.COUNTER,
       minutes=12)

# %% name="crdt-counter-laws" tags=["check"] points=1 title="Its merge obeys the laws"
judge_laws("crdt-counter", MyCounter, crdt_steps.AnsweredCounter, minutes=12)

# %% name="crdt-counter-hidden" tags=["hidden"] points=2 title="So it does in storms that you have not seen"
verify("crdt-counter", MyCounter, crdt_steps.counting, like=crdt_steps.counted,
       cases=[*crdt_steps_cases.storms(range(501, 507)), *crdt_steps_cases.storms((511, 512), nodes=5)], minutes=12)

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

# %% name="or-set-mutant-later-one-wins" tags=["mutant"] property="Every update counts, once" catalogue="S19"
class MySet(crdt_steps.Set):
    def initial(self):
        return {"clock": 0, "last": {}}

    def add(self, state, element, tag):
        return {"clock": state["clock"] + 1, "last": {**state["last"], element: [state["clock"] + 1, 1]}}

    def remove(self, state, element):
        return {"clock": state["clock"] + 1, "last": {**state["last"], element: [state["clock"] + 1, 0]}}

    def merge(self, state, other):
        names = sorted({*state["last"], *other["last"]})
        last = {one: max(state["last"].get(one, [0, 0]), other["last"].get(one, [0, 0])) for one in names}
        return {"clock": max(state["clock"], other["clock"]), "last": last}

    def value(self, state):
        return [one for one, (_, there) in state["last"].items() if there]

# %% name="or-set-mutant-counts" tags=["mutant"] property="Every update counts, once" catalogue="S19"
class MySet(crdt_steps.Set):
    def add(self, state, element, tag):
        added, removed = state.get(element, [0, 0])
        return {**state, element: [added + 1, removed]}

    def remove(self, state, element):
        added, _ = state.get(element, [0, 0])
        return {**state, element: [added, added]}

    def merge(self, state, other):
        pairs = {one: zip(state.get(one, [0, 0]), other.get(one, [0, 0])) for one in sorted({*state, *other})}
        return {one: [max(pair) for pair in both] for one, both in pairs.items()}

    def value(self, state):
        return [one for one, (added, removed) in state.items() if added > removed]

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
