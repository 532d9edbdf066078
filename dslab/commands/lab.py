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


def listening(port: int) -> socket.socket | None:
    """A socket that listens on this port of the loopback address, or None if that cannot be had."""
    try:
        taken = socket.create_server((HOST, port))
    except OSError:
        return None
    taken.setblocking(False)  # as the server's event loop wants it
    return taken


def take_port(wanted: int | None) -> socket.socket | None:
    """The socket to serve on, or None after saying why there is none.

    It listens from here on: whoever starts a server a moment later finds this port in use.
    """
    if wanted is not None:
        taken = listening(wanted)
        if taken is None:
            say(f"Port {wanted} is in use or not allowed: give another, or leave out --port to get a free one")
        return taken
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        taken = listening(port)
        if taken is not None:
            if port != FIRST_PORT:
                say(f"Port {FIRST_PORT} is in use: taking {port}")
            return taken
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
    taken = take_port(wanted_port)
    if taken is None:
        return 2
    with taken:
        return serve(taken, browser)


def serve(taken: socket.socket, browser: bool) -> int:
    """Serve JupyterLab on a socket that listens already. Returns the exit status."""
    if browser and not browser_at_hand():
        say("No browser can be opened here: open the address below yourself")
        browser = False
    from jupyterlab.labapp import LabApp

    class Server(LabApp.serverapp_class):
        """Jupyter's server; by itself it lets go of the port it found and binds it again later."""

        def _find_http_port(self) -> None:
            pass

        def _bind_http_server_tcp(self) -> bool:
            self.http_server.add_socket(taken)
            return True

    LabApp.serverapp_class = Server
    port = taken.getsockname()[1]
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
        "--KernelManager.transport_encryption=auto",  # nobody else on this machine can read along
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
        taken.close()  # a question that nobody will answer ends
        waiter.join()
    return 0
