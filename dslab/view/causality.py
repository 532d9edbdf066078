"""Which events can have influenced which: happened-before, by Lamport and vector clocks.

An event is after the earlier events of its node, after the event that caused it, and after the sending of the message
it is about. What befalls a message on its way (a loss, a delay) happens to the message: its receiver does not learn of
it, so it is no event of the receiver's. Such events, and those of the whole network, have a clock entry of their own.

Source: Lamport 1978, "Time, clocks, and the ordering of events in a distributed system"; Mattern 1989, "Virtual time
and global states of distributed systems". static/causality.js computes the same sets by walking the graph.
"""

from __future__ import annotations

from collections.abc import Iterator

from dslab.sim import Event, Trace


class Causality:
    """Happened-before of a trace.

    Attributes:
        lamport: Lamport time of each event, from 1: the number of events on the longest causal path that ends there.
        vectors: vector time of each event: {process: how many of its events are known}, without zeros.
    """

    def __init__(self, trace: Trace) -> None:
        sent = [message.sent_event for message in trace.messages]
        self.lamport: list[int] = []
        self.vectors: list[dict[str, int]] = []
        self._processes: list[str] = []
        latest: dict[str, int] = {}
        for event in trace.events:
            process = process_of(event)
            before = [latest.get(process), event.cause, None if event.message is None else sent[event.message]]
            known = [i for i in before if i is not None and i < event.id]
            vector: dict[str, int] = {}
            for i in known:
                for other, count in self.vectors[i].items():
                    vector[other] = max(vector.get(other, 0), count)
            vector[process] = vector.get(process, 0) + 1
            self.vectors.append(vector)
            self.lamport.append(1 + max((self.lamport[i] for i in known), default=0))
            self._processes.append(process)
            latest[process] = event.id

    def before(self, one: int, other: int) -> bool:
        """Whether event `one` happened before event `other`."""
        process = self._processes[one]
        return one != other and self.vectors[one][process] <= self.vectors[other].get(process, 0)

    def past(self, event: int) -> set[int]:
        """All events before an event."""
        return {i for i in self._all() if self.before(i, event)}

    def future(self, event: int) -> set[int]:
        """All events after an event."""
        return {i for i in self._all() if self.before(event, i)}

    def concurrent(self, event: int) -> set[int]:
        """All events that are neither before nor after an event."""
        return {i for i in self._all() if i != event and not self.before(i, event) and not self.before(event, i)}

    def _all(self) -> Iterator[int]:
        return iter(range(len(self.vectors)))


def process_of(event: Event) -> str:
    """Where an event happens: its node, or a name of its own for what happens to a message or to the network."""
    happens_to_message = event.message is not None and event.kind != "deliver"
    return f"event {event.id}" if event.node is None or happens_to_message else event.node
