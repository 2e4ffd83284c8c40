"""CT as NIfTI, in every order in which files store it."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np

from glutseg.dicom.nifti_file import RAS_TO_LPS
from glutseg.image import CtImage

ORDERS = tuple("".join(axes) for three in permutations(("LR", "PA", "IS")) for axes in product(*three))
"""All 48: which way each axis of the file runs, as nibabel names it (``RAS``)."""


def nifti_of(image: CtImage, order: str = "RAS", values=None) -> nib.Nifti1Image:
    """A NIfTI image of an image, or of other values on its canonical grid."""
    affine = RAS_TO_LPS @ image.geometry.matrix
    array = np.asarray(image.hu if values is None else values).T
    whole = nib.Nifti1Image(array, affine)
    now = nib.orientations.io_orientation(affine)
    turned = whole.as_reoriented(nib.orientations.ornt_transform(now, nib.orientations.axcodes2ornt(order)))
    turned.header.set_xyzt_units("mm")
    turned.set_sform(turned.affine, 1)
    turned.set_qform(turned.affine, 1)
    return turned


def write_nifti(path: Path, image: CtImage, order: str = "RAS", values=None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nifti_of(image, order, values), path)
    return path
