"""A single slice on its way from pixels to a result, with the real network on a phantom of known areas."""

from dataclasses import replace

import numpy as np
import pytest

from glutseg import dicom
from glutseg.case import measure_case, measure_study
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry
from glutseg.output.overlay import draw_overlay
from glutseg.phantom import Phantom, PhantomPatient, PhantomScan, render, write_dicom
from glutseg.protocol import load_protocol

GIVEN = load_protocol(level="given")
SCAN = PhantomScan(matrix=300, pixel_mm=1.4, slice_mm=5.0, z_range_mm=(-1.0, 1.0))


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return render(PhantomPatient(seed=3), SCAN)


@pytest.fixture(scope="module")
def case(phantom, tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    write_dicom(phantom, folder)
    (study,) = dicom.scan(folder).studies
    return study, measure_study(study, GIVEN)


def test_the_areas_are_those_of_the_phantom_and_always_for_review(phantom, case):
    _, found = case
    result = found.result
    assert result.status == "review"
    assert "single-slice" in {flag.code for flag in result.all_flags}
    for side in ("left", "right"):
        true_mm2 = phantom.area_mm2(side, result.level.z_mm)
        assert result.area_mm2(side) == pytest.approx(true_mm2, rel=0.12)
        assert result.muscle(side).error_bound_percent is None
        assert result.muscle(side).agreement > 0.8
    assert (result.level.name, result.level.slice_index) == ("given", 0)
    assert {point.offset_mm for point in result.profile} == {0.0}
    assert result.series.slice_spacing_mm is None


def test_the_slice_is_found_again_by_its_series(case):
    study, found = case
    (series,) = dicom.stacks_of(study, found.result.series.series_uid, single_slice=True)
    assert dicom.read(series).geometry == found.image.geometry


def test_the_picture_has_no_other_cuts(case):
    _, found = case
    assert draw_overlay(found.image, found.mask, found.result).startswith(b"\x89PNG")


def test_without_a_given_level_it_fails_and_names_the_way_out(case):
    study, _ = case
    result = measure_study(study, load_protocol()).result
    assert (result.status, result.error_code) == ("failed", "no-usable-series")
    assert "with --level given a single slice is measured as it is" in result.error_message


def test_a_slice_without_hips_is_refused():
    hu = np.full((1, 200, 200), -1000, np.int16)
    hu[0, 40:160, 30:170] = 40
    image = CtImage(hu, Geometry(hu.shape, (5.0, 2.0, 2.0)))
    with pytest.raises(GlutsegError, match="0 mm² of bone") as caught:
        measure_case(image, protocol=GIVEN)
    assert caught.value.code == "hips-not-found"


def test_several_slices_in_memory_are_no_given_level(phantom):
    hu = np.repeat(phantom.volume.hu[:1], 3, axis=0)
    image = CtImage(hu, replace(phantom.volume.geometry, shape=hu.shape))
    with pytest.raises(GlutsegError) as caught:
        measure_case(image, protocol=GIVEN)
    assert caught.value.code == "level-not-given"


def test_a_landmark_is_not_sought_on_a_single_slice(phantom):
    image = phantom.volume.crop((slice(0, 1), slice(None), slice(None)))
    with pytest.raises(GlutsegError) as caught:
        measure_case(image, protocol=load_protocol())
    assert caught.value.code == "landmark-not-found"
