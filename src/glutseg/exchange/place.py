"""Regions of a foreign mask on the grid of a series: the same pixels where the grids agree, else nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from glutseg.errors import Flag, GlutsegError
from glutseg.exchange.contours import drawn, filled, run_through_centres
from glutseg.exchange.foreign import BoolArray, ContourMask, ForeignMask, GridMask, Line
from glutseg.image import Geometry

SAME_VOXEL = 0.02
"""Of a voxel: grids whose centres agree within this are the same; headers round positions."""
IN_PLANE = 0.25
"""Of the distance between slices: a line whose points lie further from a slice is not drawn on it."""


@dataclass(frozen=True)
class Placed:
    """A region on the grid of a series.

    Attributes
    ----------
    inside : (z, y, x)
    is_resampled : whether it was on another grid
    on_centres : whether its lines run through pixels' centres; the pixels on them then count as inside
    share_outside : of the region's volume (of its lines' points), from 0 to 1, that lies outside the series
    """

    inside: BoolArray
    is_resampled: bool
    share_outside: float
    on_centres: bool = False


def place(mask: ForeignMask, number: int, target: Geometry) -> Placed:
    """One region of a mask on the grid of a series.

    Raises
    ------
    GlutsegError
        ``mask-empty``; ``mask-elsewhere`` when nothing of it lies within the series;
        ``mask-unplaceable`` for lines that are not drawn in planes of the slices.
    """
    placed = _voxels(mask, number, target) if isinstance(mask, GridMask) else _lines(mask, number, target)
    if not placed.inside.any():
        raise GlutsegError("mask-elsewhere", "nothing of it lies on a pixel of the images")
    return placed


def check_frame(mask: ForeignMask, frame_uid: str) -> tuple[Flag, ...]:
    """Refuse another frame of reference.

    Parameters
    ----------
    frame_uid : of the series; "" where its headers have none

    Raises
    ------
    GlutsegError
        ``mask-elsewhere``.
    """
    if mask.frame_uid and frame_uid and mask.frame_uid != frame_uid:
        raise GlutsegError("mask-elsewhere", "the mask is in another frame of reference")
    if not (mask.frame_uid and frame_uid):
        return (Flag("mask-frame-unknown", "only its coordinates say where it lies"),)
    return ()


def _voxels(mask: GridMask, number: int, target: Geometry) -> Placed:
    region = mask.pick(number)
    if not region.any():
        raise GlutsegError("mask-empty", f"label {number} has no voxel")
    to_source = _index_matrix(mask.geometry, target)
    box = _box(region)
    share_outside = _share_outside(box, region, to_source, target.shape)
    exact = _same_lattice(to_source, mask.geometry.shape, target.shape)
    inside = np.zeros(target.shape, dtype=np.bool_)
    part = _reach(box, to_source, target.shape)
    if part is not None:
        offset = to_source[:3, 3] + to_source[:3, :3] @ [s.start for s in part]
        shape = tuple(s.stop - s.start for s in part)
        matrix = to_source[:3, :3]
        if exact:  # so that rounding in the headers moves nothing
            matrix, offset = np.rint(matrix), np.rint(offset)
        padded = np.pad(region[box].astype(np.uint8), 1)
        start = np.array([s.start for s in box]) - 1
        inside[part] = (
            ndimage.affine_transform(
                padded, matrix, offset - start, shape, order=0, mode="constant", prefilter=False
            )
            > 0
        )
    return Placed(inside, not exact, share_outside)


def _index_matrix(source: Geometry, target: Geometry) -> npt.NDArray[np.float64]:
    """4 x 4, from an index (z, y, x) of the target to one of the source."""
    flip = np.eye(4)[[2, 1, 0, 3]]
    return flip @ np.linalg.solve(source.matrix, target.matrix) @ flip


def _same_lattice(
    to_source: npt.NDArray[np.float64], source_shape: tuple[int, ...], target_shape: tuple[int, ...]
) -> bool:
    """Whether every voxel centre of the target is one of the source's (axes turned round or cut, at most)."""
    size = max(*source_shape, *target_shape)
    drift = np.abs(to_source[:3, :3] - np.rint(to_source[:3, :3])).max() * size
    shift = np.abs(to_source[:3, 3] - np.rint(to_source[:3, 3])).max()
    whole = np.rint(to_source[:3, :3])
    return bool(drift <= SAME_VOXEL and shift <= SAME_VOXEL and abs(abs(np.linalg.det(whole)) - 1) < 1e-9)


def _box(region: BoolArray) -> tuple[slice, slice, slice]:
    found = ndimage.find_objects(region.astype(np.uint8))[0]
    return found[0], found[1], found[2]


def _reach(
    box: tuple[slice, ...], to_source: npt.NDArray[np.float64], shape: tuple[int, int, int]
) -> tuple[slice, slice, slice] | None:
    """Where in the target the box of the source may show; None where nowhere."""
    corners = np.array([[z, y, x, 1.0] for z in _ends(box[0]) for y in _ends(box[1]) for x in _ends(box[2])])
    found = (np.linalg.inv(to_source) @ corners.T)[:3]
    low = np.maximum(np.floor(found.min(axis=1)).astype(int), 0)
    high = np.minimum(np.ceil(found.max(axis=1)).astype(int) + 1, shape)
    if (low >= high).any():
        return None
    z, y, x = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return z, y, x


def _ends(s: slice) -> tuple[float, float]:
    return s.start - 1.0, float(s.stop)


def _share_outside(
    box: tuple[slice, ...], region: BoolArray, to_source: npt.NDArray[np.float64], shape: tuple[int, int, int]
) -> float:
    inverse = np.linalg.inv(to_source)
    indices = np.argwhere(region[box]) + [s.start for s in box]
    found = indices @ inverse[:3, :3].T + inverse[:3, 3]
    half = 0.5 + SAME_VOXEL
    within = ((found >= -half) & (found <= np.array(shape) - 1 + half)).all(axis=1)
    return float(1 - within.mean())


def _lines(mask: ContourMask, number: int, target: Geometry) -> Placed:
    lines = mask.lines.get(number, ())
    if not lines:
        raise GlutsegError("mask-empty", f"ROI {number} has no closed line")
    by_slice: dict[int, list[npt.NDArray[np.float64]]] = {}
    n_points = n_outside = 0
    for line in lines:
        index = line_index(line, target)
        slice_index = slice_of_line(index)
        n_points += len(index)
        if slice_index is None:
            raise GlutsegError("mask-unplaceable", "a line is not drawn in the plane of a slice")
        if not 0 <= slice_index < target.shape[0]:
            n_outside += len(index)
            continue
        yx = index[:, 1:]
        n_outside += int(((yx < -0.75) | (yx > np.array(target.shape[1:]) - 0.25)).any(axis=1).sum())
        by_slice.setdefault(slice_index, []).append(yx)
    inside = np.zeros(target.shape, dtype=np.bool_)
    on_centres = run_through_centres([line for found in by_slice.values() for line in found])
    for slice_index, found in by_slice.items():
        inside[slice_index] = filled(found, target.shape[1:])
        if on_centres:
            inside[slice_index] |= drawn(found, target.shape[1:])
    return Placed(inside, is_resampled=False, share_outside=n_outside / n_points, on_centres=on_centres)


def line_index(line: Line, target: Geometry) -> npt.NDArray[np.float64]:
    """(points, 3): continuous index z, y, x of LPS points."""
    homogeneous = np.column_stack([line, np.ones(len(line))])
    return np.asarray(np.linalg.solve(target.matrix, homogeneous.T)[2::-1].T)


def slice_of_line(index: npt.NDArray[np.float64]) -> int | None:
    """The slice in whose plane all points lie; None where there is no such slice."""
    slice_index = round(float(index[:, 0].mean()))
    return slice_index if float(np.abs(index[:, 0] - slice_index).max()) <= IN_PLANE else None
