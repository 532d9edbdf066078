"""The one line that tells people without the set-up command where they stand."""

from dslab import ready
from dslab.commands import ready as module


def test_says_that_all_is_here(capsys):
    """In this environment it is."""
    ready()
    assert capsys.readouterr().out == "Ready: this Python has everything that the notebooks need.\n"


def test_names_what_is_missing_and_what_to_do(capsys, monkeypatch):
    """One sentence of each."""
    monkeypatch.setattr(module, "NEEDED", ("no_such_package", "sys"))
    ready()
    said = capsys.readouterr().out
    assert said.startswith("Not here: no_such_package. ") and "`python3 -m dslab lab`" in said
