"""Echo: a server answers every request with the command itself. The smallest service there is.

Source: none needed. Left out: everything that makes a service useful.
"""

from __future__ import annotations

from dslab.sim import ClientReply, Node, System, title, violation
from dslab.sim.case import Case


class Server(Node):
    """Sends back what it hears."""

    shows = ("heard", "said")

    def on_start(self):
        self.heard = self.said = None

    def on_client_request(self, sender, m):
        self.heard = m.command
        self.said = self.echo(m.command)
        self.send(sender, ClientReply(m.number, True, self.said))

    def echo(self, command):
        """What to answer."""
        return command


@title("The echo is the call")
def echoes(world):
    """What a server says is what it heard last."""
    server = world.changed
    if server is None or getattr(server, "heard", None) == getattr(server, "said", None):
        return None
    return violation(f"{server.id} heard {server.heard!r} and said {server.said!r}", nodes=[server.id])


def cluster(nodes=1, *, server=Server, clients=1, code="echo.cluster()"):
    """Echo servers, and clients that ask them.

    Args:
        nodes: number of servers, 1 or more.
        server: the class to run.
        clients: number of clients.
        code: the expression that makes this system, for "copy as code".
    """
    return System(
        server,
        nodes,
        clients=clients,
        always=(echoes,),
        name="echo",
        code=code,
        imports="from dslab.protocols import echo",
    )


def echoing(answer, nodes=1, *, clients=1):
    """Servers that ask a function what to say.

    Args:
        answer: called as answer(command).
        nodes, clients: as for cluster.
    """

    class Echo(Server):
        """Sends back what the function makes of what it hears."""

        def echo(self, command):
            return answer(command)

    return cluster(nodes, server=Echo, clients=clients, code=f"echo.echoing({answer.__name__})")


CALLS = (
    Case(
        "two-calls",
        "a client says two things, one after the other.",
        [
            {"at": 50, "do": "request", "command": "hello"},
            {"at": 150, "do": "request", "command": "is anybody there?"},
        ],
        until=1_000,
        nodes=1,
        question="What did the client send, and what came back?",
    ),
)
