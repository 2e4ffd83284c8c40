"""Raters against each other: side by side, case by case, and all cases together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from glutseg.agreement.model import (
    QUANTITIES,
    Agreement,
    Case,
    Comparison,
    Outline,
    Pair,
    Quantity,
    Rater,
    Reading,
)
from glutseg.agreement.statistics import MIN_CASES, bland_altman, reliability
from glutseg.agreement.surfaces import BoolArray, Overlap, overlap
from glutseg.errors import Flag, GlutsegError
from glutseg.image import SIDES, Side

ENOUGH_CASES = 30
GRID_TOLERANCE_MM = 0.05
"""NIfTI keeps positions as single floats, and some programs round them."""
LEVEL_TOLERANCE_MM = 0.05
SWAPPED_DICE, OWN_DICE = 0.5, 0.1


def compare(raters: Sequence[Rater], cases: Sequence[Case]) -> Agreement:
    """Every two raters on every case, and all of them on every quantity.

    Raises
    ------
    GlutsegError
        ``agree-one-rater``, ``agree-nothing-shared``.
    """
    if len(raters) < 2 or len({rater.name for rater in raters}) < len(raters):
        raise GlutsegError("agree-one-rater", f"there is {', '.join(r.name for r in raters) or 'nobody'}")
    pairs = [pair for case in cases for pair in _pairs_of(case, raters)]
    if not any(p.area_first_mm2 is not None and p.area_second_mm2 is not None for p in pairs) and not any(
        _shared(raters, "mean", cases)
    ):
        raise GlutsegError("agree-nothing-shared", ", ".join(rater.name for rater in raters))
    groups = [*combinations(raters, 2), *([tuple(raters)] if len(raters) > 2 else [])]
    comparisons = [_comparison(group, quantity, cases) for group in groups for quantity in QUANTITIES]
    notes = [note for rater in raters for note in rater.notes]
    notes += [Flag("agree-not-independent", rater.name) for rater in raters if rater.saw_automatic]
    return Agreement(
        raters=tuple(rater.name for rater in raters),
        n_cases=len(cases),
        pairs=tuple(pairs),
        comparisons=tuple(comparisons),
        areas_mm2={
            (rater.name, quantity): _areas_mm2(rater, quantity) for rater in raters for quantity in QUANTITIES
        },
        notes=tuple(notes),
    )


def _areas_mm2(rater: Rater, quantity: Quantity) -> dict[str, float]:
    known = rater.readings.items()
    return {case_id: one.area_mm2[quantity] for case_id, one in known if quantity in one.area_mm2}


def _pairs_of(case: Case, raters: Sequence[Rater]) -> Iterator[Pair]:
    """Of one case; its masks are read once and let go after it."""
    there = [(rater, rater.readings[case.case_id]) for rater in raters if case.case_id in rater.readings]
    outlines = {r.name: x.outline() if x.outline and len(there) > 1 else None for r, x in there}
    for (first, a), (second, b) in combinations(there, 2):
        shift_mm = None if a.z_mm is None or b.z_mm is None else b.z_mm - a.z_mm
        pairs = [_bare_pair(first, second, case, side, shift_mm, a, b) for side in SIDES]
        drawn_a, drawn_b = outlines[first.name], outlines[second.name]
        if drawn_a is not None and drawn_b is not None:
            pairs = _with_overlap(pairs, drawn_a, drawn_b)
        yield from pairs


def _bare_pair(
    first: Rater, second: Rater, case: Case, side: Side, shift_mm: float | None, a: Reading, b: Reading
) -> Pair:
    notes: tuple[Flag, ...] = ()
    if shift_mm is not None and abs(shift_mm) > LEVEL_TOLERANCE_MM:
        notes = (Flag("agree-level-differs", f"by {shift_mm:+.1f} mm"),)
    return Pair(
        first.name,
        second.name,
        case,
        side,
        a.area_mm2.get(side),
        b.area_mm2.get(side),
        bound_mm2=_bound_mm2(a.error_bound_mm2.get(side), b.error_bound_mm2.get(side)),
        level_difference_mm=shift_mm,
        notes=notes,
    )


def _bound_mm2(*bounds_mm2: float | None) -> float | None:
    known = [bound for bound in bounds_mm2 if bound is not None]
    return math.hypot(*known) if known else None


def _with_overlap(pairs: Sequence[Pair], a: Outline, b: Outline) -> list[Pair]:
    if not a.mask.geometry.matches(b.mask.geometry, GRID_TOLERANCE_MM):
        message = f"{a.mask.geometry.shape} and {b.mask.geometry.shape} (z, y, x)"
        return [replace(p, notes=(*p.notes, Flag("agree-grid-differs", message))) for p in pairs]
    found = []
    for pair in pairs:
        label = SIDES[pair.side]
        mask_a, mask_b = a.mask.labels == label, b.mask.labels == label
        on_slice, notes = _on_slice(mask_a, mask_b, a, pair)
        if on_slice is not None and on_slice.dice < OWN_DICE and _is_swapped(a, b, pair.side):
            notes = (*notes, Flag("agree-sides-swapped", f"Dice {on_slice.dice:.2f}", pair.side))
        in_volume, n_slices = _in_volume(mask_a, mask_b, a, b)
        found.append(
            replace(
                pair, on_slice=on_slice, in_volume=in_volume, n_slices=n_slices, notes=(*pair.notes, *notes)
            )
        )
    return found


def _on_slice(
    mask_a: BoolArray, mask_b: BoolArray, a: Outline, pair: Pair
) -> tuple[Overlap | None, tuple[Flag, ...]]:
    """On the first rater's slice; unknown where one of them outlined nothing there."""
    if a.slice_index is None:
        return None, ()
    slice_a, slice_b = mask_a[a.slice_index], mask_b[a.slice_index]
    lacking = [name for name, drawn in ((pair.first, slice_a), (pair.second, slice_b)) if not drawn.any()]
    if lacking:
        return None, (Flag("agree-side-missing", ", ".join(lacking), pair.side),)
    return overlap(slice_a, slice_b, a.mask.geometry.spacing_mm[1:]), ()


def _is_swapped(a: Outline, b: Outline, side: Side) -> bool:
    other = SIDES["right" if side == "left" else "left"]
    crossed = overlap(
        a.mask.labels[a.slice_index] == SIDES[side],
        b.mask.labels[a.slice_index] == other,
        a.mask.geometry.spacing_mm[1:],
    )
    return crossed is not None and crossed.dice > SWAPPED_DICE


def _in_volume(
    mask_a: BoolArray, mask_b: BoolArray, a: Outline, b: Outline
) -> tuple[Overlap | None, int | None]:
    """Over the slices that both raters worked on; None unless both outlined more than one of them."""
    depth = len(mask_a)
    ranges = [range(depth) if one.is_whole else _outlined(one) for one in (a, b)]
    start, stop = max(r.start for r in ranges), min(r.stop for r in ranges)
    part_a, part_b = mask_a[start:stop], mask_b[start:stop]
    if any(int(part.any(axis=(1, 2)).sum()) < 2 for part in (part_a, part_b)):
        return None, None
    both = part_a.any(axis=(1, 2)) | part_b.any(axis=(1, 2))
    found = overlap(part_a, part_b, a.mask.geometry.spacing_mm)
    if (
        found is not None and a.mask.geometry.is_sheared
    ):  # its axes are no measure of distances between slices
        found = Overlap(found.dice, None, None)
    return found, int(both.sum())


def _outlined(outline: Outline) -> range:
    """From the first to the last slice with either side."""
    rows = np.flatnonzero(np.isin(outline.mask.labels, list(SIDES.values())).any(axis=(1, 2)))
    return range(int(rows[0]), int(rows[-1]) + 1) if len(rows) else range(0)


def _shared(raters: Sequence[Rater], quantity: Quantity, cases: Sequence[Case]) -> list[Case]:
    """The cases that all raters have read."""

    def has_read(readings: Mapping[str, Reading], case: Case) -> bool:
        return case.case_id in readings and quantity in readings[case.case_id].area_mm2

    return [case for case in cases if all(has_read(rater.readings, case) for rater in raters)]


def _comparison(raters: Sequence[Rater], quantity: Quantity, cases: Sequence[Case]) -> Comparison:
    shared = _shared(raters, quantity, cases)
    n = len(shared)
    table = np.array([[r.readings[c.case_id].area_mm2[quantity] for r in raters] for c in shared])
    bare = Comparison(tuple(r.name for r in raters), quantity, n)
    if n == 0:
        return bare
    notes = [Flag("agree-few-cases", f"{n} cases")] if n < ENOUGH_CASES else []
    notes += [Flag("agree-not-independent", rater.name) for rater in raters if rater.saw_automatic]
    if max(Counter(case.patient_id for case in shared).values()) > 1:
        notes.append(Flag("agree-patients-repeated", ""))
    if n >= MIN_CASES and not np.ptp(table, axis=0).any():
        notes.append(Flag("agree-constant", ""))
    enough = n >= MIN_CASES
    return replace(
        bare,
        mean_mm2=float(table.mean()),
        limits=bland_altman(table[:, 0], table[:, 1]) if enough and len(raters) == 2 else None,
        reliability=reliability(table) if enough else None,
        notes=tuple(notes),
    )
