"""A node's disk: its durable attributes in one file that survives a SIGKILL at any moment.

The file is a list of changes, each with its length and a checksum in front. A change counts from the moment at which
it is whole; a torn one at the end is cut off when the file is read again. A long file is replaced by a short one that
holds the values alone, under another name first, so that there is always one whole file.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

from dslab.sim.snapshot import keep, list_change

from .codec import Codec, dumps, encode

HEAD = struct.Struct("!II")  # length and checksum of a change
LONG = 1 << 20  # bytes after which a file is rewritten


class Journal:
    """Durable attributes in one file.

    Args:
        path: the file; it need not exist.
        empty: {attribute: value on an empty disk}.

    Attributes:
        values: what is safe now.

    Raises:
        OSError: the file cannot be read or written.
    """

    def __init__(self, path: Path, empty: dict[str, Any]) -> None:
        self._path = path
        self._long = LONG
        codec = Codec()
        self.values = {name: keep(value) for name, value in empty.items()}
        whole = 0
        data = path.read_bytes() if path.exists() else b""
        while (body := _change(data, whole)) is not None:
            for name, change in json.loads(body).items():
                if name in self.values:              # a class may have changed since
                    self.values[name] = _applied(self.values[name], codec.decode(change))
            whole += HEAD.size + len(body)
        self._file = path.open("ab")
        if whole < len(data):
            self._file.truncate(whole)
        self._size = whole
        _sync(self._file.fileno())
        _sync_folder(path.parent)

    def changed(self, fresh: dict[str, Any]) -> list[str]:
        """Names of the durable attributes whose values are not safe yet.

        Args:
            fresh: {attribute: value now}.
        """
        return [name for name, old in self.values.items() if (new := fresh[name]) is not old
                and (new.__class__ is not old.__class__ or new != old)]

    def save(self, fresh: dict[str, Any], names: list[str]) -> None:
        """Makes copies of some values safe; returns when they are on the disk.

        Args:
            fresh: {attribute: value now}.
            names: which of them.

        Raises:
            OSError: they could not be written; a part may have been.
        """
        changes = {}
        for name in names:
            old = self.values[name]
            kept = self.values[name] = keep(fresh[name], old)
            if old.__class__ is list and kept.__class__ is list:
                changes[name] = encode(list_change(kept, old))
            else:
                changes[name] = encode((kept,))
        body = dumps(changes)
        self._file.write(HEAD.pack(len(body), zlib.crc32(body)) + body)
        self._file.flush()
        _sync(self._file.fileno())
        self._size += HEAD.size + len(body)
        if self._size > self._long:
            self._rewrite()

    def _rewrite(self) -> None:
        body = dumps({name: encode((value,)) for name, value in self.values.items()})
        draft = self._path.with_suffix(".new")
        with draft.open("wb") as file:
            file.write(HEAD.pack(len(body), zlib.crc32(body)) + body)
            file.flush()
            _sync(file.fileno())
        self._file.close()
        draft.replace(self._path)
        _sync_folder(self._path.parent)
        self._file = self._path.open("ab")
        self._size = HEAD.size + len(body)
        self._long = max(LONG, 4 * self._size)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _change(data: bytes, at: int) -> bytes | None:
    """The body of the change that begins at a position, or None if no whole one does."""
    if at + HEAD.size > len(data):
        return None
    size, checksum = HEAD.unpack_from(data, at)
    body = data[at + HEAD.size:at + HEAD.size + size]
    return body if len(body) == size and zlib.crc32(body) == checksum else None


def _applied(old: Any, change: tuple[Any, ...]) -> Any:
    if len(change) == 1:
        return change[0]
    start, removed, items = change
    return old[:start] + items + old[start + removed:]


def _sync(descriptor: int) -> None:
    try:
        fcntl.fcntl(descriptor, getattr(fcntl, "F_FULLFSYNC"))      # noqa: B009  # macOS: fsync leaves it in the drive
    except (AttributeError, OSError):
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
