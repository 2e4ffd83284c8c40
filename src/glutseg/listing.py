"""The list of `glutseg scan`: every series, its geometry, and whether it would be measured."""

from __future__ import annotations

from typing import Any

from glutseg import dicom
from glutseg.output.case_id import case_id
from glutseg.output.text import plain
from glutseg.protocol import SeriesRule


def list_series(index: dicom.Index, rule: SeriesRule) -> dict[str, Any]:
    """Return an index as JSON values; no pixels are read.

    Returns
    -------
    dict
        ``series``: one entry per series, candidates first in each study; ``rank`` is 1 for the series that is
        tried first and None for a rejected one; a series with several stacks of slices has an entry for each
        (``part``). ``problems``: files left out.
    """
    rows: list[dict[str, Any]] = []
    for study in index.studies:
        choice = dicom.choose(study, rule)
        if choice.candidates:
            rows.append(_row(study, choice.candidates[0], 1, choice.reason))
        rows += [
            _row(study, series, rank, f"tried if number {rank - 1} fails; {reason}")
            for rank, (series, reason) in enumerate(choice.lower_ranked, start=2)
        ]
        rejected = sorted(choice.rejected, key=lambda pair: (pair[0].series_uid, pair[0].part))
        rows += [_row(study, series, None, reason) for series, reason in rejected]
    problems = [
        {"path": plain(str(p.source)), "code": p.code, "message": plain(p.message)} for p in index.problems
    ]
    return {"series": rows, "problems": problems}


def _row(study: dicom.Study, series: dicom.Series, rank: int | None, reason: str) -> dict[str, Any]:
    grid, problem = series.geometry, series.problem
    ends = None if grid is None else sorted((grid.slice_z_mm(0), grid.slice_z_mm(grid.shape[0] - 1)))
    return {
        "case_id": case_id(study.patient_id, study.study_uid),
        "patient_id": plain(study.patient_id),
        "study_uid": plain(study.study_uid),
        "study_date": plain(study.study_date),
        "series_uid": plain(series.series_uid),
        "modality": plain(series.modality),
        "description": plain(series.description),
        "kernel": plain(series.kernel),
        "part": series.part,
        "n_parts": series.n_parts,
        "n_images": series.n_images,
        "n_slices": len(series.slices),
        "n_missing": series.n_missing,
        "shape_zyx": None if grid is None else list(grid.shape),
        "spacing_zyx_mm": None if grid is None else [round(s, 6) for s in grid.spacing_mm],
        "z_range_mm": None if ends is None else [round(z, 3) for z in ends],
        "tilt_degrees": None if grid is None else round(grid.tilt_degrees, 3),
        "flags": [{"code": f.code, "message": plain(f.message)} for f in series.flags],
        "problem": problem and {"code": problem.code, "message": plain(problem.message)},
        "rank": rank,
        "reason": plain(reason),
    }
