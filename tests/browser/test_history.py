"""Histories, versions and merges in a real browser: by mouse and by key, in both themes, wide and narrow."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dslab import HistoryChart, Lab
from dslab.check.history import Operation
from dslab.check.properties import linearizable
from dslab.protocols import chain, crdt, local_reads, local_reads_cases, primary_backup, quorum
from dslab.widgets import bundle

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A history</title><style>{css}</style></head>
<body><main><h1>A history</h1><div id="here"></div></main><script type="module">{script}
const heard = {{}};
const state = {state};
const model = {{
  get: (name) => state[name],
  set(name, value) {{ state[name] = value; (heard[`change:${{name}}`] ?? []).forEach((f) => f()); }},
  on: (name, f) => (heard[name] ??= []).push(f), off() {{}}, save_changes() {{}},
}};
window.state = state;
renderHistory({{ model, el: document.getElementById("here") }});
</script></body></html>"""

OPERATIONS = [
    Operation("c1", "write", "x", "1", None, 0, 4),
    Operation("c2", "write", "x", "2", None, 2, 7),
    Operation("c3", "read", "x", None, "1", 5, 6),
    Operation("c1", "read", "x", None, "2", 9, 12),
    Operation("c3", "write", "x", "5", None, 11, None, "unknown"),
]


def act(at: float, do: str, **more: Any) -> dict[str, Any]:
    return {"at": at, "do": do, **more}


REPAIR = [
    act(10, "request", client="c1", command="x=1"),
    act(60, "crash", node="n3"),
    act(70, "request", client="c1", command="x=2"),
    act(150, "restart", node="n3"),
    act(160, "crash", node="n1"),
    act(170, "request", client="c2", command="x"),
]
APART = [
    act(20, "request", client="c1", command="add a", to="n1"),
    act(160, "partition", groups=[["n1", "n2"], ["n3", "n4"]]),
    act(240, "request", client="c1", command="remove a", to="n1"),
    act(250, "request", client="c2", command="add a", to="n3"),
]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A puzzle, an order, a read that comes too late, a read that repairs, and replicas that are apart."""
    folder = tmp_path_factory.mktemp("history")
    script = bundle.source(bundle.HISTORY, "render: renderHistory").partition("\nexport default")[0]
    for name, puzzle in (("puzzle", True), ("order", False)):
        chart = HistoryChart(OPERATIONS, puzzle=puzzle, title="A register and three clients")
        state = json.dumps({"chart": chart.chart, "placed": {}, "selected": None, "title": chart.title})
        page = PAGE.format(css=bundle.css(bundle.HISTORY_STYLES), script=script, state=state)
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    case = next(case for case in vars(local_reads_cases).values() if getattr(case, "catalogue", "") == "S1")
    system = local_reads.cluster(case.nodes, clients=case.clients)
    if not any(hasattr(prop, "consistency") for prop in system.always):
        system = system.expecting(linearizable())
    Lab(system, seed=case.seed, schedule=case.schedule, until=case.until).export_html(folder / "history.html")
    store = quorum.cluster(3, clients=2).expecting(linearizable())
    Lab(store, seed=4, schedule=REPAIR, until=800).export_html(folder / "quorum.html")
    Lab(crdt.cluster(4, clients=2), seed=2, schedule=APART, until=600, start=310).export_html(folder / "merge.html")
    down = [act(420 + 80 * i, "request", client="c1", command=f"x={i}") for i in range(3)]
    Lab(chain.cluster(3), seed=1, schedule=down, until=900).export_html(folder / "chain.html")
    Lab(primary_backup.cluster(3), seed=1, schedule=down, until=900).export_html(folder / "pair.html")
    return folder


def open_page(page: Page, pages: Path, name: str) -> None:
    page.goto((pages / f"{name}.html").as_uri())
    expect(page.locator(".dslab-lab")).to_be_visible()
    if name in ("history", "quorum", "merge", "chain", "pair"):
        expect(page.locator(".dslab-lab")).to_have_attribute("data-event", re.compile("."))
        page.locator(f"[data-tab={name}]").click()


def test_a_puzzle_is_solved_by_key_and_by_mouse(page: Page, pages: Path):
    """Arrows and dragging place points inside intervals; the sentence says what does not fit, and when all does."""
    open_page(page, pages, "puzzle")
    said, root = page.locator(".ds-hist-status"), page.locator(".dslab-history")
    page.locator("[data-op='0']").focus()
    page.keyboard.press("ArrowRight")
    expect(said).to_have_text("1 placed, 3 to go; every answer fits so far.")
    second = page.locator("[data-op='1'] .ds-hist-hit").bounding_box()
    assert second is not None
    page.mouse.move(second["x"] + second["width"] / 2, second["y"] + 20)
    page.mouse.down()
    page.mouse.move(second["x"] - 200, second["y"] + 20)  # it stays inside its interval
    page.mouse.up()
    expect(page.locator("[data-op='1']")).to_be_focused()
    page.locator("[data-op='2']").focus()
    page.keyboard.press("Home")
    expect(said).to_have_text("c3 reads 1 cannot be number 3: after c2 writes 2 the value is 2.")
    expect(page.locator("[data-op='2']")).to_have_attribute(
        "aria-valuetext", "third in the order, where it does not fit"
    )
    page.locator("[data-op='1']").focus()
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    page.locator("[data-op='3']").focus()
    page.keyboard.press("ArrowLeft")
    expect(said).to_have_text("It works: in this order every answer fits.")
    expect(root).to_have_attribute("data-done", "true")
    chart = HistoryChart(OPERATIONS, puzzle=True)
    chart.placed = page.evaluate("() => window.state.placed")
    assert chart.solved
    page.get_by_role("button", name="Clear").click()
    expect(root).to_have_attribute("data-done", "false")
    page.get_by_role("button", name="No order fits").click()
    expect(page.get_by_text("There is one that does. Keep looking.")).to_be_visible()


def test_the_chip_opens_the_operations_and_they_lead_to_events(page: Page, pages: Path):
    """Before the violation nothing is told; the chip goes to it; an operation's facts lead to where it began."""
    open_page(page, pages, "history")
    page.keyboard.press("Home")
    expect(page.locator(".ds-hist-disc")).to_have_count(0)
    page.locator("[data-control=end]").last.evaluate("e => e.click()")
    page.locator("[data-tab=events]").click()
    page.locator("[data-property=linearizable]").click()
    expect(page.locator("[data-tab=history]")).to_have_attribute("aria-selected", "true")
    stuck = page.locator(".ds-op.is-stuck")
    expect(stuck).to_have_count(1)
    expect(stuck).to_have_attribute("aria-label", re.compile("fits nowhere"))
    assert page.locator(".ds-op.is-part").count() >= 2
    stuck.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ds-hist-facts")).to_contain_text("It fits nowhere.")
    page.get_by_role("button", name="Go to where it is asked").click()
    expect(page.locator(".ds-hist-disc")).to_have_count(1)  # what was seen stays known
    page.keyboard.press("/")
    expect(page.get_by_label("Condition", exact=True)).to_be_focused()


def test_the_cursor_moves_through_the_operations(page: Page, pages: Path):
    """Its line stands further right after each event."""
    open_page(page, pages, "quorum")
    page.locator("[data-tab=history]").click()
    places = []
    for _ in range(3):
        page.locator("[data-control=next]").click()
        places.append(float(page.locator(".ds-hist-cursor").get_attribute("x1") or 0))
    assert places == sorted(set(places))


def test_versions_quorums_and_the_repair(page: Page, pages: Path):
    """At the read that repairs: two versions, the row that both quorums share, an arrow, and the same in words."""
    open_page(page, pages, "quorum")
    page.keyboard.press("/")
    page.keyboard.type('delivered("Held") and n2.reads != {}')
    page.keyboard.press("Enter")
    for _ in range(40):
        if page.locator(".ds-repair").count():
            break
        page.locator("[data-control=step]").click()
    expect(page.locator(".ds-version.is-older")).to_have_count(1)
    expect(page.locator(".ds-call.is-shared").first).to_be_visible()
    expect(page.locator(".ds-repairs svg")).to_have_attribute("aria-label", "n2 repairs n3")
    expect(page.locator(".ds-inset-note")).to_contain_text("Read and write met at n2")
    expect(page.locator(".ds-headline")).to_have_text("n2 reads 2 for x")
    page.locator(".ds-versions [data-row]").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".dslab-node[data-node=n2]")).to_have_attribute("aria-pressed", "true")


def test_the_lattice_of_states(page: Page, pages: Path):
    """While they are apart there are two states, and above them what merging would give."""
    open_page(page, pages, "merge")
    expect(page.locator(".ds-card.is-join")).to_have_count(1)
    expect(page.locator(".ds-inset-note")).to_contain_text("merging gives both")
    expect(page.locator(".ds-lattice")).to_have_attribute(
        "aria-label", re.compile("all merged, which nobody holds yet includes")
    )


@pytest.mark.needs("node")
@pytest.mark.parametrize(
    ("name", "theme", "width"),
    [
        ("puzzle", "light", 340),
        ("order", "dark", 1240),
        ("history", "light", 340),
        ("history", "dark", 1240),
        ("quorum", "light", 340),
        ("quorum", "dark", 1240),
        ("merge", "light", 340),
        ("chain", "dark", 720),
        ("pair", "light", 340),
    ],
)
def test_axe_finds_nothing(browser: Browser, pages: Path, axe: Path, name: str, theme: str, width: int):
    """At the end of the run; nothing sticks out at the side."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, bypass_csp=True)
    page = context.new_page()
    open_page(page, pages, name)
    if name in ("history", "quorum", "chain", "pair"):
        page.locator("[data-control=end]").last.evaluate("e => e.click()")
    if name == "puzzle":
        page.locator("[data-op='2']").focus()
        page.keyboard.press("Home")
    page.add_script_tag(path=axe)
    found = page.evaluate("() => axe.run()")["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found] == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    context.close()
