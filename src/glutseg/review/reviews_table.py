"""The columns of reviews.csv: one row per case and reviewer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

from glutseg.image import Side
from glutseg.measurement import mean_of_sides
from glutseg.output.columns import Column
from glutseg.output.schema import CaseRow
from glutseg.result import CaseResult, Status, exclusion_code
from glutseg.review.record import Entry, Review, with_figures

SIDES: tuple[Side, ...] = ("left", "right")


@dataclass(frozen=True)
class ReviewRow:
    """One reviewer's review of a case; ``row`` is the automatic row, ``record_sha256`` that of its record."""

    row: CaseRow
    review: Review
    record_sha256: str

    @property
    def newest(self) -> Entry:
        return self.review.history[-1]

    def area_mm2(self, side: Side) -> float | None:
        """Area as this reviewer decided; None where they rejected the case or withdrew the decision."""
        if self.newest.decision not in ("accepted", "corrected"):
            return None
        return self.result.area_mm2(side)

    @property
    def result(self) -> CaseResult:
        """The result as this reviewer decided."""
        figures = self.newest.figures
        return self.row.result if figures is None else with_figures(self.row.result, figures)


def _automatic(side: Side, r: ReviewRow) -> float | None:
    return r.row.result.area_mm2(side)


def _own(side: Side, r: ReviewRow) -> float | None:
    return r.area_mm2(side)


def _difference(side: Side, r: ReviewRow) -> float | None:
    own, automatic = r.area_mm2(side), r.row.result.area_mm2(side)
    return None if own is None or automatic is None else own - automatic


def _dice(side: Side, r: ReviewRow) -> float | None:
    """1 for an accepted outline: it is the automatic one."""
    if r.newest.decision == "accepted":
        return None if r.row.result.area_mm2(side) is None else 1.0
    change = r.newest.changes.get(side)
    return None if change is None or math.isnan(change.dice) else change.dice


def _is_stale(r: ReviewRow) -> str:
    if r.newest.decision == "withdrawn":
        return ""
    return "no" if r.newest.record_sha256 == r.record_sha256 else "yes"


def _status(r: ReviewRow) -> Status | Literal[""]:
    if _is_stale(r) != "no":
        return ""
    return "excluded" if r.newest.decision == "rejected" else "ok"


def _exclusion_reason(r: ReviewRow) -> str:
    return exclusion_code(r.newest.reason) if _status(r) == "excluded" else ""


REVIEWS: tuple[Column[ReviewRow], ...] = (
    Column("case_id", "", "as in measurements.csv", lambda r: r.row.result.case_id),
    Column("patient_id", "", "as in measurements.csv", lambda r: r.row.result.patient_id),
    Column("study_uid", "", "as in measurements.csv", lambda r: r.row.result.study_uid),
    Column("reviewer", "", "as given to `glutseg review`", lambda r: r.review.reviewer),
    Column(
        "decision",
        "",
        "the newest: `accepted`, `corrected`, `rejected`, or `withdrawn` (undone)",
        lambda r: r.newest.decision,
    ),
    Column(
        "status",
        "",
        "that the decision gives the case: `ok` or `excluded`; empty where it was withdrawn or is stale",
        _status,
    ),
    Column("exclusion_reason", "", "its code, as in measurements.csv", _exclusion_reason),
    Column("reason", "", "of a rejection or correction, in words", lambda r: r.newest.reason),
    Column("note", "", "free text", lambda r: r.newest.note),
    Column("when", "UTC", "of the newest decision, ISO 8601", lambda r: r.newest.when),
    Column(
        "n_decisions",
        "",
        "entries in this reviewer's history",
        lambda r: len(r.review.history),
        int,
    ),
    Column(
        "stale",
        "",
        "`yes` where the case was measured again since, with another result: the decision does not count",
        _is_stale,
    ),
    Column(
        "level_name",
        "",
        "landmark of the level, `slice` where the reviewer moved it",
        lambda r: None if r.result.level is None else r.result.level.name,
    ),
    Column(
        "level_z_mm",
        "mm",
        "patient z of the slice",
        lambda r: None if r.result.level is None else r.result.level.z_mm,
        float,
    ),
    Column(
        "slice_index",
        "",
        "from 0 in the order of the mask's file",
        lambda r: r.result.stored_slice_index,
        int,
    ),
    *(
        Column(f"area_{s}_mm2", "mm²", f"{s} side: as the reviewer decided", partial(_own, s), float)
        for s in SIDES
    ),
    Column(
        "area_mean_mm2",
        "mm²",
        "mean of the two sides; empty where one is unknown",
        lambda r: mean_of_sides(r.area_mm2("left"), r.area_mm2("right")),
        float,
    ),
    *(
        Column(
            f"area_{s}_automatic_mm2",
            "mm²",
            f"{s} side: automatic",
            partial(_automatic, s),
            float,
        )
        for s in SIDES
    ),
    *(
        Column(
            f"difference_{s}_mm2",
            "mm²",
            f"{s} side: the reviewer's minus the automatic one",
            partial(_difference, s),
            float,
        )
        for s in SIDES
    ),
    *(
        Column(
            f"dice_{s}",
            "",
            f"{s} side: of the two outlines on the reviewer's slice; empty where one is missing",
            partial(_dice, s),
            float,
            4,
        )
        for s in SIDES
    ),
    Column(
        "glutseg_version",
        "",
        "version with which the decision was made",
        lambda r: r.newest.glutseg_version,
    ),
)
