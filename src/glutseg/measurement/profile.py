"""The area on the slices around the level: how much an error of the level would matter."""

from __future__ import annotations

from glutseg.measurement.area import measure_slice
from glutseg.protocol import TissueRule
from glutseg.result import Side, SlicePoint
from glutseg.volume import Geometry, Mask, Volume

EDGE_MM = 0.01
"""A slice this little beyond the range still belongs to it: positions are rounded in the headers."""

SIDE_ORDER: tuple[Side, ...] = ("left", "right")


def slices_around(geometry: Geometry, slice_index: int, reach_mm: float) -> range:
    """Slices whose middle lies within ``reach_mm`` of that of ``slice_index``, cut to the grid.

    Parameters
    ----------
    geometry : a grid whose slices are axial
    slice_index : from 0, in the order of the array
    reach_mm : along the patient's long axis, up and down
    """
    n = geometry.shape[0]
    step_mm = abs(geometry.slice_z_mm(1) - geometry.slice_z_mm(0))
    reach = int((reach_mm + EDGE_MM) / step_mm) if step_mm > 0 else 0
    return range(max(0, slice_index - reach), min(n, slice_index + reach + 1))


def profile(
    volume: Volume, mask: Mask, slice_index: int, reach_mm: float, tissue: TissueRule
) -> tuple[SlicePoint, ...]:
    """Measure both sides on every slice within ``reach_mm`` of ``slice_index``.

    Parameters
    ----------
    volume, mask : on one grid whose slices are axial
    slice_index : the measured slice, from 0 in the order of the arrays
    reach_mm : along the patient's long axis, up and down
    tissue : HU windows

    Returns
    -------
    tuple of SlicePoint
        By slice, left before right; a side without a pixel on a slice is all NaN there.
        ``offset_mm`` is positive towards the head.
    """
    level_mm = volume.geometry.slice_z_mm(slice_index)
    points = []
    for k in slices_around(volume.geometry, slice_index, reach_mm):
        z_mm = volume.geometry.slice_z_mm(k)
        measured = measure_slice(volume, mask, k, tissue)
        points += [SlicePoint(side, k, z_mm, z_mm - level_mm, measured[side]) for side in SIDE_ORDER]
    return tuple(points)
