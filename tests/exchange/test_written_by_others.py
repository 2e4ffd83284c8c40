"""Masks written by dcmqi, dcmjs (OHIF), plastimatch, rt-utils (scripts/write_foreign_masks.py) are read."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from glutseg import dicom
from glutseg.errors import GlutsegError
from glutseg.exchange.export import export
from glutseg.exchange.foreign import read_foreign
from glutseg.exchange.measure_mask import load_series, measure_mask
from glutseg.phantom import PhantomScan, random_patients, write_studies

WRITTEN = Path(__file__).parent / "written_by_others"
SCAN = PhantomScan(matrix=96, pixel_mm=4.2, slice_mm=12.0)
LEVEL = "slice=10"
DICE_OF_LINES = 0.93
"""Lines through the middles of border pixels lose up to half a pixel, of 4.2 mm here."""


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """The images that the masks belong to."""
    out = tmp_path_factory.mktemp("phantom")
    (images,) = write_studies(out, list(random_patients(1, 1)), SCAN, masks=True)
    (truth,) = out.glob("truth-*.nii.gz")
    loaded = load_series(dicom.scan(images))
    return loaded, measure_mask(loaded, truth, level=LEVEL).mask.labels


@pytest.mark.parametrize("name", ["dcmqi.seg.dcm", "dcmjs.seg.dcm"])
def test_a_segmentation_has_the_same_pixels(series, name):
    loaded, truth = series
    measured = measure_mask(loaded, WRITTEN / name, level=LEVEL)
    assert np.array_equal(measured.mask.labels, truth)


@pytest.mark.parametrize("name", ["plastimatch.rtstruct.dcm", "rt-utils.rtstruct.dcm"])
def test_lines_give_nearly_the_same_pixels(series, name):
    loaded, truth = series
    labels = measure_mask(loaded, WRITTEN / name, level=LEVEL).mask.labels
    for label in (1, 2):
        found, true = labels == label, truth == label
        assert 2 * (found & true).sum() / (found.sum() + true.sum()) > DICE_OF_LINES


@pytest.mark.parametrize("fmt", ["seg", "rtstruct"])
def test_our_own_objects_without_stated_lengths_are_read(export_run, tmp_path, fmt):
    """As ``dcmconv -e`` writes them."""
    (file,) = export(export_run.out, (fmt,)).files
    dataset = pydicom.dcmread(file)
    for element in dataset.iterall():
        if element.VR == "SQ":
            element.value.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
    changed = tmp_path / "undefined.dcm"
    dataset.save_as(changed)
    assert changed.stat().st_size > file.stat().st_size
    loaded = load_series(dicom.scan(export_run.images))
    assert np.array_equal(
        measure_mask(loaded, changed, level="slice=3").mask.labels,
        measure_mask(loaded, file, level="slice=3").mask.labels,
    )


@pytest.mark.parametrize("field", ["data file: {}", "datafile:{}", "Data File: LIST\n{}", "data file : {}"])
def test_a_header_that_names_another_file_is_refused(tmp_path, field):
    """It could name any file of this computer, whose bytes would be taken for labels."""
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(1, 28)))
    header = (
        "NRRD0005\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: 3 3 3\n"
        "space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nencoding: raw\n"
    )
    path = tmp_path / "mask.nhdr"
    path.write_text(header + field.format(secret) + "\n")
    with pytest.raises(GlutsegError, match="another file"):
        read_foreign(path)
