"""Quality checks of an outline that was given: whether it is one of the muscle on these images.

Where the gluteus maximus faces the skin, muscle lies within its border and subcutaneous fat beyond it, at
every level and in every patient. An outline of somebody else lies partly within the muscle or within the fat.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from glutseg.errors import Flag
from glutseg.image import SIDES
from glutseg.quality.picture import BoolArray, FloatArray, Picture

STEP_MM = 0.5
"""Between the points that are looked at on a line across the border."""
SMOOTHING_MM = 1.0
"""Sigma of the smoothing of the image on which they are looked at: noise alone makes no fat."""
DIRECTION_MM = 2.0
"""The same of the distances from which the direction of the border is taken."""


def check_fit(picture: Picture) -> tuple[Flag, ...]:
    """``mask-misfit`` for each side whose outline does not run between muscle and subcutaneous fat."""
    settings = picture.settings
    hu = picture.smoothed(np.clip(picture.hu, settings.air_hu, -settings.air_hu), SMOOTHING_MM)
    depth_mm = picture.distance_mm(~picture.body)
    flags = []
    for side in SIDES:
        muscle = picture.side(side)
        inside, outside = _across(picture, hu, muscle, depth_mm)
        if not len(inside):
            continue
        fat = float((outside.min(axis=1) < settings.lean_hu).mean())
        lean = float((inside.max(axis=1) > settings.lean_hu).mean())
        if fat < settings.min_fat_outside_share:
            flags.append(Flag("mask-misfit", _words(fat, "subcutaneous fat", "beyond", picture), side))
        elif lean < settings.min_muscle_inside_share:
            flags.append(Flag("mask-misfit", _words(lean, "muscle", "within", picture), side))
    return tuple(flags)


def _words(share: float, tissue: str, where: str, picture: Picture) -> str:
    reach_mm = picture.settings.border_reach_mm
    return f"{tissue} lies less than {reach_mm:g} mm {where} only {share:.0%} of the border towards the skin"


def _across(
    picture: Picture, hu: FloatArray, muscle: BoolArray, depth_mm: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """HU inwards and outwards of each border pixel that faces the skin: (pixels, points on the line)."""
    settings, pixel_mm = picture.settings, np.array(picture.pixel_mm)
    empty = np.zeros((0, 1))
    if not muscle.any() or muscle.all():
        return empty, empty
    away_mm = picture.distance_mm(muscle) - picture.distance_mm(~muscle)
    normal, up = _direction(picture, away_mm), _direction(picture, -depth_mm)
    border = muscle & ~ndi.binary_erosion(muscle)
    faces_skin = border & ((normal * up).sum(axis=0) > settings.facing_skin_cosine)
    places = np.argwhere(faces_skin).T
    steps = normal[:, *places] / pixel_mm[:, None]

    def along(from_mm: float, to_mm: float) -> FloatArray:
        at_mm = np.arange(from_mm, to_mm + STEP_MM / 2, STEP_MM)
        points = places[:, :, None] + steps[:, :, None] * at_mm
        return np.asarray(ndi.map_coordinates(hu, points, order=1, mode="nearest"))

    reach_mm = settings.border_reach_mm
    return along(-reach_mm, 0), along(0, reach_mm)


def _direction(picture: Picture, distance_mm: FloatArray) -> FloatArray:
    """(2, y, x): unit vectors in which a distance grows."""
    smooth = picture.smoothed(np.where(np.isfinite(distance_mm), distance_mm, 0), DIRECTION_MM)
    gradient = np.array(np.gradient(smooth, *picture.pixel_mm))
    return np.asarray(gradient / np.maximum(np.hypot(*gradient), 1e-6))
