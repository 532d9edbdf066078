# %% [markdown] name="consensus-title"
# # Consensus: Raft
#
# Several servers keep one log, and agree on it although some of them crash and the network drops what it
# likes. About 75 minutes: predict 8, play 5, read 12, exercises 50 (each says its own time). Source: Ongaro
# and Ousterhout, *In Search of an Understandable Consensus Algorithm*, extended version; § numbers below
# are that paper's.

# %% name="consensus-setup"
from dslab import Lab, Prediction, judge_schedule, show_source, verify
from dslab.protocols import raft, raft_cases, raft_questions, raft_variants
from dslab.protocols.raft_variants import Truncating

# %% [markdown] name="raft-why" tags=["why"]
# ## Why
#
# On 21 October 2018 the link between two of GitHub's data centres was down for 43 seconds. A failover
# program promoted databases on the west coast; the ones in the east had already accepted writes that had
# not been copied. When the link came back, each side held writes that the other had never seen, and neither
# could be thrown away. Repairing it took 24 hours and 11 minutes.
#
# Two leaders, each sure of itself. Raft's rules exist so that this cannot happen, whatever the network
# does. You will see what each rule is for by running Raft without it.

# %% [markdown] name="raft-majority-statement" tags=["exercise"]
# ## Exercise *raft-majority* (2 minutes)
#
# A server leads, and an entry counts, when a *majority* agrees. **Given** the number of servers, `n`.
# **Goal**: `majority(n)` is the smallest number of servers such that two groups of that size always share a
# server.

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

# %% name="raft-majority-check" tags=["check"] points=2 title="Counts a majority"
verify("raft-majority", majority, raft_variants.counting, like=raft.cluster, cases=raft_cases.MAJORITY,
       minutes=2)

# %% [markdown] name="raft-predict-task" tags=["predict"]
# ## Predict
#
# Three situations. Each lab stands at the moment that matters and stays locked until you have chosen an
# answer and said how sure you are; then play it on. Most people get at least one of them wrong, which is
# the point: say what surprised you.

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
# ## Play
#
# Kill the leader, play until there is another, and restart the old one: what does it do with its first
# message? Then cut the cluster into two and three, let the client write on both sides, and heal it.

# %% name="raft-play" tags=["play"]
Lab(raft.cluster(5), seed=7, title="Kill the leader")

# %% [markdown] name="raft-explain-election" tags=["explain"]
# ## How it works
#
# All code below is what the labs run. **An election** (§5.2): *new term → vote for oneself → wait again →
# ask → count*. A server that hears from no leader stands. Why is the time-out drawn at random? What if
# nobody gets a majority?

# %% name="raft-explain-election-source" tags=["explain"]
show_source(raft.Server.on_election_timeout, raft.Server.count_votes)

# %% [markdown] name="raft-explain-term" tags=["explain"]
# **A newer term ends every role** (§5.1). A deposed leader does not know that it is one until a message
# tells it. Each handler starts with this step; what may a server do in the new term that it could not do a
# moment before?

# %% name="raft-explain-term-source" tags=["explain"]
show_source(raft.Server.adopt)

# %% [markdown] name="raft-explain-append" tags=["explain"]
# **Replication** (§5.3): *check term → update term → check the entry before → append → commit → reply*. A
# leader sends what it believes is new to a follower, with the entry before it as proof; a follower that
# lacks that entry says so.

# %% name="raft-explain-append-source" tags=["explain"]
show_source(raft.Server.replicate, raft.Server.on_append_entries)

# %% [markdown] name="raft-explain-disk" tags=["explain"]
# **What survives a crash** (Figure 2). These three, written before any message that depends on them leaves;
# all else starts anew.

# %% name="raft-explain-disk-source" tags=["explain"]
raft.Server.durable

# %% [markdown] name="raft-vote-statement" tags=["exercise"]
# ## Exercise *raft-vote* (15 minutes)
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

# %% name="raft-vote-check" tags=["check"] points=6 title="Votes as §5.2 and §5.4.1 say"
verify("raft-vote", grant_vote, raft_variants.voting, like=raft.cluster, cases=raft_cases.VOTE,
       seeds=range(1, 31), minutes=15)

# %% name="raft-vote-hidden" tags=["hidden"] points=4 title="Votes rightly in runs that you have not seen"
verify("raft-vote", grant_vote, raft_variants.voting, like=raft.cluster,
       cases=raft_cases.rotated(raft_cases.VOTE, 1, 21), seeds=range(501, 541), minutes=15)

# %% [markdown] name="raft-commit-statement" tags=["exercise"]
# ## Exercise *raft-commit* (15 minutes)
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

# %% name="raft-commit-mutant-everybody" tags=["mutant"] property="Requests are answered" catalogue="C35"
def new_commit_index(server):
    lowest = min(server.match_index.values())
    return max(server.commit_index, lowest if server.term_at(lowest) == server.term else 0)

# %% name="raft-commit-mutant-all-but-one" tags=["mutant"] property="Requests are answered" catalogue="C35"
def new_commit_index(server):
    index = sorted(server.match_index.values())[1]
    return max(server.commit_index, index if server.term_at(index) == server.term else 0)

# %% name="raft-commit-mutant-four-copies-any-term" tags=["mutant"] property="Commits are kept" catalogue="C14"
def new_commit_index(server):
    held = sorted([server.last_index, *server.match_index.values()], reverse=True)
    index = held[server.quorum - 1]
    enough = server.term_at(index) == server.term or len(held) == 5 and held[3] >= index
    return max(server.commit_index, index if enough else 0)

# %% name="raft-commit-mutant-forgets-itself" tags=["mutant"] property="Requests are answered" catalogue="C32"
def new_commit_index(server):
    for index in range(server.last_index, server.commit_index, -1):
        copies = sum(match >= index for match in server.match_index.values())
        if copies >= server.quorum and server.term_at(index) == server.term:
            return index
    return server.commit_index

# %% name="raft-commit-mutant-next-only" tags=["mutant"] property="Requests are answered" catalogue="C14"
def new_commit_index(server):
    index = server.commit_index + 1
    copies = 1 + sum(match >= index for match in server.match_index.values())
    safe = copies >= server.quorum and server.term_at(index) == server.term
    return index if safe else server.commit_index

# %% name="raft-commit-mutant-never" tags=["mutant"] property="Requests are answered" catalogue="C14"
def new_commit_index(server):
    return server.commit_index

# %% name="raft-commit-check" tags=["check"] points=6 title="Commits as §5.4.2 says"
verify("raft-commit", new_commit_index, raft_variants.committing, like=raft_variants.pipelining,
       cases=raft_cases.COMMIT, seeds=range(1, 31), minutes=15)

# %% name="raft-commit-hidden" tags=["hidden"] points=4 title="Commits rightly in runs that you have not seen"
verify("raft-commit", new_commit_index, raft_variants.committing, like=raft_variants.pipelining,
       cases=raft_cases.rotated(raft_cases.COMMIT, 1, 21), seeds=range(501, 541), minutes=15)

# %% [markdown] name="raft-break-it-statement" tags=["exercise"]
# ## Exercise *raft-break-it* (15 minutes)
#
# `Truncating` is Raft with one line changed: it believes that what a message does not mention must go.
# Below are both versions. The cluster of three runs well for hours. **Goal**: a schedule that breaks one of
# its promises, the shorter the better: any that works earns 7 points, at most 3 actions earn all 10 (par 3;
# shortest known 2).
#
# Look for it in the lab: click a server, a link or a message, and play on; the chip of a broken promise
# turns red. Messages are ordered by nothing: one may overtake another. `lab.schedule()` in a cell of your
# own prints the list to paste below.

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

# %% [markdown] name="raft-experiment" tags=["experiment"]
# ## Experiment
#
# How long is a cluster without a leader? Lines are this simulator, marks are the paper's Figure 16;
# brackets hold the paper's numbers. With 100 trials a curve, medians lie within a few per cent; the tails,
# which hang on single trials, within about a factor of two. Before you look: why is the curve for 150–155
# ms a staircase? `trials=1000` takes half a minute and is what the paper did.

# %% name="raft-experiment-run" tags=["experiment"]
from dslab.experiments.election_figures import figure_16

figure_16(trials=100, seed=1, ranges=[(150, 155), (150, 200), (150, 300)])

# %% [markdown] name="raft-reflect" tags=["reflect"]
# ## Reflect
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
#    that nobody remembers, so the server could vote again in it.
# 3. Only progress: it may call elections all the time. No safety property speaks of time.
#
# </details>

# %% [markdown] name="raft-reading" tags=["reading"]
# ## Reading
#
# - Ongaro, Ousterhout, *In Search of an Understandable Consensus Algorithm* (extended version), §5.2–§5.4:
#   four pages, all the rules you used; read Figure 8 with your third prediction beside it.
# - Ongaro, *Consensus: Bridging Theory and Practice*, §3.8 (what must be on the disk) and chapter 9
#   (elections, measured): why the time-outs are what they are.
# - van Steen, Tanenbaum, *Distributed Systems*, §8.2: the same problem seen from process groups, with the
#   failure models that Raft leaves out.
