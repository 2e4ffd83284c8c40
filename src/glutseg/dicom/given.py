"""The slice that was exported: one image, or the middle one of a few, on a grid of its own.

Nothing but the pixels of the one slice and their spacing enters an area, so that the distances to other
slices may be unknown or irregular.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glutseg.dicom.model import Series, SliceHeader, Study
from glutseg.dicom.slice_runs import axes_of
from glutseg.dicom.stack import MAX_FEW_SLICES
from glutseg.errors import Flag
from glutseg.image import Geometry


def given_slice(series: Series) -> Series | None:
    """The series cut down to the slice that was given; None where there is none.

    Of several slices it is the middle one, of an even number the upper one of the two in the middle. It gets
    a grid of one slice, with the header's slice thickness (1 mm where it is missing) for the unknown spacing,
    and a flag ``slice-of-several`` where there was a choice.
    """
    is_contradicted = series.problem is not None and series.problem.code == "spacing-contradicted"
    if is_contradicted or not 0 < len(series.slices) <= MAX_FEW_SLICES:
        return None
    from_feet = sorted(series.slices, key=_height_mm)
    header = from_feet[len(from_feet) // 2]
    geometry = grid_of_one(header, series.tags.slice_thickness_mm)
    if geometry is None:
        return None
    flags = tuple(flag for flag in series.flags if flag.code != "series-gap")  # no neighbour is looked at
    if series.n_images > 1:
        flags += (Flag("slice-of-several", _which(header, from_feet, series.n_images)),)
    return replace(series, slices=(header,), grid_indices=(0,), geometry=geometry, problem=None, flags=flags)


def stacks_of(study: Study, series_uid: str, *, single_slice: bool) -> tuple[Series, ...]:
    """The stacks of a series that have a grid, or the one slice that was measured of it."""
    same = [series for series in study.series if series.series_uid == series_uid]
    if single_slice:
        return tuple(given for given in map(given_slice, same) if given is not None)
    return tuple(series for series in same if series.geometry is not None)


def grid_of_one(header: SliceHeader, slice_thickness_mm: float | None) -> Geometry | None:
    """The grid of a slice alone; None where its header does not say where and how large its pixels are."""
    if header.position_mm is None or header.orientation is None or header.pixel_spacing_mm is None:
        return None
    row, column = axes_of(header)
    x_mm, y_mm, z_mm = header.position_mm
    row_mm, column_mm = header.pixel_spacing_mm
    is_stated = slice_thickness_mm is not None and slice_thickness_mm > 0
    return Geometry(
        shape=(1, header.rows, header.columns),
        spacing_mm=(slice_thickness_mm if is_stated and slice_thickness_mm else 1.0, row_mm, column_mm),
        origin_mm=(x_mm, y_mm, z_mm),
        direction=tuple(float(v) for v in np.stack([row, column, np.cross(row, column)], axis=1).ravel()),
    )


def _height_mm(header: SliceHeader) -> float:
    return 0.0 if header.position_mm is None else header.position_mm[2]


def _which(header: SliceHeader, from_feet: list[SliceHeader], n_images: int) -> str:
    place = from_feet.index(header) + 1
    middle = "the middle one" if len(from_feet) % 2 else "the upper one of the two in the middle"
    n_others = n_images - len(from_feet)
    others = f"; {n_others} other images were left out" if n_others else ""
    if len(from_feet) == 1:
        return f"one slice was used{others}"
    z_mm = _height_mm(header)
    return f"slice {place} of {len(from_feet)} from the feet, {middle}, at z = {z_mm:.1f} mm{others}"
