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

RADIUS_STEP_MM = 1.5
HEAD_RADII_MM = np.arange(18.0, 30.1, RADIUS_STEP_MM)
"""Femoral head diameters of adults are 38 to 58 mm (women 43, men 49 on average)."""
CIRCLE_RADII_MM = np.arange(9.0, 30.1, RADIUS_STEP_MM)
MIN_SCORE = 0.01
REACH_MM = 18.0
"""How far from a given point a ball's centre is searched, along each axis."""

_MARGIN_MM = 34.0  # the largest circle, and half of the cylinder
_CELL_MM = 3.0
_SOFT_HU = 80  # below lies no bone: edges between fat, muscle and air shall not vote
_SATURATION_HU = 600  # metal must not outvote bone
_EDGE_HU_PER_MM = 25.0
_FULL_EDGE_HU_PER_MM = 60.0
_MAX_EDGE_SHARE = 0.6  # a slice with more of them is noise
_BLUR_CELLS = 0.8
_FULL_CIRCLE = 1000  # votes are counted in thousandths of the circle
_MAX_VOTES = 2500  # of 25 circles, the most that make up a ball, still fit into 16 bits
_SPHERE_SHARE = 0.85  # the caps of a sphere are too small to show as circles
_CYLINDER_MM = 64.0

FloatArray = npt.NDArray[np.floating]
Votes = npt.NDArray[np.uint16]


def find_spheres(volume: CtImage, near_mm: FloatArray) -> list[Sphere]:
    """Bony spheres of the size of femoral heads near a point (LPS mm), best first.

    ``volume`` has slices of about 3 mm and pixels of 1 to 2 mm; only the part around the point is read.
    """
    part = around(volume, near_mm, REACH_MM + _MARGIN_MM)
    dz, dy, dx = part.geometry.spacing_mm
    if min(part.hu.shape) < 2:
        return []
    score, radius_mm = _sphere_scores(_vote_circles(part), dz)
    peaks = (score > MIN_SCORE) & (score == ndi.maximum_filter(score, 5))
    places = np.argwhere(peaks)
    found = []
    for z, y, x in places[np.argsort(-score[peaks], kind="stable")]:
        centre_mm = part.geometry.point_mm(z, y * _CELL_MM / dy, x * _CELL_MM / dx)
        if np.abs(np.array(centre_mm) - near_mm).max() <= REACH_MM:
            found.append(Sphere(centre_mm, float(radius_mm[z, y, x]), float(score[z, y, x])))
    return found


def _vote_circles(volume: CtImage) -> Votes:
    """Share of each circle that shows, in thousandths: (z, radius, y, x) in cells of 3 mm."""
    _, dy, dx = volume.geometry.spacing_mm
    nz, ny, nx = volume.geometry.shape
    rows, columns = int(ny * dy / _CELL_MM) + 1, int(nx * dx / _CELL_MM) + 1
    radii = CIRCLE_RADII_MM.astype(np.float32)[:, None]
    layer = np.arange(len(radii))[:, None] * rows * columns
    scale = _FULL_CIRCLE * dy * dx / (2 * np.pi * radii[:, :, None])
    votes = np.zeros((nz, len(radii), rows, columns), np.uint16)
    for k in range(nz):
        image = np.clip(volume.hu[k], _SOFT_HU, _SATURATION_HU).astype(np.float32)
        slope_y = ndi.gaussian_filter(image, (1 / dy, 1 / dx), order=(1, 0), truncate=3) / dy
        slope_x = ndi.gaussian_filter(image, (1 / dy, 1 / dx), order=(0, 1), truncate=3) / dx
        y, x = np.nonzero(slope_y**2 + slope_x**2 > _EDGE_HU_PER_MM**2)
        if not 0 < len(y) < _MAX_EDGE_SHARE * image.size:
            continue
        uy, ux = slope_y[y, x], slope_x[y, x]
        steepness = np.hypot(uy, ux)
        row = (y * dy / _CELL_MM + 0.5 + uy / steepness * radii / _CELL_MM).astype(np.int32)
        column = (x * dx / _CELL_MM + 0.5 + ux / steepness * radii / _CELL_MM).astype(np.int32)
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        weight = np.broadcast_to(np.minimum(steepness / _FULL_EDGE_HU_PER_MM, 1), inside.shape)
        count = np.bincount((layer + row * columns + column)[inside], weight[inside], votes[k].size)
        blurred = ndi.gaussian_filter(
            count.reshape(votes[k].shape).astype(np.float32), (0, _BLUR_CELLS, _BLUR_CELLS), truncate=2
        )
        votes[k] = np.minimum(blurred * scale, _MAX_VOTES)
    return votes


def _sphere_scores(votes: Votes, dz: float) -> tuple[FloatArray, FloatArray]:
    """Best score over all head radii for every cell as a centre (z, y, x), and that radius in mm."""
    # a head is not a perfect ball: a circle may be one step smaller or larger
    loose = votes.copy()
    np.maximum(loose[:, 1:], votes[:, :-1], out=loose[:, 1:])
    np.maximum(loose[:, :-1], votes[:, 1:], out=loose[:, :-1])
    shape = votes.shape[0], *votes.shape[2:]
    best, radius_mm, cylinder = (np.zeros(shape, np.float32) for _ in range(3))
    seen = 0
    for radius in HEAD_RADII_MM:
        while seen < len(CIRCLE_RADII_MM) and CIRCLE_RADII_MM[seen] <= radius:
            np.maximum(cylinder, _cylinder(votes[:, seen], dz), out=cylinder)
            seen += 2  # votes are blurred: every second radius shows a shaft as well
        score = (_ball(loose, radius, dz) - cylinder) / _FULL_CIRCLE
        better = score > best
        best[better] = score[better]
        radius_mm[better] = radius
    return best, radius_mm


def _ball(votes: Votes, radius: float, dz: float) -> FloatArray:
    """Mean votes of the circles of a ball of this radius around every cell."""
    nz = votes.shape[0]
    total = np.zeros((nz, *votes.shape[2:]), np.uint16)
    reach = int(_SPHERE_SHARE * radius / dz)
    for j in range(-reach, reach + 1):
        i = round((float(np.sqrt(radius**2 - (j * dz) ** 2)) - CIRCLE_RADII_MM[0]) / RADIUS_STEP_MM)
        low, high = max(0, -j), min(nz, nz - j)
        if low < high:
            total[low:high] += votes[low + j : high + j, max(i, 0)]
    # a circle beyond the series' end counts as not seen
    return np.asarray(total / np.float32(2 * reach + 1), dtype=np.float32)


def _cylinder(votes: Votes, dz: float) -> FloatArray:
    """Mean votes of an upright cylinder around every cell."""
    nz = votes.shape[0]
    half = int(_CYLINDER_MM / 2 / dz)
    summed = np.zeros((nz + 1, *votes.shape[1:]), np.int32)
    np.cumsum(votes, axis=0, dtype=np.int32, out=summed[1:])
    k = np.arange(nz)
    total = summed[np.minimum(k + half + 1, nz)] - summed[np.maximum(k - half, 0)]
    return np.asarray(total / np.float32(2 * half + 1), dtype=np.float32)
