"""A real etcd cluster on this machine: started, killed and measured.

Source: etcd 3.4 or newer, etcd.io; it runs Raft as in D. Ongaro, J. Ousterhout, "In Search of an Understandable
Consensus Algorithm", with ticks of one heartbeat and election timeouts of T to 2T. It is spoken to over its own
HTTP/JSON gateway.
"""

from __future__ import annotations

import base64
import http.client
import json
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from dslab.live.downtime import TRIALS, Downtimes, predicted
from dslab.live.keeper import Keeper, ServiceError
from dslab.sim import System

HEARTBEAT, ELECTION_TIMEOUT = 100, 1000     # ms; etcd's own defaults
START_SECONDS = 60                          # a busy machine may need so long until a leader is there
PLACES = "/usr/bin:/usr/sbin:/usr/local/bin:/opt/homebrew/bin"
GET = "get it: etcd.io; Debian and Ubuntu: `apt-get install etcd-server`"


class NoAnswerError(ServiceError):
    """A member did not answer in time, or not as it should."""


class Found(NamedTuple):
    """What the probe found: the program and its version, or why not."""

    path: str | None
    version: str = ""
    why_not: str = ""


def probe() -> Found:
    """Looks for etcd on this machine; imports and starts nothing but `etcd --version`."""
    path = shutil.which("etcd") or shutil.which("etcd", path=PLACES)
    if path is None:
        return Found(None, why_not=f"etcd is not installed; {GET}")
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60,
                                env=_environment(), stdin=subprocess.DEVNULL)  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return Found(None, why_not=f"{path} does not start; {GET}")
    version = answer.stdout.partition("etcd Version: ")[2].split("\n")[0]
    return Found(path, version) if version else Found(None, why_not=f"{path} is not etcd 3.4 or newer; {GET}")


def _environment() -> dict[str, str]:
    """etcd 3.4 refuses to run on 64-bit ARM unless told that this is known."""
    return {"ETCD_UNSUPPORTED_ARCH": "arm64"} if platform.machine() in ("aarch64", "arm64") else {}


class Cluster:
    """Members m1, m2, ... of an etcd cluster; made by `etcd`.

    Attributes:
        members: their names.
        heartbeat, election_timeout: ms.
        version: of etcd.
    """

    def __init__(self, keeper: Keeper, found: Found, nodes: int, heartbeat: int, election_timeout: int) -> None:
        self.members = [f"m{i}" for i in range(1, nodes + 1)]
        self.heartbeat, self.election_timeout, self.version = heartbeat, election_timeout, found.version
        self._keeper = keeper
        self._reserved = [_reserve() for _ in range(2 * nodes)]
        ports = [sock.getsockname()[1] for sock in self._reserved]
        if sys.platform != "linux":                      # only there a bound socket leaves the port to a listening one
            self._let_go()
        self._ports = dict(zip(self.members, ports))
        peers = {name: f"http://127.0.0.1:{port}" for name, port in zip(self.members, ports[nodes:])}
        self._commands = {name: [
            str(found.path), "--name", name, "--data-dir", str(keeper.folder / name),
            "--listen-client-urls", self._url(name), "--advertise-client-urls", self._url(name),
            "--listen-peer-urls", peers[name], "--initial-advertise-peer-urls", peers[name],
            "--initial-cluster", ",".join(f"{n}={url}" for n, url in peers.items()),
            "--initial-cluster-token", keeper.folder.name, "--heartbeat-interval", str(heartbeat),
            "--election-timeout", str(election_timeout)] for name in self.members}  # fmt: skip
        self.up: dict[str, bool] = {}
        self._ids: dict[str, str] = {}                   # a member's number in the cluster -> its name

    def _url(self, member: str) -> str:
        return f"http://127.0.0.1:{self._ports[member]}"

    def _let_go(self) -> None:
        for sock in self._reserved:
            sock.close()

    # ---- what a client does

    def put(self, key: str, value: str, member: str | None = None, seconds: float = 5) -> None:
        """Writes a value; returns when a majority has it.

        Args:
            key, value: text.
            member: which to ask; None asks the first one that is up.
            seconds: how long to wait for the answer.

        Raises:
            NoAnswerError: no answer; the write may have happened or not.
        """
        self._ask("/v3/kv/put", {"key": _base64(key), "value": _base64(value)}, member, seconds)

    def get(self, key: str, member: str | None = None, seconds: float = 5) -> str | None:
        """Reads a value, linearizably: the member asks the leader, which asks a majority.

        Raises:
            NoAnswerError: no answer.
        """
        found = self._ask("/v3/kv/range", {"key": _base64(key)}, member, seconds).get("kvs")
        return base64.b64decode(found[0].get("value", "")).decode() if found else None

    def status(self, seconds: float = 5) -> dict[str, dict[str, Any]]:
        """What each member knows: {member: {"role", "leader", "term", "index"}}; a dead one has the role "down"."""
        said: dict[str, dict[str, Any]] = {}
        for member in self.members:
            said[member] = {"role": "down", "leader": None, "term": None, "index": None}
            if self.up.get(member):
                with suppress(NoAnswerError):
                    answer = self._ask("/v3/maintenance/status", {}, member, seconds)
                    self._ids[answer["header"]["member_id"]] = member
                    said[member] = {"role": "follower", "leader": answer.get("leader"),
                                    "term": int(answer["raftTerm"]), "index": int(answer["raftIndex"])}  # fmt: skip
        for member, about in said.items():
            about["leader"] = self._ids.get(about["leader"])
            if about["leader"] == member:
                about["role"] = "leader"
        return said

    def leader(self, seconds: float = START_SECONDS) -> str:
        """The member that leads, once all that are up say the same.

        Raises:
            ServiceError: they did not agree in time, or one has ended.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            said = [about["leader"] for name, about in self.status().items() if self.up.get(name)]
            if said[0] is not None and self.up.get(said[0]) and len(set(said)) == 1:
                return str(said[0])
            self._look_for_the_dead()
            time.sleep(0.02)                             # members tell nobody unasked
        raise ServiceError(f"the members have no leader after {seconds:g} s; m1 printed last: "
                           f"{self._keeper.output('m1')[-200:]!r}")

    def _look_for_the_dead(self) -> None:
        for member, up in self.up.items():
            if up and not self._keeper.alive(member):
                self.up[member] = False
                raise ServiceError(f"{member} has ended by itself; it printed last: "
                                   f"{self._keeper.output(member)[-300:]!r}")

    def _ask(self, path: str, body: dict[str, Any], member: str | None, seconds: float) -> dict[str, Any]:
        name = member or next((m for m in self.members if self.up.get(m)), self.members[0])
        if name not in self._ports:
            raise ServiceError(f"there is no member {name!r}; the members are {', '.join(self.members)}")
        connection = http.client.HTTPConnection("127.0.0.1", self._ports[name], timeout=seconds)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswerError(f"{name} does not answer: {type(error).__name__}") from None
        finally:
            connection.close()
        if answer.status != 200:
            raise NoAnswerError(f"{name} says: {said.get('message') or said.get('error')}")
        return dict(said)

    # ---- what happens to processes

    def start(self, member: str) -> None:
        """Starts a member on the disk that it has."""
        self._keeper.start(member, self._commands[member], _environment())
        self.up[member] = True

    def crash(self, member: str) -> None:
        """SIGKILL."""
        self._keeper.signal(member, signal.SIGKILL)
        self.up[member] = False

    def restart(self, member: str) -> None:
        """Starts a killed member again; returns when it follows a leader."""
        self.start(member)
        self.leader()

    def pause(self, member: str) -> None:
        """SIGSTOP: it keeps its connections and answers nobody."""
        self._keeper.signal(member, signal.SIGSTOP)

    def resume(self, member: str) -> None:
        """SIGCONT."""
        self._keeper.signal(member, signal.SIGCONT)

    def downtime(self) -> tuple[float, float]:
        """Kills the leader and measures how long nobody replaces it; starts it again afterwards.

        Returns:
            ms from the kill until a survivor names a new leader, and until a survivor has accepted a write.
        """
        old = self.leader()
        survivor = next(m for m in self.members if m != old and self.up.get(m))
        begin = time.monotonic()
        self.crash(old)
        elected = None
        while elected is None:
            about = self.status(seconds=1)[survivor]
            if about["leader"] not in (None, old):
                elected = time.monotonic()
            elif time.monotonic() > begin + START_SECONDS:
                raise ServiceError(f"no new leader {START_SECONDS} s after {old} was killed")
            else:
                time.sleep(0.002)
        for attempt in range(100):
            with suppress(NoAnswerError):
                self.put("downtime", str(attempt), survivor, seconds=1)
                break
        written = time.monotonic()
        self.restart(old)
        return 1000 * (elected - begin), 1000 * (written - begin)

    def __repr__(self) -> str:
        up = ", ".join(f"{m} {'up' if self.up.get(m) else 'down'}" for m in self.members)
        return f"<etcd {self.version}: {up}>"


@contextmanager
def etcd(nodes: int = 3, *, heartbeat: int = HEARTBEAT, election_timeout: int = ELECTION_TIMEOUT) -> Iterator[Cluster]:
    """A real etcd cluster, for the length of a `with` statement.

    Args:
        nodes: how many members, 1 to 9.
        heartbeat, election_timeout: ms; etcd wants the second to be at least five times the first.

    Raises:
        ServiceError: etcd is not installed (the sentence says how to get it) or does not start.
    """
    if not isinstance(nodes, int) or not 1 <= nodes <= 9:
        raise ServiceError(f"an etcd cluster here has 1 to 9 members, not {nodes!r}")
    found = probe()
    if found.path is None:
        raise ServiceError(found.why_not)
    keeper = Keeper()
    cluster = None
    try:
        cluster = Cluster(keeper, found, nodes, heartbeat, election_timeout)
        for member in cluster.members:
            cluster.start(member)
        cluster.leader()
        yield cluster
    finally:
        keeper.stop()
        if cluster is not None:
            cluster._let_go()


def compare_downtime(system: System, *, kills: int = 5, trials: int = TRIALS, seed: int = 1) -> Downtimes:
    """Kills the leader of a real etcd cluster again and again, and predicts the same with the simulator's Raft.

    Args:
        system: of the simulator, such as raft.cluster(3, heartbeat=100, election_timeout=(1000, 2000)); etcd gets as
            many members, the same heartbeat and the same shortest election timeout, which it draws up to twice as long.
        kills: of etcd's leader. trials: simulated kills.
        seed: of the simulated ones.

    Returns:
        The times without a leader side by side. Where etcd is not installed only the simulator's, with a note that says
        how to get it.
    """
    times = {"simulator": predicted(system, trials=trials, seed=seed)}
    found = probe()
    if found.path is None:
        return Downtimes(times, f"Nothing was measured: {found.why_not}.")
    server = system.classes[system.servers[0]]
    timing = {name: system.options.get(name, getattr(server, name)) for name in ("heartbeat", "election_timeout")}
    heartbeat, (timeout, _) = round(timing["heartbeat"]), map(round, timing["election_timeout"])
    with etcd(len(system.servers), heartbeat=heartbeat, election_timeout=timeout) as cluster:
        real = [cluster.downtime()[0] for _ in range(kills)]
    return Downtimes({f"etcd {found.version}": real, **times},
                     f"etcd: real processes, from SIGKILL until a survivor names a new leader; heartbeat {heartbeat} "
                     f"ms, election timeout {timeout} to {2 * timeout} ms. It counts in steps of one heartbeat.")


def _reserve() -> socket.socket:
    """A port that no one else gets while the socket is open: it is bound and does not listen."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    return sock


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
