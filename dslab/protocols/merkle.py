"""A hash tree over a store: two replicas find out where they differ by comparing few hashes.

Source: R. Merkle, "A Digital Signature Based on a Conventional Encryption Function", CRYPTO '87; for replicas: G.
DeCandia et al., "Dynamo: Amazon's Highly Available Key-value Store", SOSP 2007, section 4.7.
Left out: trees whose shape follows the keys, and proofs that an entry is in the tree.

Keys are placed by their SHA-1, so neighbours in the tree have nothing to do with each other: each leaf stands for a
range of hashes, and about as many keys fall into each. A node of the tree is named by the bits on the way to it: "" is
the root, "0" and "1" are its children. Whoever compares node by node from the root down, and goes on only where hashes
differ, compares 1 + 2 * (inner nodes that differ) hashes: 1 + 2 * depth of them if one key is in error.
"""

from __future__ import annotations

import hashlib
import json

HEX = 12                         # digits of a hash that are kept: 48 bits, enough for stores of this size


def digest(*parts):
    """A hash of plain data."""
    return hashlib.sha1(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:HEX]


def leaf_of(key, depth):
    """The leaf where a key belongs: the first bits of its hash.

    Args:
        key: text.
        depth: bits, 0 or more.
    """
    return f"{int.from_bytes(hashlib.sha1(key.encode()).digest()[:8], 'big'):064b}"[:depth]


def children(node):
    """The names of the two nodes below one."""
    return [node + "0", node + "1"]


class Tree:
    """The hashes of all ranges of a store; kept up to date one entry at a time.

    Args:
        depth: levels below the root, 0 to 16; there are 2**depth leaves.
        items: {key: plain data} to begin with.

    Attributes:
        hashes: {node: hash}, of all nodes.
        work: how many hashes were computed so far.
    """

    def __init__(self, depth, items=None):
        if not 0 <= depth <= 16:
            raise ValueError(f"a tree has 0 to 16 levels below its root, not {depth}")
        self.depth, self.work = depth, 0
        self.buckets = {f"{number:0{depth}b}" if depth else "": {} for number in range(2**depth)}
        self.hashes = {}
        for key, value in (items or {}).items():
            self.buckets[leaf_of(key, depth)][key] = value
        for leaf in self.buckets:
            self._hash_leaf(leaf)
        for level in reversed(range(depth)):
            for number in range(2**level):
                self._hash_inner(f"{number:0{level}b}" if level else "")

    @property
    def root(self):
        return self.hashes[""]

    def put(self, key, value):
        """Sets an entry, and computes the hashes on its way to the root: depth + 1 of them."""
        leaf = leaf_of(key, self.depth)
        self.buckets[leaf][key] = value
        self._hash_way(leaf)

    def remove(self, key):
        """Takes an entry out, if it is there."""
        leaf = leaf_of(key, self.depth)
        if key in self.buckets[leaf]:
            del self.buckets[leaf][key]
            self._hash_way(leaf)

    def _hash_way(self, leaf):
        self._hash_leaf(leaf)
        for level in reversed(range(self.depth)):
            self._hash_inner(leaf[:level])

    def _hash_leaf(self, leaf):
        self.work += 1
        self.hashes[leaf] = digest(sorted(self.buckets[leaf].items()))

    def _hash_inner(self, node):
        self.work += 1
        self.hashes[node] = digest(*(self.hashes[child] for child in children(node)))


def differing(mine, ask, depth):
    """The leaves in which two trees differ, found from the root down.

    Args:
        mine: {node: hash} of one's own tree.
        ask: called with a node; returns the hash that the other has there. Every call is a hash sent.
        depth: levels below the root.

    Returns:
        A list of leaves, in order.
    """
    def below(node):
        if ask(node) == mine[node]:
            return []
        return [node] if len(node) == depth else [leaf for child in children(node) for leaf in below(child)]

    return below("")


def hashes_compared(leaves, depth):
    """How many hashes a comparison from the root down takes: 1 + 2 * (inner nodes above what differs).

    Args:
        leaves: those that differ.
        depth: levels below the root.
    """
    return 1 + 2 * len({leaf[:level] for leaf in leaves for level in range(depth)})


def expected_hashes(errors, depth):
    """The mean of that, where so many keys differ at random: 1 + 2 * sum of 2**l (1 - (1 - 2**-l)**errors).

    Args:
        errors: how many keys differ, 0 or more.
        depth: levels below the root.
    """
    return 1 + 2 * sum(2**level * (1 - (1 - 2**-level) ** errors) for level in range(depth))
