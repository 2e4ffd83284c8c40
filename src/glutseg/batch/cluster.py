"""A run on an existing Dask cluster: the same tasks, carried out wherever it has workers."""

from __future__ import annotations

import logging
import os
import pickle
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from glutseg.batch.plan import Orders, Task
from glutseg.batch.pool import Results
from glutseg.batch.process import Work, WorkerDiedError
from glutseg.batch.remote import Answer, Errand, WorkerPathError, check_same, conditions, unseen_file
from glutseg.batch.worker import carry_out, give_up
from glutseg.errors import GlutsegError
from glutseg.output.atomic import TEMP_PREFIX
from glutseg.result import CaseResult

CONNECT_S = 10.0
"""Allowed for the scheduler to answer."""
AHEAD = 8
"""Tasks that wait at the cluster beyond those its threads have in hand: enough that no worker is ever idle,
and few, because a task holds all headers of its study."""


def on_cluster(
    tasks: Sequence[Task], orders: Orders, scheduler: str, timeout_s: float, work: Work = carry_out
) -> Results:
    """Carry out the tasks on a Dask cluster; results come in whatever order they are done.

    Parameters
    ----------
    orders : ``out`` is absolute, and the workers see it and the input under the same paths
    scheduler : address of the cluster's scheduler, ``tcp://HOST:8786``
    timeout_s : after which a study is stopped and given up
    work : as in `glutseg.batch.pool.in_workers`

    Raises
    ------
    GlutsegError
        ``cluster-missing``, ``scheduler-unreachable``, ``worker-differs``, ``worker-path-missing`` and
        ``output-unwritable``. What happens to a study is its own failure: a study that its process did
        not survive, or that the cluster lost with its workers again and again, is ``worker-died``.
    """
    with _client(scheduler) as client, _sign(orders.out) as sign:
        _check_python(client)
        run_there, expected, record = _by_value(), conditions(), orders.measurer.record()
        waiting = deque(tasks)
        at_work: dict[Any, Task] = {}
        answers = _as_completed(client)
        try:
            while waiting or at_work:
                for _ in range(min(len(waiting), _threads(client) * 2 + AHEAD - len(at_work))):
                    task = waiting.popleft()
                    parcel = pickle.dumps(Errand(task, orders, timeout_s, work, sign, record))
                    future = client.submit(run_there, expected, parcel, pure=False)
                    at_work[future] = task
                    answers.add(future)
                future = next(answers)
                task, answer = at_work.pop(future), _answer(future, scheduler)
                if answer is None:  # it was called off and asked for again
                    waiting.append(task)
                elif isinstance(answer, CaseResult):
                    yield answer
                else:
                    yield give_up(task, orders, _of_the_study(task, answer))
        finally:
            client.cancel(list(at_work), force=True)


def _of_the_study(task: Task, error: GlutsegError) -> GlutsegError:
    """The error if it concerns this study only.

    Raises
    ------
    GlutsegError
        The error, if every other study would meet the same.
    """
    if isinstance(error, WorkerPathError) and unseen_file(task):  # it is gone for everybody
        return GlutsegError("input-missing", "an image is not there any more", str(unseen_file(task)))
    if not isinstance(error, WorkerDiedError):
        raise error
    return error


def _answer(future: Any, scheduler: str) -> Answer:
    from distributed import KilledWorker

    try:
        answer: Answer = future.result(timeout=CONNECT_S)
        return answer
    except KilledWorker as error:
        lost = error.allowed_failures + 1
        return WorkerDiedError("worker-died", f"the cluster lost {lost} workers with it, one after the other")
    except ImportError as error:
        return GlutsegError("worker-differs", f"a worker cannot run this version of glutseg: {error}")
    except Exception as error:  # noqa: BLE001 - whatever the cluster may raise ends in one clear line
        if future.status in ("cancelled", "lost", "pending"):
            return GlutsegError("scheduler-unreachable", "the connection to it was lost", scheduler)
        return GlutsegError("worker-differs", f"a task could not be run: {type(error).__name__}: {error}")
    finally:
        future.release()


def _by_value() -> Callable[[Mapping[str, str], bytes], Answer]:
    """What is sent to the workers: a function that travels whole.

    Otherwise scheduler and workers would look for it in the glutseg they have, if any, before they can say
    that it is another one.
    """

    def measure(expected: Mapping[str, str], parcel: bytes) -> Answer:
        from glutseg.batch.remote import perform

        return perform(expected, parcel)

    return measure


@contextmanager
def _client(scheduler: str) -> Iterator[Any]:
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port
    except ImportError as error:
        raise GlutsegError("cluster-missing", "distributed is not installed") from error
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what concerns the user is told once
    try:
        get_address_host_port(scheduler, strict=True)  # a client for a bad address would be hard to end
        client = Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, ImportError, TypeError) as error:  # TimeoutError is an OSError
        first = str(error).strip().split("\n")[0] or type(error).__name__
        raise GlutsegError("scheduler-unreachable", first, scheduler) from error
    try:
        yield client
    finally:
        with suppress(OSError):
            client.close(timeout=CONNECT_S)


def _as_completed(client: Any) -> Any:
    from distributed import as_completed

    return as_completed(loop=client.loop)


def _threads(client: Any) -> int:
    """Tasks that the cluster can have in hand now; workers may come and go."""
    try:
        return sum(client.nthreads().values())
    except OSError as error:
        raise GlutsegError("scheduler-unreachable", "it does not answer any more", str(error)) from error


def _check_python(client: Any) -> None:
    """What travels by value needs the same Python, so this is looked at before anything is sent."""
    found = client.get_versions()
    here = conditions()["python"]
    for host in (found["scheduler"], *found["workers"].values()):
        version = ".".join(str(host["host"]["python"]).split(".")[:2])
        check_same({"python": here}, {"python": version})


@contextmanager
def _sign(out: Path) -> Iterator[Path]:
    """A file of a new name in the output folder, by which a worker knows that it sees this very folder."""
    try:
        handle, name = tempfile.mkstemp(prefix=f"{TEMP_PREFIX}run-", dir=out)
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(out)) from error
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
