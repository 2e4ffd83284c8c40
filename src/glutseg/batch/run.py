"""Measure every study of an index into an output folder: plan, run the tasks, write the tables."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import overload

from glutseg import dicom, review
from glutseg.batch.cluster import on_cluster
from glutseg.batch.measurer import AUTOMATIC, Measurer
from glutseg.batch.plan import Plan, RunContext, Task, make_plan, study_ids
from glutseg.batch.pool import Results, Started, ignore, in_this_process, in_workers
from glutseg.batch.process import Worker
from glutseg.batch.resume import check_same_run, finished_cases
from glutseg.errors import GlutsegError
from glutseg.measurement import Participants, Unmatched, check_participants, unmatched
from glutseg.output.folder import check, prepare, sweep
from glutseg.output.lock import only_run
from glutseg.output.pseudonym import Pseudonymiser
from glutseg.output.run_record import CaseState, RunRecord, write_run_record
from glutseg.output.schema import CaseRow
from glutseg.pacs.model import SearchResult
from glutseg.protocol import Protocol, with_origin
from glutseg.result import CaseResult

Progress = Callable[[int, int, CaseResult | None], None]
"""Called with (number of studies done, total number, result of the last one)."""

TIMEOUT_S = 1800.0
"""Default time limit for a study, in seconds: it normally takes seconds, so after half an hour it hangs."""


@dataclass(frozen=True)
class RunOptions:
    """Options of a run on which the numbers do not depend.

    Attributes
    ----------
    jobs : number of worker processes; 0 measures in this process, where a crash ends the run
    scheduler : address of a Dask cluster to measure on; it sees input and output under the same paths
    timeout_s : time limit for a study, which then fails
    overwrite : remove the output of an earlier run first
    resume : keep the finished cases of an earlier run and measure the others
    retry_failed : with ``resume``, measure failed cases again
    keep_reviews : with ``overwrite``, keep the reviewers' decisions; they apply where the result is the same
    accept_unmatched : measure also where the participants table does not fit the studies
    """

    jobs: int = 0
    scheduler: str = ""
    timeout_s: float = TIMEOUT_S
    overwrite: bool = False
    resume: bool = False
    retry_failed: bool = False
    keep_reviews: bool = False
    accept_unmatched: bool = False


@dataclass(frozen=True)
class Listeners:
    """Functions of the caller that are called as a run goes on."""

    progress: Progress | None = None
    on_start: Started | None = None


@dataclass(frozen=True)
class RunSummary:
    """Result of a run.

    Attributes
    ----------
    out : the output folder
    rows : one per study, in the order of the table; read from the run's folder when they are asked for
    counts : number of studies by status
    problems : files that could not be read, as (source, code, message)
    seconds : duration of the run
    unmatched : participants without images and patients without a row, if there is a participants table
    n_kept : number of rows kept from an earlier run
    """

    out: Path
    rows: Sequence[CaseRow]
    counts: Mapping[str, int]
    problems: tuple[tuple[str, str, str], ...] = ()
    seconds: float = 0.0
    unmatched: Unmatched | None = None
    n_kept: int = 0

    def count(self, status: str) -> int:
        """Number of studies with a status of `glutseg.result.STATUSES`."""
        return self.counts.get(status, 0)

    @property
    def exit_code(self) -> int:
        """0: every study is ``ok`` or was excluded by a reviewer; 1: none has a number; 2: all others."""
        return self.lenient_exit_code or (2 if self.count("review") else 0)

    @property
    def lenient_exit_code(self) -> int:
        """As `exit_code`, but a study that asks for review counts like one that is ``ok``."""
        if not self.count("ok") + self.count("review"):
            return 1
        return 2 if self.count("failed") else 0


def run(
    index: dicom.Index,
    protocol: Protocol,
    participants: Participants | None = None,
    out: Path = Path("out"),
    *,
    options: RunOptions | None = None,
    overwrite: bool = False,
    pseudonyms: Pseudonymiser | None = None,
    progress: Progress | None = None,
    on_start: Started | None = None,
    measurer: Measurer = AUTOMATIC,
    remote: SearchResult | None = None,
    workers: Sequence[Worker] = (),
) -> RunSummary:
    """Measure the studies of ``index`` and write everything below ``out``.

    Parameters
    ----------
    index : result of `glutseg.dicom.scan`
    participants : heights that take precedence over those of the headers
    options : processes, time limit, and what to do with an earlier run; by default one study after the other
    overwrite : short for ``RunOptions(overwrite=True)``
    pseudonyms : replace ids, UIDs and paths in everything that is written
    progress : called before the first study and after each
    on_start : called with the case id when a study begins to be measured; not known of a cluster
    measurer : makes the outlines, or reads given ones
    remote : the search result from which ``index`` comes, if the images are on a server
    workers : processes that were started for `run_context` while the images were looked for

    Raises
    ------
    GlutsegError
        ``input-empty``, ``series-unknown``, ``participants-mismatch``, ``mask-shared``, ``resume-differs``,
        ``output-unwritable``, ``run-in-use`` and those of `glutseg.output.folder.prepare`. A study that fails
        becomes a row.
    """
    options = options or RunOptions(overwrite=overwrite)
    check(out, overwrite=options.overwrite, resume=options.resume, keep_reviews=options.keep_reviews)
    with only_run(out):
        return measure_index(
            index,
            protocol,
            participants,
            out,
            options=options,
            pseudonyms=pseudonyms,
            progress=progress,
            on_start=on_start,
            measurer=measurer,
            remote=remote,
            workers=workers,
        )


def measure_index(
    index: dicom.Index,
    protocol: Protocol,
    participants: Participants | None,
    out: Path,
    *,
    options: RunOptions,
    pseudonyms: Pseudonymiser | None,
    progress: Progress | None,
    on_start: Started | None,
    measurer: Measurer,
    remote: SearchResult | None = None,
    workers: Sequence[Worker] = (),
) -> RunSummary:
    """As `run`, for the only run in ``out`` (`glutseg.output.lock.only_run`)."""
    index.check_not_empty()
    dicom.check_requested_series(index, protocol.series)
    measurer.check()
    context = run_context(out, protocol, options, pseudonyms, measurer)
    table = participants
    if pseudonyms:
        index = pseudonyms.index(index)
        table = pseudonyms.participants(participants) if participants else None
    written_uid = pseudonyms.uid if pseudonyms else str
    on_server = {written_uid(uid): one for uid, one in (remote.remote_studies if remote else {}).items()}
    plan = make_plan(
        index, table, lambda load: measurer.file_of(load, context.protocol), on_server, pseudonyms
    )
    if participants and not options.accept_unmatched:
        check_participants(participants, study_ids(plan), show_ids=pseudonyms is None)
    if options.resume:
        check_same_run(plan, context)
    prepare(out, overwrite=options.overwrite, resume=options.resume, keep_reviews=options.keep_reviews)
    kept = finished_cases(plan, out, retry_failed=options.retry_failed) if options.resume else {}
    record = _record(index, plan, context, table)
    if remote and not pseudonyms:  # as a Path the address would lose a slash
        record = replace(record, input=remote.server.address)
    return _run_and_record(plan, context, options, kept, record, Listeners(progress, on_start), workers)


def run_context(
    out: Path, protocol: Protocol, options: RunOptions, pseudonyms: Pseudonymiser | None, measurer: Measurer
) -> RunContext:
    """What all tasks of a run share; the protocol as it is written."""
    if pseudonyms:
        protocol = pseudonyms.protocol(protocol)
    protocol = with_origin(protocol, measurer.name)
    return RunContext(out.absolute() if options.scheduler else out, protocol, pseudonyms, measurer)


def _run_and_record(
    plan: Plan,
    context: RunContext,
    options: RunOptions,
    kept: dict[str, CaseState],
    record: RunRecord,
    listeners: Listeners,
    workers: Sequence[Worker],
) -> RunSummary:
    """Run the tasks that are not kept, and write the run record, also when the run is interrupted."""
    start = time.perf_counter()
    states = {case.case_id: kept.get(case.case_id, CaseState(case.case_id)) for case in plan.cases}
    write_run_record(context.out, record, states.values(), state="running")  # the folder is glutseg's now
    try:
        with _sigterm_as_interrupt():
            _run_tasks(plan.without(kept), context, options, states, listeners, workers)
            tally = collate(states, context)
    except BaseException:
        with suppress(GlutsegError, OSError):  # the disk may be full; the record written at the start remains
            sweep(context.out)
            write_run_record(context.out, record, states.values(), state="stopped")
        raise
    seconds = time.perf_counter() - start
    write_run_record(context.out, record, states.values(), state="finished", seconds=seconds)
    rows = FinalRows(context.out, tally.case_ids, states)
    return RunSummary(
        context.out, rows, tally.statuses, record.problems, seconds, record.unmatched, len(kept)
    )


def collate(case_ids: Collection[str], context: RunContext) -> review.Tally:
    """Write the tables from the case records and the reviewers' decisions.

    Raises
    ------
    GlutsegError
        ``output-unwritable``, also if the record of a case is missing.
    """
    ordered = review.table_order(context.out, case_ids)
    tally = review.Collator(context.out).write(ordered, context.protocol.extent)
    missing = set(case_ids) - set(tally.case_ids)
    if missing:
        raise GlutsegError("output-unwritable", "the record of a case is missing", min(missing))
    return tally


class FinalRows(Sequence[CaseRow]):
    """The final rows of a run with the measuring times, which no record holds; read one at a time."""

    def __init__(self, out: Path, case_ids: Sequence[str], states: Mapping[str, CaseState]) -> None:
        self._out, self._case_ids, self._states = out, case_ids, states

    def __len__(self) -> int:
        return len(self._case_ids)

    @overload
    def __getitem__(self, place: int) -> CaseRow: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[CaseRow, ...]: ...
    def __getitem__(self, place: int | slice) -> CaseRow | tuple[CaseRow, ...]:
        if isinstance(place, slice):
            return tuple(self._read(self._case_ids[place]))
        return next(self._read([self._case_ids[place]]))

    def __iter__(self) -> Iterator[CaseRow]:
        return self._read(self._case_ids)

    def _read(self, case_ids: Sequence[str]) -> Iterator[CaseRow]:
        for row, _, _ in review.Collator(self._out).final_rows(case_ids):
            seconds = dict(self._states[row.result.case_id].seconds)
            yield replace(row, result=replace(row.result, seconds=seconds))


def _run_tasks(
    tasks: Sequence[Task],
    context: RunContext,
    options: RunOptions,
    states: dict[str, CaseState],
    listeners: Listeners,
    workers: Sequence[Worker],
) -> None:
    """Run the tasks and enter their results in ``states``."""
    progress, total, n_done = listeners.progress, len(states), len(states) - len(tasks)
    if progress:
        progress(n_done, total, None)
    with closing(_results(tasks, context, options, workers, listeners.on_start or ignore)) as results:
        for n, result in enumerate(results, start=n_done + 1):
            states[result.case_id] = CaseState(result.case_id, result.status, result.seconds)
            if progress:
                progress(n, total, result)


def _results(
    tasks: Sequence[Task],
    context: RunContext,
    options: RunOptions,
    workers: Sequence[Worker],
    on_start: Started,
) -> Results:
    if options.scheduler:
        return on_cluster(tasks, context, options.scheduler, options.timeout_s)
    if options.jobs > 0:
        return in_workers(tasks, context, options.jobs, options.timeout_s, started=workers, on_start=on_start)
    return in_this_process(tasks, context, on_start)


def _record(
    index: dicom.Index, plan: Plan, context: RunContext, participants: Participants | None
) -> RunRecord:
    cases = ((case.patient_id, case.case_id) for case in plan.cases)
    return RunRecord(
        input=str(index.root),
        protocol=context.protocol,
        participants=participants.source if participants else "",
        participants_sha256=participants.sha256 if participants else "",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        problems=tuple((str(p.source), p.code, p.message) for p in index.problems),
        unmatched=unmatched(participants, cases) if participants else None,
        key_check=context.pseudonyms.check if context.pseudonyms else "",
        outliner=context.measurer.record(),
    )


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Treat SIGTERM (a cluster's request to stop) like Ctrl-C: stop the workers, write the record."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
