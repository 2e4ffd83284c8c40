"""`glutseg agree` from folders to files, on made runs whose agreement is known by construction."""

import csv
import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from glutseg import review
from glutseg.agreement import AUTOMATIC, agree, in_words
from glutseg.errors import GlutsegError
from glutseg.image import Geometry, Mask
from glutseg.output.case_files import nifti_gz
from made_run import GRID, LEVEL_SLICE, MadeCase, correct_case, labels_of, make_run, reseal, some_cases

SHARED = Path(__file__).parents[3] / "shared"
PIXEL_MM2 = 3.0


@pytest.fixture
def out(tmp_path):
    return make_run(tmp_path / "out", some_cases(8)).out


def write_masks(folder, cases, grid=GRID):
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases:
        (folder / f"{case.patient_id}.nii.gz").write_bytes(nifti_gz(Mask.from_array(labels_of(case), grid)))
    return folder


def pair_of(found, patient_id, side="left"):
    return next(p for p in found.pairs if (p.case.patient_id, p.side) == (patient_id, side))


def codes(flags):
    return {flag.code for flag in flags}


def test_another_run(out, tmp_path):
    other = make_run(tmp_path / "other", some_cases(8, wider_px=2)).out
    found = agree(out, [str(other)])
    assert found.raters == (AUTOMATIC, "other")
    for i, case in enumerate(some_cases(8)):
        pair = pair_of(found, case.patient_id)
        n = 10 * (10 + i % 8)
        assert pair.area_first_mm2 == pytest.approx(n * PIXEL_MM2)
        assert pair.area_second_mm2 == pytest.approx((n + 20) * PIXEL_MM2)
        assert pair.on_slice.dice == pytest.approx(2 * n / (2 * n + 20))
        assert pair.in_volume.dice == pytest.approx(pair.on_slice.dice)  # five equal slices
        assert pair.n_slices == 5
        assert pair.on_slice.hd95_mm == pytest.approx(4.0)  # two pixels of 2 mm
    mean = next(c for c in found.comparisons if c.quantity == "mean")
    assert mean.limits.bias.value == pytest.approx(20 * PIXEL_MM2)
    assert mean.limits.sd == pytest.approx(0, abs=1e-9)
    assert mean.reliability.icc_consistency.value == pytest.approx(1)
    assert mean.reliability.icc_agreement.value < 1
    assert codes(mean.notes) == {"agree-few-cases"}


def test_differences_beside_the_expected_error(tmp_path):
    """Left 300 ± 30, right 330 ± 66 mm²; the other reading is 60 mm² larger on both sides."""
    first = make_run(tmp_path / "out", [MadeCase("P", (10, 11), error_bounds_percent=(10.0, 20.0))]).out
    wider = MadeCase("P", (12, 13), error_bounds_percent=(None, None))
    found = agree(first, [str(make_run(tmp_path / "other", [wider]).out)])
    left, right = (pair_of(found, "P", side) for side in ("left", "right"))
    assert (left.bound_mm2, left.difference_mm2, left.is_within_bound) == (pytest.approx(30), 60, False)
    assert (right.bound_mm2, right.is_within_bound) == (pytest.approx(66), True)
    rows = list(csv.DictReader((first / "agreement/pairs.csv").read_text().splitlines()))
    assert [(row["bound_mm2"], row["within_bound"]) for row in rows] == [("30.0", "no"), ("66.0", "yes")]
    of_all = list(csv.DictReader((first / "agreement/agreement.csv").read_text().splitlines()))
    shares = {row["quantity"]: (row["n_bounds"], row["within_bound_percent"]) for row in of_all}
    assert shares == {
        "area_left_mm2": ("1", "0.0"), "area_right_mm2": ("1", "100.0"), "area_mean_mm2": ("2", "50.0"),
    }  # fmt: skip
    assert "50 % of 2 sides differ by no more than the expected error (90 % bound)" in " ".join(
        in_words(found)
    )


def test_the_expected_errors_of_two_runs_are_joined_and_unknown_ones_count_nowhere(tmp_path):
    both = [MadeCase("P", (10, 10), error_bounds_percent=(10.0, None))]
    first = make_run(tmp_path / "out", both).out
    second = [MadeCase("P", (10, 10), error_bounds_percent=(40 / 3, None))]
    found = agree(first, [str(make_run(tmp_path / "other", second).out)])
    assert pair_of(found, "P").bound_mm2 == pytest.approx(50.0)  # 30 and 40
    right = pair_of(found, "P", "right")
    assert (right.bound_mm2, right.is_within_bound) == (None, None)


def test_a_person_s_reading_has_no_expected_error(tmp_path):
    case = MadeCase("P", (10, 10), error_bounds_percent=(10.0, 10.0))
    out = make_run(tmp_path / "out", [case]).out
    review.accept(out, case.case_id, "Ann")
    assert pair_of(agree(out, ["reviewer:Ann"]), "P").bound_mm2 == pytest.approx(30.0)


def test_files_are_whole_and_the_same_each_time(out, tmp_path):
    other = str(make_run(tmp_path / "other", some_cases(8, wider_px=1)).out)
    agree(out, [other])
    agree(out, [other], tmp_path / "again")
    first = {p.name: p.read_bytes() for p in (out / "agreement").iterdir()}
    assert first == {p.name: p.read_bytes() for p in (tmp_path / "again").iterdir()}
    record = json.loads(first["agreement.json"])
    assert record["files"] == sorted(set(first) - {"agreement.json"})
    assert {"bland-altman-1.svg", "bland-altman-1.png", "identity-1.svg"} <= set(first)
    rows = list(csv.DictReader(first["pairs.csv"].decode().splitlines()))
    assert len(rows) == 16
    assert float(rows[0]["difference_mm2"]) == 30
    assert record["agreement"][0]["quantity"] == "area_left_mm2"
    with pytest.raises(GlutsegError, match="output-exists"):
        agree(out, [other])
    agree(out, [other], overwrite=True)


def test_masks_by_patient_id_and_case_id(out, tmp_path):
    cases = some_cases(8, wider_px=1)
    masks = write_masks(tmp_path / "masks", cases[:4])
    deep = masks / cases[5].case_id / "anything.nii.gz"
    deep.parent.mkdir()
    deep.write_bytes(nifti_gz(Mask.from_array(labels_of(cases[5]), GRID)))
    (masks / "somebody.nii.gz").write_bytes(b"never opened")
    found = agree(out, [str(masks)])
    assert [n.message for n in found.notes if n.code == "agree-case-unknown"] == ["masks: somebody.nii.gz"]
    assert len(found.pairs) == 10
    pair = pair_of(found, "P05")
    assert pair.area_second_mm2 == pytest.approx(16 * 10 * PIXEL_MM2)
    assert pair.on_slice.dice == pytest.approx(2 * 15 / 31)
    assert "agree-case-missing" in codes(found.notes)


def test_a_mask_stored_in_another_order_is_the_same_grid(out, tmp_path):
    case = some_cases(8)[2]
    image = sitk.DICOMOrient(Mask.from_array(labels_of(case), GRID).to_sitk(), "RAS")
    (tmp_path / "masks").mkdir()
    sitk.WriteImage(sitk.Cast(image, sitk.sitkFloat32), str(tmp_path / "masks" / "P02.nii.gz"))
    found = agree(out, [str(tmp_path / "masks")])
    assert pair_of(found, "P02", "right").on_slice.dice == 1


def test_masks_on_another_grid_are_compared_by_area_only(out, tmp_path):
    case = some_cases(8)[0]
    grid = Geometry(GRID.shape, (5.0, 1.0, 1.0), GRID.origin_mm, GRID.direction)
    found = agree(out, [str(write_masks(tmp_path / "masks", [case], grid))])
    pair = pair_of(found, "P00")
    assert pair.on_slice is None
    assert pair.area_second_mm2 == pytest.approx(100.0)
    assert codes(pair.notes) == {"agree-grid-differs"}


def test_one_outlined_side_and_one_outlined_slice(out, tmp_path):
    case = some_cases(8)[1]
    labels = labels_of(case)
    labels[labels == 2] = 0
    labels[[k for k in range(7) if k != LEVEL_SLICE]] = 0
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "P01.nii.gz").write_bytes(nifti_gz(Mask.from_array(labels, GRID)))
    found = agree(out, [str(tmp_path / "masks")])
    left, right = pair_of(found, "P01"), pair_of(found, "P01", "right")
    assert left.on_slice.dice == 1
    assert left.in_volume is None
    assert (right.on_slice, right.area_second_mm2) == (None, None)
    assert codes(right.notes) == {"agree-side-missing"}


def test_swapped_sides_are_seen(out, tmp_path):
    case = some_cases(8)[0]
    labels = labels_of(case)
    swapped = np.where(labels == 1, 2, np.where(labels == 2, 1, 0)).astype(np.uint8)
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "P00.nii.gz").write_bytes(nifti_gz(Mask.from_array(swapped, GRID)))
    pair = pair_of(agree(out, [str(tmp_path / "masks")]), "P00")
    assert pair.on_slice.dice == 0
    assert "agree-sides-swapped" in codes(pair.notes)


def test_series_with_gantry_tilt(tmp_path):
    lean = math.radians(12)
    direction = (1.0, 0, 0, 0, math.cos(lean), 0, 0, math.sin(lean), -1.0)
    tilted = replace(GRID, direction=direction)
    case, wider = (replace(MadeCase("T", (width, 15)), grid=tilted) for width in (12, 14))
    out = make_run(tmp_path / "out", [case]).out
    correct_case(out, wider, "Ann")
    other = make_run(tmp_path / "other", [wider]).out
    masks = tmp_path / "masks"
    masks.mkdir()
    shutil.copy(other / "cases" / wider.case_id / "mask.nrrd", masks / "T.nrrd")
    found = agree(out, [str(other), str(masks), "reviewer:Ann"])
    pairs = [p for p in found.pairs if p.first == AUTOMATIC and p.side == "left"]
    assert len(pairs) == 3
    for pair in pairs:
        assert pair.on_slice.dice == pytest.approx(2 * 12 / 26)
        assert pair.in_volume.dice == pytest.approx(2 * 12 / 26)
        assert pair.in_volume.hd95_mm is None
    (masks / "T.nrrd").unlink()
    shutil.copy(other / "cases" / wider.case_id / "mask.nii.gz", masks / "T.nii.gz")
    with pytest.raises(GlutsegError, match="must be NRRD"):
        agree(out, [str(masks)], tmp_path / "x")


def test_another_level_is_told(out, tmp_path):
    moved = [MadeCase(c.patient_id, c.widths_px, level_slice=2) for c in some_cases(8)]
    found = agree(out, [str(make_run(tmp_path / "other", moved).out)])
    pair = pair_of(found, "P03")
    assert pair.level_difference_mm == pytest.approx(-5.0)  # a slice nearer to the feet
    assert "agree-level-differs" in codes(pair.notes)
    assert pair.on_slice.dice == 1


def test_failed_cases_are_missing_not_zero(tmp_path):
    cases = some_cases(5)
    failed = [*cases[:4], MadeCase("P04", status="failed", error=("hips-not-found", "no"))]
    found = agree(make_run(tmp_path / "out", cases).out, [str(make_run(tmp_path / "other", failed).out)])
    assert {c.n for c in found.comparisons} == {4}
    assert not [p for p in found.pairs if p.case.patient_id == "P04"]


def test_three_raters(out, tmp_path):
    others = [str(make_run(tmp_path / f"o{w}", some_cases(8, w)).out) for w in (1, 3)]
    table = tmp_path / "hand.csv"
    rows = [f"{c.patient_id};{c.widths_px[0] * 0.30:.2f}" for c in some_cases(8)]
    table.write_text("\n".join(["Patient_ID;area_left_cm2", *rows]))
    found = agree(out, [*others, str(table)])
    assert found.raters == (AUTOMATIC, "o1", "o3", "hand.csv")
    everyone = [c for c in found.comparisons if len(c.raters) == 4]
    assert [c.n for c in everyone] == [8, 0, 0]  # the table knows the left side only
    assert everyone[0].reliability.n_raters == 4
    assert everyone[0].limits is None


def test_few_and_constant_readings(tmp_path):
    same = [MadeCase(f"P{i}", (12, 12)) for i in range(5)]
    out = make_run(tmp_path / "out", same).out
    found = agree(out, [str(make_run(tmp_path / "other", same).out)])
    assert all("agree-constant" in codes(c.notes) for c in found.comparisons)
    record = json.loads((out / "agreement" / "agreement.json").read_text())
    assert record["agreement"][0]["icc_agreement"] is None
    assert record["agreement"][0]["sem_agreement_mm2"] == 0
    two = agree(out, [str(make_run(tmp_path / "two", same[:2]).out)], tmp_path / "few")
    assert all(c.limits is None and c.reliability is None and c.n == 2 for c in two.comparisons)


def test_several_studies_of_one_patient_are_told(tmp_path):
    cases = some_cases(6)
    run = make_run(tmp_path / "out", cases)
    text = "\n".join(["case_id,area_left_mm2", *(f"{c.case_id},{300 + i}" for i, c in enumerate(cases))])
    (tmp_path / "t.csv").write_text(text)
    for case in cases:  # as if all were of one patient
        path = run.out / "cases" / case.case_id / "case.json"
        path.write_text(path.read_text().replace(f'"patient_id": "{case.patient_id}"', '"patient_id": "P"'))
        reseal(path)
    found = agree(run.out, [str(tmp_path / "t.csv")])
    assert "agree-patients-repeated" in codes(found.comparisons[0].notes)
    (tmp_path / "t.csv").write_text("patient_id,area_left_mm2\nP,300\n")
    with pytest.raises(GlutsegError, match="names 6 studies"):
        agree(run.out, [str(tmp_path / "t.csv")], tmp_path / "x")


def test_reviewers_of_the_run(out):
    cases, wider = some_cases(8), some_cases(8, wider_px=2)
    for case in cases[:4]:
        review.accept(out, case.case_id, "Ann")
    for case in wider[:5]:
        correct_case(out, case, "Bo Ånd")
    correct_case(out, wider[4], "Ann")
    review.reject(out, cases[5].case_id, "Ann", "metal")
    review.accept(out, cases[6].case_id, "Ann")
    review.undo(out, cases[6].case_id, "Ann")
    found = agree(out, ["reviewer:Ann", "reviewer:Bo Ånd"])
    assert found.raters == (AUTOMATIC, "Ann", "Bo Ånd")
    ann, bo = (
        {p.case.patient_id: p.on_slice.dice for p in found.pairs if (p.first, p.second) == pair}
        for pair in ((AUTOMATIC, "Ann"), ("Ann", "Bo Ånd"))
    )
    assert sorted(ann) == sorted(bo) == ["P00", "P01", "P02", "P03", "P04"]
    assert [ann[f"P0{i}"] == 1 for i in range(5)] == [True] * 4 + [False]
    assert [bo[f"P0{i}"] == 1 for i in range(5)] == [False] * 4 + [True]
    assert {c.n for c in found.comparisons} == {5}
    assert [n.code for n in found.notes].count("agree-not-independent") == 2


def test_a_decision_on_an_earlier_measurement_does_not_count(out):
    for case in some_cases(4):
        review.accept(out, case.case_id, "Ann")
    path = out / "cases" / some_cases(1)[0].case_id / "case.json"
    path.write_text(path.read_text() + "\n")
    found = agree(out, ["reviewer:Ann"])
    assert {c.n for c in found.comparisons} == {3}
    assert "review-stale" in codes(found.notes)


BAD_TABLES = {
    "patient,area_left_mm2\nP00,300\n": "the columns are",
    "patient_id,area\nP00,300\n": "the columns are",
    "patient_id,area_left_mm2\nP00,abc\n": "row 2, column 'area_left_mm2' is not a number: 'abc'",
    "patient_id,area_left_mm2\nP00,35.2\n": "is the unit another",
    "patient_id,area_left_mm2\nP00,0\n": "is the unit another",
    "patient_id,area_left_mm2\nP00,300\nP00,301\n": "rows 2 and 3 are of the same case",
    "patient_id,area_left_mm2,area_left_cm2\nP00,300,3\n": "stands twice",
    "patient_id,area_left_mm2\nX,300\n": "no row is of a case",
    "patient_id,area_left_mm2,area_right_mm2,area_mean_mm2\nP00,300,400,500\n": "row 2: area_mean is 500",
    "": "the file is empty",
}


@pytest.mark.parametrize("text", BAD_TABLES)
def test_bad_tables_name_row_and_column_and_write_nothing(out, tmp_path, text):
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(GlutsegError, match="reference-invalid") as caught:
        agree(out, [str(tmp_path / "bad.csv")])
    assert BAD_TABLES[text] in caught.value.message
    assert "bad.csv" in caught.value.where
    assert not (out / "agreement").exists()


def test_bad_references(out, tmp_path):
    def code(*references):
        with pytest.raises(GlutsegError) as caught:
            agree(out, references)
        assert not (out / "agreement").exists()
        return caught.value.code

    assert code() == "agree-one-rater"
    assert code(str(out)) == "agree-one-rater"
    assert code("reviewer:Nobody") == "reference-invalid"
    assert code(str(tmp_path / "nowhere")) == "reference-invalid"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert code(str(empty)) == "reference-invalid"
    stranger = make_run(tmp_path / "stranger", [MadeCase("Z9")]).out
    assert code(str(stranger)) == "agree-nothing-shared"
    (empty / "P00.nii.gz").write_bytes(b"no image")
    assert code(str(empty)) == "reference-invalid"
    twice = write_masks(tmp_path / "twice", some_cases(1))
    shutil.copy(twice / "P00.nii.gz", twice / "P00-0123456789.nii.gz")
    assert code(str(twice)) == "reference-invalid"
    half = Mask.from_array(labels_of(some_cases(1)[0]), GRID).to_sitk()
    halves = tmp_path / "halves"
    halves.mkdir()
    sitk.WriteImage(sitk.Cast(half, sitk.sitkFloat32) * 0.5, str(halves / "P00.nii.gz"))
    assert code(str(halves)) == "reference-invalid"


def test_a_hostile_name_stays_text(out, tmp_path):
    other = make_run(tmp_path / "=cmd()\x1b[31m<b>", some_cases(8, wider_px=1)).out
    found = agree(out, [str(other)])
    assert found.raters[1] == "=cmd() [31m<b>"
    first = (out / "agreement" / "pairs.csv").read_text().splitlines()[1]
    assert first.startswith("automatic,'=cmd()")


def test_the_command(out, tmp_path):
    other = make_run(tmp_path / "other", some_cases(8, wider_px=2)).out
    command = [sys.executable, "-m", "glutseg.cli", "agree", out, "--reference", other, "-o", tmp_path / "a"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert "bias +60 (+60 to +60) mm²" in done.stdout
    assert "Dice median" in done.stdout
    again = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert again.returncode == 1
    assert "output-exists" in again.stderr


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "accuracy" / "score.py").exists(), reason="the shared cases are not here")
def test_dice_is_that_of_the_shared_score(tmp_path):
    """On a real case's truth against itself, moved by three pixels: as the score computes it."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("score", SHARED / "accuracy" / "score.py")
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    from glutseg.agreement.surfaces import overlap

    truth = sitk.ReadImage(str(SHARED / "cases" / "real-002" / "truth.nii.gz"))
    labels = sitk.GetArrayFromImage(truth).astype(np.uint8)
    labels[labels > 2] = 0
    moved = np.roll(labels, 3, axis=2)
    run = tmp_path / "run"
    run.mkdir()
    image = sitk.GetImageFromArray(moved)
    image.CopyInformation(truth)
    sitk.WriteImage(image, str(run / "mask.nii.gz"), True)
    k = int(np.flatnonzero((labels == 1).any(axis=(1, 2))).mean())
    z_mm = truth.TransformIndexToPhysicalPoint((0, 0, k))[2]
    row = {"status": "ok", "level_z_mm": z_mm, "mask": "mask.nii.gz"}
    row |= {"area_left_mm2": "1", "area_right_mm2": "1"}
    theirs = score.score_case(SHARED / "cases" / "real-002", row, run)
    for side, label in (("left", 1), ("right", 2)):
        ours = overlap(moved[k] == label, labels[k] == label, truth.GetSpacing()[1::-1])
        assert ours.dice == pytest.approx(theirs[f"dice_{side}"], abs=1e-12)
