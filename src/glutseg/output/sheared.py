"""Masks of sheared grids (gantry tilt), which most writers would straighten in silence."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import numpy as np

from glutseg.image import Geometry, Mask

_CODES_AT, _SROW_AT = 252, 280
"""Offsets of qform_code (followed by sform_code) and srow_x in a NIfTI-1 header (nifti1.h)."""
_SCANNER = 1  # NIFTI_XFORM_SCANNER_ANAT
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def straightened(grid: Geometry) -> Geometry:
    """A grid without shear in place of a sheared one, for a writer that knows none; others as they are."""
    return Geometry(grid.shape, grid.spacing_mm) if grid.is_sheared else grid


def with_exact_sform(nifti: bytes, geometry: Geometry) -> bytes:
    """A little-endian NIfTI-1 file whose sform holds the grid as it is, shear and all.

    The qform cannot hold shear and is switched off, so that no reader takes it for the truth.
    """
    rows = (_LPS_TO_RAS @ geometry.matrix)[:3]
    header = bytearray(nifti)
    struct.pack_into("<2h", header, _CODES_AT, 0, _SCANNER)
    struct.pack_into("<12f", header, _SROW_AT, *rows.ravel())
    return bytes(header)


def nrrd(mask: Mask) -> bytes:
    """The mask as compressed NRRD, whose space directions ITK reads with their shear."""
    import SimpleITK as sitk

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mask.nrrd"  # ITK writes to paths only
        sitk.WriteImage(mask.to_sitk(), str(file), True)
        return file.read_bytes()
