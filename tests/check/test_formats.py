"""Recorded histories: EDN and JSON in all their shapes, what a failure means in each format, errors with a line."""

import json

import pytest

from dslab.check.edn import read_edn
from dslab.check.events import read_events
from dslab.check.formats import FORMATS, read_history
from dslab.check.history import HistoryError, check_history


@pytest.mark.parametrize(("text", "value"), [
    ("nil", None), ("true", True), ("-12", -12), ("7N", 7), ("2.5e1", 25.0), ("3.5M", 3.5), (":timed-out", "timed-out"),
    (":jepsen/op", "jepsen/op"), ("symbol", "symbol"),
    ('"a\\n\\"b\\u0041"', 'a\n"bA'), ("\\a", "a"), ("\\newline", "\n"),
    ("[1, 2 ,3]", [1, 2, 3]), ("(1 (2))", [1, [2]]), ("#{1 2}", {1, 2}), ("{:a 1, \"b\" [2]}", {"a": 1, "b": [2]}),
    ("{[1 2] 3}", {(1, 2): 3}), ("; note\n [1 ; two\n 3]", [1, 3]), ("[1 #_ 2 3 #_[4 5]]", [1, 3]),
    ('#inst "2020"', "2020"), ("#jepsen.history.Op{:f :read}", {"f": "read"}), ("^:fast [1]", [1]), ("[]", []),
    ("##Inf", float("inf")),
])
def test_edn(text, value):
    assert read_edn(text) == value


@pytest.mark.parametrize(("text", "says"), [
    ("[1\n2", "line 2: this is not EDN: it ends before a closing ]"),
    ("{:a\n}", "line 1: a map has a key without a value"),
    ("]", "line 1: this is not EDN: a closing ] without an opening one"),
    ('["a\n]', 'line 1: this is not EDN: a text has no closing "'),
    ("", "line 1: this is not EDN: it ends where a value should be"),
    ("[1 }", "line 1: this is not EDN: a closing } without an opening one"),
    ("[" * 300, "line 1: this is not EDN: more than 100 brackets or tags are open"),
])
def test_what_is_no_edn(text, says):
    with pytest.raises(HistoryError) as error:
        read_edn(text)
    assert str(error.value) == says


LINES = """{:process 0, :type :invoke, :f :write, :value 1}
{:process 0, :type :ok, :f :write, :value 1}
{:process :nemesis, :type :info, :f :start, :value "cut"}
{:process 1, :type :invoke, :f :read, :value nil}
{:process 1, :type :ok, :f :read, :value 0}"""
JSON = """{"process":0,"type":"invoke","f":"write","value":1}
{"process":0,"type":"ok","f":"write","value":1}
{"process":"nemesis","type":"info","f":"start","value":"cut"}
{"process":1,"type":"invoke","f":"read","value":null}
{"process":1,"type":"ok","f":"read","value":0}"""
SHAPES = {
    "EDN lines": LINES, "EDN vector": f"[{LINES}]", "EDN list": f"; a note\n({LINES})",
    "EDN on one line": "[" + LINES.replace("\n", " ") + "]", "EDN with records": LINES.replace("{:", "#jepsen.Op{:"),
    "JSON lines": JSON + "\n\n", "JSON array": "[" + JSON.replace("\n", ",\n") + "]",
    "JSON on one line": "[" + JSON.replace("\n", ",") + "]", "JSON with keywords": JSON.replace('"nem', '":nem'),
    "JSON with spaces": JSON.replace(":", ": ").replace("{", "{ "), "Windows lines": LINES.replace("\n", "\r\n"),
    "numbers in quotes": JSON.replace('"process":0', '"process":"0"'),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_all_shapes_say_the_same(shape):
    """Also where several events stand on one line: their order is real time, not their line."""
    operations = read_history(SHAPES[shape], "knossos")
    assert [(o.process, o.do, o.argument, o.result, o.status) for o in operations] == [
        (0, "write", 1, None, "ok"), (1, "read", None, 0, "ok")]
    assert operations[0].completed < operations[1].invoked
    assert check_history(operations, initial=0).verdict == "violation"


def test_knossos_failures_and_nil_reads_say_nothing():
    text = """[{:process 0 :type :invoke :f :cas :value [1 2]} {:process 0 :type :fail :f :cas :value [1 2]}
 {:process 1 :type :invoke :f :read :value nil} {:process 1 :type :ok :f :read :value nil}
 {:process 2 :type :invoke :f :write :value 5} {:process 2 :type :info :f :write :value :timed-out}
 {:process 3 :type :invoke :f :read :value nil} {:process 3 :type :ok :f :read :value 5}
 {:process 4 :type :invoke :f :write :value 7}]"""
    operations = read_history(text, "knossos")
    assert [o.status for o in operations] == ["failed", "unknown", "ok", "unknown"]
    assert operations[1].argument == 5
    assert check_history(operations, initial=0).verdict == "ok"


@pytest.mark.parametrize(("wrote", "told", "verdict"), [
    ("1", "true", "violation"), ("[0 {true 1}]", "[false {1 1}]", "violation"), ("true", "true", "ok"),
    ("1", "1.0", "ok"), ("nil", '"nil"', "violation"), ("##NaN", "##NaN", "violation"), ("#{1 2}", "#{2 1}", "ok"),
    ("{:a 1 :b [2]}", "{:b (2) :a 1}", "ok"), ("12345678901234567891", "12345678901234567890", "violation"),
    ("a/b", ":a/b", "ok")])
def test_which_values_are_equal(wrote, told, verdict):
    """Numbers by value, true and false to nothing else; JSON says the same."""
    events = [(0, "invoke", "write", wrote), (0, "ok", "write", wrote), (0, "invoke", "read", "nil"),
              (0, "ok", "read", told)]
    text = "".join(f"{{:process {p} :type :{kind} :f :{f} :value {value}}}\n" for p, kind, f, value in events)
    assert check_history(read_history(text, "knossos")).verdict == verdict
    if wrote in ("1", "true"):
        lines = "".join(f'{{"process":{p},"type":"{kind}","f":"{f}","value":{value.replace("nil", "null")}}}\n'
                        for p, kind, f, value in events)
        assert check_history(read_history(lines, "knossos")).verdict == verdict


def test_multi_register():
    text = """{:process 0 :type :invoke :f :txn :value [[:write :x 1] [:write :y 1]]}
{:process 0 :type :ok :f :txn :value [[:write :x 1] [:write :y 1]]}
{:process 1 :type :invoke :f :txn :value [[:read :x nil] [:read :y nil]]}
{:process 1 :type :ok :f :txn :value [[:read :x 1] [:read :y %s]]}"""
    initial = FORMATS["knossos"].initial["multi-register"]
    for seen, verdict in ((1, "ok"), (0, "violation"), ("nil", "ok")):
        operations = read_history(text % seen, "knossos")
        assert check_history(operations, "multi-register", initial=initial).verdict == verdict


ETCD = """INFO  jepsen.core - Worker 1 starting
INFO  jepsen.util - 0\t:invoke\t:write\t1
INFO  jepsen.util - :nemesis\t:info\t:start\tnil
INFO  jepsen.util - 0\t:ok\t:write\t1
INFO  jepsen.util - 1\t:invoke\t:cas\t[{before} 2]
INFO  jepsen.util - 1\t:fail\t:cas\t[{before} 2]
INFO  jepsen.util - 2\t:invoke\t:read\tnil
INFO  jepsen.util - 2\t:fail\t:read\t:timed-out
INFO  jepsen.util - 3\t:invoke\t:cas\t[1 4]
INFO  jepsen.util - 3\t:info\t:cas\t:timed-out
"""


def test_a_refused_cas_of_etcd_says_what_was_not_there():
    """... and that of Knossos does not: the two semantics of a failed compare-and-set."""
    for before, verdict in (("1", "violation"), ("0", "ok"), ("nil", "ok")):
        operations = read_history(ETCD.format(before=before), "jepsen-etcd")
        assert [o.status for o in operations] == ["ok", "ok", "failed", "unknown"]
        assert check_history(operations).verdict == verdict
    edn = "".join(f"{{:process {p} :type :{kind} :f :{f} :value {value}}}\n" for p, kind, f, value in [
        (0, "invoke", "write", 1), (0, "ok", "write", 1), (1, "invoke", "cas", "[1 2]"), (1, "fail", "cas", "[1 2]")])
    assert check_history(read_history(edn, "knossos"), initial=0).verdict == "ok"


def test_a_cas_that_failed_for_want_of_time_may_have_happened():
    text = ETCD.format(before=0).replace(":fail\t:cas\t[0 2]", ":fail\t:cas\t:timed-out")
    assert read_history(text, "jepsen-etcd")[1].status == "unknown"


def test_key_value():
    text = """{:process 0, :type :invoke, :f :append, :key "3", :value "ab"}
{:process 1, :type :invoke, :f :get, :key "3", :value nil}
{:process 1, :type :ok, :f :get, :key "3", :value "ab"}
{:process 0, :type :ok, :f :append, :key "3", :value "ab"}
{:process 1, :type :invoke, :f :get, :key "3", :value nil}
{:process 1, :type :ok, :f :get, :key "3", :value ""}"""
    found = check_history(read_history(text, "porcupine-kv"), "key-value")
    assert (found.verdict, found.stuck) == ("violation", 2)


@pytest.mark.parametrize(("form", "text", "says"), [
    ("knossos", "", "line 1: the file holds no event"),
    ("knossos", "; nothing\n", "line 1: the file holds no event"),
    ("knossos", "{:process 0 :type :began :f :read}", "line 1: the type of an event is one of invoke, ok, fail, info"),
    ("knossos", "[1 2]", "line 1: an event is a map with process, type, f and value, not 1"),
    ("knossos", "{:type :invoke :f :read}", "line 1: an event has no process"),
    ("knossos", "{:process 0 :type :ok :f :read}", "line 1: process 0 is answered (ok) and has asked nothing"),
    ("knossos", "{:process 0 :type :invoke :f :read}\n\n{:process 0 :type :invoke :f :read}",
     "line 3: process 0 asks while its question of line 1 is open"),
    ("knossos", "{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :f :write}",
     "line 2: process 0 asked for read on line 1 and is answered about write"),
    ("knossos", '{"process":0,"type":"invoke"}\n{"process":0,', "line 2: this is not JSON"),
    ("knossos", '[{"process":0,"type":"invoke"},\n{"process":0,', "line 2: this is not JSON"),
    ("knossos", "[{:process 0 :type :invoke :f :read}]\n[]", "line 2: this is not EDN: something follows"),
    ("porcupine-kv", "{:process 0 :type :invoke :f :cas :key 1}",
     "line 1: an operation is get, put or append, not cas"),
    ("porcupine-kv", "{:process 0 :type :invoke :f :get}", "line 1: get needs a :key"),
    ("jepsen-etcd", "hello\n", "line 1: the log holds no event"),
    ("jepsen-etcd", "INFO  jepsen.util - 0\t:invoke\t:push\t1",
     "line 1: an event of a client is :read, :write or :cas"),
    ("jepsen-etcd", "\nINFO  jepsen.util - 0\t:invoke\t:cas\t[1",
     "line 2: this is not EDN: it ends before a closing ]"),
    ("etcd", "", "there is no format 'etcd'; choose from jepsen-etcd, porcupine-kv, knossos"),
])
def test_errors_name_the_line(form, text, says):
    with pytest.raises(HistoryError) as error:
        read_history(text, form)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_an_empty_list_is_a_history():
    assert read_events("[]") == [] and read_history("[]", "knossos") == []


DEEP = "[" * 900 + "]" * 900
LONG = "9" * 5000
UNUSUAL = {
    "f is a list": '{"process":0,"type":"invoke","f":["read"]}',
    "process is a list": '{"process":[0],"type":"invoke","f":"read"}',
    "deep JSON": f'{{"process":0,"type":"invoke","f":"write","value":{DEEP}}}',
    "deeper JSON": f'{{"history":{DEEP * 100}',
    "deep EDN": f"{{:process 0 :type :invoke :f :write :value {DEEP}}}",
    "tags": "#a " * 5000 + "5",
    "metadata": "^a " * 5000 + "5",
    "discarded": "#_ " * 5000 + "5",
    "long number in JSON": f'{{"process":0,"type":"invoke","f":"write","value":{LONG}}}',
    "long number in EDN": f"{{:process 0 :type :invoke :f :write :value {LONG}}}",
    "long number in a list": f'[{{"process":0,"type":"invoke","f":"write","value":{LONG}}}]',
}


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "jepsen-etcd"])
@pytest.mark.parametrize("text", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_inputs_are_refused_in_one_sentence(form, text):
    with pytest.raises(HistoryError) as error:
        read_history(text, form)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("model", "do", "value"), [
    ("set", "read", 5), ("append", "append", 5), ("append", "append", None), ("key-value", "put", 1)])
def test_values_that_a_model_cannot_hold_are_refused(model, do, value):
    text = "\n".join(json.dumps({"process": 0, "type": kind, "f": do, "value": value}) for kind in ("invoke", "ok"))
    with pytest.raises(HistoryError, match=r"^line 1: "):
        check_history(read_history(text, "knossos"), model)
    if model == "set":
        with pytest.raises(HistoryError, match=r"^line 1: "):
            check_history(read_history(text, "set"), "set", "set")


def test_a_key_may_be_a_list():
    text = "\n".join(json.dumps({"process": 0, "type": kind, "f": "get", "key": [1], "value": ""})
                     for kind in ("invoke", "ok"))
    assert check_history(read_history(text, "porcupine-kv"), "key-value").verdict == "ok"
