"""One HTML page that plays a Lab's branches: the widget, what it would read from the kernel, and nothing else.

No kernel and no network: the page works from a file, and in a frame that may do nothing but run scripts. What
people have typed stands in data blocks only, so the page's one script is always the same and its policy names it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Any

from dslab.view.storyboard import Storyboard

from .bundle import css, modules_of, source

# In JSON these stand only inside texts, where an escape means the same.
_NOT_PLAIN = re.compile(r"[<>&\x7f-\U0010ffff]")
# Characters that nobody sees: controls, and those that turn the direction of the text after them.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")

_MODEL = """
const state = JSON.parse(document.getElementById("dslab-state").textContent);
const blocks = [...document.querySelectorAll("[data-chunk]")];
state.chunks = Object.fromEntries(blocks.map((block) => [block.dataset.chunk, block.textContent]));
const model = {
  get: (name) => state[name], set(name, value) { state[name] = value; },
  on() {}, off() {}, save_changes() {},
};
render({ model, el: document.getElementById("dslab-lab") });
"""

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; padding: 12px; background: #ffffff; color: #23262b; }
body, .note { font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { margin: 0 0 8px; font-size: 16px; line-height: 20px; font-weight: 650; overflow-wrap: anywhere; }
.note { margin: 8px 0 0; color: #5e6064; }
@media (prefers-color-scheme: dark) {
body { background: #111317; color: #dee0e4; }
.note { color: #a7a9ad; }
}
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div id="dslab-lab"></div>
<p class="note">{note}</p>
<noscript>
{picture}
<p>{words}</p>
</noscript>
</main>
{data}
<script type="module">{script}</script>
</body>
</html>
"""

NOTE = (
    "This is a recording: play it, step through it, look at every message. "
    "To crash a server or cut a link, open the notebook."
)


@cache
def _script(parts: tuple[str, ...]) -> str:
    return source(modules_of(parts)).removesuffix("\nexport default { render };\n") + _MODEL


@cache
def _policy(parts: tuple[str, ...]) -> str:
    digest = base64.b64encode(hashlib.sha256(_script(parts).encode()).digest()).decode("ascii")
    script = f"script-src 'sha256-{digest}'"
    return f"default-src 'none'; {script}; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return re.sub("....", r"\\u\g<0>", units)


def _block(attributes: str, json_text: str) -> str:
    """A data block whose text cannot end it."""
    return f'<script type="application/json" {attributes}>{_NOT_PLAIN.sub(_escaped, json_text)}</script>'


def _seen(text: str) -> str:
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)


def page(
    state: Mapping[str, Any], chunks: Mapping[str, bytes], title: str, board: Storyboard, parts: tuple[str, ...]
) -> str:
    """The page.

    Args:
        state: the traits that the widget reads, without `chunks`; plain data.
        chunks: the bytes of each branch.
        title: heading and name of the page; any text.
        board: what is shown where scripts do not run.
        parts: the views that only some labs have and this one needs.

    Returns:
        HTML; equal arguments give equal text.
    """
    blocks = [_block('id="dslab-state"', json.dumps(dict(state), separators=(",", ":"), ensure_ascii=False))]
    blocks += [_block(f'data-chunk="{escape(name)}"', chunk.decode()) for name, chunk in chunks.items()]
    return _PAGE.format(
        policy=_policy(parts),
        title=escape(_seen(title)),
        style=css() + _STYLE,
        note=NOTE,
        picture=_seen(board.svg),
        words=escape(_seen(board.text)),
        data="\n".join(blocks),
        script=_script(parts),
    )
