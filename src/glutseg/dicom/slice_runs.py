"""Find runs of slices on a regular grid, and the slices missing from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from glutseg.dicom.model import SliceHeader
from glutseg.dicom.rounded import evened

DUPLICATE_TOLERANCE_MM = 0.05
"""Slices nearer than this have the same position: scanners do not reconstruct closer than 0.1 mm."""

STEP_TOLERANCE_MM = 0.15
"""Largest deviation of a step from the first of its run; rounding positions to 0.1 mm gives 0.1."""

STEP_TOLERANCE_SHARE = 0.25
"""The same as a share of the step, which is the lower limit for very thin slices."""

MAX_GAP_MM = 15.0
"""A longer gap ends a run; across a shorter one a femoral head (48 mm) is still recognised."""

MAX_MISSING_SHARE = 0.2
"""Largest share of missing slices in a run; beyond it, it has another spacing or is too incomplete."""

FEW_MISSING = 2
"""Slices every 1.25 mm, rounded to 1 mm, look like a grid of 1 mm with one slice in five missing; as few as
these are taken for missing."""

GAP_STEPS = 1.5
"""Slices of two runs that lie further apart than this many steps of either have a gap between them."""

Vector = npt.NDArray[np.float64]
Ends = tuple[float | None, float | None]
"""Places on a grid before its first slice and after its last one."""


@dataclass(frozen=True)
class SliceRun:
    """Slices of one regular grid, ascending along their normal.

    ``grid_indices`` are their indices on the grid, from 0; indices between without a slice are missing.
    ``positions_mm`` (n, 3) are those of the headers, or evenly spaced ones where the headers' are rounded
    to ``rounding_mm``.
    """

    slices: tuple[SliceHeader, ...]
    grid_indices: tuple[int, ...]
    positions_mm: Vector
    rounding_mm: float | None = None

    @property
    def n_missing(self) -> int:
        return self.grid_indices[-1] + 1 - len(self.grid_indices)

    @property
    def step_mm(self) -> float:
        """Between neighbouring slices of the grid; 0 of a single slice."""
        return self.coverage_mm / max(1, self.grid_indices[-1])

    @property
    def coverage_mm(self) -> float:
        return float(np.linalg.norm(self.positions_mm[-1] - self.positions_mm[0]))


@dataclass(frozen=True)
class SliceRuns:
    """All runs among some slices of one kind, the longest first.

    Attributes
    ----------
    n_positions : number of different positions
    duplicates : images left out because another one has the same position
    n_copies : those of them that also have the same UID
    """

    runs: tuple[SliceRun, ...]
    n_positions: int
    duplicates: tuple[SliceHeader, ...]
    n_copies: int


def find_runs(slices: Sequence[SliceHeader]) -> SliceRuns:
    """Sort slices of one orientation along their normal and divide them into regular runs."""
    kept, left_out, n_copies = _one_per_position(slices)
    positions = positions_mm(kept)
    runs = _runs(kept, positions)
    if len(runs[0].slices) < len(kept) or runs[0].n_missing > FEW_MISSING:
        even = evened(positions)
        runs = runs if even is None else _runs(kept, even.positions_mm, even.rounding_mm)
    return SliceRuns(tuple(runs), len(kept), tuple(left_out), n_copies)


def _runs(kept: Sequence[SliceHeader], positions: Vector, rounding_mm: float | None = None) -> list[SliceRun]:
    """Regular runs of slices in ascending order, the longest first."""
    free = np.ones(len(kept), dtype=bool)
    runs = []
    gapless = list(pairwise([*_breaks(positions), len(kept) - 1])) if len(kept) > 1 else [(0, 0)]
    for first, last in sorted(gapless, key=lambda s: (s[0] - s[1], s[0])):
        own = [i for i in range(first, last + 1) if free[i]]
        if len(own) < min(2, len(kept)):
            continue
        found = _with_gaps_bridged(positions, free, own)
        free[[i for i, _ in found]] = False
        own, grid_indices = (list(column) for column in zip(*found, strict=True))
        at = tuple(kept[i] for i in own)
        runs.append(SliceRun(at, tuple(grid_indices), positions[own], rounding_mm))
    return sorted(runs, key=lambda r: (-len(r.slices), order_of(r.slices[0])))


def goes_on_at(run: SliceRun, others: Sequence[SliceRun]) -> Ends:
    """Where, on the grid of a run, the slices of others lie nearest before and after it, beyond a gap.

    None where there are none, and where they follow at the distance of slices of either run.
    """
    if not run.step_mm:
        return None, None
    step = (run.positions_mm[-1] - run.positions_mm[0]) / run.grid_indices[-1]
    places = [
        (float(place), max(1.0, other.step_mm / run.step_mm))
        for other in others
        for place in (other.positions_mm - run.positions_mm[0]) @ step / (step @ step)
    ]
    last = run.grid_indices[-1]
    before, step_before = max(((p, s) for p, s in places if p < 0), default=(0.0, 1.0))
    after, step_after = min(((p, s) for p, s in places if p > last), default=(float(last), 1.0))
    return (
        before if -before > GAP_STEPS * step_before else None,
        after if after - last > GAP_STEPS * step_after else None,
    )


def order_of(header: SliceHeader) -> tuple[bool, int, str, str, int]:
    """Sort key by instance number, unnumbered last; a total order independent of the file system."""
    number = header.instance_number
    return number is None, number or 0, header.sop_uid, str(header.source), header.frame


def positions_mm(slices: Sequence[SliceHeader]) -> Vector:
    """Positions of the slices (n, 3) in LPS."""
    return np.array([s.position_mm for s in slices], dtype=float)


def axes_of(header: SliceHeader) -> tuple[Vector, Vector]:
    """Direction cosines of row and column, corrected for rounding: unit length and perpendicular."""
    cosines = np.array(header.orientation, dtype=float)
    row = cosines[:3] / np.linalg.norm(cosines[:3])
    column = cosines[3:] - (cosines[3:] @ row) * row
    return row, column / np.linalg.norm(column)


def normal_of(header: SliceHeader) -> Vector:
    """Unit normal of the slice, row direction x column direction."""
    return np.asarray(np.cross(*axes_of(header)), dtype=float)


def _one_per_position(slices: Sequence[SliceHeader]) -> tuple[list[SliceHeader], list[SliceHeader], int]:
    """The image with the lowest instance number at each position, the others, and how many are copies."""
    along = positions_mm(slices) @ normal_of(slices[0])
    kept: list[SliceHeader] = []
    left_out: list[SliceHeader] = []
    position, n_copies = -np.inf, 0
    for i in sorted(range(len(slices)), key=lambda i: (along[i], order_of(slices[i]))):
        header = slices[i]
        if along[i] - position > DUPLICATE_TOLERANCE_MM:
            kept.append(header)
            position = along[i]
            continue
        n_copies += bool(header.sop_uid) and header.sop_uid == kept[-1].sop_uid
        left_out.append(max(header, kept[-1], key=order_of))
        kept[-1] = min(header, kept[-1], key=order_of)
    return kept, left_out, n_copies


def _tolerance_mm(step: Vector) -> float:
    return min(STEP_TOLERANCE_MM, STEP_TOLERANCE_SHARE * float(np.linalg.norm(step)))


def _breaks(positions: Vector) -> list[int]:
    """Indices at which runs of equal steps begin; neighbouring runs share a slice."""
    steps = np.diff(positions, axis=0)
    starts = [0]
    for k in range(1, len(steps)):
        reference = steps[starts[-1]]
        if float(np.abs(steps[k] - reference).max()) > _tolerance_mm(reference):
            starts.append(k)
    return starts


def _with_gaps_bridged(
    positions: Vector, free: npt.NDArray[np.bool_], own: list[int]
) -> list[tuple[int, int]]:
    """Extend a gapless run across short gaps at both ends; return (index, grid index) of its slices."""
    gapless = [(i, grid_index) for grid_index, i in enumerate(own)]
    if len(own) < 2:
        return gapless
    step = (positions[own[-1]] - positions[own[0]]) / (len(own) - 1)
    above = _continue_run(positions, free, own[-1], step, 1)
    below = _continue_run(positions, free, own[0], -step, -1)
    found = [(i, -n) for i, n in reversed(below)] + gapless + [(i, own[-1] - own[0] + n) for i, n in above]
    lowest = found[0][1]
    found = [(i, grid_index - lowest) for i, grid_index in found]
    n_grid = found[-1][1] + 1
    return found if n_grid - len(found) <= MAX_MISSING_SHARE * n_grid else gapless


def _continue_run(
    positions: Vector, free: npt.NDArray[np.bool_], start: int, step: Vector, direction: int
) -> list[tuple[int, int]]:
    """Return (index, steps from the start) of the slices that continue the grid beyond one end.

    After a gap the next step must be the old one; otherwise a change to a multiple of the step (1.25 to 5 mm)
    would be taken for a series of gaps.
    """
    found: list[tuple[int, int]] = []
    at, n = start, 0
    while 0 <= at + direction < len(positions) and free[at + direction]:
        steps = _steps_between(positions[at], positions[at + direction], step)
        if steps is None:
            break
        after = at + 2 * direction
        if steps > 1 and 0 <= after < len(positions):
            has_old_step = _steps_between(positions[at + direction], positions[after], step) == 1
            if not has_old_step:
                break
        at, n = at + direction, n + steps
        found.append((at, n))
    return found


def _steps_between(a: Vector, b: Vector, step: Vector) -> int | None:
    """Number of steps between two positions; None if it is not a whole number or the gap is too long."""
    n = round(float((b - a) @ step / (step @ step)))
    if n < 1 or (n - 1) * float(np.linalg.norm(step)) > MAX_GAP_MM:
        return None
    return n if float(np.abs(b - a - n * step).max()) <= _tolerance_mm(step) else None
