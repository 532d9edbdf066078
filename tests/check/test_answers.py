"""Checks of functions: a right answer passes, a wrong one is explained, a missing one is met kindly."""

import pytest

from dslab.check import answers
from dslab.check.answers import verify
from dslab.check.feedback import CheckFailed
from dslab.protocols import echo, raft, raft_cases, raft_steps, raft_steps_cases, raft_variants


def right_vote(server, candidate, request):
    """Raft's own rule, through the names that the exercise allows."""
    if request.term < server.term:
        return False
    server.adopt(request.term)
    newer = (request.last_term, request.last_index) >= (server.term_at(server.last_index), server.last_index)
    if server.voted_for not in (None, candidate) or not newer:
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True


def longest_log(server, candidate, request):
    """C7."""
    if request.term < server.term or (
        server.term == request.term and server.voted_for not in (None, candidate)
    ):
        return False
    server.adopt(request.term)
    if request.last_index < server.last_index:
        return False
    server.voted_for = candidate
    server.reset_election_timer()
    return True


def check_vote(answer, **options):
    """The exercise raft-vote."""
    chosen = {"cases": raft_cases.VOTE, "minutes": 15} | options
    return verify("raft-vote", answer, raft_variants.voting, like=raft.cluster, **chosen)


def failure(answer, **options):
    """The text of the failure."""
    with pytest.raises(CheckFailed) as caught:
        check_vote(answer, **options)
    return str(caught.value)


def test_right_answer_says_what_was_tried():
    """One line names the cases, the runs and their seeds."""
    said = check_vote(right_vote, seeds=range(1, 7))
    assert said == (
        "raft-vote: right. 12 cases and 6 runs with crashes, partitions and lost messages (seeds 1-6): "
        "all safety properties held and every request was answered."
    )


def test_failure_tells_property_seed_schedule_step_and_question():
    """The five parts of the feedback contract, in this order, and the catalogue's name of the mistake."""
    text = failure(longest_log)
    parts = [
        'raft-vote: the property "Commits are kept" is broken.',
        "It says: An entry committed in a term",
        "(C7)",
        "seed 1",
        "   1. timeout(",
        "The first step that Raft does not take",
        "Question: ",
    ]
    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)


def test_failure_does_not_tell_the_remedy():
    """A question, not the rule."""
    text = failure(longest_log).lower()
    assert "compare the last term" not in text and "must" not in text.split("question:")[1]


def test_failure_replays():
    """The case that comes with a failure breaks the same property, in the system that comes with it."""
    from dslab.check.answers import find

    with pytest.raises(CheckFailed) as caught:
        check_vote(longest_log)
    failed = caught.value
    broken = find(failed.system, failed.case)
    assert broken.verdict.title == "Commits are kept"
    assert 0 < failed.start < broken.verdict.time_us / 1000 < failed.case.until


def test_no_single_action_of_the_shortest_schedule_can_go():
    """What is shown is minimal: leaving any one action out, the property holds."""
    from dslab.check.answers import find

    with pytest.raises(CheckFailed) as caught:
        check_vote(longest_log)
    failed = caught.value
    for number in range(len(failed.case.schedule)):
        less = [a for i, a in enumerate(failed.case.schedule) if i != number]
        broken = find(failed.system, failed.case._replace(schedule=less, until=700))
        assert broken is None or broken.verdict.title != "Commits are kept"


def test_a_hidden_check_searches_for_no_shorter_schedule(monkeypatch):
    """Nobody reads what it says; the property is the one that a visible check names."""
    shown = failure(longest_log)
    monkeypatch.setenv("DSLAB_HIDDEN_CHECK", "1")
    monkeypatch.setattr(answers, "shortest", None)  # whoever calls it fails
    assert failure(longest_log).splitlines()[0] == shown.splitlines()[0]


class ComparesCommands(raft_steps.Replicated):
    """Entries with one command are one entry, whatever their terms: some of its runs send without end."""

    def append(self, m):
        if m.prev_index > self.last_index or self.term_at(m.prev_index) != m.prev_term:
            return False
        for place, entry in enumerate(m.entries, start=m.prev_index):
            if place >= self.last_index or self.log[place].command != entry.command:
                self.log[place:] = [entry]
        return True


def test_shortening_ends_though_runs_do_not(monkeypatch):
    """Its work is bounded by events, which are the same on every machine."""
    made = []

    def simulate(*arguments, **options):
        try:
            trace = answers_simulate(*arguments, **options)
        except Exception as error:
            made.append(len(error.trace.events))
            raise
        made.append(len(trace.events))
        return trace

    answers_simulate = answers.simulate
    monkeypatch.setattr(answers, "simulate", simulate)
    with pytest.raises(CheckFailed, match="is broken"):
        verify("steps", ComparesCommands, raft_steps.replicating, like=raft_steps.replicated,
               seeds=range(501, 507), faults=raft_steps_cases.NO_RESTARTS)
    assert max(made) < answers.LONG and sum(made) < 2 * answers.SHORTENING


def test_a_run_without_an_end_is_given_up():
    """And what goes round is told."""

    class Restless(raft_steps.Replicated):
        def on_appended(self, sender, m):
            super().on_appended(sender, m)
            self.replicate(sender)
            self.replicate(sender)

    with pytest.raises(CheckFailed, match="stopped after 100,000 events"):
        verify("steps", Restless, raft_steps.replicating, like=raft_steps.replicated, cases=(raft_cases.CALM,))


def no_memory(server, candidate, request):
    """Votes for everybody, as often as asked."""
    server.adopt(request.term)
    return request.term == server.term


def test_random_runs_find_mistakes_without_any_case():
    """The same seed finds the same, and the schedule is shortened."""
    text = failure(no_memory, cases=(), seeds=range(1, 31))
    assert "is broken" in text and "The shortest schedule" in text
    assert text == failure(no_memory, cases=(), seeds=range(1, 31))


def test_what_broke_first_is_told_when_the_protocol_stumbles_over_it_later():
    """With two leaders in a term Raft's own code may raise; nobody learns from that."""
    for seed in range(501, 541, 4):
        with pytest.raises(CheckFailed, match="is broken"):
            check_vote(no_memory, cases=(), seeds=range(seed, seed + 40))


def test_untouched_stub_is_met_kindly(monkeypatch):
    """A stub is no mistake: one line, no exception."""

    def grant_vote(server, candidate, request):
        raise NotImplementedError("write your answer here")

    monkeypatch.delenv("DSLAB_GRADING", raising=False)
    assert check_vote(grant_vote) == (
        "raft-vote: not answered yet - fill in the cell above and run this cell again (about 15 minutes)."
    )


def test_untouched_stub_gets_no_points_while_grading(monkeypatch):
    """The same line, as a failure."""

    def grant_vote(server, candidate, request):
        raise NotImplementedError

    monkeypatch.setenv("DSLAB_GRADING", "1")
    assert "not answered yet" in failure(grant_vote)


def test_students_exception_is_one_sentence_with_their_line():
    """No traceback through the package."""

    def grant_vote(server, candidate, request):
        return request.trem > server.term

    text = failure(grant_vote)
    assert "`return request.trem > server.term`, stops with AttributeError" in text
    assert text.count("\n") <= 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            lambda server, candidate, request: None,
            "returned None; it must return True or False on every path",
        ),
        (lambda server, candidate: True, "takes 2 positional arguments but 3 were given"),
        (lambda server, candidate, request: [].index(1), "ValueError"),
    ],
)
def test_what_is_no_answer_is_named(answer, words):
    """A missing return, another signature, an exception below the student's line."""
    assert words in " ".join(failure(answer).split())


def test_what_an_answer_prints_is_shown_of_the_run_that_fails(capsys):
    """Of hundreds of runs one, and its beginning; a run that prints little is shown whole."""

    def loud(server, candidate, request):
        for number in range(30):
            print("asked", number)
        return False

    failure(loud)
    shown = capsys.readouterr().out.splitlines()
    assert shown[:2] == ["asked 0", "asked 1"] and len(shown) == 41 and "lines in this run" in shown[-1]

    def quiet(server, candidate, request):
        print("asked by", candidate)
        return right_vote(server, candidate, request)

    check_vote(quiet, cases=raft_cases.VOTE[:1])
    shown = capsys.readouterr().out.splitlines()
    assert 1 <= len(shown) <= 4 and all(line.startswith("asked by n") for line in shown)


def test_what_is_no_function_is_refused():
    """A name that the cell gave to something else."""
    with pytest.raises(CheckFailed, match="must be a function or a class, not 'yes'"):
        check_vote("yes")


def test_failure_is_rendered_without_traceback():
    """IPython asks the exception for its text."""
    assert CheckFailed("one\ntwo")._render_traceback_() == ["one", "two"]


def test_answers_that_do_nothing_do_not_pass():
    """Never voting is safe, and not an answer."""
    assert '"Requests are answered" is broken' in failure(lambda server, candidate, request: False)


def test_another_protocol_is_checked_by_the_same_code():
    """Nothing in the check knows Raft."""

    def check(answer):
        return verify("start-echo", answer, echo.echoing, like=echo.cluster, cases=echo.CALLS)

    assert check(lambda command: command) == (
        "start-echo: right. 1 case: all safety properties held and every request was answered."
    )
    with pytest.raises(CheckFailed, match="n1 heard 'hello' and said None"):
        check(lambda command: None)


def test_a_missing_earlier_step_is_what_is_named(monkeypatch):
    """The cell above is full; the one that it builds on is not."""
    monkeypatch.delenv("DSLAB_GRADING", raising=False)

    class Electing(raft_steps.Replicated):
        def on_election_timeout(self):
            raise NotImplementedError("write your answer here")

    class Replicating(Electing):
        pass

    told = verify("step-2", Replicating, raft_steps.replicating, like=raft_steps.replicated, cases=(raft_cases.CALM,))
    assert told == "step-2: it uses Electing, which is not answered yet - answer that first, and run this cell again."
    told = verify("step-1", Electing, raft_steps.replicating, like=raft_steps.replicated, cases=(raft_cases.CALM,))
    assert told.startswith("step-1: not answered yet - fill in the cell above")


def test_nobody_is_blamed_for_what_the_right_system_does_not_manage_either():
    """A run too short for an election has no answer, whoever votes."""
    hasty = raft_cases.CALM._replace(until=620)
    assert "right" in check_vote(right_vote, cases=(hasty,))
    assert "Commits are kept" in failure(longest_log, cases=(hasty, raft_cases.LONG_LOG))
