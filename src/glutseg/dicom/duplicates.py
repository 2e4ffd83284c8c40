"""Do images at one position show the same? Then it does not matter which one is used."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from glutseg.dicom.model import Series, SliceHeader
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.slice_runs import DUPLICATE_TOLERANCE_MM, normal_of, positions_mm
from glutseg.dicom.slices import Fetch, SliceHU, decode_all
from glutseg.errors import Flag
from glutseg.image import Int16Array

MAX_DIFFERENCE_HU = 2.0
"""Mean over an image. Compression with loss gives 1 or less, another reconstruction of the same scan 5 and
more. Chosen."""
SHOWN_HU = (-200, 300)
"""HU are clipped to soft tissue, so that noise in air does not matter."""
MAX_NAMED = 5
"""Number of positions that the flag lists."""


def duplicate_flags(series: Series, read: Mapping[int, Int16Array], fetch: Fetch) -> tuple[Flag, ...]:
    """``duplicates-differ`` where an image that was left out shows something else than the one used.

    Parameters
    ----------
    read : the slices in HU that were read, by their index on the grid
    fetch : called with the images that were left out, before they are read; those that cannot be decoded
        are passed over
    """
    pairs = _pairs(series, read)
    fetch(left_out for left_out, _ in pairs)
    differ = []
    with quiet_pydicom():
        for (left_out, index), one in zip(pairs, decode_all(tuple(d for d, _ in pairs)), strict=True):
            if isinstance(one, SliceHU) and _difference_hu(one.hu, read[index]) > MAX_DIFFERENCE_HU:
                differ.append(left_out)
    if not differ:
        return ()
    heights_mm = sorted({round(float(z_mm), 1) for z_mm in positions_mm(differ)[:, 2]})
    more = " …" if len(heights_mm) > MAX_NAMED else ""
    named = ", ".join(f"{z_mm:.1f}" for z_mm in heights_mm[:MAX_NAMED])
    message = (
        f"{len(differ)} images show something else than the one used at their position: z {named}{more} mm"
    )
    return (Flag("duplicates-differ", message),)


def _pairs(series: Series, read: Mapping[int, Int16Array]) -> list[tuple[SliceHeader, int]]:
    """Each image that was left out, with the index of the slice that is used instead of it."""
    if not series.duplicates or not read:
        return []
    normal = normal_of(series.slices[0])
    indices = [index for index in series.grid_indices if index in read]
    used = [one for one, index in zip(series.slices, series.grid_indices, strict=True) if index in read]
    used_mm = positions_mm(used) @ normal
    away_mm = np.abs(positions_mm(series.duplicates) @ normal - used_mm[:, None])
    nearest = np.argmin(away_mm, axis=0)
    return [
        (left_out, indices[k])
        for left_out, k, distance_mm in zip(series.duplicates, nearest, away_mm.min(axis=0), strict=True)
        if distance_mm <= DUPLICATE_TOLERANCE_MM
    ]


def _difference_hu(a: Int16Array, b: Int16Array) -> float:
    return float(np.abs(np.clip(a, *SHOWN_HU) - np.clip(b, *SHOWN_HU)).mean())
