"""The committed storage notebook in a real JupyterLab: a lookup walked by keyboard, a puzzle, and what clients saw.

Labs of several kinds stand on one page here, which no exported page shows.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from dslab import simulate
from dslab.protocols import chord_steps

PLAIN, PUZZLE = "histories-predict-other-client", "history-puzzles-b"
CHORD, REGISTER = "chord-play-lookup", "quorum-play-abd"
RUN = """async (wanted) => {
  const app = window.jupyterapp; await app.started;
  let panel;
  for (;;) {
    panel = app.shell.currentWidget;
    if (panel?.sessionContext) break;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  await panel.context.ready; await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  const errors = [];
  for (const [index, cell] of panel.content.widgets.entries()) {
    if (cell.model.type !== 'code' || !(wanted.includes(cell.model.id) || cell.model.id.endsWith('-setup'))) continue;
    panel.content.activeCellIndex = index;
    await app.commands.execute('notebook:run-cell');
    errors.push(...cell.model.sharedModel.outputs.filter(output => output.output_type === 'error'));
  }
  return errors;
}"""
SHOW = """async (id) => {
  const content = window.jupyterapp.shell.currentWidget.content;
  const index = content.widgets.findIndex(cell => cell.model.id === id);
  content.activeCellIndex = index;
  await content.scrollToItem(index, 'start');
  content.widgets.forEach((cell, k) => cell.node.toggleAttribute('data-shown', k === index));
}"""


@pytest.fixture(scope="module")
def notebook(browser: Browser, lab_url: str) -> Iterator[Page]:
    """The notebook as it is committed, its set-up and four of its cells run; the plain lab runs last."""
    context = browser.new_context(viewport={"width": 1500, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{lab_url}/lab/workspaces/storage/tree/03-storage.ipynb?reset")
    page.wait_for_function("() => window.jupyterapp")
    assert page.evaluate(RUN, [PUZZLE, CHORD, REGISTER]) == []
    assert page.evaluate(RUN, [PLAIN]) == []
    yield page
    context.close()


def shown(page: Page, cell: str) -> Locator:
    """The lab of a cell, scrolled to."""
    page.evaluate(SHOW, cell)
    lab = page.locator("[data-shown] .dslab-lab").first
    expect(lab).to_be_visible()
    return lab


def test_a_chord_lookup_is_walked_by_keyboard_and_heard(notebook):
    """Each hop of the lookup for 54 is said, in the order of the run; the ring is drawn as a line."""
    case = chord_steps.FAR
    trace = simulate(chord_steps.routed(10), seed=case.seed, schedule=case.schedule, until=case.until)
    found = trace.state_at(trace.events[-1].id)["n2"]["lookups"]["1"]
    lab = shown(notebook, CHORD)
    live = lab.locator("[role=status][aria-live=polite]")
    lab.focus()
    notebook.keyboard.press("End")
    expect(lab.locator(".ds-hop-row").first).to_contain_text("n2 asks for key 54")
    notebook.keyboard.press("f")
    notebook.keyboard.press("Home")
    expect(live).to_contain_text("n2 asks for key 54")
    for number, hop in enumerate([*found["path"][1:], found["owner"]], start=1):
        notebook.keyboard.press("ArrowDown")
        expect(live).to_contain_text(f"Hop {number}: {hop},")
    expect(live).to_contain_text("found")
    assert lab.locator(".ds-ring-line").first.evaluate("circle => getComputedStyle(circle).fill") == "none"


def test_a_puzzle_opens(notebook):
    """Six operations, each with a place to be dragged to."""
    chart = shown(notebook, PUZZLE)
    expect(chart).to_contain_text("Puzzle b")
    for name in ("A: read 0", "C: read 3", "F: write 3"):
        expect(chart).to_contain_text(name)


def test_what_clients_saw_opens(notebook):
    """The tab Operations of the atomic register, which has a property of histories and so a chart of them."""
    lab = shown(notebook, REGISTER)
    lab.get_by_role("tab", name="Operations").click()
    expect(lab.locator(".ds-history svg[aria-label^='Operations of']")).to_be_visible()
