"""A level by hand: the viewer gives the pixels of runs there. Landmarks: tests/case/test_doors.py."""

import threading
from contextlib import closing

import numpy as np
import pytest

from glutseg import dicom
from glutseg.case import measure_study
from glutseg.image import SIDES
from glutseg.phantom import PhantomPatient, PhantomScan, render, write_dicom
from glutseg.protocol import load_protocol, with_level
from glutseg.segmentation import AUTOMATIC
from glutseg.viewer.picture import Picture, at_slice
from glutseg.viewer.segmentation_process import SegmentationProcess

PROTOCOL = load_protocol()
LONG_SCAN = PhantomScan(matrix=160, pixel_mm=2.6, slice_mm=3.0, z_range_mm=(-110.0, 130.0))
"""80 slices: long enough for a run to begin with a localiser pass and to leave slices unread."""


def at_another_level(picture):
    return PROTOCOL.model_copy(update={"level": at_slice(picture, picture.slice_index + 3, PROTOCOL)})


@pytest.mark.slow
@pytest.mark.parametrize("position", ["HFS", "FFP"])  # FFP: stored from the head to the feet, patient prone
def test_the_viewer_gives_the_pixels_of_a_run_at_that_slice(tmp_path, position):
    write_dicom(render(PhantomPatient(seed=7), LONG_SCAN), tmp_path, position=position)
    (study,) = dicom.scan(tmp_path).studies
    image = dicom.read(study.series[0])
    picture = Picture.of(image, None, image.geometry.nearest_slice(6.0), PROTOCOL.tissue)
    rule = at_slice(picture, picture.slice_index, PROTOCOL)
    asked = PROTOCOL.model_copy(update={"level": rule})
    with closing(SegmentationProcess()) as process:
        process.find_hips(image, PROTOCOL, threading.Event())
        process.segment(image, at_another_level(picture), AUTOMATIC, threading.Event())
        found = process.segment(image, asked, AUTOMATIC, threading.Event())
    picture.labels[found.start : found.stop] = found.labels

    of_run = measure_study(study, with_level(PROTOCOL, f"slice={rule.slice_index}"))
    assert of_run.image.unread_slices  # the run did not read all of the series
    assert (of_run.result.level.name, of_run.result.stored_slice_index) == ("slice", rule.slice_index)
    assert found.slice_index == picture.slice_index == of_run.result.level.slice_index
    assert np.array_equal(picture.labels, of_run.mask.labels)
    assert np.array_equal(picture.mask().stored_labels(), of_run.mask.stored_labels())
    live = picture.live().sides
    assert live == {side: of_run.result.measurement(side) for side in SIDES}
