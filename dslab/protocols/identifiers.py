"""Identifiers on a circle: where names and keys stand, and what lies between.

Source: I. Stoica et al., "Chord: A Scalable Peer-to-peer Lookup Service for Internet Applications", SIGCOMM 2001,
section 4.2: an identifier is the hash of a name, modulo 2**bits, and intervals wrap around zero.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache


@lru_cache(maxsize=1 << 17)
def identifier(text, bits):
    """Where a name or a key stands: the last `bits` bits, 1 to 160, of its SHA-1."""
    return int.from_bytes(hashlib.sha1(text.encode()).digest(), "big") & (1 << bits) - 1


def way(start, end, bits):
    """How far it is from one identifier clockwise to another; 0 if they are equal."""
    return end - start & (1 << bits) - 1


def between(x, low, high, bits):
    """Whether x lies strictly between: in (low, high). With low equal to high: anywhere but there."""
    return 0 < way(low, x, bits) < (way(low, high, bits) or 1 << bits)


def owned(x, low, high, bits):
    """Whether x lies in (low, high], which is what the node at high owns if its predecessor is at low."""
    return 0 < (way(low, x, bits) or 1 << bits) <= (way(low, high, bits) or 1 << bits)
