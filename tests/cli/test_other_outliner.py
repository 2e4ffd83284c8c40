"""A run with another outliner, compared with one of glutseg, through export, comparison and report.

The commands are those of docs/how-to/totalsegmentator.md.
"""

import csv
import json

import pytest
from typer.testing import CliRunner

import totalsegmentator_standin as standin
from glutseg import dicom
from glutseg.case import measure_study
from glutseg.cli import app
from glutseg.protocol import load_protocol
from glutseg.segmentation import AUTOMATIC
from glutseg.segmentation.totalsegmentator import TotalSegmentator

runner = CliRunner()


def glutseg(*args):
    return runner.invoke(app, [str(a) for a in args])


def table(out):
    with (out / "measurements.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def package(tmp_path, monkeypatch):
    yield from standin.installed(tmp_path, monkeypatch)


@pytest.fixture
def two(truth_rooms, tmp_path):
    for name in "AB":
        truth_rooms.write(tmp_path / "in" / name, patient_id=name)
    return tmp_path / "in"


OTHER = ("--outliner", "totalsegmentator", "--device", "cpu")


def test_a_run_with_another_outliner_from_images_to_report(package, two, tmp_path):
    own, other = tmp_path / "own", tmp_path / "other"
    assert glutseg("run", two, "-o", own).exit_code == 0
    done = glutseg("run", two, "-o", other, *OTHER)
    assert done.exit_code in (0, 2), done.output
    rows, own_rows = table(other), table(own)
    assert list(rows[0]) == list(own_rows[0])
    for row, before in zip(rows, own_rows, strict=True):
        assert row["protocol"] == "femoral-head-top.totalsegmentator"
        assert "other-outliner" in row["flags"].split()
        assert "outline-uncertain" not in row["flags"]
        assert row["error_bound_left_percent"] == row["error_bound_right_percent"] == ""
        assert before["error_bound_left_percent"] != ""
        assert "other-outliner" not in before["flags"]
        assert row["values"] == "automatic"
        assert (row["slice_index"], row["level_z_mm"]) == (before["slice_index"], before["level_z_mm"])
        assert float(row["area_left_mm2"]) > 0
        assert (other / row["overlay"]).stat().st_size > 1000
    record = json.loads((other / "run.json").read_text())
    assert record["outliner"]["name"] == "totalsegmentator"
    assert record["outliner"]["version"] == standin.VERSION
    assert json.loads((own / "run.json").read_text())["outliner"] == AUTOMATIC.record()
    compared = glutseg("agree", own, "--reference", other)
    assert compared.exit_code == 0, compared.output
    assert "other" in compared.output
    pairs = list(csv.DictReader((own / "agreement" / "pairs.csv").open(encoding="utf-8")))
    assert {pair["dice"] for pair in pairs} - {""}
    assert glutseg("report", other).exit_code == 0
    page = (other / "report.html").read_text(encoding="utf-8")
    assert f"outlined by TotalSegmentator {standin.VERSION}" in page
    assert "region growing" not in page


def test_outlines_are_exported_with_the_name_of_the_outliner(package, two, tmp_path):
    pytest.importorskip("highdicom")
    import pydicom

    assert glutseg("run", two, "-o", tmp_path / "other", *OTHER).exit_code in (0, 2)
    assert glutseg("export", tmp_path / "other", "-f", "seg").exit_code == 0
    segment = pydicom.dcmread(next((tmp_path / "other" / "export").glob("*.seg.dcm"))).SegmentSequence[0]
    assert segment.SegmentAlgorithmType == "AUTOMATIC"
    (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("TotalSegmentator", standin.VERSION)
    assert algorithm.AlgorithmFamilyCodeSequence[0].CodeValue == "123110"


def test_a_run_does_not_mix_outliners(package, two, tmp_path):
    out = tmp_path / "out"
    assert glutseg("run", two, "-o", out).exit_code == 0
    done = glutseg("run", two, "-o", out, *OTHER, "--resume")
    assert done.exit_code == 1
    assert "outliner name was 'glutseg' and is 'totalsegmentator'" in done.output
    assert all("totalsegmentator" not in row["protocol"] for row in table(out))
    other = tmp_path / "other"
    glutseg("run", two, "-o", other, *OTHER)
    before = (other / "measurements.csv").read_bytes()
    assert glutseg("run", two, "-o", other, *OTHER, "--resume").exit_code in (0, 2)
    assert (other / "measurements.csv").read_bytes() == before
    assert len((package / "calls.jsonl").read_text().splitlines()) == 2, "what is done is not done again"
    assert glutseg("run", two, "-o", other, "--resume").exit_code == 1


def test_without_weights_no_study_is_started(package, two, tmp_path):
    (tmp_path / "weights" / standin.WEIGHTS[294]).rmdir()
    done = glutseg("run", two, "-o", tmp_path / "out", *OTHER)
    assert done.exit_code == 1
    assert "weights-missing" in done.output
    assert "totalseg_download_weights -t total" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--outliner", "nnunet"), "outliner-unknown"),
        (("--device", "cpu"), "outliner-unknown"),
        ((*OTHER[:2], "--device", "tpu"), "outliner-unknown"),
        ((*OTHER, "--masks", "{patient_id}.nii.gz"), "cannot be combined with --outliner"),
        (("--labels", "totalsegmentator"), "--masks"),
        (("--masks", "one.nii.gz"), "input-missing"),
    ],
)
def test_options_that_cannot_be_combined(two, tmp_path, args, words):
    done = glutseg("run", two, "-o", tmp_path / "out", *args)
    assert done.exit_code != 0
    assert words in done.output + str(done.exception)
    assert not (tmp_path / "out").exists()


def test_outlines_of_others_have_no_expected_error(package, two, tmp_path):
    glutseg("run", two, "-o", tmp_path / "other", *OTHER, "--muscles")
    flags = table(tmp_path / "other")[0]["flags"]
    assert "outline-uncertain" not in flags
    assert "muscle-missing" in flags  # the stand-in outlines the maximus only


def test_an_error_of_the_outliner_fails_its_study_only(package, two):
    api = package / "python_api.py"
    api.write_text(
        api.read_text().replace("    canonical = ", "    raise MemoryError('GPU')\n    canonical = ", 1)
    )
    study = dicom.scan(two).studies[0]
    case = measure_study(study, load_protocol(), outliner=TotalSegmentator("cpu"))
    assert (case.result.status, case.result.error_code) == ("failed", "outliner-failed")
    assert case.result.level is not None
    assert case.image is not None
