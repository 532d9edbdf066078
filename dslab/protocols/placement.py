"""Where keys go: a ring with several points per server, copies on distinct hosts, loads with a bound. Pure functions.

Sources: D. Karger, E. Lehman, T. Leighton, R. Panigrahy, M. Levine, D. Lewin, "Consistent Hashing and Random Trees",
STOC 1997; points per server and distinct hosts as in G. DeCandia et al., "Dynamo", SOSP 2007, section 4.2; bounded
loads of V. Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018.
"""

from __future__ import annotations

import math
from bisect import bisect_left

from .identifiers import identifier

BITS = 32


def points(servers, each=100, bits=BITS):
    """The ring: every server's points, as [identifier, server] in the order of the circle.

    Args:
        servers: names. each: points per server, at least 1. bits: the circle has 2**bits identifiers.
    """
    return sorted([identifier(f"{server}/{number}", bits), server] for server in servers for number in range(each))


def first_at(ring, position):
    """The index of the first point at or after a position; behind the last one comes the first."""
    return bisect_left(ring, [position, ""]) % len(ring)


def owner(ring, position):
    """Who owns a position: the server of the first point at or after it."""
    return ring[first_at(ring, position)][1]


def keepers(ring, position, copies, hosts=None):
    """Who keeps the copies of a position: the owner and the next servers, each on a host of its own.

    Args:
        ring: as from `points`. position: an identifier. copies: how many.
        hosts: {server: host}; None if every server is one.

    Returns:
        At most `copies` names; fewer if there are not so many hosts.
    """
    at, found, used = first_at(ring, position), [], {}
    for i in range(len(ring)):
        server = ring[(at + i) % len(ring)][1]
        host = hosts[server] if hosts else server
        if host not in used:
            used[host] = True
            found.append(server)
            if len(found) == copies:
                break
    return found


def bounded(ring, positions, slack=0.25):
    """A placement in which nobody has more than (1 + slack) times the average, rounded up.

    Args:
        ring: as from `points`. positions: of the keys, in the order in which they come. slack: above 0.

    Returns:
        (the server of each position, {server: how many}); a key goes to the first server with room from its own on.
    """
    loads = dict.fromkeys((server for _, server in ring), 0)
    room = math.ceil((1 + slack) * len(positions) / len(loads))
    placed = []
    for position in positions:
        at = first_at(ring, position)
        while loads[ring[at][1]] >= room:
            at = (at + 1) % len(ring)
        loads[ring[at][1]] += 1
        placed.append(ring[at][1])
    return placed, loads


def moved(before, after):
    """Which part of the keys is elsewhere: a number from 0 to 1; the arguments are placements of the same keys."""
    return sum(one != other for one, other in zip(before, after, strict=True)) / len(before)


# ---- what people do instead


def modulo(servers, position):
    """S11: hash % n. One server more, and nearly every key moves."""
    return servers[position % len(servers)]


def unwrapped(ring, position):
    """S13: the next point in the list; None behind the last one."""
    at = bisect_left(ring, [position, ""])
    return ring[at][1] if at < len(ring) else None


def after(ring, position):
    """S13: the first point after a position, so that a key at a point goes to the next one."""
    return ring[bisect_left(ring, [position + 1, ""]) % len(ring)][1]


def next_points(ring, position, copies, hosts=None):
    """S15: the next points, whoever's they are and wherever they stand."""
    at = first_at(ring, position)
    return [ring[(at + i) % len(ring)][1] for i in range(copies)]
