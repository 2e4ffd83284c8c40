"""One worker process: measures one study at a time, and takes nobody along when it dies or is ended."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from glutseg.batch.plan import Orders, Task
from glutseg.errors import GlutsegError
from glutseg.result import CaseResult

LEAVING_S = 10.0
"""Allowed for a process that has nothing to do to end by itself."""
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

_starting = threading.Lock()
"""The surroundings of a new process are those of this one, changed for a moment."""


class WorkerDiedError(GlutsegError):
    """The process that had the study in hand ended without an answer; another try may go better."""


class Worker:
    """A process that carries out one task at a time.

    Parameters
    ----------
    work : what it does with a task; importable there by its name
    idle_s : after which it ends by itself; by default when whoever started it ends it, or is no more
    """

    def __init__(self, orders: Orders, work: Work, idle_s: float | None = None) -> None:
        context = multiprocessing.get_context("spawn")  # forking a process with threads may hang
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, orders, work, idle_s), daemon=True)
        with _starting, _surroundings(), _no_main():
            self._process.start()
        theirs.close()  # so that the connection ends when the process does
        self._has_group = _needs_group(orders)
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
            raise WorkerDiedError("worker-died", "a process could not be started")
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
            return task, WorkerDiedError(
                "worker-died", f"its process ended with {_ending(self._process.exitcode)}"
            )
        self.deadline = 0.0
        return task, answer

    def has_news(self, within_s: float) -> bool:
        """Wait for its greeting, answer, death or the end of its time, but not longer than this."""
        left_s = self.deadline - time.monotonic()
        return self.connection.poll(max(0.0, min(within_s, left_s))) or left_s <= within_s

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def end(self) -> None:
        self.connection.close()
        if self._has_group and self._process.pid is not None:
            if self.task is None:  # it hears so, and puts away what its libraries have opened
                self._process.join(LEAVING_S)
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()


def _serve(connection: Connection, orders: Orders, work: Work, idle_s: float | None) -> None:
    """What a worker does until nobody talks to it any more."""
    has_group = _needs_group(orders)
    if has_group:
        os.setpgid(0, 0)
    if orders.measurer.has_processes:
        multiprocessing.current_process().daemon = False  # a daemon may not have processes of its own
    threading.Thread(target=_end_with_parent, kwargs={"has_group": has_group}, daemon=True).start()
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")  # header text that a library warns about would reach the terminal
    connection.send(True)
    while True:
        try:
            if not connection.poll(idle_s):
                return
            task: Task = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer: CaseResult | GlutsegError = work(task, orders)
        except GlutsegError as error:
            answer = error
        try:
            connection.send(answer)
        except OSError:  # whoever asked was killed; the case is in the ledger all the same
            return
        gc.collect()  # drawings refer to themselves and hold their images until this; memory stays flat so


def _needs_group(orders: Orders) -> bool:
    """Whether what it starts has to be ended with it; systems without groups of processes cannot."""
    return orders.measurer.has_processes and hasattr(os, "killpg")


def _end_with_parent(*, has_group: bool) -> None:
    """Leave no process behind when whoever started it is killed, also in the middle of a study."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        if has_group:
            os.killpg(0, signal.SIGKILL)
        os._exit(1)


def _ending(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


@contextmanager
def _no_main() -> Iterator[None]:
    """A new process would run the caller's script anew, for names that its work does not need."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


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
