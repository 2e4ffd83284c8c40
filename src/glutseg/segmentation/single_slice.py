"""The gluteal muscles on a single slice, by the same two methods as in a series.

The network looks at a block of 96 mm, the edges at 40 mm of it. A single slice stands for all of them: it
is repeated, and the outline is that of the slice in the middle. What neighbours would show is missing (a fat
plane that is invisible here, where along its length the muscle is cut), so that how far the area may be off
is left unknown: the error model was fitted on whole series, and is wrong here (docs/how-to/single-slices.md).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glutseg.anatomy import Anatomy, Hips
from glutseg.anatomy.sphere import Sphere
from glutseg.errors import GlutsegError
from glutseg.image import SIDES, CtImage, Geometry, Mask, Muscle
from glutseg.segmentation import gluteus
from glutseg.segmentation.network import Network
from glutseg.segmentation.outlines import Outlines
from glutseg.segmentation.side_grid import CONTEXT_MM, SPACING_MM
from glutseg.settings import METHOD, SegmentationSettings

_REACH = int(CONTEXT_MM / SPACING_MM[0])
"""Copies of the slice above and below: all that the network looks at."""
MIN_AREA_MM2 = 800.0
"""Less is no gluteus maximus that anybody measures: its ends, or a mistake on a slice of the abdomen (up to
430 mm² were seen there)."""


def segment_slice(
    image: CtImage,
    anatomy: Anatomy,
    settings: SegmentationSettings = METHOD.segmentation,
    *,
    network: Network | None = None,
    muscles: tuple[Muscle, ...] = ("maximus",),
) -> Outlines:
    """The muscles asked for on an image of one slice.

    Parameters
    ----------
    image : axial, of one slice
    anatomy : from `glutseg.anatomy.find_anatomy_on_slice` for this image
    network : the chosen one unless given

    Returns
    -------
    Outlines
        With the second outline and its agreement, without evidence: no bound of the error follows from it.

    Raises
    ------
    GlutsegError
        ``muscle-not-found`` when a side has no gluteus maximus behind the hip, or too little of one.
    """
    block = _repeated(image)
    hips = _in_the_middle(anatomy.hips, block.geometry)
    outlines = gluteus.segment(
        block,
        Anatomy(block, hips, method=anatomy.method),
        range(_REACH, _REACH + 1),
        settings,
        network=network,
        slice_index=_REACH,
        muscles=muscles,
    )
    labels = outlines.mask.labels[_REACH : _REACH + 1].copy()
    for side, label in SIDES.items():
        area_mm2 = float(np.count_nonzero(labels == label)) * image.geometry.pixel_area_mm2
        if area_mm2 < MIN_AREA_MM2:
            raise GlutsegError("muscle-not-found", f"{area_mm2:.0f} mm² of muscle behind the {side} hip")
    quality = {which: replace(known, evidence=None) for which, known in outlines.quality.items()}
    return Outlines(Mask.on(image, labels), quality, outlines.flags)


def _repeated(image: CtImage) -> CtImage:
    """The slice as many times as the network looks at, as if axial."""
    hu = np.repeat(image.hu, 2 * _REACH + 1, axis=0)
    return CtImage(hu, Geometry(hu.shape, (SPACING_MM[0], *image.geometry.spacing_mm[1:])))


def _in_the_middle(hips: Hips, geometry: Geometry) -> Hips:
    """The hips at the height of the middle slice of a block."""

    def moved(head: Sphere) -> Sphere:
        return replace(head, centre_mm=(*head.centre_mm[:2], geometry.slice_z_mm(_REACH)))

    return replace(hips, left=moved(hips.left), right=moved(hips.right))
