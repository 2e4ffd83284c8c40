"""Which slices of one kind lie on one regular grid, and where slices are missing from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from glutseg.dicom.model import SliceHeader

DUPLICATE_TOLERANCE_MM = 0.05
"""Slices nearer than this lie at one position: scanners do not reconstruct closer than 0.1 mm."""

STEP_TOLERANCE_MM = 0.15
"""A step may differ this much from its run's first: with positions rounded to 0.1 mm they differ by 0.1."""

STEP_TOLERANCE_SHARE = 0.25
"""... but never by more than this share of the step, for very thin slices."""

MAX_GAP_MM = 15.0
"""A gap with more missing than this ends a run: over less, a femoral head (48 mm) still shows as one."""

MAX_MISSING_SHARE = 0.2
"""A run with a larger share of missing slices is none: it is another spacing, or a ruin."""

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """Slices of one regular grid, ascending along their normal.

    ``places`` are their indices on the grid, from 0; those between that are not among them are missing.
    """

    slices: tuple[SliceHeader, ...]
    places: tuple[int, ...]

    @property
    def n_missing(self) -> int:
        return self.places[-1] + 1 - len(self.places)

    @property
    def coverage_mm(self) -> float:
        ends = positions_mm((self.slices[0], self.slices[-1]))
        return float(np.linalg.norm(ends[1] - ends[0]))


@dataclass(frozen=True)
class Runs:
    """All runs of some slices of one kind, the longest first.

    ``n_positions`` counts the places that have a slice; ``n_duplicates`` the images left out because
    another lies at their place, ``n_copies`` those of them with the same UID.
    """

    runs: tuple[Run, ...]
    n_positions: int
    n_duplicates: int
    n_copies: int


def find_runs(slices: Sequence[SliceHeader]) -> Runs:
    """Sort slices of one orientation along their normal and part them into regular runs."""
    kept, n_copies = _one_per_place(slices)
    positions = positions_mm(kept)
    free = np.ones(len(kept), dtype=bool)
    runs = []
    stretches = list(pairwise([*_breaks(positions), len(kept) - 1])) if len(kept) > 1 else [(0, 0)]
    for first, last in sorted(stretches, key=lambda s: (s[0] - s[1], s[0])):
        own = [i for i in range(first, last + 1) if free[i]]
        if len(own) < min(2, len(kept)):
            continue
        found = _bridged(positions, free, own)
        free[[i for i, _ in found]] = False
        runs.append(Run(tuple(kept[i] for i, _ in found), tuple(place for _, place in found)))
    runs.sort(key=lambda r: (-len(r.slices), order_of(r.slices[0])))
    return Runs(tuple(runs), len(kept), len(slices) - len(kept), n_copies)


def order_of(header: SliceHeader) -> tuple[bool, int, str, str, int]:
    """Total order by instance number, unnumbered last, that no file system order can change."""
    number = header.instance_number
    return number is None, number or 0, header.sop_uid, str(header.source), header.frame


def positions_mm(slices: Sequence[SliceHeader]) -> Vector:
    """(n, 3), LPS."""
    return np.array([s.position_mm for s in slices], dtype=float)


def axes_of(header: SliceHeader) -> tuple[Vector, Vector]:
    """Cosines of row and column, freed of rounding: unit length, at right angles."""
    cosines = np.array(header.orientation, dtype=float)
    row = cosines[:3] / np.linalg.norm(cosines[:3])
    column = cosines[3:] - (cosines[3:] @ row) * row
    return row, column / np.linalg.norm(column)


def normal_of(header: SliceHeader) -> Vector:
    """Unit vector at right angles to the slice, rows x columns."""
    return np.asarray(np.cross(*axes_of(header)), dtype=float)


def _one_per_place(slices: Sequence[SliceHeader]) -> tuple[list[SliceHeader], int]:
    """Of images at one position the one with the lowest instance number; how many were its copies."""
    along = positions_mm(slices) @ normal_of(slices[0])
    kept: list[SliceHeader] = []
    place, n_copies = -np.inf, 0
    for i in sorted(range(len(slices)), key=lambda i: (along[i], order_of(slices[i]))):
        header = slices[i]
        if along[i] - place > DUPLICATE_TOLERANCE_MM:
            kept.append(header)
            place = along[i]
            continue
        n_copies += bool(header.sop_uid) and header.sop_uid == kept[-1].sop_uid
        if order_of(header) < order_of(kept[-1]):
            kept[-1] = header
    return kept, n_copies


def _tolerance_mm(step: Vector) -> float:
    return min(STEP_TOLERANCE_MM, STEP_TOLERANCE_SHARE * float(np.linalg.norm(step)))


def _breaks(positions: Vector) -> list[int]:
    """Indices where runs of equal steps begin; neighbouring runs share a slice."""
    steps = np.diff(positions, axis=0)
    starts = [0]
    for k in range(1, len(steps)):
        reference = steps[starts[-1]]
        if float(np.abs(steps[k] - reference).max()) > _tolerance_mm(reference):
            starts.append(k)
    return starts


def _bridged(positions: Vector, free: npt.NDArray[np.bool_], own: list[int]) -> list[tuple[int, int]]:
    """(index, place) of a gapless stretch and of what continues its grid on either side of short gaps."""
    alone = [(i, place) for place, i in enumerate(own)]
    if len(own) < 2:
        return alone
    step = (positions[own[-1]] - positions[own[0]]) / (len(own) - 1)
    above = _continued(positions, free, own[-1], step, 1)
    below = _continued(positions, free, own[0], -step, -1)
    found = [(i, -n) for i, n in reversed(below)] + alone + [(i, own[-1] - own[0] + n) for i, n in above]
    lowest = found[0][1]
    found = [(i, place - lowest) for i, place in found]
    n_places = found[-1][1] + 1
    return found if n_places - len(found) <= MAX_MISSING_SHARE * n_places else alone


def _continued(
    positions: Vector, free: npt.NDArray[np.bool_], start: int, step: Vector, direction: int
) -> list[tuple[int, int]]:
    """(index, steps from the start) of the slices that go on beyond one end.

    After a gap the old step must return at once, or a change to a multiple of the step (1.25 to
    5 mm) would pass for a row of gaps.
    """
    found: list[tuple[int, int]] = []
    at, n = start, 0
    while 0 <= at + direction < len(positions) and free[at + direction]:
        steps = _steps_between(positions[at], positions[at + direction], step)
        if steps is None:
            break
        after = at + 2 * direction
        if steps > 1 and 0 <= after < len(positions):
            back_in_step = _steps_between(positions[at + direction], positions[after], step) == 1
            if not back_in_step:
                break
        at, n = at + direction, n + steps
        found.append((at, n))
    return found


def _steps_between(a: Vector, b: Vector, step: Vector) -> int | None:
    """How many whole steps lie between two positions; None where it is no whole number or too many."""
    n = round(float((b - a) @ step / (step @ step)))
    if n < 1 or (n - 1) * float(np.linalg.norm(step)) > MAX_GAP_MM:
        return None
    return n if float(np.abs(b - a - n * step).max()) <= _tolerance_mm(step) else None
