"""The area slice by slice: around the level, or from end to end of the muscle."""

from __future__ import annotations

from glutseg.image import CtImage, Mask, Muscle
from glutseg.measurement.area import measure_slice
from glutseg.protocol import TissueRule
from glutseg.result import ProfilePoint


def profile(
    volume: CtImage,
    mask: Mask,
    slice_index: int,
    slices: range,
    tissue: TissueRule,
    muscles: tuple[Muscle, ...] = ("maximus",),
) -> tuple[ProfilePoint, ...]:
    """Measure both sides of the muscles on every slice of a range.

    Parameters
    ----------
    volume, mask : on one axial grid
    slice_index : the measured slice, from 0 at the feet
    slices : to measure; those that no image shows are left out
    tissue : HU windows

    Returns
    -------
    tuple of ProfilePoint
        By slice, then muscle, left before right; a side without a pixel on a slice is all NaN there.
        ``offset_mm`` is positive towards the head.
    """
    level_mm = volume.geometry.slice_z_mm(slice_index)
    points = []
    for index in slices:
        if index in volume.missing_slices:
            continue
        z_mm = volume.geometry.slice_z_mm(index)
        for muscle in muscles:
            measured = measure_slice(volume, mask, index, tissue, muscle)
            points += [
                ProfilePoint(muscle, side, index, z_mm, z_mm - level_mm, one)
                for side, one in measured.items()
            ]
    return tuple(points)
