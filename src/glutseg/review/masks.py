"""Mask files of a case, read back onto the grid of its series."""

from __future__ import annotations

from pathlib import Path

from glutseg.errors import GlutsegError
from glutseg.output.atomic import write_bytes
from glutseg.output.case_files import nifti_gz
from glutseg.output.sheared import nrrd
from glutseg.volume import Geometry, Mask

NIFTI, NRRD = ".nii.gz", ".nrrd"


def read_mask(path: Path, geometry: Geometry) -> Mask:
    """A mask of glutseg on the grid of its series.

    Parameters
    ----------
    path : the NIfTI; of a sheared grid the NRRD beside it is read, which holds the shear
    geometry : of the series

    Raises
    ------
    GlutsegError
        ``geometry-mismatch`` for a file that is no mask on this grid.
    """
    import SimpleITK as sitk

    file = path.with_name(path.name.removesuffix(NIFTI) + NRRD) if geometry.is_sheared else path
    try:
        mask = Mask.from_sitk(sitk.ReadImage(str(file)))
    except (RuntimeError, ValueError) as error:
        raise GlutsegError("geometry-mismatch", "the mask cannot be read", file.name) from error
    if not mask.geometry.matches(geometry):
        raise GlutsegError("geometry-mismatch", "the mask is not on the grid of the series", file.name)
    return Mask(mask.labels, geometry)


def write_mask(path: Path, mask: Mask) -> bytes:
    """Write a mask, and its NRRD where the grid is sheared; the bytes of the NIfTI.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    content = nifti_gz(mask)
    if mask.geometry.is_sheared:
        write_bytes(path.with_name(path.name.removesuffix(NIFTI) + NRRD), nrrd(mask))
    write_bytes(path, content)
    return content
