"""The two femoral heads, found as a pair of bony spheres.

Every bone edge in a slice votes, along its gradient, for the centre of the circle it could belong to
(a Hough transform, once per circle radius). A femoral head is where the circles of neighbouring
slices share one centre and their radii follow a sphere. Shafts also make good circles, but of one
radius over many slices, so the best cylinder through the same place is subtracted. Only gradients
within a slice are used: thick slices and the narrow joint space above the head do no harm.

A single ball may be a knee, a shoulder or a contrast-filled loop, so two are taken together that lie
to each other as two hips do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.errors import GlutsegError
from glutseg.volume import Geometry, Volume

HEAD_RADII_MM = np.arange(18.0, 30.1)
"""Femoral head diameters of adults are 38 to 58 mm (women 43, men 49 on average)."""
CIRCLE_RADII_MM = np.arange(8.0, 31.0)
HEAD_DISTANCE_MM = (130.0, 235.0)
"""Between the centres of the two heads: 150 to 200 mm in adults, with room for extremes."""
MAX_HEIGHT_DIFFERENCE_MM = 35.0
MIN_HEAD_SCORE = 0.02
MIN_PAIR_SCORE = 0.06

_CELL_MM = 2.0
_SLAB_MM = 3.0
_PIXEL_MM = 1.0
_SATURATION_HU = 600.0  # metal must not outvote bone
_EDGE_HU_PER_MM = 40.0  # trabecular bone to muscle is about 100, noise after smoothing about 10
_FULL_EDGE_HU_PER_MM = 120.0
_VOTE_SIGMA_CELLS = 1.2
_EDGE_POINTS_PER_MM2 = 2.5  # an edge is this many mm wide: scales votes to the share of a circle
_SPHERE_SHARE = 0.85  # the caps of a sphere are too small to show as circles
_MAX_CANDIDATES = 250

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sphere:
    """A femoral head: centre in LPS mm (x, y, z), radius, and the share of its surface that shows
    beyond what a cylinder would show (0 to about 0.3)."""

    centre_mm: tuple[float, float, float]
    radius_mm: float
    score: float

    @property
    def top_mm(self) -> float:
        """LPS height of the head's top."""
        return self.centre_mm[2] + self.radius_mm


@dataclass(frozen=True)
class Hips:
    """Both femoral heads and how sure the pair is."""

    left: Sphere
    right: Sphere
    score: float

    @property
    def midline_x_mm(self) -> float:
        return (self.left.centre_mm[0] + self.right.centre_mm[0]) / 2

    @property
    def top_mm(self) -> float:
        """Mean height of the two tops."""
        return (self.left.top_mm + self.right.top_mm) / 2


def find_hips(volume: Volume) -> Hips:
    """Both femoral heads of a canonical axial volume.

    Raises
    ------
    GlutsegError
        ``hips-not-found`` when no two bony spheres lie as two hips do.
    """
    small = slabs(volume)
    circles = _vote_circles(small)
    spheres = _spheres(circles, small.geometry)
    pairs = _pairs(spheres, _body_middle_mm(small))
    if not pairs or pairs[0].score < MIN_PAIR_SCORE:
        raise GlutsegError(
            "hips-not-found",
            f"no two bony spheres lie as two hips do (best pair {pairs[0].score if pairs else 0:.2f}, "
            f"{MIN_PAIR_SCORE} is needed)",
        )
    return pairs[0]


def slabs(volume: Volume) -> Volume:
    """Averaged to about 1 mm pixels and 3 mm slices, never interpolated; in int16."""
    g = volume.geometry
    n = [
        max(1, round(target / spacing))
        for target, spacing in zip((_SLAB_MM, _PIXEL_MM, _PIXEL_MM), g.spacing_mm, strict=True)
    ]
    size = [s // f for s, f in zip(g.shape, n, strict=True)]
    if min(size) < 1:
        raise GlutsegError("hips-not-found", f"a series of {g.shape[0]} slices is too short to show two hips")
    out = np.empty(size, np.int16)
    for k in range(size[0]):
        block = volume.hu[k * n[0] : (k + 1) * n[0], : size[1] * n[1], : size[2] * n[2]]
        block = block.reshape(n[0], size[1], n[1], size[2], n[2])
        out[k] = block.mean((0, 2, 4), dtype=np.float32)
    geometry = Geometry(
        shape=(size[0], size[1], size[2]),
        spacing_mm=(g.spacing_mm[0] * n[0], g.spacing_mm[1] * n[1], g.spacing_mm[2] * n[2]),
        origin_mm=g.point_mm(*((f - 1) / 2 for f in n)),
        direction=g.direction,
    )
    return Volume(out, geometry)


def _body_middle_mm(volume: Volume) -> float:
    """LPS x of the middle of the soft tissue."""
    columns = np.flatnonzero((volume.hu > -300).mean((0, 1)) > 0.1)
    middle = columns.mean() if len(columns) else volume.geometry.shape[2] / 2
    return volume.geometry.point_mm(0, 0, float(middle))[0]


def _vote_circles(volume: Volume) -> npt.NDArray[np.uint8]:
    """Share of each circle that shows, 0 to 255: (z, radius, y, x) in cells of 2 mm."""
    _, dy, dx = volume.geometry.spacing_mm
    nz, ny, nx = volume.geometry.shape
    cells = int(ny * dy / _CELL_MM) + 1, int(nx * dx / _CELL_MM) + 1
    votes = np.zeros((nz, len(CIRCLE_RADII_MM), *cells), np.uint8)
    for k in range(nz):
        image = np.clip(volume.hu[k], -100, _SATURATION_HU).astype(np.float32)
        slope_y = ndi.gaussian_filter(image, (1 / dy, 1 / dx), order=(1, 0)) / dy
        slope_x = ndi.gaussian_filter(image, (1 / dy, 1 / dx), order=(0, 1)) / dx
        size = np.hypot(slope_y, slope_x)
        y, x = np.nonzero(size > _EDGE_HU_PER_MM)
        strength = size[y, x]
        weight = np.minimum(strength / _FULL_EDGE_HU_PER_MM, 1)
        towards = slope_y[y, x] / strength, slope_x[y, x] / strength
        for i, radius in enumerate(CIRCLE_RADII_MM):
            cy = ((y * dy + towards[0] * radius) / _CELL_MM + 0.5).astype(int)
            cx = ((x * dx + towards[1] * radius) / _CELL_MM + 0.5).astype(int)
            inside = (cy >= 0) & (cy < cells[0]) & (cx >= 0) & (cx < cells[1])
            count = np.bincount(cy[inside] * cells[1] + cx[inside], weight[inside], cells[0] * cells[1])
            smooth = ndi.gaussian_filter(count.reshape(cells), _VOTE_SIGMA_CELLS)
            full = 2 * np.pi * radius / (dy * dx) * _EDGE_POINTS_PER_MM2 / (2 * np.pi * _VOTE_SIGMA_CELLS**2)
            votes[k, i] = np.clip(smooth / full * 255, 0, 255)
    return votes


def _spheres(votes: npt.NDArray[np.uint8], geometry: Geometry) -> list[Sphere]:
    """Candidate heads, best first."""
    dz = geometry.spacing_mm[0]
    # a head is not a perfect ball: a circle may be 1 mm smaller or larger
    loose = np.stack([votes[:, max(0, i - 1) : i + 2].max(1) for i in range(votes.shape[1])], 1)
    shape = votes.shape[0], *votes.shape[2:]
    best = np.zeros(shape, np.float32)
    radius_mm = np.zeros(shape, np.float32)
    for radius in HEAD_RADII_MM:
        score = _sphere_share(loose, radius, dz) - _cylinder_share(loose, radius, dz)
        better = score > best
        best[better] = score[better]
        radius_mm[better] = radius
    peaks = (best > MIN_HEAD_SCORE) & (best == ndi.maximum_filter(best, (5, 7, 7)))
    places = np.argwhere(peaks)
    order = np.argsort(-best[tuple(places.T)], kind="stable")[:_MAX_CANDIDATES]
    found = []
    for z, y, x in places[order]:
        index = z, y * _CELL_MM / geometry.spacing_mm[1], x * _CELL_MM / geometry.spacing_mm[2]
        found.append(Sphere(geometry.point_mm(*index), float(radius_mm[z, y, x]), float(best[z, y, x])))
    return found


def _sphere_share(votes: npt.NDArray[np.uint8], radius: float, dz: float) -> FloatArray:
    """Mean share of the circles of a sphere of this radius that shows around every cell."""
    nz = votes.shape[0]
    total = np.zeros((nz, *votes.shape[2:]), np.float32)
    circles = np.zeros(nz, np.float32)
    reach = int(_SPHERE_SHARE * radius / dz)
    for j in range(-reach, reach + 1):
        i = round(float(np.sqrt(radius**2 - (j * dz) ** 2)) - CIRCLE_RADII_MM[0])
        low, high = max(0, -j), min(nz, nz - j)
        if i >= 0 and low < high:
            total[low:high] += votes[low + j : high + j, i]
            circles += 1  # a circle beyond the series' end counts as not seen
    return np.asarray(total / (255 * np.maximum(circles, 1))[:, None, None], dtype=np.float32)


def _cylinder_share(votes: npt.NDArray[np.uint8], radius: float, dz: float) -> FloatArray:
    """The same for the best upright cylinder, somewhat longer than the sphere."""
    length = 2 * int(1.3 * radius / dz) + 1
    best = np.zeros((votes.shape[0], *votes.shape[2:]), np.float32)
    for i in range(4, min(len(CIRCLE_RADII_MM), int(radius - CIRCLE_RADII_MM[0]) + 1), 2):
        mean = ndi.uniform_filter1d(votes[:, i], length, axis=0, output=np.float32, mode="constant")
        np.maximum(best, mean / 255, out=best)
    return best


def _pairs(spheres: list[Sphere], middle_mm: float) -> list[Hips]:
    """Pairs that lie as two hips do, best first; unlikely arrangements cost a little."""
    found: list[Any] = []
    for right in spheres:
        for left in spheres:
            dx, dy, dz = (a - b for a, b in zip(left.centre_mm, right.centre_mm, strict=True))
            if not HEAD_DISTANCE_MM[0] < dx < HEAD_DISTANCE_MM[1]:
                continue
            if abs(dz) > MAX_HEIGHT_DIFFERENCE_MM or abs(dy) > MAX_HEIGHT_DIFFERENCE_MM:
                continue
            size = left.radius_mm - right.radius_mm
            off = (left.centre_mm[0] + right.centre_mm[0]) / 2 - middle_mm
            cost = 0.06 * ((dz / 20) ** 2 + (dy / 20) ** 2 + (off / 25) ** 2) + 0.04 * (size / 3) ** 2
            found.append(Hips(left, right, left.score + right.score - cost))
    return sorted(found, key=lambda pair: -pair.score)
