"""One task on a worker of a Dask cluster: compare the worker's environment with the run's, then measure.

The study is measured in a process of its own beside the worker, as in a local run: a crash or a timeout
ends the study and not the cluster's worker, a cancelled run stops at once, and each study has one thread
however many the worker has.
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
from glutseg.batch.plan import RunContext, Task
from glutseg.batch.pool import ATTEMPTS
from glutseg.batch.process import START_TIMEOUT_S, TaskFunction, Worker, WorkerDiedError
from glutseg.batch.worker import write_failed_case
from glutseg.errors import GlutsegError
from glutseg.output.run_record import versions
from glutseg.result import CaseResult

POLL_S = 0.5
"""Interval at which a worker checks whether the run was cancelled, in seconds."""
IDLE_S = 60.0
"""Time after which an idle process exits, in seconds: others on the cluster may need its memory."""


class WorkerPathError(GlutsegError):
    """A worker has no access to a file or folder of the run."""


RemoteResult = CaseResult | GlutsegError | None
"""A result, an error that stops the run, or None if the task was cancelled."""


@dataclass(frozen=True)
class RemoteTask:
    """A task with what a worker needs to know of its run.

    Attributes
    ----------
    timeout_s : time limit for the study, which then fails
    marker_file : a file in the output folder that only this run has
    record : `Measurer.record` on the machine that started the run
    """

    task: Task
    context: RunContext
    timeout_s: float
    task_function: TaskFunction
    marker_file: Path
    record: Mapping[str, str]


def environment() -> dict[str, str]:
    """Return the versions that a worker must share with the run, so that their numbers are comparable."""
    python = ".".join(platform.python_version_tuple()[:2])
    known = versions()
    libraries = {str(name): str(number) for name, number in known["libraries"].items()}
    return {
        "python": python,
        "glutseg": known["glutseg_version"],
        "glutseg's code": _code_sha256(),
    } | libraries


def run_remote_task(expected: Mapping[str, str], pickled_task: bytes) -> RemoteResult:
    """Run a pickled `RemoteTask` on a worker whose `environment` is as expected.

    Errors are returned, not raised: Dask would log them with the arguments, which name patients.
    """
    try:
        check_same_environment(expected, environment())
        remote_task: RemoteTask = pickle.loads(pickled_task)  # noqa: S301 - its sender controls the cluster
        _check_paths(remote_task)
        _check_measurer(remote_task)
        return _measure_in_process(remote_task, _wanted_check())
    except GlutsegError as error:
        return error


def check_same_environment(expected: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Compare the environment of the run with a worker's.

    Raises
    ------
    GlutsegError
        ``worker-differs``, naming every difference.
    """
    names = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    if names:
        differences = (
            f"{n} is {found.get(n) or 'none'!s:.12}, here {expected.get(n) or 'none'!s:.12}" for n in names
        )
        raise GlutsegError("worker-differs", "; ".join(differences), socket.gethostname())


@cache
def _code_sha256() -> str:
    """Digest of the package's source: two checkouts may have the same version number."""
    package = Path(glutseg.__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*package.rglob("*.py"), package / "codes.toml"]):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _check_paths(remote_task: RemoteTask) -> None:
    if not remote_task.marker_file.exists():
        raise WorkerPathError(
            "worker-path-missing",
            "it does not see the output folder",
            _at_this_host(remote_task.marker_file.parent),
        )
    missing = missing_file(remote_task.task)
    if missing:
        raise WorkerPathError(
            "worker-path-missing", "it does not see a file of the input", _at_this_host(missing)
        )


def _check_measurer(remote_task: RemoteTask) -> None:
    measurer = remote_task.context.measurer
    try:
        measurer.check()
    except GlutsegError as error:
        raise error.at(_at_this_host(Path(error.where))) from error
    check_same_environment(remote_task.record, measurer.record())


def missing_file(task: Task) -> Path | None:
    """Return the first image file of a series if it does not exist, or None."""
    firsts = (series.slices[0].source.path for series in task.study.series if series.slices)
    return next((path for path in firsts if not path.exists()), None)


def _at_this_host(path: Path) -> str:
    return f"{path} at {socket.gethostname()}"


def _measure_in_process(remote_task: RemoteTask, is_wanted: Callable[[], bool]) -> RemoteResult:
    answer: RemoteResult = None
    for _ in range(ATTEMPTS):
        answer = _attempt(remote_task, is_wanted)
        if not isinstance(answer, WorkerDiedError):
            break
    if isinstance(answer, GlutsegError) and answer.scope != "run":
        return write_failed_case(remote_task.task, remote_task.context, answer)
    return answer


def _attempt(remote_task: RemoteTask, is_wanted: Callable[[], bool]) -> RemoteResult:
    worker = _idle_workers.take(remote_task) or _new_worker(remote_task)
    is_reusable = False
    try:
        worker.start_task(remote_task.task, remote_task.timeout_s)
        while not worker.wait_for_event(POLL_S):
            if not is_wanted():
                return None
        _, answer = worker.collect_result()
        is_reusable = isinstance(answer, CaseResult)
        return answer
    finally:
        if is_reusable:
            _idle_workers.put_back(remote_task, worker)
        else:
            worker.stop()


def _new_worker(remote_task: RemoteTask) -> Worker:
    # a Dask worker is a daemon process, which may not have children; `Worker.stop` ends ours
    with suppress(AssertionError):
        multiprocessing.current_process().daemon = False
    worker = Worker(remote_task.context, remote_task.task_function, idle_s=IDLE_S)
    worker.wait_for_event(START_TIMEOUT_S)
    try:
        worker.confirm_started()
    except GlutsegError as error:  # not this study's failure: the next one would fail as well
        worker.stop()
        raise GlutsegError("worker-differs", error.message, socket.gethostname()) from error
    return worker


class _IdleWorkers:
    """Idle worker processes, kept for the next study of the same run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: list[tuple[RunContext, TaskFunction, Worker]] = []

    def take(self, remote_task: RemoteTask) -> Worker | None:
        with self._lock:
            self._workers = [entry for entry in self._workers if entry[2].is_alive]
            for n, (context, task_function, _) in enumerate(self._workers):
                if context == remote_task.context and task_function == remote_task.task_function:
                    return self._workers.pop(n)[2]
        return None

    def put_back(self, remote_task: RemoteTask, worker: Worker) -> None:
        with self._lock:
            self._workers.append((remote_task.context, remote_task.task_function, worker))


_idle_workers = _IdleWorkers()


def _wanted_check() -> Callable[[], bool]:
    """Return a function that says whether the current Dask task is still wanted (not cancelled)."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def is_wanted() -> bool:
        state = worker.state.tasks.get(key)
        return state is not None and state.state != "cancelled"

    return is_wanted
