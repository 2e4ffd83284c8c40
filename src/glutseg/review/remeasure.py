"""A corrected mask or level, measured by the same functions as an automatic one."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from glutseg import dicom
from glutseg.case import doubts, with_figures
from glutseg.errors import Flag, GlutsegError
from glutseg.image import LABELS, SIDES, LabelArray, Mask, Muscle, Side
from glutseg.protocol import Protocol
from glutseg.result import CaseResult, Level
from glutseg.review.record import Change, Figures

MEASURED_ANEW = frozenset(
    {
        "profile-incomplete",
        "metal",
        "metal-streaks",
        "muscle-cut-by-fov",
        "muscle-not-found",
        "muscle-incomplete",
        "size-implausible",
        "density-implausible",
        "muscle-fatty",
        "slices-disagree",
        "sides-differ",
    }
)
"""Flags that a look at images and mask decides: an old one goes, a new one may come."""
OF_THE_OUTLINE = frozenset({"outline-doubtful", "edge-invisible", "outline-repaired"})
"""Doubts about how an outline was found; they go where a person drew another one."""
OF_THE_LEVEL = frozenset({"level-moved", "level-one-sided", "level-doubtful"})
"""They go where a person chose another slice."""
BY_HAND = "slice"
"""Name of a level chosen by its slice, as in a protocol."""


@dataclass(frozen=True)
class Remeasured:
    """A result with corrected figures, and how far the two outlines are from the automatic ones."""

    result: CaseResult
    changes: dict[Side, Change]

    @property
    def figures(self) -> Figures:
        """What of the result is written with the decision.

        Raises
        ------
        ValueError
            When there is no level.
        """
        r = self.result
        if r.level is None:
            msg = "nothing is measured without a level"
            raise ValueError(msg)
        return Figures(**{one.name: getattr(r, one.name) for one in fields(Figures)})


def level_at(automatic: CaseResult, loaded: dicom.LoadedSeries, slice_index: int) -> Level:
    """The automatic level where it is that slice, else one by hand.

    Raises
    ------
    GlutsegError
        ``level-outside``; ``level-in-gap`` where no image shows the slice.
    """
    geometry = loaded.volume.geometry
    if not 0 <= slice_index < geometry.shape[0]:
        raise GlutsegError(
            "level-outside", f"slice {slice_index}, the series has 0 to {geometry.shape[0] - 1}"
        )
    if slice_index in loaded.missing:
        raise GlutsegError("level-in-gap", f"no image shows slice {slice_index}")
    if automatic.level is not None and automatic.level.slice_index == slice_index:
        return automatic.level
    landmarks = {} if automatic.level is None else automatic.level.landmarks_mm
    return Level(BY_HAND, slice_index, geometry.slice_z_mm(slice_index), landmarks)


def remeasure(
    automatic: CaseResult,
    automatic_mask: Mask | None,
    loaded: dicom.LoadedSeries,
    mask: Mask,
    slice_index: int,
    protocol: Protocol,
) -> Remeasured:
    """Measure a case on a corrected mask and level.

    Parameters
    ----------
    automatic, automatic_mask : what the program found; no mask where it failed
    loaded, mask : on one grid, in the series' own order
    slice_index : of the level, in the same order

    Raises
    ------
    GlutsegError
        ``muscle-not-found`` when no side has a pixel on the slice; ``geometry-mismatch``;
        ``level-outside``, ``level-in-gap``.
    """
    if not loaded.volume.geometry.matches(mask.geometry):
        raise GlutsegError("geometry-mismatch", "the mask is not on the grid of the series")
    level = level_at(automatic, loaded, slice_index)
    before = np.zeros_like(mask.labels) if automatic_mask is None else automatic_mask.labels
    mask = mask.cleared(loaded.missing)
    is_moved = automatic.level is None or automatic.level.slice_index != slice_index
    drawn = _drawn_slices(before, mask.labels)
    now, then = mask.labels[drawn], before[drawn]
    touched = {
        (muscle, side): is_moved or bool(((now == label) != (then == label)).any())
        for muscle, sides in LABELS.items()
        for side, label in sides.items()
    }
    result = replace(
        automatic,
        status="ok",
        error_code="",
        error_message="",
        traceback="",
        level=level,
        flags=tuple(f for f in automatic.flags if _stays(f, touched, is_moved=is_moved)),
        confidence={s: c for s, c in automatic.confidence.items() if not touched["maximus", s]},
        other_confidence={
            m: {s: c for s, c in sides.items() if not touched[m, s]}
            for m, sides in automatic.other_confidence.items()
        },
    )
    result = with_figures(result, slice_index, loaded, mask, protocol)
    known = replace(result, profile=tuple(p for p in result.profile if p.measurement.area_mm2 > 0))
    found = doubts(known, slice_index, loaded, mask, {}, {})
    result = replace(result, flags=tuple(dict.fromkeys(result.flags + found)))
    return Remeasured(result, _changes(automatic, result, before, mask.labels, slice_index, drawn))


def _drawn_slices(*masks: LabelArray) -> slice:
    """From the first to the last slice on which anything is drawn: a mask is mostly empty."""
    slices = np.nonzero(np.logical_or.reduce([labels.any(axis=(1, 2)) for labels in masks]))[0]
    return slice(int(slices[0]), int(slices[-1]) + 1) if len(slices) else slice(0, 0)


def _stays(flag: Flag, touched: dict[tuple[Muscle, Side], bool], *, is_moved: bool) -> bool:
    if flag.code in MEASURED_ANEW or flag.code == "other-muscle-doubtful":
        return False  # those of the other muscles are given anew to every one
    if flag.code in OF_THE_LEVEL:
        return not is_moved
    return not (flag.code in OF_THE_OUTLINE and any(touched["maximus", s] for s in SIDES if s == flag.side))


def _changes(
    automatic: CaseResult, corrected: CaseResult, before: LabelArray, after: LabelArray, k: int, drawn: slice
) -> dict[Side, Change]:
    return {
        side: Change(
            area_automatic_mm2=_area_mm2(automatic, side),
            area_mm2=_area_mm2(corrected, side),
            dice=dice(before[k] == label, after[k] == label),
            dice_whole=dice(before[drawn] == label, after[drawn] == label),
        )
        for side, label in SIDES.items()
    }


def _area_mm2(result: CaseResult, side: Side) -> float:
    measured = result.measurements.get(side)
    return float("nan") if measured is None else measured.area_mm2


def dice(
    a: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], b: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> float:
    """2 |A and B| / (|A| + |B|); NaN where one of the two is empty."""
    n_a, n_b = int(np.count_nonzero(a)), int(np.count_nonzero(b))
    return 2 * int(np.count_nonzero(a & b)) / (n_a + n_b) if n_a and n_b else float("nan")
