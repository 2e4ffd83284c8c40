"""Build regular stacks of slices from their positions (never from Slice Thickness)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from glutseg.dicom.grid import grid_of
from glutseg.dicom.model import SeriesProblem, SliceHeader
from glutseg.dicom.slice_runs import (
    DUPLICATE_TOLERANCE_MM,
    Ends,
    SliceRun,
    SliceRuns,
    find_runs,
    goes_on_at,
    normal_of,
    order_of,
    positions_mm,
)
from glutseg.errors import Flag
from glutseg.image import Geometry

UNIT_TOLERANCE = 0.01
"""Tolerance for unit length and right angles of cosines: some writers round to two decimals."""

ORIENTATION_TOLERANCE = 0.001
"""Tolerance for cosines within a stack: 0.5 mm at the far edge of a 500 mm image."""

PIXEL_SPACING_TOLERANCE = 0.001
"""Relative tolerance for pixel spacing within a stack: 0.2 % of an area."""

PIXEL_SPACING_RANGE_MM = (0.01, 10.0)
"""Plausible pixel spacing of CT; a value outside is treated as missing."""

ONE_ACQUISITION_SHARE = 0.9
"""One acquisition is used alone if it covers this share of all slices: acquisitions of the same region
(contrast phases, repeated scans) are never interleaved; those that follow one another (sequential scanning)
are one stack."""

MAX_STEP_MM = 20.0
"""Slices further apart are no series, whatever the protocol allows (`glutseg.protocol.SeriesRule`)."""

MAX_FEW_SLICES = 8
"""An export of what somebody measured: kept together whatever the distances. Of more slices nobody can know
which one it was. Chosen; see `glutseg.dicom.given`."""

MAX_NAMED = 5
"""Number of gaps that a message lists."""

MIN_COVERAGE_MM = 60.0
"""Shortest useful stack: the distance from the tops of the femoral heads to the trochanters is about this."""


@dataclass(frozen=True)
class Stack:
    """Slices in order with their grid; see `glutseg.dicom.model.Series` for the attributes."""

    slices: tuple[SliceHeader, ...]
    grid_indices: tuple[int, ...]
    geometry: Geometry | None
    flags: tuple[Flag, ...] = ()
    problem: SeriesProblem | None = None
    duplicates: tuple[SliceHeader, ...] = ()
    goes_on_at: Ends = (None, None)


@dataclass(frozen=True)
class _FoundRun:
    """A run with the search result that it belongs to."""

    run: SliceRun
    runs: SliceRuns
    n_acquisitions: int


def build_stacks(reconstructions: Sequence[Sequence[SliceHeader]]) -> tuple[Stack, ...]:
    """Find the regular stacks among the images of a series, in any order.

    Parameters
    ----------
    reconstructions : the images, grouped by reconstruction (kernel, image type, thickness), which are never
        combined in one stack

    Returns
    -------
    tuple of Stack
        The largest, and all others that are long enough for hips: two phases or reconstructions with one UID,
        or the slices before and after a long gap. If there is no ``geometry``, ``problem`` is
        ``geometry-missing`` or ``geometry-irregular``. Flags: ``series-mixed``, ``slice-duplicate``,
        ``series-gap``, ``positions-rounded``, ``gantry-tilt``.
    """
    everything = [s for group in reconstructions for s in group]
    matrix_groups = [
        matrix_group
        for group in reconstructions
        for matrix_group in _groups_of_one_matrix([s for s in group if _has_valid_geometry(s)])
    ]
    if not matrix_groups:
        problem = SeriesProblem("geometry-missing", _missing_geometry(everything))
        return (Stack((), (), None, problem=problem),)
    parts = [part for matrix_group in matrix_groups for part in _parts(matrix_group)]
    parts.sort(key=_rank)
    kept = [parts[0], *(p for p in parts[1:] if p.run.coverage_mm >= MIN_COVERAGE_MM)]
    if few := _few_slices(matrix_groups, parts[0]):
        return (few,)
    return tuple(_stack(part, len(everything)) for part in kept)


def _rank(part: _FoundRun) -> tuple[bool, int, float, tuple[bool, int, str, str, int]]:
    """Axial slices first: a localizer may have as many images as there are slices beside it."""
    run = part.run
    is_axial = int(np.argmax(np.abs(normal_of(run.slices[0])))) == 2
    return not is_axial, -len(run.slices), -round(run.coverage_mm, 3), order_of(run.slices[0])


def _few_slices(matrix_groups: Sequence[list[SliceHeader]], longest: _FoundRun) -> Stack | None:
    """A few slices at irregular distances, all of them: no stack, but each may be measured alone."""
    run = longest.run
    if len(run.slices) == longest.runs.n_positions:
        return None
    step_mm = run.coverage_mm / max(1, run.grid_indices[-1])
    if run.coverage_mm >= MIN_COVERAGE_MM and step_mm <= MAX_STEP_MM:
        return None
    own = next(group for group in matrix_groups if run.slices[0] in group)
    n_positions = longest.runs.n_positions
    if n_positions > MAX_FEW_SLICES or len(own) != n_positions:
        return None
    slices = tuple(sorted(own, key=lambda s: float(positions_mm((s,))[0] @ normal_of(own[0]))))
    ends = positions_mm((slices[0], slices[-1]))
    message = f"{len(slices)} slices at irregular distances over {np.linalg.norm(ends[1] - ends[0]):.0f} mm"
    problem = SeriesProblem("geometry-irregular", message)
    return Stack(slices, tuple(range(len(slices))), None, problem=problem)


def _stack(part: _FoundRun, n_images: int) -> Stack:
    run, runs = part.run, part.runs
    beyond = goes_on_at(run, [other for other in runs.runs if other is not run])
    flags: list[Flag] = []
    n_duplicates = len(runs.duplicates)
    n_other = n_images - runs.n_positions - n_duplicates
    if n_other:
        flags.append(Flag("series-mixed", _mixed_message(n_images, n_other, part.n_acquisitions)))
    if n_duplicates:
        copies = f", {runs.n_copies} of them with its UID" if runs.n_copies else ""
        message = f"{n_duplicates} images have the position of another one{copies}"
        flags.append(Flag("slice-duplicate", message))
    if run.n_missing or len(run.slices) < runs.n_positions:
        flags.append(Flag("series-gap", _gap_message(run, runs.n_positions, beyond)))
    grid, more = grid_of(run)
    if run.rounding_mm and isinstance(grid, Geometry):
        message = (
            f"the slices' positions are rounded to {run.rounding_mm:g} mm; "
            f"they are taken to lie every {grid.spacing_mm[0]:.4g} mm"
        )
        flags.append(Flag("positions-rounded", message))
    if isinstance(grid, SeriesProblem):
        return Stack(run.slices, run.grid_indices, None, (*flags, *more), grid)
    return Stack(
        run.slices,
        run.grid_indices,
        grid,
        (*flags, *more),
        duplicates=runs.duplicates,
        goes_on_at=beyond,
    )


def _has_valid_geometry(header: SliceHeader) -> bool:
    if header.position_mm is None or header.orientation is None or header.pixel_spacing_mm is None:
        return False
    low, high = PIXEL_SPACING_RANGE_MM
    if not all(low <= s <= high for s in header.pixel_spacing_mm):
        return False
    cosines = np.array(header.orientation, dtype=float)
    row, column = cosines[:3], cosines[3:]
    lengths_ok = all(abs(float(np.linalg.norm(v)) - 1) <= UNIT_TOLERANCE for v in (row, column))
    return lengths_ok and abs(float(row @ column)) <= UNIT_TOLERANCE


def _missing_geometry(slices: Sequence[SliceHeader]) -> str:
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


def _mixed_message(n_images: int, n_other: int, n_acquisitions: int) -> str:
    if n_acquisitions > 1:
        return (
            f"{n_acquisitions} acquisitions cover the same region, one is used: "
            f"{n_images - n_other} of {n_images} images"
        )
    return (
        f"{n_other} of {n_images} images differ in orientation, matrix, pixel spacing, kind or reconstruction"
    )


def _gap_message(run: SliceRun, n_positions: int, beyond: Ends) -> str:
    parts = []
    z_mm = run.positions_mm[:, 2]
    if run.n_missing:
        gaps = [i for i, n in enumerate(np.diff(run.grid_indices)) if n > 1]
        gap_texts = ", ".join(f"z {z_mm[i]:.1f} and {z_mm[i + 1]:.1f}" for i in gaps[:MAX_NAMED])
        more = " …" if len(gaps) > MAX_NAMED else ""
        parts.append(f"{run.n_missing} slices are missing, between {gap_texts}{more} mm")
    if len(run.slices) < n_positions:
        step_z_mm = (z_mm[-1] - z_mm[0]) / max(1, run.grid_indices[-1])
        pairs = (
            sorted((z_mm[0] + place * step_z_mm, z_mm[end]))
            for place, end in zip(beyond, (0, -1), strict=True)
            if place is not None
        )
        ends = [f"z {low:.1f} and {high:.1f} mm" for low, high in pairs]
        why = (
            f"no image shows what lies between {' and between '.join(ends)}"
            if ends
            else "the spacing changes"
        )
        parts.append(f"{why}; {len(run.slices)} of {n_positions} slices lie on this grid")
    return "; ".join(parts)


def _groups_of_one_matrix(slices: list[SliceHeader]) -> list[list[SliceHeader]]:
    """Group the slices that fit into one array: same kind, matrix, pixel spacing and orientation."""
    exact = sorted(slices, key=lambda s: (_kind(s), order_of(s)))
    return [g for _, members in groupby(exact, key=_kind) for g in _close_groups(list(members))]


def _kind(header: SliceHeader) -> tuple[str, int, int, int]:
    return header.sop_class_uid, header.rows, header.columns, header.samples


def _close_groups(slices: list[SliceHeader]) -> list[list[SliceHeader]]:
    orientations = np.array([s.orientation for s in slices])
    spacings = np.array([s.pixel_spacing_mm for s in slices])
    ungrouped = np.ones(len(slices), dtype=bool)
    groups = []
    while ungrouped.any():
        first = int(np.argmax(ungrouped))
        close = ungrouped & (np.abs(orientations - orientations[first]).max(axis=1) <= ORIENTATION_TOLERANCE)
        close &= (np.abs(spacings / spacings[first] - 1) <= PIXEL_SPACING_TOLERANCE).all(axis=1)
        groups.append([slices[i] for i in np.flatnonzero(close)])
        ungrouped &= ~close
    return groups


def _parts(slices: list[SliceHeader]) -> list[_FoundRun]:
    """Find the runs of all slices together, or of each acquisition if two cover the same region."""
    together = find_runs(slices)
    by_number = sorted(slices, key=lambda s: (s.acquisition_number is None, s.acquisition_number or 0))
    groups = [list(g) for _, g in groupby(by_number, key=lambda s: s.acquisition_number)]
    if len(groups) > 1:
        separate = [find_runs(g) for g in groups]
        longest = max((runs.runs[0] for runs in separate), key=lambda run: (len(run.slices), run.coverage_mm))
        is_enough = longest.coverage_mm >= ONE_ACQUISITION_SHARE * together.runs[0].coverage_mm
        n_within = sum(any(_is_within(s, longest) for s in g) for g in groups)
        if len(longest.slices) > 1 and is_enough and n_within > 1:
            return [_FoundRun(run, runs, n_within) for runs in separate for run in runs.runs]
    return [_FoundRun(run, together, 1) for run in together.runs]


def _is_within(header: SliceHeader, run: SliceRun) -> bool:
    """Whether a slice lies between the ends of a run, along the normal."""
    low, high, own = positions_mm((run.slices[0], run.slices[-1], header)) @ normal_of(run.slices[0])
    return bool(low - DUPLICATE_TOLERANCE_MM <= own <= high + DUPLICATE_TOLERANCE_MM)
