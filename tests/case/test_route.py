from dataclasses import replace

import numpy as np
import pydicom
import pytest

from glutseg import anatomy, dicom, segmentation
from glutseg.case import measure_study, status_of
from glutseg.errors import Flag, GlutsegError
from glutseg.image import LABELS, SIDES, Mask
from glutseg.measurement import Participant, Participants
from glutseg.output.schema import CaseRow, whole_columns
from glutseg.protocol import NAMED_LEVELS, LevelRule, load_protocol, with_extent, with_level
from glutseg.result import Height, Level
from glutseg.segmentation import Outlines, gluteus

PROTOCOL = load_protocol()


@pytest.mark.parametrize("position", ["HFS", "HFP", "FFS", "FFP"])
def test_truth_is_measured_exactly_however_the_slices_are_stored(truth_rooms, tmp_path, position):
    case = measure_study(truth_rooms.study(tmp_path, position=position), PROTOCOL)
    assert case.result.error_code == ""
    for side in ("left", "right"):
        assert case.result.area_mm2(side) == pytest.approx(truth_rooms.true_area_mm2(side))
    at = case.result.level.slice_index
    assert case.image.geometry.slice_z_mm(at) == pytest.approx(case.result.level.z_mm)
    assert case.result.level.z_mm == pytest.approx(truth_rooms.phantom.volume.geometry.slice_z_mm(8))
    assert case.mask.geometry.matches(case.image.geometry)
    assert np.array_equal(case.mask.labels[8], truth_rooms.phantom.truth.labels[8])


def test_record_of_an_ordinary_study(truth_rooms, tmp_path):
    result = measure_study(truth_rooms.study(tmp_path), PROTOCOL).result
    assert (result.status, result.patient_id, result.height) == ("ok", "PHANTOM-0001", Height(1.6, "dicom"))
    assert result.case_id.startswith("PHANTOM-0001-")
    measured = tmp_path / next(
        p.name
        for p in tmp_path.iterdir()
        if pydicom.dcmread(p).SOPInstanceUID == result.series.sop_uid_of_slice
    )
    assert pydicom.dcmread(measured).ImagePositionPatient[2] == pytest.approx(result.level.z_mm)
    assert {p.side for p in result.profile} == {"left", "right"}
    assert [p.offset_mm for p in result.profile if p.side == "left"] == pytest.approx(
        [-15, -10, -5, 0, 5, 10, 15]
    )
    assert [(m.side, m.error_bound_percent) for m in result.muscles] == [("left", 4.0), ("right", 6.0)]
    assert set(result.seconds) == {"read", "anatomy", "segmentation", "measurement"}


def test_whole_muscles_change_nothing_at_the_level(truth_rooms, tmp_path, monkeypatch):
    def find_level(_, rule):
        if rule.landmark == "lesser-trochanter":
            raise GlutsegError("level-outside", "too low")
        at = {"femoral-head-top": 8, "si-joint-end": 12}.get(rule.landmark, 5)
        return Level(rule.landmark, at, truth_rooms.phantom.volume.geometry.slice_z_mm(at))

    monkeypatch.setattr(anatomy, "find_level", find_level)
    peak = Level("peak-area", 6, truth_rooms.phantom.volume.geometry.slice_z_mm(6), {})
    monkeypatch.setattr(segmentation, "peak_level", lambda *_, **__: peak)
    study = truth_rooms.study(tmp_path, position="FFS")
    plain = measure_study(study, PROTOCOL).result
    result = measure_study(study, with_extent(PROTOCOL, whole_muscle=True)).result
    for side in SIDES:
        assert result.measurement(side) == plain.measurement(side)
        parts = [[p.measurement for p in r.profile_around_level(side)] for r in (result, plain)]
        assert parts[0] == parts[1]
    labels, g = truth_rooms.phantom.truth.labels, truth_rooms.phantom.volume.geometry
    expected = np.count_nonzero(labels[1:-1] == 1) * g.voxel_volume_mm3 / 1000
    assert result.volume_cm3("left") == pytest.approx(expected)
    assert len([p for p in result.profile if p.side == "left"]) == len(labels) - 2
    levels = {level.name: level for level in result.levels}
    assert dict(result.levels_missing) == {"lesser-trochanter": "level-outside: too low"}
    assert set(levels) == set(NAMED_LEVELS) - {"lesser-trochanter"}
    (at_joint,) = (
        p for p in result.profile if p.slice_index == levels["si-joint-end"].slice_index and p.side == "right"
    )
    assert at_joint.measurement.area_mm2 == pytest.approx(truth_rooms.true_area_mm2("right", 12))


def test_a_muscle_cut_by_the_series_is_said(truth_rooms, tmp_path, monkeypatch):
    def segment(image, *_, **__):
        return Outlines(Mask.on(image, truth_rooms.phantom.truth.labels))

    def peak(image, found, *_, **__):
        return anatomy.find_level(found, LevelRule())

    monkeypatch.setattr(gluteus, "segment", segment)
    monkeypatch.setattr(segmentation, "peak_level", peak)
    result = measure_study(truth_rooms.study(tmp_path), with_extent(PROTOCOL, whole_muscle=True)).result
    assert "muscle-incomplete:left" in [str(flag) for flag in result.all_flags]
    assert result.status == "ok"
    row = {c.name: c.value(CaseRow(result, "test")) for c in whole_columns("maximus")}
    assert row["volume_left_cm3"] is None
    assert row["volume_mean_cm3"] is None


def test_other_muscles_have_their_own_figures(truth_rooms, tmp_path, monkeypatch):
    whole = gluteus.segment

    def with_medius(*args, **how):
        found = whole(*args, **how)
        labels = found.mask.labels.copy()
        labels[8, 0:2, 0:3] = LABELS["medius"]["left"]
        return replace(found, mask=replace(found.mask, labels=labels))

    monkeypatch.setattr(gluteus, "segment", with_medius)
    result = measure_study(truth_rooms.study(tmp_path), with_extent(PROTOCOL, muscles=True)).result
    assert result.area_mm2("left", "medius") == pytest.approx(6 * 4.4**2)
    assert all(result.area_mm2(side, "minimus") is None for side in SIDES)
    missing = {(f.side, f.message.split()[2]) for f in result.all_flags if f.code == "muscle-missing"}
    assert missing == {("right", "medius"), ("left", "minimus"), ("right", "minimus")}
    assert result.status == "review"
    assert {p.muscle for p in result.profile} == {"maximus", "medius", "minimus"}


def test_participants_table_goes_before_the_header(truth_rooms, tmp_path):
    table = Participants({"PHANTOM-0001": Participant("PHANTOM-0001", 1.7, 2)})
    result = measure_study(truth_rooms.study(tmp_path), PROTOCOL, table).result
    assert result.height == Height(1.7, "participants")


@pytest.mark.parametrize("position", ["HFS", "FFS"])
def test_slice_by_hand_counts_in_the_order_of_the_mask(truth_rooms, tmp_path, position):
    study = truth_rooms.study(tmp_path, position=position)
    case = measure_study(study, with_level(PROTOCOL, "slice=3"))
    assert case.result.stored_slice_index == 3
    labels = case.mask.stored_labels()[3]
    assert case.result.area_mm2("left") == pytest.approx((labels == 1).sum() * 4.4**2)


def test_slice_beyond_the_series_is_a_reason(truth_rooms, tmp_path):
    result = measure_study(truth_rooms.study(tmp_path), with_level(PROTOCOL, "slice=99")).result
    assert (result.status, result.error_code) == ("failed", "level-outside")
    assert result.muscles == ()


def test_next_series_is_tried_and_the_first_is_on_record(truth_rooms, tmp_path, monkeypatch):
    study = truth_rooms.study(tmp_path)
    (good,) = study.series
    bad = replace(good, series_uid="9.9")
    choice = dicom.choose(study, PROTOCOL.series)
    both = replace(choice, candidates=(bad, good), reason="the first")
    monkeypatch.setattr(dicom, "choose", lambda *_, **__: both)
    read = dicom.read

    def first_is_undecodable(series, **how):
        if series.series_uid == "9.9":
            raise GlutsegError("pixel-data-undecodable", "syntax x")
        return read(series, **how)

    monkeypatch.setattr(dicom, "read", first_is_undecodable)
    result = measure_study(study, PROTOCOL).result
    assert result.status == "ok"
    assert result.series.series_uid == good.series_uid
    assert result.rejected_series == (("9.9", "pixel-data-undecodable: syntax x"),)
    assert result.series.reason != "the first"


def test_no_hips_anywhere_is_named(truth_rooms, tmp_path, monkeypatch):
    study = truth_rooms.study(tmp_path)

    def none(*_):
        raise GlutsegError("hips-not-found", "no pair of heads")

    monkeypatch.setattr(anatomy, "find_anatomy", none)
    case = measure_study(study, PROTOCOL)
    assert (case.result.status, case.result.error_code) == ("failed", "hips-not-found")
    assert case.result.rejected_series == ((study.series[0].series_uid, "hips-not-found: no pair of heads"),)
    assert case.image is None
    assert case.result.level is None


def test_study_without_ct_is_named(truth_rooms, tmp_path):
    study = truth_rooms.study(tmp_path)
    (ct,) = study.series
    mr = replace(ct, tags=replace(ct.tags, modality="MR", sop_class_uid="1.2.840.10008.5.1.4.1.1.4"))
    result = measure_study(replace(study, series=(mr,)), PROTOCOL).result
    assert (result.status, result.error_code) == ("failed", "no-ct")
    assert result.error_message
    assert measure_study(replace(study, series=()), PROTOCOL).result.error_code == "no-ct"


def test_ct_that_may_not_be_measured_is_named(truth_rooms, tmp_path):
    study = truth_rooms.study(tmp_path)
    rule = PROTOCOL.series.model_copy(update={"max_slice_spacing_mm": 2.0})
    result = measure_study(study, PROTOCOL.model_copy(update={"series": rule})).result
    assert (result.status, result.error_code) == ("failed", "no-usable-series")
    assert len(result.rejected_series) == 1


def test_failed_segmentation_keeps_what_its_picture_needs(truth_rooms, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise GlutsegError("muscle-not-found", "nothing grew")

    monkeypatch.setattr(gluteus, "segment", fail)
    case = measure_study(truth_rooms.study(tmp_path), PROTOCOL)
    assert (case.result.status, case.result.error_code) == ("failed", "muscle-not-found")
    assert case.image is not None
    assert case.result.level is not None
    assert case.result.series is not None
    assert case.mask is None


def test_one_missing_side_is_flagged_and_left_out(truth_rooms, tmp_path, monkeypatch):
    whole = gluteus.segment

    def only_left(*args, **measured):
        found = whole(*args, **measured)
        labels = np.where(found.mask.labels == 1, 1, 0).astype(np.uint8)
        return replace(found, mask=replace(found.mask, labels=labels))

    monkeypatch.setattr(gluteus, "segment", only_left)
    result = measure_study(truth_rooms.study(tmp_path), PROTOCOL).result
    assert result.status == "review"
    assert [result.area_mm2(side) is None for side in SIDES] == [False, True]
    assert "muscle-missing:right" in [str(f) for f in result.all_flags]


def test_empty_mask_is_a_failure_not_a_zero(truth_rooms, tmp_path, monkeypatch):
    def nothing(image, *_, **__):
        return Outlines(Mask.on(image, np.zeros(image.hu.shape, np.uint8)))

    monkeypatch.setattr(gluteus, "segment", nothing)
    result = measure_study(truth_rooms.study(tmp_path), PROTOCOL).result
    assert (result.status, result.error_code) == ("failed", "muscle-not-found")


def test_unforeseen_errors_fail_one_study_and_leave_a_trace(truth_rooms, tmp_path, monkeypatch):
    def crash(*_, **__):
        raise IndexError("DOE^" + "JANE")

    monkeypatch.setattr(gluteus, "segment", crash)
    result = measure_study(truth_rooms.study(tmp_path), PROTOCOL).result
    assert (result.status, result.error_code) == ("failed", "internal-error")
    assert "in crash" in result.traceback
    assert "DOE^JANE" not in result.traceback + result.error_message


@pytest.mark.parametrize(
    ("codes", "status"),
    [
        ((), "ok"),
        (("height-missing",), "ok"),
        (("metal", "outline-uncertain"), "review"),
        (("muscle-missing",), "review"),
    ],
)
def test_status_follows_the_flags(codes, status):
    assert status_of(tuple(Flag(code, "") for code in codes)) == status


@pytest.mark.parametrize(
    ("raw", "iso"),
    [("20200131", "2020-01-31"), ("2020.01.31", "2020-01-31"), ("", ""), ("=1+1", ""), ("2020", "")],
)
def test_dates_are_iso_or_empty(truth_rooms, tmp_path, raw, iso):
    study = replace(truth_rooms.study(tmp_path), study_date=raw, series=())
    assert measure_study(study, PROTOCOL).result.study_date == iso
