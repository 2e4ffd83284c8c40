"""Find the one series given by the user, without choosing among several."""

from __future__ import annotations

from glutseg.dicom.choose import NOT_HU_WORDS
from glutseg.dicom.given import given_slice
from glutseg.dicom.model import MEASURED_CLASSES, Index, Series
from glutseg.errors import GlutsegError

MAX_NAMED = 5
"""Number of UIDs in a message; ``glutseg scan`` lists them all."""


def single_series(index: Index, series_uid: str | None = None) -> Series:
    """Return the series with that UID, or the only CT series in HU.

    A series of a single image gets a grid of one slice with the slice thickness of the header (1 mm if it is
    missing): enough for an area, not for a volume.

    Raises
    ------
    GlutsegError
        ``series-unknown``, ``series-ambiguous``, ``no-ct``; ``input-empty`` if there is no study.
    """
    everything = [s for study in index.studies for s in study.series if s.part == 1]
    index.check_not_empty()
    if series_uid is None:
        found = [s for s in map(_with_grid, everything) if s.geometry is not None and _is_hu(s)]
    else:
        found = [_with_grid(s) for s in everything if s.series_uid == series_uid]
        if not found:
            raise GlutsegError("series-unknown", f"none of {len(everything)} series has this UID", series_uid)
    if len(found) > 1:
        uids = ", ".join(s.series_uid or "(no UID)" for s in found[:MAX_NAMED])
        more = ", …" if len(found) > MAX_NAMED else ""
        raise GlutsegError("series-ambiguous", f"{len(found)} series: {uids}{more}", str(index.root))
    if not found or found[0].sop_class_uid not in MEASURED_CLASSES:
        raise GlutsegError("no-ct", "no CT series with a regular stack of slices", str(index.root))
    return found[0]


def _is_hu(series: Series) -> bool:
    return series.sop_class_uid in MEASURED_CLASSES and not set(NOT_HU_WORDS) & set(series.image_type)


def _with_grid(series: Series) -> Series:
    """The series itself, or a series of a single image on a grid of one slice."""
    if series.geometry is not None or len(series.slices) != 1 or series.n_images != 1:
        return series
    return given_slice(series) or series
