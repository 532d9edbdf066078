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


def cluster(nodes=1, *, server=Server, clients=1):
    """Echo servers, and clients that ask them.

    Args:
        nodes: number of servers, 1 or more.
        server: the class to run.
        clients: number of clients.
    """
    variant = "" if server is Server else f", server={server.__name__}"
    asking = "" if clients == 1 else f", clients={clients}"
    return System(
        server,
        nodes,
        clients=clients,
        always=(echoes,),
        name="echo",
        code=f"echo.cluster({nodes}{variant}{asking})",
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

    asking = "" if clients == 1 else f", clients={clients}"
    system = cluster(nodes, server=Echo, clients=clients)
    return system.replace(code=f"echo.echoing({answer.__name__}, {nodes}{asking})")


CALLS = (
    Case(
        "two-calls",
        "a client says two things and a number, one after the other.",
        [
            {"at": 50, "do": "request", "command": "hello"},
            {"at": 150, "do": "request", "command": "is anybody there?"},
            {"at": 250, "do": "request", "command": 7},
        ],
        until=1_000,
        nodes=1,
        question="What did the client send, and what came back?",
    ),
)
