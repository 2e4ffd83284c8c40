"""The pixels of a series, in HU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.tag import BaseTag
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from glutseg.dicom.hounsfield import to_hu
from glutseg.dicom.model import LoadedSeries, Series, SliceHeader
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.text import BAD_FILE, clean_text, integer
from glutseg.errors import Flag, GlutsegError
from glutseg.volume import Int16Array, Volume

MAX_ROWS = 4096
"""Of rows and of columns: four times the largest CT matrix in common use."""

MAX_VOXELS = 2_000_000_000
"""4 GB as int16: 7000 slices of 512 x 512. A header that states more is taken as broken."""

PIXEL_DATA = BaseTag(0x7FE00010)


def read(series: Series, *, slices: slice | None = None) -> LoadedSeries:
    """Decode a series slice by slice into one array.

    A slice that cannot be decoded is a gap: the longest stretch without one is returned.

    Parameters
    ----------
    series : with a geometry
    slices : only these of ``series.slices``; step 1

    Returns
    -------
    LoadedSeries
        int16 HU (z, y, x), its geometry, and the flags of the series and of reading it.

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
    start, stop, _ = (slices or slice(None)).indices(len(series.slices))
    headers = series.slices[start:stop]
    geometry = series.geometry.crop((slice(start, stop), slice(None), slice(None)))
    _check_size(geometry.shape, series.series_uid)
    hu = np.empty(geometry.shape, dtype=np.int16)
    failures = {}
    with quiet_pydicom():
        for k, decoded in enumerate(_decode_all(headers)):
            if isinstance(decoded, GlutsegError):
                failures[k] = decoded
            else:
                hu[k] = decoded
    first, last = _longest_stretch([k not in failures for k in range(len(headers))])
    if last - first < min(2, len(headers)):
        raise (
            next(iter(failures.values()))
            if failures
            else GlutsegError("geometry-irregular", "no slice was asked for", series.series_uid)
        )
    box = (slice(first, last), slice(None), slice(None))
    return LoadedSeries(
        volume=Volume(hu, geometry).crop(box) if failures else Volume(hu, geometry),
        flags=series.flags + _flags(failures, headers, last - first),
        sop_uids=tuple(h.sop_uid for h in headers[first:last]),
    )


def _check_size(shape: tuple[int, int, int], where: str) -> None:
    if max(shape[1:]) > MAX_ROWS or shape[0] * shape[1] * shape[2] > MAX_VOXELS:
        words = " x ".join(map(str, shape))
        raise GlutsegError("image-too-large", f"slices x rows x columns are {words}", where)


def _decode_all(headers: tuple[SliceHeader, ...]) -> Iterator[Int16Array | GlutsegError]:
    """Each slice in HU, or why not; a multi-frame file is opened once, for its frames in a row."""
    path: Path | None = None
    dataset: FileDataset | GlutsegError
    for header in headers:
        if header.path != path:
            path, dataset = header.path, _open(header.path)
        if isinstance(dataset, GlutsegError):
            yield dataset
        else:
            try:
                yield _decode(dataset, header)
            except GlutsegError as error:
                yield error


def _open(path: Path) -> FileDataset | GlutsegError:
    tags = [BaseTag(0x00280000 + e) for e in (2, 4, 6, 8, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103)]
    try:
        dataset = dcmread(path, force=True, specific_tags=[*tags, PIXEL_DATA])
    except BAD_FILE as error:
        message = f"the file cannot be read ({type(error).__name__})"
        return GlutsegError("pixel-data-undecodable", message, str(path))
    if PIXEL_DATA not in dataset:
        return GlutsegError("no-pixel-data", "the file ends without pixels", str(path))
    return dataset


def _decode(dataset: FileDataset, header: SliceHeader) -> Int16Array:
    where = str(header.path)
    if header.rescale is None:
        raise GlutsegError("rescale-missing", "Rescale Slope or Intercept is missing or no number", where)
    syntax = _transfer_syntax(dataset)
    if (integer(dataset, "Rows"), integer(dataset, "Columns")) != (header.rows, header.columns):
        raise GlutsegError("pixel-data-undecodable", "the file has changed since its header was read", where)
    try:
        stored, _ = get_decoder(syntax).as_array(dataset, index=header.frame, raw=True)
    except BAD_FILE as error:
        message = f"{clean_text(syntax.name, 100)}: {clean_text(error, 200)}"
        raise GlutsegError("pixel-data-undecodable", message, where) from error
    if stored.shape != (header.rows, header.columns):
        raise GlutsegError("pixel-data-undecodable", f"{syntax.name}: shape {stored.shape}", where)
    return to_hu(stored, *header.rescale, header.padding)


def _transfer_syntax(dataset: FileDataset) -> UID:
    """From the file's preamble; without one, as the data set turned out to be encoded."""
    if stated := dataset.file_meta.get("TransferSyntaxUID"):
        return UID(stated)
    is_implicit, is_little_endian = dataset.original_encoding
    if is_implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if is_little_endian else ExplicitVRBigEndian


def _longest_stretch(good: list[bool]) -> tuple[int, int]:
    """Start and stop of the longest stretch of true, the first among equals."""
    best = (0, 0)
    start = 0
    for k, is_good in enumerate([*good, False]):
        if not is_good:
            best = max(best, (start, k), key=lambda b: b[1] - b[0])
            start = k + 1
    return best


def _flags(
    failures: dict[int, GlutsegError], headers: tuple[SliceHeader, ...], n_kept: int
) -> tuple[Flag, ...]:
    if not failures:
        return ()
    first = next(iter(failures.values()))
    told = f"{len(failures)} of {len(headers)} slices cannot be decoded, the first: {first.message}"
    flags = [Flag("file-unreadable", told)]
    if n_kept < len(headers) - len(failures) or not _only_at_ends(failures, len(headers)):
        flags.append(Flag("series-gap", f"{n_kept} of {len(headers)} slices used, between those left out"))
    return tuple(flags)


def _only_at_ends(failures: dict[int, GlutsegError], n: int) -> bool:
    good = [k for k in range(n) if k not in failures]
    return bool(good) and len(good) == good[-1] - good[0] + 1
