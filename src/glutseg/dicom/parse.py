"""Parse a DICOM stream, with or without preamble and file meta, in any encoding, within a limit of bytes."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_preamble
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from glutseg.dicom.text import BAD_VALUE

HEADER_BUDGET_BYTES = 64 * 2**20
"""Limit of bytes read before the pixels; the functional groups of 10 000 frames take about a third."""

MAX_READS = 1_000_000
"""Limit of reads per file: five times what functional groups of 2000 frames of undefined length need."""

NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)

PIXELS_GROUP = 0x7FE0
PIXEL_DATA = BaseTag(0x7FE00010)
UNDEFINED_LENGTH = 0xFFFFFFFF
META_GROUP = 0x0002
IDENTIFYING_GROUP = 0x0008
"""First group of the data set of every image (PS3.3, C.12.1)."""


class TooLargeError(ValueError):
    """A file states more bytes or elements than its kind can have."""


@dataclass(frozen=True)
class ParsedFile:
    """A data set with its file meta and its transfer syntax.

    ``syntax`` is the stated one; if it is missing or contradicts the bytes of the data set, the uncompressed
    one in which they are written.
    """

    dataset: Dataset
    meta: Dataset
    syntax: UID


class _BoundedReader:
    """A stream with a limit on the bytes read in total and on the number of reads; seeking is free."""

    def __init__(self, file: BinaryIO, n_bytes: int) -> None:
        self._file = file
        self._left = n_bytes
        self._reads_left = MAX_READS
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self._left:
            raise TooLargeError("an element is longer than a file of this kind can hold")
        self._reads_left -= 1
        if self._reads_left < 0:
            raise TooLargeError("the file has more elements than a file of this kind needs")
        content = self._file.read(size)
        self._left -= len(content)
        return content


def parse(file: BinaryIO, tags: Sequence[int], budget_bytes: int, *, with_pixels: bool = False) -> ParsedFile:
    """Read the elements ``tags`` of a stream.

    Parameters
    ----------
    file : at its start
    tags : elements to read; all others are skipped
    budget_bytes : limit of bytes to read
    with_pixels : read on into group 7FE0

    Raises
    ------
    TooLargeError
        If an element or a deflated data set exceeds the limit.
    Exception
        Those of `glutseg.dicom.text.BAD_FILE` for a damaged file.
    """
    stream = cast(BinaryIO, _BoundedReader(file, budget_bytes))
    read_preamble(stream, True)
    meta = read_dataset(stream, is_implicit_VR=False, is_little_endian=True, stop_when=_after_meta)
    stated = _stated_syntax(meta)
    start = stream.tell()
    first = stream.read(8)
    stream.seek(start)
    if stated == DeflatedExplicitVRLittleEndian and not _starts_data_set(first):
        stream = io.BytesIO(_inflate(stream, budget_bytes, is_whole=with_pixels))
        first = stream.getvalue()[:8]
    is_little_endian = _is_little_endian(first)
    dataset = read_dataset(
        stream,
        is_implicit_VR=_is_implicit(first),
        is_little_endian=is_little_endian,
        stop_when=None if with_pixels else _at_pixels,
        specific_tags=[BaseTag(tag) for tag in tags],
    )
    if with_pixels:
        _check_after_pixels(stream, dataset, is_little_endian=is_little_endian)
    native = _native_syntax(
        is_implicit=dataset.original_encoding[0] is True, is_little_endian=is_little_endian
    )
    return ParsedFile(dataset, meta, native if stated is None or stated in NATIVE else stated)


def _check_after_pixels(stream: BinaryIO, dataset: Dataset, *, is_little_endian: bool) -> None:
    """Raise ValueError if the bytes after the pixels are no element: something was inserted before them.

    Allowed are later elements, or zeros, with which some writers fill up a block.
    """
    pixels = dataset.get_item(PIXEL_DATA) if PIXEL_DATA in dataset else None
    if pixels is None or not isinstance(pixels, RawDataElement) or pixels.value is None:
        return
    n_delimiter = 8 if pixels.length == UNDEFINED_LENGTH else 0
    stream.seek(pixels.value_tell + len(pixels.value) + n_delimiter)
    rest = stream.read(64)
    order: Literal["little", "big"] = "little" if is_little_endian else "big"
    if rest.strip(b"\0") and (len(rest) < 8 or int.from_bytes(rest[:2], order) < PIXELS_GROUP):
        raise ValueError("the bytes after the pixels are no DICOM element")


def _after_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group != META_GROUP


def _at_pixels(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group >= PIXELS_GROUP


def _stated_syntax(meta: Dataset) -> UID | None:
    try:
        stated = meta.get("TransferSyntaxUID")
        return UID(stated) if stated else None
    except BAD_VALUE:
        return None


def _is_little_endian(first: bytes) -> bool:
    """Guess the byte order: the first group is a small number, 0008 in the wrong order is 0800."""
    return int.from_bytes(first[:2], "little") <= int.from_bytes(first[:2], "big")


def _is_implicit(first: bytes) -> bool:
    return not (first[4:6].isalpha() and first[4:6].isupper())


def _starts_data_set(first: bytes) -> bool:
    """Whether these bytes are not deflated: no deflated block begins like group 0008."""
    if int.from_bytes(first[:2], "little") == IDENTIFYING_GROUP:
        return True
    return int.from_bytes(first[:2], "big") == IDENTIFYING_GROUP and not _is_implicit(first)


def _native_syntax(*, is_implicit: bool, is_little_endian: bool) -> UID:
    if not is_little_endian:
        return ExplicitVRBigEndian
    return ImplicitVRLittleEndian if is_implicit else ExplicitVRLittleEndian


def _inflate(stream: BinaryIO, limit_bytes: int, *, is_whole: bool) -> bytes:
    """Inflate the rest of a stream (PS3.5, A.5), up to the limit.

    Raises
    ------
    TooLargeError, zlib.error
        With ``is_whole``, if it is longer than the limit or truncated; always if it is not deflated.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    parts, n_bytes = [], 0
    while n_bytes < limit_bytes and not inflater.eof:
        chunk = inflater.unconsumed_tail or stream.read(2**16)
        if not chunk:
            break
        parts.append(inflater.decompress(chunk, limit_bytes - n_bytes))
        n_bytes += len(parts[-1])
    if is_whole and not inflater.eof:
        if n_bytes >= limit_bytes:
            raise TooLargeError("the deflated data set is larger than an image of the stated size")
        raise zlib.error("the deflated data set is truncated")
    return b"".join(parts)
