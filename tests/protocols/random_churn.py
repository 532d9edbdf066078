"""Chord in storms: python -m tests.protocols.random_churn [FIRST] [LAST] [SERVERS] prints what a ring did not get over.

Each seed is a schedule in which servers join, leave, fail and come back in bursts while clients write and read; after
the last change every key is read at every server. The last line tells how long rings took to be in order again.
"""

from __future__ import annotations

import sys
import time

from dslab import check_trace, simulate
from dslab.protocols import chord, chord_cases
from dslab.protocols.chord_properties import disorder
from dslab.sim.trace import STATUS_AFTER


def mended_ms(trace):
    """How long after the last change the ring was in order for good; None if it never was."""
    changed = in_order = None
    for world in trace.states():
        if world.changed is None or not hasattr(world.changed, "successors"):
            continue
        if trace.events[world.event].kind in STATUS_AFTER:
            changed, in_order = world.time_us, None
        if all(hasattr(server, "position") for server in world.servers if server.status == "up"):
            in_order = None if disorder(world) else in_order or world.time_us
    return None if in_order is None else (in_order - (changed or 0)) / 1000


def storm(case):
    """What went wrong in one storm, as texts; and how long the ring took to mend."""
    system = chord.cluster(case.nodes, absent=chord_cases.absent(case.nodes), copies=3)
    trace = simulate(system, seed=case.seed, schedule=case.schedule, until=case.until)
    wrong = [v.violation.text for v in check_trace(trace, system.always) if v.status != "held"]
    newest = {}
    for operation in trace.history:
        name, is_write, value = operation["command"].partition("=")
        if operation["completed_us"] is None:
            wrong.append(f"{operation['command']} is not answered")
        elif not is_write and operation["result"] != newest.get(name):
            wrong.append(f"{name} is {operation['result']} and not {newest.get(name)}")
        if is_write:
            newest[name] = value
    return wrong, mended_ms(trace)


def main(first=0, last=1_000, servers=8):
    began, times = time.process_time(), []
    for case in chord_cases.storms(range(first, last), servers):
        wrong, took = storm(case)
        times.append(took if took is not None else float("inf"))
        if wrong or took is None:
            print(f"seed {case.seed}: {'; '.join(wrong) or 'the ring is never in order'}", flush=True)
    times.sort()
    print(f"{len(times)} storms: in order after {times[len(times) // 2]:.0f} ms (median), at most {times[-1]:.0f} ms; "
          f"{time.process_time() - began:.0f} CPU seconds")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
