"""Insets and conditions in a real browser, on exported pages: by keyboard, in both themes, wide and narrow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dslab import Lab
from dslab.protocols import paxos, pbft, pbft_cases


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two proposers whose ballots overlap; two traitors who tell two stories."""
    folder = tmp_path_factory.mktemp("insets")
    Lab(paxos.cluster(proposers=2, acceptors=3, learners=1), seed=6, until=600).export_html(folder / "ballots.html")
    case = pbft_cases.TWO_LIARS
    system = pbft.cluster(case.nodes, clients=case.clients)
    lab = Lab(system, seed=case.seed, schedule=case.schedule, until=case.until, start=60)
    lab.export_html(folder / "phases.html")
    return folder


def open_page(page: Page, pages: Path, name: str) -> None:
    page.goto((pages / f"{name}.html").as_uri())
    expect(page.locator(".dslab-lab")).to_have_attribute("data-event", re.compile("."))
    page.locator(f"[data-tab={name}]").click()


def run_until(page: Page, condition: str) -> None:
    """By key: the condition's field has the focus, and what was typed before is replaced."""
    page.keyboard.press("/")
    field = page.get_by_label("Condition", exact=True)
    expect(field).to_be_focused()
    page.keyboard.type(condition)
    page.keyboard.press("Enter")


def test_ballots_by_keyboard(page: Page, pages: Path):
    """A condition leads to the choice, arrows move among the acceptors, Enter marks one on the stage too."""
    open_page(page, pages, "ballots")
    run_until(page, 'any(chosen != none) and delivered("Accepted")')
    said = re.compile("is chosen: [23] of 3 accepted it in ballot 1 of p")
    expect(page.locator(".ds-inset-note")).to_contain_text(said)
    expect(page.locator(".ds-acceptors tfoot")).to_contain_text("chosen")
    rows = page.locator(".ds-acceptors [data-row]")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".ds-acceptors [data-row=a2]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".dslab-node[data-node=a2]")).to_have_attribute("aria-pressed", "true")


def test_phases_by_keyboard(page: Page, pages: Path):
    """Conflicting digests stand in halves with letters and patterns of their own; arrows choose the number."""
    open_page(page, pages, "phases")
    page.locator(".ds-strip [aria-pressed=true]").focus()
    page.keyboard.press("Home")
    expect(page.locator(".ds-strip [data-slot='1']")).to_be_focused()
    expect(page.locator(".ds-phases caption")).to_contain_text("Sequence number 1: 4 replicas, 1 may be faulty, 3 make")
    halves = page.locator(".ds-halves.is-split").filter(has=page.locator("b", has_text="B"))
    expect(halves.first).to_be_visible()
    fills = [page.locator(f".ds-sg.is-granted.is-look{look}").first.evaluate("e => getComputedStyle(e).backgroundImage")
             for look in (0, 1)]
    assert fills[0] == "none" and "repeating-linear-gradient" in fills[1]
    expect(page.locator(".dslab-node[data-traitor=equivocate]")).to_have_count(2)


def test_a_condition_that_cannot_be_read_or_met_is_told(page: Page, pages: Path):
    """Beside the field and to the live region; without a kernel the run ends where it was recorded."""
    open_page(page, pages, "ballots")
    run_until(page, "p1.ballot > [1, ")
    expect(page.locator(".ds-until-problem")).to_have_text("The condition ends too early: a value is missing.")
    before = page.locator(".dslab-lab").get_attribute("data-event")
    page.get_by_label("Condition", exact=True).fill("p1.ballot > [99]")
    page.keyboard.press("Enter")
    expect(page.locator(".ds-notice").first).to_contain_text("the run never reaches: p1.ballot > [99]")
    assert page.locator(".dslab-lab").get_attribute("data-event") == before
    page.get_by_label("Kind of condition").select_option("message")
    page.get_by_label("Message", exact=True).select_option("Chosen")
    expect(page.get_by_label("Condition", exact=True)).to_have_value('sent("Chosen")')
    page.get_by_role("button", name="Run until").click()
    expect(page.locator(".dslab-lab")).not_to_have_attribute("data-event", before)


@pytest.mark.needs("node")
@pytest.mark.parametrize("name", ["ballots", "phases"])
@pytest.mark.parametrize(("theme", "width"), [("light", 340), ("dark", 720), ("light", 1240)])
def test_axe_finds_nothing(browser: Browser, pages: Path, axe: Path, name: str, theme: str, width: int):
    """In the inset and with the form of conditions open; nothing sticks out at the side."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, bypass_csp=True)
    page = context.new_page()
    open_page(page, pages, name)
    page.locator("[data-control=end]").last.evaluate("e => e.click()")
    page.locator("[data-control=more]").click()
    page.add_script_tag(path=axe)
    found = page.evaluate("() => axe.run()")["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found] == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    context.close()
