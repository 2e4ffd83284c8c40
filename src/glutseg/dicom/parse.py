"""Parse a DICOM stream, with or without preamble and file meta, in any encoding, within a limit of bytes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import RawDataElement, convert_raw_data_element
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

from glutseg.dicom.elements import (
    PIXEL_DATA,
    PIXELS_GROUP,
    UNDEFINED_LENGTH,
    DuplicateElementError,
    Elements,
    find_elements,
)
from glutseg.dicom.files import PREAMBLE_BYTES
from glutseg.dicom.text import BAD_VALUE

FIRST_BYTES = 2**16
"""Read at once from the start of a file: the headers of nearly all images are shorter."""

LONG_HEADER_BYTES = 2**22
"""Looked through for what is wanted before pydicom reads all else too, which takes a hundred times longer."""

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

SYNTAX, MEDIA_CLASS, CHARACTER_SET = 0x00020010, 0x00020002, 0x00080005
DEFLATED = DeflatedExplicitVRLittleEndian.encode("ascii")
META_GROUP = 0x0002
META_TAGS = (SYNTAX, MEDIA_CLASS)
META_GROUPS = range(META_GROUP, META_GROUP + 1)
AFTER_PIXELS_BYTES = 64
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
    """Read the elements ``tags`` of a stream; of the file meta, at least the class and the transfer syntax.

    Parameters
    ----------
    file : at its start
    tags : elements to read; all others are skipped
    budget_bytes : limit of bytes to read
    with_pixels : read on into group 7FE0

    Raises
    ------
    DuplicateElementError
        If one of ``tags`` stands twice.
    TooLargeError
        If an element or a deflated data set exceeds the limit.
    Exception
        Those of `glutseg.dicom.text.BAD_FILE` for a damaged file.
    """
    size = file.seek(0, io.SEEK_END) if with_pixels else LONG_HEADER_BYTES
    file.seek(0)
    content = file.read(min(size, budget_bytes))
    plain = find_plain(content, tags, is_whole=len(content) < size or with_pixels, with_pixels=with_pixels)
    if plain and (parsed := plain.parsed()):
        return parsed
    file.seek(0)
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
        stop_when=_Stop(tags, with_pixels=with_pixels),
        specific_tags=[BaseTag(tag) for tag in tags],
    )
    if with_pixels and (end := _end_of_pixels(dataset)) is not None:
        stream.seek(end)
        _check_after_pixels(stream.read(AFTER_PIXELS_BYTES), is_little_endian=is_little_endian)
    native = _native_syntax(
        is_implicit=dataset.original_encoding[0] is True, is_little_endian=is_little_endian
    )
    return ParsedFile(dataset, meta, native if stated is None or stated in NATIVE else stated)


@dataclass(frozen=True)
class PlainFile:
    """The bytes of the elements of a file in little endian, of its meta and of its data set."""

    meta: Elements
    elements: Elements
    is_implicit: bool

    def parsed(self) -> ParsedFile | None:
        """As pydicom reads these elements; None where it does not know what to do with them."""
        try:
            character_set = self.elements.get(CHARACTER_SET)
            encoding = default_encoding if character_set is None else _encoding(character_set)
            dataset, meta = _dataset(self.elements), _dataset(self.meta)
            dataset.set_original_encoding(self.is_implicit, True, encoding)
            stated = _stated_syntax(meta)
        except BAD_VALUE:
            return None
        native = ImplicitVRLittleEndian if self.is_implicit else ExplicitVRLittleEndian
        return ParsedFile(dataset, meta, native if stated is None or stated in NATIVE else stated)


def find_plain(
    content: bytes, tags: Sequence[int], *, is_whole: bool, with_pixels: bool = False
) -> PlainFile | None:
    """Find the elements ``tags`` in the first bytes of a file.

    Parameters
    ----------
    is_whole : whether the file has no more bytes

    Returns
    -------
    PlainFile or None
        None where the file is not plain (`find_elements`), or its header does not end within the bytes.
    """
    start = PREAMBLE_BYTES + 4 if content[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] == b"DICM" else 0
    try:
        meta, at = find_elements(content, start, META_TAGS, META_GROUPS, is_implicit=False)
        first = content[at : at + 8]
        is_deflated = SYNTAX in meta and (meta[SYNTAX].value or b"").rstrip(b"\0 ") == DEFLATED
        if is_deflated or not _is_little_endian(first):
            return None
        is_implicit, groups = _is_implicit(first), range(PIXELS_GROUP + with_pixels)
        elements, at = find_elements(content, at, {*tags, CHARACTER_SET}, groups, is_implicit=is_implicit)
        if with_pixels:
            _check_after_pixels(content[at : at + AFTER_PIXELS_BYTES], is_little_endian=True)
    except DuplicateElementError:
        raise
    except (struct.error, ValueError):
        return None
    return None if at == len(content) and not is_whole else PlainFile(meta, elements, is_implicit)


def _dataset(elements: Elements) -> Dataset:
    return Dataset({one.tag: one for one in elements.values()})


def _encoding(character_set: RawDataElement) -> str | list[str]:
    encodings: str | list[str] = convert_encodings(convert_raw_data_element(character_set).value)
    return encodings


def _end_of_pixels(dataset: Dataset) -> int | None:
    """Where the element after the pixels begins; None without pixels."""
    pixels = dataset.get_item(PIXEL_DATA) if PIXEL_DATA in dataset else None
    if pixels is None or not isinstance(pixels, RawDataElement) or pixels.value is None:
        return None
    n_delimiter = 8 if pixels.length == UNDEFINED_LENGTH else 0
    return pixels.value_tell + len(pixels.value) + n_delimiter


def _check_after_pixels(rest: bytes, *, is_little_endian: bool) -> None:
    """Raise ValueError if the bytes after the pixels are no element: something was inserted before them.

    Allowed are later elements, or zeros, with which some writers fill up a block.
    """
    order: Literal["little", "big"] = "little" if is_little_endian else "big"
    if rest.strip(b"\0") and (len(rest) < 8 or int.from_bytes(rest[:2], order) < PIXELS_GROUP):
        raise ValueError("the bytes after the pixels are no DICOM element")


def _after_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group != META_GROUP


class _Stop:
    """Tells pydicom to stop at the pixels, or never; raises where one of ``tags`` comes a second time."""

    def __init__(self, tags: Sequence[int], *, with_pixels: bool) -> None:
        self._seen = dict.fromkeys(tags, False)
        self._with_pixels = with_pixels

    def __call__(self, tag: BaseTag, _vr: str | None, _length: int) -> bool:
        if self._seen.get(tag):
            raise DuplicateElementError(tag)
        if tag in self._seen:
            self._seen[tag] = True
        return not self._with_pixels and tag.group >= PIXELS_GROUP


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
