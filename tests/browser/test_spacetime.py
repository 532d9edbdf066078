"""The space-time diagram in a real browser, on a page of its own: what it draws, its keys, its names, its room."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dslab import Lab
from dslab.protocols import raft

INK = """(canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let drawn = 0;
  for (let i = 3; i < data.length; i += 4) drawn += data[i] > 0;
  return drawn / (data.length / 4);
}"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a crash and a partition, and a branch with another crash; the cursor before a commit."""
    schedule = [
        {"at": 600, "do": "request", "command": "x=1"},
        {"at": 620, "do": "crash", "node": "n1"},
        {"at": 1500, "do": "partition", "groups": [["n2", "n3"], ["n1", "n4", "n5"]]},
        {"at": 1900, "do": "heal"},
    ]
    lab = Lab(raft.cluster(5), seed=7, schedule=schedule, start=940, until=3000, title="Two futures")
    lab.seek(1600)
    lab.crash("n2", at=660)
    lab.seek(940, branch="A")
    path = tmp_path_factory.mktemp("exported") / "run.html"
    lab.export_html(path)
    return path


@pytest.fixture
def diagram(page: Page, exported: Path) -> Page:
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(exported.as_uri())
    page.locator("[data-tab=spacetime]").click()
    expect(page.locator(".ds-st-stop").first).to_be_attached()
    return page


def test_it_draws_and_glides_to_logical_time(diagram: Page):
    """There is ink on the canvas before, after and in both directions; a seek brings its event into view."""
    canvas = diagram.locator(".ds-st-canvas")
    assert canvas.evaluate(INK) > 0.01
    diagram.locator("[data-axis=rank]").click()
    expect(diagram.locator(".ds-st")).to_have_attribute("data-axis", "rank")
    expect(diagram.locator(".ds-st-stop").first).to_be_attached()
    assert canvas.evaluate(INK) > 0.01
    diagram.locator("[data-tool=turn]").click()
    expect(diagram.locator(".ds-st-head")).to_have_count(6)
    expect(diagram.locator(".ds-st-head").first).to_be_visible()
    diagram.locator("[data-control=next]").click()
    event = diagram.locator(".dslab-lab").get_attribute("data-event")
    expect(diagram.locator(f".ds-st-stop[data-event='{event}']")).to_be_attached()


def click(page: Page, event: str) -> None:
    box = page.locator(f".ds-st-stop[data-event='{event}']").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_a_click_chooses_an_event_and_shift_click_relates_another(diagram: Page):
    """The picture's own places: the stops lie where their events are drawn."""
    first, second = (diagram.locator(".ds-st-stop").nth(at).get_attribute("data-event") for at in (2, 3))
    click(diagram, first)
    cone = re.compile(r"\d+ before\s*\d+ after\s*\d+ concurrent")
    expect(diagram.locator(".ds-st-note")).to_contain_text(cone)
    diagram.keyboard.down("Shift")
    click(diagram, second)
    diagram.keyboard.up("Shift")
    expect(diagram.locator(".ds-st-note")).to_contain_text(re.compile("concurrent: neither|the shortest path has"))
    diagram.locator(f".ds-st-stop[data-event='{first}']").focus()
    diagram.get_by_role("button", name="Clear").click()            # the focus moves away while the note is pressed
    expect(diagram.locator(".ds-st[data-cone]")).to_have_count(0)


def test_the_keyboard_alone_cuts_and_compares(diagram: Page):
    """S opens it, arrows walk, the cut's grips are sliders, V compares and finds the first divergence."""
    lab = diagram.locator(".dslab-lab")
    lab.locator("[data-tab=spacetime]").focus()
    diagram.keyboard.press("s")
    before = diagram.evaluate("() => document.activeElement.dataset.event")
    diagram.keyboard.press("ArrowUp")
    assert diagram.evaluate("() => document.activeElement.dataset.event") != before
    diagram.locator("[data-tool=cut]").press("Enter")
    grip = diagram.locator(".ds-st-grip[data-lane=n3]")
    grip.focus()
    for _ in range(6):
        diagram.keyboard.press("ArrowUp")
    expect(diagram.locator(".ds-st-note")).to_contain_text("which n3 has not sent yet")
    diagram.locator("[data-tool=cut]").press("Enter")
    diagram.keyboard.press("v")
    expect(diagram.locator(".ds-st")).to_have_attribute("data-compare", "B")
    expect(diagram.locator(".ds-st-note")).to_contain_text("in B, n2 crashes at 0.660 s")
    diagram.locator("[data-tool=divergence]").press("Enter")
    expect(lab).to_have_attribute("data-time-us", "660000")


POINT = """() => {
  const scroller = document.querySelector(".ds-st-scroll");
  const box = scroller.getBoundingClientRect();
  const hits = new Map();
  for (let x = box.left + 60; x < box.right - 10; x += 6) for (let y = box.top + 50; y < box.bottom - 8; y += 6) {
    scroller.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y }));
    const text = document.querySelector(".ds-st-note > :last-child").textContent;
    if (text.startsWith("B: ")) hits.set(text, [...(hits.get(text) ?? []), [x, y]]);
  }
  const [text, places] = [...hits].reduce((best, next) => (next[1].length > best[1].length ? next : best));
  return [...places[Math.floor(places.length / 2)], text];
}"""


def test_an_event_of_the_branch_compared_with_is_read_and_reached_by_pointer(diagram: Page):
    """What is pointed at stands in the note, and nothing moves for that; a click goes to its time."""
    diagram.keyboard.press("v")
    expect(diagram.locator(".ds-st-note > :last-child")).to_contain_text("B is dashed")
    canvas = diagram.locator(".ds-st-canvas")
    before = canvas.bounding_box()
    x, y, text = diagram.evaluate(POINT)
    assert canvas.bounding_box() == before
    diagram.mouse.click(x, y)
    expect(diagram.locator(".ds-clock").first).to_contain_text(text.split()[1])


def test_a_grip_can_be_dragged(diagram: Page):
    """Up along its lane: the cut takes fewer of its events."""
    diagram.locator("[data-tool=cut]").click()
    grip = diagram.locator(".ds-st-grip[data-lane=n3]")
    before = int(grip.get_attribute("aria-valuenow"))
    box = grip.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    diagram.mouse.move(x, y)
    diagram.mouse.down()
    diagram.mouse.move(x, y - 40, steps=4)
    diagram.mouse.up()
    expect(grip).not_to_have_attribute("aria-valuenow", str(before))
    assert int(grip.get_attribute("aria-valuenow")) < before


@pytest.mark.needs("node")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1240])
def test_axe_finds_nothing_in_the_diagram(browser: Browser, exported: Path, axe: Path, theme: str, width: int):
    """With an event chosen, the filters open and a cut; and nothing sticks out at the side."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, bypass_csp=True)
    page = context.new_page()
    page.goto(exported.as_uri())
    page.locator("[data-tab=spacetime]").click()
    page.locator(".ds-st-stop").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ds-st[data-cone]")).to_be_visible()
    page.add_script_tag(path=axe)
    for tool in (None, "filter", "cut"):
        if tool:
            page.locator(f"[data-tool={tool}]").click()
        found = page.evaluate("() => axe.run()")["violations"]
        assert [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found] == [], tool
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    context.close()
