"""RT Structure Set: closed lines in the planes of the images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from glutseg.dicom.text import clean_text, get, integer, items, text
from glutseg.errors import GlutsegError
from glutseg.exchange.foreign import ContourMask, Line, Region
from glutseg.exchange.terms import Term, term_of_codes

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
MAX_POINTS = 20_000_000


def read(dataset: Dataset, path: Path) -> ContourMask:
    """Every ROI with its closed lines; points and open lines are left out.

    Raises
    ------
    GlutsegError
        ``mask-unreadable``.
    """
    observations = {
        integer(item, "ReferencedROINumber"): item for item in items(dataset, "RTROIObservationsSequence")
    }
    regions, frames = [], set()
    for item in items(dataset, "StructureSetROISequence"):
        number = integer(item, "ROINumber")
        if number is None:
            continue
        name = clean_text(text(item, "ROIName"))
        regions.append(Region(number, name, _term(observations.get(number, Dataset()), name)))
        frames.add(text(item, "ReferencedFrameOfReferenceUID"))
    lines: dict[int, tuple[Line, ...]] = {}
    n_points = 0
    for item in items(dataset, "ROIContourSequence"):
        number = integer(item, "ReferencedROINumber")
        if number is None:
            continue
        found = tuple(_line(c, path) for c in items(item, "ContourSequence") if _is_closed(c))
        n_points += sum(len(line) for line in found)
        if n_points > MAX_POINTS:
            raise GlutsegError("mask-unreadable", "the lines have too many points", str(path))
        lines[number] = lines.get(number, ()) + found
    if not regions:
        raise GlutsegError("mask-unreadable", "the structure set has no ROI", str(path))
    if len(frames) > 1:
        raise GlutsegError("mask-unplaceable", "its ROIs lie in several frames of reference", str(path))
    stated = frames.pop() or next(
        (text(f, "FrameOfReferenceUID") for f in items(dataset, "ReferencedFrameOfReferenceSequence")), ""
    )
    return ContourMask(tuple(regions), lines, stated)


def _is_closed(contour: Dataset) -> bool:
    return (
        text(contour, "ContourGeometricType") in CLOSED
        and (integer(contour, "NumberOfContourPoints") or 3) >= 3
    )


def _line(contour: Dataset, path: Path) -> Line:
    values: Any = get(contour, "ContourData")
    try:
        points = np.array([float(v) for v in values or ()], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise GlutsegError("mask-unreadable", "a point is no number", str(path)) from error
    if len(points) < 9 or len(points) % 3 or not np.isfinite(points).all():
        raise GlutsegError("mask-unreadable", "a line has no whole points", str(path))
    return points.reshape(-1, 3)


def _term(observation: Dataset, name: str) -> Term | None:
    for kind in items(observation, "RTROIIdentificationCodeSequence"):
        modifiers = items(kind, "SegmentedPropertyTypeModifierCodeSequence")
        codes = tuple(text(m, "CodeValue") for m in modifiers)
        return term_of_codes(text(kind, "CodeValue"), codes, name)
    return None
