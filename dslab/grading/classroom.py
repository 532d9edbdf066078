"""Grades a whole class, here or on a Dask cluster; what is finished is kept, however the run ends."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from dslab.grading import sandbox, worker
from dslab.grading.assignment import Assignment
from dslab.grading.grade import unreadable
from dslab.grading.handins import Found, file_names
from dslab.grading.intake import HandInError
from dslab.grading.journal import Journal, grader_version
from dslab.grading.processes import CallError, DiedError, Processes

_DIED = "grading ended its process each time it was tried: grade this one by itself"
CONNECT_SECONDS = 10  # in which a scheduler must answer


class ClassroomError(Exception):
    """The class cannot be graded, or not to its end; the text is one sentence."""


class Answer(NamedTuple):
    """What became of one call: a result, or why there is none."""

    result: dict[str, Any]
    problem: str
    seconds: float


@dataclass
class Graded:
    """What there is of a class.

    Attributes:
        results: as worker.grade_task gives them, in the order they were finished.
        seconds: that each hand-in took, by name.
        stopped: why some hand-ins are missing; "" if none is.
        interrupted: it was Ctrl-C.
    """

    results: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    stopped: str = ""
    interrupted: bool = False


def _grade(processes: Processes, task: worker.Task) -> Answer:
    start = time.monotonic()
    try:
        result, problem = processes.call(worker.grade_task, task), ""
    except DiedError:
        result, problem = {}, _DIED
    except (CallError, OSError) as error:
        result, problem = {}, f"grading stopped with {error}; grade this one again by itself"
    return Answer(result, problem, time.monotonic() - start)


class Machine:
    """Where hand-ins are graded; a context that ends with `stop`.

    Attributes:
        at_once: hand-ins that are graded at the same time.
    """

    at_once: int

    def layers(self) -> tuple[sandbox.Layer, ...]:
        """The sandbox's layers, and which of them work everywhere."""
        raise NotImplementedError

    def submit(self, task: worker.Task) -> Future[Answer]:
        """Starts grading one hand-in as soon as there is room."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ends every process; what was not finished fails."""
        raise NotImplementedError

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Here(Machine):
    """This machine.

    Args:
        workers: hand-ins that are graded at the same time.
    """

    def __init__(self, workers: int) -> None:
        self.at_once = workers
        self._processes = Processes(worker.close, first=0)
        self._threads = ThreadPoolExecutor(workers)

    def layers(self) -> tuple[sandbox.Layer, ...]:
        return sandbox.probe()

    def submit(self, task: worker.Task) -> Future[Answer]:
        return self._threads.submit(_grade, self._processes, task)

    def stop(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._processes.stop()
        self._threads.shutdown()


# In a Dask worker: its processes, for each run that uses the cluster. A run whose program was killed leaves its
# processes there until they have been idle for long enough.
_on_worker: dict[str, Processes] = {}
_on_worker_lock = threading.Lock()


def _grade_on_worker(run: str, task: worker.Task) -> Answer:
    with _on_worker_lock:
        processes = _on_worker.setdefault(run, Processes(worker.close))
    return _grade(processes, task)


def _begin_on_worker(run: str, first: dict[str, int], dask_worker: Any) -> tuple[str, tuple[sandbox.Layer, ...]]:
    with _on_worker_lock:
        _on_worker[run] = Processes(worker.close, first.get(dask_worker.address, 0))
    return grader_version(), sandbox.probe()


def _end_on_worker(run: str) -> None:
    with _on_worker_lock:
        processes = _on_worker.pop(run, None)
    if processes is not None:
        processes.stop()


async def _greet(address: str) -> None:
    """Connects once: a client would wait for ever for a server that accepts connections and says nothing."""
    from distributed import Security
    from distributed.comm import connect

    comm = await connect(address, timeout=CONNECT_SECONDS, **Security().get_connection_args("client"))
    await comm.close()


class Cluster(Machine):
    """A Dask cluster; each of its workers grades as many hand-ins at the same time as it has threads.

    Args:
        address: the scheduler's.

    Raises:
        ClassroomError: it cannot be used.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError:
            raise ClassroomError(
                "--scheduler needs the package distributed, which is not installed: pip install distributed"
            ) from None
        for name in list(logging.root.manager.loggerDict):
            if name.startswith("distributed"):
                logging.getLogger(name).setLevel(logging.CRITICAL)  # one sentence says it better
        self._run = uuid.uuid4().hex
        try:
            asyncio.run(asyncio.wait_for(_greet(address), CONNECT_SECONDS))
            self._client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except Exception as error:
            why = str(error).split("\n")[0] or "it says nothing"
            raise ClassroomError(f"no Dask scheduler answers at {address} ({why}): check the address") from None
        try:
            self.at_once, self._layers = self._begin(address)
        except BaseException:
            self._client.close()
            raise
        self._executor = self._client.get_executor(pure=False)

    def _begin(self, address: str) -> tuple[int, tuple[sandbox.Layer, ...]]:
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            raise ClassroomError(f"the cluster at {address} has no workers: start some with `dask worker {address}`")
        first: dict[str, int] = {}
        on_host: dict[str, int] = {}
        for place, about in sorted(workers.items()):
            first[place] = on_host.get(about["host"], 0)
            on_host[about["host"]] = first[place] + about["nthreads"]
        try:
            answers = self._client.run(_begin_on_worker, self._run, first)
        except Exception as error:
            why = str(error).split("\n")[0]
            raise ClassroomError(
                f"the workers of {address} cannot load the course ({type(error).__name__}: {why}): install it there"
            ) from None
        if {version for version, _ in answers.values()} != {grader_version()}:
            raise ClassroomError(f"the workers of {address} have another version of the course: install this one there")
        together = zip(*(layers for _, layers in answers.values()))
        return sum(on_host.values()), tuple(min(layer, key=lambda one: one.works) for layer in together)

    def layers(self) -> tuple[sandbox.Layer, ...]:
        return self._layers

    def submit(self, task: worker.Task) -> Future[Answer]:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")  # a hand-in may have many pictures
            answer: Future[Answer] = self._executor.submit(_grade_on_worker, self._run, task)
        return answer

    def stop(self) -> None:
        with suppress(Exception):  # a cluster that is gone has no processes
            self._executor.shutdown(wait=False)
            self._client.run(_end_on_worker, self._run)
        self._client.close()


def _answer(future: Future[Answer]) -> Answer:
    try:
        return future.result()
    except CancelledError:
        raise ClassroomError("the cluster is gone: the same command grades those that are missing") from None
    except Exception as error:
        killed = type(error).__name__ == "KilledWorker"  # Dask's: each worker that had it died
        return Answer({}, _DIED if killed else f"grading stopped with {type(error).__name__}: {error}", 0.0)


class _Class:
    """A class while it is graded."""

    def __init__(
        self, assignment: Assignment, journal: Journal, hand_ins: Sequence[Found], on_finished: Callable[[], None]
    ) -> None:
        self.assignment, self.journal, self.on_finished = assignment, journal, on_finished
        self.files = file_names([found.name for found in hand_ins])
        self.graded = Graded()
        self.pending: dict[Future[Answer], tuple[str, str]] = {}

    def start(self, found: Found, machine: Machine, timeout: float, layers: tuple[str, ...]) -> None:
        """Takes what was finished before, or hands over to the machine."""
        try:
            data = found.read()
        except HandInError as error:
            self.add(unreadable(self.assignment, found.name, str(error)), 0.0)
            return
        key = self.journal.key(found.name, data)
        finished = self.journal.find(self.files[found.name], key)
        if finished is not None:
            self.add(finished.result, finished.seconds)
            return
        future = machine.submit(worker.Task(self.assignment, found.name, data, timeout, layers))
        self.pending[future] = found.name, key

    def finish(self, future: Future[Answer]) -> None:
        """Keeps what came back; what could not be graded may be tried again, so that is not kept."""
        name, key = self.pending.pop(future)
        answer = _answer(future)
        if answer.problem:
            self.add(unreadable(self.assignment, name, answer.problem), answer.seconds)
        else:
            self.add(*self.journal.keep(self.files[name], key, answer.result, answer.seconds))

    def add(self, result: dict[str, Any], seconds: float) -> None:
        self.graded.results.append(result)
        self.graded.seconds[result["json"]["name"]] = seconds
        self.on_finished()


def grade_class(
    assignment: Assignment,
    hand_ins: Sequence[Found],
    out: Path,
    machine: Machine,
    *,
    timeout: float,
    layers: tuple[str, ...],
    on_finished: Callable[[], None] = lambda: None,
) -> Graded:
    """Grades every hand-in that `out` has no result of yet; Ctrl-C gives what is finished.

    Each result is written at once, to "finished" in `out`: the same call after any kind of end grades what is missing.

    Args:
        timeout: seconds that an answer may use in one cell.
        layers: of the sandbox.
        on_finished: called once for each hand-in.

    Raises:
        OSError: nothing can be written to `out`; BlockingIOError: another run does.
    """
    journal = Journal(out / "finished", assignment, (timeout, layers))
    course = _Class(assignment, journal, hand_ins, on_finished)
    graded, waiting = course.graded, list(reversed(hand_ins))
    try:
        while waiting or course.pending:
            # Not all of them: their bytes would be in memory together.
            while waiting and len(course.pending) < 2 * machine.at_once:
                course.start(waiting.pop(), machine, timeout, layers)
            if course.pending:
                for future in wait(course.pending, return_when=FIRST_COMPLETED).done:
                    course.finish(future)
    except KeyboardInterrupt:
        graded.stopped, graded.interrupted = "stopped", True
        for future in [future for future in course.pending if future.done() and not future.cancelled()]:
            course.finish(future)
    except ClassroomError as error:
        graded.stopped = str(error)
    finally:
        journal.close()
    return graded
