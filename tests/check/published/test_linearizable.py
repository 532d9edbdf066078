"""Every recorded history of registers, mutexes and key-value stores gets the verdict that was published with it."""

import json
from pathlib import Path

import pytest

from dslab.check.formats import FORMATS, read_history
from dslab.check.history import check_history
from dslab.check.models import ILLEGAL, MODELS

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def recorded(folder):
    """(path, published verdict, model) of each file of a folder."""
    for name, told in json.loads((DATA / folder / "verdicts.json").read_text())["files"].items():
        if folder == "knossos":
            for form in ("edn", "jsonl"):
                yield DATA / folder / form / f"{name}.{form}", told["linearizable"], told["model"]
        else:
            yield DATA / folder / name, told["linearizable"], "register" if "etcd" in folder else "key-value"


FILES = [(path, form, linearizable, model)
         for folder, form in (("etcd-jepsen-register", "jepsen-etcd"), ("porcupine-kv", "porcupine-kv"),
                              ("knossos", "knossos"))
         for path, linearizable, model in recorded(folder)]


@pytest.mark.parametrize(("path", "form", "linearizable", "model"), FILES,
                         ids=[f"{path.parent.name}/{path.name}" for path, *_ in FILES])
def test_verdict_is_the_published_one(path, form, linearizable, model):
    operations = read_history(path.read_text(), form)
    initial = FORMATS[form].initial.get(model, MODELS[model].initial)
    found = check_history(operations, model, initial=initial)
    assert found.verdict == ("ok" if linearizable else "violation"), found
    if linearizable:
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
