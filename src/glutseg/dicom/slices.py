"""Slices one by one: each in HU, or why it cannot be had."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from glutseg.dicom.decode import TAGS, decode
from glutseg.dicom.hounsfield import to_hu
from glutseg.dicom.model import SliceHeader
from glutseg.dicom.parse import HEADER_BUDGET_BYTES, Parsed, TooLargeError, parse
from glutseg.dicom.source import Opener, Source
from glutseg.dicom.text import BAD_FILE, integer
from glutseg.errors import GlutsegError
from glutseg.image import Int16Array

Fetch = Callable[[Iterable[SliceHeader]], None]
"""Sees to it that the files of slices are where their sources say, before they are opened."""

MAX_ROWS = 4096
"""Of rows and of columns: four times the largest CT matrix in common use."""

MAX_VOXELS = 2_000_000_000
"""4 GB as int16: 7000 slices of 512 x 512. A header that states more is taken as broken."""

MAX_BYTES_PER_VOXEL = 8
"""Of a file: four of the widest integers, and as much again for codings that do not pay."""


def already_local(_slices: Iterable[SliceHeader]) -> None:
    """Nothing has to be brought: the files are on this disk."""


def check_size(shape: tuple[int, int, int], where: str) -> None:
    if max(shape[1:]) > MAX_ROWS or shape[0] * shape[1] * shape[2] > MAX_VOXELS:
        words = " x ".join(map(str, shape))
        raise GlutsegError("image-too-large", f"slices x rows x columns are {words}", where)


@dataclass(frozen=True)
class SliceHU:
    hu: Int16Array
    n_stray: int
    is_lossy: bool


def decode_all(headers: tuple[SliceHeader, ...]) -> Iterator[SliceHU | GlutsegError]:
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
                    yield error.at(str(source))


def _open(opener: Opener, header: SliceHeader) -> Parsed | GlutsegError:
    """The file with its pixels, no more of it than images of the stated size can take."""
    where = str(header.source)
    try:
        parsed = _parsed_once(opener, header)
        if parsed is None:
            with opener.open(header.source) as file:
                parsed = parse(file, TAGS, HEADER_BUDGET_BYTES)
            if _voxels(header, parsed) <= MAX_VOXELS:
                parsed = _parsed(opener, header, _voxels(header, parsed))
        n_voxels = _voxels(header, parsed)
        if n_voxels > MAX_VOXELS:
            return GlutsegError("image-too-large", f"the file states {n_voxels} voxels", where)
        return parsed
    except BAD_FILE as error:
        message = f"the file cannot be read ({type(error).__name__})"
        return GlutsegError("pixel-data-undecodable", message, where)


def _parsed_once(opener: Opener, header: SliceHeader) -> Parsed | None:
    """The file if it is no larger than one image, as nearly all are: its header need not be read first."""
    try:
        return _parsed(opener, header, header.rows * header.columns)
    except TooLargeError:
        return None


def _parsed(opener: Opener, header: SliceHeader, n_voxels: int) -> Parsed:
    with opener.open(header.source) as opened:
        # a member of an archive to its end, where zip keeps its checksum
        file = opened if header.source.position is None else io.BytesIO(opened.read())
        budget = HEADER_BUDGET_BYTES + MAX_BYTES_PER_VOXEL * n_voxels
        return parse(file, TAGS, budget, with_pixels=True)


def _voxels(header: SliceHeader, parsed: Parsed) -> int:
    """Of all images that a file states."""
    return header.rows * header.columns * max(1, integer(parsed.dataset, "NumberOfFrames") or 1)


def _decode(parsed: Parsed, header: SliceHeader) -> SliceHU:
    if header.rescale is None:
        raise GlutsegError("rescale-missing", "Rescale Slope or Intercept is missing or no number")
    stored = decode(parsed, header.frame, header.rows, header.columns, header.padding)
    hu = to_hu(stored.values, *header.rescale, header.padding)
    return SliceHU(hu, stored.n_stray, stored.is_lossy)
