"""What an election promises: nobody follows the wrong server, and in the end everybody follows the right one.

They look at role ("leader", "candidate", "follower") and leader (a server's name or None) only, so they hold for a
student's own election too. A server's number is the one it shows, or else the one in its name: n10 is above n9.
"""

from __future__ import annotations

from dslab.sim import title, violation


def number(name):
    """The number in a server's name; 0 if it has none."""
    return int("".join(filter(str.isdigit, name)) or 0)


def _number(server):
    return getattr(server, "number", number(server.id))


def electors(world):
    """The servers that take part in elections."""
    return [s for s in world.servers if hasattr(s, "leader")]


@title("One leader")
def one_leader(world):
    """At no time do two running servers lead."""
    server = world.changed
    if server is None or getattr(server, "role", None) != "leader" or server.status != "up":
        return None
    for other in electors(world):
        if other is not server and other.role == "leader" and other.status == "up":
            return violation(f"{other.id} and {server.id} lead at the same time", nodes=[other.id, server.id],
                             expected="one leader", found=f"{other.id} and {server.id}")
    return None


@title("Nobody follows a lower")
def nobody_follows_lower(world):
    """No server follows one whose number is below its own."""
    server = world.changed
    if server is None or getattr(server, "leader", None) is None:
        return None
    leader = world.nodes.get(server.leader)
    if leader is None or _number(leader) < _number(server):
        return violation(f"{server.id}, number {_number(server)}, follows {server.leader}", nodes=[server.id],
                         expected=f"a number of {_number(server)} or more", found=f"{server.leader}")
    return None


@title("The highest leads")
def highest_leads(world):
    """Only the server with the highest number of all is ever elected."""
    server = world.changed
    if server is None or getattr(server, "role", None) != "leader":
        return None
    highest = max(electors(world), key=_number)
    if highest is not server:
        return violation(f"{server.id}, number {_number(server)}, leads, and {highest.id} has number "
                         f"{_number(highest)}", nodes=[server.id, highest.id], expected=highest.id, found=server.id)
    return None


@title("All follow the highest")
def all_agree(world):
    """All running servers follow the highest that runs."""
    up = [s for s in electors(world) if s.status == "up"]
    return bool(up) and all(s.leader == max(up, key=_number).id for s in up)
