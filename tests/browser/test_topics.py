"""One lesson of each topic of the consensus notebook, played in a real JupyterLab as a student plays it."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from dslab.authoring.cells import Source
from dslab.authoring.source import read_source
from dslab.grading import regions

SOURCE = Path(__file__).resolve().parents[2] / "notebooks" / "source" / "02_consensus.py"

# topic: (the cell of the lesson, an answer that many give, a word of the feedback to it)
LESSONS = {
    "elections": ("election-predict-bully", "one", "cannot tell a slow n5 from a dead one"),
    "paxos": ("paxos-predict-own-mind", "w", "chosen already"),
    "why it may never end": ("flp-predict-duel", "two", "four messages"),
    "raft": ("raft-predict-commit", "yes", "n5's last entry is of a newer term"),
    "reads": ("reads-predict-new", "one", "does not know that it is committed"),
    "liars": ("liars-predict-five", "safer", "share only the liar"),
}


@pytest.fixture(scope="module")
def source() -> Source:
    return read_source(SOURCE)


@pytest.fixture
def opened(
    page: Page, lab_url: str, run_notebook: Callable[[str], list[list]]
) -> Callable[[str, list[str]], list[list]]:
    """Opens a notebook of these cells and runs them."""

    def put(name: str, texts: list[str]) -> list[list]:
        python3 = {"name": "python3", "display_name": "Python 3", "language": "python"}
        cells = [nbformat.v4.new_code_cell(text) for text in texts]
        book = json.loads(nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": python3})))
        page.request.get(f"{lab_url}/lab")
        cookies = {c["name"]: c["value"] for c in page.context.cookies()}
        headers = {"X-XSRFToken": cookies["_xsrf"]} if "_xsrf" in cookies else {}
        content = {"type": "notebook", "content": book}
        assert page.request.put(f"{lab_url}/api/contents/{name}.ipynb", data=content, headers=headers).ok
        return run_notebook(f"{name}.ipynb")

    return put


def setup_of(source: Source) -> list[str]:
    """The set-up cells, which come before any lesson."""
    return [cell.text for cell in source.cells if cell.kind == "code" and not cell.tags]


def text_of(source: Source, name: str) -> str:
    return next(cell.text for cell in source.cells if cell.name == name)


def lab(page: Page) -> Locator:
    return page.locator(".dslab-lab").first


def to_the_end(page: Page, wanted: Locator) -> None:
    """Presses "To end" until something is there: what lies behind a prediction may still be on its way."""
    end = lab(page).locator("[data-control=end]").first
    expect(end).to_have_attribute("aria-disabled", "false")
    for _ in range(20):
        end.click()
        with contextlib.suppress(AssertionError):
            return expect(wanted).to_be_visible(timeout=1_000)
    raise AssertionError(f"the end of the run does not show {wanted}")


@pytest.mark.parametrize("topic", LESSONS)
def test_a_lesson_is_predicted_and_played(topic, source, opened, page):
    """The run is locked until an answer is recorded; played on, it shows what became of it, and why."""
    cell, answer, words = LESSONS[topic]
    cells = opened(cell, [*setup_of(source), text_of(source, cell)])
    assert all(errors == 0 for _, _, errors in cells)
    form = lab(page).locator(".ds-predict form")
    expect(form).to_be_visible()
    expect(lab(page).locator("[data-control=play]").first).to_have_attribute("aria-disabled", "true")
    form.locator(f"input[value={answer}]").check()
    form.locator("input[value='3']").check()
    form.get_by_role("button").click()
    expect(form).to_be_hidden()
    outcome = lab(page).locator(".ds-outcome")
    expect(outcome).to_contain_text("Play on to see")
    to_the_end(page, outcome.get_by_text("It went otherwise"))
    expect(outcome).to_contain_text(words)


def test_a_wrong_step_opens_the_run_in_which_it_fails(source, opened, page):
    """Raft in steps: the check names the property, and below it stands the failing run."""
    wrong = text_of(source, "steps-election-mutant-counts-answers")
    before = regions.stub_of(text_of(source, "raft-vote-exercise"))
    cells = opened("steps", [*setup_of(source), before, wrong, text_of(source, "steps-election-check")])
    assert [errors for _, _, errors in cells][-1] == 1
    output = page.locator(".jp-OutputArea-output", has_text=re.compile("One leader per term"))
    expect(output.first).to_contain_text("The shortest schedule that does it")
    to_the_end(page, lab(page).locator(".dslab-node[data-role=leader]").first)


def test_a_leader_is_killed_for_real_and_the_run_is_played(source, opened, page):
    """Processes on this machine; the recorded run is a lab like any other, in which nothing more can happen."""
    kill = text_of(source, "real-kill").replace("kills=5, trials=100", "kills=1, trials=1")
    assert "kills=1" in kill
    cells = opened("real", [*setup_of(source), kill, text_of(source, "real-recorded")])
    assert all(errors == 0 for _, _, errors in cells)
    expect(lab(page).locator(".dslab-node[data-kind=server]")).to_have_count(5)
    to_the_end(page, lab(page).locator(".dslab-node[data-role=leader][data-status=up]").first)
