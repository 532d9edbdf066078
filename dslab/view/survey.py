"""What the timeline shows of a run: who led when, what was broken, what was committed, where to stop."""

from __future__ import annotations

from typing import Any

from dslab.sim import Event
from dslab.sim.schedule import to_us

from .scene import Reading, Scene, ignored, scenes

LIES = {"silent": "silent", "equivocate": "equivocates", "corrupt": "lies", "delay": "delays"}
DECIDED = ("chosen", "decided", "decision")   # fields that are None until a value is decided
DONE = ("committed", "executed")              # states of a slot
MOMENTS = ("join", "leave", "lose_disk", "skew", "timeout", "load_dice", "hold", "delay", "duplicate", "deliver_now")
ALTERED = ("latency", "loss", "duplicate", "fifo")


def survey(reading: Reading) -> dict[str, Any]:
    """Describes a run.

    Returns:
        {"leaders": spans, "stations": elections, "commits": first commits of an index, "decisions": first events
        at which a value or the request of a slot is decided, "faults": spans, "interesting": event ids}; times in
        microseconds, an open end is None.
    """
    leaders: list[dict[str, Any]] = []
    stations: list[dict[str, Any]] = []
    commits: list[dict[str, Any]] = []
    decisions: list[dict[str, Any]] = []
    decided: dict[str, None] = {}
    interesting: list[int] = []
    faults = Faults(reading.trace.schedule)
    highest, elected = 0, 0
    for event, scene, changed in scenes(reading):
        fault = faults.note(event, scene)
        if "role" in changed or "ballot" in changed or (event.kind in ("crash", "restart") and fault):
            before = leaders[-1]["node"] if leaders else event.node if event.kind == "start" else None
            _span(leaders, event, scene)
            now = leaders[-1] if leaders and leaders[-1]["to_us"] is None else None
            if now and now["from_us"] == event.time_us and now["term"] > elected:
                elected = now["term"]
                stations.append(
                    {"us": event.time_us, "event": event.id, "term": elected, "leader": now["node"]}
                )
                interesting.append(event.id)
            elif now and now["from_us"] == event.time_us and not now["term"] and now["node"] != before:
                interesting.append(event.id)  # another leader, where there are no terms
        if "commit_index" in changed and scene.nodes[event.node or ""].fields["commit_index"] > highest:
            highest = scene.nodes[event.node or ""].fields["commit_index"]
            commits.append({"us": event.time_us, "event": event.id, "index": highest})
            interesting.append(event.id)
        new = [what for what in _decided(scene, event, changed) if what not in decided]
        if new:
            decided.update(dict.fromkeys(new))
            decisions.append({"us": event.time_us, "event": event.id, "node": event.node})
            interesting.append(event.id)
        if fault or event.kind in ("invoke", "complete") or ("lookups" in changed and event.kind != "start"):
            interesting.append(event.id)
    return {
        "leaders": leaders,
        "stations": stations,
        "commits": commits,
        "decisions": decisions,
        "faults": faults.spans,
        "interesting": sorted(set(interesting)),
    }


def _decided(scene: Scene, event: Event, changed: list[str]) -> list[str]:
    """What an event's node holds for decided, by the fields that it changed: values, and slots of a log."""
    fields = scene.nodes[event.node or ""].fields if changed else {}
    found = [repr(fields[name]) for name in changed if name in DECIDED and fields[name] is not None]
    if "slots" in changed and isinstance(fields["slots"], dict):
        slots = {str(slot): held for slot, held in fields["slots"].items() if isinstance(held, dict)}
        found += [f"slot {slot}" for slot, held in slots.items() if held.get("chosen") or held.get("state") in DONE]
    return found


def _span(spans: list[dict[str, Any]], event: Event, scene: Scene) -> None:
    """Keeps the line of leaders: the one with the newest term counts."""
    found = scene.leaders()
    leader = found[0] if found else None
    last = spans[-1] if spans and spans[-1]["to_us"] is None else None
    if last and leader and last["node"] == leader.id and last["term"] == leader.era:
        return
    if last:
        last["to_us"] = event.time_us
    if leader:
        spans.append({"from_us": event.time_us, "to_us": None, "node": leader.id, "term": leader.era})


class Faults:
    """Spans of what is broken, each with the position of its action in the schedule."""

    def __init__(self, schedule: list[dict[str, Any]]) -> None:
        self.spans: list[dict[str, Any]] = []
        self._open: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._actions: dict[tuple[Any, ...], list[int]] = {}
        for position, action in enumerate(schedule):
            key = (
                action["do"],
                to_us(action["at"]),
                action.get("node"),
                action.get("source"),
                action.get("target"),
            )
            self._actions.setdefault(key, []).append(position)

    def note(self, event: Event, scene: Scene) -> bool:
        """Follows one event; True if it is a fault, or the end of one."""
        kind, detail = event.kind, event.detail if isinstance(event.detail, dict) else {}
        if ignored(event):
            return False
        if kind == "crash":
            self._end(event, ("pause", event.node))
            self._begin(event, ("down", event.node), f"{event.node} down")
        elif kind == "pause":
            self._begin(event, ("pause", event.node), f"{event.node} paused")
        elif kind in ("restart", "resume"):
            self._end(event, ("down" if kind == "restart" else "pause", event.node))
        elif kind == "turn_traitor":
            self._end(event, ("traitor", event.node))
            self._begin(event, ("traitor", event.node), f"{event.node} {LIES[detail['behaviour']]}")
        elif kind == "turn_loyal":
            self._end(event, ("traitor", event.node))
        elif kind == "partition":
            self._end(event, ("partition",))
            self._begin(event, ("partition",), " | ".join(" ".join(side) for side in scene.sides()))
        elif kind == "heal":
            for key in [k for k in self._open if k[0] in ("partition", "cut")]:
                self._end(event, key)
        elif kind == "cut":
            self._begin(
                event,
                ("cut", detail["source"], detail["target"]),
                f"{detail['source']} → {detail['target']} cut",
            )
        elif kind == "mend":
            self._end(event, ("cut", detail["source"], detail["target"]))
        elif kind == "link":
            key = ("link", detail["source"], detail["target"])
            self._end(event, key)
            if any(detail.get(name) for name in ALTERED):
                self._begin(event, key, f"{detail['source']} → {detail['target']} changed")
        else:
            return kind in MOMENTS or (kind == "drop" and event.detail == "action")
        return True

    def _begin(self, event: Event, key: tuple[Any, ...], label: str) -> None:
        if key in self._open:
            return
        detail = event.detail if isinstance(event.detail, dict) else {}
        positions = self._actions.get(
            (event.kind, event.time_us, event.node, detail.get("source"), detail.get("target"))
        )
        span = {
            "kind": key[0],
            "label": label,
            "from_us": event.time_us,
            "to_us": None,
            "action": positions.pop(0) if positions else None,
        }
        self._open[key] = span
        self.spans.append(span)

    def _end(self, event: Event, key: tuple[Any, ...]) -> None:
        if key in self._open:
            self._open.pop(key)["to_us"] = event.time_us
