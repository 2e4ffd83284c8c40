"""Where on a muscle two outlines differ, in a reader's words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

END_SHARE = 0.2
"""Of a muscle's length, at either end, that is called its end. Chosen."""


def differing_place(
    outline: BoolArray,
    other: BoolArray,
    spacing_mm: tuple[float, float],
    head: tuple[float, float],
    outwards: float,
) -> str:
    """The part of the muscle at which the largest piece lies that only one of two outlines has.

    Parameters
    ----------
    outline, other : (row, column) of a canonical slice
    spacing_mm : between rows and columns
    head : row and column of the middle of the femoral head, which lies beneath the muscle
    outwards : 1 where columns grow away from the midline, -1 where towards it

    Returns
    -------
    "lateral end", "medial end", "front end", "back end", "deep border" or "outer border"; "" for outlines
    that are the same or empty
    """
    pieces, n = ndi.label(outline ^ other)
    if not n or not outline.any():
        return ""
    largest = np.bincount(pieces.ravel())[1:].argmax() + 1
    scale = np.array([spacing_mm[0], spacing_mm[1] * outwards])  # backwards and outwards, mm
    muscle, piece = (np.argwhere(mask) * scale for mask in (outline, pieces == largest))
    middle = muscle.mean(0)
    along = (
        np.linalg.eigh(np.cov((muscle - middle).T + 0.0))[1][:, -1] if len(muscle) > 2 else np.array([0, 1.0])
    )
    lengthwise = (muscle - middle) @ along
    at = float(np.mean((piece - middle) @ along))
    low, high = float(lengthwise.min()), float(lengthwise.max())
    if min(at - low, high - at) < END_SHARE * (high - low):
        return _end(along if at > (low + high) / 2 else -along)
    across = np.array([-along[1], along[0]])
    deep = across * np.sign((np.array(head) * scale - middle) @ across)
    beside = muscle[np.abs(lengthwise - at) <= END_SHARE / 2 * (high - low)]
    return "deep border" if float((piece.mean(0) - beside.mean(0)) @ deep) > 0 else "outer border"


def _end(direction: FloatArray) -> str:
    back, out = direction
    if abs(out) >= abs(back):
        return "lateral end" if out > 0 else "medial end"
    return "back end" if back > 0 else "front end"
