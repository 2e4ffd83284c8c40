"""What `glutseg scan` tells: every series, its geometry, and whether it would be measured."""

from __future__ import annotations

from typing import Any

from glutseg import dicom
from glutseg.output.text import plain
from glutseg.protocol import SeriesRule


def list_series(index: dicom.Index, rule: SeriesRule) -> dict[str, Any]:
    """Plain JSON values of an index; no pixel is read.

    Returns
    -------
    dict
        ``series``: one entry per series, those to measure first within their study; ``rank`` is 1 for
        the series that is tried first, empty for one that is passed over. ``problems``: files left out.
    """
    rows: list[dict[str, Any]] = []
    for study in index.studies:
        choice = dicom.choose(study, rule)
        why = dict(choice.passed_over)
        ranks = {series.series_uid: rank for rank, series in enumerate(choice.candidates, start=1)}
        ordered = sorted(study.series, key=lambda s: (ranks.get(s.series_uid, len(ranks) + 1), s.series_uid))
        for series in ordered:
            rank = ranks.get(series.series_uid)
            reason = choice.reason if rank == 1 else f"tried if number {(rank or 1) - 1} fails"
            rows.append(_row(study, series, rank, why.get(series.series_uid, "") if rank is None else reason))
    problems = [
        {"path": plain(str(p.source)), "code": p.code, "message": plain(p.message)} for p in index.problems
    ]
    return {"series": rows, "problems": problems}


def _row(study: dicom.Study, series: dicom.Series, rank: int | None, reason: str) -> dict[str, Any]:
    grid = series.geometry
    ends = None if grid is None else sorted((grid.slice_z_mm(0), grid.slice_z_mm(grid.shape[0] - 1)))
    return {
        "patient_id": plain(study.patient_id),
        "study_uid": plain(study.study_uid),
        "study_date": plain(study.study_date),
        "series_uid": plain(series.series_uid),
        "modality": plain(series.modality),
        "description": plain(series.description),
        "kernel": plain(series.kernel),
        "n_images": series.n_images,
        "shape_zyx": None if grid is None else list(grid.shape),
        "spacing_zyx_mm": None if grid is None else [round(s, 6) for s in grid.spacing_mm],
        "z_range_mm": None if ends is None else [round(z, 3) for z in ends],
        "rank": rank,
        "reason": plain(reason),
    }
