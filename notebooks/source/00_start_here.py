# %% [markdown] name="start-title"
# # Start here
#
# Five minutes: what a lab can do, how an exercise is checked, where your work is kept. Press
# <kbd>Shift</kbd>+<kbd>Enter</kbd> to run a cell and go to the next.

# %% name="start-setup"
from dslab import Lab, ready, verify
from dslab.protocols import echo, raft

# %% [markdown] name="start-play-task" tags=["play"]
# ## A lab
#
# Five servers run Raft and choose a leader. Every run is made from three things: a system, a seed and a
# list of actions. The same three give the same run, always, so nothing you do here can be lost or go wrong.
#
# 1. **Play.** Press the play button and watch until one server has become the leader.
# 2. **Break it.** Click the leader and choose *Crash*. Play on: how long does it take until there is
#    another one?
# 3. **Go back.** Drag the time line to a moment before the crash and crash a different server. Both runs
#    stay, one lane each.
#
# Everything works with the keyboard too; press <kbd>?</kbd> inside the lab. *Copy as code* makes a cell
# that repeats your run.

# %% name="start-play" tags=["play"]
Lab(raft.cluster(5), seed=7, title="Five servers choose a leader")

# %% [markdown] name="start-echo-statement" tags=["exercise"]
# ## An exercise (1 minute)
#
# **Given** a `command` that a client sends. **Goal**: `echo_back` returns what the server is to answer: the
# same command.
#
# Replace the line that says `raise`, run the cell, and run the check below it. Run the check once *before*
# that, too, and once with a wrong answer: it does not count attempts.

# %% name="start-echo-exercise" tags=["exercise"] points=1
def echo_back(command):
    """What an echo answers."""
    ### BEGIN SOLUTION
    return command
    ### END SOLUTION

# %% name="start-echo-mutant-silent" tags=["mutant"] property="The echo is the call"
def echo_back(command):
    """Prints instead of returning."""
    print(command)

# %% name="start-echo-mutant-polite" tags=["mutant"] property="The echo is the call"
def echo_back(command):
    """Always says the same."""
    return "hello"

# %% name="start-echo-mutant-as-text" tags=["mutant"] property="The echo is the call"
def echo_back(command):
    """Makes a text of everything."""
    return str(command)

# %% name="start-echo-check" tags=["check"] points=1 title="Answers with the command"
verify("start-echo", echo_back, echo.echoing, like=echo.cluster, cases=echo.CALLS, minutes=1)

# %% [markdown] name="start-checks" tags=["explain"]
# ## What a check tells you
#
# When an answer is wrong, its check names the property that broke, the seed, and the shortest list of
# actions that breaks it; it asks one question, and it opens that very run in a lab, a moment before things
# go wrong. A protocol is judged by what it does, never by how the code looks. Some cases are kept for
# grading; the rules they test are always the ones you see.

# %% name="start-ready" tags=["explain"]
ready()

# %% [markdown] name="start-storage" tags=["explain"]
# ## Where your work is kept
#
# In this notebook, on the computer that runs it, when you save. If you work on Binder, that computer is
# gone after some minutes of rest: download your notebook (*File → Download*) before you leave. Labs forget
# what you did when the kernel stops, so copy a run you want to keep as code.
#
# `python -m dslab grade notebooks/02-consensus.ipynb` in a terminal tells you where you stand; `python -m
# dslab doctor` lists the real systems (HAProxy, ZooKeeper, Kafka, ...) that later sections can use if this
# machine has them.

# %% [markdown] name="start-next" tags=["reading"]
# ## Where to go
#
# [02 Consensus](02-consensus.ipynb): make three elections fail, write a Paxos acceptor, find out why
# consensus may never end, build Raft in four steps, count quorums that liars cannot split, and kill a leader
# for real.
