"""Worker processes, each with one study at a time: what kills one of them harms its study only.

The pools of the standard library give up all their studies when one process dies; here a process that
died is replaced, its study tried once more (a system short of memory may have ended it) and then told.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Generator, Sequence
from multiprocessing.connection import wait

from glutseg.batch.plan import Orders, Task
from glutseg.batch.process import Work, Worker, WorkerDiedError
from glutseg.batch.worker import carry_out, give_up
from glutseg.result import CaseResult

ATTEMPTS = 2
"""Before a study whose process died is given up."""

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
    workers: list[Worker] = []
    try:
        while waiting or any(worker.task for worker in workers):
            _hand_out(waiting, workers, timeout_s)
            coming = sum(not worker.is_ready for worker in workers)
            more = min(jobs - len(workers), len(waiting) - coming)
            workers.extend(Worker(orders, work) for _ in range(more))
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
                if answer.scope == "run":
                    raise answer
                deaths[task.case_id] += isinstance(answer, WorkerDiedError)
                if isinstance(answer, WorkerDiedError) and deaths[task.case_id] < ATTEMPTS:
                    waiting.append(task)
                else:
                    yield give_up(task, orders, answer)
    finally:
        for worker in workers:
            worker.end()


def _hand_out(waiting: deque[Task], workers: list[Worker], timeout_s: float) -> None:
    for worker in workers:
        if waiting and worker.is_ready and worker.task is None:
            worker.begin(waiting.popleft(), timeout_s)


def _heard(workers: list[Worker]) -> list[Worker]:
    """Wait for the next greeting, answer, death or end of time; the workers concerned."""
    expected = [worker for worker in workers if worker.task or not worker.is_ready]
    soonest = min(worker.deadline for worker in expected)
    ready = wait([worker.connection for worker in expected], max(0.0, soonest - time.monotonic()))
    now = time.monotonic()
    return [worker for worker in expected if worker.connection in ready or worker.deadline <= now]
