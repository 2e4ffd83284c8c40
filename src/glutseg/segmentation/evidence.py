"""What a slice shows of muscle borders: tissue by threshold, and dark walls between muscles."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.segmentation.discs import close_disc, fill_holes, grow_disc, open_disc

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

FAT_HU = -105.0
"""Adipose tissue at 120 kV: -115 to -95 HU."""
MUSCLE_EDGE_HU = -25.0
"""Half way between fat (-105) and muscle (55): the border of a blurred edge."""
SMOOTHING_MM = 0.5
WALL_WIDTH_MM = 1.0
"""Sigma of the second derivative; fits fat planes of 1 to 2 mm in a scan of ordinary sharpness."""
SKIN_MM = 3.0
TABLE_MM = 3.0
"""Sheets up to twice this thin are not the body: the table's shell, folds of cloth."""
STREAK_MM = 4.0
"""Fat streaks up to twice this wide are closed over: they lie inside the fascia."""
PLANE_MM = 1.5
"""Fat between two muscles up to twice this wide is a plane that they share."""
NOTCH_MM = 8.0
"""Notches in the outline up to twice this wide are fat streaks that reach the fascia."""
VESSEL_MM = 3.0
"""Bright spots in the fat up to twice this wide are vessels, not muscle."""


SPUR_MM = 1.5
"""What is up to twice this thin is no muscle: vessels along its border, fascia in the fat."""
END_MM = 10.0
"""A thin piece that goes on this far from the flesh is the muscle's end; a vessel beside it is not."""


def edge_hu(muscle_hu: float) -> float:
    """Border of a blurred edge: half way between fat and this patient's muscle, -55 to -25 HU."""
    return float(np.clip((muscle_hu + FAT_HU) / 2, -55, MUSCLE_EDGE_HU))


def smooth(hu: npt.NDArray[Any], spacing_mm: tuple[float, float]) -> FloatArray:
    """Slices (z, y, x) with air and bone clipped, lightly smoothed in plane."""
    clipped = np.clip(hu, -260, 260).astype(np.float32)
    sigma = (0.0, SMOOTHING_MM / spacing_mm[0], SMOOTHING_MM / spacing_mm[1])
    return np.asarray(ndi.gaussian_filter(clipped, sigma), dtype=np.float32)


def walls(hu: npt.NDArray[Any], spacing_mm: tuple[float, float]) -> FloatArray:
    """Strength in HU of dark lines in each slice (z, y, x), whatever their direction.

    The larger eigenvalue of the Hessian at `WALL_WIDTH_MM`, times its square: about half the depth
    of a line that is as wide as the filter.
    """
    sigma = WALL_WIDTH_MM / spacing_mm[0], WALL_WIDTH_MM / spacing_mm[1]
    out = np.empty(hu.shape, np.float32)
    for k, image in enumerate(hu):
        c = np.clip(image, -160, 160).astype(np.float32)
        yy = ndi.gaussian_filter(c, sigma, order=(2, 0)) * sigma[0] ** 2
        xx = ndi.gaussian_filter(c, sigma, order=(0, 2)) * sigma[1] ** 2
        xy = ndi.gaussian_filter(c, sigma, order=(1, 1)) * sigma[0] * sigma[1]
        out[k] = (yy + xx) / 2 + np.hypot((yy - xx) / 2, xy)
    return out


def flesh(image: FloatArray, spacing_mm: tuple[float, float]) -> BoolArray:
    """Muscle, organs and bone of one smoothed slice, without skin, vessels in the fat and table.

    Fat streaks inside are closed over. Everything above `MUSCLE_EDGE_HU` counts.
    """
    body = open_disc(fill_holes(image > -250), TABLE_MM, spacing_mm)
    labels, n = ndi.label(body)
    if n > 1:
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        body = labels == sizes.argmax()
    inner = ~grow_disc(~body, SKIN_MM, spacing_mm)  # the picture's border is no skin
    closed = close_disc((image > MUSCLE_EDGE_HU) & inner, STREAK_MM, spacing_mm) & inner
    opened = open_disc(closed, VESSEL_MM, spacing_mm)
    if not opened.any():
        return opened
    near = grow_disc(opened, VESSEL_MM, spacing_mm)
    thick = close_disc(near & closed, NOTCH_MM, spacing_mm) & inner
    ends = _thin_ends(thick, (image > MUSCLE_EDGE_HU) & inner, spacing_mm)
    return np.asarray(thick | ends, dtype=bool)


def _thin_ends(thick: BoolArray, bright: BoolArray, spacing_mm: tuple[float, float]) -> BoolArray:
    """Where a wasted muscle runs out thinner than a vessel: long pieces that go on from the flesh."""
    thin = open_disc(close_disc(bright, PLANE_MM, spacing_mm), SPUR_MM, spacing_mm) & ~thick
    pieces, n = ndi.label(thin, np.ones((3, 3)))
    if not n:
        return thin
    begins = _labels_in(pieces, grow_disc(thick, PLANE_MM, spacing_mm))
    goes_on = _labels_in(pieces, ~grow_disc(thick, END_MM, spacing_mm))
    return np.asarray(np.isin(pieces, np.intersect1d(begins, goes_on)), dtype=bool)


def _labels_in(labels: npt.NDArray[Any], mask: BoolArray) -> npt.NDArray[Any]:
    found = np.unique(labels[mask])
    return found[found > 0]
