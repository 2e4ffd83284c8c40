"""Masks that a disk or a program has damaged are refused, whatever the libraries below make of them."""

import pytest
import SimpleITK as sitk

from glutseg.errors import GlutsegError
from glutseg.exchange.foreign import read_foreign


def written(run, path, *, compressed):
    sitk.WriteImage(run.mask.to_sitk(), str(path), compressed)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["mask.nii.gz", "mask.nrrd", "mask.mha"])
@pytest.mark.parametrize("place", [-1, -4, -8])
def test_a_wrong_check_sum_of_compressed_voxels_is_refused(export_run, tmp_path, name, place):
    """A flipped bit gave other labels; neither ITK nor Python comes to the check sum by itself."""
    path = tmp_path / name
    content = bytearray(written(export_run, path, compressed=True))
    assert read_foreign(path).regions
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(GlutsegError, match="mask-unreadable"):
        read_foreign(path)


def test_a_nifti_of_no_dimensions_is_refused(export_run, tmp_path):
    path = tmp_path / "mask.nii"
    content = bytearray(written(export_run, path, compressed=False))
    content[40:42] = b"\0\0"
    path.write_bytes(content)
    with pytest.raises(GlutsegError, match="absurd sizes"):
        read_foreign(path)


@pytest.mark.parametrize("name", ["mask.nrrd", "mask.mha"])
def test_compressed_voxels_that_end_early_are_refused(export_run, tmp_path, name):
    path = tmp_path / name
    content = written(export_run, path, compressed=True)
    path.write_bytes(content[:-20] + content[-40:-20])
    with pytest.raises(GlutsegError, match="mask-unreadable"):
        read_foreign(path)


@pytest.mark.parametrize(
    "line", [b"x" * 5_000, b"A_Name: " + b"x" * 5_000, b'units: "' + b"x" * 5_000 + b'"']
)
def test_a_long_line_of_a_nrrd_header_does_not_end_the_process(export_run, tmp_path, line):
    """ITK's reader writes it into a buffer of 1,024 bytes."""
    path = tmp_path / "mask.nrrd"
    content = written(export_run, path, compressed=False)
    path.write_bytes(content.replace(b"\nspace origin", b"\n" + line + b"\nspace origin", 1))
    with pytest.raises(GlutsegError, match=f"{len(line)} characters"):
        read_foreign(path)


def test_voxels_that_are_said_to_be_text_do_not_end_the_process(export_run, tmp_path):
    path = tmp_path / "mask.nrrd"
    content = written(export_run, path, compressed=False)
    path.write_bytes(content.replace(b"encoding: raw", b"encoding: ascii", 1))
    with pytest.raises(GlutsegError, match="neither raw nor gzip"):
        read_foreign(path)


def test_long_remarks_and_keys_of_a_nrrd_are_read(export_run, tmp_path):
    path = tmp_path / "mask.nrrd"
    content = written(export_run, path, compressed=False)
    long = b"\n# " + b"x" * 5_000 + b"\nParameters:=" + b"x" * 5_000 + b"\nspace origin"
    path.write_bytes(content.replace(b"\nspace origin", long, 1))
    assert read_foreign(path).regions
