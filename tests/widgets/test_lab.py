"""The Lab: a click and a call do the same, code makes it again, and what goes wrong loses nothing."""

from __future__ import annotations

import inspect
import json
import threading
from typing import Any

import pytest
from ipywidgets import Widget

from dslab import DslabError, Lab, Node, System, Trace, message, simulate
from dslab.check.history import Operation
from dslab.check.invariants import check_trace
from dslab.protocols import raft
from dslab.sim.schedule import VERBS
from dslab.widgets import Prediction
from dslab.widgets.history import HistoryChart

IN_FLIGHT = [
    m.id for m in simulate(raft.cluster(5), seed=7, until=1000).messages if m.sent_us < 205_000 <= m.due_us
]

# one call per verb, with every kind of argument
CALLS: dict[str, tuple[list[Any], dict[str, Any], float]] = {
    "crash": (["n1"], {}, 1200),
    "restart": (["n1"], {"disk": False}, 1300),
    "leave": (["n5"], {}, 900),
    "join": (["n5"], {"to": "n2"}, 1000),
    "pause": (["n2"], {}, 1200.5),
    "resume": (["n2"], {}, 1400),
    "lose_disk": (["n3"], {}, 900),
    "skew": (["n4"], {"offset": 200.0, "rate": 1.5}, 800),
    "timeout": (["n2", "election"], {}, 1000),
    "load_dice": (["n2", [1, 0]], {}, 1000),
    "turn_traitor": (["n1", "equivocate"], {"fields": {"term": 9, "granted": False}, "to": ["n2"]}, 800),
    "turn_loyal": (["n1"], {}, 900),
    "partition": ([[["n1", "n2"], ["n3", "n4", "n5"]]], {"in_flight": "held"}, 1100),
    "heal": ([], {}, 1500),
    "cut": (["n1", "n3"], {}, 700),
    "mend": (["n1", "n3"], {}, 1000),
    "link": (["n1", "n2"], {"latency": [10.0, 20], "loss": 0.25, "duplicate": 0, "fifo": True}, 600),
    "drop": (IN_FLIGHT[:1], {}, 205),
    "hold": (IN_FLIGHT[1:2], {}, 205),
    "release": (IN_FLIGHT[1:2], {}, 300),
    "delay": (IN_FLIGHT[2:3], {"by": 40.0}, 205),
    "duplicate": (IN_FLIGHT[:1], {}, 205),
    "deliver": (IN_FLIGHT[3:4], {}, 205),
    "request": (['say "hé" \\ x=1'], {"to": "n2", "client": "c1"}, 400.125),
}
NEEDS = {
    "restart": "crash",
    "join": "leave",
    "resume": "pause",
    "turn_loyal": "turn_traitor",
    "heal": "partition",
    "mend": "cut",
    "release": "hold",
}


class Browser:
    """What the front end sees: replies to commands."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.replies = lab, []
        lab.send = lambda content, buffers=None: self.replies.append(content)  # type: ignore[method-assign]

    def __call__(self, do: str, **content: Any) -> dict[str, Any]:
        message_ = json.loads(json.dumps({"id": len(self.replies) + 1, "do": do, **content}))
        self.lab._handle_custom_msg(message_, [])
        return self.replies[-1]


@pytest.fixture
def lab() -> Lab:
    return Lab(raft.cluster(5), seed=7)


@pytest.fixture
def short() -> Lab:
    """A lab whose runs take little time."""
    return Lab(raft.cluster(5), seed=7, until=1500)


def run_again(code: str) -> Lab:
    """What a student does: paste the cell into a fresh kernel."""
    scope: dict[str, Any] = {}
    exec(code, scope)
    return scope["lab"]


def test_there_is_a_call_for_every_verb_here() -> None:
    """The tables of this file cover the verbs."""
    assert set(CALLS) == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_click_and_a_call_do_the_same_and_code_makes_it_again(verb: str) -> None:
    """Method, browser command and pasted code end in the same digest, verb by verb."""
    lab, clicked = (Lab(raft.cluster(5), seed=7, until=2000) for _ in range(2))
    browser = Browser(clicked)
    for name in [NEEDS[verb], verb] if verb in NEEDS else [verb]:
        args, kwargs, at = CALLS[name]
        getattr(lab, name)(*args, at=at, **kwargs)
        named = dict(zip(VERBS[name], args, strict=False)) | kwargs
        reply = browser("act", branch="A", at_us=round(at * 1000), seen_us=0, verb=name, args=named)
        assert reply["ok"], reply
    assert lab.code() == clicked.code() and lab.digest() == clicked.digest() == run_again(lab.code()).digest()
    assert lab.digest() == simulate(raft.cluster(5), seed=7, schedule=lab.schedule(), until=2000).digest()
    assert clicked.branches[0]["digest"] == lab.digest()
    assert not any(isinstance(e.detail, dict) and "ignored" in e.detail for e in lab.trace().events), verb


@pytest.mark.parametrize("verb", VERBS)
def test_methods_have_real_signatures(verb: str) -> None:
    """Help and completion in a notebook show the arguments of the verb and `at`."""
    method = getattr(Lab, verb)
    assert list(inspect.signature(method).parameters) == ["self", *VERBS[verb], "at"]
    assert "Args:" in method.__doc__ and method.__qualname__ == f"Lab.{verb}"


def test_code_is_the_cell_of_the_contract(lab: Lab) -> None:
    """Two imports, one line per action, and the lab itself, so that the cell shows it."""
    lab.crash("n1", at=1180)
    lab.partition(["n1", "n2"], ["n3", "n4", "n5"], at=2000)
    assert lab.code() == "\n".join(
        [
            "from dslab import Lab",
            "from dslab.protocols import raft",
            "",
            "lab = Lab(raft.cluster(5), seed=7)",
            'lab.crash("n1", at=1180)',
            'lab.partition([["n1", "n2"], ["n3", "n4", "n5"]], at=2000)',
            "lab",
        ]
    )


def test_code_says_until_when_the_run_has_gone_on(lab: Lab) -> None:
    """The end is part of the digest, so it is part of the cell."""
    lab.crash("n1", at=12_000)
    assert ", until=22000)" in lab.code() and run_again(lab.code()).digest() == lab.digest()


def test_acting_in_the_past_makes_a_branch_and_both_remain(lab: Lab) -> None:
    """Scrub back, crash another node: branch B, with only its own part as bytes; A is untouched."""
    browser = Browser(lab)
    assert (
        browser("act", branch="A", at_us=1_200_000, seen_us=1_200_000, verb="crash", args={"node": "n1"})[
            "branch"
        ]
        == "A"
    )
    main = lab.digest("A")
    reply = browser("act", branch="A", at_us=1_000_000, seen_us=3_000_000, verb="crash", args={"node": "n2"})
    assert reply == {"id": 2, "ok": True, "branch": "B"}
    branch = lab.branches[1]
    assert (branch["id"], branch["parent"], branch["fork_us"]) == ("B", "A", 1_000_000)
    assert lab.branch == "B" and lab.cursor["time_us"] == 1_000_000 and lab.digest("A") == main
    assert branch["actions"] == [{"at": 1000, "do": "crash", "node": "n2"}]
    assert len(lab.chunks["B"]) < len(lab.chunks["A"])
    assert json.loads(lab.chunks["B"])["first"] == branch["fork_event"] > 0


def test_a_call_forks_before_what_the_cursor_has_reached(lab: Lab) -> None:
    """Python and browser follow one rule; the cursor's time is what a call without `at` uses."""
    lab.seek(3000)
    lab.crash("n1")
    assert lab.schedule() == [{"at": 3000, "do": "crash", "node": "n1"}] and lab.branch == "A"
    lab.crash("n2", at=1000)
    assert lab.branch == "B" and lab.schedule() == [{"at": 1000, "do": "crash", "node": "n2"}]
    lab.seek(3000, branch="A")
    lab.fork(2000, label="quiet")
    assert lab.branch == "C" and lab.branches[2]["label"] == "quiet" and lab.schedule() == []


def test_an_action_can_be_moved_in_a_branch_of_its_own(lab: Lab) -> None:
    """A fault that begins and ends elsewhere is another future; code makes it again, and the old one stays."""
    browser = Browser(lab)
    lab.crash("n1", at=1000)
    lab.restart("n1", at=2000)
    main = lab.digest("A")
    assert browser("move", branch="A", times_us={"0": 800_000, "1": 2_500_000}) == {"id": 1, "ok": True, "branch": "B"}
    assert [(a["at"], a["do"]) for a in lab.schedule("B")] == [(800, "crash"), (2500, "restart")]
    assert (lab.branches[1]["fork_us"], lab.branches[1]["label"]) == (800_000, "crash n1 earlier")
    lab.move(1, at=1500, branch="A")
    assert lab.branch == "C" and [a["at"] for a in lab.schedule()] == [1000, 1500]
    assert run_again(lab.code()).digest() == lab.digest() and lab.digest("A") == main
    assert browser("undo")["ok"] and [b["id"] for b in lab.branches] == ["A", "B"]
    refused = browser("move", branch="A", times_us={"7": 1000})
    assert not refused["ok"] and "has 2 actions" in refused["error"]


def test_undo_and_redo_reach_the_browser(lab: Lab) -> None:
    """The branch list, the bytes and the cursor follow every step back and forth."""
    browser = Browser(lab)
    lab.seek(3000)
    lab.crash("n1", at=1000)
    assert browser("undo") == {"id": 1, "ok": True, "branch": "A"}
    assert [b["id"] for b in lab.branches] == ["A"] == list(lab.chunks) and lab.branch == "A"
    assert browser("redo")["branch"] == "B" and lab.branch == "B"
    browser("rename", branch="B", label="n1 dies")
    browser("pin", branch="B", pinned=True)
    browser("bookmark", branch="B", event=3, label="here")
    assert lab.branches[1]["label"] == "n1 dies" and lab.branches[1]["bookmarks"] == [
        {"us": 0, "event": 3, "label": "here"}
    ]
    assert browser("delete", branch="B") == {
        "id": 6,
        "ok": False,
        "error": "branch B is pinned; unpin it before deleting B",
    }
    browser("pin", branch="B", pinned=False)
    assert browser("delete", branch="B")["ok"] and lab.branch == "A"


def test_the_browser_may_ask_for_more_of_a_run_but_not_without_bound(lab: Lab) -> None:
    """Look-ahead adds at most a minute of simulated time per request."""
    browser = Browser(lab)
    assert (
        browser("extend", branch="A", until_us=12_000_000)["ok"] and lab.branches[0]["until_us"] == 12_000_000
    )
    browser("extend", branch="A", until_us=10**12)
    assert lab.branches[0]["until_us"] == 72_000_000
    assert run_again(lab.code()).digest() == lab.digest() == lab.branches[0]["digest"]


def test_a_fork_sends_nothing_but_its_own_part_before_it_answers(lab: Lab) -> None:
    """The digest takes as long as the run, so it follows after the answer."""
    digests = []
    browser = Browser(lab)
    lab.send = lambda content, buffers=None: (
        digests.append(lab.branches[-1]["digest"]),
        browser.replies.append(content),
    )  # type: ignore
    browser("act", branch="A", at_us=1_000_000, seen_us=3_000_000, verb="crash", args={"node": "n2"})
    assert digests == [None] and lab.branches[-1]["digest"] == lab.digest("B")


BAD = [
    (lambda lab: lab.crash("n9"), "crash: node must be one of n1, n2, n3, n4, n5, c1, not 'n9'"),
    (lambda lab: lab.crash(), "crash lacks 'node'"),
    (lambda lab: lab.crash("n1", at=-1), "crash: 'at' must be ms"),
    (lambda lab: lab.crash("n1", "n2"), "crash takes node and at="),
    (lambda lab: lab.partition(["n1"], ["n1"]), "partition: groups must be a list of groups"),
    (lambda lab: lab.request(object()), "a object is not plain data"),
    (lambda lab: lab.request("\ud800"), "request: its text holds half a character"),
    (lambda lab: lab.seek(99_999), "the cursor's time must be a number from 0 to 1500"),
    (lambda lab: lab.trace("Q"), "there is no branch 'Q'; there are A"),
    (lambda lab: lab.answer("a"), "this lab asks for no prediction"),
]


@pytest.mark.parametrize(("call", "sentence"), BAD)
def test_a_wrong_call_says_what_to_do_and_changes_nothing(short: Lab, call: Any, sentence: str) -> None:
    """One sentence, and the lab is as it was."""
    lab = short
    lab.crash("n1", at=1200)
    before = lab.branches, lab.cursor, lab.code()
    with pytest.raises(DslabError, match=sentence) as caught:
        call(lab)
    assert "\n" not in str(caught.value) and (lab.branches, lab.cursor, lab.code()) == before


@pytest.mark.parametrize(
    "content",
    [
        {"do": "act", "branch": "A", "at_us": 1, "verb": "crash", "args": {"node": "n9"}},
        {"do": "nonsense"},
        {},
        {"do": "act", "branch": "Q", "at_us": 1, "verb": "crash", "args": {"node": "n1"}},
        {"do": "act", "branch": "A", "at_us": "soon", "verb": "crash", "args": []},
        {"do": "delete", "branch": "A"},
        {"do": "act", "branch": "A", "at_us": 1, "verb": "explode"},
        {"do": "rename", "branch": "A"},
    ],
)
def test_a_refused_command_is_answered_with_a_sentence(short: Lab, content: dict[str, Any]) -> None:
    """Whatever arrives, the browser gets an answer, and the branches stay."""
    lab = short
    before = lab.branches
    reply = Browser(lab)(content.pop("do", None), **content)
    assert reply["ok"] is False and reply["error"] and "\n" not in reply["error"] and lab.branches == before


@pytest.mark.parametrize(
    "bad",
    [
        {"seed": "seven"},
        {"until": -1},
        {"start": 20_000},
        {"speed": 0},
        {"verbs": ["explode"]},
        {"schedule": [{"at": 1, "do": "crash", "node": "n9"}]},
        {"schedule": "crash n1"},
        {"system": raft.Server},
    ],
)
def test_a_lab_that_cannot_be_made_says_why(bad: dict[str, Any]) -> None:
    """One sentence that names the argument."""
    arguments = {"system": raft.cluster(5), "seed": 7, **bad}
    with pytest.raises(DslabError):
        Lab(arguments.pop("system"), **arguments)


@message
class Go:
    turn: int


class Breaks(Node):
    """Fails at its third message."""

    def on_start(self) -> None:
        self.turn = 0
        if self.id == "n1":
            self.set_timer("go", after=10)

    def on_go_timeout(self) -> None:
        self.broadcast(Go(1))
        self.set_timer("go", after=10)

    def on_go(self, sender: str, m: Go) -> None:
        self.turn += 1
        if self.turn == 3:
            raise ValueError("three is too many")


def test_a_run_that_fails_is_shown_as_far_as_it_came() -> None:
    """A student's bug does not take the picture away: the partial run, and the sentence."""
    lab = Lab(System(Breaks, nodes=2), seed=1, until=200)
    assert "three is too many" in lab.branches[0]["truncated"] and len(lab.trace()) > 5
    lab.crash("n2", at=15)
    assert lab.branches[0]["truncated"] is None
    lab.undo()
    data, _ = lab._repr_mimebundle_()
    assert "The run stopped early: n2 in on_go" in data["text/plain"]


def test_an_exercise_allows_what_it_lists() -> None:
    """A locked verb is refused in the browser's words and in Python's, and hidden properties stay hidden."""
    lab = Lab(raft.cluster(5), seed=7, verbs=["crash", "restart"], hide_properties=True)
    assert (
        lab.spec["verbs"] == ["crash", "restart"]
        and lab.spec["properties"] == [] == lab.branches[0]["verdicts"]
    )
    with pytest.raises(DslabError, match="pause is not part of this exercise; it allows crash, restart"):
        lab.pause("n1")
    assert Lab(raft.cluster(3, clients=0), seed=1).spec["verbs"] == [
        verb for verb in VERBS if verb != "request"
    ]


def test_a_students_property_is_a_chip_like_any_other() -> None:
    """An extra property is judged and described with the others; one that fails to run is not evaluable."""

    def nobody_leads(world: Any) -> str | None:
        """No server leads."""
        return next((f"{s.id} leads" for s in world.servers if getattr(s, "role", "") == "leader"), None)

    def broken(world: Any) -> None:
        """Asks for what is not there."""
        return world.servers[0].nothing

    lab = Lab(raft.cluster(5), seed=7, properties=[nobody_leads, broken])
    verdicts = {v["name"]: v for v in lab.branches[0]["verdicts"]}
    assert (
        verdicts["nobody_leads"]["status"] == "violated"
        and verdicts["nobody_leads"]["event"] in lab.branches[0]["interesting"]
    )
    assert verdicts["broken"]["status"] == "not evaluable" and "nothing" in verdicts["broken"]["text"]
    assert {p["name"] for p in lab.spec["properties"]} >= {"nobody_leads", "broken", "election_safety"}


QUESTION = Prediction(
    "Who leads next?",
    [("a", "n1 again", "n1 is down.", "C6"), ("b", "n5", "Its timer ran out first.")],
    right="b",
    reveal=1400,
)


def test_a_prediction_is_recorded_once() -> None:
    """The first answer counts, from Python or the browser; the question does not give it away."""
    crash = [{"at": 1200, "do": "crash", "node": "n1"}]
    lab = Lab(raft.cluster(5), seed=7, schedule=crash, start=1300, predict=QUESTION)
    assert lab.spec["predict"] == {
        "question": "Who leads next?",
        "reveal_us": 1_400_000,
        "options": [{"id": "a", "text": "n1 again"}, {"id": "b", "text": "n5"}],
    }
    assert lab.prediction["choice"] is None and lab.feedback is None
    data, _ = lab._repr_mimebundle_()
    assert data["text/plain"].endswith("Predict: Who leads next?") and "term 2" not in data["text/plain"]
    assert lab.branches[0]["until_us"] == 1_300_000 and lab.branches[0]["stations"][-1]["leader"] == "n1"
    with pytest.raises(DslabError, match="there is no answer 'z'; choose one of a, b"):
        lab.answer("z")
    lab.set_state({"prediction": {"choice": "a", "confidence": 2}})
    assert lab.feedback == {"right": False, "text": "n1 is down.", "answer_text": "n5"}
    assert lab.branches[0]["until_us"] == 10_000_000 and lab.branches[0]["stations"][-1]["term"] == 2
    lab.answer("b")
    assert lab.prediction == {
        "question": "Who leads next?",
        "choice": "a",
        "confidence": 2,
        "right": False,
        "misconception": "C6",
    }
    lab.crash("n1", at=1200)


@pytest.mark.parametrize(
    ("options", "right"),
    [
        ([("a", "x", "y")], "a"),
        ([("a", "x", "y"), ("a", "x", "y")], "a"),
        ([("a", "x"), ("b", "y")], "a"),
        ([("a", "x", "y"), ("b", "x", "y")], "c"),
    ],
)
def test_a_prediction_that_cannot_be_asked_is_refused(options: Any, right: str) -> None:
    """Two options or more, each once, with feedback, and the right one among them."""
    with pytest.raises(DslabError):
        Prediction("?", options, right=right, reveal=1)


def test_callbacks_may_run_in_another_thread_while_a_cell_runs(short: Lab) -> None:
    """Commands of the browser and calls from a cell, at the same time: nothing is lost, nothing is torn."""
    lab = short
    browser, errors = Browser(lab), []

    def click() -> None:
        try:
            for i in range(8):
                browser(
                    "act",
                    branch="A",
                    at_us=1_000_000 + i,
                    seen_us=1_400_000,
                    verb="crash",
                    args={"node": "n1"},
                )
                place = {"branch": "A", "time_us": 1000 * i, "event": 0, "stamp": lab.cursor["stamp"] + 1}
                lab.set_state({"cursor": place})
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for i in range(8):
        lab.rename("A", f"name {i}")
    for thread in threads:
        thread.join()
    assert not errors and all(reply["ok"] for reply in browser.replies)
    assert len(lab.branches) == 17 == len(lab.chunks) and lab.branches[0]["label"] == "name 7"
    assert {b["digest"] for b in lab.branches if b["id"] != "A"} == {
        lab.digest(b["id"]) for b in lab.branches if b["id"] != "A"
    }


def test_a_command_brings_the_cursor_that_it_was_made_at(short: Lab) -> None:
    """The trait may come later; the run is then changed where the browser stands, and it is not sent back."""
    lab = short
    browser = Browser(lab)
    lab.set_state({"cursor": {"branch": "A", "time_us": 300_000, "event": 0, "stamp": 1}})
    here = {"branch": "A", "time_us": 700_000, "event": 0, "stamp": 2}
    browser("act", branch="A", at_us=700_000, seen_us=700_000, verb="crash", args={"node": "n1"}, cursor=here)
    assert browser.replies[-1]["branch"] == "A" and lab.cursor["time_us"] == 700_000 and lab.cursor["stamp"] == 2
    assert lab.cursor["event"] > 0, "the index is Python's"


def test_a_cursor_that_was_on_its_way_while_python_moved_it_comes_too_late(short: Lab) -> None:
    """Of all who move it the last one wins, by Lamport's clock; of two at once, the browser."""
    lab = short
    before = lab.cursor["stamp"]
    lab.seek(900)
    lab.set_state({"cursor": {"branch": "A", "time_us": 1000, "event": 0, "stamp": before}})
    assert lab.cursor["time_us"] == 900_000 and lab.cursor["stamp"] == before + 1
    lab.set_state({"cursor": {"branch": "A", "time_us": 1000, "event": 0, "stamp": before + 1}})
    assert lab.cursor["time_us"] == 1000


@pytest.mark.parametrize("cursor", [None, 7, "here", [], {"branch": "A", "time_us": 5, "event": 0, "stamp": "late"}])
def test_a_command_with_a_cursor_that_is_none_is_carried_out(short: Lab, cursor: object) -> None:
    """Nothing that a page sends along can keep an action from its answer."""
    browser = Browser(short)
    browser("act", branch="A", at_us=700_000, seen_us=0, verb="crash", args={"node": "n1"}, cursor=cursor)
    assert browser.replies[-1]["ok"]


def test_the_output_has_a_live_view_a_picture_and_a_paragraph(lab: Lab) -> None:
    """Three alternatives, of which all but the live one are the same in every run."""
    data, _ = lab._repr_mimebundle_()
    again, _ = Lab(raft.cluster(5), seed=7)._repr_mimebundle_()
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "image/svg+xml", "text/plain"}
    assert data["image/svg+xml"] == again["image/svg+xml"] and data["text/plain"] == again["text/plain"]
    assert repr(lab) == "Lab(raft.cluster(5), seed=7), branch A, 0 actions"


def test_the_state_at_the_cursor_can_be_asked_for(lab: Lab) -> None:
    """Python sees what the picture shows."""
    lab.crash("n1", at=1200)
    lab.seek(1300)
    assert lab.state()["n1"]["status"] == "crashed" and lab.state() == lab.trace().state_at(
        lab.cursor["event"]
    )
    assert {v.status for v in lab.verdicts()} <= {"held", "reached", "not yet"}


def test_a_recorded_run_is_shown_but_nothing_else_can_happen_in_it() -> None:
    """Everything one can ask agrees with the trace; every change says why it cannot be, and changes nothing."""
    system = raft.cluster(3)
    schedule = [{"at": 500, "do": "crash", "node": "n1"}]
    trace = Trace.from_json(simulate(system, seed=3, schedule=schedule, until=1200.5).to_json())
    lab = Lab.recorded(trace, system=system, title="A real run")
    browser = Browser(lab)
    assert lab.trace() is trace and lab.digest() == trace.digest() and lab.schedule() == schedule
    assert (lab.spec["title"], lab.spec["recorded"]) == ("A real run", "this run was recorded from real processes")
    assert lab.verdicts() == check_trace(trace, system.always, system.eventually)
    assert {v.status for v in lab.verdicts()} <= {"held", "reached", "not yet"}, "a trace from a file can be judged"
    assert lab.branches[0]["until_us"] == 1_200_500
    lab.seek(900)
    assert lab.state()["n1"]["status"] == "crashed"
    before = lab.branches, lab.chunks, lab.cursor
    for change in (lambda: lab.crash("n2", at=1000), lambda: lab.fork(100), lambda: lab.move(0, 600)):
        with pytest.raises(DslabError, match="recorded from real processes"):
            change()
    for command in (
        {"do": "act", "branch": "A", "at_us": 1, "verb": "crash", "args": {"node": "n2"}},
        {"do": "extend", "branch": "A", "until_us": 9_000_000},
    ):
        assert "recorded from real processes" in browser(**command)["error"]
    assert (lab.branches, lab.chunks, lab.cursor) == before
    again = run_again(lab.code())
    assert again.schedule() == schedule and again.digest() == trace.digest()
    with pytest.raises(DslabError, match="give the system that ran"):
        Lab.recorded(trace, system=raft.cluster(5))
    with pytest.raises(DslabError, match="needs a Trace"):
        Lab.recorded(lab, system=system)  # type: ignore[arg-type]


def test_a_counterexample_needs_no_seed() -> None:
    """A schedule that names everything opens as it is."""
    schedule = [{"at": 10, "do": "crash", "node": "n1"}]
    assert Lab(raft.cluster(3), schedule=schedule, until=50).schedule() == schedule


def test_a_widget_is_whole_when_it_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page on a slow machine draws what came with the opening, long before anything else arrives."""
    opened: list[dict[str, object]] = []
    really = Widget.open

    def look(widget: Widget) -> None:
        really(widget)
        opened.append(widget.get_state())

    monkeypatch.setattr(Widget, "open", look)
    lab = Lab(raft.cluster(3), seed=2, start=300, title="Whole")
    chart = HistoryChart([Operation("c1", "write", "x", "1", None, 0, 5)], puzzle=True)
    states = [state for state in opened if "_esm" in state]
    assert len(states) == 2
    for name in ("spec", "branches", "chunks", "cursor", "_esm", "_css"):
        assert states[0][name] == getattr(lab, name) and states[0][name]
    assert states[1]["chart"] == chart.chart and "table" in chart.chart
