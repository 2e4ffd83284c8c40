"""Where the picture ends before its array does.

A round field of reconstruction, a crop or an anonymiser leave pixels behind that show nothing, filled with
anything. They are told from air by one of two marks: one constant value over a whole corner; or nothing but
noise beyond a straight line or a circle, and at that line tissue that begins with full pixels. Skin lies
anywhere within its pixels, so that part of them is half air.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.settings import QualitySettings

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Int16Array = npt.NDArray[np.int16]
_CORNERS = ((0, 0), (0, -1), (-1, 0), (-1, -1))


def unseen(
    hu: Int16Array, pixel_mm: tuple[float, float], outlined: BoolArray, settings: QualitySettings
) -> BoolArray:
    """Pixels of a slice that show nothing.

    Parameters
    ----------
    pixel_mm : (y, x)
    outlined : muscle; an even area that holds most of it is part of a drawn picture, not padding
    """
    out = _constant_corners(hu, outlined, settings)
    for outward_mm in _fields(hu.shape, pixel_mm):
        out |= _beyond_a_cut(hu, outward_mm, pixel_mm, settings)
    return out


def _constant_corners(hu: Int16Array, outlined: BoolArray, settings: QualitySettings) -> BoolArray:
    out = np.zeros(hu.shape, bool)
    for corner in _CORNERS:
        if out[corner]:
            continue
        pieces, _ = ndi.label(hu == hu[corner])
        region = pieces == pieces[corner]
        is_drawn = 2 * np.count_nonzero(region & outlined) > np.count_nonzero(outlined)
        if region.sum() > settings.min_padding_share * hu.size and not is_drawn:
            out |= region
    return out


def _fields(shape: tuple[int, ...], pixel_mm: tuple[float, float]) -> Iterator[FloatArray]:
    """Distances in mm that grow outwards: to each of the four edges, and from the middle of the image."""
    y, x = ((np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(shape, pixel_mm, strict=True))
    rows, columns = np.meshgrid(y, x, indexing="ij")
    yield from (rows, -rows, columns, -columns, np.hypot(rows, columns))


def _beyond_a_cut(
    hu: Int16Array, outward_mm: FloatArray, pixel_mm: tuple[float, float], settings: QualitySettings
) -> BoolArray:
    """What lies beyond the outermost thing on the slice, if that is tissue with a sharp and long end."""
    nothing = np.zeros(hu.shape, bool)
    outermost = hu[outward_mm >= np.quantile(outward_mm, 1 - settings.min_padding_share)].astype(float)
    fill_hu = float(np.median(outermost))
    if fill_hu > settings.body_hu:
        return nothing
    noise_hu = 2 * float(np.percentile(np.abs(outermost - fill_hu), 99))
    something = hu > min(fill_hu + noise_hu + settings.fill_hu, settings.surface_hu)
    if not something.any():
        return nothing
    end_mm = float(outward_mm[something].max())
    line = something & (outward_mm > end_mm - max(pixel_mm))
    is_long = np.count_nonzero(line) * min(pixel_mm) >= settings.min_cut_mm
    is_sharp = np.mean(hu[line] > settings.sharp_hu) >= settings.min_sharp_share
    return outward_mm > end_mm if is_long and is_sharp else nothing
