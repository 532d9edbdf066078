"""An exported page in a real browser: from a file and in a frame without rights, with no kernel and no network."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from dslab import Lab
from dslab.protocols import raft

REASON = "this page has no kernel: open the notebook to try it"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a crash, and a branch with another one."""
    lab = Lab(raft.cluster(5), seed=7, start=700, title="The run that fails")
    lab.request("x=1", at=600)
    lab.seek(1500)
    lab.crash("n1", at=1000)
    lab.seek(700, branch="A")
    path = tmp_path_factory.mktemp("exported") / "run.html"
    lab.export_html(path)
    return path


class Heard:
    """What the page said and asked for."""

    def __init__(self, page: Page) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))


def play(inside: Page | FrameLocator) -> None:
    """Plays until the clock has moved, then pauses."""
    lab = inside.locator(".dslab-lab")
    before = int(lab.get_attribute("data-time-us"))
    lab.locator("[data-control=play]").click()
    expect(lab).to_have_attribute("data-playing", "true")
    while int(lab.get_attribute("data-time-us")) < before + 5000:
        lab.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
    lab.locator("[data-control=play]").click()
    expect(lab).to_have_attribute("data-playing", "false")


def test_a_file_plays_without_kernel_and_network(page: Page, exported: Path):
    """The clock moves, steps and branches work, and nothing is said or asked for."""
    heard = Heard(page)
    page.goto(exported.as_uri())
    expect(page.locator(".dslab-node[data-kind=server]")).to_have_count(5)
    play(page)
    event = page.locator(".dslab-lab").get_attribute("data-event")
    page.locator("[data-control=step]").click()
    expect(page.locator(".dslab-lab")).not_to_have_attribute("data-event", event)
    page.locator(".dslab-lane[data-branch=B]").click()
    expect(page.locator(".dslab-lab")).to_have_attribute("data-branch", "B")
    page.locator("[data-control=end]").click()
    expect(page.locator(".dslab-node[data-node=n1]")).to_have_attribute("data-status", "crashed")
    assert heard.said == []
    assert heard.asked == [exported.as_uri()]


def test_what_needs_the_kernel_says_so_on_the_page(page: Page, exported: Path):
    """In the names of the controls, and in words that can be seen."""
    page.goto(exported.as_uri())
    for control in ("Partition", "Request"):
        button = page.get_by_role("button", name=f"{control} unavailable: {REASON}")
        button.click(force=True)
        expect(page.get_by_text(f"{control} unavailable: {REASON}.").first).to_be_visible()
    page.locator(".dslab-node[data-node=n2]").click()
    expect(page.locator(".ds-pop-node").get_by_text(REASON).last).to_be_visible()
    page.locator(".ds-pop-node [data-verb=crash]").click(force=True)
    expect(page.locator(".dslab-node[data-node=n2]")).to_have_attribute("data-status", "up")


def test_a_frame_that_may_only_run_scripts_is_enough(page: Page, exported: Path, tmp_path: Path):
    """The frame has no origin, and inherits a policy that allows this one script."""
    text = exported.read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    outer = tmp_path / "outer.html"
    outer.write_text(
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<title>frame</title><iframe title="run" sandbox="allow-scripts" width="900" height="700" '
        f'srcdoc="{html.escape(text)}"></iframe>',
        "utf-8",
    )
    heard = Heard(page)
    page.goto(outer.as_uri())
    frame = page.frame_locator("iframe")
    expect(frame.locator(".dslab-node[data-kind=server]")).to_have_count(5)
    play(frame)
    assert heard.said == []


@pytest.mark.needs("node")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1240])
def test_axe_finds_nothing(browser: Browser, exported: Path, axe: Path, theme: str, width: int):
    """Both themes of the reader's system, narrow and wide; and nothing sticks out at the side."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, bypass_csp=True)
    page = context.new_page()
    page.goto(exported.as_uri())
    expect(page.locator(".dslab-lab")).to_have_class(re.compile(rf"\b{theme}\b"))
    page.add_script_tag(path=axe)
    found = page.evaluate("() => axe.run()")["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found] == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    context.close()


def test_without_scripts_the_picture_shows(browser: Browser, exported: Path):
    """And the paragraph that says the same."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(exported.as_uri())
    expect(page.locator("noscript svg")).to_be_visible()
    expect(page.locator("noscript p")).to_contain_text("5 servers and 1 client, seed 7")
    context.close()
