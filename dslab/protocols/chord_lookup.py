"""How a Chord server finds the owner of a key: hop by hop, asking every server on the way itself.

Source: sections IV-D and VI-A of the paper that chord.py names (iterative lookups).
"""

from __future__ import annotations

from dslab.sim import message

from .chord_ring import Ring
from .identifiers import between, owned, way

PATIENCE = 100          # ms; an answer that is overdue for the second time will not come
SHOWN = 3               # lookups that a server shows
TRIES = 12              # servers that may be silent before a lookup is given up


@message
class FindSuccessor:
    """{source} asks {target} who owns {key}, or who is closer to it; not one of {avoid}."""

    number: int
    key: int
    avoid: list


@message
class SuccessorIs:
    """{source} says that {node} owns what lookup {number} looks for."""

    number: int
    node: str


@message
class AskNext:
    """{source} sends lookup {number} on to {node}, the closest that it knows before the key."""

    number: int
    node: str


class Router(Ring):
    """A server of the ring that can look up keys."""

    def reset(self):
        super().reset()
        self.numbers = 0                                 # of the newest lookup
        self.searches = {}                               # number -> lookup in progress
        self.lookups = {}                                # "number" -> what of it is shown

    def is_joining(self):
        return any(search["task"] == ["join"] for search in self.searches.values())

    # ---- what a server knows

    def find_closer(self, key, avoid):
        """(True, the owner) or (False, who is closer to it), as far as this server knows.

        Args:
            key: an identifier.
            avoid: names of those that do not answer.
        """
        if self.predecessor is not None and owned(key, self.position_of(self.predecessor), self.position, self.bits):
            return True, self.id
        successor = next((name for name in self.successors if name not in avoid), self.id)
        if owned(key, self.position, self.position_of(successor), self.bits):
            return True, successor
        closer = self.closest_preceding_node(key, avoid)
        return (True, successor) if closer == self.id else (False, closer)

    def closest_preceding_node(self, key, avoid=()):
        """The last server before a key that this one knows, in its fingers or its successor list."""
        best = self.id
        for _, name in reversed(self.fingers):
            if name is not None and name not in avoid and self.precedes(name, key):
                best = name
                break                                    # fingers stand in order: the first from behind is the last
        for name in self.successors:
            if name not in avoid and self.precedes(name, key) and (
                    best == self.id or way(self.position, self.position_of(name), self.bits)
                    > way(self.position, self.position_of(best), self.bits)):
                best = name
        return best

    def precedes(self, name, key):
        """Whether a server stands between this one and a key."""
        return between(self.position_of(name), self.position, key, self.bits)

    def on_find_successor(self, sender, m):
        if self.member:
            found, name = self.find_closer(m.key, m.avoid)
            self.send(sender, SuccessorIs(m.number, name) if found else AskNext(m.number, name))

    # ---- lookups of its own

    def find_successor(self, key, task, avoid=()):
        """Begins a lookup.

        Args:
            key: an identifier.
            task: what to do with the owner: a list whose first item names it, see `owner_found`.
            avoid: names of servers not to be asked.
        """
        self.numbers += 1
        self.searches[self.numbers] = {"key": key, "path": [self.id], "asking": [], "owner": None, "state": "going",
                                       "task": task, "avoid": list(avoid), "overdue": False}
        if task == ["join"]:
            self.ask(self.numbers, self.contact)         # by itself it knows nobody
        else:
            self.proceed(self.numbers, *self.find_closer(key, avoid))

    def ask(self, number, name):
        search = self.searches[number]
        self.expect(number, name)
        self.send(name, FindSuccessor(number, search["key"], search["avoid"]))

    def expect(self, number, name):
        """Notes who has to answer, and looks after a while whether it did."""
        search = self.searches[number]
        search["asking"], search["overdue"] = [name], False
        self.show(number)
        if not any(other["asking"] for n, other in self.searches.items() if n != number):
            self.set_timer("patience", after=PATIENCE)

    def proceed(self, number, found, name):
        """Goes on with what this server or another one has said."""
        search = self.searches[number]
        if found:
            search["owner"] = name
            self.owner_found(number, search["task"], name)
        elif name in search["path"]:                     # round in circles: somebody's tables are wrong
            self.finish(number, "failed")
        else:
            self.ask(number, name)

    def on_successor_is(self, sender, m):
        if self.answered(sender, m.number):
            self.proceed(m.number, True, m.node)

    def on_ask_next(self, sender, m):
        if self.answered(sender, m.number):
            self.proceed(m.number, False, m.node)

    def answered(self, sender, number):
        """Whether an answer is one that this server waits for."""
        search = self.searches.get(number)
        if search is None or search["asking"] != [sender]:
            return False
        search["asking"] = []
        if sender != search["owner"]:
            search["path"] = [*search["path"], sender]
        return True

    def on_patience_timeout(self):
        for number, search in list(self.searches.items()):
            if search["asking"] and search["overdue"]:
                self.give_up_on(number, search["asking"][0])
            else:
                search["overdue"] = True
        if any(search["asking"] for search in self.searches.values()):
            self.set_timer("patience", after=PATIENCE)

    def give_up_on(self, number, name):
        """Somebody on the way is silent: back to the one before, which shall name somebody else."""
        search = self.searches[number]
        search["avoid"] = [*search["avoid"], name]
        search["owner"] = None
        self.drop_finger(name)
        if len(search["avoid"]) > TRIES or not self.member and len(search["path"]) == 1:
            self.finish(number, "failed")
        elif len(search["path"]) == 1:
            self.proceed(number, *self.find_closer(search["key"], search["avoid"]))
        else:
            *search["path"], before = search["path"]
            self.ask(number, before)

    def owner_found(self, number, task, owner):
        """What a lookup was made for: "join", "finger" or, in chord.py, what a client wants."""
        if task[0] == "join":
            self.found_entrance(owner)
        elif task[0] == "finger":
            self.set_finger(task[1], owner)
        self.finish(number, "found")

    def finish(self, number, state):
        search = self.searches[number]
        search["asking"], search["state"] = [], state
        self.show(number)
        del self.searches[number]

    def show(self, number):
        search = self.searches[number]
        if search["task"][0] != "finger":                # repairs would crowd out what somebody asked for
            shown = {**self.lookups, str(number): {name: search[name] for name in
                                                   ("key", "path", "asking", "owner", "state")}}
            self.lookups = dict(list(shown.items())[-SHOWN:])

    # ---- fingers

    def on_fix_fingers_timeout(self):
        """Refreshes fingers in turn, up to the first for which another server must be asked."""
        self.again("fix_fingers")
        if not self.member or any(search["task"][0] == "finger" for search in self.searches.values()):
            return
        for _ in self.fingers:
            number, self.next_finger = self.next_finger, (self.next_finger + 1) % self.bits
            start = self.fingers[number][0]
            found, name = self.find_closer(start, ())
            if not found:
                self.find_successor(start, ["finger", number])
                return
            self.set_finger(number, name)
