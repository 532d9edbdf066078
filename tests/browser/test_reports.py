"""A student's page in a real browser: the failing run plays inside it, and the rules of accessibility hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dslab import Lab
from dslab.grading.assignment import Assignment, Cell
from dslab.grading.reports import write_reports
from dslab.protocols import raft


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """anna broke a property; the run that shows it is in her page."""
    crash = {"at": 900, "do": "crash", "node": "n1"}
    lab = Lab(raft.cluster(3), seed=7, until=1500, start=800, schedule=[crash], title="the run that fails")
    shown = {"message": "broken", "call": "f(1)", "got": "2", "wanted": "1", "hint": "Look again.", "line": 2}
    shown |= {"code": "    return 2", "property": "Safety", "sentence": "All agree.", "seed": 7}
    check = {"id": "vote", "exercise": "vote", "title": "Votes rightly", "status": "wrong", "points": 0}
    check |= {"max_points": 2, "hidden": False, "schedule": ['crash("n1", at=900)'], **shown}
    data = {"name": "anna", "points": 0, "max_points": 2, "checks": [check], "flags": []}
    result = {"json": data, "answers": {"vote": "def f(x):\n    return 2"}, "junit": ""}
    result["runs"] = {"vote": lab.export_html()}
    cell = Cell("vote", "check", "", "vote", "Votes rightly", 2)
    out = tmp_path_factory.mktemp("reports")
    write_reports(Assignment("02-consensus", (cell,), {}, {}, 2, ()), [result], out, isolation="full")
    return out


def test_the_failing_run_plays_when_it_is_asked_for(page: Page, reports: Path):
    """Nothing of it is loaded before, and nothing comes from anywhere else."""
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    address = (reports / "students" / "anna.html").as_uri()
    page.goto(address)
    frame = page.frame_locator("iframe")
    expect(page.locator("summary")).to_have_text("Play the failing run")
    expect(frame.locator(".dslab-lab")).to_have_count(0)
    page.locator("summary").click()
    lab = frame.locator(".dslab-lab")
    expect(lab).to_have_attribute("data-time-us", "800000")
    frame.locator("[data-control=next]").click()
    expect(frame.locator(".dslab-node[data-node=n1]")).to_have_attribute("data-status", "crashed")
    frame.locator("[data-control=play]").click()
    expect(lab).to_have_attribute("data-playing", "true")
    expect(lab).not_to_have_attribute("data-time-us", "900000")
    assert said == []
    assert [url for url in asked if url not in (address, "about:srcdoc")] == []


@pytest.mark.needs("node")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1240])
@pytest.mark.parametrize("name", ["students/anna.html", "summary.html"])
def test_axe_finds_nothing(browser: Browser, reports: Path, axe: Path, name: str, theme: str, width: int):
    """Both themes, narrow and wide; and nothing sticks out at the side."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, bypass_csp=True)
    page = context.new_page()
    page.goto((reports / name).as_uri())
    page.add_script_tag(path=axe)
    found = page.evaluate("() => axe.run()")["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found] == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    context.close()
