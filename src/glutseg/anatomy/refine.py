"""A head's ball fitted to its own surface, finer than the grid it was found on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy.sphere import Sphere, around, distance_mm, slabs
from glutseg.image import CtImage

MAX_SHIFT_MM = 16.0
"""A fit that ends further from where it started has run to another structure."""
RADIUS_MM = (16.0, 31.0)

METAL_HU = 2000
"""Denser than any bone."""

THICK_MM = 4.0
"""Between thicker slices the joint space is lost and head and socket run into one: only edges within
the slices count then, which are those around the ball's equator."""

_METAL_MM3 = 1000.0
_REACH_MM = 42.0
_MIN_VOXELS = 8  # along each axis
_SOFT_HU, _SATURATION_HU = 80, 600
_MIN_SLOPE_HU_PER_MM = 35.0
_FULL_SLOPE_HU_PER_MM = 100.0
_MIN_ALIGNMENT = 0.65  # of the edge's gradient with the ball's radius
_TOLERANCES_MM = (7.0, 6.0, 5.0, 4.0, 3.0, 3.0, 3.0)
_MIN_POINTS = 60
_START_UP_MM = (-12.0, -4.0, 4.0, 12.0)  # slices tell a ball's place least along the body
_POLISH_UP_MM, _POLISH_MM = (-4.0, -1.0, 1.0, 4.0), 5.0
_POLISH_SLICE_MM = 5.5
_START_RADIUS_MM = 22.0
_FREE_SHIFT_MM, _SHIFT_COST_PER_MM = 8.0, 0.003  # candidates are no more exact than that
_ROUGHNESS_COST_PER_MM = 0.03  # decides only between fits that show as much
_SHOWN_MM = 1.5
_INSIDE = 0.7  # of the radius; nearer to the centre only the head's own spongy bone has edges
_STRONG_HU_PER_MM = 80.0
_EDGE_WIDTH_MM = 3.0
_WALL_HU_PER_MM, _WALL_MM = 60.0, 5.0  # a head's rind is 1 to 3 mm thick, that of the socket's roof more
_BANDS, _SECTORS = 8, 16

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Edges:
    """Bone edges: points (n, 3) in LPS mm, unit gradients (n, 3) towards bone, weights (n,)."""

    points: FloatArray
    normals: FloatArray
    weights: FloatArray
    z_range_mm: tuple[float, float]
    metal: bool = False
    walls: bool = True

    def surface(self, centre: FloatArray, radius: float, tolerance_mm: float, dz: float) -> Shown:
        """The edges on a ball that face away from its centre with no such edge well before them.

        What lies behind the first edge, such as the outer side of a thin socket, is not the head. Nor,
        unless ``walls`` may count, is the outer side of a dense wall thicker than a head's own rind: where
        no joint space shows, head and roof of the socket run into one. Within metal there are edges of the
        implant's own and the rules are off.
        """
        ray = self.points - centre
        distance = np.sqrt(np.einsum("ij,ij->i", ray, ray))
        # what lies beyond the ball, or deep within it, is in nobody's way
        near = (distance < radius + tolerance_mm) & (distance > min(_INSIDE * radius, radius - tolerance_mm))
        ray, distance, weights = ray[near], distance[near], self.weights[near]
        outward = -np.einsum("ij,ij->i", ray, self.normals[near]) / distance
        bands = int(np.clip(2 * radius / dz, 3, _BANDS))  # no finer than the slices
        band = np.clip((ray[:, 2] / distance + 1) / 2 * bands, 0, bands - 1).astype(int)
        sector = ((np.arctan2(ray[:, 1], ray[:, 0]) / (2 * np.pi) + 0.5) * _SECTORS).astype(int) % _SECTORS
        patch = band * _SECTORS + sector
        away = outward > _MIN_ALIGNMENT

        def nearest(edges: npt.NDArray[np.bool_]) -> FloatArray:
            """The least distance of such edges near the ball, for each edge in its patch."""
            edges = edges & (distance > _INSIDE * radius) & (not self.metal)
            least: FloatArray = np.full(bands * _SECTORS, np.inf)
            np.minimum.at(least, patch[edges], distance[edges])
            return np.asarray(least[patch])

        end = nearest(away & (weights >= _STRONG_HU_PER_MM)) + _EDGE_WIDTH_MM
        chosen = away & (np.abs(distance - radius) < tolerance_mm) & (distance < end)
        if not self.walls:
            inner = (outward < -_MIN_ALIGNMENT) & (weights >= _WALL_HU_PER_MM)
            chosen &= distance < nearest(inner) + _WALL_MM
        heights = centre[2] + radius * ((np.arange(bands) + 0.5) * 2 / bands - 1)
        in_series = int(((heights >= self.z_range_mm[0]) & (heights <= self.z_range_mm[1])).sum())
        share = len(np.unique(patch[chosen])) / (max(in_series, 1) * _SECTORS)
        near[near] = chosen
        return Shown(near, share)

    def roughness_mm(self, centre: FloatArray, radius: float, dz: float) -> float:
        """Root mean square distance of the edges on a ball from it."""
        chosen = self.surface(centre, radius, _TOLERANCES_MM[-1], dz).chosen
        off = np.linalg.norm(self.points[chosen] - centre, axis=1) - radius
        return float(np.sqrt(np.average(off**2, weights=self.weights[chosen]))) if len(off) else 0.0


@dataclass(frozen=True)
class Shown:
    """Edges on a ball (a choice among all edges), and the share of its patches they cover; patches
    beyond the series' ends do not count."""

    chosen: npt.NDArray[np.bool_]
    share: float


def polish(volume: CtImage, ball: Sphere) -> Sphere:
    """A refined ball fitted once more from where it ended: what it was found from leaves no trace.

    Only now the walls of the socket are told from the head: while balls are still looked for, they help
    to find them. Not in thick slices, of which few cut a head: with 6 mm ones a phantom's head came out
    worse by it.
    """
    if volume.geometry.spacing_mm[0] > _POLISH_SLICE_MM:
        return ball
    again = refine(volume, ball, _POLISH_UP_MM, walls=False)
    return again if again.score and distance_mm(again, ball) <= _POLISH_MM else ball


def refine(
    volume: CtImage, sphere: Sphere, starts_up_mm: tuple[float, ...] = _START_UP_MM, *, walls: bool = True
) -> Sphere:
    """The ball of least squares through the bone edges near a candidate that face outwards from it.

    The socket's edges face the other way and do not count. Of several starting points the fit is
    taken that shows most of its surface: that share becomes the score. The candidate itself, with
    score 0, is returned where every fit runs away.
    """
    edges = replace(_edges(volume, sphere), walls=walls)
    dz = volume.geometry.spacing_mm[0]
    starts = [np.array(sphere.centre_mm) + np.array([0.0, 0.0, up_mm]) for up_mm in starts_up_mm]
    fits = [fit for start in starts if (fit := _fit(edges, start, _START_RADIUS_MM, dz, sphere))]
    if not fits:
        return replace(sphere, score=0.0)
    shown = [edges.surface(centre, radius, _SHOWN_MM, dz).share for centre, radius in fits]
    costs = [
        _ROUGHNESS_COST_PER_MM * edges.roughness_mm(centre, radius, dz)
        + _SHIFT_COST_PER_MM * max(0.0, math.dist(centre, sphere.centre_mm) - _FREE_SHIFT_MM)
        for centre, radius in fits
    ]
    best = int(np.argmax(np.array(shown) - np.array(costs)))
    centre, radius = fits[best]
    x, y, z = (float(c) for c in centre)
    return Sphere((x, y, z), radius, shown[best])


def _fit(
    edges: Edges, start_mm: FloatArray, radius: float, dz: float, near_to: Sphere
) -> tuple[FloatArray, float] | None:
    centre = start_mm
    for tolerance_mm in _TOLERANCES_MM:
        chosen = edges.surface(centre, radius, tolerance_mm, dz).chosen
        if chosen.sum() < _MIN_POINTS:
            return None
        centre, radius = _least_squares(edges.points[chosen], edges.weights[chosen])
        away = float(np.linalg.norm(centre - near_to.centre_mm))
        if away > MAX_SHIFT_MM or not RADIUS_MM[0] < radius < RADIUS_MM[1]:
            return None
    return centre, radius


def _edges(volume: CtImage, sphere: Sphere) -> Edges:
    """Bone edges around a candidate."""
    part = around(volume, sphere.centre_mm, _REACH_MM)
    if min(part.hu.shape) < _MIN_VOXELS:
        return Edges(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), (0.0, 0.0))
    part = slabs(part)
    g = part.geometry
    image = np.clip(part.hu, _SOFT_HU, _SATURATION_HU).astype(np.float32)
    sigma = [0.0, *(0.8 / s for s in g.spacing_mm[1:])]
    slopes = np.gradient(ndi.gaussian_filter(image, sigma), *g.spacing_mm)
    if g.spacing_mm[0] > THICK_MM:
        slopes[0][:] = 0
    steepness = np.sqrt(sum(s**2 for s in slopes))
    at = np.argwhere(steepness > _MIN_SLOPE_HU_PER_MM)
    places = tuple(at.T)
    points = np.array(part.geometry.origin_mm) + at[:, ::-1] * np.array(g.spacing_mm[::-1])
    normals = np.stack([slopes[a][places] / steepness[places] for a in (2, 1, 0)], axis=1)
    weights = np.minimum(steepness[places], _FULL_SLOPE_HU_PER_MM)
    full = volume.geometry
    # neither the corners of the box nor faint edges that face the centre ever count
    ray = points - np.array(sphere.centre_mm)
    distance = np.linalg.norm(ray, axis=1)
    faint = ((ray * normals).sum(1) > 0) & (distance > MAX_SHIFT_MM) & (weights < _WALL_HU_PER_MM)
    kept = (distance < _REACH_MM) & ~faint
    points, normals, weights = points[kept], normals[kept].astype(float), weights[kept].astype(float)
    z_range_mm = (full.slice_z_mm(-0.5), full.slice_z_mm(full.shape[0] - 0.5))
    metal = float((part.hu > METAL_HU).sum()) * g.voxel_volume_mm3 > _METAL_MM3
    return Edges(points, normals, weights, z_range_mm, metal)


def _least_squares(points: FloatArray, weights: FloatArray) -> tuple[FloatArray, float]:
    """Centre and radius of the sphere of least (algebraic) squares."""
    origin = points.mean(0)  # far from the scanner's origin squares lose digits
    p = points - origin
    system = np.column_stack([2 * p, np.ones(len(p))]) * weights[:, None]
    solution = np.linalg.lstsq(system, (p**2).sum(1) * weights, rcond=None)[0]
    centre = solution[:3]
    return centre + origin, float(np.sqrt(max(solution[3] + centre @ centre, 0.0)))
