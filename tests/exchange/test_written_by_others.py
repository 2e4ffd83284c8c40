"""Masks written by dcmqi, dcmjs (OHIF), plastimatch, rt-utils, slicerio (scripts/write_foreign_masks.py)."""

import numpy as np
import pydicom
import pytest
from foreign_files import FILES, WRITTEN

from glutseg import dicom
from glutseg.errors import GlutsegError
from glutseg.exchange.export import export
from glutseg.exchange.foreign import read_foreign
from glutseg.exchange.measure_mask import load_series, measure_mask
from glutseg.phantom import PhantomScan, random_patients, write_studies

SCAN = PhantomScan(matrix=96, pixel_mm=4.2, slice_mm=12.0)
LEVEL = "slice=10"


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """The images that the masks belong to."""
    out = tmp_path_factory.mktemp("phantom")
    (images,) = write_studies(out, list(random_patients(1, 1)), SCAN, masks=True)
    (truth,) = out.glob("truth-*.nii.gz")
    loaded = load_series(dicom.scan(images))
    return loaded, measure_mask(loaded, truth, level=LEVEL).mask.labels


@pytest.mark.parametrize("name", [name for _, _, name in FILES])
def test_the_same_pixels(series, name):
    """Lines as well: half-way between pixels (plastimatch), or through their centres (rt-utils)."""
    loaded, truth = series
    measured = measure_mask(loaded, WRITTEN / name, level=LEVEL)
    assert np.array_equal(measured.mask.labels, truth)
    assert "mask-resampled" not in [flag.code for flag in measured.result.all_flags]


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
