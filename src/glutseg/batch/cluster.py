"""Run the tasks of a batch on an existing Dask cluster."""

from __future__ import annotations

import logging
import os
import pickle
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from glutseg.batch.plan import RunContext, Task, TaskQueue
from glutseg.batch.pool import Results
from glutseg.batch.process import TaskFunction, WorkerDiedError
from glutseg.batch.remote import (
    RemoteResult,
    RemoteTask,
    WorkerPathError,
    check_same_environment,
    environment,
    missing_file,
)
from glutseg.batch.worker import run_task, write_failed_case
from glutseg.errors import GlutsegError
from glutseg.installation import install_command
from glutseg.output.atomic import TEMP_PREFIX
from glutseg.result import CaseResult

CONNECT_S = 10.0
"""Time limit for an answer of the scheduler, in seconds."""
QUEUED_TASKS = 8
"""Tasks queued at the cluster beyond two per thread: enough that no worker is ever idle, and few, because a
task holds all headers of its study."""


def on_cluster(
    tasks: Sequence[Task],
    context: RunContext,
    scheduler: str,
    timeout_s: float,
    task_function: TaskFunction = run_task,
) -> Results:
    """Run the tasks on a Dask cluster; results come in the order in which they finish.

    Parameters
    ----------
    context : ``out`` is absolute, and the workers see it and the input under the same paths
    scheduler : address of the cluster's scheduler, ``tcp://HOST:8786``; it and its workers can run any code
        here, as this process can there (pickle), so it must be one's own, or reached by TLS
    timeout_s : time limit for a study, which then fails
    task_function : as in `glutseg.batch.pool.in_workers`

    Raises
    ------
    GlutsegError
        ``cluster-missing``, ``scheduler-unreachable``, ``worker-differs``, ``worker-path-missing`` and
        ``output-unwritable``. Any other problem fails its own study only: ``worker-died`` is a study whose
        process crashed, or that was on several workers when the cluster lost them.
    """
    with _client(scheduler) as client, _marker_file(context.out) as marker_file:
        _check_python(client)
        run_there, expected, record = _self_contained_function(), environment(), context.measurer.record()
        waiting = TaskQueue(tasks)
        running: dict[Any, Task] = {}
        answers = _as_completed(client)
        try:
            while waiting or running:
                for _ in range(min(len(waiting), _threads(client) * 2 + QUEUED_TASKS - len(running))):
                    task = waiting.popleft()
                    pickled_task = pickle.dumps(
                        RemoteTask(task, context, timeout_s, task_function, marker_file, record)
                    )
                    future = client.submit(run_there, expected, pickled_task, pure=False)
                    running[future] = task
                    answers.add(future)
                future = next(answers)
                task, answer = running.pop(future), _result_of(future, scheduler)
                if answer is None:  # it was cancelled and has to be submitted again
                    waiting.append(task)
                elif isinstance(answer, CaseResult):
                    yield answer
                else:
                    yield write_failed_case(task, context, _failure_of_study(task, answer))
        finally:
            client.cancel(list(running), force=True)


def _failure_of_study(task: Task, error: GlutsegError) -> GlutsegError:
    """Return the error if it concerns this study only.

    Raises
    ------
    GlutsegError
        The error itself, if it would stop every other study as well.
    """
    if isinstance(error, WorkerPathError) and missing_file(task):  # deleted, not just invisible to the worker
        return GlutsegError("input-missing", "an image file does not exist any more", str(missing_file(task)))
    if not isinstance(error, WorkerDiedError):
        raise error
    return error


def _result_of(future: Any, scheduler: str) -> RemoteResult:
    from distributed import KilledWorker

    try:
        answer: RemoteResult = future.result(timeout=CONNECT_S)
        return answer
    except KilledWorker as error:
        lost = error.allowed_failures + 1
        return WorkerDiedError(
            "worker-died", f"the cluster lost {lost} workers, one after the other, while they measured it"
        )
    except ImportError as error:
        return GlutsegError("worker-differs", f"a worker cannot run this version of glutseg: {error}")
    except Exception as error:  # noqa: BLE001 - whatever Dask raises becomes one clear message
        if future.status in ("cancelled", "lost", "pending"):
            return GlutsegError("scheduler-unreachable", "the connection to it was lost", scheduler)
        return GlutsegError("worker-differs", f"a task could not be run: {type(error).__name__}: {error}")
    finally:
        future.release()


def _self_contained_function() -> Callable[[Mapping[str, str], bytes], RemoteResult]:
    """Return the function that is sent to the workers, pickled by value.

    Pickled by reference, it would be imported from the glutseg installed at scheduler and workers (if any)
    before their version can be compared.
    """

    def measure(expected: Mapping[str, str], pickled_task: bytes) -> RemoteResult:
        from glutseg.batch.remote import run_remote_task

        return run_remote_task(expected, pickled_task)

    return measure


@contextmanager
def _client(scheduler: str) -> Iterator[Any]:
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port
    except ImportError as error:
        message = f"distributed is not installed; the command is: {install_command('cluster')}"
        raise GlutsegError("cluster-missing", message) from error
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # the user gets one message, from here
    try:
        get_address_host_port(scheduler, strict=True)  # a client for a bad address is hard to stop
        client = Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, ImportError, TypeError) as error:  # TimeoutError is an OSError
        first = str(error).strip().split("\n")[0] or type(error).__name__
        raise GlutsegError("scheduler-unreachable", first, scheduler) from error
    try:
        yield client
    finally:
        # RuntimeError: asyncio's, where its own time runs out while it closes; what went wrong before counts
        with suppress(OSError, RuntimeError):
            client.close(timeout=CONNECT_S)


def _as_completed(client: Any) -> Any:
    from distributed import as_completed

    return as_completed(loop=client.loop)


def _threads(client: Any) -> int:
    """Return the cluster's current number of threads; workers may come and go."""
    try:
        return sum(client.nthreads().values())
    except OSError as error:
        raise GlutsegError("scheduler-unreachable", "it does not answer any more", str(error)) from error


def _check_python(client: Any) -> None:
    """Compare the Python versions first: a function pickled by value needs the same Python."""
    found = client.get_versions()
    here = environment()["python"]
    for host in (found["scheduler"], *found["workers"].values()):
        version = ".".join(str(host["host"]["python"]).split(".")[:2])
        check_same_environment({"python": here}, {"python": version})


@contextmanager
def _marker_file(out: Path) -> Iterator[Path]:
    """Create a file with a new name in the output folder; a worker that finds it sees this very folder."""
    try:
        handle, name = tempfile.mkstemp(prefix=f"{TEMP_PREFIX}run-", dir=out)
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(out)) from error
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
