"""Worker processes, each with one study at a time: what kills one of them harms its study only.

The pools of the standard library give up all their studies when one process dies; here a process that
died is replaced, its study tried once more (a system short of memory may have ended it) and then told.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait

from glutseg.batch.plan import Orders, Task
from glutseg.batch.worker import carry_out, give_up
from glutseg.errors import GlutsegError
from glutseg.result import CaseResult

ATTEMPTS = 2
"""Before a study whose process died is given up."""
STARTING_S = 120.0
"""Allowed for a process to start, on top of the study's time: libraries may come over a slow network."""

ONE_THREAD = {
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""The studies are what runs side by side; threads inside of each would only get into each other's way."""


Work = Callable[[Task, Orders], CaseResult]
Results = Generator[CaseResult, None, None]
"""Results as they come; closing it ends what is still at work."""


def in_this_process(tasks: Sequence[Task], orders: Orders) -> Results:
    """Carry out the tasks one after the other, here: for research scripts and tests."""
    for task in tasks:
        yield carry_out(task, orders)


def in_workers(
    tasks: Sequence[Task], orders: Orders, jobs: int, timeout_s: float, work: Work = carry_out
) -> Results:
    """Carry out the tasks in ``jobs`` processes; results come in whatever order they are done.

    ``work`` is what a process does with a task; it must be importable there by its name. Closing the
    generator ends the processes at once; what they were writing is then not there.

    Raises
    ------
    GlutsegError
        ``output-unwritable``, or ``worker-died`` where no process can be started: every other study
        would meet the same.
    """
    waiting = deque(tasks)
    deaths: Counter[str] = Counter()
    workers: list[_Worker] = []
    try:
        while waiting or any(worker.task for worker in workers):
            _hand_out(waiting, workers, timeout_s)
            coming = sum(not worker.is_ready for worker in workers)
            more = min(jobs - len(workers), len(waiting) - coming)
            workers.extend(_Worker(orders, work) for _ in range(more))
            for worker in _heard(workers):
                if not worker.is_ready:
                    worker.greet()
                    continue
                task, answer = worker.finish()
                if isinstance(answer, CaseResult):
                    yield answer
                    continue
                workers.remove(worker)
                worker.end()
                if answer.code == "output-unwritable":
                    raise answer
                deaths[task.case_id] += answer.code == "worker-died"
                if answer.code == "worker-died" and deaths[task.case_id] < ATTEMPTS:
                    waiting.append(task)
                else:
                    yield give_up(task, orders, answer)
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """A process that carries out one task at a time."""

    def __init__(self, orders: Orders, work: Work) -> None:
        context = multiprocessing.get_context("spawn")  # forking a process with threads may hang
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, orders, work), daemon=True)
        with _surroundings():
            self._process.start()
        theirs.close()  # so that the connection ends when the process does
        self.is_ready = False
        self.task: Task | None = None
        self.deadline = time.monotonic() + STARTING_S

    def greet(self) -> None:
        """Hear the process say that it is there.

        Raises
        ------
        GlutsegError
            ``worker-died`` when it does not.
        """
        try:
            self.is_ready = bool(self.connection.poll() and self.connection.recv())
        except (EOFError, OSError):
            self.is_ready = False
        if not self.is_ready:
            raise GlutsegError("worker-died", "a process could not be started")
        self.deadline = float("inf")

    def begin(self, task: Task, timeout_s: float) -> None:
        self.task, self.deadline = task, time.monotonic() + timeout_s
        with suppress(OSError):  # it has died already, and `finish` will hear so
            self.connection.send(task)

    def finish(self) -> tuple[Task, CaseResult | GlutsegError]:
        """The task in hand and its answer, or why there is none."""
        if self.task is None:
            msg = "the process has no task"
            raise ValueError(msg)
        task, self.task = self.task, None
        try:
            if not self.connection.poll():
                return task, GlutsegError("study-timeout", "it was stopped when its time was up")
            answer: CaseResult | GlutsegError = self.connection.recv()
        except (EOFError, OSError):
            self._process.join(STARTING_S)
            return task, GlutsegError(
                "worker-died", f"its process ended with {_ending(self._process.exitcode)}"
            )
        self.deadline = 0.0
        return task, answer

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


def _hand_out(waiting: deque[Task], workers: list[_Worker], timeout_s: float) -> None:
    for worker in workers:
        if waiting and worker.is_ready and worker.task is None:
            worker.begin(waiting.popleft(), timeout_s)


def _heard(workers: list[_Worker]) -> list[_Worker]:
    """Wait for the next greeting, answer, death or end of time; the workers concerned."""
    expected = [worker for worker in workers if worker.task or not worker.is_ready]
    soonest = min(worker.deadline for worker in expected)
    ready = wait([worker.connection for worker in expected], max(0.0, soonest - time.monotonic()))
    now = time.monotonic()
    return [worker for worker in expected if worker.connection in ready or worker.deadline <= now]


def _serve(connection: Connection, orders: Orders, work: Work) -> None:
    """What a worker does until nobody talks to it any more."""
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")  # header text that a library warns about would reach the terminal
    connection.send(True)
    while True:
        try:
            task: Task = connection.recv()
        except EOFError:
            return
        try:
            answer: CaseResult | GlutsegError = work(task, orders)
        except GlutsegError as error:
            answer = error
        try:
            connection.send(answer)
        except OSError:  # whoever asked was killed; the case is in the ledger all the same
            return


def _ending(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


@contextmanager
def _surroundings() -> Iterator[None]:
    """What a new process inherits: one thread for each library, and no ear for Ctrl-C, which is ours."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if in_main else None
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        if in_main:
            signal.signal(signal.SIGINT, handler)
