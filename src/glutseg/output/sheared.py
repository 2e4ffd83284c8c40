"""Masks of sheared grids (gantry tilt) as NRRD, because ITK refuses or straightens the NIfTI of one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from glutseg.image import Mask


def nrrd(mask: Mask) -> bytes:
    """The mask as compressed NRRD, whose space directions ITK reads with their shear."""
    import SimpleITK as sitk

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mask.nrrd"  # ITK writes to paths only
        sitk.WriteImage(mask.to_sitk(), str(file), True)
        return file.read_bytes()
