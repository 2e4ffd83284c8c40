"""The localiser pass over a long series: every n-th slice, so that most others need never be decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from glutseg.dicom.duplicates import duplicate_flags
from glutseg.dicom.gaps import fill_missing
from glutseg.dicom.inconsistent import inconsistent_slice_flags
from glutseg.dicom.model import Series
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.read import pixel_flags
from glutseg.dicom.slices import Fetch, SliceHU, already_local, check_size, decode_all
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry

STEP_MM = 7.0
"""Between two slices of the pass, at most: a femoral head shows in seven of them."""
MIN_SLICES = 60
"""Of a series for which the pass pays."""
AXIS_TOLERANCE = 1e-3
"""Of every cosine: the axes of the slices are the patient's."""


@dataclass(frozen=True)
class Localiser:
    """Every n-th slice of a series without gaps.

    Attributes
    ----------
    stored : grid of the whole series in the order of its files
    image : the slices that were read, on a grid of their own
    decoded : the same slices by their place in the order of the files
    fetch : for the files of the others
    """

    series: Series
    stored: Geometry
    image: CtImage
    decoded: dict[int, SliceHU]
    fetch: Fetch = already_local

    @property
    def geometry(self) -> Geometry:
        """Canonical grid of the whole series."""
        return self.stored.canonical()


def localiser_step(geometry: Geometry) -> int | None:
    """Every how many slices a localiser pass takes one; None for a series that is looked at as a whole.

    Short, thick and oblique series are looked at as a whole.
    """
    step = int(STEP_MM / geometry.spacing_mm[0])
    cosines = np.abs(geometry.direction)
    is_along_axes = geometry.is_axial and np.abs(cosines - cosines.round()).max() <= AXIS_TOLERANCE
    return step if step > 1 and geometry.shape[0] >= MIN_SLICES and is_along_axes else None


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
    step = None if geometry is None or series.n_missing else localiser_step(geometry)
    if geometry is None or step is None:
        return None
    check_size(geometry.shape, series.series_uid)
    # counted from the feet, so that it does not matter in which order a scanner stored its slices
    lowest = geometry.canonical_slice(0)
    places = range(lowest % step, geometry.shape[0], step)
    slices: list[SliceHU] = []
    for one in _decoded(series, places, fetch):
        if isinstance(one, GlutsegError):
            return None
        slices.append(one)
    own = replace(
        geometry,
        shape=(len(places), *geometry.shape[1:]),
        spacing_mm=(geometry.spacing_mm[0] * step, *geometry.spacing_mm[1:]),
        origin_mm=geometry.point_mm(places.start, 0, 0),
    )
    image = CtImage.from_array(np.stack([s.hu for s in slices]), own)
    return Localiser(series, geometry, image, dict(zip(places, slices, strict=True)), fetch)


def read_near(localiser: Localiser, slices: range) -> CtImage | None:
    """The series with all of some slices read; the others are interpolated from those of the localiser.

    Parameters
    ----------
    slices : to be read, in canonical order

    Returns
    -------
    CtImage or None
        As `glutseg.dicom.read` gives it, with ``unread_slices``. None where a slice cannot be decoded:
        reading the whole series then counts how many.
    """
    series, stored = localiser.series, localiser.stored
    n_slices = stored.shape[0]
    detail = {stored.canonical_slice(slice_index) for slice_index in slices}
    decoded = dict(localiser.decoded)
    wanted = sorted((detail | {0, n_slices - 1}) - decoded.keys())  # both ends, to interpolate up to them
    hu = np.empty(stored.shape, np.int16)
    for place, one in decoded.items():
        hu[place] = one.hu
    for place, read in zip(wanted, _decoded(series, wanted, localiser.fetch), strict=True):
        if isinstance(read, GlutsegError):
            return None
        hu[place] = read.hu
        decoded[place] = replace(read, hu=hu[place])  # so that it lies in memory once
    fill_missing(hu, [place in decoded for place in range(n_slices)])
    places = sorted(decoded)
    return CtImage.from_array(
        hu,
        stored,
        flags=(
            *series.flags,
            *pixel_flags(series, decoded.values()),
            *inconsistent_slice_flags([hu[place] for place in places], places),
            *duplicate_flags(series, {place: hu[place] for place in places}, localiser.fetch),
        ),
        sop_uids=(header.sop_uid for header in series.slices),
        unread_slices=set(range(n_slices)) - detail,
    )


def _decoded(series: Series, places: range | list[int], fetch: Fetch) -> Iterator[SliceHU | GlutsegError]:
    headers = tuple(series.slices[k] for k in places)
    fetch(headers)
    with quiet_pydicom():
        yield from decode_all(headers)
