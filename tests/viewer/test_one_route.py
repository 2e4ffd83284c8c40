"""What the viewer segments is what a run measures, to the pixel."""

import threading

import numpy as np
import pytest

from glutseg import dicom
from glutseg.case import Case, measure_study
from glutseg.image import SIDES
from glutseg.phantom import Phantom, PhantomPatient, PhantomScan, render, write_dicom
from glutseg.protocol import LevelRule, load_protocol, with_level
from glutseg.viewer.picture import Picture, at_slice
from glutseg.viewer.segmentation_process import OutlinesNearLevel, segment_in_process

PROTOCOL = load_protocol()
LONG_SCAN = PhantomScan(matrix=160, pixel_mm=2.6, slice_mm=3.0, z_range_mm=(-110.0, 130.0))
"""80 slices: long enough for a run to begin with a localiser pass and to leave slices unread."""


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return render(PhantomPatient(seed=7), LONG_SCAN)


@pytest.fixture(scope="module")
def studies(phantom, tmp_path_factory) -> dict[str, dicom.Study]:
    """By patient position: FFP are files from the head to the feet of a patient who lies prone."""
    found = {}
    for position in ("HFS", "FFP"):
        folder = tmp_path_factory.mktemp(position)
        write_dicom(phantom, folder, position=position)
        (found[position],) = dicom.scan(folder).studies
    return found


def by_hand(study: dicom.Study, rule: LevelRule) -> tuple[Picture, OutlinesNearLevel]:
    """As *Measure by hand* does it: every slice is read, the outlines come from another process."""
    image = dicom.read(study.series[0])
    found = segment_in_process(image, rule, PROTOCOL, threading.Event())
    picture = Picture.of(image, None, found.slice_index, PROTOCOL.tissue)
    picture.labels[found.start : found.start + len(found.labels)] = found.labels
    return picture, found


def check_same(of_run: Case, picture: Picture) -> None:
    """The same slice, pixels and areas."""
    assert of_run.result.error_code == ""
    assert picture.slice_index == of_run.result.level.slice_index
    assert np.array_equal(picture.labels, of_run.mask.labels)
    assert picture.mask().stored_labels().tobytes() == of_run.mask.stored_labels().tobytes()
    live = picture.live().sides
    assert {side: live[side] for side in SIDES} == {side: of_run.result.measurement(side) for side in SIDES}


@pytest.mark.parametrize("position", ["HFS", "FFP"])
def test_measuring_by_hand_and_a_run_give_the_same_pixels(studies, position):
    of_run = measure_study(studies[position], PROTOCOL)
    assert of_run.image.unread_slices  # the run did not read all of the series
    picture, _ = by_hand(studies[position], PROTOCOL.level)
    check_same(of_run, picture)


def test_segmenting_at_a_slice_is_measuring_at_that_slice(studies):
    study = studies["FFP"]
    image = dicom.read(study.series[0])
    slice_index = image.geometry.nearest_slice(6.0)
    rule = at_slice(Picture.of(image, None, slice_index, PROTOCOL.tissue), slice_index, PROTOCOL)
    assert rule.slice_index == image.geometry.shape[0] - 1 - slice_index
    picture, found = by_hand(study, rule)
    assert found.slice_index == slice_index
    check_same(measure_study(study, with_level(PROTOCOL, f"slice={rule.slice_index}")), picture)
