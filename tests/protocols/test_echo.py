"""Echo, the protocol of the first notebook."""

from dslab.check.answers import find
from dslab.protocols import echo
from dslab.sim import simulate


def test_every_request_is_answered_with_itself():
    """Through any of several servers, from several clients."""
    schedule = [
        {"at": 10 * i, "do": "request", "command": f"word {i}", "client": f"c{i % 2 + 1}"}
        for i in range(1, 7)
    ]
    trace = simulate(echo.cluster(3, clients=2), seed=1, schedule=schedule, until=1_000)
    assert [(op["command"], op["result"]) for op in trace.history] == [
        (f"word {i}", f"word {i}") for i in range(1, 7)
    ]


def test_property_sees_a_wrong_echo():
    """It names both."""
    broken = find(echo.echoing(str.upper), echo.CALLS[0])
    assert broken.verdict.violation.text == "n1 heard 'hello' and said 'HELLO'"
