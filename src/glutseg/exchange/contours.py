"""Between pixels of a slice and the closed lines around them; a pixel's centre has whole coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.measure import find_contours

Polygon = npt.NDArray[np.float64]
"""(points, 2): y, x; the last point is not the first again."""
BoolArray = npt.NDArray[np.bool_]


def outlines(inside: npt.NDArray[Any]) -> list[Polygon]:
    """Lines half-way between inside and outside pixels; holes are tied to the line around them.

    A hole becomes part of its outer line by a bridge that is walked to and fro (the keyhole technique,
    PS3.3, C.8.8.6.3): a reader that joins all lines and one that takes turns both leave it out.

    Parameters
    ----------
    inside : (y, x), non-zero inside
    """
    padded = np.pad(inside.astype(bool).astype(np.float64), 1)
    lines = [contour[:-1] - 1 for contour in find_contours(padded, 0.5)]
    outer = [line for line in lines if signed_area(line) * _SIGN_OF_OUTER > 0]
    for hole in sorted((line for line in lines if signed_area(line) * _SIGN_OF_OUTER < 0), key=_first):
        holders = [k for k, line in enumerate(outer) if contains(line, hole[:1])[0]]
        k = min(holders, key=lambda i: abs(signed_area(outer[i])))
        outer[k] = _keyhole(outer[k], hole)
    return outer


BETWEEN_CENTRES = 0.25
"""Pixels from a line's uppermost point, which is half-way between two rows."""
_SIGN_OF_OUTER = 1
"""find_contours winds around high values so that the shoelace formula over (x, y) comes out positive."""


def _first(line: Polygon) -> tuple[float, float]:
    return float(line[:, 0].min()), float(line[:, 1].min())


def _keyhole(outer: Polygon, hole: Polygon) -> Polygon:
    """Along a row between those of the pixels' centres: none may lie on the bridge, where readers differ."""
    y = float(hole[:, 0].min()) + BETWEEN_CENTRES
    i, x_hole = max(_crossings(hole, y), key=lambda crossing: crossing[1])
    right = [crossing for crossing in _crossings(outer, y) if crossing[1] > x_hole]
    k, x_outer = min(right, key=lambda crossing: crossing[1])
    walk = np.concatenate([[[y, x_hole]], hole[i + 1 :], hole[: i + 1], [[y, x_hole]]])
    ends = [[y, x_outer]]
    return np.concatenate([outer[: k + 1], ends, walk, ends, outer[k + 1 :]])


def _crossings(line: Polygon, y: float) -> list[tuple[int, float]]:
    """(point, x) of every stretch, from a point to the next, that crosses a row."""
    a, b = line, np.roll(line, -1, axis=0)
    found = np.flatnonzero((a[:, 0] <= y) != (b[:, 0] <= y))
    x = a[found, 1] + (y - a[found, 0]) * (b[found, 1] - a[found, 1]) / (b[found, 0] - a[found, 0])
    return [(int(k), float(at)) for k, at in zip(found, x, strict=True)]


def signed_area(line: Polygon) -> float:
    """Shoelace formula over (x, y), in pixels."""
    y, x = line[:, 0], line[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2


def contains(line: Polygon, points: Polygon) -> BoolArray:
    """Whether points (n, 2) lie inside a polygon, by the even-odd rule."""
    y, x = points[:, 0, None], points[:, 1, None]
    y0, x0 = line[:, 0], line[:, 1]
    y1, x1 = np.roll(y0, -1), np.roll(x0, -1)
    crosses = (y0 <= y) != (y1 <= y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at_x = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return np.asarray((crosses & (at_x > x)).sum(axis=1) % 2 == 1)


def filled(lines: Sequence[Polygon], shape: tuple[int, int]) -> BoolArray:
    """Pixels whose centre lies within an odd number of the lines: a line within another is a hole.

    Parameters
    ----------
    shape : (y, x)
    """
    inside = np.zeros(shape, dtype=np.bool_)
    for line in lines:
        y0, x0 = line[:, 0], line[:, 1]
        y1, x1 = np.roll(y0, -1), np.roll(x0, -1)
        top, bottom = max(0, int(np.ceil(y0.min()))), min(shape[0] - 1, int(np.floor(y0.max())))
        for y in range(top, bottom + 1):
            crosses = (y0 <= y) != (y1 <= y)
            ya, xa, yb, xb = (v[crosses] for v in (y0, x0, y1, x1))
            at_x = np.sort(xa + (y - ya) * (xb - xa) / (yb - ya))
            counts = np.searchsorted(at_x, np.arange(shape[1]), side="right")
            inside[y] ^= counts % 2 == 1
    return inside


ON_CENTRE = 0.02
"""Of a pixel: points that all lie within this of pixels' centres were taken from pixels."""


def run_through_centres(lines: Sequence[Polygon]) -> bool:
    """Whether lines run through the centres of the pixels at the border, as OpenCV's do (and rt-utils')."""
    return all(float(np.abs(line - np.rint(line)).max()) <= ON_CENTRE for line in lines)


def drawn(lines: Sequence[Polygon], shape: tuple[int, int]) -> BoolArray:
    """The pixels that lines run through; for lines whose points are pixels."""
    inside = np.zeros(shape, dtype=np.bool_)
    for line in lines:
        for start, end in zip(line, np.roll(line, -1, axis=0), strict=True):
            n = max(int(np.abs(np.rint(end) - np.rint(start)).max()), 1)
            points = np.rint(start + np.linspace(0, 1, n + 1)[:, None] * (end - start)).astype(int)
            within = ((points >= 0) & (points < shape)).all(axis=1)
            inside[tuple(points[within].T)] = True
    return inside
