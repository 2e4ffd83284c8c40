"""One task on a worker of a Dask cluster: checked that it gives what it would give at home, then measured.

The study is measured in a process of its own beside the worker, as in a local run: a crash or a time-out
ends the study and not the cluster's worker, a run that is called off ends at once, and each study has one
thread however many the worker has.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import pickle
import platform
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import glutseg
from glutseg.batch.plan import Orders, Task
from glutseg.batch.pool import ATTEMPTS
from glutseg.batch.process import STARTING_S, Work, Worker, WorkerDiedError
from glutseg.batch.worker import give_up
from glutseg.errors import GlutsegError
from glutseg.output.run_record import versions
from glutseg.result import CaseResult

POLL_S = 0.5
"""How soon a worker hears that a run was called off."""
IDLE_S = 60.0
"""After which a process without a study ends: it holds memory that others on the cluster may need."""


class WorkerPathError(GlutsegError):
    """A worker has no access to a file or folder of the run."""


Answer = CaseResult | GlutsegError | None
"""What comes back: a result, an error that stops the run, or nothing where nobody waits for it any more."""


@dataclass(frozen=True)
class Errand:
    """A task and what a worker must know of its run.

    Attributes
    ----------
    timeout_s : after which the study is given up
    sign : a file in the output folder that only this run has
    record : who outlines at home, with the versions of its libraries
    """

    task: Task
    orders: Orders
    timeout_s: float
    work: Work
    sign: Path
    record: Mapping[str, str]


def conditions() -> dict[str, str]:
    """All that must be the same here and at a worker, or their figures must not stand in one table."""
    python = ".".join(platform.python_version_tuple()[:2])
    known = versions()
    libraries = {str(name): str(number) for name, number in known["libraries"].items()}
    return {
        "python": python,
        "glutseg": known["glutseg_version"],
        "glutseg's code": _code_sha256(),
    } | libraries


def perform(expected: Mapping[str, str], parcel: bytes) -> Answer:
    """Carry out a pickled `Errand` on a worker whose `conditions` are those expected.

    Errors are answers and not raised: Dask would log its arguments with them, which name patients.
    """
    try:
        check_same(expected, conditions())
        errand: Errand = pickle.loads(parcel)  # noqa: S301 - from whoever commands the cluster anyway
        _check_sight(errand)
        _check_measurer(errand)
        return _carry_out_apart(errand, _asker())
    except GlutsegError as error:
        return error


def check_same(expected: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Compare the conditions of the run with a worker's.

    Raises
    ------
    GlutsegError
        ``worker-differs``, with every difference.
    """
    names = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    if names:
        words = (
            f"{n} is {found.get(n) or 'none'!s:.12}, here {expected.get(n) or 'none'!s:.12}" for n in names
        )
        raise GlutsegError("worker-differs", "; ".join(words), socket.gethostname())


@cache
def _code_sha256() -> str:
    """Of the package's source: two checkouts may bear one version number."""
    package = Path(glutseg.__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*package.rglob("*.py"), package / "codes.toml"]):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _check_sight(errand: Errand) -> None:
    if not errand.sign.exists():
        raise WorkerPathError("worker-path-missing", "the output folder", _at_this_host(errand.sign.parent))
    unseen = unseen_file(errand.task)
    if unseen:
        raise WorkerPathError("worker-path-missing", "a file of the input", _at_this_host(unseen))


def _check_measurer(errand: Errand) -> None:
    measurer = errand.orders.measurer
    try:
        measurer.check()
    except GlutsegError as error:
        raise error.at(_at_this_host(Path(error.where))) from error
    check_same(errand.record, measurer.record())


def unseen_file(task: Task) -> Path | None:
    """The first image of a series that is not there, or None."""
    firsts = (series.slices[0].source.path for series in task.study.series if series.slices)
    return next((path for path in firsts if not path.exists()), None)


def _at_this_host(path: Path) -> str:
    return f"{path} at {socket.gethostname()}"


def _carry_out_apart(errand: Errand, is_wanted: Callable[[], bool]) -> Answer:
    answer: Answer = None
    for _ in range(ATTEMPTS):
        answer = _attempt(errand, is_wanted)
        if not isinstance(answer, WorkerDiedError):
            break
    if isinstance(answer, GlutsegError) and answer.scope != "run":
        return give_up(errand.task, errand.orders, answer)
    return answer


def _attempt(errand: Errand, is_wanted: Callable[[], bool]) -> Answer:
    worker = _idle.take(errand) or _new_worker(errand)
    is_whole = False
    try:
        worker.begin(errand.task, errand.timeout_s)
        while not worker.has_news(POLL_S):
            if not is_wanted():
                return None
        _, answer = worker.finish()
        is_whole = isinstance(answer, CaseResult)
        return answer
    finally:
        if is_whole:
            _idle.give(errand, worker)
        else:
            worker.end()


def _new_worker(errand: Errand) -> Worker:
    # the cluster's worker is itself a daemon, which may not have children; it ends its own (Worker.end)
    with suppress(AssertionError):
        multiprocessing.current_process().daemon = False
    worker = Worker(errand.orders, errand.work, idle_s=IDLE_S)
    worker.has_news(STARTING_S)
    try:
        worker.greet()
    except GlutsegError as error:  # not the study's failure: the next one would meet the same
        worker.end()
        raise GlutsegError("worker-differs", error.message, socket.gethostname()) from error
    return worker


class _Idle:
    """Processes without a study, for the next one of the same run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: list[tuple[Orders, Work, Worker]] = []

    def take(self, errand: Errand) -> Worker | None:
        with self._lock:
            self._workers = [entry for entry in self._workers if entry[2].is_alive]
            for k, (orders, work, _) in enumerate(self._workers):
                if orders == errand.orders and work == errand.work:
                    return self._workers.pop(k)[2]
        return None

    def give(self, errand: Errand, worker: Worker) -> None:
        with self._lock:
            self._workers.append((errand.orders, errand.work, worker))


_idle = _Idle()


def _asker() -> Callable[[], bool]:
    """Tells whether anybody still waits for the task that this thread of a Dask worker has in hand."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def is_wanted() -> bool:
        state = worker.state.tasks.get(key)
        return state is not None and state.state != "cancelled"

    return is_wanted
