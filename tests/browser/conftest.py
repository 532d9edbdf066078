"""A real JupyterLab in a real browser: one server and one Chromium for all tests, private folders, free ports."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dslab.commands.test import install_packages

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in BROWSERS if (path := shutil.which(name))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
RUN_ALL = """async () => {
  const app = window.jupyterapp; await app.started;
  let panel;
  for (;;) {
    panel = app.shell.currentWidget;
    if (panel?.sessionContext) break;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  await panel.context.ready; await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  await app.commands.execute('notebook:run-all-cells');
  return panel.content.model.sharedModel.cells.filter(cell => cell.cell_type === 'code').map(cell => cell.toJSON())
    .map(cell => [cell.id, cell.execution_count, cell.outputs.filter(o => o.output_type === 'error').length]);
}"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.needs("chromium"))


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="session")
def lab_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a JupyterLab whose files are a copy of the notebooks."""
    home = tmp_path_factory.mktemp("jupyter")
    files = home / "notebooks"
    shutil.copytree(ROOT / "notebooks", files, ignore=shutil.ignore_patterns("source", ".ipynb_checkpoints"))
    port = free_port()
    private = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    env = {**os.environ, **private, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(home / "ipython"), "HOME": str(home)}
    subprocess.run([sys.executable, "-m", "jupyter", "labextension", "disable", "--level=user",
                    "@jupyterlab/apputils-extension:announcements"], env=env, check=True, capture_output=True)
    log = (home / "server.log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
         "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True",
         f"--ServerApp.root_dir={files}", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"],
        env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert server.poll() is None, (home / "server.log").read_text()[-2000:]
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/api/status", timeout=5) as answer:
                json.load(answer)
                break
        yield url
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=30_000)           # on a busy machine; whatever it waits for ends the wait
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1500, "height": 1000})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


@pytest.fixture(scope="session")
def axe() -> Path:
    """The accessibility rules, one script."""
    reason = install_packages()
    if reason:
        (pytest.fail if os.environ.get("DSLAB_TEST_ALL") else pytest.skip)(reason)
    return ROOT / "tests" / "js" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def run_notebook(page: Page, lab_url: str) -> Callable[[str], list[list]]:
    """Opens a notebook in a fresh workspace and runs all its cells.

    Returns:
        A function of the notebook's name that gives [cell id, execution count, number of errors] for each code cell.
    """
    def run(name: str) -> list[list]:
        page.goto(f"{lab_url}/lab/workspaces/{name.partition('.')[0]}-{free_port()}/tree/{name}?reset")
        page.wait_for_function("() => window.jupyterapp")
        return page.evaluate(RUN_ALL)
    return run
