"""Candidates for femoral heads: places where circles of neighbouring slices make up a ball.

Every bone edge in a slice votes, along its gradient, for the centre of the circle it could belong to
(a Hough transform, once per circle radius). A femoral head is where the circles of neighbouring
slices share one centre and their radii follow a sphere. Shafts also make good circles, but of one
radius over many slices, so the best cylinder through the same place is subtracted. Only gradients
within a slice are used: thick slices and the narrow joint space above the head do no harm.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy.sphere import Sphere, around
from glutseg.image import CtImage
from glutseg.settings import METHOD, CircleSettings

_FULL_CIRCLE = 1000  # votes are counted in thousandths of the circle
_MAX_VOTES = 2500  # of 25 circles, the most that make up a ball, still fit into 16 bits
FloatArray = npt.NDArray[np.floating]
Votes = npt.NDArray[np.uint16]


def find_spheres(
    volume: CtImage, near_mm: FloatArray, settings: CircleSettings = METHOD.circles
) -> list[Sphere]:
    """Bony spheres of the size of femoral heads near a point (LPS mm), best first.

    ``volume`` has slices of about 3 mm and pixels of 1 to 2 mm; only the part around the point is read.
    """
    part = around(volume, near_mm, settings.reach_mm + settings.margin_mm)
    dz, dy, dx = part.geometry.spacing_mm
    if min(part.hu.shape) < 2:
        return []
    score, radius_mm = _sphere_scores(_vote_circles(part, settings), dz, settings)
    peaks = (score > settings.min_score) & (score == ndi.maximum_filter(score, settings.peak_cells))
    places, cell_mm = np.argwhere(peaks), settings.cell_mm
    found = []
    for z, y, x in places[np.argsort(-score[peaks], kind="stable")]:
        centre_mm = part.geometry.point_mm(z, y * cell_mm / dy, x * cell_mm / dx)
        if np.abs(np.array(centre_mm) - near_mm).max() <= settings.reach_mm:
            found.append(Sphere(centre_mm, float(radius_mm[z, y, x]), float(score[z, y, x])))
    return found


def _circle_radii_mm(settings: CircleSettings) -> FloatArray:
    return _steps(settings.circle_radius_mm, settings.radius_step_mm)


def _steps(bounds: tuple[float, float], step: float) -> FloatArray:
    """From the one bound to the other."""
    return np.arange(bounds[0], bounds[1] + step / 2, step)


def _vote_circles(volume: CtImage, settings: CircleSettings) -> Votes:
    """Share of each circle that shows, in thousandths: (z, radius, y, x) in cells."""
    cell_mm, sigma_mm = settings.cell_mm, settings.smoothing_mm
    _, dy, dx = volume.geometry.spacing_mm
    nz, ny, nx = volume.geometry.shape
    rows, columns = int(ny * dy / cell_mm) + 1, int(nx * dx / cell_mm) + 1
    radii = _circle_radii_mm(settings).astype(np.float32)[:, None]
    layer = np.arange(len(radii))[:, None] * rows * columns
    scale = _FULL_CIRCLE * dy * dx / (2 * np.pi * radii[:, :, None])
    images = np.clip(volume.hu, settings.soft_hu, settings.saturation_hu).astype(np.float32)
    sigma = (0, sigma_mm / dy, sigma_mm / dx)
    slopes_y = ndi.gaussian_filter(images, sigma, order=(0, 1, 0), truncate=3) / dy
    slopes_x = ndi.gaussian_filter(images, sigma, order=(0, 0, 1), truncate=3) / dx
    edges = slopes_y**2 + slopes_x**2 > settings.edge_hu_per_mm**2
    counts = np.zeros((nz, len(radii), rows, columns), np.float32)
    for slope_y, slope_x, edge, count in zip(slopes_y, slopes_x, edges, counts, strict=True):
        y, x = np.nonzero(edge)
        if not 0 < len(y) < settings.max_edge_share * edge.size:
            continue
        uy, ux = slope_y[y, x], slope_x[y, x]
        steepness = np.hypot(uy, ux)
        row = (y * dy / cell_mm + 0.5 + uy / steepness * radii / cell_mm).astype(np.int32)
        column = (x * dx / cell_mm + 0.5 + ux / steepness * radii / cell_mm).astype(np.int32)
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        weight = np.broadcast_to(np.minimum(steepness / settings.full_edge_hu_per_mm, 1), inside.shape)
        cell = (layer + row * columns + column)[inside]
        count[:] = np.bincount(cell, weight[inside], count.size).reshape(count.shape)
    blur = (0, 0, settings.blur_cells, settings.blur_cells)
    blurred = ndi.gaussian_filter(counts, blur, output=counts, truncate=2)
    blurred *= scale.astype(np.float32)
    return np.asarray(np.minimum(blurred, _MAX_VOTES, out=blurred), dtype=np.uint16)


def _sphere_scores(votes: Votes, dz: float, settings: CircleSettings) -> tuple[FloatArray, FloatArray]:
    """Best score over all head radii for every cell as a centre (z, y, x), and that radius in mm."""
    # a head is not a perfect ball: a circle may be one step smaller or larger
    loose = votes.copy()
    np.maximum(loose[:, 1:], votes[:, :-1], out=loose[:, 1:])
    np.maximum(loose[:, :-1], votes[:, 1:], out=loose[:, :-1])
    shape = votes.shape[0], *votes.shape[2:]
    best, radius_mm, cylinder = (np.zeros(shape, np.float32) for _ in range(3))
    seen, circle_radii_mm = 0, _circle_radii_mm(settings)
    half = int(settings.cylinder_mm / 2 / dz)
    for radius in _steps(settings.head_radius_mm, settings.radius_step_mm):
        while seen < len(circle_radii_mm) and circle_radii_mm[seen] <= radius:
            np.maximum(cylinder, _cylinder(votes[:, seen], half), out=cylinder)
            seen += 2  # votes are blurred: every second radius shows a shaft as well
        score = (_ball(loose, radius, dz, settings) - cylinder) / _FULL_CIRCLE
        better = score > best
        best[better] = score[better]
        radius_mm[better] = radius
    return best, radius_mm


def _ball(votes: Votes, radius: float, dz: float, settings: CircleSettings) -> FloatArray:
    """Mean votes of the circles of a ball of this radius around every cell."""
    nz = votes.shape[0]
    total = np.zeros((nz, *votes.shape[2:]), np.uint16)
    reach = int(settings.sphere_share * radius / dz)
    for j in range(-reach, reach + 1):
        circle_mm = float(np.sqrt(radius**2 - (j * dz) ** 2)) - settings.circle_radius_mm[0]
        i = round(circle_mm / settings.radius_step_mm)
        low, high = max(0, -j), min(nz, nz - j)
        if low < high:
            total[low:high] += votes[low + j : high + j, max(i, 0)]
    # a circle beyond the series' end counts as not seen
    return np.asarray(total / np.float32(2 * reach + 1), dtype=np.float32)


def _cylinder(votes: Votes, half: int) -> FloatArray:
    """Mean votes of an upright cylinder around every cell, ``half`` slices up and down."""
    nz = votes.shape[0]
    summed = np.zeros((nz + 1, *votes.shape[1:]), np.int32)
    np.cumsum(votes, axis=0, dtype=np.int32, out=summed[1:])
    k = np.arange(nz)
    total = summed[np.minimum(k + half + 1, nz)] - summed[np.maximum(k - half, 0)]
    return np.asarray(total / np.float32(2 * half + 1), dtype=np.float32)
