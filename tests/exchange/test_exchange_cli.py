"""The commands, as a user types them."""

import csv
import json
import shutil

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_series import FRAMES, write_ct
from typer.testing import CliRunner

from glutseg import review
from glutseg.cli import app
from glutseg.output.ledger import read_case
from osirix_drawn import Drawn

runner = CliRunner()


def glutseg(*args):
    return runner.invoke(app, [str(a) for a in args])


def table(out, name="measurements.csv"):
    with (out / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_export_and_measure_again(export_run, tmp_path):
    done = glutseg("export", export_run.out, "--format", "nrrd", "-o", tmp_path / "there")
    assert done.exit_code == 0, done.output
    (file,) = (tmp_path / "there").glob("*.seg.nrrd")
    out = tmp_path / "given"
    done = glutseg("measure", export_run.images, "--mask", file, "--level", "slice=3", "-o", out)
    assert done.exit_code == 2, done.output  # a density that is no muscle's asks for a look
    (row,), (before,) = table(out), table(export_run.out)
    for name in (
        "area_left_mm2",
        "area_right_mm2",
        "mean_hu_left",
        "polygon_area_left_mm2",
        "minimus_area_left_mm2",
    ):
        assert row[name] == before[name] != ""
    assert row["protocol"] == "femoral-head-top.given-mask"
    assert "mask-given" in row["flags"]
    assert row["values"] == "given"
    assert glutseg("export", out, "-f", "seg").exit_code == 0
    segment = pydicom.dcmread(next((out / "export").glob("*.dcm"))).SegmentSequence[0]
    assert (segment.SegmentAlgorithmType, segment.SegmentAlgorithmName) == (
        "SEMIAUTOMATIC",
        "outline given to glutseg",
    )
    case = row["case_id"]
    assert (out / "cases" / case / "overlay.png").stat().st_size > 1000
    mask = review.read_mask(out / row["mask"], export_run.mask.geometry)
    assert np.array_equal(mask.labels, export_run.mask.labels)
    assert read_case(out, case).row.result.measurements == export_run.result.measurements
    again = glutseg("measure", export_run.images, "--mask", file, "--level", "slice=3", "-o", out)
    assert again.exit_code == 1
    assert "output-exists" in again.output


def test_json_has_the_columns_of_the_table(export_run, tmp_path):
    path = tmp_path / "mask.nii.gz"
    sitk.WriteImage(export_run.mask.to_sitk(), str(path))
    done = glutseg("measure", export_run.images, "--mask", path, "--level", "z=827.4", "--json")
    (row,) = json.loads(done.stdout)["cases"]
    assert row["slice_index"] == 3
    assert row["area_left_mm2"] == pytest.approx(export_run.result.measurements["left"].area_mm2)


def test_many_masks_by_a_pattern(export_run, tmp_path):
    export = tmp_path / "export"
    shutil.copytree(export_run.images, export / "a")
    write_ct(export / "b", FRAMES["HFS"], uid="2", PatientID="../P 2")
    write_ct(export / "c", FRAMES["HFS"], uid="3", PatientID="P3")
    masks = tmp_path / "masks"
    masks.mkdir()
    for name in ("P1", "_P_2"):
        sitk.WriteImage(export_run.mask.to_sitk(), str(masks / f"{name}.nii.gz"))
    out = tmp_path / "given"
    pattern = masks / "{patient_id}.nii.gz"
    done = glutseg("measure", export, "--masks", pattern, "--level", "slice=3", "-o", out)
    assert done.exit_code == 2, done.output
    rows = {row["patient_id"]: row for row in table(out)}
    assert (
        rows["P1"]["area_left_mm2"]
        == rows["'../P 2" if "'../P 2" in rows else "../P 2"]["area_left_mm2"]
        != ""
    )
    assert rows["P3"]["status"] == "failed"
    assert rows["P3"]["error_code"] == "input-missing"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--mask", "absent.nii"], "input-missing"),
        (["--masks", "masks/one.nii.gz"], "input-missing"),
        ([], "either"),
        (["--mask", "absent.nii", "--label", "nonsense"], "labels-unknown"),
    ],
)
def test_what_cannot_be_is_one_line(export_run, args, words):
    done = glutseg("measure", export_run.images, *args)
    assert done.exit_code != 0
    assert words in done.output + str(done.exception)


def test_osirix_readings_are_listed_and_measured(export_run, tmp_path):
    drawn = Drawn(export_run.images, export_run.mask)
    file = drawn.csv(tmp_path / "rois.csv")
    done = glutseg("import-osirix", file, export_run.images)
    assert done.exit_code == 0, done.output
    assert "closed polygon" in done.output
    out = tmp_path / "given"
    done = glutseg("import-osirix", file, export_run.images, "-o", out)
    assert done.exit_code == 2, done.output
    lines = table(out, "osirix.csv")
    assert [line["side"] for line in lines] == ["left", "right"]
    for line in lines:
        assert float(line["line_area_mm2"]) == pytest.approx(float(line["osirix_area_mm2"]), rel=0.001)
    (row,) = table(out)
    assert float(row["area_right_mm2"]) == pytest.approx(float(lines[1]["area_mm2"]))
    told = json.loads(glutseg("import-osirix", file, export_run.images, "--json").stdout)
    assert told["rois"][0]["roi_name"] == "left"
