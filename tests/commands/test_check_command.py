"""`python -m dslab check`: the object, the words, the exit status, and one line for what is wrong."""

import json
import subprocess
import sys

import pytest

from dslab.commands.check import main

STALE = """{:process 0, :type :invoke, :f :write, :value 1}
{:process 0, :type :ok, :f :write, :value 1}
{:process 1, :type :invoke, :f :read, :value nil}
{:process 1, :type :ok, :f :read, :value 0}
{:process 2, :type :invoke, :f :write, :value 9}
"""


@pytest.fixture
def history(tmp_path):
    def written(text=STALE, name="history.edn"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return str(file)
    return written


def run(capsys, *arguments):
    status = main(list(arguments))
    told = capsys.readouterr()
    return status, told.out, told.err


def test_violation_as_one_object(history, capsys):
    status, out, err = run(capsys, "cas-register", history(), "--format", "knossos", "--json")
    found = json.loads(out)
    assert status == 1 and not err and out.count("\n") == 1
    assert found["verdict"] == "violation" and found["operations"] == 3 and found["witness"] is None
    assert found["stuck"] == {"index": 1, "line": 3, "process": 1, "do": "read", "key": None, "argument": None,
                              "result": 0, "status": "ok"}
    assert [o["line"] for o in found["smallest"]] == [1, 3] and "cannot be placed" in found["why"]


def test_violation_in_words(history, capsys):
    """It names the stuck operation and draws the smallest part."""
    status, out, _ = run(capsys, "register", history(), "--format", "knossos")
    assert status == 1 and out.startswith("violation ") and "linearizable, register, 3 operations" in out
    assert "stuck     line 3: 1 read: 0\n" in out
    chart = [line for line in out.splitlines() if line.rstrip().endswith("-|")]
    assert [line.split()[1] for line in chart] == ["1:", "3:"]
    assert chart[0].index("-|") < chart[1].index("|-")


def test_ok_gives_an_order(history, capsys):
    file = history(STALE.replace(":value 0", ":value 1"))
    status, out, _ = run(capsys, "register", file, "--format", "knossos", "--json")
    found = json.loads(out)
    assert status == 0 and found["verdict"] == "ok" and found["witness"][:2] == [0, 1] and found["stuck"] is None
    status, out, _ = run(capsys, "register", file, "--format", "knossos")
    assert status == 0 and "order     2 of them, one after another:\n          0 write 1\n" in out


def test_unknown_is_no_pass(history, capsys):
    lines = [f"{{:process {i} :type :{kind} :f :cas :value [{i} {i + 1}]}}" for kind in ("invoke", "ok")
             for i in range(1, 40)]
    lines[:0] = [f"{{:process {i} :type :invoke :f :write :value {i}}}" for i in range(100, 112)]
    file = history("\n".join(lines))
    status, out, _ = run(capsys, "register", file, "--format", "knossos", "--steps", "50", "--json")
    found = json.loads(out)
    assert status == 1 and found["verdict"] == "unknown" and "allow more steps" in found["why"]
    assert found["tried"]["steps"] >= 50


@pytest.mark.parametrize(("arguments", "says"), [
    (["register", "FILE", "--format", "etcd"], "no format is called 'etcd': choose from jepsen-etcd"),
    (["rgister", "FILE", "--format", "knossos"], "there is no model 'rgister'; choose from register"),
    (["mutex", "FILE", "--format", "knossos"], "line 1: a mutex has no 'write', only acquire, release"),
    (["register", "missing.edn", "--format", "knossos"], "missing.edn cannot be read"),
    (["register", "FILE", "--format", "jepsen-etcd"], "line 1: the log holds no event"),
    (["register", "FILE", "--format", "knossos", "--consistency", "strong"], "no consistency is called 'strong'"),
])
def test_wrong_arguments_are_one_line_and_status_2(arguments, says, history, capsys):
    file = history()
    status, out, err = run(capsys, *[file if argument == "FILE" else argument for argument in arguments], "--json")
    assert status == 2 and not out and says in err and err.count("\n") == 1 and "Traceback" not in err


@pytest.mark.parametrize(("arguments", "says"), [
    ([], "the following arguments are required: MODEL, FILE, --format"),
    (["register", "x", "--format", "knossos", "--steps", "0"], "0"),
    (["register", "x", "--format", "knossos", "--fast"], "--help` lists what is accepted"),
])
def test_the_parser_says_what_is_missing(arguments, says, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    told = capsys.readouterr()
    assert ended.value.code == 2 and says in told.err and told.err.count("\n") == 1


def test_bytes_that_are_no_text(tmp_path, capsys):
    file = tmp_path / "log"
    file.write_bytes(b"\xff\xfe\x00")
    status, _, err = run(capsys, "register", str(file), "--format", "jepsen-etcd")
    assert status == 2 and "cannot be read" in err


def test_from_the_shell(history):
    done = subprocess.run([sys.executable, "-m", "dslab", "check", "register", history(), "--format", "knossos",
                           "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and json.loads(done.stdout)["verdict"] == "violation" and not done.stderr
