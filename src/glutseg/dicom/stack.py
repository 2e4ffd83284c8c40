"""From loose slices to regular stacks, by their positions alone (never by Slice Thickness)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from glutseg.dicom.grid import grid_of
from glutseg.dicom.model import SeriesProblem, SliceHeader
from glutseg.dicom.runs import DUPLICATE_TOLERANCE_MM, Run, Runs, find_runs, normal_of, order_of, positions_mm
from glutseg.errors import Flag
from glutseg.image import Geometry

UNIT_TOLERANCE = 0.01
"""Cosines must be of unit length and at right angles within this: some writers round to two decimals."""

ORIENTATION_TOLERANCE = 0.001
"""Slices of one stack agree in every cosine within this: 0.5 mm at the far edge of a 500 mm picture."""

PIXEL_SPACING_TOLERANCE = 0.001
"""... and in pixel spacing within this share: 0.2 % of an area."""

PIXEL_SPACING_RANGE_MM = (0.01, 10.0)
"""No CT pixel is smaller or larger; a value outside is taken as missing."""

ONE_ACQUISITION_SHARE = 0.9
"""An acquisition alone is used when it covers this share of all: two acquisitions (contrast phases,
repeated scans) that share their places are never interleaved, while those that follow one another
(sequential scanning) make one stack."""

MIN_COVERAGE_MM = 60.0
"""Hips from the femoral heads' tops to the trochanters span about this; less shows no pair of them whole."""


@dataclass(frozen=True)
class Stack:
    """Slices in order, their places on a grid and the grid; see `glutseg.dicom.model.Series`."""

    slices: tuple[SliceHeader, ...]
    places: tuple[int, ...]
    geometry: Geometry | None
    flags: tuple[Flag, ...] = ()
    problem: SeriesProblem | None = None


@dataclass(frozen=True)
class _Part:
    """One run, and how it came to be one."""

    run: Run
    of: Runs
    n_acquisitions: int


def build_stacks(reconstructions: Sequence[Sequence[SliceHeader]]) -> tuple[Stack, ...]:
    """The regular stacks among the images of a series, whatever order they come in.

    Parameters
    ----------
    reconstructions : the images, those of one reconstruction (kernel, image type, thickness) together:
        images of two are never in one stack

    Returns
    -------
    tuple of Stack
        At least one: the largest. More where others are long enough for hips: two phases or
        reconstructions under one UID, or the pieces before and after a long gap. Where there is no
        ``geometry``, ``problem`` is ``geometry-missing`` or ``geometry-irregular``. Flags:
        ``series-mixed``, ``slice-duplicate``, ``series-gap``, ``gantry-tilt``.
    """
    everything = [s for group in reconstructions for s in group]
    families = [family for group in reconstructions for family in _alike([s for s in group if _is_placed(s)])]
    if not families:
        problem = SeriesProblem("geometry-missing", _what_is_missing(everything))
        return (Stack((), (), None, problem=problem),)
    parts = [part for family in families for part in _parts(family)]
    parts.sort(key=lambda p: (-len(p.run.slices), -round(p.run.coverage_mm, 3), order_of(p.run.slices[0])))
    kept = [parts[0], *(p for p in parts[1:] if p.run.coverage_mm >= MIN_COVERAGE_MM)]
    return tuple(_stack(part, len(everything)) for part in kept)


def _stack(part: _Part, n_images: int) -> Stack:
    run, of = part.run, part.of
    flags: list[Flag] = []
    n_other = n_images - of.n_positions - of.n_duplicates
    if n_other:
        flags.append(Flag("series-mixed", _mixed_message(n_images, n_other, part.n_acquisitions)))
    if of.n_duplicates:
        copies = f", {of.n_copies} of them with its UID" if of.n_copies else ""
        message = f"{of.n_duplicates} images lie at the place of another{copies}"
        flags.append(Flag("slice-duplicate", message))
    if run.n_missing or len(run.slices) < of.n_positions:
        flags.append(Flag("series-gap", _gap_message(run, of.n_positions)))
    grid, more = grid_of(run)
    if isinstance(grid, SeriesProblem):
        return Stack(run.slices, run.places, None, (*flags, *more), grid)
    return Stack(run.slices, run.places, grid, (*flags, *more))


def _is_placed(header: SliceHeader) -> bool:
    if header.position_mm is None or header.orientation is None or header.pixel_spacing_mm is None:
        return False
    low, high = PIXEL_SPACING_RANGE_MM
    if not all(low <= s <= high for s in header.pixel_spacing_mm):
        return False
    cosines = np.array(header.orientation, dtype=float)
    row, column = cosines[:3], cosines[3:]
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


def _mixed_message(n_images: int, n_other: int, n_acquisitions: int) -> str:
    if n_acquisitions > 1:
        return (
            f"{n_acquisitions} acquisitions share their places, one is used: "
            f"{n_images - n_other} of {n_images} images"
        )
    return (
        f"{n_other} of {n_images} images differ in orientation, matrix, pixel spacing, kind or reconstruction"
    )


def _gap_message(run: Run, n_positions: int) -> str:
    parts = []
    if run.n_missing:
        heights = positions_mm(run.slices)[:, 2]
        gaps = [k for k, n in enumerate(np.diff(run.places)) if n > 1]
        words = ", ".join(f"z {heights[k]:.1f} and {heights[k + 1]:.1f}" for k in gaps[:5])
        more = " …" if len(gaps) > 5 else ""
        parts.append(f"{run.n_missing} slices are missing, between {words}{more} mm")
    if len(run.slices) < n_positions:
        parts.append(f"the spacing changes; {len(run.slices)} of {n_positions} slices lie on this grid")
    return "; ".join(parts)


def _alike(slices: list[SliceHeader]) -> list[list[SliceHeader]]:
    """Those that can lie in one array: same kind, matrix, pixel spacing and orientation."""
    exact = sorted(slices, key=lambda s: (_kind(s), order_of(s)))
    return [g for _, members in groupby(exact, key=_kind) for g in _close_groups(list(members))]


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


def _parts(slices: list[SliceHeader]) -> list[_Part]:
    """The runs of all slices together, or of each acquisition where two share their places."""
    together = find_runs(slices)
    by_number = sorted(slices, key=lambda s: (s.acquisition_number is None, s.acquisition_number or 0))
    groups = [list(g) for _, g in groupby(by_number, key=lambda s: s.acquisition_number)]
    if len(groups) > 1:
        apart = [find_runs(g) for g in groups]
        alone = max((runs.runs[0] for runs in apart), key=lambda run: (len(run.slices), run.coverage_mm))
        is_enough = alone.coverage_mm >= ONE_ACQUISITION_SHARE * together.runs[0].coverage_mm
        n_within = sum(any(_is_within(s, alone) for s in g) for g in groups)
        if len(alone.slices) > 1 and is_enough and n_within > 1:
            return [_Part(run, runs, n_within) for runs in apart for run in runs.runs]
    return [_Part(run, together, 1) for run in together.runs]


def _is_within(header: SliceHeader, run: Run) -> bool:
    """Whether a slice lies between the ends of a run, along the normal."""
    low, high, own = positions_mm((run.slices[0], run.slices[-1], header)) @ normal_of(run.slices[0])
    return bool(low - DUPLICATE_TOLERANCE_MM <= own <= high + DUPLICATE_TOLERANCE_MM)
