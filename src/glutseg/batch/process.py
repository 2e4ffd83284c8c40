"""One worker process, which measures one study at a time; its crash or end affects no other process."""

from __future__ import annotations

import gc
import importlib
import logging
import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from glutseg.batch.plan import RunContext, Task
from glutseg.dicom.spawn import exit_with_parent, without_main_module
from glutseg.errors import GlutsegError
from glutseg.result import CaseResult

EXIT_TIMEOUT_S = 10.0
"""Time limit for an idle process to exit by itself, in seconds."""
START_TIMEOUT_S = 120.0
"""Time limit for a process to start, in seconds: libraries may be loaded over a slow network."""

ONE_THREAD = {
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""Studies run in parallel, so each gets one thread: more threads than cores would slow all of them down."""

TaskFunction = Callable[[Task, RunContext], CaseResult]

_start_lock = threading.Lock()
"""A new process inherits this one's environment, which is changed while it starts: one at a time."""


class WorkerDiedError(GlutsegError):
    """The process that measured a study ended without a result; another attempt may succeed."""


class Worker:
    """A process that runs one task at a time.

    Parameters
    ----------
    task_function : run in the process for each task; must be importable by name
    idle_s : time without a task after which it exits; by default it waits until its parent stops it or dies
    preload : modules to load while it waits for its first task
    """

    def __init__(
        self,
        context: RunContext,
        task_function: TaskFunction,
        idle_s: float | None = None,
        *,
        preload: Sequence[str] = (),
    ) -> None:
        spawn = multiprocessing.get_context("spawn")  # forking a process with threads may hang
        self.connection, child_end = spawn.Pipe()
        self._process = spawn.Process(
            target=_serve, args=(child_end, context, task_function, idle_s, preload), daemon=True
        )
        start_worker(self._process)
        child_end.close()  # so that the connection ends when the process does
        self._has_process_group = _needs_process_group(context)
        self.is_ready = False
        self.task: Task | None = None
        self.deadline = time.monotonic() + START_TIMEOUT_S

    def confirm_started(self) -> None:
        """Receive the message of the process that it has started.

        Raises
        ------
        GlutsegError
            ``worker-died`` if it has not.
        """
        try:
            self.is_ready = bool(self.connection.poll() and self.connection.recv())
        except (EOFError, OSError):
            self.is_ready = False
        if not self.is_ready:
            raise WorkerDiedError("worker-died", "a process could not be started")
        self.deadline = float("inf")

    def start_task(self, task: Task, timeout_s: float) -> None:
        self.task, self.deadline = task, time.monotonic() + timeout_s
        with suppress(OSError):  # it has died already; `collect_result` reports that
            self.connection.send(task)

    def collect_result(self) -> tuple[Task, CaseResult | GlutsegError]:
        """Return the running task with its result, or with the reason why there is none."""
        if self.task is None:
            msg = "the process has no task"
            raise ValueError(msg)
        task, self.task = self.task, None
        try:
            if not self.connection.poll():
                return task, GlutsegError("study-timeout", "it was stopped at the time limit")
            answer: CaseResult | GlutsegError = self.connection.recv()
        except (EOFError, OSError):
            self._process.join(START_TIMEOUT_S)
            return task, _death(self._process.exitcode)
        self.deadline = 0.0
        return task, answer

    def wait_for_event(self, within_s: float) -> bool:
        """Whether it starts, answers, dies or reaches its deadline within this time; waits for that."""
        left_s = self.deadline - time.monotonic()
        return self.connection.poll(max(0.0, min(within_s, left_s))) or left_s <= within_s

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def stop(self) -> None:
        if self.connection.closed:
            return
        self.connection.close()
        if self._has_process_group and self._process.pid is not None:
            if self.task is None:  # it notices, and its libraries can clean up
                self._process.join(EXIT_TIMEOUT_S)
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()


def start_worker(process: BaseProcess) -> None:
    """Start a process with one thread per library, and without the caller's script."""
    with _start_lock, _worker_environment(), without_main_module():
        process.start()


def _serve(
    connection: Connection,
    context: RunContext,
    task_function: TaskFunction,
    idle_s: float | None,
    preload: Sequence[str],
) -> None:
    """Run tasks in the worker process until the connection closes or it was idle for too long."""
    has_process_group = _needs_process_group(context)
    if has_process_group:
        os.setpgid(0, 0)
    if context.measurer.has_processes:
        multiprocessing.current_process().daemon = False  # a daemon may not have processes of its own
    exit_with_parent(and_group=has_process_group)
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")  # a library's warning may quote header text
    connection.send(True)
    for name in preload:
        with suppress(Exception):  # the task that needs it reports it
            importlib.import_module(name)
    while True:
        try:
            if not connection.poll(idle_s):
                return
            task: Task = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer: CaseResult | GlutsegError = task_function(task, context)
        except GlutsegError as error:
            answer = error
        try:
            connection.send(answer)
        except OSError:  # the parent was killed; the case is on disk all the same
            return
        gc.collect()  # figures hold their images in reference cycles; collect to keep memory flat


def _needs_process_group(context: RunContext) -> bool:
    """Whether its child processes have to be stopped with it, which needs process groups (POSIX)."""
    return context.measurer.has_processes and hasattr(os, "killpg")


def _death(exit_code: int | None) -> WorkerDiedError:
    """What the end of a process says; systems that are short of memory kill (SIGKILL), crashes do not."""
    reason = _exit_reason(exit_code)
    if reason == "SIGKILL":
        message = f"its process was killed ({reason}), as systems do that are short of memory"
        return WorkerDiedError("memory-short", message)
    return WorkerDiedError("worker-died", f"its process ended with {reason}")


def _exit_reason(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


@contextmanager
def _worker_environment() -> Iterator[None]:
    """Environment of a new process: one thread per library; Ctrl-C is ignored, the parent handles it."""
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
