"""Decode slices one by one to HU, or to the error that prevents it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from glutseg.dicom.decode import TAGS, decode
from glutseg.dicom.hounsfield import count_padding_inside, to_hu
from glutseg.dicom.limits import MAX_ROWS, MAX_VOXELS
from glutseg.dicom.model import NIFTI_IMAGE, SliceHeader
from glutseg.dicom.nifti_pixels import nifti_slices
from glutseg.dicom.parse import HEADER_BUDGET_BYTES, ParsedFile, TooLargeError, parse
from glutseg.dicom.source import Opener, Source
from glutseg.dicom.text import BAD_FILE, integer, text
from glutseg.errors import GlutsegError
from glutseg.image import Int16Array

Fetch = Callable[[Iterable[SliceHeader]], None]
"""Called before slices are opened; makes their files available at their sources (downloads them)."""

MAX_BYTES_PER_VOXEL = 8
"""Limit of file bytes per voxel: 4 for the widest integers, twice that for inefficient codings."""


def already_local(_slices: Iterable[SliceHeader]) -> None:
    """Do nothing: the files are on this disk."""


def check_size(shape: tuple[int, int, int], where: str) -> None:
    """Raise ``image-too-large`` if a volume of this shape (z, y, x) would not fit into memory."""
    if max(shape[1:]) > MAX_ROWS or shape[0] * shape[1] * shape[2] > MAX_VOXELS:
        size = " x ".join(map(str, shape))
        raise GlutsegError("image-too-large", f"slices x rows x columns are {size}", where)


@dataclass(frozen=True)
class SliceHU:
    """A decoded slice in HU (y, x); other attributes as in `glutseg.dicom.decode.StoredImage`."""

    hu: Int16Array
    n_out_of_range: int
    is_lossy: bool
    n_padding_inside: int = 0
    """As `glutseg.dicom.hounsfield.count_padding_inside` gives it."""


def decode_all(headers: tuple[SliceHeader, ...]) -> Iterator[SliceHU | GlutsegError]:
    """Yield each slice or its error; a multi-frame file is opened once for consecutive frames."""
    if headers and headers[0].sop_class_uid == NIFTI_IMAGE:
        yield from _decode_nifti(headers)
        return
    source: Source | None = None
    parsed: ParsedFile | GlutsegError
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
                    yield error.at(str(source))


def _decode_nifti(headers: tuple[SliceHeader, ...]) -> Iterator[SliceHU | GlutsegError]:
    """Yield the slices of one NIfTI file; after the first error the rest cannot be read either."""
    n_read, where = 0, str(headers[0].source)
    try:
        with Opener() as opener:
            for hu in nifti_slices(opener, headers):
                n_read += 1
                yield SliceHU(hu, 0, is_lossy=False)
    except BAD_FILE as error:
        message = f"the file cannot be read ({type(error).__name__})"
        failed = GlutsegError("pixel-data-undecodable", message, where)
        yield from (failed for _ in headers[n_read:])


def _open(opener: Opener, header: SliceHeader) -> ParsedFile | GlutsegError:
    """Parse a file with its pixels, reading no more than images of the stated size can need."""
    where = str(header.source)
    try:
        parsed = _parsed_once(opener, header)
        if parsed is None:
            with opener.open(header.source) as file:
                parsed = parse(file, TAGS, HEADER_BUDGET_BYTES)
            if _voxels(header, parsed) <= MAX_VOXELS:
                parsed = _parsed(opener, header, _voxels(header, parsed))
        if _is_another(header, parsed):
            message = "the file holds another image than when its header was read"
            return GlutsegError("file-changed", message, where)
        n_voxels = _voxels(header, parsed)
        if n_voxels > MAX_VOXELS:
            return GlutsegError("image-too-large", f"the file states {n_voxels} voxels", where)
        return parsed
    except BAD_FILE as error:
        message = f"the file cannot be read ({type(error).__name__})"
        return GlutsegError("pixel-data-undecodable", message, where)


def _is_another(header: SliceHeader, parsed: ParsedFile) -> bool:
    """Whether somebody replaced the file since: its patient and place would be those of the image before."""
    expected = header.file_sop_uid or header.sop_uid
    return bool(expected) and text(parsed.dataset, "SOPInstanceUID") != expected


def _parsed_once(opener: Opener, header: SliceHeader) -> ParsedFile | None:
    """Parse a file of at most one image, as nearly all are, without reading its header first; else None."""
    try:
        return _parsed(opener, header, header.rows * header.columns)
    except TooLargeError:
        return None


def _parsed(opener: Opener, header: SliceHeader, n_voxels: int) -> ParsedFile:
    with opener.open(header.source) as opened:
        # an archive member is read to its end, because zipfile checks its checksum there
        file = opened if header.source.position is None else io.BytesIO(opened.read())
        budget = HEADER_BUDGET_BYTES + MAX_BYTES_PER_VOXEL * n_voxels
        return parse(file, TAGS, budget, with_pixels=True)


def _voxels(header: SliceHeader, parsed: ParsedFile) -> int:
    """Number of voxels of all images of a file, as stated."""
    return header.rows * header.columns * max(1, integer(parsed.dataset, "NumberOfFrames") or 1)


def _decode(parsed: ParsedFile, header: SliceHeader) -> SliceHU:
    if header.rescale is None:
        raise GlutsegError("rescale-missing", "Rescale Slope or Intercept is missing or no number")
    stored = decode(parsed, header.frame, header.rows, header.columns, header.padding)
    hu = to_hu(stored.values, *header.rescale, header.padding)
    n_inside = count_padding_inside(stored.values, stored.unpadded, *header.rescale, header.padding)
    return SliceHU(hu, stored.n_out_of_range, stored.is_lossy, n_inside)
