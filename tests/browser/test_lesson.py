"""The main job, in a real JupyterLab in a real browser: run the lesson, kill the leader, branch, copy as code.

The same lesson is played twice, with the mouse and with nothing but the keyboard.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

import dslab

ADD_CELL = """async (source) => {
  const app = window.jupyterapp, panel = app.shell.currentWidget, cells = panel.content.model.sharedModel;
  cells.insertCell(cells.cells.length, { cell_type: 'code', source });
  panel.content.activeCellIndex = cells.cells.length - 1;
  await app.commands.execute('notebook:run-cell');
  const outputs = panel.content.model.sharedModel.cells.at(-1).toJSON().outputs;
  return outputs.map(o => o.text ?? JSON.stringify(o.data ?? o.evalue)).join('');
}"""
COUNT_LABS = """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells
  .flatMap(cell => cell.toJSON().outputs ?? [])
  .filter(output => 'application/vnd.jupyter.widget-view+json' in (output.data ?? {})).length"""
OPEN_LAB = "from dslab import Lab\nfrom dslab.protocols import raft\nlab = Lab(raft.cluster(5), seed=7)\nlab"


@pytest.fixture
def lesson(page: Page, lab_url: str, run_notebook: Callable[[str], list[list]]) -> Page:
    """A page with a notebook of one lab, run."""
    python3 = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(OPEN_LAB)], metadata={"kernelspec": python3})
    answer = page.request.put(f"{lab_url}/api/contents/lesson.ipynb", data={"type": "notebook", "content": json.loads(
        nbformat.writes(book))}, headers=xsrf(page, lab_url))
    assert answer.ok, answer.text()
    assert all(errors == 0 for _, _, errors in run_notebook("lesson.ipynb"))
    expect(page.locator(".dslab-node[data-kind=server]")).to_have_count(5)
    return page


def xsrf(page: Page, url: str) -> dict[str, str]:
    page.request.get(f"{url}/lab")
    cookies = {c["name"]: c["value"] for c in page.context.cookies()}
    return {"X-XSRFToken": cookies["_xsrf"]} if "_xsrf" in cookies else {}


def lab(page: Page) -> Locator:
    return page.locator(".dslab-lab").first


def control(page: Page, name: str) -> Locator:
    return lab(page).locator(f"[data-control={name}]").first


def leader(page: Page) -> str:
    found = lab(page).locator(".dslab-node[data-role=leader][data-status=up]")
    expect(found.first).to_be_visible()
    return found.first.get_attribute("data-node")


def time_us(page: Page) -> int:
    return int(lab(page).get_attribute("data-time-us"))


def until(page: Page, condition: str) -> None:
    """Presses "next interesting event" until a node is as wanted."""
    for _ in range(40):
        if lab(page).locator(condition).count():
            return
        before = lab(page).get_attribute("data-event")
        control(page, "next").click()
        expect(lab(page)).not_to_have_attribute("data-event", before)
    raise AssertionError(f"no event brings {condition}")


def act(page: Page, node: str, verb: str) -> None:
    lab(page).locator(f".dslab-node[data-node={node}]").click()
    lab(page).locator(f"[data-verb={verb}]:visible").last.click()


def branches(page: Page) -> list[str]:
    return [lane.get_attribute("data-branch") for lane in lab(page).locator(".dslab-lane").all()]


def python(page: Page, source: str) -> str:
    return page.evaluate(ADD_CELL, source)


def test_run_all_reaches_the_end_of_every_notebook(page: Page, run_notebook):
    """An untouched notebook runs from top to bottom and shows all its labs and charts."""
    for name, labs in (("00-start-here.ipynb", 1), ("02-consensus.ipynb", 31), ("03-storage.ipynb", 55)):
        cells = run_notebook(name)
        assert cells and all(count and not errors for _, count, errors in cells), cells
        expect(page.locator(".dslab-lab").first).to_be_visible()
        assert page.evaluate(COUNT_LABS) == labs


def test_the_lesson_with_the_mouse(lesson: Page):
    page = lesson
    until(page, ".dslab-node[data-role=leader]")
    first = leader(page)

    act(page, first, "crash")
    expect(lab(page).locator(f".dslab-node[data-node={first}]")).to_have_attribute("data-status", "crashed")
    until(page, f".dslab-node[data-role=leader][data-status=up]:not([data-node={first}])")
    second = leader(page)
    assert second != first

    counted = count_kernel_messages(page)
    control(page, "play").click()
    expect(lab(page)).to_have_attribute("data-playing", "true")
    before = time_us(page)
    widget = lab(page).element_handle()
    page.wait_for_function("([el, us]) => Number(el.dataset.timeUs) > us + 30000", arg=[widget, before])
    sent = counted()
    control(page, "play").click()
    expect(lab(page)).to_have_attribute("data-playing", "false")
    assert sent == 0, f"{sent} messages to or from the kernel between play and pause"

    rest = [n for n in ("n1", "n2", "n3", "n4", "n5") if n != second]
    lab(page).locator("[data-tab=links]").click()
    lab(page).locator("[data-preset]", has_text=re.compile("Isolate leader")).click()
    expect(lab(page).locator("[data-verb=heal]:visible").first).to_be_visible()
    lab(page).locator(f".dslab-node[data-node={rest[-1]}]").click()
    lab(page).locator(".ds-pop [data-verb=request]:visible").click()
    command = lab(page).get_by_label("Command", exact=True).and_(page.locator(":visible"))
    command.fill("x=8")
    command.press("Enter")
    expect(lab(page)).not_to_have_attribute("data-pending", re.compile("."))
    lab(page).locator("[data-verb=heal]:visible").first.click()
    expect(lab(page).locator("[data-verb=heal]:visible")).to_have_count(0)
    assert branches(page) == ["A"], "everything so far happened at the end of what had been seen"

    control(page, "start").click()
    until(page, ".dslab-node[data-role=leader]")
    other = next(n for n in ("n2", "n3", "n4", "n5") if n != first)
    act(page, other, "crash")
    expect(lab(page)).to_have_attribute("data-branch", "B")
    assert branches(page) == ["A", "B"]
    lab(page).locator(".dslab-lane[data-branch=A]").click()
    expect(lab(page)).to_have_attribute("data-branch", "A")
    expect(lab(page).locator(f".dslab-node[data-node={other}]")).to_have_attribute("data-status", "up")

    digest = lab(page).get_attribute("data-digest")
    told = python(page, "print(lab.trace('A').digest(), [a['do'] for a in lab.schedule('A')])")
    assert told.strip() == f"{digest} ['crash', 'partition', 'request', 'heal']"
    code = copied_code(page)
    head = "from dslab import Lab\nfrom dslab.protocols import raft\n\nlab = Lab(raft.cluster(5), seed=7)\n"
    assert code.startswith(head)
    python(page, code)
    expect(page.locator(".dslab-lab")).to_have_count(2)
    expect(page.locator(".dslab-lab").nth(1)).to_have_attribute("data-digest", digest)


def count_kernel_messages(page: Page):
    """Counts frames on the kernel's websocket from now on; calling the result tells how many."""
    page.evaluate("""() => {
      const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
      window.dslabFrames = 0;
      window.dslabLast = performance.now();
      kernel.anyMessage.connect(() => { window.dslabFrames += 1; window.dslabLast = performance.now(); });
    }""")
    page.wait_for_function("() => performance.now() - window.dslabLast > 1500")     # what is still on its way arrives
    before = page.evaluate("() => window.dslabFrames")
    return lambda: page.evaluate("() => window.dslabFrames") - before


def copied_code(page: Page) -> str:
    lab(page).get_by_role("button", name=re.compile("script", re.IGNORECASE)).first.click()
    lab(page).get_by_role("button", name=re.compile("copy as code", re.IGNORECASE)).click()
    page.wait_for_function("() => navigator.clipboard.readText().then(text => text.includes('Lab('))")
    return page.evaluate("() => navigator.clipboard.readText()")


def test_the_lesson_with_the_keyboard_alone(lesson: Page):
    """The same lesson without a pointer; focus is set once, by the click a screen reader makes when it enters."""
    page = lesson
    press = page.keyboard.press
    lab(page).locator(".dslab-node[data-node=n1]").focus()

    def go_on(condition: str) -> None:
        for _ in range(40):
            if lab(page).locator(condition).count():
                return
            before = lab(page).get_attribute("data-event")
            press(">")
            expect(lab(page)).not_to_have_attribute("data-event", before)
        raise AssertionError(f"no event brings {condition}")

    def focus(node: str) -> None:
        for _ in range(12):
            if page.evaluate("() => document.activeElement.dataset.node") == node:
                return
            press("ArrowRight")
        raise AssertionError(f"the arrows do not reach {node}")

    go_on(".dslab-node[data-role=leader]")
    first = leader(page)
    focus(first)
    press("k")
    expect(lab(page).locator(f".dslab-node[data-node={first}]")).to_have_attribute("data-status", "crashed")
    go_on(f".dslab-node[data-role=leader][data-status=up]:not([data-node={first}])")
    second = leader(page)

    focus(second)
    press("g")
    press("1")
    focus(next(n for n in ("n1", "n2", "n3", "n4", "n5") if n != second))
    press("g")
    press("2")
    expect(lab(page).locator("[data-verb=heal]:visible").first).to_be_visible()
    focus(second)
    press("c")
    page.keyboard.type("x=8")
    press("Enter")
    press("Escape")
    lab(page).locator("[data-verb=heal]:visible").first.focus()
    press("Enter")
    expect(lab(page).locator("[data-verb=heal]:visible")).to_have_count(0)

    lab(page).locator(".dslab-node[data-node=n1]").focus()
    press("Home")
    go_on(".dslab-node[data-role=leader]")
    focus("n5" if first != "n5" else "n4")
    press("k")
    expect(lab(page)).to_have_attribute("data-branch", "B")
    press("b")
    expect(lab(page)).to_have_attribute("data-branch", "A")
    assert branches(page) == ["A", "B"]
    assert page.evaluate("() => document.querySelectorAll('.jp-Cell').length") == 1, "no key reached the notebook"


@pytest.mark.needs("node")
def test_axe_finds_nothing_on_the_widget(lesson: Page, axe: Path):
    page = lesson
    page.add_script_tag(path=axe)

    def violations() -> list[str]:
        found = page.evaluate("() => axe.run({ include: ['.dslab-lab'] })")["violations"]
        return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found]

    assert violations() == []
    python(page, "lab.request('x=1', at=300)\nlab.seek(500)")         # a log with an entry, a leader, messages
    expect(lab(page).locator("[data-cell]").first).to_be_visible()
    for tab in ("links", "events", "log"):
        lab(page).locator(f"[data-tab={tab}]").click()
        assert violations() == [], tab
    lab(page).locator(".dslab-node[data-node=n2]").click()
    assert violations() == [], "popover"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert violations() == [], "help"


@pytest.mark.needs("node")
def test_axe_bites(lesson: Page, axe: Path):
    """Without its names the widget must not pass, or the test above proves nothing."""
    page = lesson
    page.add_script_tag(path=axe)
    page.evaluate("() => document.querySelectorAll('.dslab-node').forEach(n => n.removeAttribute('aria-label'))")
    assert page.evaluate("() => axe.run({ include: ['.dslab-lab'] })")["violations"]


@pytest.mark.needs("node")
def test_the_theme_of_the_host_is_followed(lesson: Page, axe: Path):
    """Light and dark, while the page is open; axe checks the contrast of both."""
    page = lesson
    page.add_script_tag(path=axe)
    for theme, name in (("JupyterLab Dark", "dark"), ("JupyterLab Light", "light")):
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        expect(lab(page)).to_have_class(re.compile(rf"\b{name}\b"))
        found = page.evaluate("() => axe.run({ include: ['.dslab-lab'] })")["violations"]
        assert [v["id"] for v in found] == [], theme


def test_python_and_the_widget_stay_one(lesson: Page):
    """A method moves the picture, and what the picture did is there in Python."""
    page = lesson
    python(page, "lab.crash('n4', at=500)")
    python(page, "lab.seek(600)")
    expect(lab(page).locator(".dslab-node[data-node=n4]")).to_have_attribute("data-status", "crashed")
    assert python(page, "print(lab.digest())").strip() == lab(page).get_attribute("data-digest")


def test_a_fork_shows_within_reach_of_the_click(lesson: Page):
    """How long a fork takes is a benchmark; here only that the pending mark comes at once and goes."""
    page = lesson
    control(page, "end").click()
    control(page, "start").click()
    until(page, ".dslab-node[data-role=leader]")
    act(page, "n3", "pause")
    expect(lab(page)).to_have_attribute("data-branch", "B")
    expect(lab(page)).not_to_have_attribute("data-pending", re.compile("."))


BROKEN = """from dslab.protocols import raft_cases, raft_variants
case = raft_cases.RESTARTED_VOTER
broken = Lab(raft.cluster(3, server=raft_variants.ForgetfulVoter), seed=case.seed, until=case.until, start=case.until,
             schedule=[{'at': 1, 'do': 'link', 'source': 'n1', 'target': 'n2'}, *case.schedule])
broken"""


def test_minimise_and_watch_in_the_notebook(lesson: Page):
    """A violated chip's branch gets smaller while the kernel stays free; a property from a cell becomes a chip."""
    page = lesson
    python(page, BROKEN)
    second = page.locator(".dslab-lab").nth(1)
    second.get_by_role("button", name="Minimise").click()
    expect(second).to_have_attribute("data-branch", "B")
    expect(second.locator(".ds-bar-violation")).to_contain_text(re.compile(r"\d of \d actions suffice"))
    left = len(json.loads(python(page, "import json; print(json.dumps(broken.schedule()))")))
    assert left < int(python(page, "print(len(broken.schedule('A')))"))
    python(page, "def quiet(world):\n    'Nobody crashes.'\n    return None\nbroken.watch(quiet)")
    expect(second.locator("[data-property=quiet]")).to_have_count(1)


def test_run_until_computes_more_of_the_run(lesson: Page):
    """Beyond the computed end the kernel is asked, until the condition holds."""
    page = lesson
    lab(page).locator(".dslab-node[data-node=n1]").focus()
    page.keyboard.press("/")
    page.keyboard.type('any(role == "leader") and time > 14000')
    page.keyboard.press("Enter")
    expect(lab(page)).to_have_attribute("data-time-us", re.compile(r"^14\d{6}$"))


def test_the_version_in_the_browser_is_the_one_under_test():
    assert Path(dslab.__file__).is_relative_to(Path(__file__).parents[2])
