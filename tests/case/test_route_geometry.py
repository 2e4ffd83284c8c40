"""Gaps, positions and tilt on the way from files to a result, with the phantom's truth as a stand-in."""

import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from pydicom import dcmread

from glutseg import dicom
from glutseg.case import measure_study
from glutseg.output.schema import MEASUREMENTS, CaseRow
from glutseg.phantom.dicom_files import Position
from glutseg.protocol import load_protocol, with_series
from stand_ins import use_truth

PROTOCOL = load_protocol()
LEVEL = 8
"""Slice of the stand-in's level; slices are 5 mm apart, files are numbered from the head."""


def file_of(folder, k, n=16):
    return folder / f"IM{n - k:04d}.dcm"


def codes(result):
    return [flag.code for flag in result.all_flags]


@pytest.mark.parametrize("position", get_args(Position))
def test_every_position_is_the_same_patient(truth_rooms, tmp_path, position):
    case = measure_study(truth_rooms.study(tmp_path, position=position), PROTOCOL)
    assert case.result.status == "ok", case.result.all_flags
    for side in ("left", "right"):
        assert case.result.area_mm2(side) == pytest.approx(truth_rooms.true_area_mm2(side))
    assert np.array_equal(case.image.hu, truth_rooms.phantom.volume.hu)


def drop(folder, *missing):
    for k in missing:
        file_of(folder, k).unlink()


@pytest.fixture
def relaxed(truth_rooms, monkeypatch):
    """The stand-in also knows the phantom where slices of it are interpolated."""
    phantom = truth_rooms.phantom
    use_truth(monkeypatch, [phantom], lambda *_: LEVEL, only=phantom)
    return truth_rooms


@pytest.mark.parametrize(
    ("missing", "status", "code"),
    [((2,), "ok", "series-gap"), ((6,), "review", "profile-incomplete"), ((8,), "review", "level-moved")],
)
def test_a_missing_slice_matters_near_the_level(relaxed, tmp_path, missing, status, code):
    folder = relaxed.write(tmp_path)
    drop(folder, *missing)
    (study,) = dicom.scan(folder).studies
    case = measure_study(study, PROTOCOL)
    result = case.result
    assert result.status == status
    assert code in codes(result)
    assert not case.mask.labels[list(missing)].any()
    assert not {p.slice_index for p in result.profile} & set(missing)
    at = 7 if missing == (8,) else LEVEL
    assert result.level.slice_index == at
    assert result.series.n_slices == 15
    for side in ("left", "right"):
        assert result.area_mm2(side) == pytest.approx(relaxed.true_area_mm2(side, at))


def test_a_level_between_missing_slices_is_not_measured(relaxed, tmp_path):
    folder = relaxed.write(tmp_path)
    drop(folder, 7, 8, 9)
    (study,) = dicom.scan(folder).studies
    result = measure_study(study, PROTOCOL).result
    assert (result.status, result.error_code, result.muscles) == ("failed", "level-in-gap", ())


def test_an_undecodable_slice_is_a_missing_one(relaxed, tmp_path):
    folder = relaxed.write(tmp_path)
    path = file_of(folder, 6)
    path.write_bytes(path.read_bytes()[:-1000])
    (study,) = dicom.scan(folder).studies
    result = measure_study(study, PROTOCOL).result
    assert result.status == "review"
    assert {"file-unreadable", "series-gap", "profile-incomplete"} <= set(codes(result))
    assert result.level.slice_index == LEVEL


def tilt(folder, degrees):
    """Rewrite the headers as if the gantry had been tilted: the pixels stay."""
    angle = math.radians(degrees)
    for path in folder.glob("*.dcm"):
        ds = dcmread(path)
        ds.ImageOrientationPatient = [1, 0, 0, 0, f"{math.cos(angle):.8f}", f"{math.sin(angle):.8f}"]
        ds.save_as(path)


def test_a_tilted_series_gives_both_areas_and_says_so(relaxed, tmp_path):
    folder = relaxed.write(tmp_path)
    tilt(folder, 12)
    (study,) = dicom.scan(folder).studies
    case = measure_study(study, PROTOCOL)
    assert case.result.status == "review"
    assert "gantry-tilt" in codes(case.result)
    row = {c.name: c.value(CaseRow(case.result, "p")) for c in MEASUREMENTS}
    assert row["tilt_degrees"] == 12
    for side in ("left", "right"):
        area = row[f"area_{side}_mm2"]
        assert area == pytest.approx(relaxed.true_area_mm2(side))
        assert row[f"area_{side}_axial_mm2"] == pytest.approx(area * math.cos(math.radians(12)), abs=0.01)
    assert case.mask.stored.is_sheared


def test_an_axial_series_has_no_second_area(truth_rooms, tmp_path):
    result = measure_study(truth_rooms.study(tmp_path), PROTOCOL).result
    row = {c.name: c.value(CaseRow(result, "p")) for c in MEASUREMENTS}
    assert row["tilt_degrees"] == 0
    assert row["area_mean_axial_mm2"] is None


def test_the_series_named_is_measured(truth_rooms, tmp_path):
    study = truth_rooms.study(tmp_path)
    (first,) = study.series
    other = replace(first, series_uid="9.9", tags=replace(first.tags, description="HEAD", body_part="HEAD"))
    both = replace(study, series=(first, other))
    assert measure_study(both, PROTOCOL).result.series.series_uid == first.series_uid
    result = measure_study(both, with_series(PROTOCOL, ["9.9"])).result
    assert result.series.series_uid == "9.9"
    assert result.series.reason.startswith("asked for by its UID")
    assert result.rejected_series == (
        (first.series_uid, "another series of the study was asked for by its UID"),
    )


def test_two_studies_of_one_patient_are_two_cases(truth_rooms, tmp_path):
    for name, uid in (("a", "1.2.1"), ("b", "1.2.2")):
        for path in truth_rooms.write(tmp_path / name).glob("*.dcm"):
            ds = dcmread(path)
            ds.StudyInstanceUID, ds.SeriesInstanceUID = uid, uid + ".1"
            ds.save_as(path)
    studies = dicom.scan(tmp_path).studies
    results = [measure_study(study, PROTOCOL).result for study in studies]
    assert [r.study_uid for r in results] == ["1.2.1", "1.2.2"]
    assert results[0].patient_id == results[1].patient_id
    assert results[0].case_id != results[1].case_id
