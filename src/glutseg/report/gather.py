"""A run's folder as a `Report`; nothing is changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from glutseg.agreement import AGREEMENT
from glutseg.agreement.write import RECORD as AGREEMENT_JSON
from glutseg.measurement import mean_of_sides
from glutseg.output.run_record import OWN
from glutseg.output.schema import CaseRow
from glutseg.output.tables import sort_rows
from glutseg.output.text import plain
from glutseg.protocol import Protocol
from glutseg.report.cases import case_view, counts_of, flag_words
from glutseg.report.charts import Point, overview
from glutseg.report.counted import counted
from glutseg.report.methods import Beside, hu_words, level_words, methods
from glutseg.report.model import CaseView, Fact, FlagWords, Overview, Report
from glutseg.report.pictures import SIZES, size_for
from glutseg.report.records import AgreementRecord, StudyRecord, read_as
from glutseg.report.results import (
    STUDY,
    STUDY_JSON,
    agreement_section,
    read_record,
    study_section,
)
from glutseg.result import STATUSES
from glutseg.review import decision_counts, revised
from glutseg.review.collate import Collator
from glutseg.review.final_row import CaseReviews
from glutseg.study.context import DISCLAIMER, PUBLISHED
from glutseg.study.run_rows import RunRows, read_run

TITLE = "Gluteus maximus on CT"
SMALLER = "To keep this page handy, the pictures are smaller than those in the cases’ folders."


def gather(out: Path, title: str = "") -> Report:
    """Everything the page shows of a run.

    Raises
    ------
    GlutsegError
        ``input-missing`` where no run of glutseg is, or none of its studies is done.
    """
    run = read_run(out)
    reviews = dict(Collator(out).reviews())
    rows = tuple(sort_rows(revised(out, run.rows)))
    size = size_for(len(rows))
    blank = CaseReviews()
    cases = tuple(
        case_view(out, row, reviews.get(row.result.case_id, blank), number, size)
        for number, row in enumerate(rows, start=1)
    )
    records = read_record(out / STUDY / STUDY_JSON), read_record(out / AGREEMENT / AGREEMENT_JSON)
    written = methods(
        run.protocol,
        run.version,
        rows,
        decision_counts(out),
        beside=Beside(
            read_as(StudyRecord, records[0]), read_as(AgreementRecord, records[1]), bool(run.key_check)
        ),
        outliner=_outliner(run),
    )
    return Report(
        title=plain(title, 120) or TITLE,
        protocol=run.protocol.name,
        date=plain(str(run.record.get("started", "")))[:10],
        version=plain(run.version),
        counts=_counts(rows),
        unfinished=_unfinished(run),
        overview=_overview(rows, cases),
        cases=cases,
        flag_codes=_flag_codes(cases),
        has_decisions=any(case.decisions for case in cases),
        study=study_section(out, replace(run, rows=rows).sha256, run.sha256),
        agreement=agreement_section(out, run),
        methods=written.paragraphs,
        citations=written.citations,
        context=_context(),
        context_words=DISCLAIMER,
        protocol_facts=tuple(_protocol_facts(run.protocol)),
        versions=tuple(_versions(run.record)),
        pictures_note="" if size == SIZES[0] else SMALLER,
        statuses=tuple(Fact(status, meaning) for status, meaning in STATUSES.items()),
    )


def _outliner(run: RunRows) -> dict[str, str]:
    """Who outlined, as run.json has it."""
    outliner = run.record.get("outliner")
    return {str(k): str(v) for k, v in outliner.items()} if isinstance(outliner, dict) else dict(OWN)


def _counts(rows: Sequence[CaseRow]) -> tuple[Fact, ...]:
    counts = counts_of(rows)
    decided = Counter(bool(row.decision) for row in rows)
    facts = [Fact("studies", str(len(rows)))]
    facts += [Fact(status, str(n)) for status, n in counts.items()]
    if decided[True]:
        facts.append(Fact("decided by reviewers", str(decided[True])))
    return tuple(facts)


def _unfinished(run: RunRows) -> str:
    notes = []
    if run.waiting:
        n = counted(len(run.waiting), "study", "studies")
        are, them = ("is", "it") if len(run.waiting) == 1 else ("are", "them")
        notes.append(f"{n} of the run {are} not done; this page does not show {them}.")
    state = run.record.get("state")
    if state != "finished" and not run.waiting:
        notes.append("The run has not finished.")
    problems = run.record.get("problems")
    if isinstance(problems, list) and problems:
        notes.append(f"{counted(len(problems), 'file')} could not be read (see run.json).")
    for key, words in (
        ("participants_without_images", "of the participants table without images"),
        ("patients_without_participant", "without a row in the participants table"),
    ):
        people = run.record.get(key)
        if isinstance(people, list) and people:
            notes.append(f"{counted(len(people), 'patient')} {words} (see run.json).")
    return " ".join(notes)


def _overview(rows: Sequence[CaseRow], cases: Sequence[CaseView]) -> Overview | None:
    points = []
    for row, case in zip(rows, cases, strict=True):
        mean = mean_of_sides(row.result.area_mm2("left"), row.result.area_mm2("right"))
        if mean is not None:
            points.append(Point(mean, case.status, case.anchor, case.patient_id))
    return overview(points)


def _flag_codes(cases: Sequence[CaseView]) -> tuple[tuple[FlagWords, int], ...]:
    """Every code on the page once, with how many cases have it, the most frequent first."""
    counts = Counter(code for case in cases for code in case.flag_codes)
    counts.update(case.error.code for case in cases if case.error is not None)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple((flag_words(code), n) for code, n in ordered)


def _context() -> tuple[tuple[str, ...], ...]:
    rows = []
    for p in PUBLISHED:
        value = f"{p.mean:g} {p.unit}" if p.sd is None else f"{p.mean:g} ± {p.sd:g} {p.unit}"
        remark = f"{p.how}; {p.remark}" if p.remark else p.how
        rows.append((p.quantity, value, p.who, remark, p.source))
    return tuple(rows)


def _protocol_facts(protocol: Protocol) -> list[Fact]:
    tissue, series = protocol.tissue, protocol.series
    facts = [
        Fact("name", protocol.name),
        Fact("description", plain(protocol.description)),
        Fact("level", f"the slice {level_words(protocol)}"),
        Fact("profile", f"{protocol.level.profile_mm:g} mm above and below the level"),
        Fact("lean muscle", hu_words(tissue.muscle_hu)),
        Fact("fat", hu_words(tissue.imat_hu)),
        Fact("muscles", ", ".join(f"gluteus {name}" for name in protocol.extent.muscles)),
        Fact("whole muscles", "yes" if protocol.extent.whole_muscle else "no"),
        Fact("largest slice spacing", f"{series.max_slice_spacing_mm:g} mm"),
        Fact("largest tilt", f"{series.max_tilt_degrees:g}°"),
    ]
    return [fact for fact in facts if fact.value]


def _versions(record: dict[str, Any]) -> list[Fact]:
    libraries = record.get("libraries")
    known = libraries.items() if isinstance(libraries, dict) else ()
    outliner = record.get("outliner")
    others = outliner.items() if isinstance(outliner, dict) and outliner != OWN else ()
    facts = [("glutseg", record.get("glutseg_version")), ("Python", record.get("python")), *known]
    facts += [(f"outliner: {name}", value) for name, value in others]
    return [Fact(plain(str(name)), plain(str(value))) for name, value in facts if value]
