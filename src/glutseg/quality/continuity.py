"""Quality check: do neighbouring slices belong together?

From slice to slice a body changes little, and about as much as a little further up or down. One step that is
much larger means that slices are missing in between, that they are in another order than stated, or that
those on one side are another patient's. What one slice alone shows, such as damage, is not looked for here.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from glutseg.errors import Flag
from glutseg.image import CtImage, Int16Array
from glutseg.settings import METHOD, QualitySettings

FloatArray = npt.NDArray[np.float32]
_N_REFERENCES = 3
"""Steps on either side that one is compared with."""
_FLOOR_HU = 0.5
"""Added to what the other steps differ by, which may be nothing: air, drawn images."""
_MAX_NAMED = 3
"""Number of places that the flag lists."""


def check_continuity(
    image: CtImage, heights_mm: Iterable[float], settings: QualitySettings = METHOD.quality
) -> tuple[Flag, ...]:
    """``slices-discontinuous`` for a break near the slices that the measurement rests on.

    Parameters
    ----------
    image : axial; slices that no image shows or that were not read are left out
    heights_mm : LPS z of the level and of the femoral heads
    """
    geometry, reach_mm = image.geometry, settings.continuity_reach_mm
    around = [geometry.slices_around(geometry.nearest_slice(z_mm), reach_mm) for z_mm in heights_mm]
    unknown = image.missing_slices | image.unread_slices
    near = range(min(r.start for r in around), max(r.stop for r in around))
    shown = [k for k in near if k not in unknown]
    coarse = {k: _coarse(image.hu[k], geometry.spacing_mm[1:], settings) for k in shown}
    usual_step = max(1, round(settings.continuity_step_mm / geometry.spacing_mm[0]))
    ratios = {pair: _step_ratio(coarse, pair, usual_step) for pair in pairwise(shown)}
    breaks = [pair for pair, ratio in ratios.items() if ratio > settings.max_step_ratio]
    if not breaks:
        return ()
    named = [" and ".join(f"{geometry.slice_z_mm(k):.1f}" for k in pair) for pair in breaks[:_MAX_NAMED]]
    places = "; ".join(named) + (" …" if len(breaks) > _MAX_NAMED else "")
    largest = max(ratios[pair] for pair in breaks)
    message = f"the images at z {places} mm differ up to {largest:.1f} times as much as those next to them"
    return (Flag("slices-discontinuous", message),)


def _coarse(hu: Int16Array, pixel_mm: tuple[float, ...], settings: QualitySettings) -> FloatArray:
    """Means of blocks of pixels, within soft tissue: hardly any noise, and neither metal nor bone decides."""
    rows, columns = (max(1, round(settings.continuity_pixel_mm / mm)) for mm in pixel_mm)
    n_rows, n_columns = hu.shape[0] // rows, hu.shape[1] // columns
    clipped = np.clip(hu[: n_rows * rows, : n_columns * columns], *settings.continuity_hu)
    bands = clipped.reshape(n_rows, rows, -1).sum(axis=1, dtype=np.int32)
    return bands.reshape(n_rows, n_columns, columns).sum(axis=2).astype(np.float32) / (rows * columns)


def _step_ratio(coarse: dict[int, FloatArray], pair: tuple[int, int], usual_step: int) -> float:
    """How much two slices differ, relative to slices as far apart above and below; 0 where hardly any are.

    The second largest of these counts, since one of them may be a break itself.
    """
    lower, upper = pair
    step = max(usual_step, upper - lower)
    below = ((lower - (n + 1) * step, lower - n * step) for n in range(_N_REFERENCES))
    above = ((upper + n * step, upper + (n + 1) * step) for n in range(_N_REFERENCES))
    usual = sorted(
        _difference(coarse[a], coarse[b]) for a, b in (*below, *above) if a in coarse and b in coarse
    )
    if len(usual) < _N_REFERENCES:
        return 0.0
    return _difference(coarse[lower], coarse[upper]) / (usual[-2] + _FLOOR_HU)


def _difference(a: FloatArray, b: FloatArray) -> float:
    return float(np.abs(a - b).mean())
