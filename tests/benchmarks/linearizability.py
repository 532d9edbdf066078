"""How long recorded histories take to judge, in processor time; prints one JSON object.

    python tests/benchmarks/linearizability.py [FOLDER]

FOLDER holds the recorded histories; ../shared/data beside the repository if not given. The peer is a plain search by
Wing and Gong without memory, on the logs that it can manage, in the same run. Every verdict is compared with the
published one. Figures to meet: all etcd logs together in 2 s, each key-value file in 1 s, reading included.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path

from dslab.check.formats import FORMATS, read_history
from dslab.check.history import OK, UNKNOWN, check_history
from dslab.check.models import ILLEGAL, MODELS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PLAIN_STEPS = 20_000            # of the plain search, on one log


def seconds(work):
    """Processor time of a call, and what it returns."""
    gc.collect()
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def judged(path, form, model, smallest):
    """Time to read and judge one file, and the verdict."""
    def work():
        initial = FORMATS[form].initial.get(model, MODELS[model].initial)
        return check_history(read_history(path.read_text(), form), model, initial=initial, smallest=smallest)
    took, found = seconds(work)
    return took, found.verdict


def published(folder):
    """{name: whether it is linearizable}."""
    files = json.loads((folder / "verdicts.json").read_text())["files"]
    return {name: (told["linearizable"], told["model"]) for name, told in files.items()}


def plain(path):
    """The plain search on one etcd log: time and verdict, None where it is stopped."""
    history = [o for o in read_history(path.read_text(), "jepsen-etcd")
               if o.status == OK or o.status == UNKNOWN and o.do != "read"]
    model, steps = MODELS["register"], 0

    def search(left, state):
        nonlocal steps
        ends = [history[i].completed for i in left if history[i].completed is not None]
        if not ends:
            return True
        for i in left:
            if history[i].invoked <= min(ends):
                steps += 1
                if steps > PLAIN_STEPS:
                    raise TimeoutError
                after = model.step(state, history[i])
                if after is not ILLEGAL and search([j for j in left if j != i], after):
                    return True
        return False

    def work():
        try:
            return search(list(range(len(history))), model.initial)
        except TimeoutError:
            return None
    return seconds(work)


def main():
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    result = {"wrong": []}
    etcd = published(data / "etcd-jepsen-register")
    took, managed, peer, mine = 0.0, 0, 0.0, 0.0
    with_part = 0.0
    for name, (legal, _) in etcd.items():
        path = data / "etcd-jepsen-register" / name
        one, verdict = judged(path, "jepsen-etcd", "register", smallest=False)
        whole, _ = judged(path, "jepsen-etcd", "register", smallest=True)
        took, with_part = took + one, with_part + whole
        if verdict != ("ok" if legal else "violation"):
            result["wrong"].append(name)
        other, said = plain(path)
        if said is not None:
            managed, peer, mine = managed + 1, peer + other, mine + one
    result["etcd"] = {"logs": len(etcd), "seconds": round(took, 3), "seconds_with_smallest_parts": round(with_part, 3)}
    result["plain_search"] = {"logs_it_managed": managed, "seconds": round(peer, 3), "ours_on_these": round(mine, 3),
                              "ratio": round(peer / mine, 2) if mine else None}
    result["key_value"] = {}
    for name, (legal, _) in published(data / "porcupine-kv").items():
        one, verdict = judged(data / "porcupine-kv" / name, "porcupine-kv", "key-value", smallest=True)
        result["key_value"][name] = round(one, 3)
        if verdict != ("ok" if legal else "violation"):
            result["wrong"].append(name)
    took = 0.0
    for name, (legal, model) in published(data / "knossos").items():
        one, verdict = judged(data / "knossos" / "jsonl" / f"{name}.jsonl", "knossos", model, smallest=True)
        took += one
        if verdict != ("ok" if legal else "violation"):
            result["wrong"].append(name)
    result["knossos_jsonl_seconds"] = round(took, 3)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
