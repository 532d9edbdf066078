"""The words for replicas with versions: whom a read or a write asks, when enough have answered, what is repaired."""

from __future__ import annotations

from typing import Any

from dslab.sim import Event

from .scene import NodeScene
from .teller import Teller
from .words import Said, listed, number_word, plain_value, say, shorten


class Quorums(Teller):
    """Tells changes of `versions` {key: [version, value]}, `siblings` {key: [[version, value], ...]}, `hints` {home:
    {key: ...}}, and of `reads` and `writes` {name: {"key", "version", "value", "asked", "answers", "acks", "need",
    "state", "repairs"}}; a version is [counter, writer] or a vector {node: counter}.
    """

    def _quorum(self, event: Event, node: NodeScene, old: dict[str, Any], changed: list[str]) -> Said | None:
        for name in ("reads", "writes"):
            if name in changed and (told := self._request(event, node, old, name)):
                return told
        for name, tell in (("siblings", self._siblings), ("versions", self._stores), ("hints", self._hints)):
            if name in changed and (told := tell(event, node, old)):
                return told
        return None

    # ---- reads and writes, at whoever asks for a client

    def _request(self, event: Event, node: NodeScene, old: dict[str, Any], name: str) -> Said | None:
        now, before = _records(node.fields.get(name)), _records(old.get(name))
        new = [which for which in now if now[which] != before.get(which)]
        if not new:
            return None
        call, was = now[new[-1]], before.get(new[-1], {})
        tell = self._read if name == "reads" else self._write
        if told := tell(event, node.id, call, was):
            return told
        added = [other for other in _names(call.get("asked")) if other not in _names(was.get("asked"))]
        if was and added:
            return say(f"{node.id} asks {listed(added)}, too", "Who was asked first has not answered in time.")
        if event.kind == "timer":
            return say(
                f"{node.id} asks again for {_short(call.get('key'))}", "Whoever has not answered is asked once more."
            )
        return None

    def _read(self, event: Event, me: str, call: dict[str, Any], was: dict[str, Any]) -> Said | None:
        key, answers = _short(call.get("key")), _table(call.get("answers"))
        need, value = call.get("need"), _held(call.get("value"))
        repairs = [name for name in _names(call.get("repairs")) if name not in _names(was.get("repairs"))]
        if call.get("state") != was.get("state") and call.get("state") == "done":
            newest = f"The newest of {_count(answers, 'answer')}: version {version_words(call.get('version'))}"
            reason = (f"{newest}; {listed(repairs)} gets it, too.", f"{newest}.") if repairs else f"{newest}."
            if call.get("value") in (None, []):
                return say(
                    f"{me} finds nothing for {key}", f"{_count(answers, 'replica').capitalize()} had nothing to tell."
                )
            if value.endswith("siblings"):
                reason = ("Neither has seen the other: it is for the client to bring them together.",)
            return say((f"{me} reads {value} for {key}", f"{me} has read {key}"), reason)
        if call.get("state") != was.get("state") and call.get("state") == "failed":
            return say(f"{me} gives up reading {key}", f"Only {_of(answers, need)} answered in time.")
        if repairs:
            return say(
                f"{me} repairs {listed(repairs)}", f"It answered with an older version of {key}, and gets {value}."
            )
        if not was:
            return say(f"{me} asks {number_word(len(_names(call.get('asked'))))} replicas for {key}", _waits(need))
        heard = [name for name in answers if name not in _table(was.get("answers"))]
        if heard:
            version, held = _pair(answers[heard[-1]])
            return say(
                (f"{heard[-1]} answers {me}: {_held(held)}", f"{heard[-1]} answers {me}"),
                f"Version {version_words(version)}. {_have(answers, call, 'answered')}",
            )
        if call.get("acks") != was.get("acks"):
            return say(
                f"{self._sender(event) or 'A replica'} has stored what {me} sent it", f"It holds `{key}={value}` now."
            )
        return None

    def _write(self, event: Event, me: str, call: dict[str, Any], was: dict[str, Any]) -> Said | None:
        key, value, need = _short(call.get("key")), _short(call.get("value")), call.get("need")
        what, acks = f"`{key}={value}`", _names(call.get("acks"))
        asked = _names(call.get("asked"))
        if call.get("state") != was.get("state") and call.get("state") == "done":
            rest = [name for name in asked if name not in acks]
            still = f"; {listed(rest)} may have an older one" if rest else ""
            return say(
                f"{what} is written, {me} knows",
                (f"{number_word(len(acks)).capitalize()} have stored it{still}.", "Enough have stored it."),
            )
        if call.get("state") != was.get("state") and call.get("state") == "failed":
            return say(f"{me} gives up writing {what}", f"Only {_of(acks, need)} stored it in time; those keep it.")
        if call.get("version") is not None and was.get("version") is None:
            must = f"; {number_word(need)} must store it" if isinstance(need, int) else ""
            newer = "It has seen all that its client had seen."
            if not isinstance(call["version"], dict):
                newer = "Newer than all it has heard of."
            return say(
                (f"{me} gives {what} version {version_words(call['version'])}", f"{me} gives {what} a version"),
                (f"{newer} {number_word(len(asked)).capitalize()} replicas get it{must}.", newer),
            )
        if not was:
            return say(
                f"{me} takes on the write {what}", "It asks first which versions there are: its own must be newer."
            )
        stored = [name for name in acks if name not in _names(was.get("acks"))]
        if stored:
            return say(f"{stored[-1]} has stored {what}, {me} hears", _have(acks, call, "stored it"))
        answers = _table(call.get("answers"))
        heard = [name for name in answers if name not in _table(was.get("answers"))]
        if heard and was.get("version") is None:
            version, _ = _pair(answers[heard[-1]])
            return say(
                f"{heard[-1]} tells {me} its version of {key}",
                f"It is {version_words(version)}; the new one must be above all that are told.",
            )
        if heard:
            return say(
                f"{heard[-1]} tells {me} its version late",
                "Enough had told it before, so the write has its version already.",
            )
        return None

    # ---- what replicas hold

    def _stores(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        now, before = _table(node.fields.get("versions")), _table(old.get("versions"))
        new = [key for key in now if now[key] != before.get(key)]
        if not new:
            return None
        key = new[-1]
        version, value = _pair(now[key])
        what = f"`{_short(key)}={_short(value)}`"
        held = f"; before it held `{_short(_pair(before[key])[1])}`" if key in before else ""
        reason = (f"Version {version_words(version)}{held}.", f"Version {version_words(version)}.")
        sender = self._sender(event)
        if sender and self._repairs(sender, node.id, str(key)):
            return say(f"{sender}'s read repairs {node.id}: {what}", reason)
        return say(f"{node.id} stores {what}", reason)

    def _repairs(self, reader: str, replica: str, key: str) -> bool:
        """Whether a read at one node is repairing a replica."""
        calls = _records(self.scene.nodes[reader].fields.get("reads")).values()
        return any(str(call.get("key")) == key and replica in _names(call.get("repairs")) for call in calls)

    def _siblings(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        now, before = _table(node.fields.get("siblings")), _table(old.get("siblings"))
        new = [key for key in now if now[key] != before.get(key) and isinstance(now[key], list) and now[key]]
        if not new:
            return None
        key, held = new[-1], now[new[-1]]
        had = before.get(key) if isinstance(before.get(key), list) else []
        values = [f"`{_short(_pair(item)[1])}`" for item in held]
        if len(held) > 1 and len(held) > len(had or []):
            return say(
                f"{node.id} keeps {number_word(len(held))} siblings of {_short(key)}",
                (f"Neither has seen the other: {listed(values)}.", "Neither has seen the other."),
            )
        if len(held) == 1 and len(had or []) > 1:
            return say(
                (f"{node.id}'s siblings of {_short(key)} become {values[0]}", f"{node.id}'s siblings become one"),
                "The new value has seen them all, so they can go.",
            )
        return say(
            (f"{node.id} stores {values[-1]} for {_short(key)}", f"{node.id} stores {_short(key)}"),
            f"Version {version_words(_pair(held[-1])[0])}.",
        )

    def _hints(self, event: Event, node: NodeScene, old: dict[str, Any]) -> Said | None:
        now, before = _table(node.fields.get("hints")), _table(old.get("hints"))
        kept = [home for home in now if now[home] and now[home] != before.get(home)]
        if kept:
            keys = [
                key
                for key in _table(now[kept[-1]])
                if _table(now[kept[-1]])[key] != _table(before.get(kept[-1])).get(key)
            ]
            if keys:
                return say(
                    f"{node.id} keeps {_short(keys[-1])} for {kept[-1]}",
                    f"{kept[-1]} does not answer; it gets this hint when it is back.",
                )
        gone = [home for home in before if before[home] and not now.get(home)]
        if gone:
            return say(
                f"{node.id} needs its hint for {gone[-1]} no more", f"{gone[-1]} has stored what was kept for it."
            )
        return None


def version_words(version: Any) -> str:
    """ "2 of n1" for [2, "n1"], "n1:2 n2:1" for a vector."""
    if isinstance(version, list) and len(version) == 2 and isinstance(version[0], int):
        return f"{version[0]} of {version[1]}" if version[1] not in ("", None) else str(version[0])
    if isinstance(version, dict):
        return " ".join(f"{name}:{count}" for name, count in sorted(version.items()) if name != "@") or "none"
    return "none" if version is None else _short(version)


def _records(value: Any) -> dict[str, dict[str, Any]]:
    return {name: call for name, call in _table(value).items() if isinstance(call, dict)}


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(value: Any) -> list[str]:
    return [str(name) for name in value] if isinstance(value, (list, dict)) else []


def _pair(item: Any) -> tuple[Any, Any]:
    return (item[0], item[1]) if isinstance(item, list) and len(item) == 2 else (None, item)


def _count(items: Any, noun: str) -> str:
    return f"{number_word(len(items))} {noun}{'s' * (len(items) != 1)}"


def _of(items: Any, need: Any) -> str:
    have = number_word(len(items)) if items else "none"
    return f"{have} of {number_word(need)}" if isinstance(need, int) else have


def _have(items: Any, call: dict[str, Any], done: str) -> str:
    """ "Two of three have answered; two must." """
    need, asked = call.get("need"), len(_names(call.get("asked")))
    verb = "has" if len(items) == 1 else "have"
    number = number_word(len(items)).capitalize() if items else "None"
    have = f"{number} of {number_word(max(asked, len(items)))} {verb} {done}"
    return f"{have}; {number_word(need)} must." if isinstance(need, int) else f"{have}."


def _waits(need: Any) -> str:
    if not isinstance(need, int):
        return "The newest of their answers counts."
    return (
        "The first answer counts."
        if need == 1
        else f"It waits for {number_word(need)} answers; the newest of them counts."
    )


def _held(value: Any) -> str:
    """A value, or how many siblings there are."""
    siblings = isinstance(value, list) and all(
        isinstance(i, list) and len(i) == 2 and isinstance(i[0], dict) for i in value
    )
    if not siblings:
        return f"`{_short(value)}`"
    return (
        f"`{_short(value[0][1])}`"
        if len(value) == 1
        else f"{number_word(len(value))} siblings"
        if value
        else "nothing"
    )


def _short(value: Any) -> str:
    return shorten(plain_value(value), 14)
