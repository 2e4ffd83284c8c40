"""Measure every study of an index and write the output folder."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from glutseg import dicom, pipeline
from glutseg.errors import GlutsegError
from glutseg.measurement import Participants, Unmatched, unmatched
from glutseg.output.case_files import write_case
from glutseg.output.case_id import case_id
from glutseg.output.folder import prepare
from glutseg.output.pseudonym import Pseudonymiser
from glutseg.output.run_record import RunRecord, write_run_record
from glutseg.output.schema import CaseRow
from glutseg.output.tables import sort_rows, write_tables
from glutseg.protocol import Protocol
from glutseg.result import CaseResult

Progress = Callable[[int, int, CaseResult | None], None]
"""Called with (studies done, studies in all, the one just done)."""


@dataclass(frozen=True)
class RunSummary:
    """What a run did: its rows in the order of the table, and files that could not be read."""

    out: Path
    rows: tuple[CaseRow, ...]
    problems: tuple[tuple[str, str, str], ...] = ()
    seconds: float = 0.0
    unmatched: Unmatched | None = None

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
    overwrite: bool = False,
    pseudonyms: Pseudonymiser | None = None,
    progress: Progress | None = None,
) -> RunSummary:
    """Measure the studies of ``index`` one after the other and write everything below ``out``.

    Parameters
    ----------
    index : what `glutseg.dicom.scan` found
    participants : heights that go before those of the headers
    overwrite : remove the output of an earlier run first
    pseudonyms : stand for ids, UIDs and paths in everything that is written
    progress : called before the first study and after each

    Raises
    ------
    GlutsegError
        ``input-empty`` without a study, ``series-unknown``, and those of
        `glutseg.output.folder.prepare`. A study that fails raises nothing: it is a row.
    """
    if not index.studies:
        raise GlutsegError("input-empty", _nothing_found(index), str(index.root))
    dicom.check_asked(index, protocol.series)
    prepare(out, overwrite=overwrite)
    start = time.perf_counter()
    if pseudonyms:
        index = pseudonyms.index(index)
        protocol = pseudonyms.protocol(protocol)
        participants = pseudonyms.participants(participants) if participants else None
    record = RunRecord(
        input=str(index.root),
        protocol=protocol,
        participants=participants.source if participants else "",
        participants_sha256=participants.sha256 if participants else "",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        problems=tuple((str(p.source), p.code, p.message) for p in index.problems),
        unmatched=_unmatched(index, participants),
        key_check=pseudonyms.check if pseudonyms else "",
    )
    write_run_record(out, record, state="running")  # marks the folder as ours before anything else is in it
    total = len(index.studies)
    rows: list[CaseRow] = []
    taken: Counter[str] = Counter()
    if progress:
        progress(0, total, None)
    for study in index.studies:
        rows.append(_one_study(study, protocol, participants, pseudonyms, out, taken))
        if progress:
            progress(len(rows), total, rows[-1].result)
    write_tables(out, rows, protocol.extent)
    seconds = time.perf_counter() - start
    ordered = sort_rows(rows)
    write_run_record(out, record, ordered, state="finished", seconds=seconds)
    return RunSummary(out, tuple(ordered), record.problems, seconds, record.unmatched)


def _unmatched(index: dicom.Index, participants: Participants | None) -> Unmatched | None:
    cases = ((s.patient_id, case_id(s.patient_id, s.study_uid)) for s in index.studies)
    return unmatched(participants, cases) if participants else None


def _one_study(
    study: dicom.Study,
    protocol: Protocol,
    participants: Participants | None,
    pseudonyms: Pseudonymiser | None,
    out: Path,
    taken: Counter[str],
) -> CaseRow:
    """Measure and write one case; its images are let go of when this returns."""
    case = pipeline.measure_study(study, protocol, participants)
    if pseudonyms:
        case = replace(case, result=pseudonyms.reworded(case.result, study))
    case_id = case.result.case_id
    taken[case_id] += 1
    if taken[case_id] > 1:  # studies without a UID are told apart by their folders only
        case = replace(case, result=replace(case.result, case_id=f"{case_id}-{taken[case_id]}"))
    start = time.perf_counter()
    try:
        row = write_case(out, case.result, protocol, case.volume, case.mask)
    except GlutsegError:
        raise  # the folder cannot be written: the next case would meet the same
    except Exception as error:  # noqa: BLE001 - a picture that cannot be drawn harms this case only
        row = write_case(out, pipeline.failed(case.result, error), protocol)
    seconds = {**row.result.seconds, "writing": time.perf_counter() - start}
    return replace(row, result=replace(row.result, seconds=seconds))


def _nothing_found(index: dicom.Index) -> str:
    n = len(index.problems)
    return f"no DICOM image was found; {n} files could not be read" if n else "no DICOM image was found"
