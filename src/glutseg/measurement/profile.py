"""The area slice by slice: around the level, or from end to end of the muscle."""

from __future__ import annotations

from glutseg.image import CtImage, Geometry, Mask, Muscle
from glutseg.measurement.area import measure_slice
from glutseg.protocol import TissueRule
from glutseg.result import EDGE_MM, SlicePoint


def slices_around(geometry: Geometry, slice_index: int, reach_mm: float) -> range:
    """Slices whose middle lies within ``reach_mm`` of that of ``slice_index``, cut to the grid.

    Parameters
    ----------
    geometry : a grid whose slices are axial
    slice_index : from 0, in the order of the array
    reach_mm : along the patient's long axis, up and down
    """
    n = geometry.shape[0]
    step_mm = geometry.slice_step_mm
    reach = int((reach_mm + EDGE_MM) / step_mm) if step_mm > 0 else 0
    return range(max(0, slice_index - reach), min(n, slice_index + reach + 1))


def profile(
    volume: CtImage,
    mask: Mask,
    slice_index: int,
    slices: range,
    tissue: TissueRule,
    muscles: tuple[Muscle, ...] = ("maximus",),
) -> tuple[SlicePoint, ...]:
    """Measure both sides of the muscles on every slice of a range.

    Parameters
    ----------
    volume, mask : on one grid whose slices are axial
    slice_index : the measured slice, from 0 in the order of the arrays
    slices : to measure, in the same order
    tissue : HU windows

    Returns
    -------
    tuple of SlicePoint
        By slice, then muscle, left before right; a side without a pixel on a slice is all NaN there.
        ``offset_mm`` is positive towards the head.
    """
    level_mm = volume.geometry.slice_z_mm(slice_index)
    points = []
    for k in slices:
        z_mm = volume.geometry.slice_z_mm(k)
        for muscle in muscles:
            measured = measure_slice(volume, mask, k, tissue, muscle)
            points += [
                SlicePoint(side, k, z_mm, z_mm - level_mm, one, muscle) for side, one in measured.items()
            ]
    return tuple(points)
