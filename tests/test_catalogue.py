"""Every misconception that the course knows of is met: as a prediction, a mutant or a break-it lab.

The catalogue's entries are C1 to C36 about consensus and S1 to S20 about storage. What a learner meets is read off the
notebooks' sources: wrong answers by which the exercises are proved, options of questions that a lab asks, variants that
are to be broken or watched.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import defaultdict
from pathlib import Path

import pytest

import dslab.protocols
from dslab.authoring.cells import Source
from dslab.authoring.source import read_source
from dslab.check.invariants import check_trace
from dslab.sim import Node, simulate
from dslab.sim.case import Case

CONSENSUS = [f"C{number}" for number in range(1, 37)]
STORAGE = [f"S{number}" for number in range(1, 21)]
ENTRY = re.compile(r"[CFLSTX][1-9][0-9]?")
SOURCES = Path(__file__).resolve().parents[1] / "notebooks" / "source"
QUESTION = re.compile(r"Prediction\(\*\*(\w+)\.(\w+)\)")
USED = re.compile(r"\b(\w+)\.([A-Z]\w+)\b")


def modules():
    """All protocol modules by name."""
    return {
        found.name: importlib.import_module(f"dslab.protocols.{found.name}")
        for found in pkgutil.iter_modules(dslab.protocols.__path__)
    }


@pytest.fixture(scope="module")
def protocols():
    return modules()


@pytest.fixture(scope="module")
def consensus() -> Source:
    return read_source(SOURCES / "02_consensus.py")


@pytest.fixture(scope="module")
def storage() -> Source:
    return read_source(SOURCES / "03_storage.py")


def questions(module):
    """The questions of a module by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, dict) and {"question", "options", "right", "reveal"} <= set(value)
    }


def classes(protocols):
    """Every class of the protocols that says which entry it is."""
    return [
        cls
        for module in protocols.values()
        for cls in vars(module).values()
        if isinstance(cls, type) and cls.__module__ == module.__name__ and "catalogue" in vars(cls)
    ]


def met(source: Source, protocols) -> dict[str, list[str]]:
    """{entry: where a learner meets it} for one notebook."""
    places = defaultdict(list)
    for cell in source.cells:
        if "catalogue" in cell.keys:
            places[cell.keys["catalogue"]].append(cell.name)
        if cell.kind != "code" or "mutant" in cell.tags:
            continue
        for module, name in QUESTION.findall(cell.text):
            for option in questions(protocols[module])[name]["options"]:
                if len(option) > 3:
                    places[option[3]].append(f"{cell.name}: {option[0]}")
        for module, name in USED.findall(cell.text):
            thing = getattr(protocols.get(module), name, None)
            if isinstance(thing, type) and getattr(thing, "catalogue", ""):
                places[thing.catalogue].append(f"{cell.name}: {name}")
    return places


def test_a_learner_meets_every_entry(consensus, protocols):
    """C1 to C36, in the notebook itself."""
    places = met(consensus, protocols)
    missing = [entry for entry in CONSENSUS if not places[entry]]
    assert not missing, f"nothing in the notebook is about {', '.join(missing)}"


def test_a_learner_of_storage_meets_every_entry(storage, protocols):
    """S1 to S20, in the notebook itself: as a mutant, an option of a question that is asked, or a variant that runs."""
    places = met(storage, protocols)
    missing = [entry for entry in STORAGE if not places[entry]]
    assert not missing, f"nothing in the notebook is about {', '.join(missing)}"


def test_every_entry_of_storage_can_be_held(storage, protocols):
    """Each is a wrong answer: a mutant of an exercise, or a wrong option of a question that a lab asks."""
    wrong = {cell.keys.get("catalogue") for cell in storage.tagged("mutant")}
    for cell in storage.cells:
        for module, name in QUESTION.findall(cell.text):
            question = questions(protocols[module])[name]
            wrong |= {option[3] for option in question["options"] if len(option) > 3}
    assert [entry for entry in STORAGE if entry not in wrong] == []


def test_exercises_of_storage_have_mutants_that_name_their_entry(storage):
    """At least eight exercises, each with four mutants or more."""
    mutants = {name: storage.tagged("mutant", name) for name in storage.exercises}
    assert len(mutants) >= 8
    assert {name: len(cells) for name, cells in mutants.items() if len(cells) < 4} == {}


def test_every_entry_is_a_wrong_answer_somewhere(consensus, protocols):
    """A learner can hold it and be told: each is an option of a question, a mutant of an exercise or of a protocol."""
    wrong = {cell.keys.get("catalogue") for cell in consensus.tagged("mutant")}
    wrong |= {cls.catalogue for cls in classes(protocols)}
    for module in protocols.values():
        for question in questions(module).values():
            wrong |= {option[3] for option in question["options"] if len(option) > 3}
    assert [entry for entry in CONSENSUS if entry not in wrong] == []


def test_every_tag_is_an_entry(consensus, protocols):
    """No typing mistake hides one; and only wrong options carry a tag."""
    tags = [cell.keys["catalogue"] for cell in consensus.cells if "catalogue" in cell.keys]
    tags += [cls.catalogue for cls in classes(protocols) if cls.catalogue]
    for module in protocols.values():
        tags += [case.catalogue for case in vars(module).values() if isinstance(case, Case) and case.catalogue]
        for name, question in questions(module).items():
            for option in question["options"]:
                if len(option) > 3:
                    assert option[0] != question["right"], f"{module.__name__}.{name}: the right option has a tag"
                    tags.append(option[3])
    assert [tag for tag in tags if not ENTRY.fullmatch(tag)] == []


def test_every_wrong_option_has_its_own_feedback(protocols):
    """Right or wrong alone teaches little."""
    for module in protocols.values():
        for name, question in questions(module).items():
            told = [option[2] for option in question["options"]]
            assert len(set(told)) == len(told), f"{module.__name__}.{name}"
            assert question["right"] in [option[0] for option in question["options"]]


def test_every_question_is_asked(consensus, protocols):
    """In a notebook, or by a test of its protocol that it can be played; none is forgotten in a module."""
    asked = {pair for cell in consensus.cells for pair in QUESTION.findall(cell.text)}
    assert all(name in questions(protocols[module]) for module, name in asked)
    own = {("raft_questions", name) for name in questions(protocols["raft_questions"])}
    own |= {("consensus_questions", name) for name in questions(protocols["consensus_questions"])}
    assert own <= asked


def test_a_variant_is_what_its_tag_says(protocols):
    """Its docstring names the belief and the rule that it leaves out."""
    for cls in classes(protocols):
        if issubclass(cls, Node) and cls.catalogue:
            assert cls.__doc__, cls


def scripts():
    """The lesson scripts: which cell plays each, and the runs that belong to it."""
    return {
        3: [("paxos-predict-own-mind", "OWN_MIND"), ("paxos-predict-commonest", "COMMONEST")],
        4: [("raft-predict-commit", "FIGURE_8")],
        5: [("reads-predict-new", "NOT_YET_KNOWN"), ("reads-predict-old", "TWO_TRUTHS"), ("reads-play", "TWO_TRUTHS")],
        6: [("quorum-predict-half-written", "HALF_WRITTEN"), ("quorum-predict-unknown", "UNKNOWN_WRITE"),
            ("quorum-play-abd", "HALF_WRITTEN")],
        7: [("merging-predict-total", "TWO_COUNT"), ("merging-predict-twice", "DELIVERED_TWICE"),
            ("merging-play", "DELIVERED_TWICE"), ("merging-predict-stock", "BOTH_SELL")],
        9: [("liars-predict-five", "ONE_MORE_NODE")],
    }


@pytest.mark.parametrize("script", scripts())
def test_the_lesson_scripts_are_played(consensus, storage, script):
    """3: the proposer with its own mind. 4: majority is not enough. 5: two truths at once. 6: R + W > N and still
    wrong. 7: the counter that forgot. 9: one more, less safe."""
    cells = {cell.name: cell.text for source in (consensus, storage) for cell in source.cells}
    for cell, case in scripts()[script]:
        assert case in cells[cell]


def runs():
    """(the system that believes the wrong thing, the right one, the run, the promise that breaks) for each script."""
    from dslab.protocols import (
        paxos_cases,
        paxos_variants,
        pbft,
        pbft_cases,
        pbft_variants,
        raft,
        raft_cases,
        raft_reads,
        raft_reads_cases,
        raft_reads_variants,
        raft_variants,
    )

    def reads(case, server=raft_reads.Server):
        return raft_reads.cluster(3, clients=case.clients, server=server)

    new, old = raft_reads_cases.NOT_YET_KNOWN, raft_reads_cases.TWO_TRUTHS
    own, commonest = paxos_variants.OwnValueProposer, paxos_variants.CommonestValueProposer
    return {
        "3": (paxos_cases.stage(proposer=own), paxos_cases.stage(), paxos_cases.OWN_MIND, "One value chosen"),
        "3, twist": (
            paxos_cases.stage(5, proposer=commonest),
            paxos_cases.stage(5),
            paxos_cases.COMMONEST,
            "One value chosen",
        ),
        "4": (
            raft.cluster(5, clients=2, server=raft_variants.CommitsAnyTerm),
            raft.cluster(5, clients=2),
            raft_cases.FIGURE_8,
            "Commits are kept",
        ),
        "5, C20": (reads(new, raft_reads_variants.AnswersAtOnce), reads(new), new, "Reads are fresh"),
        "5, C3": (reads(old, raft_reads_variants.LocalReads), reads(old), old, "Reads are fresh"),
        "9": (
            pbft.cluster(5, clients=2, server=pbft_variants.MajorityQuorum),
            pbft.cluster(5, clients=2),
            pbft_cases.ONE_MORE_NODE,
            "One request per number",
        ),
    }


@pytest.mark.parametrize("script", runs())
def test_the_run_of_a_script_breaks_the_wrong_belief_only(script):
    """The promise breaks with the belief, and everything holds without."""
    wrong, right, case, promise = runs()[script]
    verdicts = []
    for system in (wrong, right):
        trace = simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)
        verdicts.append({v.title: v.status for v in check_trace(trace, system.always)})
    assert verdicts[0][promise] == "violated"
    assert set(verdicts[1].values()) == {"held"}
