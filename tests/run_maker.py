"""Run folders without images: what a study reads, made in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glutseg.errors import Flag
from glutseg.output.case_files import write_case
from glutseg.output.run_record import CaseState, RunRecord, write_run_record
from glutseg.output.tables import write_tables
from glutseg.protocol import ExtentRule, Protocol
from glutseg.result import CaseResult, Height, Level, MuscleResult, ProfilePoint, SliceMeasurement

PROTOCOL = Protocol(name="femoral-head-top")
SLOPE_MM2_PER_MM = -10.0
"""Of the areas along the profile."""


@dataclass(frozen=True)
class MadeCase:
    """What a made-up study was measured to be; areas in mm², no areas means that it failed."""

    patient_id: str
    left_mm2: float | None = 3000.0
    right_mm2: float | None = 3000.0
    height_m: float | None = 1.6
    lean_share: float = 0.9
    status: str = "ok"
    study_uid: str = ""
    error_bound_percent: float | None = 5.0


def side_of(area_mm2: float, lean_share: float) -> SliceMeasurement:
    lean = area_mm2 * lean_share
    return SliceMeasurement(area_mm2, area_mm2, lean, area_mm2 - lean, 50.0, 12.0, -80.0, 120.0, 55.0)


def result_of(case: MadeCase, levels: Sequence[str] = ()) -> CaseResult:
    uid = case.study_uid or f"1.2.{sum(case.patient_id.encode())}"
    case_id = f"{case.patient_id}-{uid.replace('.', '')}"
    if case.left_mm2 is None or case.right_mm2 is None:
        return CaseResult(
            case_id,
            case.patient_id,
            uid,
            "2020-01-31",
            "failed",
            error_code="hips-not-found",
            error_message="none",
        )
    areas = {"left": case.left_mm2, "right": case.right_mm2}
    profile = tuple(
        ProfilePoint(
            "maximus",
            side,
            k,
            5.0 * k,
            5.0 * k - 15.0,
            side_of(area + SLOPE_MM2_PER_MM * (5.0 * k - 15.0), case.lean_share),
        )
        for k in range(7)
        for side, area in areas.items()
    )
    return CaseResult(
        case_id=case_id,
        patient_id=case.patient_id,
        study_uid=uid,
        study_date="2020-01-31",
        status=case.status,
        level=Level("femoral-head-top", 3, 15.0, {}),
        muscles=tuple(
            MuscleResult(
                "maximus",
                side,
                side_of(area, case.lean_share),
                error_bound_percent=case.error_bound_percent,
                flags=(Flag("outline-uncertain", "much"),) if case.status == "review" else (),
            )
            for side, area in areas.items()
        ),
        profile=profile,
        levels=tuple(Level(name, k, 5.0 * k, {}) for k, name in enumerate(levels)),
        height=Height(case.height_m, "none" if case.height_m is None else "participants"),
    )


def make_run(
    out: Path,
    cases: Sequence[MadeCase],
    *,
    levels: Sequence[str] = (),
    key_check: str = "",
    waiting: Sequence[str] = (),
) -> Path:
    """Write a run's folder; with ``levels`` as with ``--whole-muscle``, the first at slice 0 and so on."""
    protocol = PROTOCOL.model_copy(update={"extent": ExtentRule(whole_muscle=bool(levels))})
    results = [result_of(case, levels) for case in cases]
    rows = [write_case(out, result, protocol) for result in results]
    write_tables(out, rows, protocol.extent)
    states = [CaseState(r.case_id, r.status) for r in results] + [CaseState(name) for name in waiting]
    record = RunRecord("input", protocol, "", "", "2020-01-31T00:00:00+00:00", key_check=key_check)
    write_run_record(out, record, states, state="finished")
    return out
