"""Raters that are runs of glutseg: their case records and masks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from glutseg.agreement.masks import read_mask
from glutseg.agreement.model import Case, Outline, Quantity, Rater, Reading, missing_cases
from glutseg.image import SIDES
from glutseg.measurement import mean_of_sides
from glutseg.output.layout import MASK, case_file
from glutseg.output.schema import CaseRow
from glutseg.result import CaseResult
from glutseg.review.masks import grid_file
from glutseg.study.run_rows import RunRows


def cases_of(run: RunRows) -> list[Case]:
    """The cases of a run, by their names."""
    found = []
    for row in run.rows:
        result = row.result
        z_mm = None if result.level is None else result.level.z_mm
        found.append(Case(result.case_id, result.patient_id, result.study_uid, z_mm))
    return found


def run_rater(name: str, run: RunRows, cases: Sequence[Case]) -> Rater:
    """A run's automatic values; the same study is the same case, by its case id or its study UID."""
    by_name = {row.result.case_id: row for row in run.rows}
    by_study = {row.result.study_uid: row for row in run.rows if row.result.study_uid}
    is_whole = run.protocol.extent.whole_muscle
    readings = {}
    for case in cases:
        row = by_name.get(case.case_id) or by_study.get(case.study_uid)
        if row is not None and row.result.muscles:
            readings[case.case_id] = reading_of(run.out, row, is_whole=is_whole)
    return Rater(name, readings, notes=missing_cases(name, cases, readings))


def areas_mm2(result: CaseResult) -> dict[Quantity, float]:
    """Areas of both sides and their mean, as far as known."""
    areas: dict[Quantity, float] = {
        side: area_mm2 for side in SIDES if (area_mm2 := result.area_mm2(side)) is not None
    }
    mean = mean_of_sides(areas.get("left"), areas.get("right"))
    return areas if mean is None else areas | {"mean": mean}


def reading_of(out: Path, row: CaseRow, *, is_whole: bool) -> Reading:
    """What a run measured of a case."""
    result = row.result
    z_mm = None if result.level is None else result.level.z_mm
    outline = None
    if row.mask and result.level is not None:
        path = out / case_file(result.case_id, MASK)
        outline = partial(stored_outline, path, result.level.slice_index, is_whole=is_whole)
    bounds = {side: bound for side in SIDES if (bound := result.error_bound_mm2(side)) is not None}
    return Reading(areas_mm2(result), z_mm, outline, bounds)


def stored_outline(path: Path, slice_index: int, *, is_whole: bool) -> Outline:
    """A mask that glutseg wrote.

    Of a sheared grid the NRRD beside it is read: ITK reads no shear from NIfTI.
    """
    return Outline(read_mask(grid_file(path)), slice_index, is_whole)
