"""Reads hand-ins out of a zip file, as learning platforms give them; nothing is ever unpacked onto a disk."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path

from dslab.grading import intake
from dslab.grading.intake import HandInError

MAX_ENTRIES = 100_000
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others may ask for any amount of memory
_ENCRYPTED = 0x1


def entries(path: Path) -> list[zipfile.ZipInfo]:
    """What the zip file at `path` says it holds, folders left out.

    Raises:
        HandInError: it is no zip file that can be read; the text is one sentence.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise HandInError("this is not an ordinary file: give the zip file itself, or the folder unpacked")
        with zipfile.ZipFile(path) as archive:
            found = [entry for entry in archive.infolist() if not entry.is_dir()]
    except FileNotFoundError:
        raise HandInError("there is no such file: check the path") from None
    except OSError as error:
        raise HandInError(f"the file cannot be opened ({error.strerror or error})") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        raise HandInError("this is no zip file, or a broken one: download it again") from None
    if len(found) > MAX_ENTRIES:
        raise HandInError(f"the zip has more than {MAX_ENTRIES} files: give the hand-ins only")
    return found


def read_entry(path: Path, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of one file in the zip at `path`, made lean; at most LARGEST_FILE are read, whatever it claims to have.

    Raises:
        HandInError: it cannot be read or is too large; the text is one sentence.
    """
    if entry.flag_bits & _ENCRYPTED:
        raise HandInError("it is encrypted in the zip: hand in the .ipynb file without a password")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise HandInError("this is a link, not a file: hand in the notebook itself")
    if entry.compress_type not in _PLAIN:
        raise HandInError("it is packed in a way that is not read here: hand in the .ipynb file itself")
    if entry.file_size > intake.LARGEST_FILE:
        raise intake.too_large(entry.file_size)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(entry) as file:
            data = file.read(intake.LARGEST_FILE + 1)
    except Exception:  # a broken zip raises a dozen kinds, and there is one thing to say
        raise HandInError("it is broken in the zip: hand in the .ipynb file again") from None
    if len(data) > intake.LARGEST_FILE:
        raise intake.too_large(len(data))
    return intake.lean(data)
