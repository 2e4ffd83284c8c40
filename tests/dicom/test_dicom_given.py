"""Series of one to a few slices, cut down to the one that was given."""

import numpy as np
import pytest
from dicom_builder import SPACING, ct_dataset, save

from glutseg import dicom
from glutseg.errors import GlutsegError
from glutseg.protocol import Protocol, load_protocol

RULE = Protocol(name="any").series
COLUMN = (-10.0, -20.0)


def study(folder, heights_mm, **tags):
    for n, z_mm in enumerate(heights_mm):
        pixels = np.full((8, 6), 1000 + n, np.int16)
        save(ct_dataset(pixels, (*COLUMN, z_mm), n + 1, **tags), folder / f"{n}.dcm")
    (found,) = dicom.scan(folder).studies
    return found


def given(folder, heights_mm, **tags):
    return dicom.choose(study(folder, heights_mm, **tags), RULE, single_slices=True)


@pytest.mark.parametrize(
    ("heights_mm", "expected_mm"),
    [
        ((50.0,), 50.0),
        ((50.0, 60.0), 60.0),
        ((70.0, 50.0, 60.0), 60.0),
        ((0.0, 3.0, 40.0, 90.0), 40.0),
        ((0.0, 60.0, 120.0, 125.0), 120.0),
    ],
)
def test_of_a_few_slices_the_middle_one_is_measured_whatever_the_distances(tmp_path, heights_mm, expected_mm):
    (series,) = given(tmp_path, heights_mm).candidates
    image = dicom.read(series)
    assert image.hu.shape == (1, 8, 6)
    assert image.geometry.slice_z_mm(0) == pytest.approx(expected_mm)
    n = sorted(heights_mm).index(expected_mm)
    assert image.hu[0, 0, 0] == 1000 + heights_mm.index(sorted(heights_mm)[n]) - 1024
    codes = [flag.code for flag in image.flags]
    assert codes.count("slice-of-several") == (len(heights_mm) > 1)


def test_the_area_of_a_pixel_does_not_depend_on_the_slice_thickness(tmp_path):
    images = [
        dicom.read(given(tmp_path / text, (50.0,), SliceThickness=text).candidates[0])
        for text in ("1", "5", "0")
    ]
    assert {image.geometry.pixel_area_mm2 for image in images} == {SPACING[1] * SPACING[2]}


def test_a_whole_series_is_not_taken_as_given(tmp_path):
    choice = given(tmp_path, [3.0 * n for n in range(9)])
    assert not choice.candidates
    ((_, reason),) = choice.rejected_series
    assert reason == "9 slices: the level is taken as given in series of at most 8 slices"


@pytest.mark.parametrize("heights_mm", [(50.0,), (50.0, 53.0), (0.0, 3.0, 40.0), (0.0, 35.0)])
def test_the_reason_against_a_short_series_names_the_way_out(tmp_path, heights_mm):
    choice = dicom.choose(study(tmp_path, heights_mm), RULE)
    ((_, reason),) = choice.rejected_series
    assert reason.endswith("; with --level given a single slice is measured as it is")


def test_a_localizer_in_the_same_series_is_left_out(tmp_path):
    coronal = {
        "ImageOrientationPatient": [1, 0, 0, 0, 0, -1],
        "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"],
    }
    save(ct_dataset(np.zeros((8, 6), np.int16), (*COLUMN, 99.0), 1, **coronal), tmp_path / "scout.dcm")
    save(ct_dataset(np.ones((8, 6), np.int16), (*COLUMN, 50.0), 2), tmp_path / "slice.dcm")
    (found,) = dicom.scan(tmp_path).studies
    (series,) = dicom.choose(found, RULE, single_slices=True).candidates
    assert [header.instance_number for header in series.slices] == [2]


def test_a_localizer_alone_is_none(tmp_path):
    choice = given(tmp_path, (50.0,), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    assert [reason for _, reason in choice.rejected_series] == ["not in HU: image type LOCALIZER"]


@pytest.mark.parametrize("keyword", ["PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient"])
def test_a_slice_without_its_place_or_pixel_size_is_not_measured(tmp_path, keyword):
    choice = given(tmp_path, (50.0,), **{keyword: None})
    assert not choice.candidates


def test_the_slice_is_found_again_by_its_series(tmp_path):
    found = study(tmp_path, (0.0, 3.0, 40.0))
    (series,) = dicom.stacks_of(found, "1.2.3.4", single_slice=True)
    assert series.geometry is not None
    assert series.geometry.shape[0] == 1
    assert dicom.stacks_of(found, "1.2.3.4", single_slice=False) == ()


def test_whole_muscles_and_an_offset_exclude_a_given_level():
    with pytest.raises(GlutsegError, match="single slice shows none"):
        load_protocol(level="given", whole_muscle=True)
    with pytest.raises(ValueError, match="takes no offset_mm"):
        Protocol.model_validate({"name": "x", "level": {"landmark": "given", "offset_mm": 5}})
    with pytest.raises(ValueError, match="single slice shows none"):
        Protocol.model_validate(
            {"name": "x", "level": {"landmark": "given"}, "extent": {"whole_muscle": True}}
        )
