"""A head's ball fitted to its own surface, finer than the grid it was found on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy.sphere import Sphere, around, distance_mm, slabs
from glutseg.image import CtImage
from glutseg.settings import METHOD, GridSettings, HeadFitSettings

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
    settings: HeadFitSettings = METHOD.head_fit

    def surface(self, centre: FloatArray, radius: float, tolerance_mm: float, dz: float) -> Shown:
        """The edges on a ball that face away from its centre with no such edge well before them.

        What lies behind the first edge, such as the outer side of a thin socket, is not the head. Nor,
        unless ``walls`` may count, is the outer side of a dense wall thicker than a head's own rind: where
        no joint space shows, head and roof of the socket run into one. Within metal there are edges of the
        implant's own and the rules are off.
        """
        limits, sectors = self.settings, self.settings.sectors
        ray = self.points - centre
        distance = np.sqrt(np.einsum("ij,ij->i", ray, ray))
        inside_mm = limits.inside_share * radius
        # what lies beyond the ball, or deep within it, is in nobody's way
        near = (distance < radius + tolerance_mm) & (distance > min(inside_mm, radius - tolerance_mm))
        outward = -np.einsum("ij,ij->i", ray[near], self.normals[near]) / distance[near]
        # nor is what faces across
        faces = outward > limits.min_alignment if self.walls else np.abs(outward) > limits.min_alignment
        near[near], outward = faces, outward[faces]
        ray, distance, weights = ray[near], distance[near], self.weights[near]
        bands = int(np.clip(2 * radius / dz, 3, limits.bands))  # no finer than the slices
        band = np.clip((ray[:, 2] / distance + 1) / 2 * bands, 0, bands - 1).astype(int)
        sector = ((np.arctan2(ray[:, 1], ray[:, 0]) / (2 * np.pi) + 0.5) * sectors).astype(int) % sectors
        patch = band * sectors + sector
        away = outward > limits.min_alignment

        def nearest(edges: npt.NDArray[np.bool_]) -> FloatArray:
            """The least distance of such edges near the ball, for each edge in its patch."""
            edges = edges & (distance > inside_mm) & (not self.metal)
            least: FloatArray = np.full(bands * sectors, np.inf)
            np.minimum.at(least, patch[edges], distance[edges])
            return np.asarray(least[patch])

        end = nearest(away & (weights >= limits.strong_slope_hu_per_mm)) + limits.edge_width_mm
        chosen = away & (np.abs(distance - radius) < tolerance_mm) & (distance < end)
        if not self.walls:
            inner = (outward < -limits.min_alignment) & (weights >= limits.rind_slope_hu_per_mm)
            chosen &= distance < nearest(inner) + limits.rind_mm
        heights = centre[2] + radius * ((np.arange(bands) + 0.5) * 2 / bands - 1)
        in_series = int(((heights >= self.z_range_mm[0]) & (heights <= self.z_range_mm[1])).sum())
        share = int(np.count_nonzero(np.bincount(patch[chosen]))) / (max(in_series, 1) * sectors)
        near[near] = chosen
        return Shown(near, share)

    def roughness_mm(self, centre: FloatArray, radius: float, dz: float) -> float:
        """Root mean square distance of the edges on a ball from it."""
        chosen = self.surface(centre, radius, self.settings.tolerances_mm[-1], dz).chosen
        off = np.linalg.norm(self.points[chosen] - centre, axis=1) - radius
        return float(np.sqrt(np.average(off**2, weights=self.weights[chosen]))) if len(off) else 0.0


@dataclass(frozen=True)
class Shown:
    """Edges on a ball (a choice among all edges), and the share of its patches they cover; patches
    beyond the series' ends do not count."""

    chosen: npt.NDArray[np.bool_]
    share: float


def polish(
    volume: CtImage,
    ball: Sphere,
    settings: HeadFitSettings = METHOD.head_fit,
    grid: GridSettings = METHOD.grid,
) -> Sphere:
    """A refined ball fitted once more from where it ended: what it was found from leaves no trace.

    Only now the walls of the socket are told from the head: while balls are still looked for, they help
    to find them. Not in thick slices, of which few cut a head: with 6 mm ones a phantom's head came out
    worse by it.
    """
    if volume.geometry.spacing_mm[0] > settings.polish_max_slice_mm:
        return ball
    again = refine(volume, ball, settings, grid, starts_up_mm=settings.polish_up_mm, walls=False)
    return again if again.score and distance_mm(again, ball) <= settings.polish_shift_mm else ball


def refine(
    volume: CtImage,
    sphere: Sphere,
    settings: HeadFitSettings = METHOD.head_fit,
    grid: GridSettings = METHOD.grid,
    *,
    starts_up_mm: tuple[float, ...] | None = None,
    walls: bool = True,
) -> Sphere:
    """The ball of least squares through the bone edges near a candidate that face outwards from it.

    The socket's edges face the other way and do not count. Of several starting points the fit is
    taken that shows most of its surface: that share becomes the score. The candidate itself, with
    score 0, is returned where every fit runs away.
    """
    edges = replace(find_edges(volume, sphere, settings, grid), walls=walls)
    dz = volume.geometry.spacing_mm[0]
    starts = [
        np.array(sphere.centre_mm) + np.array([0.0, 0.0, up_mm])
        for up_mm in starts_up_mm or settings.start_up_mm
    ]
    fits = [fit for start in starts if (fit := _fit(edges, start, settings.start_radius_mm, dz, sphere))]
    if not fits:
        return replace(sphere, score=0.0)
    shown = [edges.surface(centre, radius, settings.shown_mm, dz).share for centre, radius in fits]
    costs = [
        settings.roughness_cost_per_mm * edges.roughness_mm(centre, radius, dz)
        + settings.unusual_radius_cost_per_mm
        * max(0.0, abs(radius - settings.usual_radius_mm) - settings.usual_spread_mm)
        + settings.shift_cost_per_mm * max(0.0, math.dist(centre, sphere.centre_mm) - settings.free_shift_mm)
        for centre, radius in fits
    ]
    best = int(np.argmax(np.array(shown) - np.array(costs)))
    centre, radius = fits[best]
    x, y, z = (float(c) for c in centre)
    return Sphere((x, y, z), radius, shown[best])


def _fit(
    edges: Edges, start_mm: FloatArray, radius: float, dz: float, near_to: Sphere
) -> tuple[FloatArray, float] | None:
    centre, settings = start_mm, edges.settings
    low, high = settings.radius_mm
    for tolerance_mm in settings.tolerances_mm:
        chosen = edges.surface(centre, radius, tolerance_mm, dz).chosen
        if chosen.sum() < settings.min_points:
            return None
        centre, radius = _least_squares(edges.points[chosen], edges.weights[chosen])
        away = float(np.linalg.norm(centre - near_to.centre_mm))
        if away > settings.max_shift_mm or not low < radius < high:
            return None
    return centre, radius


def find_edges(volume: CtImage, sphere: Sphere, settings: HeadFitSettings, grid: GridSettings) -> Edges:
    """Bone edges around a candidate."""
    part = around(volume, sphere.centre_mm, settings.reach_mm)
    if min(part.hu.shape) < settings.min_voxels:
        return Edges(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), (0.0, 0.0), settings=settings)
    part = slabs(part, grid.slice_mm, grid.pixel_mm)
    g = part.geometry
    slopes, min_slope = _slopes(part, settings)
    steepness = np.sqrt(sum(s**2 for s in slopes))
    at = np.argwhere(steepness > min_slope)
    places = tuple(at.T)
    points = np.array(part.geometry.origin_mm) + at[:, ::-1] * np.array(g.spacing_mm[::-1])
    normals = np.stack([slopes[a][places] / steepness[places] for a in (2, 1, 0)], axis=1)
    weights = np.minimum(steepness[places], settings.full_slope_hu_per_mm)
    full = volume.geometry
    # neither the corners of the box nor faint edges that face the centre ever count
    ray = points - np.array(sphere.centre_mm)
    distance = np.linalg.norm(ray, axis=1)
    is_inner = ((ray * normals).sum(1) > 0) & (distance > settings.max_shift_mm)
    kept = (distance < settings.reach_mm) & ~(is_inner & (weights < settings.rind_slope_hu_per_mm))
    points, normals, weights = points[kept], normals[kept].astype(float), weights[kept].astype(float)
    z_range_mm = (full.slice_z_mm(-0.5), full.slice_z_mm(full.shape[0] - 0.5))
    metal = float((part.hu > settings.metal_hu).sum()) * g.voxel_volume_mm3 > settings.metal_mm3
    return Edges(points, normals, weights, z_range_mm, metal, settings=settings)


def _slopes(part: CtImage, settings: HeadFitSettings) -> tuple[list[FloatArray], float]:
    """Slopes along (z, y, x) in HU per mm, and the least one that counts as an edge.

    Smoothed until noise alone makes hardly any edges. After that, or in an image that is blurred or of coarse
    pixels, edges are less steep than `min_slope_hu_per_mm` was chosen for: it is lowered with the steepest
    edges around, though not into the noise; not in thick slices, of which few cut a head.
    """
    bone = np.clip(part.hu, settings.soft_hu, settings.saturation_hu).astype(np.float32)
    all_hu, spacing_mm = part.hu.astype(np.float32), part.geometry.spacing_mm
    low, high = settings.soft_tissue_hu
    for smoothing_mm in (settings.smoothing_mm, *settings.stronger_smoothing_mm):
        sigma = [0.0, *(smoothing_mm / s for s in spacing_mm[1:])]
        smooth = ndi.gaussian_filter(all_hu, sigma)
        soft = (smooth > low) & (smooth < high)
        grain = np.hypot(*np.gradient(smooth, *spacing_mm)[1:])[soft]
        typical = float(np.median(grain)) if grain.size else 0.0
        if typical <= settings.max_grain_hu_per_mm:
            break
    slopes = list(np.gradient(ndi.gaussian_filter(bone, sigma), *spacing_mm))
    if spacing_mm[0] > settings.thick_slice_mm:
        slopes[0][:] = 0
    if spacing_mm[0] > settings.polish_max_slice_mm:
        return slopes, settings.min_slope_hu_per_mm
    steepest = float(np.percentile(np.sqrt(sum(s**2 for s in slopes)), settings.steepest_percentile))
    lowered = settings.min_slope_hu_per_mm * min(1.0, steepest / settings.steepest_hu_per_mm)
    return slopes, max(lowered, settings.min_slope_grains * typical)


def _least_squares(points: FloatArray, weights: FloatArray) -> tuple[FloatArray, float]:
    """Centre and radius of the sphere of least (algebraic) squares."""
    origin = points.mean(0)  # far from the scanner's origin squares lose digits
    p = points - origin
    system = np.column_stack([2 * p, np.ones(len(p))]) * weights[:, None]
    solution = np.linalg.lstsq(system, (p**2).sum(1) * weights, rcond=None)[0]
    centre = solution[:3]
    return centre + origin, float(np.sqrt(max(solution[3] + centre @ centre, 0.0)))
