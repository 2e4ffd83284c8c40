"""The pixels of a series, in HU."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from glutseg.dicom.duplicates import duplicate_flags
from glutseg.dicom.gaps import fill_missing, longest_stretch
from glutseg.dicom.inconsistent import inconsistent_slice_flags
from glutseg.dicom.model import Series, SeriesProblem, SliceHeader
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.slices import Fetch, SliceHU, already_local, check_size, decode_all
from glutseg.errors import Flag, GlutsegError
from glutseg.image import CtImage, Geometry


def read(
    series: Series, *, slices: slice | None = None, bridge: bool = True, fetch: Fetch = already_local
) -> CtImage:
    """Decode a series slice by slice into one image in canonical order.

    Parameters
    ----------
    series : with a geometry
    slices : only these places of its grid, in the order of its files; step 1
    bridge : reach across short gaps, with interpolated values on ``missing_slices``; otherwise the longest
        stretch without a gap is returned
    fetch : called with the headers of the slices before they are read

    Returns
    -------
    CtImage
        With the flags of the series and of reading it. A slice that cannot be decoded counts as missing.

    Raises
    ------
    GlutsegError
        ``geometry-missing`` or ``geometry-irregular`` as stacking found it, ``image-too-large``
        before any memory is taken, ``rescale-missing``, ``no-pixel-data``,
        ``pixel-data-undecodable`` naming the transfer syntax.
    """
    if series.geometry is None:
        problem = series.problem or SeriesProblem("geometry-missing", "there is no image")
        raise problem.error(series.series_uid)
    start, stop, _ = (slices or slice(None)).indices(series.geometry.shape[0])
    geometry = series.geometry.crop((slice(start, stop), slice(None), slice(None)))
    check_size(geometry.shape, series.series_uid)
    headers = {
        p - start: h for p, h in zip(series.grid_indices, series.slices, strict=True) if start <= p < stop
    }
    fetch(headers.values())
    hu = np.empty(geometry.shape, dtype=np.int16)
    failures, decoded = _decode_into(hu, headers)
    shown = [k in headers and k not in failures for k in range(geometry.shape[0])]
    first, last = longest_stretch(shown, geometry.spacing_mm[0] if bridge else np.inf)
    if last - first < min(2, len(shown)):
        raise (
            next(iter(failures.values()))
            if failures
            else GlutsegError("geometry-irregular", "no slice was asked for", series.series_uid)
        )
    fill_missing(hu[first:last], shown[first:last])
    image = CtImage.from_array(
        hu[first:last],
        geometry.crop((slice(first, last), slice(None), slice(None))),
        flags=(
            *series.flags,
            *_gap_flags(failures, shown, (first, last)),
            *pixel_flags(series, decoded),
            *inconsistent_slice_flags(hu[first:last]),
            *duplicate_flags(series, {start + k: hu[k] for k in headers if shown[k]}, fetch),
        ),
        sop_uids=tuple(headers[k].sop_uid if shown[k] else "" for k in range(first, last)),
        missing_slices=(k - first for k in range(first, last) if not shown[k]),
    )
    return replace(image, gaps_mm=_gaps_at_ends_mm(series, shown, (first, last), geometry))


def _gaps_at_ends_mm(
    series: Series, shown: list[bool], used: tuple[int, int], geometry: Geometry
) -> tuple[tuple[float, float], ...]:
    """Heights between which images are missing, from the ends of what is used to the next image beyond."""
    is_all = series.geometry is not None and len(shown) == series.geometry.shape[0]
    ends = series.goes_on_at if is_all else (None, None)
    first, stop = used
    before = max((k for k in range(first) if shown[k]), default=ends[0])
    after = min((k for k in range(stop, len(shown)) if shown[k]), default=ends[1])
    places = ((before, first), (after, stop - 1))
    between = [[geometry.slice_z_mm(k) for k in pair if k is not None] for pair in places]
    return tuple((min(z_mm), max(z_mm)) for z_mm in between if len(z_mm) == 2)


def _decode_into(
    hu: npt.NDArray[np.int16], headers: dict[int, SliceHeader]
) -> tuple[dict[int, GlutsegError], list[SliceHU]]:
    """Fill in the slices; what went wrong with which, and the others."""
    failures: dict[int, GlutsegError] = {}
    slices: list[SliceHU] = []
    with quiet_pydicom():
        for k, decoded in zip(headers, decode_all(tuple(headers.values())), strict=True):
            if isinstance(decoded, GlutsegError):
                failures[k] = decoded
            else:
                hu[k] = decoded.hu
                slices.append(replace(decoded, hu=hu[k]))  # so that it lies in memory once
    return failures, slices


def _gap_flags(
    failures: dict[int, GlutsegError], shown: list[bool], used: tuple[int, int]
) -> tuple[Flag, ...]:
    flags = []
    if failures:
        first = next(iter(failures.values()))
        detail = f"{len(failures)} of {len(failures) + sum(shown)} slices cannot be decoded, the first: "
        flags.append(Flag("file-unreadable", detail + first.message))
    n_missing, n_left_out = (
        used[1] - used[0] - sum(shown[slice(*used)]),
        sum(shown) - sum(shown[slice(*used)]),
    )
    n_replaced = sum(error.code == "file-changed" for error in failures.values())
    if n_replaced:
        flags.append(Flag("slice-replaced", f"images replaced after their headers were read: {n_replaced}"))
    if failures and n_missing:
        flags.append(Flag("series-gap", f"{n_missing} slices between those used cannot be shown"))
    if n_left_out:
        flags.append(
            Flag("series-gap", f"{sum(shown) - n_left_out} slices used, {n_left_out} lie beyond a gap")
        )
    return tuple(flags)


def pixel_flags(series: Series, slices: Collection[SliceHU]) -> tuple[Flag, ...]:
    """What is to be known about the pixels that were decoded."""
    flags = []
    n_stray = sum(one.n_out_of_range for one in slices)
    padded = [one.n_padding_inside for one in slices if one.n_padding_inside]
    rescales = {header.rescale for header in series.slices}
    if len(rescales) > 1:
        flags.append(Flag("rescale-varies", f"{len(rescales)} pairs of slope and intercept in one series"))
    if n_stray:
        detail = f"{n_stray} pixels hold bits above Bits Stored, which were cleared"
        flags.append(Flag("pixel-bits-out-of-range", detail))
    if padded:
        detail = f"{sum(padded)} pixels within the picture, on {len(padded)} slices, hold the padding value"
        flags.append(Flag("padding-in-body", detail))
    if any(one.is_lossy for one in slices) and not series.is_lossy:
        flags.append(
            Flag("lossy-compressed", "the coding of the pixels is lossy; the header does not say so")
        )
    return tuple(flags)
