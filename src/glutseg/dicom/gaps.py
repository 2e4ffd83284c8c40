"""Slices that no image shows: how far a volume may reach across them, and what stands in their place."""

from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np

from glutseg.dicom.runs import MAX_GAP_MM, MAX_MISSING_SHARE
from glutseg.image import Int16Array


def longest_stretch(shown: list[bool], step_mm: float) -> tuple[int, int]:
    """Start and stop of the longest stretch that begins and ends with an image and has short gaps only.

    Parameters
    ----------
    shown : for every slice whether there is an image of it
    step_mm : between slices
    """
    bridged = _best([_fits(shown, s) for s in _stretches(shown, MAX_GAP_MM / step_mm)])
    return bridged or _best(_stretches(shown, 0)) or (0, 0)


def fill_missing(hu: Int16Array, shown: list[bool]) -> None:
    """Interpolate the missing slices in place, linearly between those next to them.

    The first and last slice must be shown.
    """
    for low, high in pairwise(np.flatnonzero(shown).tolist()):
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


def _stretches(shown: list[bool], max_missing: float) -> list[tuple[int, int]]:
    """(start, stop) between gaps of more than ``max_missing`` slices."""
    found: list[tuple[int, int]] = []
    at = 0
    for is_shown, group in groupby(shown):
        n = len(list(group))
        if is_shown and found and at - found[-1][1] <= max_missing:
            found[-1] = (found[-1][0], at + n)
        elif is_shown:
            found.append((at, at + n))
        at += n
    return found


def _fits(shown: list[bool], stretch: tuple[int, int]) -> tuple[int, int] | None:
    n = stretch[1] - stretch[0]
    return stretch if n - sum(shown[slice(*stretch)]) <= MAX_MISSING_SHARE * n else None


def _best(stretches: list[tuple[int, int] | None] | list[tuple[int, int]]) -> tuple[int, int] | None:
    """The longest, the first among equals."""
    return max((s for s in stretches if s), key=lambda s: s[1] - s[0], default=None)
