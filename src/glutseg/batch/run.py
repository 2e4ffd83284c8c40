"""Measure every study of an index into an output folder: plan, carry out, collate."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from glutseg import dicom, review
from glutseg.batch.cluster import on_cluster
from glutseg.batch.measurer import AUTOMATIC, Measurer
from glutseg.batch.plan import Orders, Task, make_plan
from glutseg.batch.pool import Results, in_this_process, in_workers
from glutseg.batch.resume import check_same_run, done
from glutseg.errors import GlutsegError
from glutseg.measurement import Participants, Unmatched, unmatched
from glutseg.output.folder import prepare, sweep
from glutseg.output.ledger import read_case
from glutseg.output.pseudonym import Pseudonymiser
from glutseg.output.run_record import CaseState, RunRecord, write_run_record
from glutseg.output.schema import CaseRow
from glutseg.output.tables import sort_rows, write_tables
from glutseg.pacs.model import Found
from glutseg.protocol import Protocol, with_origin
from glutseg.result import CaseResult

Progress = Callable[[int, int, CaseResult | None], None]
"""Called with (studies done, studies in all, the one just done)."""

TIMEOUT_S = 1800.0
"""A study takes seconds; what takes half an hour hangs."""


@dataclass(frozen=True)
class Manner:
    """How a run is carried out; the numbers do not depend on it.

    Attributes
    ----------
    jobs : worker processes; 0 measures in this one, where a crash takes the run along
    scheduler : address of a Dask cluster that measures instead; it sees input and output under the same paths
    timeout_s : after which a worker is ended and its study given up
    overwrite : remove the output of an earlier run first
    resume : keep what an earlier run has done and do the rest
    retry_failed : with ``resume``, measure again what failed
    keep_reviews : with ``overwrite``, leave what people decided; it counts where the result is the same
    """

    jobs: int = 0
    scheduler: str = ""
    timeout_s: float = TIMEOUT_S
    overwrite: bool = False
    resume: bool = False
    retry_failed: bool = False
    keep_reviews: bool = False


@dataclass(frozen=True)
class RunSummary:
    """What a run did: its rows in the order of the table, and files that could not be read.

    ``n_kept`` is the number of rows that an earlier run had done.
    """

    out: Path
    rows: tuple[CaseRow, ...]
    problems: tuple[tuple[str, str, str], ...] = ()
    seconds: float = 0.0
    unmatched: Unmatched | None = None
    n_kept: int = 0

    def count(self, status: str) -> int:
        """Number of studies that are ``ok``, ``review`` or ``failed``."""
        return sum(row.result.status == status for row in self.rows)

    @property
    def exit_code(self) -> int:
        """0: every study was measured without doubt; 2: some need a look or failed; 1: none was measured."""
        if self.count("failed") == len(self.rows):
            return 1
        return 0 if self.count("ok") == len(self.rows) else 2


def run(
    index: dicom.Index,
    protocol: Protocol,
    participants: Participants | None = None,
    out: Path = Path("out"),
    *,
    manner: Manner | None = None,
    overwrite: bool = False,
    pseudonyms: Pseudonymiser | None = None,
    progress: Progress | None = None,
    measurer: Measurer = AUTOMATIC,
    remote: Found | None = None,
) -> RunSummary:
    """Measure the studies of ``index`` and write everything below ``out``.

    Parameters
    ----------
    index : what `glutseg.dicom.scan` found
    participants : heights that go before those of the headers
    manner : in how many processes, and what becomes of an earlier run; one after the other by default
    overwrite : short for ``Manner(overwrite=True)``
    pseudonyms : stand for ids, UIDs and paths in everything that is written
    progress : called before the first study and after each
    measurer : whose outlines are measured
    remote : where the images of the index are to be had, when it is that of a search on a server

    Raises
    ------
    GlutsegError
        ``input-empty``, ``series-unknown``, ``resume-differs``, ``output-unwritable`` and those of
        `glutseg.output.folder.prepare`. A study that fails raises nothing: it is a row. Whatever
        stops the run, ``Manner(resume=True)`` goes on from there.
    """
    if not index.studies:
        raise GlutsegError("input-empty", _nothing_found(index), str(index.root))
    dicom.check_asked(index, protocol.series)
    measurer.check()
    manner = manner or Manner(overwrite=overwrite)
    if pseudonyms:
        index = pseudonyms.index(index)
        protocol = pseudonyms.protocol(protocol)
        participants = pseudonyms.participants(participants) if participants else None
    protocol = with_origin(protocol, measurer.name)
    origins = remote.origins if remote else {}
    if pseudonyms:
        origins = {pseudonyms.uid(uid): origin for uid, origin in origins.items()}
    plan = make_plan(index, participants, lambda study: measurer.digest(study, protocol), origins)
    orders = Orders(out.absolute() if manner.scheduler else out, protocol, pseudonyms, measurer)
    if manner.resume:
        check_same_run(plan, orders)
    prepare(out, overwrite=manner.overwrite, resume=manner.resume, keep_reviews=manner.keep_reviews)
    kept = done(plan, out, retry_failed=manner.retry_failed) if manner.resume else {}
    record = _record(index, plan, orders, participants)
    if remote and not pseudonyms:  # a path would swallow one of its slashes
        record = replace(record, input=remote.server.address)
    return _recorded_run(plan, orders, manner, kept, record, progress)


def _recorded_run(
    plan: Sequence[Task],
    orders: Orders,
    manner: Manner,
    kept: dict[str, CaseState],
    record: RunRecord,
    progress: Progress | None,
) -> RunSummary:
    """Carry out what is not kept, with the run's record beside it, however it ends."""
    start = time.perf_counter()
    states = {task.case_id: kept.get(task.case_id, CaseState(task.case_id)) for task in plan}
    write_run_record(orders.out, record, list(states.values()), state="running")  # marks the folder as ours
    try:
        with _stopped_by_sigterm():
            _carry_out([t for t in plan if t.case_id not in kept], orders, manner, states, progress)
            rows = collate(plan, orders)
    except BaseException:
        with suppress(GlutsegError, OSError):  # the disk may be full; what was written before still stands
            sweep(orders.out)
            write_run_record(orders.out, record, list(states.values()), state="stopped")
        raise
    seconds = time.perf_counter() - start
    write_run_record(orders.out, record, list(states.values()), state="finished", seconds=seconds)
    timed = tuple(_timed(row, states) for row in rows)
    return RunSummary(orders.out, timed, record.problems, seconds, record.unmatched, len(kept))


def collate(plan: Sequence[Task], orders: Orders) -> list[CaseRow]:
    """Write the tables from the ledger and what people decided since; the rows in their order.

    Raises
    ------
    GlutsegError
        ``output-unwritable``, also when a case's record is not there.
    """
    rows = []
    for task in plan:
        entry = read_case(orders.out, task.case_id)
        if entry is None:
            raise GlutsegError("output-unwritable", "the record of a case is gone", task.case_id)
        rows.append(entry.row)
    reviews = review.Collator(orders.out).reviews()
    decided = review.revised(orders.out, rows, reviews)
    write_tables(orders.out, decided, orders.protocol.extent)
    review.write_reviews(orders.out, rows, reviews)
    return sort_rows(decided)


def _timed(row: CaseRow, states: dict[str, CaseState]) -> CaseRow:
    """The row with its times, which the ledger does not hold."""
    return replace(row, result=replace(row.result, seconds=dict(states[row.result.case_id].seconds)))


def _carry_out(
    tasks: Sequence[Task],
    orders: Orders,
    manner: Manner,
    states: dict[str, CaseState],
    progress: Progress | None,
) -> None:
    """All tasks; ``states`` follows."""
    total, n_done = len(states), len(states) - len(tasks)
    if progress:
        progress(n_done, total, None)
    with closing(_results(tasks, orders, manner)) as results:
        for n, result in enumerate(results, start=n_done + 1):
            states[result.case_id] = CaseState(result.case_id, result.status, result.seconds)
            if progress:
                progress(n, total, result)


def _results(tasks: Sequence[Task], orders: Orders, manner: Manner) -> Results:
    if manner.scheduler:
        return on_cluster(tasks, orders, manner.scheduler, manner.timeout_s)
    if manner.jobs > 0:
        return in_workers(tasks, orders, manner.jobs, manner.timeout_s)
    return in_this_process(tasks, orders)


def _record(
    index: dicom.Index, plan: Sequence[Task], orders: Orders, participants: Participants | None
) -> RunRecord:
    cases = [(task.study.patient_id, task.case_id) for task in plan]
    return RunRecord(
        input=str(index.root),
        protocol=orders.protocol,
        participants=participants.source if participants else "",
        participants_sha256=participants.sha256 if participants else "",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        problems=tuple((str(p.source), p.code, p.message) for p in index.problems),
        unmatched=unmatched(participants, cases) if participants else None,
        key_check=orders.pseudonyms.check if orders.pseudonyms else "",
        outliner=orders.measurer.record(),
    )


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """A cluster's request to end is met like Ctrl-C: workers end, the record is written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _nothing_found(index: dicom.Index) -> str:
    n = len(index.problems)
    return f"no DICOM image was found; {n} files could not be read" if n else "no DICOM image was found"
