"""Measures a corrected mask or level by the same functions as an automatic one."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from glutseg.case import measure_outlines
from glutseg.image import LABELS, SIDES, CtImage, LabelArray, Mask, Side
from glutseg.measurement import check_grid
from glutseg.protocol import Protocol
from glutseg.result import CaseResult, Level, MuscleResult
from glutseg.review.record import Change, Figures
from glutseg.segmentation import OutlineQuality, Outlines
from glutseg.segmentation.evidence import Evidence

BY_HAND = "slice"
"""Name of a level that is given as a slice, as in a protocol."""


@dataclass(frozen=True)
class Remeasured:
    """A result measured on a correction, and its differences to the automatic outlines."""

    result: CaseResult
    changes: dict[Side, Change]

    @property
    def figures(self) -> Figures:
        """The part of the result that is written with the decision.

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


def level_at(automatic: CaseResult, image: CtImage, slice_index: int) -> Level:
    """The automatic level if it lies on the slice, else a level by hand.

    Raises
    ------
    GlutsegError
        ``level-outside``; ``level-in-gap`` where no image shows the slice.
    """
    image.check_slice(slice_index)
    if automatic.level is not None and automatic.level.slice_index == slice_index:
        return automatic.level
    landmarks = {} if automatic.level is None else automatic.level.landmarks_mm
    return Level(BY_HAND, slice_index, image.geometry.slice_z_mm(slice_index), landmarks)


def remeasure(
    automatic: CaseResult,
    automatic_mask: Mask | None,
    image: CtImage,
    mask: Mask,
    slice_index: int,
    protocol: Protocol,
) -> Remeasured:
    """Measure a case on a corrected mask and level.

    What is known of the error of outlines that were not changed stays; that of changed ones is unknown.

    Parameters
    ----------
    automatic, automatic_mask : the automatic result; no mask where the case failed
    image, mask : on the same grid
    slice_index : of the level, in canonical order

    Raises
    ------
    GlutsegError
        ``muscle-not-found`` when no side has a pixel on the slice; ``geometry-mismatch``;
        ``level-outside``, ``level-in-gap``.
    """
    check_grid(image, mask)
    level = level_at(automatic, image, slice_index)
    before = np.zeros_like(mask.labels) if automatic_mask is None else automatic_mask.labels
    mask = mask.cleared(image.missing_slices)
    drawn = _drawn_slices(before, mask.labels)
    now, then = mask.labels[drawn], before[drawn]
    is_moved = level is not automatic.level
    quality = {
        (record.muscle, record.side): OutlineQuality(
            record.agreement,
            record.edge_support,
            other_area_mm2=record.other_area_mm2,
            where=record.differs_at,
            evidence=_evidence_of(record),
            error_bound_percent=record.error_bound_percent,
        )
        for record in automatic.muscles
        if not is_moved and _is_untouched(then, now, LABELS[record.muscle][record.side])
    }
    base = replace(automatic, error_code="", error_message="", traceback="")
    measured = measure_outlines(base, image, Outlines(mask, quality), level, protocol)
    result = replace(measured, status="ok")  # a person has checked it
    return Remeasured(result, _changes(automatic, result, before, mask.labels, drawn))


def _evidence_of(record: MuscleResult) -> Evidence | None:
    """As the record keeps it."""
    measures = record.uncertainty_measures
    return Evidence(record.muscle, **measures) if measures else None


def _is_untouched(before: LabelArray, after: LabelArray, label: int) -> bool:
    return not ((before == label) != (after == label)).any()


def _drawn_slices(*masks: LabelArray) -> slice:
    """From the first to the last slice on which anything is drawn: a mask is mostly empty."""
    slices = np.nonzero(np.logical_or.reduce([labels.any(axis=(1, 2)) for labels in masks]))[0]
    return slice(int(slices[0]), int(slices[-1]) + 1) if len(slices) else slice(0, 0)


def _changes(
    automatic: CaseResult, corrected: CaseResult, before: LabelArray, after: LabelArray, drawn: slice
) -> dict[Side, Change]:
    at = corrected.level.slice_index if corrected.level else 0
    return {
        side: Change(
            area_automatic_mm2=_known(automatic.area_mm2(side)),
            area_mm2=_known(corrected.area_mm2(side)),
            dice=dice(before[at] == label, after[at] == label),
            dice_all_slices=dice(before[drawn] == label, after[drawn] == label),
        )
        for side, label in SIDES.items()
    }


def _known(area_mm2: float | None) -> float:
    return float("nan") if area_mm2 is None else area_mm2


def dice(
    a: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], b: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> float:
    """2 |A and B| / (|A| + |B|); NaN where one of the two is empty."""
    n_a, n_b = int(np.count_nonzero(a)), int(np.count_nonzero(b))
    return 2 * int(np.count_nonzero(a & b)) / (n_a + n_b) if n_a and n_b else float("nan")
