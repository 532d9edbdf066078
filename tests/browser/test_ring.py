"""The key ring in a real browser, on exported pages: one lookup walked by keyboard, in all themes and widths."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dslab import Lab
from dslab.protocols import chord

KEY = 300


@pytest.fixture(scope="module")
def lab() -> Lab:
    """A ring of twenty with a lookup, a crash, and a server that joins later."""
    schedule = [
        {"at": 100, "do": "request", "command": "a=1"},
        {"at": 600, "do": "request", "command": f"#{KEY}"},
        {"at": 900, "do": "join", "node": "n20"},
        {"at": 2500, "do": "crash", "node": "n3"},
    ]
    return Lab(chord.cluster(20, bits=10, absent=("n20",)), seed=1, schedule=schedule, until=4000, title="Ring")


@pytest.fixture(scope="module")
def address(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ring") / "ring.html"
    lab.export_html(path)
    return path.as_uri()


def wanted(lab: Lab) -> tuple[list[str], str]:
    """The path and the owner of the lookup, from the states of the run."""
    trace = lab.trace()
    for event in trace.events:
        for lookup in (trace.state_at(event.id)["n1"].get("lookups") or {}).values() if event.node == "n1" else ():
            if lookup["key"] == KEY and lookup["owner"] is not None:
                return lookup["path"], lookup["owner"]
    raise AssertionError("the lookup was never answered")


def next_until(page: Page, words: str) -> list[str]:
    """By key to the next interesting event, again and again; what was said on the way."""
    heard: list[str] = []
    page.locator(".dslab-lab").focus()
    while words not in (heard[-1] if heard else ""):
        assert len(heard) < 60, heard
        event = page.locator(".dslab-lab").get_attribute("data-event")
        page.keyboard.press(">")
        expect(page.locator(".dslab-lab")).not_to_have_attribute("data-event", event)
        heard.append(page.locator(".ds-headline").inner_text())
    return heard


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator(".dslab-lab")).to_have_attribute("data-event", re.compile("."))


def test_a_lookup_is_walked_by_keyboard_and_heard(page: Page, address: str, lab: Lab):
    """Arrows go from hop to hop and on in time; the live region says each one, and at the end who owns the key."""
    path, owner = wanted(lab)
    assert len(path) >= 3, "a lookup worth walking"
    open_page(page, address)
    next_until(page, f"for key {KEY}")
    page.keyboard.press("f")
    live = page.locator(".dslab-lab [role=status][aria-live=polite]")
    rows = page.locator(".ds-hop-row")
    expect(rows.first).to_contain_text(f"n1 asks for key {KEY}")
    page.keyboard.press("Home")
    expect(live).to_contain_text(f"n1 asks for key {KEY}")
    hops = [*path[1:], owner]
    for number, hop in enumerate(hops, start=1):
        page.keyboard.press("ArrowDown")
        expect(live).to_contain_text(f"Hop {number}: {hop},")
        expect(rows.nth(number)).to_be_focused()
        expect(rows.nth(number)).to_have_attribute("aria-current", "step")
    expect(live).to_contain_text("found")
    expect(page.locator(".ds-hopn")).to_have_count(len(hops))
    expect(page.locator(".ds-hop-focus")).to_have_count(1)
    name = re.compile(f"lookup of key {KEY} by n1")
    expect(page.locator(".ds-stage-svg").first).to_have_attribute("aria-label", name)


def test_hops_are_heard_with_the_step_keys_too(page: Page, address: str, lab: Lab):
    """The next interesting event, again and again: each hop is a sentence."""
    path, owner = wanted(lab)
    open_page(page, address)
    heard = next_until(page, f"Key {KEY} is found")
    assert heard[-1] == f"Key {KEY} is found: {owner} owns it"
    assert [text for text in heard if " asks n" in text and f"key {KEY}" in text] == [
        f"n1 asks {hop} for key {KEY}" for hop in path[1:]
    ]


def test_nodes_by_keyboard(page: Page, address: str):
    """Arrows go round the ring, a node shows what it knows, Enter opens what can be done to it."""
    open_page(page, address)
    page.locator(".dslab-lab").focus()
    page.keyboard.press("ArrowRight")
    first = page.locator(".ds-ring-node:focus").get_attribute("data-node")
    expect(page.locator(".ds-stage-svg .ds-chord").first).to_be_visible()
    seen = {first}
    for _ in range(25):
        page.keyboard.press("ArrowRight")
        seen.add(page.locator(".ds-ring-node:focus").get_attribute("data-node"))
    assert len(seen) == 20, "the absent one too"
    page.keyboard.press("Enter")
    expect(page.locator(".ds-pop-node")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".ds-ring-node:focus")).to_have_count(1)


def test_members_and_moved_keys(page: Page, address: str):
    """The join and the crash with their keys; a contact that is down is dashed."""
    open_page(page, address)
    page.locator("[data-control=end]").click()
    page.locator("[data-tab=churn]").click()
    expect(page.locator(".ds-churn")).to_contain_text("n3 crashes")
    expect(page.locator(".ds-churn")).to_contain_text("n20 joins")
    page.locator("[data-tab=race]").click()
    page.locator(".ds-race-steps button").last.click()
    standing = re.compile("fingersthe tables shown ?found in \\d+ hops?; log2 n is 4")
    expect(page.locator(".ds-race")).to_contain_text(standing)
    expect(page.locator(".ds-hop.is-racer1").first).to_be_attached()


@pytest.mark.needs("node")
@pytest.mark.parametrize(("theme", "width"), [("light", 340), ("dark", 720), ("light", 1240)])
def test_axe_finds_nothing(browser: Browser, address: str, axe: Path, theme: str, width: int):
    """At the end of the run, in each view; nothing sticks out at the side."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, bypass_csp=True)
    page = context.new_page()
    open_page(page, address)
    page.locator("[data-control=end]").last.evaluate("e => e.click()")
    page.add_script_tag(path=axe)
    for tab in ("lookup", "ringtable", "churn", "race", *(["cluster"] if width < 1000 else [])):
        page.locator(f"[data-tab={tab}]").click()
        found = page.evaluate("() => axe.run('.dslab-lab')")["violations"]
        assert [f"{tab}, {v['id']}: {v['nodes'][0]['html'][:160]}" for v in found] == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    context.close()


def test_without_motion_and_in_forced_colours(browser: Browser, address: str):
    """Hops stay told apart by more than colour, and bars keep their fill."""
    context = browser.new_context(
        viewport={"width": 1240, "height": 900}, reduced_motion="reduce", forced_colors="active"
    )
    page = context.new_page()
    open_page(page, address)
    page.locator("[data-control=end]").click()
    bar, paper = (page.locator(s).first.evaluate("e => getComputedStyle(e).backgroundColor")
                  for s in (".ds-hop-bar", ".dslab-lab"))
    assert bar != paper
    dashes = {page.locator(f".ds-stage-svg {s}").first.evaluate("e => getComputedStyle(e).strokeDasharray")
              for s in (".ds-hop", ".ds-rej")}
    assert len(dashes) == 2
    context.close()
