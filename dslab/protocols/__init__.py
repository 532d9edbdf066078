"""Protocols, one paper, one file. Each module has `cluster(nodes)` that makes a System of it."""
