"""Runs in which clients read and write all the time while links slow down, fail and heal and servers crash and restart.

All from one seed. Every fault ends, so whoever asks has an answer before the run does.
"""

from __future__ import annotations

from random import Random

from dslab.sim.case import Case

STORM, CALM = 900, 2_100         # ms of faults, and of none
PAUSE = (1, 16)                  # ms between two actions
RESTARTS = ("ambush", "ambush", "slow", "loss", "cut", "part", "reboot", "crash")
NO_RESTARTS = ("ambush", "ambush", "slow", "loss", "cut", "part")
EVERYTHING = (*RESTARTS, "pause", "twice", "skew", "deaf")


def storm(seed, nodes=3, clients=4, faults=RESTARTS, latency=(10, 10), outside=()):
    """One such run.

    Args:
        seed: any integer.
        nodes, clients: how many.
        faults: kinds of faults, each as often as it is named; see EVERYTHING.
        latency: of the links when all is well, ms.
        outside: names of nodes that are neither; they do not crash, but "deaf" may cut them off.
    """
    random = Random(f"storm/{seed}")
    servers = [f"n{i}" for i in range(1, nodes + 1)]
    asked = {f"c{i}": 0 for i in range(1, clients + 1)}  # when each client may ask again
    writes = random.choice([0.15, 0.3, 0.5])             # how many of the requests
    links = {(a, b): random.choice([1, 5, 10, 30]) for a in servers for b in servers if a != b}
    schedule = [_link(1, *ends, latency=[ms, ms]) for ends, ms in links.items()]
    lossy, cuts, down, skewed, at, written = {}, {}, {}, {}, 1, 0
    while (at := at + random.randint(*PAUSE)) < STORM:
        if random.random() < 0.8:
            client = random.choice(list(asked))
            if asked[client] <= at:
                asked[client] = at + random.randint(10, 60)
                written += 1
                key = random.choice("xxxxxy")
                command = f"{key}={written}" if random.random() < writes else key
                to = random.choice(servers)
                schedule.append(_asks(at, client, command, to))
            continue
        kind, node, other = random.choice(faults), *random.sample(servers, 2)
        if kind == "ambush":                             # a write gets stuck half-way, and others read
            written += 1
            writer, *readers = random.sample(list(asked), min(clients, 4))
            asked = {client: at + 400 if client == writer or client in readers else t for client, t in asked.items()}
            schedule.append(_asks(at, writer, f"x={written}", node))
            stuck = at + random.randint(12, 45)
            others = [s for s in servers if s != node]
            for target in random.sample(others, random.randint(len(others) - 1, len(others))):
                schedule += [_link(stuck, node, target, latency=[400, 400]),
                             _link(stuck + random.randint(5, 30), node, target, latency=[5, 15])]
            for reader in readers:
                stuck += random.randint(5, 60)
                schedule.append(_asks(stuck, reader, "x", random.choice(servers)))
        elif kind == "slow":
            delay = random.choice([1, 10, 30, 80, 200])
            schedule.append(_link(at, node, other, latency=[delay, delay]))
        elif kind == "loss":
            part = random.choice([0, 0.5, 0.9])
            for target in [s for s in servers if s != node]:
                lossy[node, target] = None
                schedule.append(_link(at, node, target, loss=part))
        elif kind == "cut" and (node, other) in cuts:
            del cuts[node, other]
            schedule.append({"at": at, "do": "mend", "source": node, "target": other})
        elif kind == "cut":
            cuts[node, other] = None
            schedule.append({"at": at, "do": "cut", "source": node, "target": other})
        elif kind == "part":
            apart = random.choice([{"do": "heal"}, {"do": "partition", "groups": [[node]]}])
            cuts = {} if apart["do"] == "heal" else cuts
            schedule.append({"at": at, **apart})
        elif kind == "pause":
            schedule += [{"at": at, "do": "pause", "node": node},
                         {"at": at + random.choice([20, 100, 300]), "do": "resume", "node": node}]
        elif kind == "twice":
            schedule.append(_link(at, node, other, duplicate=random.choice([0.3, 0.9])))
        elif kind == "skew":
            skewed[node] = None
            schedule.append({"at": at, "do": "skew", "node": node, "rate": random.choice([0.5, 0.8, 1.25, 2])})
        elif kind == "deaf":                             # who is outside is not heard by a server, or does not hear it
            ends = random.sample([node, random.choice([*asked, *outside])], 2)
            lossy[tuple(ends)] = None
            schedule.append(_link(at, *ends, loss=random.choice([0.5, 1])))
        elif node in down:
            del down[node]
            schedule.append({"at": at, "do": "restart", "node": node})
        else:
            schedule.append({"at": at, "do": "crash", "node": node})
            if kind == "reboot":
                schedule.append({"at": at + random.choice([0, 1, 10]), "do": "restart", "node": node})
            else:
                down[node] = None
    schedule.sort(key=lambda act: act["at"])
    at = STORM + 20
    schedule.append({"at": at, "do": "heal"})
    schedule += [{"at": at, "do": "restart", "node": node} for node in down]
    schedule += [_link(at, *ends, latency=list(latency), loss=0) for ends in links]
    if "twice" in faults:
        schedule += [_link(at, *ends, duplicate=0) for ends in links]
    schedule += [_link(at, *ends, loss=0) for ends in lossy if ends not in links]
    schedule += [{"at": at, "do": "skew", "node": node} for node in skewed]
    schedule += [{"at": at + 600 + 50 * i, "do": "request", "command": "x", "client": c} for i, c in enumerate(asked)]
    return Case(f"storm-{seed}", "", schedule, STORM + CALM, nodes=nodes, clients=clients, seed=seed)


def _asks(at, client, command, to):
    return {"at": at, "do": "request", "command": command, "to": to, "client": client}


def _link(at, source, target, **change):
    return {"at": at, "do": "link", "source": source, "target": target, **change}
