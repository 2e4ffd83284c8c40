"""Missing slices: which gaps a volume may span, and interpolation across them."""

from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np

from glutseg.dicom.slice_runs import MAX_GAP_MM, MAX_MISSING_SHARE
from glutseg.image import Int16Array


def longest_stretch(has_image: list[bool], step_mm: float) -> tuple[int, int]:
    """Return start and stop of the longest range that begins and ends with an image and has short gaps only.

    Parameters
    ----------
    has_image : for every slice, whether there is an image
    step_mm : distance between slices
    """
    bridged = _longest([_if_complete_enough(has_image, s) for s in _ranges(has_image, MAX_GAP_MM / step_mm)])
    return bridged or _longest(_ranges(has_image, 0)) or (0, 0)


def fill_missing(hu: Int16Array, has_image: list[bool]) -> None:
    """Interpolate the missing slices in place, linearly between their neighbours.

    The first and last slice must have an image.
    """
    for low, high in pairwise(np.flatnonzero(has_image).tolist()):
        if high - low == 1:
            continue
        before, after = hu[low].astype(np.float32), hu[high].astype(np.float32)
        mixed, part = np.empty_like(before), np.empty_like(before)
        for k in range(low + 1, high):
            share = np.float32((k - low) / (high - low))
            np.multiply(before, 1 - share, out=mixed)
            np.multiply(after, share, out=part)
            mixed += part
            hu[k] = np.rint(mixed, out=mixed)


def _ranges(has_image: list[bool], max_missing: float) -> list[tuple[int, int]]:
    """Return the (start, stop) ranges between gaps of more than ``max_missing`` slices."""
    found: list[tuple[int, int]] = []
    at = 0
    for is_image, group in groupby(has_image):
        n = len(list(group))
        if is_image and found and at - found[-1][1] <= max_missing:
            found[-1] = (found[-1][0], at + n)
        elif is_image:
            found.append((at, at + n))
        at += n
    return found


def _if_complete_enough(has_image: list[bool], bounds: tuple[int, int]) -> tuple[int, int] | None:
    n = bounds[1] - bounds[0]
    return bounds if n - sum(has_image[slice(*bounds)]) <= MAX_MISSING_SHARE * n else None


def _longest(ranges: list[tuple[int, int] | None] | list[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the longest range, the first of equals."""
    return max((s for s in ranges if s), key=lambda s: s[1] - s[0], default=None)
