"""A pool of worker processes, each measuring one study at a time; a crash fails that study only.

The pools of the standard library give up all studies when one process dies. Here a process that died
is replaced, and its study is tried once more before it fails: a system short of memory may have ended it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from multiprocessing.connection import wait

from glutseg import dicom
from glutseg.batch.plan import RunContext, Task, TaskQueue
from glutseg.batch.process import TaskFunction, Worker, WorkerDiedError
from glutseg.batch.worker import run_task, write_failed_case
from glutseg.protocol import SeriesRule
from glutseg.result import CaseResult

ATTEMPTS = 2
"""Number of times a study is tried whose process dies."""

Results = Generator[CaseResult, None, None]
"""Results in the order in which they finish; closing the generator stops the running processes."""


Started = Callable[[str], None]
"""Called with a case id when its study begins to be measured."""


def ignore(case_id: str) -> None:
    """For callers who do not ask what is being measured."""


def in_this_process(tasks: Sequence[Task], context: RunContext, on_start: Started = ignore) -> Results:
    """Run the tasks one after the other in this process: for research scripts and tests."""
    for task in tasks:
        on_start(task.case_id)
        yield run_task(task, context)


def in_workers(
    tasks: Sequence[Task],
    context: RunContext,
    jobs: int,
    timeout_s: float,
    task_function: TaskFunction = run_task,
    started: Sequence[Worker] = (),
    on_start: Started = ignore,
) -> Results:
    """Run the tasks in ``jobs`` processes; results come in the order in which they finish.

    While studies are measured the system reads the files of the next one. Closing the generator stops the
    processes at once; the case that a process was writing is then missing.

    Parameters
    ----------
    timeout_s : time limit for a study, which then fails
    task_function : run in the worker process for each task; must be importable by name
    started : processes for the same context that run already, at most ``jobs``; stopped here with the others
    on_start : called when a study begins to be measured

    Raises
    ------
    GlutsegError
        ``output-unwritable``, or ``worker-died`` if no process can be started: every other study would
        fail in the same way.
    """
    waiting = TaskQueue(tasks)
    deaths: Counter[str] = Counter()
    workers = list(started)
    try:
        while waiting or any(worker.task for worker in workers):
            _assign(waiting, workers, timeout_s, context.protocol.series, on_start)
            n_starting = sum(not worker.is_ready for worker in workers)
            n_new = min(jobs - len(workers), len(waiting) - n_starting)
            workers.extend(Worker(context, task_function) for _ in range(n_new))
            for worker in _wait_for_events(workers):
                if not worker.is_ready:
                    worker.confirm_started()
                    continue
                task, answer = worker.collect_result()
                if isinstance(answer, CaseResult):
                    yield answer
                    continue
                workers.remove(worker)
                worker.stop()
                if answer.scope == "run":
                    raise answer
                deaths[task.case_id] += isinstance(answer, WorkerDiedError)
                if isinstance(answer, WorkerDiedError) and deaths[task.case_id] < ATTEMPTS:
                    waiting.append(task)
                else:
                    yield write_failed_case(task, context, answer)
    finally:
        for worker in workers:
            worker.stop()


def _assign(
    waiting: TaskQueue, workers: list[Worker], timeout_s: float, rule: SeriesRule, on_start: Started
) -> None:
    for worker in workers:
        if waiting and worker.is_ready and worker.task is None:
            task = waiting.popleft()
            worker.start_task(task, timeout_s)
            on_start(task.case_id)
            if waiting:
                dicom.read_ahead(waiting.next().study, rule)


def _wait_for_events(workers: list[Worker]) -> list[Worker]:
    """Wait until a worker has started, answered, died or reached its deadline; return those workers."""
    busy = [worker for worker in workers if worker.task or not worker.is_ready]
    deadline = min(worker.deadline for worker in busy)
    ready = wait([worker.connection for worker in busy], max(0.0, deadline - time.monotonic()))
    now = time.monotonic()
    return [worker for worker in busy if worker.connection in ready or worker.deadline <= now]
