"""A femoral head as a ball, and series made small enough to search for one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry
from glutseg.settings import METHOD, GridSettings

CEILING_HU = 4095
"""Metal on an extended scale is no denser than this here: sums of pixels stay small."""


@dataclass(frozen=True)
class Sphere:
    """A femoral head: centre in LPS mm (x, y, z), radius, and the share of its surface that shows
    beyond what a cylinder would show (0 to about 0.3)."""

    centre_mm: tuple[float, float, float]
    radius_mm: float
    score: float

    @property
    def top_mm(self) -> float:
        """LPS height of the ball's geometric top, which lies in or between slices."""
        return self.centre_mm[2] + self.radius_mm


def distance_mm(one: Sphere, other: Sphere) -> float:
    """Between the centres."""
    return math.dist(one.centre_mm, other.centre_mm)


def around(volume: CtImage, centre_mm: npt.ArrayLike, reach_mm: float) -> CtImage:
    """The part of an upright canonical volume within ``reach_mm`` of a point along every axis."""
    x, y, z = (float(c) for c in np.asarray(centre_mm))
    g = volume.geometry
    box = tuple(
        slice(max(0, int(m - reach_mm / s)), max(0, int(m + reach_mm / s) + 2))
        for m, s in zip(g.index((x, y, z)), g.spacing_mm, strict=True)
    )
    return volume.crop((box[0], box[1], box[2]))


def bony_part(volume: CtImage, grid: GridSettings = METHOD.grid) -> CtImage:
    """The rows and columns of a volume with bone in them, and a margin around.

    Cells that are counted from there lie in the patient the same, however he lies in the picture.
    """
    step = max(1, round(grid.slice_mm / volume.geometry.spacing_mm[0]))
    dense = volume.hu[::step].max(axis=0, initial=np.iinfo(np.int16).min) > grid.dense_hu
    box = [slice(None)]
    for axis, spacing_mm in enumerate(volume.geometry.spacing_mm[1:]):
        at = np.flatnonzero(dense.any(1 - axis))
        margin = round(grid.margin_mm / spacing_mm)
        box.append(slice(max(0, int(at[0]) - margin), int(at[-1]) + margin + 1) if len(at) else slice(None))
    return volume.crop((box[0], box[1], box[2]))


def fine_enough(volume: CtImage, grid: GridSettings = METHOD.grid) -> CtImage:
    """The volume itself, or, where its pixels are coarse, one with each of them split, interpolated.

    A slope over few coarse pixels is taken for less steep than it is.
    """
    g = volume.geometry
    ny, nx = (int(np.ceil(s / grid.max_pixel_mm)) for s in g.spacing_mm[1:])
    if (ny, nx) == (1, 1):
        return volume
    rows, columns = g.shape[1] * ny, g.shape[2] * nx
    # the pixels' outer borders stay where they are
    at = np.meshgrid((np.arange(rows) + 0.5) / ny - 0.5, (np.arange(columns) + 0.5) / nx - 0.5, indexing="ij")
    hu = np.empty((g.shape[0], rows, columns), np.int16)
    limits = np.iinfo(np.int16)
    for k, image in enumerate(volume.hu):
        split = ndi.map_coordinates(image.astype(np.float32), at, order=3, mode="nearest")
        hu[k] = np.clip(np.rint(split), limits.min, limits.max)
    spacing_mm = (g.spacing_mm[0], g.spacing_mm[1] / ny, g.spacing_mm[2] / nx)
    origin_mm = g.point_mm(0, (1 / ny - 1) / 2, (1 / nx - 1) / 2)
    return CtImage(hu, Geometry(hu.shape, spacing_mm, origin_mm, g.direction))


def slabs(
    volume: CtImage, slice_mm: float = METHOD.grid.slice_mm, pixel_mm: float = METHOD.grid.pixel_mm
) -> CtImage:
    """Averaged to about these pixels and slices where finer, never interpolated; in int16.

    Values above `CEILING_HU` count as that.

    Raises
    ------
    GlutsegError
        ``hips-not-found`` when less than one such voxel is left.
    """
    g = volume.geometry
    nz, ny, nx = (
        max(1, round(target / spacing))
        for target, spacing in zip((slice_mm, pixel_mm, pixel_mm), g.spacing_mm, strict=True)
    )
    if (nz, ny, nx) == (1, 1, 1):
        return volume
    size = (g.shape[0] // nz, g.shape[1] // ny, g.shape[2] // nx)
    if min(size) < 1:
        raise GlutsegError("hips-not-found", f"a series of shape {g.shape} is too small to show two hips")
    narrow = ny * nx * CEILING_HU <= np.iinfo(np.int16).max  # twice as fast
    out = np.empty(size, np.int16)
    for k in range(size[0]):
        total = np.zeros(size[1:], np.int32)
        for whole in volume.hu[k * nz : (k + 1) * nz, : size[1] * ny, : size[2] * nx]:
            capped = np.minimum(whole, CEILING_HU)
            image = capped if narrow else capped.astype(np.int32)
            # strided sums: many times faster than a mean over a five-dimensional view
            rows = sum((image[i::ny] for i in range(1, ny)), image[::ny])
            total += sum((rows[:, i::nx] for i in range(1, nx)), rows[:, ::nx])
        out[k] = total / (nz * ny * nx)
    geometry = Geometry(
        shape=size,
        spacing_mm=(g.spacing_mm[0] * nz, g.spacing_mm[1] * ny, g.spacing_mm[2] * nx),
        origin_mm=g.point_mm((nz - 1) / 2, (ny - 1) / 2, (nx - 1) / 2),
        direction=g.direction,
    )
    return CtImage(out, geometry)
