"""A demonstration cohort: two groups of synthetic women whose difference is known exactly.

The groups differ only in the thickness of the muscle (`MEAN_SCALES`); all other parameters have the same
distribution in both. In one group the number of visits decreases with the thickness, in the other it is 0, as
in a study that compares patients with and without back pain.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from glutseg.errors import GlutsegError
from glutseg.image import SIDES
from glutseg.phantom.patient import PhantomPatient, PhantomScan
from glutseg.phantom.studies import TRUTH_FILE, Progress, write_studies

PER_GROUP = 12
GROUPS = ("control", "back-pain")
MEAN_SCALES = {"control": 1.04, "back-pain": 0.92}
"""Mean scale of the muscle's thickness, the only difference between the groups."""
SCALE_SD = 0.09
"""Standard deviation of the muscle scale within a group."""
VISITS_MEAN = 5.0
"""Mean number of visits in the back-pain group."""
VISITS_PER_SD = -2.5
"""Change of visits in the back-pain group per standard deviation of the muscle scale."""

PLANE_MM = 3.2
"""Thickness of the fat planes, which have no gaps: thinner ones are invisible on slices as thick as these.
The cohort tests the statistics of a study, not the segmentation (for that see docs/explanation/accuracy)."""

COHORT_SCAN = PhantomScan(matrix=307, pixel_mm=1.3, slice_mm=5.0, z_range_mm=(-47.5, 52.5), noise_hu=9.0)
"""Coarse, so that two dozen studies are measured in minutes, but fine enough to find the hips. One slice is
at 22.5 mm, the height of the tops of the femoral heads."""

PARTICIPANTS_FILE = "participants.csv"
TRUE_AREAS_FILE = "true_areas.csv"
LEVEL = "femoral-head-top"


@dataclass(frozen=True)
class CohortMember:
    """A phantom patient with its row of the participants table."""

    patient: PhantomPatient
    group: str
    visits: int
    bmi_kg_m2: float


def cohort_members(per_group: int = PER_GROUP, seed: int = 1) -> tuple[CohortMember, ...]:
    """Return the members, control and back pain alternating; the same arguments give the same members.

    The muscle scales of a group are the quantiles of a normal distribution in random order, so that
    each group's mean scale is exactly that of `MEAN_SCALES`.
    """
    rng = np.random.default_rng([seed, 0xC0])
    quantiles = norm.ppf((np.arange(per_group) + 0.5) / per_group)
    normal = {group: rng.permutation(quantiles) for group in GROUPS}
    return tuple(
        _member(group, 2 * i + j + 1, float(normal[group][i]), seed)
        for i in range(per_group)
        for j, group in enumerate(GROUPS)
    )


def _member(group: str, number: int, deviation: float, seed: int) -> CohortMember:
    rng = np.random.default_rng([seed, 0xC1, number])
    scale = MEAN_SCALES[group] + SCALE_SD * deviation
    side = float(rng.normal(0, 0.015))
    patient = PhantomPatient(
        seed=int(rng.integers(1, 2**31)),
        patient_id=f"COHORT-{number:04d}",
        sex="F",
        age=int(rng.integers(30, 71)),
        height_m=round(float(np.clip(rng.normal(1.64, 0.06), 1.50, 1.80)), 2),
        muscle_scale_left=scale + side,
        muscle_scale_right=scale - side,
        muscle_fat_fraction=float(rng.uniform(0.03, 0.10)),
        subcutaneous_mm=float(rng.uniform(16, 34)),
        plane_mm=PLANE_MM,
        plane_gap_fraction=0.0,
    )
    visits = round(VISITS_MEAN + VISITS_PER_SD * deviation + float(rng.normal(0, 1.5)))
    return CohortMember(
        patient, group, max(1, visits) if group == "back-pain" else 0, round(float(rng.normal(25.5, 3.0)), 1)
    )


def write_cohort(
    out: Path,
    members: Sequence[CohortMember] | None = None,
    scan: PhantomScan = COHORT_SCAN,
    *,
    progress: Progress | None = None,
) -> list[Path]:
    """Write the members' studies, ``participants.csv`` and the truth.

    ``participants.csv`` is what a researcher would have; ``truth.json`` and ``true_areas.csv`` (the area of
    each side at the true level in mm²) are known only for a phantom.

    Returns
    -------
    list of Path
        The studies' folders.

    Raises
    ------
    GlutsegError
        ``output-exists`` if the folder holds a phantom or a file with these names.
    """
    members = cohort_members() if members is None else members
    for name in (PARTICIPANTS_FILE, TRUE_AREAS_FILE):
        if (out / name).exists():
            raise GlutsegError("output-exists", "the folder holds a cohort already", str(out / name))
    folders = write_studies(out, [m.patient for m in members], scan, progress=progress)
    truths = json.loads((out / TRUTH_FILE).read_text(encoding="utf-8"))["patients"]
    _write_rows(out / TRUE_AREAS_FILE, [_true_row(truth) for truth in truths])
    _write_rows(out / PARTICIPANTS_FILE, [_participant_row(m) for m in members])
    return folders


def _participant_row(member: CohortMember) -> dict[str, object]:
    patient = member.patient
    return {
        "patient_id": patient.patient_id,
        "group": member.group,
        "age_years": patient.age,
        "height_m": f"{patient.height_m:.2f}",
        "bmi_kg_m2": member.bmi_kg_m2,
        "visits": member.visits,
    }


def _true_row(truth: dict[str, Any]) -> dict[str, object]:
    """Row of the slice nearest to the mean height of the femoral heads' tops (the level `LEVEL`)."""
    top_mm = float(np.mean([truth["landmarks_mm"][f"{LEVEL}:{side}"][2] for side in SIDES]))
    nearest = min(truth["slices"], key=lambda s: abs(s["z_mm"] - top_mm))
    areas = {f"area_{side}_mm2": nearest[f"outline_area_{side}_mm2"] for side in SIDES}
    mean_mm2 = sum(areas.values()) / len(areas)
    height_m = truth["patient"]["height_m"]
    return {
        "patient_id": truth["patient"]["patient_id"],
        "z_mm": nearest["z_mm"],
        **areas,
        "area_mean_mm2": round(mean_mm2, 2),
        "area_mean_per_height_mm2_per_m": round(mean_mm2 / height_m, 4),
    }


def _write_rows(path: Path, rows: Sequence[dict[str, object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    beside = path.with_name(f"{path.name}.part")
    beside.write_text(text.getvalue(), encoding="utf-8")
    beside.replace(path)
