"""Solids that are cut into polygons: the phantom is drawn slice by slice, exactly.

Points are (x, y) in mm, x to the patient's left, y to the back; polygons run so that `area_mm2` is
positive. A solid knows its outline at every height z, so a patient can be drawn on any grid and an
area is known without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline, PchipInterpolator

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

POINTS_PER_SEGMENT = 12
"""Points drawn between two control points: about one every 2 mm on a muscle."""
CIRCLE_POINTS = 72
_ANGLES = np.linspace(0, 2 * np.pi, CIRCLE_POINTS, endpoint=False)
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)])


class Solid(Protocol):
    """Anything that can be cut at a height."""

    @property
    def z_range_mm(self) -> tuple[float, float]: ...

    def cut(self, z_mm: float) -> list[FloatArray]:
        """Polygons, each (n, 2), whose union is the solid's section at ``z_mm``."""
        ...


def area_mm2(polygon: FloatArray) -> float:
    """Signed area (the shoelace formula), positive for the orientation used here."""
    x, y = polygon.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def offset(polygon: FloatArray, distance_mm: float | FloatArray) -> FloatArray:
    """The polygon with each point moved outwards (inwards where negative) along its normal.

    Where a thin part is moved in by more than half its thickness it turns inside out; `fill` leaves
    such parts empty.
    """
    along = np.roll(polygon, -1, axis=0) - np.roll(polygon, 1, axis=0)
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)
    normal = np.stack([along[:, 1], -along[:, 0]], axis=1) / length[:, None]
    distance = np.broadcast_to(np.asarray(distance_mm, dtype=float), length.shape)
    return np.asarray(polygon + normal * distance[:, None], dtype=float)


@dataclass(frozen=True)
class PlaneGrid:
    """Points of one slice: ``shape`` (y, x), spacing in mm, (x, y) of the point (0, 0)."""

    shape: tuple[int, int]
    spacing_mm: tuple[float, float]
    origin_mm: tuple[float, float]

    @property
    def x_mm(self) -> FloatArray:
        return np.asarray(self.origin_mm[0] + self.spacing_mm[1] * np.arange(self.shape[1]), dtype=float)

    @property
    def y_mm(self) -> FloatArray:
        return np.asarray(self.origin_mm[1] + self.spacing_mm[0] * np.arange(self.shape[0]), dtype=float)


def fill(polygon: FloatArray, grid: PlaneGrid) -> tuple[tuple[slice, slice], BoolArray] | None:
    """Grid points inside a polygon: (box, mask within the box), or None where there are none.

    A point is inside where the polygon winds around it in the positive sense.
    """
    x = (polygon[:, 0] - grid.origin_mm[0]) / grid.spacing_mm[1]
    y = (polygon[:, 1] - grid.origin_mm[1]) / grid.spacing_mm[0]
    x0, x1 = max(0, int(np.ceil(x.min()))), min(grid.shape[1] - 1, int(np.floor(x.max())))
    y0, y1 = max(0, int(np.ceil(y.min()))), min(grid.shape[0] - 1, int(np.floor(y.max())))
    if x1 < x0 or y1 < y0:
        return None
    xn, yn = np.roll(x, -1), np.roll(y, -1)
    low, high = np.minimum(y, yn), np.maximum(y, yn)
    first = np.clip(np.ceil(low), y0, y1 + 1).astype(np.intp)
    count = np.clip(np.ceil(high), y0, y1 + 1).astype(np.intp) - first  # rows in [low, high)
    edge = np.repeat(np.arange(len(x)), count)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    crossing = x[edge] + (row - y[edge]) * (xn[edge] - x[edge]) / (yn[edge] - y[edge])
    column = np.clip(np.ceil(crossing), x0, x1 + 1).astype(np.intp) - x0
    shape = (y1 - y0 + 1, x1 - x0 + 2)
    step = np.where(yn[edge] < y[edge], 1, -1)
    flat = np.bincount((row - y0) * shape[1] + column, weights=step, minlength=shape[0] * shape[1])
    winding = np.cumsum(flat.astype(np.int8).reshape(shape), axis=1, dtype=np.int8)[:, :-1]
    return (slice(y0, y1 + 1), slice(x0, x1 + 1)), winding > 0


def smooth_closed(controls: FloatArray) -> FloatArray:
    """A smooth closed curve through control points (n, 2): n x `POINTS_PER_SEGMENT` points.

    Centripetal parameters keep the curve from looping where control points are unevenly spaced.
    """
    closed = np.vstack([controls, controls[:1]])
    steps = np.sqrt(np.maximum(np.hypot(*np.diff(closed, axis=0).T), 1e-6))
    knots = np.concatenate([[0.0], np.cumsum(steps)])
    fractions = np.arange(POINTS_PER_SEGMENT) / POINTS_PER_SEGMENT
    where = (knots[:-1, None] + steps[:, None] * fractions).ravel()
    return np.asarray(CubicSpline(knots, closed, bc_type="periodic")(where), dtype=float)


@dataclass(frozen=True)
class Loft:
    """Smooth closed contours at given heights, joined smoothly between them.

    Attributes
    ----------
    z_mm : increasing heights
    controls_mm : (heights, n, 2) control points; the same index is the same anatomical place
    """

    z_mm: FloatArray
    controls_mm: FloatArray

    @property
    def z_range_mm(self) -> tuple[float, float]:
        return float(self.z_mm[0]), float(self.z_mm[-1])

    @cached_property
    def _outline(self) -> PchipInterpolator:
        curves = np.stack([smooth_closed(c) for c in self.controls_mm])
        if sum(area_mm2(c) for c in curves) < 0:  # all at once, so that places still correspond
            curves = curves[:, ::-1]
        return PchipInterpolator(self.z_mm, curves, axis=0)

    def cut(self, z_mm: float) -> list[FloatArray]:
        low, high = self.z_range_mm
        if not low <= z_mm <= high:
            return []
        return [np.asarray(self._outline(z_mm), dtype=float)]


@dataclass(frozen=True)
class Chain:
    """Balls joined into a bent limb: each two neighbours with the cone between them.

    Attributes
    ----------
    balls_mm : (n, 4) of x, y, z, radius; one row is a sphere
    """

    balls_mm: FloatArray

    @property
    def z_range_mm(self) -> tuple[float, float]:
        z, r = self.balls_mm[:, 2], self.balls_mm[:, 3]
        return float((z - r).min()), float((z + r).max())

    @cached_property
    def _segments(self) -> list[FloatArray]:
        """Per segment the balls that fill it, dense enough to look smooth."""
        balls = self.balls_mm
        if len(balls) == 1:
            return [balls]
        segments = []
        for a, b in pairwise(balls):
            n = 2 + int(np.linalg.norm(b[:3] - a[:3]) / 1.5)
            segments.append(a + (b - a) * np.linspace(0, 1, n)[:, None])
        return segments

    def cut(self, z_mm: float) -> list[FloatArray]:
        polygons = []
        for balls in self._segments:
            inside = balls[:, 3] ** 2 - (z_mm - balls[:, 2]) ** 2
            hit = inside > 0
            if hit.any():
                polygons.append(_hull_of_circles(balls[hit, :2], np.sqrt(inside[hit])))
        return polygons


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid with its axes along x, y and z."""

    centre_mm: tuple[float, float, float]
    radii_mm: tuple[float, float, float]

    @property
    def z_range_mm(self) -> tuple[float, float]:
        return self.centre_mm[2] - self.radii_mm[2], self.centre_mm[2] + self.radii_mm[2]

    def cut(self, z_mm: float) -> list[FloatArray]:
        inside = 1 - ((z_mm - self.centre_mm[2]) / self.radii_mm[2]) ** 2
        if inside <= 0:
            return []
        size = np.array(self.radii_mm[:2]) * np.sqrt(inside)
        return [np.array(self.centre_mm[:2]) + _DIRECTIONS.T * size]


def _hull_of_circles(centres_mm: FloatArray, radii_mm: FloatArray) -> FloatArray:
    """Convex hull of circles: for each direction the farthest point."""
    reach = centres_mm @ _DIRECTIONS + radii_mm[:, None]
    best = np.argmax(reach, axis=0)
    return np.asarray(centres_mm[best] + radii_mm[best, None] * _DIRECTIONS.T, dtype=float)


def support_mm(points: FloatArray) -> FloatArray:
    """How far points (n, 2) reach in each of `CIRCLE_POINTS` directions: the support function."""
    return np.asarray((points @ _DIRECTIONS).max(axis=0), dtype=float)


def from_support(reach_mm: FloatArray) -> FloatArray:
    """The convex outline that has a support function."""
    slope = (np.roll(reach_mm, -1) - np.roll(reach_mm, 1)) * CIRCLE_POINTS / (4 * np.pi)
    tangent = np.stack([-_DIRECTIONS[1], _DIRECTIONS[0]])
    return np.asarray((reach_mm * _DIRECTIONS + slope * tangent).T, dtype=float)
