"""Raft with membership changes by joint consensus: the cluster goes on serving while its servers are replaced.

Source: Ongaro, Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014, extended version,
section 6; for the last of its three problems (removed servers), the dissertation's section 4.2.3. A client changes the
membership with a command such as "members=n1 n2 n3". All servers of the simulation know the first configuration; who is
not in it waits. A server that is taken in again after it was removed may bring a newer term, for which the leader steps
down; pre-votes prevent this (Whole).
"""

from __future__ import annotations

from dslab.sim import ClientReply

from . import raft, raft_prevote, raft_reads, raft_snapshots
from .raft_configuration import Configuration, changes_to, enter_joint, joint_commit, joint_vote, leave_joint
from .raft_properties import ALWAYS, SERVICE


class Server(raft_reads.Opening, raft_prevote.Attentive):
    """A Raft server whose cluster may change (section 6)."""

    shows = (*raft.Server.shows, "configuration")
    members = ()                 # of the first configuration; all servers if empty

    def on_start(self):
        # the newest configuration applied, and the newest in the log, which counts from when it is appended
        self.settled = self.configuration = Configuration(self.members or self.everybody)
        self.asked_by = (None, 0)                        # client and number of the change that it belongs to
        self.joining = ()                                # new servers that the leader brings up to date first
        super().on_start()
        self.reconfigure()

    # ---- the configuration in force

    @property
    def peers(self):
        """Who gets the log from this server: the other members, and those who join."""
        receivers = dict.fromkeys([*self.configuration.servers, *self.joining])
        return tuple(server for server in receivers if server != self.id)

    @property
    def everybody(self):
        """All servers of the simulation."""
        return tuple(sorted([self.id, *super().peers]))

    def newest(self):
        """A server uses the newest configuration in its log, whether committed or not."""
        return [self.settled, *self.unsettled()][-1]

    def reconfigure(self):
        self.configuration = self.newest()
        if self.role == "leader":
            self.next_index = {peer: self.next_index.get(peer, self.last_index + 1) for peer in self.peers}
            self.match_index = {peer: self.match_index.get(peer, 0) for peer in self.peers}

    def unsettled(self):
        """The configurations in the log that are not applied yet."""
        return [e.command for e in self.after(self.last_applied) if isinstance(e.command, Configuration)]

    def append(self, m):
        super().append(m)
        self.reconfigure()

    def is_voter(self):
        return self.id in self.configuration.voters or self.id in self.configuration.outgoing

    # ---- majorities of old and new

    def is_quorum(self, servers):
        return joint_vote(self.configuration, dict.fromkeys(servers, True)) == "won"

    def count_votes(self):
        if self.is_quorum([voter for voter, granted in self.votes.items() if granted]):
            self.become_leader()

    def committable(self):
        index = joint_commit(self.configuration, {self.id: self.last_index, **self.match_index})
        return index if self.term_at(index) == self.term else self.commit_index

    # ---- changing it

    def on_client_request(self, sender, m):
        key, _, names = str(m.command).partition("=")
        wanted = [name for name in names.split() if key == "members" and name in self.everybody]
        if not wanted or self.role != "leader" or m.number == self.sessions.get(sender, (0, None))[0]:
            return super().on_client_request(sender, m)
        if self.unsettled() or self.settled.joint or self.term_at(self.commit_index) != self.term:
            return                                       # one change at a time; the client asks again
        if sorted(wanted) == sorted(self.configuration.voters):
            return self.propose(self.configuration, sender, m.number)
        self.change = (changes_to(self.configuration, wanted), sender, m.number)
        self.joining = tuple(server for server in wanted if server not in self.configuration.servers)
        self.reconfigure()
        for peer in self.joining:
            self.replicate(peer)
        self.join()

    def on_appended(self, sender, m):
        if sender in self.match_index or m.term > self.term:         # not from who has been removed meanwhile
            super().on_appended(sender, m)
            self.join()

    def join(self):
        """Starts the change once the new servers hold what is committed: C_old,new must not wait for them long."""
        if self.role != "leader" or self.change is None:
            return
        if all(self.match_index[peer] >= self.commit_index for peer in self.joining):
            changes, client, number = self.change
            self.change, self.joining = None, ()
            self.propose(enter_joint(self.configuration, changes), client, number)

    def propose(self, configuration, client=None, number=0):
        """Appends a configuration, which is in force from here on."""
        self.log.append(raft.Entry(self.term, configuration, client, number))
        self.reconfigure()
        for peer in self.peers:
            self.replicate(peer)
        self.commit_up_to(self.committable())

    def become_leader(self):
        self.change, self.joining = None, ()
        self.reconfigure()
        super().become_leader()

    def apply(self, entry):
        if not isinstance(entry.command, Configuration):
            return super().apply(entry)
        self.settled, self.asked_by = entry.command, (entry.client, entry.number)
        if entry.client is not None and not entry.command.joint:
            self.sessions[entry.client] = (entry.number, entry.command.voters)
            if self.role == "leader":
                self.send(entry.client, ClientReply(entry.number, True, entry.command.voters))

    def commit_up_to(self, index):
        super().commit_up_to(index)
        if self.role != "leader" or self.unsettled():
            return
        if self.settled.joint and self.settled.auto_leave:           # perhaps begun by a leader before
            self.propose(leave_joint(self.settled), *self.asked_by)
        elif not self.is_voter():
            self.step_down()                             # it has led the change that removed it to the end

    def step_down(self):
        self.role, self.leader = "follower", None
        self.next_index, self.match_index = {}, {}
        self.cancel_timer("heartbeat")
        self.reset_election_timer()

    # ---- who is not, or no longer, a member

    def on_election_timeout(self):
        if self.is_voter():
            super().on_election_timeout()
        else:
            self.reset_election_timer()

    def on_request_vote(self, sender, m):
        """While there is a leader, requests are disregarded: they come from servers that were removed (4.2.3)."""
        if not self.hears_leader():
            super().on_request_vote(sender, m)


class Compacting(Server, raft_snapshots.Server):
    """Both extensions: a snapshot also holds the configuration that was in force where it ends (section 7)."""

    shows = (*Server.shows, "snapshot_index")
    captures = (*raft_snapshots.Server.captures, "settled", "asked_by")

    def on_install_snapshot(self, sender, m):
        super().on_install_snapshot(sender, m)
        if m.term == self.term:
            self.hear()
        self.reconfigure()


class Whole(raft_prevote.Server, Compacting, raft_reads.Server):
    """All extensions at once: membership, snapshots, pre-votes, and reads that bypass the log.

    With pre-votes, a server that was removed does not raise its term, so it disturbs nobody when it is taken in again.
    """

    shows = (*Compacting.shows, "reads", "served")


def cluster(nodes=5, *, server=Server, members=3, **options):
    """A cluster that can change its membership.

    Args:
        nodes, options: as for raft.cluster.
        members: how many of the servers, the first ones, belong to the first configuration; at most all.
        server: the class to run, Server or a variant of it.
    """
    first = tuple(f"n{i}" for i in range(1, min(nodes, members) + 1))
    options = {**options, "members": first}
    system = raft_snapshots.extended("raft_membership", nodes, server, Server, options, (*ALWAYS, *SERVICE))
    return system.replace(code=system.code.replace(f"members={first!r}", f"members={members}"))
