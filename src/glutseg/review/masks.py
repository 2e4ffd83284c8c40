"""Mask files of a case, read and written on the grid of its series."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from glutseg.errors import GlutsegError
from glutseg.image import Geometry, Mask
from glutseg.output.atomic import write_bytes
from glutseg.output.case_files import nifti_gz
from glutseg.output.nifti import read_nifti
from glutseg.output.sheared import nrrd

NIFTI, NRRD = ".nii.gz", ".nrrd"


def nrrd_beside(path: Path) -> Path:
    """Where the NRRD beside a mask is: written for sheared grids, for programs that read masks with ITK."""
    return path.with_name(path.name.removesuffix(NIFTI) + NRRD)


def grid_file(path: Path) -> Path:
    """Of the files of a mask the one that holds its grid: the NRRD beside the NIfTI, where there is one."""
    beside = nrrd_beside(path)
    return beside if beside.is_file() else path


def read_mask(path: Path, geometry: Geometry) -> Mask:
    """A mask of glutseg on the grid of its series.

    Parameters
    ----------
    geometry : of the series, in the order of its files

    Raises
    ------
    GlutsegError
        ``geometry-mismatch`` for a file that is not a mask on this grid.
    """
    mask = stored_mask(path)
    if not mask.stored.matches(geometry):
        raise GlutsegError("geometry-mismatch", "the mask is not on the grid of the series", path.name)
    return replace(mask, geometry=geometry.canonical(), stored_geometry=geometry)


def stored_mask(path: Path) -> Mask:
    """A mask of glutseg on the grid that its NIfTI file states.

    Raises
    ------
    GlutsegError
        ``geometry-mismatch`` for a file that is not a mask.
    """
    try:
        image = read_nifti(path)
    except (GlutsegError, OSError) as error:
        raise GlutsegError("geometry-mismatch", "the mask cannot be read", path.name) from error
    if image.values.dtype != np.uint8:
        raise GlutsegError("geometry-mismatch", "the voxels are not labels from 0 to 255", path.name)
    return Mask.from_array(image.values, image.geometry)


def write_mask(path: Path, mask: Mask) -> bytes:
    """Write a mask, and its NRRD where the grid is sheared; the bytes of the NIfTI.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    content = nifti_gz(mask)
    if mask.stored.is_sheared:
        write_bytes(nrrd_beside(path), nrrd(mask))
    write_bytes(path, content)
    return content
