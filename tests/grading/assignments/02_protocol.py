# %% [markdown] name="protocol-title"
# # A protocol
#
# A Node class as an answer, and a function that decides one thing in a protocol of ours.

# %% name="protocol-setup"
from dslab import ClientReply, Node, System, message, title, verify, violation
from dslab.protocols import raft, raft_cases, raft_variants
from dslab.sim.case import Case


@title("Answered is kept")
def answered_is_kept(world):
    """When a client has its answer, a majority of the servers keep its command."""
    client = world.changed
    if client is None or not hasattr(client, "contact"):
        return None
    before, world.memory[client.id] = world.memory.get(client.id), client.command
    if before is None or client.command is not None:
        return None
    holders = [server.id for server in world.servers if before in getattr(server, "kept", ())]
    if 2 * len(holders) > len(world.servers):
        return None
    return violation(f"{client.id} has an answer to {before!r}, which only {len(holders)} servers keep", nodes=holders)


@title("Nothing is forgotten")
def nothing_is_forgotten(world):
    """What a server keeps, it keeps for ever."""
    server = world.changed
    if server is None or not hasattr(server, "kept"):
        return None
    before, world.memory[server.id] = world.memory.get(server.id, []), server.kept
    lost = [command for command in before if command not in server.kept]
    return violation(f"{server.id} has lost {lost[0]!r}", nodes=[server.id]) if lost else None


class Yes(Node):
    """Says yes to every request; that always makes progress."""

    def on_client_request(self, sender, m):
        self.send(sender, ClientReply(m.number, True, m.command))


PROMISES = (answered_is_kept, nothing_is_forgotten)


def keeping(server, nodes=3, clients=1):
    return System(server, nodes, clients=clients, always=PROMISES, name="keeper", code="keeping(Keeper)")


def yes(nodes=3, clients=1):
    return System(Yes, nodes, clients=clients, name="yes")


PLAIN = Case("two-requests", "a client asks for two things.", [
    {"at": 50, "do": "request", "command": "x=1"},
    {"at": 150, "do": "request", "command": "x=2", "to": "n2"},
], until=2_000)
CRASH = Case("crash", "a server is down while a client asks, and returns.", [
    {"at": 50, "do": "request", "command": "x=1", "to": "n1"},
    {"at": 100, "do": "crash", "node": "n2"},
    {"at": 200, "do": "request", "command": "x=2", "to": "n3"},
    {"at": 700, "do": "restart", "node": "n2"},
], until=2_000)

# %% name="keeper-exercise" tags=["exercise"] points=5
### BEGIN SOLUTION
@message
class Keep:
    """{source} asks {target} to keep {command}."""

    command: object


@message
class Kept:
    """{source} keeps {command}."""

    command: object


class Keeper(Node):
    """Answers a client once a majority of the servers keep its command."""

    durable = {"kept": []}
    shows = ("kept",)

    def on_start(self):
        self.waiting = {}

    def keep(self, command):
        if command not in self.kept:
            self.kept = [*self.kept, command]

    def on_client_request(self, sender, m):
        self.keep(m.command)
        self.waiting[m.command] = (sender, m.number, [self.id])
        self.broadcast(Keep(m.command))

    def on_keep(self, sender, m):
        self.keep(m.command)
        self.send(sender, Kept(m.command))

    def on_kept(self, sender, m):
        if m.command not in self.waiting:
            return
        client, number, holders = self.waiting[m.command]
        if sender not in holders:
            holders.append(sender)
        if 2 * len(holders) > len(self.peers) + 1:
            del self.waiting[m.command]
            self.send(client, ClientReply(number, True, m.command))
### STUB class Keeper(Node):
### STUB     """Answer a client once a majority of the servers keep its command, in the list `kept`."""
### STUB
### STUB     durable = {"kept": []}
### STUB     shows = ("kept",)
### STUB
### STUB     def on_client_request(self, sender, m):
### STUB         raise NotImplementedError("write your answer here")
### END SOLUTION

# %% name="keeper-mutant-at-once" tags=["mutant"] property="Answered is kept"
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)

    def on_client_request(self, sender, m):
        self.kept = [*self.kept, m.command]
        self.send(sender, ClientReply(m.number, True, m.command))

# %% name="keeper-mutant-memory" tags=["mutant"] property="Nothing is forgotten"
@message
class Keep:
    command: object


@message
class Kept:
    command: object


class Keeper(Node):
    shows = ("kept",)

    def on_start(self):
        self.kept, self.waiting = [], {}

    def on_client_request(self, sender, m):
        self.kept = [*self.kept, m.command]
        self.waiting[m.command] = (sender, m.number, [self.id])
        self.broadcast(Keep(m.command))

    def on_keep(self, sender, m):
        self.kept = [*self.kept, m.command]
        self.send(sender, Kept(m.command))

    def on_kept(self, sender, m):
        client, number, holders = self.waiting.get(m.command, (None, 0, []))
        if client is not None and sender not in holders:
            holders.append(sender)
            if 2 * len(holders) > len(self.peers) + 1:
                self.send(client, ClientReply(number, True, m.command))

# %% name="keeper-mutant-silent" tags=["mutant"] property="Requests are answered"
class Keeper(Node):
    durable = {"kept": []}
    shows = ("kept",)

    def on_client_request(self, sender, m):
        self.kept = [*self.kept, m.command]

# %% name="keeper-check" tags=["check"] points=3 title="Keeps what it answers"
verify("keeper", Keeper, keeping, like=yes, cases=[PLAIN, CRASH], seeds=range(1, 4))

# %% name="keeper-hidden" tags=["hidden"] points=2 title="Keeps it in runs that you have not seen"
verify("keeper", Keeper, keeping, like=yes, seeds=[48213077, 90310264, 33719250])

# %% name="quorum-exercise" tags=["exercise"] points=3
def quorum(n):
    """How many of n servers must agree, so that two groups of that size always share a server."""
    ### BEGIN SOLUTION
    return n // 2 + 1
    ### END SOLUTION

# %% name="quorum-mutant-half" tags=["mutant"] property="One leader per term"
def quorum(n):
    return n // 2

# %% name="quorum-mutant-all" tags=["mutant"] property="Requests are answered"
def quorum(n):
    return n

# %% name="quorum-check" tags=["check"] points=2 title="Counts a quorum"
verify("quorum", quorum, raft_variants.counting, like=raft.cluster, cases=raft_cases.MAJORITY, minutes=2)

# %% name="quorum-hidden" tags=["hidden"] points=1 title="Counts it in runs that you have not seen"
verify("quorum", quorum, raft_variants.counting, like=raft.cluster, seeds=[70155283], minutes=2)
