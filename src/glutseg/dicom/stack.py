"""From loose slices to one regular stack, by their positions alone (never by Slice Thickness)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt

from glutseg.dicom.model import SliceHeader
from glutseg.errors import Flag
from glutseg.volume import Geometry

UNIT_TOLERANCE = 0.01
"""Cosines must be of unit length and at right angles within this: some writers round to two decimals."""

ORIENTATION_TOLERANCE = 0.001
"""Slices of one stack agree in every cosine within this: 0.5 mm at the far edge of a 500 mm picture."""

PIXEL_SPACING_TOLERANCE = 0.001
"""... and in pixel spacing within this share: 0.2 % of an area."""

PIXEL_SPACING_RANGE_MM = (0.01, 10.0)
"""No CT pixel is smaller or larger; a value outside is taken as missing."""

DUPLICATE_TOLERANCE_MM = 0.05
"""Slices nearer than this lie at one position: scanners do not reconstruct closer than 0.1 mm."""

STEP_TOLERANCE_MM = 0.15
"""A step may differ this much from its run's first: with positions rounded to 0.1 mm they differ by 0.1."""

STEP_TOLERANCE_SHARE = 0.25
"""... but never by more than this share of the step, for very thin slices."""

LINE_TOLERANCE_STEPS = 0.5
"""No slice of a run may lie further from its place on the regular grid: it would be another slice's place."""

TILT_TOLERANCE_DEGREES = 0.1
TILT_TOLERANCE_MM = 0.15
"""A stack is sheared (gantry tilt) when it leans by more than the one and drifts, from its first to its
last slice, by more than the other; less comes from positions rounded to 0.1 mm."""

ONE_ACQUISITION_SHARE = 0.9
"""An acquisition alone is used when it covers this share of all: two acquisitions (contrast phases,
repeated scans) that share their places are never interleaved, while those that follow one another
(sequential scanning) make one stack."""

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stack:
    """Slices in order and their grid; see `glutseg.dicom.model.Series`."""

    slices: tuple[SliceHeader, ...]
    geometry: Geometry | None
    tilt_degrees: float
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class _Run:
    """The longest regular run of some slices, ascending along the normal."""

    slices: tuple[SliceHeader, ...]
    n_positions: int
    n_duplicates: int
    breaks_mm: tuple[float, ...]

    @property
    def coverage_mm(self) -> float:
        ends = _positions((self.slices[0], self.slices[-1]))
        return float(np.linalg.norm(ends[1] - ends[0]))


def build_stack(slices: Sequence[SliceHeader]) -> Stack:
    """The largest regular stack among the images of a series, whatever order they come in.

    Returns
    -------
    Stack
        ``geometry`` is None, and a flag ``geometry-missing`` or ``geometry-irregular`` tells why,
        when there is none. Other flags: ``series-mixed`` (images of another kind or acquisition
        left out), ``slice-duplicate``, ``series-gap``, ``gantry-tilt``.
    """
    placed = [s for s in slices if _is_placed(s)]
    if not placed:
        return Stack((), None, float("nan"), (Flag("geometry-missing", _what_is_missing(slices)),))
    alike = _largest_group_alike(placed)
    run, n_acquisitions = _best_run(alike)
    flags: list[Flag] = []
    n_other = len(slices) - len(alike)
    if n_other or n_acquisitions > 1:
        flags.append(Flag("series-mixed", _mixed_message(len(slices), n_other, n_acquisitions)))
    if run.n_duplicates:
        flags.append(Flag("slice-duplicate", f"{run.n_duplicates} images lie at the place of another"))
    if run.breaks_mm:
        flags.append(Flag("series-gap", _gap_message(run)))
    tilt = _tilt_degrees(run.slices[0])
    geometry, flag = _geometry(run.slices)
    if flag:
        flags.append(flag)
    return Stack(run.slices, geometry, tilt, tuple(flags))


def _is_placed(header: SliceHeader) -> bool:
    if header.position_mm is None or header.orientation is None or header.pixel_spacing_mm is None:
        return False
    low, high = PIXEL_SPACING_RANGE_MM
    if not all(low <= s <= high for s in header.pixel_spacing_mm):
        return False
    row, column = _axes(header)
    lengths_ok = all(abs(float(np.linalg.norm(v)) - 1) <= UNIT_TOLERANCE for v in (row, column))
    return lengths_ok and abs(float(row @ column)) <= UNIT_TOLERANCE


def _what_is_missing(slices: Sequence[SliceHeader]) -> str:
    if not slices:
        return "there is no image"
    lacks = {
        "position": sum(s.position_mm is None for s in slices),
        "orientation": sum(s.orientation is None for s in slices),
        "pixel spacing": sum(s.pixel_spacing_mm is None for s in slices),
    }
    words = [f"{name} in {n}" for name, n in lacks.items() if n]
    return f"of {len(slices)} images: no " + (
        ", no ".join(words) if words else "usable spacing or orientation"
    )


def _mixed_message(n: int, n_other: int, n_acquisitions: int) -> str:
    parts = (
        [f"{n_other} of {n} images differ in orientation, matrix, pixel spacing or kind"] if n_other else []
    )
    if n_acquisitions > 1:
        parts.append(f"{n_acquisitions} acquisitions share their places, one was used")
    return "; ".join(parts)


def _gap_message(run: _Run) -> str:
    places = ", ".join(f"{mm:.1f}" for mm in run.breaks_mm[:5])
    more = " …" if len(run.breaks_mm) > 5 else ""
    used = f"{len(run.slices)} of {run.n_positions} slices used"
    return f"the steps change at {places}{more} mm along the stack; {used}"


def _largest_group_alike(slices: Sequence[SliceHeader]) -> list[SliceHeader]:
    """Those that can lie in one array: same kind, matrix, pixel spacing and orientation."""
    exact = sorted(slices, key=lambda s: (_kind(s), _order(s)))
    groups = [g for _, members in groupby(exact, key=_kind) for g in _close_groups(list(members))]
    return max(groups, key=len)


def _kind(header: SliceHeader) -> tuple[str, int, int, int]:
    return header.sop_class_uid, header.rows, header.columns, header.samples


def _close_groups(slices: list[SliceHeader]) -> list[list[SliceHeader]]:
    orientations = np.array([s.orientation for s in slices])
    spacings = np.array([s.pixel_spacing_mm for s in slices])
    left = np.ones(len(slices), dtype=bool)
    groups = []
    while left.any():
        first = int(np.argmax(left))
        close = left & (np.abs(orientations - orientations[first]).max(axis=1) <= ORIENTATION_TOLERANCE)
        close &= (np.abs(spacings / spacings[first] - 1) <= PIXEL_SPACING_TOLERANCE).all(axis=1)
        groups.append([slices[i] for i in np.flatnonzero(close)])
        left &= ~close
    return groups


def _best_run(slices: list[SliceHeader]) -> tuple[_Run, int]:
    """The run to use, and among how many acquisitions with shared places it was chosen."""
    whole = _longest_run(slices)
    by_number = sorted(slices, key=lambda s: (s.acquisition_number is None, s.acquisition_number or 0))
    groups = [list(g) for _, g in groupby(by_number, key=lambda s: s.acquisition_number)]
    if len(groups) > 1:
        alone = max((_longest_run(g) for g in groups), key=lambda run: (len(run.slices), run.coverage_mm))
        is_enough = alone.coverage_mm >= ONE_ACQUISITION_SHARE * whole.coverage_mm
        n_within = sum(any(_is_within(s, alone) for s in g) for g in groups)
        if len(alone.slices) > 1 and is_enough and n_within > 1:
            return alone, n_within
    return whole, 1


def _is_within(header: SliceHeader, run: _Run) -> bool:
    """Whether a slice lies between the ends of a run, along the normal."""
    normal = _normal(run.slices[0])
    low, high, own = _positions((run.slices[0], run.slices[-1], header)) @ normal
    return bool(low - DUPLICATE_TOLERANCE_MM <= own <= high + DUPLICATE_TOLERANCE_MM)


def _longest_run(slices: list[SliceHeader]) -> _Run:
    positions = _positions(slices)
    along = positions @ _normal(slices[0])
    order = sorted(range(len(slices)), key=lambda i: (along[i], _order(slices[i])))
    kept = _one_per_place(slices, along, order)
    starts = _breaks(positions[kept])
    bounds = [*starts, len(kept) - 1]
    first, last = max(pairwise(bounds), key=lambda b: b[1] - b[0], default=(0, 0))
    return _Run(
        slices=tuple(slices[i] for i in kept[first : last + 1]),
        n_positions=len(kept),
        n_duplicates=len(slices) - len(kept),
        breaks_mm=tuple(float(along[kept[k]]) for k in starts[1:]),
    )


def _one_per_place(slices: list[SliceHeader], along: Vector, order: list[int]) -> list[int]:
    """Of images at one position the one with the lowest instance number."""
    kept: list[int] = []
    place = -np.inf
    for i in order:
        if along[i] - place > DUPLICATE_TOLERANCE_MM:
            kept.append(i)
            place = along[i]
        elif _order(slices[i]) < _order(slices[kept[-1]]):
            kept[-1] = i
    return kept


def _breaks(positions: Vector) -> list[int]:
    """Indices where runs of equal steps begin; neighbouring runs share a slice."""
    steps = np.diff(positions, axis=0)
    starts = [0]
    for k in range(1, len(steps)):
        reference = steps[starts[-1]]
        tolerance = min(STEP_TOLERANCE_MM, STEP_TOLERANCE_SHARE * float(np.linalg.norm(reference)))
        if float(np.abs(steps[k] - reference).max()) > tolerance:
            starts.append(k)
    return starts


def _geometry(slices: tuple[SliceHeader, ...]) -> tuple[Geometry | None, Flag | None]:
    """Grid of a run, with the tilt's flag; or None and the reason."""
    if len(slices) < 2:
        return None, Flag("geometry-irregular", "all images lie at one position")
    positions = _positions(slices)
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    length = float(np.linalg.norm(step))
    off = positions - (positions[0] + np.arange(len(slices))[:, None] * step)
    worst = float(np.linalg.norm(off, axis=1).max())
    if worst > LINE_TOLERANCE_STEPS * length:
        message = f"a slice lies {worst:.2f} mm from its place on a grid of {length:.2f} mm"
        return None, Flag("geometry-irregular", message)
    row, column = _orthonormal(slices[0])
    normal = np.cross(row, column)
    drift_mm = float(np.linalg.norm(np.cross(step, normal))) * (len(slices) - 1)
    lean = float(np.degrees(np.arccos(np.clip(step @ normal / length, -1, 1))))
    flag = None
    if lean > TILT_TOLERANCE_DEGREES and drift_mm > TILT_TOLERANCE_MM:
        flag = Flag("gantry-tilt", f"the stack leans {lean:.1f} degrees from the normal of its slices")
        direction = step / length
    else:
        length = float(step @ normal)
        direction = normal
    first = slices[0]
    y_mm, x_mm = first.pixel_spacing_mm or (1.0, 1.0)
    geometry = Geometry(
        shape=(len(slices), first.rows, first.columns),
        spacing_mm=(length, y_mm, x_mm),
        origin_mm=(float(positions[0, 0]), float(positions[0, 1]), float(positions[0, 2])),
        direction=tuple(float(v) for v in np.stack([row, column, direction], axis=1).ravel()),
    )
    return geometry, flag


def _order(header: SliceHeader) -> tuple[bool, int, str, str, int]:
    """Total order by instance number, unnumbered last, that no file system order can change."""
    number = header.instance_number
    return number is None, number or 0, header.sop_uid, str(header.source), header.frame


def _positions(slices: Sequence[SliceHeader]) -> Vector:
    return np.array([s.position_mm for s in slices], dtype=float)


def _axes(header: SliceHeader) -> tuple[Vector, Vector]:
    cosines = np.array(header.orientation, dtype=float)
    return cosines[:3], cosines[3:]


def _orthonormal(header: SliceHeader) -> tuple[Vector, Vector]:
    """Cosines freed of rounding: unit length, at right angles."""
    row, column = _axes(header)
    row = row / np.linalg.norm(row)
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


def _normal(header: SliceHeader) -> Vector:
    return np.asarray(np.cross(*_orthonormal(header)), dtype=float)


def _tilt_degrees(header: SliceHeader) -> float:
    return float(np.degrees(np.arccos(np.clip(abs(_normal(header)[2]), 0, 1))))
