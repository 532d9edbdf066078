"""The words for rings of keys: who is asked next and what is left, who stands beside whom, which keys move."""

from __future__ import annotations

import math
from typing import Any

from dslab.sim import Event

from .scene import NodeScene, Reading
from .teller import Teller
from .words import Said, say

HEX_FROM_BITS = 24


class Rings(Teller):
    """Tells changes of `lookups` {number: {"key", "path", "asking", "owner", "state"}}, `keys`, `successors`,
    `predecessor`, `fingers` [[start, node], ...] and `buckets` {prefix length: nodes} of nodes that show `bits`.
    """

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self.held: dict[int, str] = {}      # key -> who showed it last

    def _ring(self, event: Event, node: NodeScene, old: dict[str, Any], changed: list[str]) -> Said | None:
        if bits_of(node.fields) is None:
            return None
        tellers = {
            "lookups": self._lookup,
            "keys": self._keys,
            "successors": self._successors,
            "predecessor": self._predecessor,
            "buckets": self._buckets,
            "fingers": self._fingers,
        }
        for field, tell in tellers.items():
            if field in changed and (told := tell(event, node, old)):
                return told
        return None

    def _lookup(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        before, now = lookups_of(old), lookups_of(node.fields)
        fresh = [number for number in now if now[number] != before.get(number)]
        if not fresh:
            return None
        number = fresh[-1]
        lookup, was = now[number], before.get(number, {})
        key, me, xor = key_text(lookup["key"], node.fields), node.id, node.fields.get("metric") == "xor"
        if lookup.get("state") == "failed":
            return say(f"{me} gives up on key {key}", "Nobody that it can reach leads on to the owner.")
        owner = lookup.get("owner")
        if isinstance(owner, str) and owner != was.get("owner"):
            hops = len(_names(lookup, "path")) - 1 + (owner not in _names(lookup, "path"))
            members = sum(bits_of(self.scene.nodes[n].fields) is not None for n in self.scene.servers)
            if owner == me:
                why = "Nobody stands nearer to it." if xor else "The key lies between its predecessor and itself."
                return say(f"{me} owns key {key} itself", why)
            word = ("query", "queries") if xor else ("hop", "hops")
            how = f"{hops} {word[hops != 1]}; log2 of {members} nodes is {math.log2(max(1, members)):.1f}."
            return say(f"Key {key} is found: {owner} owns it", f"{self._named(event, lookup, me)} It took {how}")
        asked = [n for n in _names(lookup, "asking") if n not in _names(was, "asking")]
        waited = [*_names(was, "path"), *_names(was, "asking")]
        asked = asked or [n for n in _names(lookup, "path")[1:] if n not in waited]
        if not asked:
            teller = self._teller(event, lookup, me)
            if teller and xor and lookup.get("state") != "found":
                return say(f"{teller} answers {me} about key {key}", "It names nobody who is nearer and not asked yet.")
            gone = [n for n in _names(was, "asking") if n not in _names(lookup, "asking")]
            return say(f"{gone[0]} has not answered {me}", "So it asks others.") if gone and not event.message else None
        again = asked[0] in _names(was, "path")
        others = f"{asked[0]} and {len(asked) - 1} more" if len(asked) > 2 else " and ".join(asked)
        headline = f"{me} asks {others} for key {key}"
        if again:
            return say(headline, "It asks again, for another node than the one that keeps silent.")
        return say(headline, self._left(event, node, lookup, asked))

    def _teller(self, event: Event, lookup: dict[str, Any], me: str) -> str | None:
        """Who has just told where to go on: somebody on the path of this lookup, not itself."""
        sender = self._sender(event)
        return sender if sender != me and sender in [*_names(lookup, "path"), *_names(lookup, "asking")] else None

    def _named(self, event: Event, lookup: dict[str, Any], me: str) -> str:
        teller = self._teller(event, lookup, me)
        return f"{teller} named it." if teller else f"{me} knows it itself."

    def _left(self, event: Event, node: NodeScene, lookup: dict[str, Any], asked: list[str]) -> Any:
        """How far from the key the nearest of those is that are asked, and how far it was before."""
        sender = self._teller(event, lookup, node.id)
        named = f"{sender} named {'them' if len(asked) > 1 else 'it'}: " if sender else "By its own table: "
        far = [d for d in (self._far(n, lookup["key"]) for n in asked) if d is not None]
        before = self._far(sender or node.id, lookup["key"])
        if not far or before is None:
            return "It goes by its own table." if not sender else f"{sender} named it."
        left, was = distance_text(min(far)), distance_text(before)
        if min(far) >= before and sender:
            return (f"{named}{left} are left to the key, no fewer than before.", f"{left} are left, no fewer.")
        return (f"{named}{left} are left to the key, {was} from {sender or node.id}.", f"{left} are left, of {was}.")

    def _far(self, name: str, key: int) -> int | None:
        scene = self.scene.nodes.get(name)
        found = [] if scene is None else [distance(at, key, scene.fields) for at in positions_of(scene.fields)]
        return min(found, default=None)

    def _keys(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        before, now = _numbers(old.get("keys")), _numbers(node.fields.get("keys"))
        new = [key for key in now if key not in set(before)]
        lost = [key for key in before if key not in set(now)]
        me, source = node.id, self._holder(new[0], node.id) if new else None
        self.held.update(dict.fromkeys([*now, *lost], me))
        shown = (key for n in self.scene.servers for key in _numbers(self.scene.nodes[n].fields.get("keys")))
        total = len({*shown, *self.held})
        share = f"{100 * len(new or lost) / max(1, total):.0f} % of all {total}"
        if new:
            what = f"key {key_text(new[0], node.fields)}" if len(new) == 1 else f"{len(new)} keys"
            fair = f"; 1/n is {100 / max(1, len(self._members())):.0f} %"
            if source and new[0] in _numbers(self.scene.nodes[source].fields.get("keys")) and (
                    self.scene.nodes[source].status == "up"):
                return say(f"{me} gets a copy of {what}", f"{source} has {'it' if len(new) == 1 else 'them'} too.")
            if source:
                moved = f"{'It is' if len(new) == 1 else 'They are'} {share}{fair}."
                does = "moves" if len(new) == 1 else "move"
                return say(f"{what[0].upper()}{what[1:]} {does} from {source} to {me}", moved)
            return say(f"{me} keeps {what}", f"It now has {len(now)} of {total}{fair}.")
        if lost:
            what = f"key {key_text(lost[0], node.fields)}" if len(lost) == 1 else f"{len(lost)} keys"
            return say(f"{me} no longer owns {what}", f"Now {len(now)} of {total} are left there.")
        return None

    def _holder(self, key: int, me: str) -> str | None:
        """Another node that had a key."""
        last = self.held.get(key)
        if last is None:
            others = (n for n, fields in self.before.items() if key in _numbers(fields.get("keys")))
            last = next(others, None)
        return last if last != me else None

    def _members(self) -> list[str]:
        return [n for n in self.scene.servers if self.scene.nodes[n].status == "up"
                and bits_of(self.scene.nodes[n].fields) is not None]

    def _successors(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        was, now = _strings(old.get("successors")), _strings(node.fields.get("successors"))
        if not now:
            return say(f"{node.id} knows no successor any more", "By itself it cannot find back into the ring.")
        if was[:1] == now[:1]:
            if was == now:
                return None
            return say(f"{node.id} renews its list of successors", f"After {now[0]}: {self._listed(now[1:])}.")
        if not was:
            return say(f"{node.id} has found its place: before {now[0]}", "It has a successor, and so is in the ring.")
        status = self.scene.nodes[was[0]].status if was[0] in self.scene.nodes else "gone"
        why = {
            "crashed": f"{was[0]} is down; the next one of its list takes its place.",
            "absent": f"{was[0]} has left.",
        }.get(status, f"It stands nearer than {was[0]}, its successor so far." if self._nearer(node, now[0], was[0])
              else f"It takes it for the next one, instead of {was[0]}.")
        return say(f"{node.id}'s successor is now {now[0]}", why)

    def _nearer(self, node: NodeScene, one: str, other: str) -> bool:
        here = positions_of(node.fields)
        places = [positions_of(self.scene.nodes[n].fields) if n in self.scene.nodes else [] for n in (one, other)]
        if not here or not all(places):
            return False
        return distance(here[0], places[0][0], node.fields) < distance(here[0], places[1][0], node.fields)

    def _listed(self, names: list[str]) -> str:
        return ", ".join(names[:4]) + (" and more" if len(names) > 4 else "") if names else "nobody"

    def _predecessor(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        was, now = old.get("predecessor"), node.fields.get("predecessor")
        if isinstance(now, str):
            owns = "It owns the keys after that one's place, up to its own."
            return say(f"{node.id}'s predecessor is now {now}", owns)
        if isinstance(was, str):
            return say(f"{node.id} drops its predecessor {was}", "It does not answer; somebody will come in its place.")
        return None

    def _fingers(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        was, now = _pairs(old.get("fingers")), _pairs(node.fields.get("fingers"))
        new = [i for i, pair in enumerate(now) if i >= len(was) or pair != was[i]]
        if not new:
            return None
        start, name = now[new[-1]]
        if name is None:
            return say(f"{node.id} drops a finger", "The node that it pointed to does not answer.")
        what = f"finger {new[-1] + 1}"
        if len(new) > 1:
            together = new[-1] - new[0] + 1 == len(new)
            what = f"fingers {new[0] + 1} to {new[-1] + 1}" if together else f"{len(new)} fingers"
        where = key_text(start, node.fields) if isinstance(start, int) else "its start"
        return say((f"{node.id} points {what} at {name}", f"{node.id} repairs {what}"),
                   f"It is the first node at or after {where}.")

    def _buckets(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        was, now = _buckets_of(old), _buckets_of(node.fields)
        for shared, names in now.items():
            new = [n for n in names if n not in was.get(shared, [])]
            if new:
                alike = f"{shared} leading bit{'s' * (shared != '1')}"
                return say(f"{node.id} puts {new[0]} into bucket {shared}", f"Their keys share {alike}.")
            gone = [n for n in was.get(shared, []) if n not in names]
            if gone:
                return say(f"{node.id} drops {gone[0]} from bucket {shared}", "It has not answered.")
        return None


def bits_of(fields: dict[str, Any]) -> int | None:
    """How many bits a key has, where a node shows that and its place."""
    bits = fields.get("bits")
    fits = isinstance(bits, int) and not isinstance(bits, bool) and 0 < bits <= 512
    return bits if fits and positions_of(fields) else None


def positions_of(fields: dict[str, Any]) -> list[int]:
    """Where a node stands on the ring: its tokens, or its position."""
    tokens = _numbers(fields.get("tokens"))
    return tokens or _numbers([fields.get("position")])


def distance(start: int, key: int, fields: dict[str, Any]) -> int:
    """How far it is from a place to a key: clockwise, or the exclusive or of both."""
    return start ^ key if fields.get("metric") == "xor" else (key - start) % (1 << (bits_of(fields) or 1))


def key_text(key: Any, fields: dict[str, Any]) -> str:
    """A key as it is while it is short, else its first digits in base 16."""
    bits = bits_of(fields) or 0
    return str(key) if bits <= HEX_FROM_BITS else f"{key:0{-(-bits // 4)}x}"[:6] + "…"


def distance_text(value: int) -> str:
    """A distance, exact while it is short, else the power of two below it."""
    return str(value) if value < 10**6 else f"2^{value.bit_length() - 1}"


def lookups_of(fields: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The lookups that a node shows; those of another shape are left out."""
    shown = fields.get("lookups")
    found = shown.items() if isinstance(shown, dict) else ()
    return {str(n): item for n, item in found if isinstance(item, dict) and _numbers([item.get("key")])}


def _names(lookup: dict[str, Any], field: str) -> list[str]:
    return _strings(lookup.get(field))


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _numbers(value: Any) -> list[int]:
    found = value if isinstance(value, list) else []
    return [item for item in found if isinstance(item, int) and not isinstance(item, bool) and item >= 0]


def _pairs(value: Any) -> list[list[Any]]:
    return [item for item in value if isinstance(item, list) and len(item) == 2] if isinstance(value, list) else []


def _buckets_of(fields: dict[str, Any]) -> dict[str, list[str]]:
    shown = fields.get("buckets")
    return {str(n): _strings(names) for n, names in shown.items()} if isinstance(shown, dict) else {}
