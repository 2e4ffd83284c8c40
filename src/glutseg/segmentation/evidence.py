"""What a slice shows of muscle borders: tissue by threshold, and dark walls between muscles."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

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
STREAK_MM = 4.0
"""Fat streaks up to twice this wide are closed over: they lie inside the fascia."""
PLANE_MM = 1.5
"""Fat between two muscles up to twice this wide is a plane that they share."""
NOTCH_MM = 8.0
"""Notches in the outline up to twice this wide are fat streaks that reach the fascia."""
VESSEL_MM = 3.0
"""Bright spots in the fat up to twice this wide are vessels, not muscle."""


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


def close_disc(mask: BoolArray, radius: float) -> BoolArray:
    """Closing of a 2D mask by a disc of ``radius`` pixels; the picture's border is background."""
    n = int(np.ceil(radius)) + 1
    grown = ndi.distance_transform_edt(~np.pad(mask, n)) <= radius
    return np.asarray((ndi.distance_transform_edt(grown) > radius)[n:-n, n:-n], dtype=bool)


def open_disc(mask: BoolArray, radius: float) -> BoolArray:
    """Opening of a 2D mask by a disc of ``radius`` pixels; the picture's border is background."""
    n = int(np.ceil(radius)) + 1
    core = ndi.distance_transform_edt(np.pad(mask, n)) > radius
    if not core.any():
        return np.zeros_like(mask)
    return np.asarray((ndi.distance_transform_edt(~core) <= radius)[n:-n, n:-n], dtype=bool)


def flesh(image: FloatArray, pixel_mm: float) -> BoolArray:
    """Muscle, organs and bone of one smoothed slice, without skin, vessels in the fat and table.

    Fat streaks inside are closed over. Everything above `MUSCLE_EDGE_HU` counts.
    """
    body = open_disc(ndi.binary_fill_holes(image > -250), 3 / pixel_mm)
    labels, n = ndi.label(body)
    if n > 1:
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        body = labels == sizes.argmax()
    inner = ndi.distance_transform_edt(np.pad(body, 1, mode="edge"))[1:-1, 1:-1] * pixel_mm > SKIN_MM
    closed = close_disc((image > MUSCLE_EDGE_HU) & inner, STREAK_MM / pixel_mm) & inner
    opened = open_disc(closed, VESSEL_MM / pixel_mm)
    if not opened.any():
        return opened
    near = ndi.distance_transform_edt(~opened) * pixel_mm <= VESSEL_MM
    return np.asarray(close_disc(near & closed, NOTCH_MM / pixel_mm) & inner, dtype=bool)
