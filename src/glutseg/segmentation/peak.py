"""The slice on which the muscle is largest, and how far it can reach."""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from glutseg.anatomy import Anatomy
from glutseg.errors import GlutsegError
from glutseg.image import SIDES, CtImage, Mask
from glutseg.protocol import LevelRule
from glutseg.result import Level
from glutseg.segmentation.gluteus import segment, slices_between
from glutseg.settings import METHOD, SegmentationSettings

PEAK_SEARCH_MM = (90.0, 45.0)
"""Below and above the heads' tops: the peak lay 42 mm below to 3 mm above in four patients."""


def peak_level(
    volume: CtImage,
    anatomy: Anatomy,
    rule: LevelRule,
    settings: SegmentationSettings = METHOD.segmentation,
    *,
    mask: Mask | None = None,
) -> Level:
    """The slice with the largest mean area of the two sides, smoothed over about 9 mm.

    Searched from 90 mm below the femoral heads' tops to 45 mm above, as far as the series goes.

    Parameters
    ----------
    mask : canonical, of the whole muscles, where it is there already

    Raises
    ------
    GlutsegError
        ``muscle-not-found``; ``level-outside`` when the area still grows at the series' end.
    """
    g = volume.geometry
    around = slices_between(volume, anatomy.hips.top_mm, PEAK_SEARCH_MM)
    if mask is None:
        mask = segment(volume, anatomy, around, settings).mask
    muscle = np.isin(mask.labels[around.start : around.stop], list(SIDES.values()))
    areas = np.count_nonzero(muscle, axis=(1, 2)) * g.pixel_area_mm2 / 2
    width = max(1, round(9 / g.spacing_mm[0]) // 2 * 2 + 1)
    k = around.start + int(ndi.uniform_filter1d(areas, width, mode="nearest").argmax())
    if k in (0, g.shape[0] - 1):
        raise GlutsegError("level-outside", "the area still grows at the end of the series")
    k += round(rule.offset_mm / g.spacing_mm[0])
    if not 0 <= k < g.shape[0]:
        raise GlutsegError("level-outside", f"{rule.offset_mm} mm from the peak lies outside the series")
    return Level("peak-area", k, g.slice_z_mm(k))
