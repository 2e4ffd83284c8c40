"""The committed sample is what the generator renders today, it is small, and its README is correct."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from glutseg.phantom import SAMPLE_PATIENTS, SAMPLE_SCAN, render

SAMPLE = Path(__file__).parents[2] / "sample_dicom"
LEVEL = 18  # the instance nearest to the femoral heads' tops of both patients

pytestmark = pytest.mark.skipif(not SAMPLE.is_dir(), reason="sample_dicom/ is not in this distribution")


@pytest.mark.parametrize("number", [0, 1])
def test_the_sample_is_what_is_rendered_today(number):
    patient = SAMPLE_PATIENTS[number]
    dataset = pydicom.dcmread(SAMPLE / patient.patient_id / f"IM{LEVEL:04d}.dcm")
    z_mm = float(dataset.ImagePositionPatient[2])
    rendered = render(patient, replace(SAMPLE_SCAN, z_range_mm=(z_mm, z_mm + 1), noise_hu=0))
    stored = dataset.pixel_array.astype(float) + float(dataset.RescaleIntercept)
    assert abs(stored - rendered.volume.hu[0]).mean() < SAMPLE_SCAN.noise_hu
    truth = json.loads((SAMPLE / "truth.json").read_text())["patients"][number]
    row = next(r for r in truth["slices"] if r["instance"] == LEVEL)
    described = (SAMPLE / "README.md").read_text()
    for side, label in (("left", 1), ("right", 2)):
        area_mm2 = (rendered.truth.labels == label).sum() * 1.1**2
        assert row[f"area_{side}_mm2"] == pytest.approx(area_mm2, abs=0.01)
        assert f"{row[f'area_{side}_mm2']:.1f} mm²" in described
    assert float(dataset.PatientSize) == patient.height_m


def test_the_level_is_nearest_to_the_femoral_heads():
    for patient in json.loads((SAMPLE / "truth.json").read_text())["patients"]:
        tops = [patient["landmarks_mm"][f"femoral-head-top:{side}"][2] for side in ("left", "right")]
        nearest = min(patient["slices"], key=lambda r: abs(r["z_mm"] - np.mean(tops)))
        assert nearest["instance"] == LEVEL


def test_the_sample_is_small_and_complete():
    assert sum(p.stat().st_size for p in SAMPLE.rglob("*") if p.is_file()) < 10_000_000
    for patient in SAMPLE_PATIENTS:
        assert len(list((SAMPLE / patient.patient_id).glob("IM*.dcm"))) == 39
