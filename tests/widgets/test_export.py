"""The page of its own: always the same bytes, nothing from a network, nothing that breaks out of its place."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from dslab import Lab, Node, System
from dslab.protocols import raft
from dslab.widgets import Prediction

EVIL = "</script><script>alert(1)</script><!-- \x00\u202e & \"quoted\""


class Page(HTMLParser):
    """What a browser sees: each script with its attributes, and the names of all elements."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.title, self._inside = "", ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif self._inside == "title":
            self.title += data

    def data(self) -> dict[str, Any]:
        """The data blocks by their name."""
        blocks = {attrs.get("id") or attrs["data-chunk"]: text for attrs, text in self.scripts[:-1]}
        return {str(name): json.loads(text) for name, text in blocks.items()}


def make(**more: Any) -> Lab:
    return Lab(raft.cluster(3), seed=7, until=1500, **more)


def test_equal_labs_give_equal_bytes(tmp_path):
    """And what is written is what is returned."""
    page = make(title="one").export_html(tmp_path / "page.html")
    assert page == make(title="one").export_html()
    assert (tmp_path / "page.html").read_bytes() == page.encode()


def test_nothing_is_fetched():
    """No address of a network anywhere but the names of XML, and no element that loads anything."""
    text = make().export_html()
    page = Page(text)
    assert set(re.findall(r"https?://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert not {"link", "img", "iframe", "object", "embed", "base"} & set(page.names)
    assert not [name for name, _ in page.attributes if name in ("src", "href", "srcset", "data")]
    assert not re.search(r"@import|url\((?!#)[^$]", text)


def test_the_policy_allows_this_one_script_and_no_other():
    """It names the script by its content, which is the same in every page."""
    first, second = Page(make().export_html()), Page(Lab(raft.cluster(5), seed=1, title=EVIL).export_html())
    policy = next(value for name, value in first.attributes if name == "content" and value.startswith("default-src"))
    script = first.scripts[-1][1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; script-src 'sha256-{digest}'; " in policy
    assert script == second.scripts[-1][1]


def test_no_text_breaks_out():
    """A title, a command and a branch's name are somebody else's text."""
    lab = make(title=EVIL)
    lab.request(EVIL.replace("\x00", ""), at=400)
    lab.fork(500, label="</script><b>")
    text = lab.export_html()
    page = Page(text)
    assert page.names.count("script") == 2 + len(lab.branches) and "b" not in page.names
    assert "alert(1)" in page.title and "\x00" not in text and "\u202e" not in text
    data = page.data()
    assert data["dslab-state"]["branches"] == lab.branches
    assert data["dslab-state"]["spec"]["title"] == EVIL
    for name, chunk in lab.chunks.items():
        assert data[name] == json.loads(chunk)


def test_every_branch_is_there_and_the_cursor_where_it_stands():
    """What has been tried is the bank of what-ifs."""
    lab = make()
    lab.seek(1000)
    lab.crash("n1", at=700)
    state = Page(lab.export_html()).data()
    assert {"A", "B"} <= set(state)
    assert state["dslab-state"]["cursor"] == lab.cursor


def test_an_open_prediction_tells_nothing_of_what_follows():
    """Neither data nor picture; once it is answered, all is there."""
    asked = Prediction("Who leads?", [("a", "n1", "secret one"), ("b", "n2", "secret two")], right="a", reveal=900)
    lab = make(predict=asked, start=50)
    lab.request("zz=93", at=1200)
    text = lab.export_html()
    state = Page(text).data()
    assert "secret" not in text and "zz=93" not in text
    assert sum(state["A"]["e"]["t"]) <= 50_000 and state["dslab-state"]["branches"][0]["until_us"] == 50_000
    lab.answer("b", 2)
    text = lab.export_html()
    assert "secret two" in text and "zz=93" in text
    assert sum(Page(text).data()["A"]["e"]["t"]) > 1_000_000


def test_without_scripts_there_is_a_picture_and_a_paragraph():
    """For a reader that runs none, and for paper."""
    without = re.search(r"<noscript>(.*)</noscript>", make().export_html(), re.DOTALL)[1]
    assert without.count("<svg") == 1 and "3 servers and 1 client, seed 7" in without


class Odd(Node):
    """Holds text from everywhere."""

    def on_start(self) -> None:
        self.name = "é\u2028\U0001f600"


def test_state_beyond_ascii_survives():
    """Whatever a protocol keeps comes out as it was."""
    text = Lab(System(Odd, nodes=2), seed=1).export_html()
    assert "\\ud83d\\ude00" in text and text.isascii() is False


def test_a_file_that_cannot_be_written_says_so(tmp_path):
    """As Python says it."""
    with pytest.raises(OSError):
        make().export_html(tmp_path / "no" / "page.html")
