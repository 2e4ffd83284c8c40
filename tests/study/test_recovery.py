"""A known difference, put into phantoms, comes out of the study: from DICOM to the p value.

The slices are few and coarse (fewer than a real series may have), and what finds the level and outlines the
muscle is replaced by the phantom's truth: sixteen patients in half a minute. With nothing replaced it is
benchmarks/cohort.py, whose stored result is checked here as well.
"""

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from glutseg import cli
from glutseg.errors import GlutsegError
from glutseg.phantom import PhantomScan, cohort_members, render, studies, write_cohort
from glutseg.phantom.cohort import COHORT_SCAN, GROUPS, MEAN_SCALES, SCALE_SD
from stand_ins import true_slice, use_truth

ROOT = Path(__file__).resolve().parents[2]
FEW_SLICES = PhantomScan(matrix=182, pixel_mm=2.2, slice_mm=5.0, z_range_mm=(17.5, 27.5), noise_hu=9.0)
MEMBERS = cohort_members(per_group=8)
COUNTING_ERROR = 0.01
"""Of an area that is counted in pixels of 2.2 mm."""


@pytest.fixture
def truth_for_all(monkeypatch):
    """Hips, level and outlines are the truth of the phantom that is shown."""
    drawn = {member.patient: render(member.patient, FEW_SLICES) for member in MEMBERS}
    monkeypatch.setattr(studies, "render", lambda patient, _scan: drawn[patient])  # not twice

    use_truth(monkeypatch, drawn.values(), true_slice)
    monkeypatch.setattr(sys.modules["glutseg.dicom.choose"], "MIN_COVERAGE_MM", 5.0)
    monkeypatch.setenv("GLUTSEG_JOBS", "0")  # other processes would not know the stand-ins


def test_the_difference_put_in_comes_out(truth_for_all, tmp_path):
    cohort, out = tmp_path / "cohort", tmp_path / "out"
    write_cohort(cohort, MEMBERS, FEW_SLICES)

    def invoke(*words):
        return CliRunner().invoke(cli.app, [str(w) for w in words], catch_exceptions=False)

    done = invoke("run", cohort, "-o", out)
    assert done.exit_code in (0, 2), done.output
    asked = (
        "--group",
        "group",
        "--groups",
        "control,back-pain",
        "--correlate",
        "visits",
        "--covariate",
        "age_years",
    )
    assert invoke("study", out, "--participants", cohort / "participants.csv", *asked).exit_code == 0
    found = json.loads((out / "study" / "study.json").read_text(encoding="utf-8"))
    with (cohort / "true_areas.csv").open(encoding="utf-8", newline="") as file:
        truth = {r["patient_id"]: float(r["area_mean_per_height_mm2_per_m"]) for r in csv.DictReader(file)}
    by_group = [np.array([truth[m.patient.patient_id] for m in MEMBERS if m.group == g]) for g in GROUPS]
    true_difference = by_group[0].mean() - by_group[1].mean()
    welch = found["comparison"]["welch"]
    assert found["joined"]["compared"] == len(MEMBERS)
    assert welch["ci"]["low"] < true_difference < welch["ci"]["high"]
    assert welch["difference"] == pytest.approx(true_difference, abs=COUNTING_ERROR * by_group[0].mean())
    assert welch["p"] < 0.05
    visits = {c["who"]: c for c in found["correlations"] if c["column"] == "visits"}
    assert visits["all"]["r_ci"]["high"] < 0
    assert visits["back-pain"]["r"] < -0.5
    assert "same" in visits["control"]["note"]


def test_the_groups_differ_by_exactly_what_is_said():
    members = cohort_members()
    assert len(members) == 24
    assert len({m.patient.seed for m in members}) == 24
    for group in GROUPS:
        scales = [
            (m.patient.muscle_scale_left + m.patient.muscle_scale_right) / 2
            for m in members
            if m.group == group
        ]
        assert len(scales) == 12
        assert np.mean(scales) == pytest.approx(MEAN_SCALES[group], abs=1e-12)
        assert np.std(scales) == pytest.approx(SCALE_SD, rel=0.1)
    assert {m.visits for m in members if m.group == "control"} == {0}
    assert min(m.visits for m in members if m.group == "back-pain") >= 1
    assert cohort_members() == members
    assert cohort_members(seed=2) != members


def test_a_cohort_is_not_written_over_another(tmp_path):
    few = cohort_members(per_group=1)
    scan = replace(FEW_SLICES, z_range_mm=(20.0, 26.0))
    write_cohort(tmp_path, few, scan)
    (tmp_path / "truth.json").unlink()
    with pytest.raises(GlutsegError, match="a cohort already"):
        write_cohort(tmp_path, few, scan)


def test_the_stored_benchmark_recovered_it_with_nothing_replaced():
    stored = json.loads((ROOT / "benchmarks" / "results" / "cohort.json").read_text(encoding="utf-8"))
    measured, true = stored["measured"], stored["true"]
    assert stored["patients"] == len(stored["cases"]) == 24
    assert stored["scan"]["slice_mm"] == COHORT_SCAN.slice_mm
    assert measured["ci_low"] < true["difference"] < measured["ci_high"]
    assert measured["p"] < 0.05
    differences = {
        kind: np.mean([c[kind] for c in stored["cases"] if c["group"] == "control"])
        - np.mean([c[kind] for c in stored["cases"] if c["group"] == "back-pain"])
        for kind in ("measured_mm2_per_m", "true_mm2_per_m")
    }
    assert differences["measured_mm2_per_m"] == pytest.approx(measured["difference"], rel=1e-3)
    assert differences["true_mm2_per_m"] == pytest.approx(true["difference"], rel=1e-3)
