import json
import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest
from typer.testing import CliRunner

from glutseg import batch, review
from glutseg.batch.status import read_status
from glutseg.cli import app
from glutseg.errors import GlutsegError
from glutseg.image import Mask
from glutseg.measurement import measure_slice
from glutseg.review import record
from glutseg.review.decide import MAX_TEXT
from made_run import reseal

FIGURES = ("area_left_mm2", "area_right_mm2", "mean_hu_left", "profile_mean_area_left_mm2")


def correct(run, case, who="anna", n_pixels=3, slice_index=None):
    mask = run.painted(case, n_pixels=n_pixels)
    result, image = run.result(case), run.image(case)
    at = result.level.slice_index if slice_index is None else slice_index
    measured = review.remeasure(result, run.mask(case), image, mask, at, run.protocol)
    review.correct(run.out, case, who, measured, mask, "leak", "at the sacrum")
    return mask, measured


def collate(run):
    return review.Collator(run.out).collate()


def test_an_untouched_mask_measures_as_the_run_did(reviewed):
    case = reviewed.names[0]
    automatic = reviewed.result(case)
    again = review.remeasure(
        automatic,
        reviewed.mask(case),
        reviewed.image(case),
        reviewed.mask(case),
        automatic.level.slice_index,
        reviewed.protocol,
    )
    assert asdict(again.result) == asdict(automatic) | {"status": "ok"}
    for change in again.changes.values():
        assert (change.dice, change.dice_all_slices, change.difference_mm2) == (1.0, 1.0, 0.0)


def test_accept_correct_and_reject_make_the_tables(reviewed):
    first, second = reviewed.names
    before = reviewed.row(first)
    review.accept(reviewed.out, first, "anna", "fine")
    review.reject(reviewed.out, second, "anna", "a tumour\x1b[2J", "see report")
    collate(reviewed)
    accepted, rejected = reviewed.row(first), reviewed.row(second)
    expected = before | {"status": "ok", "decision": "accepted", "reviewer": "anna"}
    assert accepted == expected
    assert (rejected["status"], rejected["error_code"]) == ("excluded", "case-rejected")
    assert "tumour" in rejected["error_message"]
    assert "\x1b" not in rejected["error_message"]
    assert [rejected[name] for name in (*FIGURES, "values", "mask")] == [""] * 6
    rows = reviewed.table("reviews.csv")
    assert [(r["decision"], r["note"]) for r in rows] == [("accepted", "fine"), ("rejected", "see report")]
    assert (rows[0]["dice_left"], rows[0]["difference_left_mm2"]) == ("1.0", "0.0")


def test_a_correction_is_measured_pixel_for_pixel_and_leaves_the_automatic_mask_alone(reviewed):
    case = reviewed.names[0]
    folder = reviewed.out / "cases" / case
    automatic, mask_bytes = reviewed.row(case), (folder / "mask.nii.gz").read_bytes()
    mask, measured = correct(reviewed, case)
    collate(reviewed)
    row, image = reviewed.row(case), reviewed.image(case)
    truth = measure_slice(image, mask, image.stored_slice(int(row["slice_index"])), reviewed.protocol.tissue)
    assert float(row["area_left_mm2"]) == pytest.approx(truth["left"].area_mm2, abs=5e-4)
    pixel = image.geometry.pixel_area_mm2
    grown = float(row["area_left_mm2"]) - float(automatic["area_left_mm2"])
    assert grown == pytest.approx(3 * pixel, abs=2e-3)
    assert row["area_right_mm2"] == automatic["area_right_mm2"]
    assert (row["decision"], row["values"], row["status"]) == ("corrected", "corrected", "ok")
    assert row["mask"] == f"cases/{case}/mask-anna.nii.gz"
    assert (folder / "mask.nii.gz").read_bytes() == mask_bytes
    kept = review.read_mask(reviewed.out / row["mask"], image.stored)
    assert np.array_equal(kept.labels, mask.labels)
    n = round(float(automatic["area_left_mm2"]) / pixel)
    assert measured.changes["left"].dice == pytest.approx(2 * n / (2 * n + 3))
    assert row["error_bound_left_percent"] == ""  # it was that of another outline
    assert row["error_bound_right_percent"] == automatic["error_bound_right_percent"] != ""
    points = [r for r in reviewed.table("profile.csv") if r["case_id"] == case and r["offset_mm"] == "0.0"]
    assert next(p for p in points if p["side"] == "left")["area_mm2"] == row["area_left_mm2"]


def test_every_correction_has_a_mask_of_its_own_and_undo_goes_back(reviewed):
    case = reviewed.names[0]
    masks = [correct(reviewed, case, n_pixels=n)[0] for n in (3, 5)]
    collate(reviewed)
    assert reviewed.row(case)["mask"].endswith("mask-anna.2.nii.gz")
    after = review.undo(reviewed.out, case, "anna")
    collate(reviewed)
    row = reviewed.row(case)
    assert row["mask"].endswith("mask-anna.nii.gz")
    geometry = masks[0].stored
    assert np.array_equal(review.read_mask(reviewed.out / row["mask"], geometry).labels, masks[0].labels)
    assert len(after.history) == 3
    review.undo(reviewed.out, case, "anna")
    collate(reviewed)
    assert reviewed.row(case)["decision"] == ""
    assert reviewed.row(case)["values"] == "automatic"
    assert reviewed.table("reviews.csv")[0]["decision"] == "withdrawn"
    with pytest.raises(GlutsegError, match="no decision"):
        review.undo(reviewed.out, case, "anna")
    assert correct(reviewed, case)[0] is not None
    assert (reviewed.out / "cases" / case / "mask-anna.3.nii.gz").is_file()


def test_another_level_is_measured_there(reviewed):
    case = reviewed.names[0]
    at = reviewed.result(case).level.slice_index + 1
    _, measured = correct(reviewed, case, slice_index=at)
    collate(reviewed)
    row = reviewed.row(case)
    stored = reviewed.image(case).stored_slice(at)
    assert (row["level_name"], row["slice_index"]) == ("slice", str(stored))
    expected = measure_slice(reviewed.image(case), reviewed.painted(case), at, reviewed.protocol.tissue)
    assert float(row["area_right_mm2"]) == pytest.approx(expected["right"].area_mm2, abs=5e-4)
    assert measured.result.series == reviewed.result(case).series


def test_a_level_without_a_mask_or_image_has_no_number(reviewed):
    case = reviewed.names[0]
    args = (reviewed.result(case), reviewed.mask(case), reviewed.image(case))
    blank = Mask.on(args[2], np.zeros_like(args[1].labels))
    at = args[0].level.slice_index
    with pytest.raises(GlutsegError, match="muscle-not-found"):
        review.remeasure(*args, blank, at, reviewed.protocol)
    with pytest.raises(GlutsegError, match="level-outside"):
        review.remeasure(*args, reviewed.mask(case), 99, reviewed.protocol)


def test_a_side_that_is_wiped_out_is_told_and_empty(reviewed):
    case = reviewed.names[0]
    mask = reviewed.mask(case)
    labels = np.where(mask.labels == 2, 0, mask.labels).astype(np.uint8)
    wiped = replace(mask, labels=labels)
    result = reviewed.result(case)
    measured = review.remeasure(
        result, mask, reviewed.image(case), wiped, result.level.slice_index, reviewed.protocol
    )
    review.correct(reviewed.out, case, "anna", measured, wiped)
    collate(reviewed)
    row = reviewed.row(case)
    assert (row["area_right_mm2"], row["area_mean_mm2"], row["profile_mean_area_mean_mm2"]) == ("", "", "")
    assert "muscle-missing:right" in row["flags"]


def test_two_reviewers_who_differ_leave_the_automatic_values_until_one_is_chosen(reviewed):
    first, second = reviewed.names
    automatic = reviewed.row(first)
    review.accept(reviewed.out, first, "anna")
    correct(reviewed, first, "ben")
    review.accept(reviewed.out, second, "anna")
    review.accept(reviewed.out, second, "ben")
    collate(reviewed)
    row = reviewed.row(first)
    assert (row["status"], row["decision"], row["values"]) == ("review", "", "automatic")
    assert "reviewers-differ" in row["flags"]
    assert [row[name] for name in FIGURES] == [automatic[name] for name in FIGURES]
    assert (reviewed.row(second)["decision"], reviewed.row(second)["reviewer"]) == ("accepted", "anna; ben")
    assert len(reviewed.table("reviews.csv")) == 4

    done = CliRunner().invoke(app, ["collate", str(reviewed.out), "--reviewer", "ben"])
    assert (done.exit_code, "1 corrected" in done.output) == (0, True)
    assert reviewed.row(first)["values"] == "corrected"
    collate(reviewed)  # the choice is remembered
    assert reviewed.row(first)["reviewer"] == "ben"
    with pytest.raises(GlutsegError, match="reviewer-unknown"):
        review.choose(reviewed.out, "carla")
    review.choose(reviewed.out, "")
    collate(reviewed)
    assert "reviewers-differ" in reviewed.row(first)["flags"]


def test_rows_for_research_come_with_and_without_what_people_did(reviewed):
    case = reviewed.names[0]
    correct(reviewed, case, "anna")
    review.accept(reviewed.out, case, "ben")
    area = {}
    for key, how in {
        "automatic": {"values": "automatic"},
        "anna": {"reviewer": "anna"},
        "ben": {"reviewer": "ben"},
        "all": {},
    }.items():
        row = next(r for r in review.final_rows(reviewed.out, **how) if r.result.case_id == case)
        area[key] = row.result.area_mm2("left")
    assert area["automatic"] == area["ben"] == area["all"] < area["anna"]


def test_measured_anew_makes_a_review_stale(reviewed):
    first, second = reviewed.names
    review.accept(reviewed.out, first, "anna")
    review.reject(reviewed.out, second, "anna", "bad")
    path = reviewed.out / "cases" / first / "case.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"input_sha256": "', '"input_sha256": "0'))
    reseal(path)
    collate(reviewed)
    row = reviewed.row(first)
    assert (row["status"], row["decision"]) == ("review", "")
    assert "review-stale" in row["flags"]
    assert reviewed.row(second)["decision"] == "rejected"
    assert read_status(reviewed.out).decisions == {"anna": {"rejected": 1, "stale": 1}}


def test_a_review_that_cannot_be_read_is_not_passed_over(reviewed):
    case = reviewed.names[0]
    review.reject(reviewed.out, case, "anna", "bad")
    (reviewed.out / "cases" / case / "review-anna.json").write_text("{")
    collate(reviewed)
    row = reviewed.row(case)
    assert (row["status"], "review-unreadable" in row["flags"]) == ("review", True)


def test_what_cannot_be_decided_is_refused(reviewed):
    case = reviewed.names[0]
    with pytest.raises(GlutsegError, match="needs a reason"):
        review.reject(reviewed.out, case, "anna", " ")
    with pytest.raises(GlutsegError, match="decision-invalid"):
        review.accept(reviewed.out, "no-such-case", "anna")
    path = reviewed.out / "cases" / case / "case.json"
    told = json.loads(path.read_text(encoding="utf-8")) | {"status": "failed"}
    path.write_text(json.dumps(told), encoding="utf-8")
    reseal(path)
    with pytest.raises(GlutsegError, match="no measurement to accept"):
        review.accept(reviewed.out, case, "anna")
    long = review.reject(reviewed.out, case, "anna", "x" * 10_000)
    assert len(long.history[-1].reason) == MAX_TEXT


def test_the_order_of_decisions_leaves_no_trace_in_the_table(reviewed, tmp_path):
    first, second = reviewed.names
    other = tmp_path / "other"
    shutil.copytree(reviewed.out, other)
    for out, order in ((reviewed.out, (first, second)), (other, (second, first))):
        for case in order:
            review.accept(out, case, "anna")
            review.Collator(out).collate()
    for name in ("measurements.csv", "profile.csv"):
        assert (reviewed.out / name).read_bytes() == (other / name).read_bytes()


def test_killed_between_mask_and_decision_the_old_one_counts(reviewed, monkeypatch):
    case = reviewed.names[0]
    mask, _ = correct(reviewed, case, n_pixels=3)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(record, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            correct(reviewed, case, n_pixels=6)
    collate(reviewed)
    row = reviewed.row(case)
    kept = review.read_mask(reviewed.out / row["mask"], mask.stored)
    assert np.array_equal(kept.labels, mask.labels)
    again, _ = correct(reviewed, case, n_pixels=9)
    collate(reviewed)
    kept = review.read_mask(reviewed.out / reviewed.row(case)["mask"], mask.stored)
    assert np.array_equal(kept.labels, again.labels)


def test_going_on_with_a_run_keeps_what_was_decided(reviewed):
    case = reviewed.names[0]
    correct(reviewed, case)
    collate(reviewed)
    before = (reviewed.out / "measurements.csv").read_bytes()
    batch.run(reviewed.index, reviewed.protocol, None, reviewed.out, options=batch.RunOptions(resume=True))
    assert (reviewed.out / "measurements.csv").read_bytes() == before


def test_overwriting_a_reviewed_run_is_refused_unless_reviews_are_kept(reviewed):
    case = reviewed.names[0]
    correct(reviewed, case)
    collate(reviewed)
    before = {p: p.read_bytes() for p in reviewed.out.rglob("*anna*")}
    table = (reviewed.out / "measurements.csv").read_bytes()
    again = (reviewed.index, reviewed.protocol, None, reviewed.out)
    with pytest.raises(GlutsegError, match="reviews-present"):
        batch.run(*again, overwrite=True)
    assert (reviewed.out / "measurements.csv").read_bytes() == table
    batch.run(*again, options=batch.RunOptions(overwrite=True, keep_reviews=True))
    assert {p: p.read_bytes() for p in reviewed.out.rglob("*anna*")} == before
    assert (reviewed.out / "measurements.csv").read_bytes() == table  # the same result: the review counts
