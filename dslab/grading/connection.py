"""The grader's end of a student's process: requests, time limits, and values that arrive."""

from __future__ import annotations

import builtins
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from dslab.grading import wire
from dslab.grading.channel import Channel, ClosedError
from dslab.grading.zygote import MEMORY_BYTES
from dslab.sim import errors as sim_errors

if TYPE_CHECKING:
    from dslab.grading.session import Session

# The simulator replaces `time.monotonic` while a node's code runs; these stay what they are.
_now, _clock = time.monotonic, time.clock_gettime
_WORKING = {"R", "D"}  # states of a process, see proc(5)


class StudentGone(BaseException):
    """The student's process took too long or ended; no `except Exception` of a check may hide that."""


class AnswerError(Exception):
    """An exception of the student's that has no namesake on this side."""


class Connection:
    """One process of a student's.

    Args:
        session: what it belongs to.
        channel: to the process. pid: its number.
    """

    def __init__(self, session: Session, channel: Channel, pid: int) -> None:
        self.session, self.channel, self.pid = session, channel, pid
        self.found: dict[tuple[str, str], int] = {}  # (cell, name) -> handle
        self.randoms: dict[str, Any] = {}
        self.state: dict[str, str] = {}  # name of a value that an answer defines -> the value, described
        # (kind, handle, whether a check made it) -> stand-in
        self.objects: WeakValueDictionary[tuple[str, int, bool], Any] = WeakValueDictionary()
        self.replaced: dict[str, tuple[Any, bool]] = {}  # name -> what a check has put there, whether it could be told
        self.seeded: dict[str, int] = {}  # module -> number of the call of `seed` that was told last
        self.generators: dict[int, Any] = {}  # number of a random generator -> its state as it was handed over last
        self.cells_run = 0
        self._requests = 0
        self._space_before = self._space()
        self._used = 0.0  # CPU seconds, noted last
        self._looked: float | None = None

    def request(self, what: str, *about: Any) -> Any:
        """What the process answers.

        Raises:
            StudentGone: it took too long, or is gone.
            Exception: what the student's code raised.
        """
        session = self.session
        self._requests += 1
        if self._requests % 64 == 0:  # many short answers take time too
            self.waiting()
        try:
            request = self.encode([what, *about])
        except wire.WireError as error:
            self.generators.clear()
            raise TypeError(f"the check hands the answer something that cannot cross: {error}") from None
        try:
            self.channel.send(request, self.waiting)
            while True:
                reply = self._receive()
                kind = reply[0]
                if kind == "value" or kind == "raised":
                    break
                self.waiting()
                self.channel.send(self.encode(self._served(kind, reply[1:])), self.waiting)
            _, content, printed, refused, changed = reply
        except (ClosedError, wire.WireError, TypeError, ValueError, LookupError) as error:
            self._note_use()
            session.lose(self, "crashed", str(error))
        except StudentGone:
            raise
        except BaseException:  # the cell was interrupted while the student's code ran
            self._note_use()
            session.lose(self, "timeout", "it was interrupted", silent=True)
            raise
        self._looked = None
        if refused:
            session.note_refused(refused)
        if changed:
            session.note_changed(self, changed)
        if printed and isinstance(printed, str):
            sys.stdout.write(session.printable(printed))
        if kind == "raised":
            raise self._exception(content)
        return content

    def encode(self, value: Any) -> bytes:
        """A value of this side as the process will read it."""
        return wire.encode(value, lambda other, walk: self.session.encode_other(self, other, walk))

    def _receive(self) -> list[Any]:
        data = self.channel.receive(self.waiting)
        if not self.session.has_room(len(data)):
            self.session.lose(self, "memory", "it hands over more than there is room for")
        reply = wire.decode(data, self._value)
        if not isinstance(reply, list) or not reply:
            raise wire.WireError("it is no answer")
        return reply

    def _served(self, kind: Any, about: list[Any]) -> list[Any]:
        """The answer to what the student's process asks in the middle of a call."""
        try:
            if kind == "callback":
                number, arguments, named = about
                called = self.session.callbacks[number]
                return ["answered", called(*arguments, **named) if callable(called) else next(called)]
            if kind == "random":
                return ["answered", self.randoms[about[0]].getstate()]
        except StudentGone:
            raise
        except Exception as error:
            arguments = [part for part in error.args if isinstance(part, str | int | float)]
            return ["failed", type(error).__name__, arguments]
        raise wire.WireError("it asks for something that there is not")

    # ---- time

    def waiting(self) -> None:
        """Looks at the clock while the student's code runs.

        Time that it computes counts by its CPU clock, time that it sleeps by the wall clock; time in which the
        machine lets it wait for a processor does not count.
        """
        now = _now()
        last, self._looked = self._looked, now
        self._note_use()
        if last is not None and not self._works():
            self.session.used(now - last)
        if self.session.overdue():
            self.session.lose(self, "timeout", "it did not end in time")

    def _note_use(self) -> None:
        try:
            used = _clock((~self.pid << 3) | 2)  # the CPU clock of another process, see clock_getcpuclockid(3)
        except OSError:
            return
        self.session.used(max(0.0, used - self._used))
        self._used = used

    def is_burdened(self) -> bool:
        """Whether the process has more threads than one, or has used up half of its memory."""
        try:
            threads = len(list(Path(f"/proc/{self.pid}/task").iterdir()))
        except OSError:
            return False
        return threads > 1 or self._space() - self._space_before > MEMORY_BYTES // 2

    def _space(self) -> int:
        """The bytes of its address space."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            return 0

    def _works(self) -> bool:
        try:
            about = Path(f"/proc/{self.pid}/stat").read_text("utf-8", "replace")
            return about.rpartition(")")[2].split()[0] in _WORKING
        except (OSError, IndexError):
            return False

    # ---- exceptions

    def _exception(self, content: Any) -> Exception:
        """The student's exception as one of this side's: a namesake where there is one."""
        try:
            classes, arguments, text, line, code, attributes = content
            name = classes[0][0]
            told = [type(text), type(code), type(name), type(line), type(arguments)] == [str, str, str, int, list]
            known = [self._class_of(str(one), str(module)) for one, module in classes] if told else []
        except (TypeError, ValueError, LookupError):
            known = []
        if not known:
            return AnswerError("the answer raised something that cannot be told")
        cls = next((one for one in known if one not in (None, Exception)), None) or AnswerError
        error = None if cls is AnswerError else _made(cls, arguments, text)
        if error is None:
            error = Exception(*arguments) if name == "Exception" else AnswerError(f"{name}: {text}" if text else name)
        if type(error).__module__ == "__main__" and not isinstance(error, sim_errors.DslabError):
            self._add_attributes(error, attributes)
        error.answer_text = text  # type: ignore[attr-defined]
        error.answer_line = (line, code) if line > 0 else None  # type: ignore[attr-defined]
        error.answer_name = name  # type: ignore[attr-defined]
        return error

    def _add_attributes(self, error: Exception, attributes: Any) -> None:
        """What the student's own class keeps beside the arguments, as far as it is plain."""
        with suppress(wire.WireError, TypeError, ValueError, AttributeError, LookupError):
            for name, described in attributes[:20]:
                if name.isidentifier() and name[0] != "_" and not hasattr(error, name):
                    setattr(error, name, wire.decode(described.encode("utf-8"), self._value))

    def _value(self, tag: str, data: Any) -> Any:
        return self.session.value(self, tag, data)

    def _class_of(self, name: str, module: str) -> Callable[..., Exception] | None:
        places: list[Any] = [builtins] if module == "builtins" else [sim_errors]
        root = module.partition(".")[0]
        if root in ("numpy", "networkx") and module in sys.modules:
            places.append(sys.modules[module])
        found = self.session.exceptions.get(name) if module == "__main__" else None
        for place in places:
            found = found or getattr(place, name, None)
        return found if isinstance(found, type) and issubclass(found, Exception) else None


def _made(cls: Any, arguments: list[Any], text: str) -> Exception | None:
    """An exception of a class, also of one that wants other arguments than it hands on; None if there can be none."""
    with suppress(Exception):
        made: Exception = cls(*arguments) if arguments else cls(text) if text else cls()
        return made
    with suppress(Exception):
        made = Exception.__new__(cls, *(arguments or [text]))
        return made
    return None
