"""The hips as every n-th slice of a long series shows them."""

from __future__ import annotations

import numpy as np

from glutseg.anatomy.hips import Hips, find_hips
from glutseg.dicom import localiser_step
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry
from glutseg.settings import METHOD, Method


def localised_hips(image: CtImage, method: Method = METHOD) -> Hips | None:
    """The hips in every n-th slice of a series; None where it is short, or they are not certain there."""
    step = None if image.missing_slices else localiser_step(image.geometry)
    return None if step is None else certain_hips(_every_nth(image, step), method)


def certain_hips(few_slices: CtImage, method: Method = METHOD) -> Hips | None:
    """The hips in a localiser pass; None where only all slices can tell."""
    try:
        hips = find_hips(few_slices, method=method)
    except GlutsegError:  # all slices may show more
        return None
    is_certain = (
        hips.fit >= method.hips.certain_fit and abs(hips.roll_degrees) <= method.hips.max_roll_degrees
    )
    return hips if is_certain and not hips.assumed else None


def _every_nth(image: CtImage, step: int) -> CtImage:
    """Every n-th slice, counted from the feet."""
    g = image.geometry
    hu = np.ascontiguousarray(image.hu[::step])
    spacing_mm = (g.spacing_mm[0] * step, *g.spacing_mm[1:])
    return CtImage(hu, Geometry(hu.shape, spacing_mm, g.origin_mm, g.direction))
