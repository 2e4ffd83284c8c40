"""A rater that is a reviewer of the run: what they accepted or corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from glutseg.agreement.model import Case, Rater, Reading, missing_cases
from glutseg.agreement.runs import areas_mm2, reading_of, stored_outline
from glutseg.errors import Flag, GlutsegError
from glutseg.output.layout import case_file
from glutseg.output.schema import CaseRow
from glutseg.review.final_row import corrected_mask
from glutseg.review.record import Entry, read_review, record_sha256, with_figures
from glutseg.study.run_rows import RunRows


def reviewer_rater(name: str, run: RunRows, cases: Sequence[Case]) -> Rater:
    """The cases that a reviewer accepted or corrected; a rejected one has no area.

    A decision on an earlier measurement of a case (``review-stale``) does not count.

    Raises
    ------
    GlutsegError
        ``reference-invalid`` where nobody of this name has reviewed; ``review-invalid``.
    """
    rows = {row.result.case_id: row for row in run.rows}
    readings: dict[str, Reading] = {}
    stale, n_decided = [], 0
    for case in cases:
        entry = read_review(run.out, case.case_id, name).in_force
        if entry is None:
            continue
        n_decided += 1
        if entry.record_sha256 != record_sha256(run.out, case.case_id):
            stale.append(case.case_id)
        elif entry.decision != "rejected":
            reading = _reading(run, rows[case.case_id], entry, name)
            if reading.area_mm2:
                readings[case.case_id] = reading
    if not n_decided:
        raise GlutsegError("reference-invalid", f"no decision of a reviewer {name!r}", str(run.out))
    notes = [Flag("review-stale", f"{name}: {', '.join(stale)}")] if stale else []
    notes += missing_cases(name, cases, readings)
    return Rater(name, readings, saw_automatic=True, notes=tuple(notes))


def _reading(run: RunRows, row: CaseRow, entry: Entry, name: str) -> Reading:
    is_whole = run.protocol.extent.whole_muscle
    if entry.figures is None:
        accepted = reading_of(run.out, row, is_whole=is_whole)
        return replace(
            accepted, error_bound_mm2={}
        )  # a person has looked at it: the program's error is not theirs
    case_id, level = row.result.case_id, entry.figures.level
    path = run.out / case_file(case_id, corrected_mask(entry, name))
    outline = partial(stored_outline, path, level.slice_index, is_whole=is_whole)
    return Reading(areas_mm2(with_figures(row.result, entry.figures)), level.z_mm, outline)
