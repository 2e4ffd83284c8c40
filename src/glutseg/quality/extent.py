"""Quality checks of the pixels of an outline: skin or subcutaneous fat in it, and islands."""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from glutseg.errors import Flag
from glutseg.image import SIDES
from glutseg.quality.density import Densities
from glutseg.quality.picture import BoolArray, Picture


def check_extent(picture: Picture, found: Densities) -> tuple[Flag, ...]:
    """``outline-beyond-muscle`` and ``outline-in-pieces`` for each side."""
    settings = picture.settings
    skin, fat = _skin(picture), _fat(picture, found)
    flags = []
    for side in SIDES:
        muscle = picture.side(side)
        if not muscle.any():
            continue
        at_skin, in_fat = _share(skin, muscle), _share(_lobes(picture, fat & muscle, muscle), muscle)
        if at_skin > settings.max_skin_share:
            flags.append(Flag("outline-beyond-muscle", f"{at_skin:.0%} of the area is skin", side))
        elif in_fat > settings.max_fat_lobe_share:
            message = f"{in_fat:.0%} of the area is fat along the border of the outline"
            flags.append(Flag("outline-beyond-muscle", message, side))
        islands = 1 - _share(_largest_piece(muscle), muscle)
        if islands > settings.max_islands_share:
            message = f"{islands:.0%} of the area lies apart from the largest piece"
            flags.append(Flag("outline-in-pieces", message, side))
    return tuple(flags)


def _skin(picture: Picture) -> BoolArray:
    """Pixels near the surface of the body and beyond; where the picture ends within it, there is no skin."""
    air = ~picture.body & ~picture.unseen
    return np.asarray(picture.distance_mm(air) <= picture.settings.at_skin_mm)


def _fat(picture: Picture, found: Densities) -> BoolArray:
    """Clearly nearer to fat than to muscle, smoothed."""
    settings = picture.settings
    limit_hu = float(settings.lean_hu)
    if found.fat_hu is not None and found.lean_hu is not None:
        limit_hu = found.fat_hu + settings.fat_lobe_share * (found.lean_hu - found.fat_hu)
    hu = np.where(picture.unseen, 0, np.clip(picture.hu, settings.air_hu, -settings.air_hu))
    return np.asarray(picture.smoothed(hu, settings.smoothing_mm) < limit_hu)


def _lobes(picture: Picture, fat: BoolArray, muscle: BoolArray) -> BoolArray:
    """Pieces of fat wider than streaks that touch the border of a muscle."""
    wide = picture.opened(fat, picture.settings.fat_lobe_mm)
    pieces, _ = ndi.label(wide)
    border = muscle & ~ndi.binary_erosion(muscle)
    return np.asarray(wide & np.isin(pieces, np.unique(pieces[border & wide])))


def _largest_piece(muscle: BoolArray) -> BoolArray:
    """Pixels that meet at a corner belong together."""
    pieces, _ = ndi.label(muscle, np.ones((3, 3)))
    return np.asarray(pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:])))


def _share(part: BoolArray, muscle: BoolArray) -> float:
    return float(np.count_nonzero(part & muscle) / np.count_nonzero(muscle))
