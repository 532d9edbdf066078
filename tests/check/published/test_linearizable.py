"""Every recorded history of registers, mutexes and key-value stores gets the verdict that was published with it."""

import inspect
import json
from pathlib import Path

import pytest

from dslab.check import wing_gong
from dslab.check.formats import FORMATS, read_history
from dslab.check.history import check_history
from dslab.check.models import ILLEGAL, MODELS
from dslab.check.wing_gong import Search

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def recorded(folder):
    """(path, published verdict, model) of each file of a folder."""
    for name, told in json.loads((DATA / folder / "verdicts.json").read_text())["files"].items():
        if folder == "knossos":
            for form in ("edn", "jsonl"):
                yield DATA / folder / form / f"{name}.{form}", told["linearizable"], told["model"]
        else:
            yield DATA / folder / name, told["linearizable"], "register" if "etcd" in folder else "key-value"


FILES = [(path, form, legal, model)
         for folder, form in (("etcd-jepsen-register", "jepsen-etcd"), ("porcupine-kv", "porcupine-kv"),
                              ("knossos", "knossos"))
         for path, legal, model in recorded(folder)]


@pytest.mark.parametrize(("path", "form", "legal", "model"), FILES,
                         ids=[f"{path.parent.name}/{path.name}" for path, *_ in FILES])
def test_verdict_is_the_published_one(path, form, legal, model):
    operations = read_history(path.read_text(), form)
    initial = FORMATS[form].initial.get(model, MODELS[model].initial)
    found = check_history(operations, model, initial=initial)
    assert found.verdict == ("ok" if legal else "violation"), found
    if legal:
        follows(operations, found.witness, MODELS[model]._replace(initial=initial))
    else:
        assert found.stuck in found.smallest
        part = [operations[i] for i in found.smallest]
        assert check_history(part, model, initial=initial, smallest=False).verdict == "violation"


def follows(operations, witness, model):
    """The order gives every answer, keeps to real time and leaves out nothing that was answered."""
    states = {}
    latest = 0
    for i in witness:
        operation = operations[i]
        assert operation.completed is None or latest <= operation.completed
        latest = max(latest, operation.invoked)
        states[operation.key] = model.step(states.get(operation.key, model.initial), operation)
        assert states[operation.key] is not ILLEGAL
    assert len(set(witness)) == len(witness)
    assert set(witness) >= {i for i, o in enumerate(operations) if o.status == "ok"}


def test_the_tempting_shortcut_gives_wrong_verdicts_on_real_logs():
    """ "If nothing changes, do not branch": right for reads, wrong for writes of the value that is there."""
    plain = inspect.getsource(Search)        # as Wing, Gong and Lowe have it
    for ours, theirs in (("other & spent == other", "other == spent"), ("other & spent != spent", "True"),
                         ("fresh and blind[i] or ", "")):
        assert ours in plain
        plain = plain.replace(ours, theirs)
    line = "if entry & 1 and not reads[i]:\n                    break"
    assert line in plain and "new == state or twin[i] >= 0" in plain
    tempting = plain.replace(line, "if entry & 1 and not (reads[i] or tables[i].get(state) == state):\n"
                                   "                    break")
    # what nobody answered is placed there too
    tempting = tempting.replace("new == state or twin[i] >= 0", "twin[i] >= 0")
    wrong = {plain: [], tempting: []}
    for path, published, _ in recorded("etcd-jepsen-register"):
        history = [o for o in read_history(path.read_text(), "jepsen-etcd")
                   if o.status == "ok" or o.status == "unknown" and o.do != "read"]
        for source, names in wrong.items():
            there = vars(wing_gong).copy()
            exec(source, there)
            if there["Search"](MODELS["register"], history).run(10_000_000) is not published:
                names.append(path.stem)
    assert not wrong[plain]
    assert wrong[tempting] and set(wrong[tempting]) <= {"etcd_002", "etcd_007", "etcd_025", "etcd_048"}
