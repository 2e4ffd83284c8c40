"""Oblique series: bones are found on an axial copy, muscles in the slices as they lie.

Anatomy and segmentation reckon with axes that run along the patient's. Where those of a series do not
(gantry tilt, oblique or turned slices), the hips are found on a copy resampled to such axes, and what was
found is carried over to the slices; the slices themselves are never interpolated where they are measured.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy import ndimage as ndi

from glutseg.anatomy.hips import Hips
from glutseg.anatomy.sphere import Sphere
from glutseg.image import CtImage, Geometry
from glutseg.settings import METHOD, GridSettings

MAX_TURN_DEGREES = 1.0
"""Axes nearer than this to the patient's are taken as his: 2 mm between the two hips."""
_NOTHING_HU = -1024

Point = tuple[float, float, float]


def is_upright(geometry: Geometry) -> bool:
    """Whether each axis of a canonical grid runs along the patient's, within one degree."""
    along = np.diag(np.reshape(geometry.direction, (3, 3)))
    return bool((along >= np.cos(np.radians(MAX_TURN_DEGREES))).all())


def upright(volume: CtImage, settings: GridSettings = METHOD.grid) -> CtImage:
    """A canonical volume on axes along the patient's: itself, or an interpolated copy of it.

    The copy reaches from the middle of the lowest slice to that of the highest one; what no slice
    shows is -1024 HU there.
    """
    g = volume.geometry
    if is_upright(g):
        return volume
    grid = _axial_grid(g, settings.copy_pixel_mm)
    to_index = np.linalg.solve(g.matrix, grid.matrix)  # (x, y, z, 1) of the copy to that of the series
    turned = to_index[[2, 1, 0]][:, [2, 1, 0, 3]]
    hu = ndi.affine_transform(
        volume.hu,
        turned[:, :3],
        turned[:, 3],
        output_shape=grid.shape,
        output=np.int16,
        order=1,
        cval=_NOTHING_HU,
    )
    return CtImage(hu, grid)


def slice_at(geometry: Geometry, points: Iterable[Point], offset_mm: float) -> int:
    """The slice that passes nearest to some points of the patient (their mean), ``offset_mm`` above."""
    places = [geometry.index((x, y, z + offset_mm))[0] for x, y, z in points]
    return round(float(np.mean(places)))


def as_it_lies(volume: CtImage, hips: Hips, k: int) -> tuple[CtImage, Hips]:
    """A canonical volume and its hips as if the slices were axial, right at slice ``k``.

    The voxels stay as they are, so that the areas do; only their grid gets axes of its own, and the hips
    their places in the slices. Away from ``k`` a sheared series shifts against them.
    """
    g = volume.geometry
    if is_upright(g):
        return volume, hips
    flat = Geometry(g.shape, g.spacing_mm)
    return CtImage(volume.hu, flat), replace(
        hips, left=_carried(hips.left, g, flat, k), right=_carried(hips.right, g, flat, k)
    )


def _axial_grid(g: Geometry, min_pixel_mm: float) -> Geometry:
    low, high = sorted((g.slice_z_mm(0), g.slice_z_mm(g.shape[0] - 1)))
    last = [n - 1 for n in g.shape]
    corners = np.array(
        [g.point_mm(z, y, x) for z in (0, last[0]) for y in (0, last[1]) for x in (0, last[2])]
    )
    step_mm = (high - low) / last[0]
    pixel_mm = max(min_pixel_mm, min(g.spacing_mm[1:]))
    first, extent = corners.min(axis=0), np.ptp(corners, axis=0)
    return Geometry(
        shape=(g.shape[0], int(extent[1] / pixel_mm) + 1, int(extent[0] / pixel_mm) + 1),
        spacing_mm=(step_mm, pixel_mm, pixel_mm),
        origin_mm=(float(first[0]), float(first[1]), low),
    )


def _carried(head: Sphere, g: Geometry, flat: Geometry, k: int) -> Sphere:
    """The ball with its column where slice ``k`` cuts it and its top at the height of its top's slice."""
    x_mm, y_mm, z_mm = head.centre_mm
    here, above = g.index(head.centre_mm)[0], g.index((x_mm, y_mm, z_mm + 1))[0]
    _, y, x = g.index((x_mm, y_mm, z_mm + (k - here) / (above - here)))
    top = g.index((x_mm, y_mm, head.top_mm))[0]
    column = flat.point_mm(top, y, x)
    return replace(head, centre_mm=(column[0], column[1], column[2] - head.radius_mm))
