"""Quality check: does the picture show the whole muscle?"""

from __future__ import annotations

import numpy as np

from glutseg.errors import Flag
from glutseg.image import SIDES
from glutseg.quality.picture import BoolArray, Picture


def check_field_of_view(picture: Picture) -> tuple[Flag, ...]:
    """``muscle-cut-by-fov`` for each side that touches the edge of the picture, or ends near a place where
    lean tissue does."""
    settings = picture.settings
    outside_mm = picture.distance_mm_to_edge
    cut_mm = picture.distance_mm(_lean_ends(picture))
    flags = []
    for side in SIDES:
        muscle = picture.side(side)
        if not muscle.any():
            continue
        if outside_mm[muscle].min() <= settings.field_of_view_mm:
            flags.append(Flag("muscle-cut-by-fov", "the muscle reaches the edge of the field of view", side))
        elif (near_mm := cut_mm[muscle].min()) <= settings.cut_reach_mm:
            message = f"the field of view ends in lean tissue, {near_mm:.0f} mm from the outline"
            flags.append(Flag("muscle-cut-by-fov", message, side))
    return tuple(flags)


def _lean_ends(picture: Picture) -> BoolArray:
    """The last pixels that the picture shows where these are lean tissue and thicker than skin."""
    settings = picture.settings
    seen = ~picture.unseen
    hu = np.clip(picture.hu, settings.air_hu, -settings.air_hu)
    weight = picture.smoothed(seen, settings.end_smoothing_mm)
    mean_hu = picture.smoothed(hu * seen, settings.end_smoothing_mm) / np.maximum(weight, 1e-9)
    lean = picture.opened(seen & (mean_hu > settings.lean_hu), settings.thicker_than_skin_mm)
    return lean & (picture.distance_mm_to_edge <= max(picture.pixel_mm))
