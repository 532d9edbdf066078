"""Source code as lessons show it."""

import pytest

from dslab import show_source
from dslab.protocols import raft


def test_shows_what_runs_without_its_indentation():
    """Each thing begins at the left, in the order asked for."""
    text = repr(show_source(raft.Server.adopt, raft.Server.count_votes))
    assert text.startswith("def adopt(self, term):\n    ") and "\n\ndef count_votes(self):\n    " in text


def test_is_code_in_a_notebook():
    """Markdown, so that the notebook's own theme colours it."""
    shown = show_source(raft.Server.adopt)
    assert shown._repr_markdown_() == f"```python\n{shown!r}\n```"


def test_refuses_what_has_no_source():
    """A number, say."""
    with pytest.raises(TypeError):
        show_source(3)
