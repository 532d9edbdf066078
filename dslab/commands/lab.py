"""`python -m dslab lab`: JupyterLab on the first notebook, in this process: stopping it stops everything."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
import urllib.error
import urllib.request
import webbrowser

from dslab.commands.environment import ROOT, say

FIRST_NOTEBOOK = "00-start-here.ipynb"
FIRST_PORT = 8888
PORTS_TRIED = 100
HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """True if a server can listen on this port of the loopback address."""
    with socket.socket() as probe:
        if os.name != "nt":  # as the server does: a port still in TIME_WAIT is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(wanted: int | None) -> int | None:
    """The port to serve on, or None after saying why there is none."""
    if wanted is not None:
        if is_free(wanted):
            return wanted
        say(f"Port {wanted} is in use or not allowed: give another, or leave out --port to get a free one")
        return None
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        if is_free(port):
            if port != FIRST_PORT:
                say(f"Port {FIRST_PORT} is in use: taking {port}")
            return port
    say(f"No port from {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} is free: name one with --port N")
    return None


def answers(url: str) -> bool:
    """True once a server answers at this address."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def browser_at_hand() -> bool:
    """True if a browser with a window of its own can be opened; one in the terminal would block us."""
    headless = sys.platform.startswith(("linux", "freebsd")) and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if headless:
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def announce(url: str, status_url: str, stopped: threading.Event) -> None:
    """Say where the server is, as soon as it answers."""
    while not answers(status_url):
        if stopped.wait(0.1):
            return
    print(f"JupyterLab is at {url}\nCtrl-C here stops it.", flush=True)


def lab(wanted_port: int | None, browser: bool) -> int:
    """Serve JupyterLab until it is stopped. Returns the exit status.

    Args:
        wanted_port: serve there or not at all; None takes the first free port.
        browser: open the first notebook in the user's browser.
    """
    port = choose_port(wanted_port)
    if port is None:
        return 2
    if browser and not browser_at_hand():
        say("No browser can be opened here: open the address below yourself")
        browser = False
    from jupyterlab.labapp import LabApp

    notebooks = ROOT / "notebooks"
    page = f"lab/tree/{FIRST_NOTEBOOK}" if (notebooks / FIRST_NOTEBOOK).is_file() else "lab"
    token = secrets.token_hex(16)
    os.environ["JUPYTER_TOKEN"] = token  # not an argument: every user can read those
    settings = [
        f"--ServerApp.root_dir={notebooks if notebooks.is_dir() else ROOT}",
        f"--LabApp.default_url=/{page}",
        f"--ServerApp.open_browser={browser}",
        f"--ServerApp.ip={HOST}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.answer_yes=True",  # Ctrl-C stops without a question
        "--Application.log_level=ERROR",
        # in containers everybody is root; the server listens on loopback and asks for the token
        f"--ServerApp.allow_root={getattr(os, 'geteuid', lambda: 1)() == 0}",
    ]
    base, stopped = f"http://{HOST}:{port}/", threading.Event()
    places = (f"{base}{page}?token={token}", f"{base}api/status?token={token}", stopped)
    waiter = threading.Thread(target=announce, args=places)
    waiter.start()
    try:
        LabApp.launch_instance(argv=settings)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1 if end.code else 0
    finally:
        stopped.set()
        waiter.join()
    return 0
