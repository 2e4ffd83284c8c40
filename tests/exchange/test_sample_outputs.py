"""What lies beside the sample's images: the expected table of a run, and readings as OsiriX exports them."""

import csv
import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import glutseg
from glutseg import dicom
from glutseg.exchange.measure_mask import load_series
from glutseg.exchange.osirix import assign_readings, measure_readings, readings
from glutseg.exchange.osirix_files import read_rois

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_dicom"
ROIS = SAMPLE / "readings" / "rois.csv"
AREA_TOLERANCE = 0.005

pytestmark = pytest.mark.skipif(not SAMPLE.is_dir(), reason="sample_dicom/ is not in this distribution")


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_fresh_run_gives_the_expected_table(tmp_path):
    glutseg.run_folder(SAMPLE, tmp_path / "out")
    fresh, expected = (
        rows_of(tmp_path / "out" / "measurements.csv"),
        rows_of(SAMPLE / "expected" / "measurements.csv"),
    )
    assert [row["patient_id"] for row in fresh] == ["PHANTOM-0001", "PHANTOM-0002"]
    for mine, known in zip(fresh, expected, strict=True):
        assert list(mine) == list(known)
        for name, text in known.items():
            if name.startswith("area_") and text:
                assert float(mine[name]) == pytest.approx(float(text), rel=AREA_TOLERANCE), name
            elif name in (
                "case_id",
                "status",
                "flags",
                "error_code",
                "level_name",
                "slice_index",
                "height_m",
            ):
                assert mine[name] == text, name


def test_the_expected_areas_are_near_the_truth():
    truth = json.loads((SAMPLE / "truth.json").read_text())["patients"]
    for row, patient in zip(rows_of(SAMPLE / "expected" / "measurements.csv"), truth, strict=True):
        at_level = min(patient["slices"], key=lambda s, z=float(row["level_z_mm"]): abs(s["z_mm"] - z))
        for side in ("left", "right"):
            measured, true = float(row[f"area_{side}_mm2"]), at_level[f"area_{side}_mm2"]
            assert abs(measured / true - 1) < float(row[f"error_bound_{side}_percent"]) / 100


def test_osirix_readings_lie_on_the_measured_slice_and_near_the_truth():
    loaded = load_series(dicom.scan(SAMPLE / "PHANTOM-0001"))
    found, n_left_out = readings(read_rois(ROIS), loaded)
    assert (len(found), n_left_out) == (2, 0)
    assert not any(reading.discrepancies for reading in found)
    result = measure_readings(loaded, ROIS, assign_readings(found)).result
    assert result.level.z_mm == 20.0
    patient = json.loads((SAMPLE / "truth.json").read_text())["patients"][0]
    true = next(s for s in patient["slices"] if s["z_mm"] == 20.0)
    for side in ("left", "right"):
        area_mm2 = result.measurement(side).area_mm2
        assert area_mm2 == pytest.approx(true[f"area_{side}_mm2"], rel=0.03)
        assert area_mm2 != true[f"area_{side}_mm2"]  # drawn, not copied


def test_the_readings_are_what_the_script_writes():
    written = runpy.run_path(str(ROOT / "scripts" / "write_sample_readings.py"))["content"]()

    def numbers(text):
        lines = [line.split(",") for line in text.splitlines()[1:]]
        return np.array([[float(cell) for cell in line[20:]] for line in lines])

    committed = ROIS.read_text(encoding="utf-8")
    assert written.splitlines()[0] == committed.splitlines()[0]
    assert np.abs(numbers(written) - numbers(committed)).max() < 0.01
