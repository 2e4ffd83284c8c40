"""The commands, as a user types them."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
import SimpleITK as sitk
from dicom_series import FRAMES, write_ct
from export_runs import figures
from typer.testing import CliRunner

import glutseg as glutseg_api
from glutseg import review
from glutseg.batch.images import find_images
from glutseg.cli import app
from glutseg.errors import GlutsegError
from glutseg.output.ledger import read_case
from glutseg.output.pseudonym import pseudonymiser
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
    mask = review.read_mask(out / row["mask"], export_run.mask.stored)
    assert np.array_equal(mask.labels, export_run.mask.labels)
    assert figures(read_case(out, case).row.result) == figures(export_run.result)
    again = glutseg("measure", export_run.images, "--mask", file, "--level", "slice=3", "-o", out)
    assert again.exit_code == 1
    assert "output-exists" in again.output


def test_the_table_is_exported_as_parquet_as_people_decided(export_run):
    (row,) = table(export_run.out)
    review.reject(export_run.out, row["case_id"], "anna", "cut off")
    assert glutseg("export", export_run.out, "-f", "parquet").exit_code == 0
    exported = pd.read_parquet(export_run.out / "export" / "measurements.parquet")
    pd.testing.assert_frame_equal(exported.isna(), glutseg_api.read_run(export_run.out).frame().isna())
    assert exported["status"].tolist() == ["excluded"]
    assert glutseg("export", export_run.out, "-f", "parquet", "--values", "automatic").exit_code == 0
    exported = pd.read_parquet(export_run.out / "export" / "measurements.parquet")
    assert exported["area_left_mm2"].tolist() == [float(row["area_left_mm2"])]


def test_json_has_the_columns_of_the_table(export_run, tmp_path):
    path = tmp_path / "mask.nii.gz"
    sitk.WriteImage(export_run.mask.to_sitk(), str(path))
    done = glutseg("measure", export_run.images, "--mask", path, "--level", "z=827.4", "--json")
    (row,) = json.loads(done.stdout)["cases"]
    assert row["slice_index"] == 3
    assert row["area_left_mm2"] == pytest.approx(export_run.result.area_mm2("left"))


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
    how = ("run", export, "--masks", pattern, "--level", "slice=3", "-j", "0", "-o", out)
    done = glutseg(*how)
    assert done.exit_code == 2, done.output
    rows = {row["patient_id"]: row for row in table(out)}
    assert (
        rows["P1"]["area_left_mm2"]
        == rows["'../P 2" if "'../P 2" in rows else "../P 2"]["area_left_mm2"]
        != ""
    )
    assert rows["P3"]["status"] == "failed"
    assert rows["P3"]["error_code"] == "input-missing"
    assert rows["P1"]["protocol"] == "femoral-head-top.given-mask"
    assert "minimus_area_left_mm2" not in rows["P1"]
    assert set(np.unique(review.read_mask(out / rows["P1"]["mask"], export_run.mask.stored).labels)) == {
        0,
        1,
        2,
    }
    record = json.loads((out / "run.json").read_text())
    assert record["outliner"] == {"name": "given-mask", "labels": "as in the files"}

    sitk.WriteImage(export_run.mask.to_sitk(), str(masks / "P3.nii.gz"))  # a mask that came later
    other = sitk.GetArrayFromImage(export_run.mask.to_sitk())
    other[3, 20] = 0
    changed = sitk.GetImageFromArray(other)
    changed.CopyInformation(export_run.mask.to_sitk())
    sitk.WriteImage(changed, str(masks / "_P_2.nii.gz"))
    untouched = (out / rows["P1"]["mask"]).stat().st_mtime_ns
    assert glutseg(*how, "--resume").exit_code in (0, 2)
    again = {row["patient_id"]: row for row in table(out)}
    assert again["P3"]["area_left_mm2"] == again["P1"]["area_left_mm2"] == rows["P1"]["area_left_mm2"]
    second = next(name for name in again if name.endswith("P 2"))
    assert float(again[second]["area_left_mm2"]) < float(again["P1"]["area_left_mm2"])
    assert (out / rows["P1"]["mask"]).stat().st_mtime_ns == untouched


@pytest.mark.parametrize(
    "args",
    [
        ("--labels", "totalsegmentator"),
        ("--label", "7=left"),
        ("--masks", "{patient_id}.nii.gz", "--labels", "glutseg"),
    ],
)
def test_a_run_goes_on_only_with_the_same_outlines(export_run, tmp_path, args):
    masks = tmp_path / "masks"
    masks.mkdir()
    sitk.WriteImage(export_run.mask.to_sitk(), str(masks / "P1.nii.gz"))
    how = ("run", export_run.images, "--level", "slice=3", "-j", "0", "-o", tmp_path / "given")
    given = ("--masks", masks / "{patient_id}.nii.gz")
    assert glutseg(*how, *given).exit_code in (0, 2)
    done = glutseg(*how, *(args if "--masks" in args else (*given, *args)), "--resume")
    assert done.exit_code == 1
    assert "resume-differs" in done.output
    done = glutseg(*how, "--resume")
    assert done.exit_code == 1
    assert "outliner name was 'given-mask' and is 'glutseg'" in done.output


def test_all_muscles_of_given_masks_when_asked_for(export_run, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    sitk.WriteImage(export_run.mask.to_sitk(), str(masks / "P1.nii.gz"))
    pattern, out = masks / "{patient_id}.nii.gz", tmp_path / "given"
    how = ("--masks", pattern, "--muscles", "--level", "slice=3", "-j", "0", "-o", out)
    glutseg("run", export_run.images, *how)
    (row,), (before,) = table(out), table(export_run.out)
    assert row["minimus_area_left_mm2"] == before["minimus_area_left_mm2"] != ""
    assert "outline-uncertain" not in row["flags"]


def test_masks_of_a_run_with_pseudonyms_are_named_by_them(export_run, tmp_path):
    key, masks = tmp_path / "key", tmp_path / "SECRET_MASKS"
    masks.mkdir()
    pseudonym = pseudonymiser(key, tmp_path / "given").patient("P1")
    for name, content in ((pseudonym, b"no mask at all"), ("P1", b"neither")):
        (masks / f"{name}.nii.gz").write_bytes(content)
    how = (
        "run",
        export_run.images,
        "--masks",
        masks / "{patient_id}.nii.gz",
        "--level",
        "slice=3",
        "-j",
        "0",
    )
    how = (*how, "--pseudonymise", key, "-o", tmp_path / "given")
    assert glutseg(*how).exit_code == 1
    (row,) = table(tmp_path / "given")
    assert (row["patient_id"], row["error_code"]) == (pseudonym, "mask-unreadable")
    sitk.WriteImage(export_run.mask.to_sitk(), str(masks / f"{pseudonym}.nii.gz"))
    assert glutseg(*how, "--resume").exit_code in (0, 2)
    (row,) = table(tmp_path / "given")
    assert float(row["area_left_mm2"]) > 0
    for path in (path for path in (tmp_path / "given").rglob("*") if path.is_file()):
        assert b"SECRET_MASKS" not in path.read_bytes()


def test_the_api_measures_masks_of_a_run_as_well(export_run, tmp_path):
    masks, numbers = tmp_path / "masks", {1: 81, 2: 80}
    masks.mkdir()
    labels = np.zeros_like(export_run.stored_labels)
    for ours, theirs in numbers.items():
        labels[export_run.stored_labels == 3 - ours] = theirs
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(export_run.mask.to_sitk())
    sitk.WriteImage(image, str(masks / "P1.nii.gz"))
    how = {"masks": str(masks / "{patient_id}.nii.gz"), "jobs": 0}
    run = glutseg_api.run_folder(
        export_run.images, tmp_path / "a", "slice=3", labels="totalsegmentator", **how
    )
    told = {80: "left", 81: "right"}
    same = glutseg_api.run_folder(export_run.images, tmp_path / "b", "slice=3", labels=told, **how)
    for one in (run, same):
        of_run = figures(export_run.result)
        assert figures(one.results[0]) == {key: of_run[key] for key in of_run if key[0] == "maximus"}
    with pytest.raises(GlutsegError, match="labels-unknown"):
        glutseg_api.run_folder(export_run.images, tmp_path / "c", labels="boa", **how)


def test_a_mask_on_a_single_slice_is_measured_there_in_a_run_as_well(export_run, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    labels = np.zeros_like(export_run.stored_labels)
    labels[4] = export_run.stored_labels[4]
    drawn = sitk.GetImageFromArray(labels)
    drawn.CopyInformation(export_run.mask.to_sitk())
    sitk.WriteImage(drawn, str(masks / "P1.nii.gz"))
    out = tmp_path / "given"
    glutseg("run", export_run.images, "--masks", masks / "{patient_id}.nii.gz", "-j", "0", "-o", out)
    (row,) = table(out)
    assert (row["level_name"], row["slice_index"]) == ("slice", "4")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--mask", "absent.nii"], "input-missing"),
        ([], "--mask"),
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


def test_formats_may_stand_in_one_option(export_run, tmp_path):
    done = glutseg("export", export_run.out, "-f", "nrrd, NIFTI", "-f", "nifti", "-o", tmp_path / "there")
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "there").iterdir())) == 3  # with the colour table
    wrong = glutseg("export", export_run.out, "-f", "seg,pdf")
    assert (wrong.exit_code, "pdf is not one of" in wrong.output) == (2, True)


def test_a_run_on_a_relative_path_is_exported_from_another_folder(export_run, tmp_path, monkeypatch):
    masks = tmp_path / "masks"
    masks.mkdir()
    sitk.WriteImage(export_run.mask.to_sitk(), str(masks / "P1.nii.gz"))
    monkeypatch.chdir(tmp_path)
    how = ("--masks", "masks/{patient_id}.nii.gz", "--level", "slice=3", "-j", "0", "-o", "deep/given")
    assert glutseg("run", "images", *how).exit_code in (0, 2)
    record = json.loads(Path("deep/given/run.json").read_text())
    assert (record["input"], record["input_from_run"]) == ("images", "../../images")
    (tmp_path / "elsewhere" / "images").mkdir(parents=True)  # of the same name, but another
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert glutseg("export", "../deep/given", "-f", "seg").exit_code == 0
    assert find_images(Path("../deep/given")).plan.cases
