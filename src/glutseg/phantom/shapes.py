"""Three-dimensional shapes with exact cross-sections, from which the phantom is drawn slice by slice.

Points are (x, y) in mm, x to the patient's left, y to the back; the points of a polygon are ordered so that
`area_mm2` is positive. A shape has an outline at every height z, so a patient can be rendered on any grid,
and areas are known without a grid.
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
"""Number of points per pair of control points: about one every 2 mm on a muscle."""
SPHERE_SPACING_MM = 1.5
"""Largest distance of the spheres that fill a segment of a chain."""
CIRCLE_POINTS = 72
"""Number of points of a circle."""
_ANGLES = np.linspace(0, 2 * np.pi, CIRCLE_POINTS, endpoint=False)
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)])


class Shape(Protocol):
    """A three-dimensional shape with cross-sections at heights z."""

    @property
    def z_range_mm(self) -> tuple[float, float]: ...

    def cross_sections(self, z_mm: float) -> list[FloatArray]:
        """Return polygons (n, 2) whose union is the cross-section at ``z_mm``."""
        ...


def area_mm2(polygon: FloatArray) -> float:
    """Signed area (the shoelace formula), positive for the orientation used here."""
    x, y = polygon.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def offset(polygon: FloatArray, distance_mm: float | FloatArray) -> FloatArray:
    """Move each point of a polygon outwards (negative: inwards) along its normal.

    A thin part that is moved inwards by more than half its thickness turns inside out; `fill` leaves such
    parts empty.
    """
    along = np.roll(polygon, -1, axis=0) - np.roll(polygon, 1, axis=0)
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)
    normal = np.stack([along[:, 1], -along[:, 0]], axis=1) / length[:, None]
    distance = np.broadcast_to(np.asarray(distance_mm, dtype=float), length.shape)
    return np.asarray(polygon + normal * distance[:, None], dtype=float)


@dataclass(frozen=True)
class PlaneGrid:
    """Grid of points on one slice: shape (y, x), spacing (y, x), and position (x, y) of the point (0, 0)."""

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
    """Return the grid points inside a polygon as (box, mask within the box), or None if there are none.

    A point is inside if the winding number of the polygon around it is positive.
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
    """Return a smooth closed curve through control points (n, 2), with n x `POINTS_PER_SEGMENT` points.

    The centripetal parameterisation avoids loops where control points are unevenly spaced.
    """
    closed = np.vstack([controls, controls[:1]])
    steps = np.sqrt(np.maximum(np.hypot(*np.diff(closed, axis=0).T), 1e-6))
    knots = np.concatenate([[0.0], np.cumsum(steps)])
    fractions = np.arange(POINTS_PER_SEGMENT) / POINTS_PER_SEGMENT
    parameters = (knots[:-1, None] + steps[:, None] * fractions).ravel()
    return np.asarray(CubicSpline(knots, closed, bc_type="periodic")(parameters), dtype=float)


@dataclass(frozen=True)
class SweptSurface:
    """A surface swept through smooth closed contours at given heights.

    Attributes
    ----------
    z_mm : increasing heights
    controls_mm : (heights, n, 2) control points; the same index is the same anatomical position
    """

    z_mm: FloatArray
    controls_mm: FloatArray

    @property
    def z_range_mm(self) -> tuple[float, float]:
        return float(self.z_mm[0]), float(self.z_mm[-1])

    @cached_property
    def _outline(self) -> PchipInterpolator:
        curves = np.stack([smooth_closed(c) for c in self.controls_mm])
        if sum(area_mm2(c) for c in curves) < 0:  # all together, so that points still correspond
            curves = curves[:, ::-1]
        return PchipInterpolator(self.z_mm, curves, axis=0)

    def cross_sections(self, z_mm: float) -> list[FloatArray]:
        low, high = self.z_range_mm
        if not low <= z_mm <= high:
            return []
        return [np.asarray(self._outline(z_mm), dtype=float)]


@dataclass(frozen=True)
class SphereChain:
    """A chain of spheres, joined by the cones between neighbours.

    Attributes
    ----------
    spheres_mm : (n, 4) of x, y, z, radius; one row is a sphere
    """

    spheres_mm: FloatArray

    @property
    def z_range_mm(self) -> tuple[float, float]:
        z, r = self.spheres_mm[:, 2], self.spheres_mm[:, 3]
        return float((z - r).min()), float((z + r).max())

    @cached_property
    def _segments(self) -> list[FloatArray]:
        """For each segment, spheres along it, dense enough to look smooth."""
        spheres = self.spheres_mm
        if len(spheres) == 1:
            return [spheres]
        segments = []
        for a, b in pairwise(spheres):
            n = 2 + int(np.linalg.norm(b[:3] - a[:3]) / SPHERE_SPACING_MM)
            segments.append(a + (b - a) * np.linspace(0, 1, n)[:, None])
        return segments

    def cross_sections(self, z_mm: float) -> list[FloatArray]:
        polygons = []
        for spheres in self._segments:
            inside = spheres[:, 3] ** 2 - (z_mm - spheres[:, 2]) ** 2
            hit = inside > 0
            if hit.any():
                polygons.append(_hull_of_circles(spheres[hit, :2], np.sqrt(inside[hit])))
        return polygons


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid with its axes along x, y and z."""

    centre_mm: tuple[float, float, float]
    radii_mm: tuple[float, float, float]

    @property
    def z_range_mm(self) -> tuple[float, float]:
        return self.centre_mm[2] - self.radii_mm[2], self.centre_mm[2] + self.radii_mm[2]

    def cross_sections(self, z_mm: float) -> list[FloatArray]:
        inside = 1 - ((z_mm - self.centre_mm[2]) / self.radii_mm[2]) ** 2
        if inside <= 0:
            return []
        size = np.array(self.radii_mm[:2]) * np.sqrt(inside)
        return [np.array(self.centre_mm[:2]) + _DIRECTIONS.T * size]


def _hull_of_circles(centres_mm: FloatArray, radii_mm: FloatArray) -> FloatArray:
    """Return the convex hull of circles: the farthest point in each direction."""
    support_values_mm = centres_mm @ _DIRECTIONS + radii_mm[:, None]
    farthest = np.argmax(support_values_mm, axis=0)
    return np.asarray(centres_mm[farthest] + radii_mm[farthest, None] * _DIRECTIONS.T, dtype=float)


def support_mm(points: FloatArray) -> FloatArray:
    """Return the support function of points (n, 2): the extent in each of `CIRCLE_POINTS` directions."""
    return np.asarray((points @ _DIRECTIONS).max(axis=0), dtype=float)


def from_support(support_values_mm: FloatArray) -> FloatArray:
    """Return the convex outline (n, 2) with this support function."""
    slope = (np.roll(support_values_mm, -1) - np.roll(support_values_mm, 1)) * CIRCLE_POINTS / (4 * np.pi)
    tangent = np.stack([-_DIRECTIONS[1], _DIRECTIONS[0]])
    return np.asarray((support_values_mm * _DIRECTIONS + slope * tangent).T, dtype=float)
