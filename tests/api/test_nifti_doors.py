"""The same patient as DICOM and as NIfTI: the same areas to the pixel, and a run goes its whole way."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glutseg
from glutseg import batch
from glutseg.api.runs import TIMEOUT_MINUTES
from glutseg.batch.images import find_images
from glutseg.dicom import INDEX_FILE
from glutseg.errors import GlutsegError
from glutseg.exchange import export
from glutseg.image import SIDES
from glutseg.phantom import PhantomPatient, PhantomScan, render, write_dicom
from nifti_writer import write_nifti

REAL = Path(__file__).parents[3] / "shared" / "cases" / "real-002" / "dicom"
LONG_SCAN = PhantomScan(matrix=192, pixel_mm=2.2, slice_mm=3.0, z_range_mm=(-140.0, 140.0))
"""Long enough for the localiser pass, so that not all of it is read."""


@pytest.fixture(scope="module")
def as_dicom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dicom")
    write_dicom(render(PhantomPatient(seed=21), LONG_SCAN), folder)
    return folder, glutseg.measure_study(folder)


def assert_same(case, path):
    other = glutseg.measure_study(path)
    assert other.status == case.status
    np.testing.assert_array_equal(other.mask.labels, case.mask.labels)
    for side in SIDES:
        assert other.result.area_mm2(side) == pytest.approx(case.result.area_mm2(side), rel=1e-6)
    assert other.result.level.slice_index == case.result.level.slice_index
    assert {str(f) for f in other.flags} - {str(f) for f in case.flags} <= {"nifti-input", "height-missing"}


@pytest.mark.slow
@pytest.mark.parametrize("order", ["RAS", "LPI", "SRP"])
def test_a_phantom_as_nifti_has_the_same_areas(as_dicom, tmp_path, order):
    folder, case = as_dicom
    assert_same(case, write_nifti(tmp_path / "PHANTOM-0001.nii.gz", glutseg.load(folder), order))


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.skipif(not REAL.is_dir(), reason="the shared cases are not beside the checkout")
def test_a_real_patient_as_nifti_has_the_same_areas(tmp_path):
    path = write_nifti(tmp_path / "real.nii.gz", glutseg.load(REAL), "LAS")
    assert_same(glutseg.measure_study(REAL), path)


@pytest.fixture
def inputs(truth_rooms, tmp_path):
    """Two patients as NIfTI, a mask beside the first, MR, and a table of heights."""
    image = glutseg.load(truth_rooms.write(tmp_path / "dicom"))
    folder = tmp_path / "in"
    write_nifti(folder / "P-1.nii.gz", image)
    write_nifti(folder / "P-1_seg.nii.gz", image, values=(image.hu > 0).astype(np.uint8))
    write_nifti(folder / "P-2" / "ct.nii", image, "PIR")
    write_nifti(folder / "P-3_mr.nii.gz", image, values=image.hu.clip(0))
    (tmp_path / "heights.csv").write_text("patient_id,height_cm\nP-1,170\nP-2,160\n", encoding="utf-8")
    return tmp_path


def test_a_run_of_nifti_files(truth_rooms, inputs):
    heights = inputs / "heights.csv"
    run = glutseg.run_folder(inputs / "in", inputs / "out", participants=heights, jobs=0)
    rows = run.frame().set_index("patient_id")
    assert rows.index.tolist() == ["P-1", "P-2", "P-3_mr"]
    assert rows["status"].tolist() == ["ok", "ok", "failed"]
    assert rows.loc["P-3_mr", "error_code"] == "values-not-hu"
    assert pd.isna(rows.loc["P-3_mr", "area_left_mm2"])
    area_mm2 = truth_rooms.true_area_mm2("left")
    for patient, height in (("P-1", 1.7), ("P-2", 1.6)):
        assert rows.loc[patient, "height_m"] == height
        assert rows.loc[patient, "area_left_mm2"] == pytest.approx(area_mm2, rel=1e-6)
        assert "nifti-input" in rows.loc[patient, "flags"]
        assert run.image(patient).geometry.matches(run.mask(patient).geometry)
    again = glutseg.run_folder(inputs / "in", inputs / "out", participants=heights, jobs=0, resume=True)
    assert again.frame().equals(run.frame())
    assert (inputs / "out" / INDEX_FILE).exists()
    images = find_images(inputs / "out")
    assert images.series(run["P-2"].result, run.protocol).slices


def test_our_own_masks_are_no_input(truth_rooms, inputs):
    run = glutseg.run_folder(inputs / "in", inputs / "in" / "out", jobs=0)
    assert list((inputs / "in" / "out").rglob("mask.nii.gz"))
    again = glutseg.run_folder(inputs / "in", inputs / "in" / "out", jobs=0, resume=True)
    assert list(again) == list(run)


def test_dicom_objects_of_a_nifti_case_are_refused(truth_rooms, inputs):
    pytest.importorskip("highdicom")
    run = glutseg.run_folder(inputs / "in", inputs / "out", jobs=0)
    for format_ in ("seg", "rtstruct"):
        done = export(run.out, [format_])
        assert not done.files
        reasons = {case_id: (code, message) for case_id, code, message in done.left_out}
        code, message = reasons[run["P-1"].result.case_id]
        assert code == "export-unsupported"
        assert "NIfTI" in message
    assert len(export(run.out, ["nifti"]).files) == 2


def test_pseudonyms_hide_the_name_of_the_file(truth_rooms, inputs):
    out = inputs / "out"
    glutseg.run_folder(inputs / "in", out, jobs=0, key_file=inputs / "key.txt")
    for path in out.rglob("*"):
        assert "P-1" not in str(path.relative_to(out))
        if path.is_file() and path.suffix in (".csv", ".json", ".jsonl", ".html", ".txt"):
            assert "P-1" not in path.read_text(encoding="utf-8")


def test_a_mask_from_elsewhere_is_measured_on_a_nifti_ct(truth_rooms, inputs):
    run = glutseg.run_folder(inputs / "in", inputs / "out", jobs=0)
    mask = inputs / "out" / run.frame().set_index("patient_id").loc["P-1", "mask"]
    case = glutseg.measure_mask(inputs / "in" / "P-1.nii.gz", mask, labels="glutseg")
    assert case.result.area_mm2("left") == run["P-1"].result.area_mm2("left")


def test_load_says_why_a_nifti_is_refused(inputs):
    with pytest.raises(GlutsegError) as caught:
        glutseg.load(inputs / "in" / "P-3_mr.nii.gz")
    assert caught.value.code == "values-not-hu"
    with pytest.raises(GlutsegError) as caught:
        glutseg.load(inputs / "in" / "P-1_seg.nii.gz")
    assert caught.value.code == "input-empty"


def test_a_run_of_masks_only_is_empty(inputs):
    (inputs / "masks").mkdir()
    (inputs / "in" / "P-1_seg.nii.gz").rename(inputs / "masks" / "a.nii.gz")
    with pytest.raises(GlutsegError, match="such as masks") as caught:
        glutseg.run_folder(inputs / "masks", inputs / "out", jobs=0)
    assert caught.value.code == "input-empty"
    assert not (inputs / "out").exists()


def test_a_worker_process_reads_nifti(inputs):
    """With the real method, which finds no hips in so small a phantom or measures it: either is a result."""
    seen = []
    run = glutseg.run_folder(
        inputs / "in", inputs / "out", jobs=1, progress=lambda done, total, result: seen.append((done, total))
    )
    assert len(run) == 3
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert batch.RunOptions().timeout_s == TIMEOUT_MINUTES * 60
