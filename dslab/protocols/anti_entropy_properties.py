"""What sites that exchange updates promise; judged by the attributes `store` ({key: [stamp, value]}) and `exchange`."""

from __future__ import annotations

from dslab.sim import title, violation

from .merkle import hashes_compared, leaf_of


@title("No way back")
def no_way_back(world):
    """While it runs, no site replaces an entry by an older one, or shows again what it has shown as deleted."""
    site = world.changed
    if getattr(site, "store", None) is None or _crashed(world, site):
        return None
    for key, entry in site.store.items():
        newest, deleted = world.memory.get((site.id, key), [[-1, ""], False])
        if entry[0] < newest:
            what = "shows again what was deleted" if deleted else "replaces a newer entry"
            return violation(f"{site.id} {what}: {key} is {entry[1]} of {_told(entry[0])}, and was "
                             f"{'deleted' if deleted else 'newer'} at {_told(newest)}", nodes=[site.id],
                             expected=f"nothing older than {_told(newest)}", found=f"{entry[1]} of {_told(entry[0])}")
        world.memory[site.id, key] = [list(entry[0]), entry[1] is None]
    return None


def _crashed(world, site):
    """Whether a site is down; what it showed may not have been on its disk, so it counts for nothing."""
    if site.status != "crashed":
        return False
    for note in [note for note in world.memory if note[0] == site.id]:
        del world.memory[note]
    return True


@title("Deletes last")
def deletes_last(world):
    """What was deleted somewhere is not shown everywhere again; only a newer value may be."""
    site = world.changed
    if getattr(site, "store", None) is None or _crashed(world, site):
        return None
    for note in [note for note in world.memory if note[0] == site.id and note[1] == "held"]:
        if note[2] not in site.store:                    # taken out: that deletes a value, too
            stamp, value = world.memory.pop(note)
            if value is not None:
                world.memory[site.id, "gone", note[2]] = stamp
    for key, entry in site.store.items():
        world.memory[site.id, "held", key] = [list(entry[0]), entry[1]]
        if entry[1] is None:
            world.memory[site.id, "gone", key] = list(entry[0])
            continue
        gone = [stamp for (_, what, about), stamp in world.memory.items() if what == "gone" and about == key]
        shown = [getattr(other, "store", {}).get(key) for other in world.servers]
        if gone and all(one is not None and one[1] is not None and one[0] <= max(gone) for one in shown):
            return violation(f"{key} was deleted, and all sites show {entry[1]} of {_told(entry[0])} again",
                             nodes=[other.id for other in world.servers], expected="nothing", found=f"{entry[1]}")
    return None


def _told(stamp):
    return f"{stamp[0]}.{stamp[1]}"


@title("One stamp, one value")
def one_value_per_stamp(world):
    """Two sites that hold an entry of the same stamp hold the same value."""
    site = world.changed
    if getattr(site, "store", None) is None:
        return None
    for other in world.servers:
        for key, theirs in getattr(other, "store", {}).items():
            mine = site.store.get(key)
            if mine is not None and mine[0] == theirs[0] and mine[1] != theirs[1]:
                return violation(f"{site.id} holds {key}={mine[1]} and {other.id} {key}={theirs[1]}, both of "
                                 f"{_told(mine[0])}", nodes=[site.id, other.id], expected=f"{theirs[1]}",
                                 found=f"{mine[1]}")
    return None


@title("Exchanges find what differs")
def finds_what_differs(world):
    """An exchange by hashes finds all leaves where the two stores differ, and no others, while nothing is written."""
    found = _exchange(world)
    if found is None:
        return None
    site, partner, differ = found
    leaves = site.exchange["leaves"]
    wrong = [leaf for leaf in leaves if leaf not in differ]
    lost = [leaf for leaf in differ if leaf not in leaves and site.exchange["state"] != "hashes"]
    if not wrong and not lost:
        return None
    what = (f"takes leaf {wrong[0]} for different from {partner.id}'s, and it is not" if wrong else
            f"has compared with {partner.id} and missed leaf {lost[0]}, which differs")
    return violation(f"{site.id} {what}", nodes=[site.id, partner.id], expected=" ".join(differ) or "none",
                     found=" ".join(leaves) or "none")


@title("Few hashes")
def few_hashes(world):
    """An exchange asks for the root's hash, and for two below each inner node that differs, not for more."""
    found = _exchange(world)
    if found is None:
        return None
    site, partner, differ = found
    asked, most = site.exchange["asked"], hashes_compared(differ, site.exchange["depth"])
    if asked <= most:
        return None
    leaves = f"{len(differ)} leaves differ" if len(differ) > 1 else f"{'one' if differ else 'no'} leaf differs"
    return violation(f"{site.id} has asked {partner.id} for {asked} hashes, and {most} would do: {leaves}",
                     nodes=[site.id, partner.id], expected=f"at most {most}", found=f"{asked}")


def _exchange(world):
    """The site that goes on with an exchange, its partner, and the leaves where they differed when it began.

    None if there is no such exchange, or if one of the two stores has changed since.
    """
    site = world.changed
    now = getattr(site, "exchange", None)
    if now is None or not hasattr(world.nodes[now["partner"]], "store"):
        return None
    partner = world.nodes[now["partner"]]
    stores = [dict(site.store), dict(partner.store)]
    number, differ, began = world.memory.get(site.id, [0, [], []])
    if number != now["number"]:
        keys = [key for key in {**stores[0], **stores[1]} if stores[0].get(key) != stores[1].get(key)]
        differ, began = sorted({leaf_of(key, now["depth"]) for key in keys}), stores
        world.memory[site.id] = [now["number"], differ, began]
    return (site, partner, differ) if stores == began else None


@title("All have all")
def all_the_same(world):
    """After some change, all sites hold the same entries."""
    stores = [getattr(site, "store", None) for site in world.servers]
    return any(stores) and all(store == stores[0] for store in stores)


ALWAYS = (one_value_per_stamp, no_way_back, deletes_last)
EVENTUALLY = (all_the_same,)
