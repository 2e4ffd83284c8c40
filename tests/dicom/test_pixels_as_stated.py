"""Pixels that are not what the header says of them."""

import numpy as np
import pydicom
import pytest
from dicom_builder import pattern, write_series
from dicom_encodings import LOSSLESS
from dicom_series_read import codes, load
from pydicom.dataset import FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from glutseg.errors import GlutsegError


def test_a_padding_value_within_the_picture_is_flagged(tmp_path):
    def edit(ds, k):
        stored = np.full((8, 6), -100)  # fat, and around it padding as it should be
        stored[0] = stored[:, 0] = -2000
        stored[1:, 1:] += np.arange(35).reshape(7, 5)
        ds.PixelRepresentation, ds.RescaleIntercept, ds.BitsStored, ds.HighBit = 1, 0, 12, 11
        ds.PixelData = (stored.astype(np.int16).view(np.uint16) & 0x0FFF).tobytes()
        ds.PixelPaddingValue = (-88) & 0x0FFF

    write_series(tmp_path, edit=edit)
    loaded = load(tmp_path)
    assert codes(loaded) == ["padding-in-body"]
    assert loaded.flags[0].severity == "review"
    assert "5 pixels within the picture, on 5 slices" in loaded.flags[0].message


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
@pytest.mark.parametrize("change", [{"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}, {"Rows": 6}])
def test_more_pixels_than_the_header_describes_are_refused(tmp_path, change, syntax):
    def edit(ds, k):
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = syntax
        for keyword, value in change.items():
            setattr(ds, keyword, value)

    write_series(tmp_path, edit=edit)
    with pytest.raises(GlutsegError, match=r"pixel-data-undecodable.*96 bytes, the header describes (48|72)"):
        load(tmp_path)


def test_eight_bits_said_of_compressed_words_are_refused(tmp_path):
    for path in write_series(tmp_path):
        LOSSLESS["RLE"](path)
        ds = pydicom.dcmread(path)
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
        ds.save_as(path)
    with pytest.raises(GlutsegError, match="2 RLE segments for 1 bytes per pixel"):
        load(tmp_path)


def test_a_few_zeros_after_the_pixels_are_no_matter(tmp_path):
    write_series(tmp_path, edit=lambda ds, _: setattr(ds, "PixelData", ds.PixelData + bytes(4)))
    assert np.array_equal(load(tmp_path).hu, pattern())
