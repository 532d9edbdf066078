"""The words for what a schedule does to a run: faults, their ends, and client requests."""

from __future__ import annotations

from collections.abc import Callable

from dslab.sim import Event

from .chains import CHAIN
from .gloss import short_name
from .scene import STANDING, Reading, Scene, ignored
from .words import Said, in_words, listed, number_word, payload, say, shorten


def tell_action(event: Event, scene: Scene, reading: Reading) -> Said | None:
    """Tells an event that a schedule caused.

    Args:
        event: the event.
        scene: the state after it.
        reading: the run.

    Returns:
        (headline, reason), or None if another event tells it better.
    """
    why = ignored(event)
    if why:
        return say(
            "Nothing happens",
            why[0].upper() + why[1:] + "." if why[0].isalpha() and not why[1:2].isdigit() else why + ".",
        )
    tell = TELL.get(event.kind)
    return tell(event, scene, reading) if tell else None


def _crash(event: Event, scene: Scene, reading: Reading) -> Said:
    node = scene.nodes[event.node or ""]
    left, total, needed = len(scene.running()), len(scene.voters), scene.majority
    if node.id in scene.clients:
        return say(
            f"{node.id} crashes", "Its open request is forgotten; nobody knows whether it took effect."
        )
    if "role" not in node.fields:
        return say(f"{node.id} crashes", "Its timers and everything that it has not saved are gone.")
    term = f" term {{term:{node.term}}}" if node.term else ""
    if left < needed:
        return say(
            f"{node.id} crashes",
            f"Only {left} of {total} servers run: no majority, so nothing can be committed.",
        )
    if scene.nodes[node.id].role in ("leader", "primary"):
        return say(
            (f"{node.id} crashes while it leads{term}", f"{node.id}, the leader, crashes"),
            "Nobody sends heartbeats now, so a follower's timer will run out."
            if "view" not in node.fields
            else "The others will notice when a request takes too long.",
        )
    if node.role in STANDING:
        return say(
            f"{node.id} crashes during its election",
            f"{'Its votes are gone with it; another' if 'votes' in node.fields else 'Another'} timer will run out.",
        )
    return say(
        f"{node.id} crashes", f"{left} of {total} servers still run, and {needed} are enough to go on."
    )


def _restart(event: Event, scene: Scene, reading: Reading) -> Said:
    node = scene.nodes[event.node or ""]
    if not event.detail.get("disk", True):
        if "voted_for" in node.fields:
            return say(
                f"{node.id} restarts with an empty disk",
                "It has forgotten its term, its vote and its log, so it may vote twice.",
            )
        return say(f"{node.id} restarts with an empty disk", "Everything that it had saved is gone.")
    if node.role and node.term:
        entries = len(node.log)
        kept = f" and {entries} {'entry' if entries == 1 else 'entries'}" if "log" in node.fields else ""
        return say(
            f"{node.id} restarts",
            f"It comes back as a {node.role}; its disk kept term {{term:{node.term}}}{kept}.",
        )
    return say(f"{node.id} restarts", "What it had saved is there again; everything else starts anew.")


def _join(event: Event, scene: Scene, reading: Reading) -> Said:
    contact = event.detail.get("to") if isinstance(event.detail, dict) else None
    if contact is None:
        return say(f"{event.node} joins", "There is nobody to ask, so it begins by itself.")
    return say(f"{event.node} joins through {contact}", "That is the only one it knows; it has to find its place.")


def _leave(event: Event, scene: Scene, reading: Reading) -> Said:
    return say(f"{event.node} leaves", "In order: it can still send what the others need, and then is gone.")


def _pause(event: Event, scene: Scene, reading: Reading) -> Said:
    return say(f"{event.node} pauses", "What reaches it waits; to the others it looks like a crash.")


def _resume(event: Event, scene: Scene, reading: Reading) -> Said:
    node = scene.nodes[event.node or ""]
    if node.leads and any(other.term > node.term for other in scene.leaders()):
        return say(
            f"{node.id} goes on, and still believes it leads",
            "It has not noticed the pause; the first message of a newer term tells it.",
        )
    return say(f"{node.id} goes on", "It now handles what arrived in the meantime, late.")


def _lose_disk(event: Event, scene: Scene, reading: Reading) -> Said:
    node = scene.nodes[event.node or ""]
    if node.status == "crashed":
        return say(f"{node.id} loses its disk", "It will restart with nothing of what it had saved.")
    return say(
        f"{node.id} loses its disk", "It keeps running from memory; a crash now would forget what was saved."
    )


def _skew(event: Event, scene: Scene, reading: Reading) -> Said:
    offset, rate = event.detail["offset"], event.detail["rate"]
    if rate == 1 and not offset:
        return say(f"{event.node}'s clock is right again", "Its timers run like everybody's.")
    if rate == 1:
        return say(
            f"{event.node}'s clock is {offset:+g} ms off",
            "It reads another time than the others; its timers last as long as before.",
        )
    pace = f"{rate:g} times as fast" if rate > 1 else f"at {rate:g} of its speed"
    return say(
        f"{event.node}'s clock runs {pace}",
        "Its timers run out " + ("sooner" if rate > 1 else "later") + " than everybody else's.",
    )


def _turn_traitor(event: Event, scene: Scene, reading: Reading) -> Said:
    node, detail = event.node, event.detail
    some = f" to {listed(detail['to'])}" if "to" in detail else ""
    told = detail.get("fields", {}).items()
    lies = listed([f"{field.replace('_', ' ')} `{shorten(in_words(lie), 16)}`" for field, lie in told])
    does, why = {
        "silent": (f"sends nothing{some}", "It still hears everything; to the others it looks like a crash."),
        "delay": (f"holds back what it sends{some}", f"Every message leaves {detail.get('by', 0):g} ms late."),
        "corrupt": (
            "lies to everybody",
            (f"It says {lies}, whatever it believes.", "It says what it does not believe."),
        ),
        "equivocate": (
            f"lies{some} only",
            (f"They hear {lies}; the others hear the truth.", "They hear one thing, the others another."),
        ),
    }[detail["behaviour"]]
    return say((f"Traitor {node} {does}", f"{node} becomes a traitor"), why)


def _load_dice(event: Event, scene: Scene, reading: Reading) -> Said:
    outcomes = listed([str(outcome) for outcome in event.detail["outcomes"]])
    return say(
        (f"{event.node}'s dice are loaded: {outcomes}", f"{event.node}'s dice are loaded"),
        "What it draws next is decided; after that chance decides again.",
    )


def _turn_loyal(event: Event, scene: Scene, reading: Reading) -> Said:
    return say(f"{event.node} is loyal again", "From now on it sends what its code says; old lies stay.")


def _partition(event: Event, scene: Scene, reading: Reading) -> Said:
    sides = scene.sides()
    headline = (
        f"The network splits: {' | '.join(' '.join(side) for side in sides)}",
        f"The network splits into {number_word(len(sides))} parts",
    )
    if len(sides) < 2:
        return say("The partition separates no servers", "All of them are in one group.")
    needed = scene.majority
    big = next((side for side in sides if len(side) >= needed), None)
    leaders = scene.leaders()
    if not any("role" in scene.nodes[n].fields for n in scene.servers):
        return say(headline, "Messages between the groups do not arrive until it heals.")
    if big is None:
        return say(
            headline,
            f"No side has {number_word(needed)} of {number_word(len(scene.servers))} servers, "
            "so nothing can be committed.",
        )
    if leaders and leaders[0].id not in big:
        return say(
            headline, (f"{leaders[0].id} leads from the smaller side, so nothing it appends can commit.",)
        )
    if leaders:
        return say(headline, f"{leaders[0].id} keeps a majority, so it can go on committing.")
    return say(
        headline,
        (
            f"Only the side of {listed(big)} can elect a leader.",
            "Only the side with a majority can elect a leader.",
        ),
    )


def _heal(event: Event, scene: Scene, reading: Reading) -> Said:
    leaders = scene.leaders()
    if len(leaders) > 1 and leaders[0].term > leaders[-1].term:
        return say(
            "The network heals", f"{leaders[-1].id} will meet term {{term:{leaders[0].term}}} and step down."
        )
    return say("The network heals", "Every server reaches every other again.")


def _cut(event: Event, scene: Scene, reading: Reading) -> Said:
    source, target = event.detail["source"], event.detail["target"]
    if scene.is_cut(target, source):
        return say(
            f"{source} no longer reaches {target}",
            f"Nor does {target} reach {source}: they are cut off from each other.",
        )
    return say(
        f"{source} no longer reaches {target}",
        f"Only this direction is cut: {target} still reaches {source}.",
    )


def _mend(event: Event, scene: Scene, reading: Reading) -> Said:
    source, target = event.detail["source"], event.detail["target"]
    if scene.is_cut(source, target):
        return say(f"{source} to {target} stays cut", "The partition between them is still there.")
    return say(
        f"{source} reaches {target} again", "What is sent from now on arrives; what was lost stays lost."
    )


def _link(event: Event, scene: Scene, reading: Reading) -> Said:
    detail, parts = event.detail, []
    if detail.get("latency") is not None:
        low, high = detail["latency"] if isinstance(detail["latency"], list) else [detail["latency"]] * 2
        parts.append(f"takes {low:g} ms" if low == high else f"takes {low:g} to {high:g} ms")
    if detail.get("loss") is not None:
        parts.append(f"loses {100 * detail['loss']:g}%")
    if detail.get("duplicate") is not None:
        parts.append(f"doubles {100 * detail['duplicate']:g}%")
    if detail.get("fifo") is not None:
        parts.append("keeps the order" if detail["fifo"] else "may reorder")
    return say(
        f"The link from {detail['source']} to {detail['target']} changes",
        f"From now on it {listed(parts)}." if parts else "Nothing about it is different.",
    )


def _drop(event: Event, scene: Scene, reading: Reading) -> Said | None:
    record = reading.messages[event.message or 0]
    if event.detail == "action":
        return say(
            f"{short_name(record)} to {record.target} is dropped",
            f"It was taken out of the air at {event.time_us / 1e6:.3f} s.",
        )
    if event.detail == "loss" and record.fields.get("entries") != []:
        return say(
            f"{short_name(record)} to {record.target} is lost", "The link loses messages; nobody is told."
        )
    return None  # at a cut or a crashed node every message ends so: the cross is enough


def _message(event: Event, scene: Scene, reading: Reading) -> Said:
    record = reading.messages[event.detail["message"]]
    done, reason = {
        "hold": ("is held", "It stays in the air until you release it."),
        "release": ("flies on", "It needs the time that it still had to go."),
        "delay": (
            "is delayed",
            f"It arrives {event.detail.get('by', 0):g} ms later; other messages may overtake it.",
        ),
        "duplicate": ("is duplicated", "The network may deliver twice, and a node must cope with it."),
        "deliver_now": ("arrives at once", "It overtakes whatever else is in the air."),
    }[event.kind]
    return say(f"{short_name(record)} to {record.target} {done}", reason)


def _request(event: Event, scene: Scene, reading: Reading) -> Said | None:
    if event.id + 1 < len(reading.events) and reading.events[event.id + 1].kind == "invoke":
        return None
    return say(
        f"{event.node} queues `{payload(event.detail['command'])}`",
        "It sends one request at a time, and another one is open.",
    )


def _invoke(event: Event, scene: Scene, reading: Reading) -> Said:
    command, to = payload(event.detail["command"]), event.detail["to"]
    headline = (f"{event.node} asks {to} to run `{command}`", f"{event.node} sends {to} a request")
    server = scene.nodes.get(to)
    if server is None or server.role is None:
        return say(headline, "The operation is open until an answer comes.")
    if server.status == "crashed":
        return say(headline, f"{to} is down, so {event.node} will have to ask somebody else.")
    if server.role in CHAIN:
        return say(headline, f"{to} is {'in' if server.role == 'middle' else 'at'} the {server.role} of the chain.")
    if server.leads:
        first = "appends the command to its log first" if "log" in server.fields else "gives the command its place"
        return say(headline, f"{to} leads, so it {first}.")
    leader, primary = server.fields.get("leader"), server.fields.get("primary")
    if primary:
        return say(headline, f"{to} does not lead, so it passes the request on to {primary}.")
    return say(
        headline,
        f"{to} does not lead and "
        + (f"will send {event.node} on to {leader}." if leader else "knows no leader."),
    )


Tell = Callable[[Event, Scene, Reading], Said | None]

TELL: dict[str, Tell] = {
    "crash": _crash,
    "restart": _restart,
    "join": _join,
    "leave": _leave,
    "pause": _pause,
    "resume": _resume,
    "lose_disk": _lose_disk,
    "skew": _skew,
    "load_dice": _load_dice,
    "turn_traitor": _turn_traitor,
    "turn_loyal": _turn_loyal,
    "partition": _partition,
    "heal": _heal,
    "cut": _cut,
    "mend": _mend,
    "link": _link,
    "drop": _drop,
    "hold": _message,
    "release": _message,
    "delay": _message,
    "duplicate": _message,
    "deliver_now": _message,
    "request": _request,
    "invoke": _invoke,
}
