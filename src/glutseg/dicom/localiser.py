"""A first look at a long series: every n-th slice, so that most of the others need never be decoded."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from glutseg.dicom.gaps import fill_missing
from glutseg.dicom.model import LoadedSeries, Series
from glutseg.dicom.odd import odd_flags
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.read import pixel_flags
from glutseg.dicom.slices import Fetch, SliceHU, already_local, check_size, decode_all
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry

STEP_MM = 7.0
"""At most between two slices that are looked at: a femoral head shows in seven of them."""
MIN_SLICES = 60
"""Of a series that is worth a first look."""
AXIS_TOLERANCE = 1e-3
"""Of every cosine: the axes of the slices are the patient's."""


@dataclass(frozen=True)
class Localiser:
    """Every n-th slice of a series without gaps.

    Attributes
    ----------
    places : of the slices looked at, in the order of the series
    slices : those slices
    volume : nothing but those slices, on a grid of their own
    fetch : for the files of the others
    """

    series: Series
    geometry: Geometry
    places: range
    slices: tuple[SliceHU, ...]
    volume: CtImage
    fetch: Fetch = already_local


def read_localiser(series: Series, fetch: Fetch = already_local) -> Localiser | None:
    """Read every n-th slice.

    Parameters
    ----------
    fetch : called with the slices that are read, before they are

    Returns
    -------
    Localiser or None
        None where the series has to be read as a whole: it is short, thick or oblique, has gaps, or a
        slice cannot be decoded.

    Raises
    ------
    GlutsegError
        ``image-too-large`` before any memory is taken.
    """
    geometry = series.geometry
    if geometry is None or series.n_missing or geometry.shape[0] < MIN_SLICES:
        return None
    step = int(STEP_MM / geometry.spacing_mm[0])
    cosines = np.abs(geometry.direction)
    if step < 2 or not geometry.is_axial or np.abs(cosines - cosines.round()).max() > AXIS_TOLERANCE:
        return None
    check_size(geometry.shape, series.series_uid)
    # counted from the feet, so that it does not matter in which order a scanner stored its slices
    lowest = geometry.canonical_slice(0)
    places = range(lowest % step, geometry.shape[0], step)
    slices = _decoded(series, places, fetch)
    if slices is None:
        return None
    own = replace(
        geometry,
        shape=(len(places), *geometry.shape[1:]),
        spacing_mm=(geometry.spacing_mm[0] * step, *geometry.spacing_mm[1:]),
        origin_mm=geometry.point_mm(places.start, 0, 0),
    )
    return Localiser(series, geometry, places, slices, CtImage(np.stack([s.hu for s in slices]), own), fetch)


def read_near(first: Localiser, detail: range) -> LoadedSeries | None:
    """The series of a localiser pass with all slices in ``detail``; beyond it the others are interpolated.

    Returns
    -------
    LoadedSeries or None
        As `glutseg.dicom.read` gives it, but that a slice which was not read raises no doubts. None where
        a slice cannot be decoded: the whole series then tells how many.
    """
    n = first.geometry.shape[0]
    known = dict(zip(first.places, first.slices, strict=True))
    wanted = sorted({*detail, 0, n - 1} - known.keys())  # the two ends, to interpolate up to them
    slices = _decoded(first.series, wanted, first.fetch)
    if slices is None:
        return None
    known |= zip(wanted, slices, strict=True)
    hu = np.empty(first.geometry.shape, np.int16)
    for k, one in known.items():
        hu[k] = one.hu
    fill_missing(hu, [k in known for k in range(n)])
    places = sorted(known)
    n_stray = sum(one.n_stray for one in known.values())
    is_lossy = any(one.is_lossy for one in known.values())
    return LoadedSeries(
        volume=CtImage(hu, first.geometry),
        flags=(
            *first.series.flags,
            *pixel_flags(first.series, n_stray, is_lossy=is_lossy),
            *odd_flags([known[k].hu for k in places], places),
        ),
        sop_uids=tuple(header.sop_uid for header in first.series.slices),
        detail=detail,
    )


def _decoded(series: Series, places: range | list[int], fetch: Fetch) -> tuple[SliceHU, ...] | None:
    found = []
    headers = tuple(series.slices[k] for k in places)
    fetch(headers)
    with quiet_pydicom():
        for one in decode_all(headers):
            if isinstance(one, GlutsegError):
                return None
            found.append(one)
    return tuple(found)
