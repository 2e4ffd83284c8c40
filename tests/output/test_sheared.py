"""Masks of tilted series, read back."""

import gzip
import math
import struct

import numpy as np
import pytest
import SimpleITK as sitk

from glutseg.image import Geometry, Mask
from glutseg.output.case_files import nifti_gz
from glutseg.output.sheared import nrrd

A = math.radians(18.5)
SHEARED = Geometry(
    (10, 8, 6), (4.0, 0.8, 0.7), (5.0, -6.0, 7.0), (1, 0, 0, 0, math.cos(A), 0, 0, math.sin(A), 1)
)


@pytest.fixture
def mask():
    labels = np.zeros(SHEARED.shape, np.uint8)
    labels[9, 4, 3] = 1
    return Mask.from_array(labels, SHEARED)


def test_the_sform_of_a_tilted_mask_places_each_voxel(mask):
    content = gzip.decompress(nifti_gz(mask))
    qform_code, sform_code = struct.unpack("<2h", content[252:256])
    assert (qform_code, sform_code) == (0, 1)
    sform = np.array(struct.unpack("<12f", content[280:328])).reshape(3, 4)
    x, y, z = SHEARED.point_mm(9, 4, 3)
    assert sform @ [3, 4, 9, 1] == pytest.approx([-x, -y, z], abs=1e-4)  # NIfTI is RAS
    assert content[352:] == mask.stored_labels().tobytes()


def test_simpleitk_reads_the_nrrd_with_its_shear(mask, tmp_path):
    (tmp_path / "mask.nrrd").write_bytes(nrrd(mask))
    image = sitk.ReadImage(str(tmp_path / "mask.nrrd"))
    assert image.TransformIndexToPhysicalPoint((3, 4, 9)) == pytest.approx(
        SHEARED.point_mm(9, 4, 3), abs=1e-6
    )
    back = Mask.from_sitk(image)
    assert np.array_equal(back.labels, mask.labels)
    assert back.stored.matches(SHEARED)


def test_simpleitk_refuses_or_straightens_the_nifti(mask, tmp_path):
    """Why there is an NRRD beside it: if this fails, ITK has learnt shear and the NRRD can go."""
    (tmp_path / "mask.nii.gz").write_bytes(nifti_gz(mask))
    try:
        image = sitk.ReadImage(str(tmp_path / "mask.nii.gz"))
    except RuntimeError:
        return
    off = np.subtract(image.TransformIndexToPhysicalPoint((3, 4, 9)), SHEARED.point_mm(9, 4, 3))
    assert np.abs(off).max() > 0.5


def test_the_same_mask_gives_the_same_bytes(mask):
    assert nrrd(mask) == nrrd(mask)
    assert nifti_gz(mask) == nifti_gz(mask)


def test_a_voxel_of_a_sheared_grid_is_smaller():
    assert SHEARED.voxel_volume_mm3 == pytest.approx(4.0 * 0.8 * 0.7 * math.cos(A))


def test_shear_does_not_change_the_distances_between_voxels(mask):
    pixdim = struct.unpack("<4f", gzip.decompress(nifti_gz(mask))[76:92])
    assert pixdim[1:] == pytest.approx(SHEARED.spacing_mm[::-1])


def test_the_nrrd_is_compressed(mask):
    assert b"encoding: gzip" in nrrd(mask)
