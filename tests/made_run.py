"""The folder of a run that nobody had to wait for: blocks for muscles, written as a run writes them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from glutseg import review
from glutseg.errors import Flag
from glutseg.image import SIDES, CtImage, Geometry, Mask
from glutseg.measurement import measure_slice, profile
from glutseg.output.case_files import write_case
from glutseg.output.checksum import with_checksum
from glutseg.output.run_record import CaseState, RunRecord, write_run_record
from glutseg.output.tables import write_tables
from glutseg.protocol import Protocol
from glutseg.result import CaseResult, Height, Level, MuscleResult, SeriesRecord

PROTOCOL = Protocol(name="femoral-head-top")
GRID = Geometry((7, 40, 60), (5.0, 1.5, 2.0), (-60.0, -30.0, 100.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0))
"""Stored from the head downwards, against the order of slice indices."""
LEVEL_SLICE = 3


@dataclass(frozen=True)
class MadeCase:
    """One study; ``widths_px`` of the left and the right muscle, ``depth_px`` of both."""

    patient_id: str
    widths_px: tuple[int, int] = (17, 18)
    depth_px: int = 10
    flags: tuple[Flag, ...] = ()
    status: str = "ok"
    error: tuple[str, str] = ("", "")
    level_slice: int = LEVEL_SLICE
    height_m: float | None = 1.6
    grid: Geometry = GRID
    description: str = "pelvis"
    error_bounds_percent: tuple[float | None, float | None] = (4.0, 6.0)

    @property
    def case_id(self) -> str:
        kept = "".join(c if c.isalnum() else "_" for c in self.patient_id)
        return f"{kept.strip('_') or 'unknown'}-0123456789"

    @property
    def study_uid(self) -> str:
        return "1.2." + ".".join(str(ord(c)) for c in self.patient_id[:12])


@dataclass(frozen=True)
class MadeRun:
    out: Path
    results: list[CaseResult] = field(default_factory=list)


def labels_of(case: MadeCase) -> np.ndarray:
    """The muscles on the five slices around the middle one, in stored order."""
    labels = np.zeros(GRID.shape, np.uint8)
    left, right = case.widths_px
    rows = slice(20, 20 + case.depth_px)
    labels[1:6, rows, 32 : 32 + left] = 1
    labels[1:6, rows, 28 - right : 28] = 2
    return labels


def volume_of(labels: np.ndarray, grid: Geometry = GRID) -> CtImage:
    """From labels in stored order."""
    hu = np.full(GRID.shape, -1000, np.int16)
    hu[:, 3:37, 3:57] = -100
    hu[labels > 0] = 50
    return CtImage.from_array(hu, grid)


def result_of(case: MadeCase, volume: CtImage, mask: Mask) -> CaseResult:
    who = {
        "case_id": case.case_id,
        "patient_id": case.patient_id,
        "study_uid": case.study_uid,
        "study_date": "2020-01-31",
        "status": case.status,
    }
    if case.status == "failed":
        return CaseResult(**who, error_code=case.error[0], error_message=case.error[1])
    level = case.level_slice
    series = SeriesRecord(
        series_uid=f"{case.study_uid}.4",
        description=case.description,
        kernel="B30f",
        kvp="120",
        contrast="",
        slice_thickness_mm=5.0,
        pixel_spacing_mm=(1.5, 2.0),
        slice_spacing_mm=5.0,
        n_slices=7,
        sop_uid_of_slice="1.2.5",
        reason="only",
        grid_slices=7,
        runs_to_feet=case.grid.runs_to_feet,
    )
    measured = measure_slice(volume, mask, level, PROTOCOL.tissue)
    return CaseResult(
        **who,
        flags=case.flags,
        series=series,
        level=Level("femoral-head-top", level, volume.geometry.slice_z_mm(level)),
        muscles=tuple(
            MuscleResult("maximus", side, measured[side], error_bound_percent=bound)
            for side, bound in zip(SIDES, case.error_bounds_percent, strict=True)
        ),
        profile=profile(volume, mask, level, range(1, 6), PROTOCOL.tissue),
        height=Height(case.height_m, "dicom" if case.height_m else "none"),
    )


def make_run(
    out: Path, cases: Sequence[MadeCase], protocol: Protocol = PROTOCOL, *, pictures: bool = False
) -> MadeRun:
    """Write a finished run; pictures take a quarter of a second each."""
    rows = []
    for case in cases:
        mask = Mask.from_array(labels_of(case), case.grid)
        volume = volume_of(labels_of(case), case.grid)
        result = result_of(case, volume, mask)
        shown = (volume if pictures else None, mask) if result.muscles else (None, None)
        rows.append(write_case(out, result, protocol, *shown))
    write_tables(out, rows, protocol.extent)
    record = RunRecord("EXPORT", protocol, "", "", "2026-01-31T12:00:00+00:00")
    states = [CaseState(row.result.case_id, row.result.status) for row in rows]
    write_run_record(out, record, states, state="finished", seconds=1.0)
    return MadeRun(out, [row.result for row in rows])


def reseal(record: Path) -> None:
    """Give a record that a test has changed the checksum that it would have if glutseg had written it so."""
    content = with_checksum(json.loads(record.read_text(encoding="utf-8")))
    record.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def some_cases(n: int, wider_px: int = 0) -> list[MadeCase]:
    """Patients of different sizes; ``wider_px`` for a second reading of the same."""
    return [MadeCase(f"P{i:02d}", (10 + i % 8 + wider_px, 11 + i % 7 + wider_px)) for i in range(n)]


def correct_case(out: Path, case: MadeCase, reviewer: str) -> None:
    """A reviewer's correction: the case as ``case`` describes it."""
    mask = Mask.from_array(labels_of(case), case.grid)
    result = result_of(case, volume_of(labels_of(case), case.grid), mask)
    review.correct(out, case.case_id, reviewer, review.Remeasured(result, {}), mask, reason="too narrow")
