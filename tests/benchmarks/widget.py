"""How fast the Lab widget is in headless Chromium: prints one JSON object. Reported, not asserted.

- `fps`, `frame_p95_ms`: while playing, at 25 nodes with 100 messages in flight and at 200 with 1,000.
- `seek_ms`: from a new cursor to the laid out page, over random events of a trace of 50,000 with hundreds of entries.
- `pan`: panning the space-time diagram of 100,000 messages, in frames per second, and the script's time per frame.
- `ring`: playing a lookup on a ring of 8,000 nodes: frames per second, and the bundle of such a lab.
- `fork_visible_ms`: from the click on a verb in the past to the frame that shows the new branch. Python answers over
  local HTTP as a kernel does over its socket: traits first, then the reply.

The page holds the bundle as it is shipped and labs of real runs. Close other programs first: software rendering
competes with them.

Run: python tests/benchmarks/widget.py
"""

from __future__ import annotations

import argparse
import base64
import bisect
import json
import platform
import random
import shutil
import statistics
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Page, sync_playwright

from dslab import Lab, Network, Node, System, message
from dslab.protocols import raft
from dslab.widgets.bundle import javascript, modules_of

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
ROOM = {"width": 1224, "height": 760}
TRAITS = ("spec", "branches", "chunks", "cursor", "selection", "prediction", "feedback")
PAN_MS, PAN_PX, PAN_UNTIL = 3000, 14, 940_000
SEEK_EVENTS, SEEKS, WARM_UP, ENTRIES = 50_000, 300, 30, 400
PLAY_MS = 3000
RING_NODES, RING_BITS = 8000, 24
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>lab</title><link rel="stylesheet" href="/lab.css">
<body><main id="m"></main><script type="module">
import lab from "/lab.js";
const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
const post = async (path, body) => (await fetch(path, { method: "POST", body: JSON.stringify(body) })).json();
const handlers = new Map();
const heard = (event, ...what) => handlers.get(event)?.forEach((handler) => handler(...what));
const state = {};
const texts = {};
function adopt(traits) {
  const differs = (name) => JSON.stringify(texts[name]) !== JSON.stringify(traits[name]);
  const changed = Object.keys(traits).filter(differs);
  for (const name of changed) {
    const old = texts.chunks ?? {};
    const chunk = ([id, text]) => [id, old[id] === text ? state.chunks[id] : bytes(text)];
    state[name] = name === "chunks" ? Object.fromEntries(Object.entries(traits.chunks).map(chunk)) : traits[name];
    texts[name] = traits[name];
  }
  for (const name of changed) heard(`change:${name}`);
}
window.model = {
  get: (name) => state[name],
  set(name, value) { state[name] = texts[name] = value; heard(`change:${name}`); },
  save_changes: () => post("/save", { cursor: state.cursor }),
  on: (event, handler) => handlers.set(event, (handlers.get(event) ?? new Set()).add(handler)),
  off: (event, handler) => handlers.get(event)?.delete(handler),
  async send(command) {
    const { traits, reply } = await post("/send", command);
    adopt(traits);
    heard("msg:custom", reply);
  },
};
adopt(await post("/traits", {}));
window.stop = lab.render({ model, el: document.getElementById("m") });
window.ready = true;
</script></body></html>"""
FRAMES = """async (ms) => {
  const times = [];
  let last = performance.now();
  const end = last + ms;
  await new Promise((done) => {
    const frame = () => {
      const now = performance.now();
      times.push(now - last);
      last = now;
      if (now < end) requestAnimationFrame(frame); else done();
    };
    requestAnimationFrame(frame);
  });
  return times;
}"""
SEEK = """(events) => {
  const root = document.querySelector(".dslab-lab");
  const { cursor, branches } = { cursor: model.get("cursor"), branches: model.get("branches") };
  return events.map((us) => {
    const begun = performance.now();
    model.set("cursor", { branch: branches[0].id, time_us: us, event: null });
    root.getBoundingClientRect();
    return performance.now() - begun;
  });
}"""
PAN = """async ([px, forMs]) => {
  const scroller = document.querySelector(".ds-st-scroll");
  const draws = [];
  const frames = [];
  await new Promise((done) => {
    let last = performance.now();
    const end = last + forMs;
    const frame = (now) => {
      frames.push(now - last);
      last = now;
      scroller.scrollTop += px;
      const begun = performance.now();
      scroller.dispatchEvent(new Event("scroll"));
      draws.push(performance.now() - begun);
      if (now < end) requestAnimationFrame(frame); else done();
    };
    requestAnimationFrame(frame);
  });
  return [frames, draws];
}"""
FORK = """async (verb) => {
  const root = document.querySelector(".dslab-lab");
  const begun = performance.now();
  document.querySelector(`.ds-pop [data-verb=${verb}]`).click();
  while (root.dataset.branch !== "B") await new Promise((frame) => requestAnimationFrame(frame));
  await new Promise((frame) => requestAnimationFrame(frame));
  return performance.now() - begun;
}"""


@message
class Word:
    """{source} tells {target} number {number}."""

    number: int


class Chatter(Node):
    """Sends a few messages at its start and an answer to each, so that their number in the air stays the same."""

    shows = ("term",)

    def on_start(self):
        self.term = 1
        for number in range(4 if len(self.peers) < 100 else 5):
            self.send(self.peers[self.random.randrange(len(self.peers))], Word(number))

    def on_word(self, sender, m):
        self.send(sender, m)


@message
class FindNext:
    """{source} asks {target} who is nearer to key {key}."""

    number: int
    key: int


@message
class Next:
    """{source} names {node} to {target}."""

    number: int
    node: str
    found: bool


def ring(count: int, bits: int) -> System:
    """A ring of nodes at random places with complete fingers; n1 looks up one random key after the other."""
    places = tuple(random.Random(1).sample(range(2**bits), count))
    order = tuple(sorted(range(count), key=places.__getitem__))
    line = tuple(places[i] for i in order)

    def owner(key: int) -> str:
        return f"n{order[bisect.bisect_left(line, key % 2**bits) % count] + 1}"

    def place(name: str) -> int:
        return places[int(name[1:]) - 1]

    class Walker(Node):
        shows = ("position", "bits", "metric", "successors", "fingers", "lookups")

        def on_start(self):
            self.position, self.bits, self.metric, self.lookups = place(self.id), bits, "clockwise", {}
            self.successors = [owner(self.position + 1)]
            starts = [(self.position + 2**i) % 2**bits for i in range(bits)]
            self.fingers = [[start, owner(start)] for start in starts]
            if self.id == "n1":
                self.set_timer("begin", after=10)

        def on_begin_timeout(self):
            key, number = self.random.randrange(2**bits), str(len(self.lookups) + 1)
            self.lookups = {**self.lookups, number: {"key": key, "path": [self.id], "asking": [], "owner": None,
                                                     "state": "going"}}
            self.go_on(number, *self.closer(key))

        def way(self, key):
            return (key - self.position) % 2**bits

        def closer(self, key):
            if self.way(key) <= self.way(place(self.successors[0])):
                return self.successors[0], True
            before = [node for _, node in self.fingers if 0 < self.way(place(node)) < self.way(key)]
            return (before[-1], False) if before else (self.successors[0], False)

        def go_on(self, number, node, found):
            lookup = self.lookups[number]
            change = {"owner": node, "state": "found", "asking": []} if found else {
                "path": [*lookup["path"], node], "asking": [node]}
            self.lookups = {**self.lookups, number: {**lookup, **change}}
            if found:
                self.set_timer("begin", after=20)
            else:
                self.send(node, FindNext(int(number), lookup["key"]))

        def on_find_next(self, sender, m):
            self.send(sender, Next(m.number, *self.closer(m.key)))

        def on_next(self, sender, m):
            self.go_on(str(m.number), m.node, m.found)

    return System(Walker, nodes=count, network=Network(latency=(8, 20)))


class Kernel:
    """Serves one lab and its page, as a notebook's kernel would."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        kernel = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                files = {"/": ("text/html", PAGE), "/lab.js": ("text/javascript", kernel.lab._esm),
                         "/lab.css": ("text/css", kernel.lab._css)}
                kind, text = files.get(self.path.partition("?")[0], ("text/plain", ""))
                self.answer(text, f"{kind}; charset=utf-8")

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/send":
                    kernel.lab.send = self.reply
                    kernel.lab._receive(kernel.lab, body, [])
                    return
                if self.path == "/save":
                    kernel.lab.set_trait("cursor", body["cursor"])
                self.answer(kernel.traits())

            def reply(self, content: Any, buffers: Any = None) -> None:
                self.answer({"traits": kernel.traits(), "reply": content})

            def answer(self, value: Any, kind: str = "application/json") -> None:
                data = (value if isinstance(value, str) else json.dumps(value)).encode()
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                self.wfile.flush()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def traits(self) -> dict[str, Any]:
        values = {name: getattr(self.lab, name) for name in TRAITS}
        chunks = {name: base64.b64encode(data).decode() for name, data in values["chunks"].items()}
        return {**values, "chunks": chunks}

    def open(self, page: Page) -> None:
        page.goto(self.url)
        page.wait_for_function("() => window.ready")

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def frames(page: Page, nodes: int) -> dict[str, float]:
    """Plays a lab of so many nodes."""
    system = System(Chatter, nodes=nodes, network=Network(latency=(900, 1000)))
    kernel = Kernel(Lab(system, seed=1, until=1000, start=20, speed=0.1))
    kernel.open(page)
    page.click("[data-control=play]")
    page.wait_for_timeout(1000)
    flying = page.evaluate("() => document.querySelector('.ds-stage-svg').getAttribute('aria-label')")
    times = sorted(page.evaluate(FRAMES, PLAY_MS))
    kernel.close()
    p95 = times[int(len(times) * 0.95)]
    return {"fps": round(1000 * len(times) / sum(times), 1), "p95": round(p95, 1), "stage": flying}


def ring_frames(page: Page) -> dict[str, Any]:
    """Plays lookups on a large ring."""
    lab = Lab(ring(RING_NODES, RING_BITS), seed=1, until=3000, start=15, speed=0.1)
    kernel = Kernel(lab)
    kernel.open(page)
    page.click("[data-control=play]")
    page.wait_for_timeout(1000)
    times = sorted(page.evaluate(FRAMES, 2 * PLAY_MS))
    hops = page.locator(".ds-stage-svg").first.get_attribute("aria-label")
    kernel.close()
    p95 = times[int(len(times) * 0.95)]
    return {"fps": round(1000 * len(times) / sum(times), 1), "p95": round(p95, 1), "ring": hops,
            "bundle_kb": round(len(lab._esm) / 1000, 1)}


def seeks(page: Page) -> dict[str, float]:
    """Jumps about in a long run."""
    schedule = [{"at": 1000 + 100 * i, "do": "request", "command": f"x={i}"} for i in range(ENTRIES)]
    lab = Lab(raft.cluster(5), seed=7, schedule=schedule, until=60_000)
    while len(lab.trace()) < SEEK_EVENTS:
        lab._extend("A", 1000 * int(lab._tree["A"].until) + 60_000_000)
    kernel = Kernel(lab)
    kernel.open(page)
    page.wait_for_timeout(3000)        # keyframes are folded ahead
    chosen = random.Random(1)
    times = [event.time_us for event in lab.trace().events]
    page.evaluate(SEEK, [chosen.choice(times) for _ in range(WARM_UP)])
    found = sorted(page.evaluate(SEEK, [chosen.choice(times) for _ in range(SEEKS)]))
    kernel.close()
    p95 = found[int(SEEKS * 0.95)]
    return {"median": round(statistics.median(found), 1), "p95": round(p95, 1), "max": round(found[-1], 1),
            "events": len(lab.trace())}


def pan(page: Page) -> dict[str, float]:
    """Pans through a long run in virtual time."""
    lab = Lab(raft.cluster(5), seed=1, until=PAN_UNTIL, start=PAN_UNTIL / 2)
    kernel = Kernel(lab)
    kernel.open(page)
    page.locator("[data-tab=spacetime]").click()
    page.wait_for_timeout(1000)
    frames, draws = page.evaluate(PAN, [PAN_PX, PAN_MS])
    kernel.close()
    p95 = sorted(draws)[int(len(draws) * 0.95)]
    return {"fps": round(1000 * len(frames) / sum(frames), 1), "script_ms": round(statistics.median(draws), 2),
            "script_p95_ms": round(p95, 2), "messages": len(lab.trace().messages)}


def fork(page: Page) -> float:
    """Crashes a node in the past of a run."""
    kernel = Kernel(Lab(raft.cluster(5), seed=7))
    kernel.open(page)
    page.click("[data-control=end]")
    page.click("[data-control=start]")
    for _ in range(3):
        page.click("[data-control=next]")
    page.wait_for_timeout(600)
    page.click(".dslab-node[data-node=n3]")
    taken = page.evaluate(FORK, "crash")
    kernel.close()
    return round(taken, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often a fork is timed (default 3)")
    rounds = parser.parse_args().rounds
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next((path for name in names if (path := shutil.which(name))), None)
    if chromium is None:
        sys.exit("No Chromium found; install it (Debian: apt-get install chromium) and run this again.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)

        def fresh(work: Any, *args: Any) -> Any:
            page = browser.new_page(viewport=ROOM)
            result = work(page, *args)
            page.close()
            return result

        few, many = fresh(frames, 25), fresh(frames, 200)
        seek, panned, ringed = fresh(seeks), fresh(pan), fresh(ring_frames)
        forks = [fresh(fork) for _ in range(rounds)]
        version = browser.version
        browser.close()
    print(json.dumps({
        "fps": {"25/100": few["fps"], "200/1000": many["fps"]},
        "frame_p95_ms": {"25/100": few["p95"], "200/1000": many["p95"]},
        "stages": [few["stage"], many["stage"]],
        "seek_ms": seek,
        "pan": panned,
        "ring": ringed,
        "fork_visible_ms": {"median": statistics.median(forks), "max": max(forks)},
        "bundle_kb": round(len(javascript(modules_of(("log",)))) / 1000, 1),
        "chromium": version, "python": platform.python_version(), "machine": platform.machine(),
    }))


if __name__ == "__main__":
    main()
