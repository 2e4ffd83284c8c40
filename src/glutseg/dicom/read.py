"""The pixels of a series, in HU."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from glutseg.dicom.decode import TAGS, decode
from glutseg.dicom.gaps import fill_missing, longest_stretch
from glutseg.dicom.hounsfield import to_hu
from glutseg.dicom.model import LOSSY, LoadedSeries, Series, SliceHeader
from glutseg.dicom.odd import odd_slices
from glutseg.dicom.parse import HEADER_BUDGET_BYTES, Parsed, parse
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.source import Opener, Source
from glutseg.dicom.text import BAD_FILE, integer
from glutseg.errors import Flag, GlutsegError
from glutseg.volume import Int16Array, Volume

MAX_ROWS = 4096
"""Of rows and of columns: four times the largest CT matrix in common use."""

MAX_VOXELS = 2_000_000_000
"""4 GB as int16: 7000 slices of 512 x 512. A header that states more is taken as broken."""

MAX_NAMED = 5
"""Slices named in a flag."""

MAX_BYTES_PER_VOXEL = 8
"""Of a file: four of the widest integers, and as much again for codings that do not pay."""


def read(series: Series, *, slices: slice | None = None, bridge: bool = False) -> LoadedSeries:
    """Decode a series slice by slice into one array.

    Parameters
    ----------
    series : with a geometry
    slices : only these places of its grid; step 1
    bridge : reach across short gaps, with interpolated values on the slices named in ``missing``;
        otherwise the longest stretch without a gap is returned

    Returns
    -------
    LoadedSeries
        int16 HU (z, y, x), its geometry, and the flags of the series and of reading it. A slice that
        cannot be decoded is as good as missing.

    Raises
    ------
    GlutsegError
        ``geometry-missing`` or ``geometry-irregular`` as stacking found it, ``image-too-large``
        before any memory is taken, ``rescale-missing``, ``no-pixel-data``,
        ``pixel-data-undecodable`` naming the transfer syntax.
    """
    if series.geometry is None:
        flag = next((f for f in series.flags if f.severity == "error"), None)
        code, message = (flag.code, flag.message) if flag else ("geometry-missing", "there is no image")
        raise GlutsegError(code, message, series.series_uid)
    start, stop, _ = (slices or slice(None)).indices(series.geometry.shape[0])
    geometry = series.geometry.crop((slice(start, stop), slice(None), slice(None)))
    _check_size(geometry.shape, series.series_uid)
    headers = {p - start: h for p, h in zip(series.places, series.slices, strict=True) if start <= p < stop}
    hu = np.empty(geometry.shape, dtype=np.int16)
    failures: dict[int, GlutsegError] = {}
    n_stray, is_lossy = 0, False
    with quiet_pydicom():
        for k, decoded in zip(headers, _decode_all(tuple(headers.values())), strict=True):
            if isinstance(decoded, GlutsegError):
                failures[k] = decoded
            else:
                hu[k] = decoded.hu
                n_stray += decoded.n_stray
                is_lossy |= decoded.is_lossy
    shown = [k in headers and k not in failures for k in range(geometry.shape[0])]
    first, last = longest_stretch(shown, geometry.spacing_mm[0] if bridge else np.inf)
    if last - first < min(2, len(shown)):
        raise (
            next(iter(failures.values()))
            if failures
            else GlutsegError("geometry-irregular", "no slice was asked for", series.series_uid)
        )
    box = (slice(first, last), slice(None), slice(None))
    fill_missing(hu[first:last], shown[first:last])
    return LoadedSeries(
        volume=Volume(hu, geometry).crop(box),
        flags=(
            *series.flags,
            *_gap_flags(failures, shown, (first, last)),
            *_pixel_flags(series, n_stray, is_lossy=is_lossy),
            *_odd_flags(hu[first:last]),
        ),
        sop_uids=tuple(headers[k].sop_uid if shown[k] else "" for k in range(first, last)),
        missing=tuple(k - first for k in range(first, last) if not shown[k]),
    )


def _check_size(shape: tuple[int, int, int], where: str) -> None:
    if max(shape[1:]) > MAX_ROWS or shape[0] * shape[1] * shape[2] > MAX_VOXELS:
        words = " x ".join(map(str, shape))
        raise GlutsegError("image-too-large", f"slices x rows x columns are {words}", where)


@dataclass(frozen=True)
class _Slice:
    hu: Int16Array
    n_stray: int
    is_lossy: bool


def _decode_all(headers: tuple[SliceHeader, ...]) -> Iterator[_Slice | GlutsegError]:
    """Each slice, or why not; a multi-frame file is opened once, for its frames in a row."""
    source: Source | None = None
    parsed: Parsed | GlutsegError
    with Opener() as opener:
        for header in headers:
            if header.source != source:
                source, parsed = header.source, _open(opener, header)
            if isinstance(parsed, GlutsegError):
                yield parsed
            else:
                try:
                    yield _decode(parsed, header)
                except GlutsegError as error:
                    yield GlutsegError(error.code, error.message, str(source))


def _open(opener: Opener, header: SliceHeader) -> Parsed | GlutsegError:
    """The file with its pixels, no more of it than images of the stated size can take."""
    where = str(header.source)
    try:
        with opener.open(header.source) as file:
            stated = parse(file, TAGS, HEADER_BUDGET_BYTES)
        n_voxels = header.rows * header.columns * max(1, integer(stated.dataset, "NumberOfFrames") or 1)
        if n_voxels > MAX_VOXELS:
            return GlutsegError("image-too-large", f"the file states {n_voxels} voxels", where)
        budget = HEADER_BUDGET_BYTES + MAX_BYTES_PER_VOXEL * n_voxels
        with opener.open(header.source) as file:
            if header.source.position is not None:  # to its end, where zip keeps its checksum
                file = io.BytesIO(file.read())
            return parse(file, TAGS, budget, with_pixels=True)
    except BAD_FILE as error:
        message = f"the file cannot be read ({type(error).__name__})"
        return GlutsegError("pixel-data-undecodable", message, where)


def _decode(parsed: Parsed, header: SliceHeader) -> _Slice:
    if header.rescale is None:
        raise GlutsegError("rescale-missing", "Rescale Slope or Intercept is missing or no number")
    stored = decode(parsed, header.frame, header.rows, header.columns, header.padding)
    hu = to_hu(stored.values, *header.rescale, header.padding)
    return _Slice(hu, stored.n_stray, stored.is_lossy)


def _gap_flags(
    failures: dict[int, GlutsegError], shown: list[bool], used: tuple[int, int]
) -> tuple[Flag, ...]:
    flags = []
    if failures:
        first = next(iter(failures.values()))
        told = f"{len(failures)} of {len(failures) + sum(shown)} slices cannot be decoded, the first: "
        flags.append(Flag("file-unreadable", told + first.message))
    n_missing, n_left_out = (
        used[1] - used[0] - sum(shown[slice(*used)]),
        sum(shown) - sum(shown[slice(*used)]),
    )
    if failures and n_missing:
        flags.append(Flag("series-gap", f"{n_missing} slices between those used cannot be shown"))
    if n_left_out:
        flags.append(
            Flag("series-gap", f"{sum(shown) - n_left_out} slices used, {n_left_out} lie beyond a gap")
        )
    return tuple(flags)


def _pixel_flags(series: Series, n_stray: int, *, is_lossy: bool) -> tuple[Flag, ...]:
    flags = []
    rescales = {header.rescale for header in series.slices}
    if len(rescales) > 1:
        flags.append(Flag("rescale-varies", f"{len(rescales)} pairs of slope and intercept in one series"))
    if n_stray:
        told = f"{n_stray} pixels hold bits above Bits Stored, which were cleared"
        flags.append(Flag("pixel-bits-stray", told))
    if is_lossy and all(f.code != LOSSY for f in series.flags):
        flags.append(Flag(LOSSY, "the coding of the pixels loses, which the header does not say"))
    return tuple(flags)


def _odd_flags(hu: Int16Array) -> tuple[Flag, ...]:
    odd = odd_slices(hu)
    more = " …" if len(odd) > MAX_NAMED else ""
    named = ", ".join(map(str, odd[:MAX_NAMED]))
    return (Flag("slice-odd", f"{len(odd)} of {len(hu)}: slices {named}{more}, from 0"),) if odd else ()
