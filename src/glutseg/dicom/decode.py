"""Decode one image of a parsed file to its stored values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.tag import BaseTag
from pydicom.uid import (
    HTJ2K,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000TransferSyntaxes,
    JPEGExtended12Bit,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from glutseg.dicom.codecs import JPEG_EXTENDED_BITS, decode_htj2k, decode_jpeg12, decode_rle
from glutseg.dicom.codestream import Codestream, inspect
from glutseg.dicom.elements import PIXEL_DATA
from glutseg.dicom.hounsfield import Padding, is_padded
from glutseg.dicom.parse import NATIVE, ParsedFile
from glutseg.dicom.quiet import captured_stderr
from glutseg.dicom.text import BAD_FILE, clean_text, integer
from glutseg.errors import GlutsegError

SOP_INSTANCE_UID = 0x00080018
OVERLAY_BIT_POSITIONS = [0x60000102 + (plane << 17) for plane in range(16)]
TAGS = (
    SOP_INSTANCE_UID,
    *(0x00280000 + e for e in (2, 4, 6, 8, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103)),
    *OVERLAY_BIT_POSITIONS,
    0x7FE00001,
    0x7FE00002,
    PIXEL_DATA,
)
"""Which image it is, the Image Pixel Module, bit positions of embedded overlays, and offsets of frames."""

JPEG_WARNINGS = (b"premature end of data segment", b"bad Huffman code")
"""Warnings that libjpeg in GDCM prints before it returns a damaged image."""

ITEM = b"\xfe\xff\x00\xe0"
HIGH_THROUGHPUT = (HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K)
WITH_CODESTREAM = (
    *JPEGTransferSyntaxes,
    *JPEGLSTransferSyntaxes,
    *JPEG2000TransferSyntaxes,
    *HIGH_THROUGHPUT,
)


@dataclass(frozen=True)
class StoredImage:
    """Stored values of an image.

    Attributes
    ----------
    values : integers (rows, columns), cleared of bits that do not belong to the image
    n_out_of_range : number of pixels with bits set above Bits Stored that are no overlay
    is_lossy : whether the coding of the pixels is lossy
    unpadded : the same values as if nothing were padding, which keeps bits that do not belong to the image
    """

    values: npt.NDArray[Any]
    n_out_of_range: int
    is_lossy: bool
    unpadded: npt.NDArray[Any]


def decode(
    parsed: ParsedFile, frame_index: int, rows: int, columns: int, padding: Padding = None
) -> StoredImage:
    """Decode one frame, after comparing its codestream with the header.

    Raises
    ------
    GlutsegError
        ``no-pixel-data``; ``pixel-data-undecodable``, naming the transfer syntax and the reason.
    """
    dataset = parsed.dataset
    if PIXEL_DATA not in dataset:
        raise GlutsegError("no-pixel-data", "the file ends without pixels")
    if (integer(dataset, "Rows"), integer(dataset, "Columns")) != (rows, columns):
        raise GlutsegError("pixel-data-undecodable", "the file has changed since its header was read")
    syntax = parsed.syntax
    try:
        if (integer(dataset, "SamplesPerPixel") or 1) != 1:
            raise ValueError("several samples per pixel")
        frame = _encapsulated_frame(dataset, frame_index, syntax)
        stream = None if frame is None else inspect(frame)
        syntax = _syntax_of(syntax, stream, is_encapsulated=frame is not None)
        _check(stream, syntax, rows, columns, integer(dataset, "BitsAllocated") or 0)
        raw = _decode(dataset, syntax, frame_index, frame, stream)
        if raw.shape != (rows, columns):
            raise ValueError(f"the decoded image has the shape {raw.shape}")
        is_word = syntax not in WITH_CODESTREAM  # in a codestream High Bit does not matter
        values, unpadded, n_out_of_range = _extract_stored_bits(raw, dataset, padding, is_word=is_word)
    except BAD_FILE as error:
        message = f"{clean_text(syntax.name, 100)}: {clean_text(error, 200)}"
        raise GlutsegError("pixel-data-undecodable", message) from error
    return StoredImage(values, n_out_of_range, stream is not None and stream.is_lossy, unpadded)


def _encapsulated_frame(dataset: Dataset, index: int, syntax: UID) -> bytes | None:
    """Return the compressed bytes of a frame; None if the pixels are not encapsulated."""
    element = dataset[PIXEL_DATA]
    is_encapsulated = bool(element.is_undefined_length)
    if not is_encapsulated:
        if syntax not in NATIVE and get_decoder(syntax).is_encapsulated:
            raise ValueError("the pixels are not encapsulated, though the transfer syntax says so")
        return None
    if not _is_complete(element.value):
        raise ValueError("the lengths of the encapsulated fragments are inconsistent")
    offsets = (dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths"))
    return get_frame(
        element.value,
        index,
        number_of_frames=integer(dataset, "NumberOfFrames") or 1,
        extended_offsets=offsets if all(offsets) else None,
    )


def _is_complete(content: bytes) -> bool:
    """Whether encapsulated pixel data is a complete sequence of items (PS3.5, A.4), unchecked by readers."""
    at = 0
    while content[at : at + 4] == ITEM and at + 8 <= len(content):
        at += 8 + int.from_bytes(content[at + 4 : at + 8], "little")
    return at == len(content)


def _syntax_of(stated: UID, stream: Codestream | None, *, is_encapsulated: bool) -> UID:
    """The stated syntax, or that of the codestream if encapsulated pixels are stated to be native."""
    if not is_encapsulated or stated not in NATIVE:
        return stated
    if stream is None or stream.syntax is None:
        raise ValueError("the pixels are compressed, though the transfer syntax says they are not")
    return stream.syntax


def _check(stream: Codestream | None, syntax: UID, rows: int, columns: int, bits_allocated: int) -> None:
    """Raise ValueError if a codestream would decode to something else than the header states."""
    get_decoder(syntax)  # raises, with its name, if the syntax is not supported
    if syntax not in WITH_CODESTREAM:
        return
    if stream is None:
        raise ValueError("the compressed image has no readable header")
    if (stream.rows, stream.columns) != (rows, columns):
        raise ValueError(
            f"the compressed image has {stream.rows} x {stream.columns} pixels, "
            f"the header states {rows} x {columns}"
        )
    if stream.samples != 1 or stream.bits > bits_allocated:
        raise ValueError(f"the compressed image has {stream.samples} x {stream.bits} bits per pixel")
    if not stream.is_complete:
        raise ValueError("the compressed image is truncated")


def _decode(
    dataset: Dataset, syntax: UID, index: int, frame: bytes | None, stream: Codestream | None
) -> npt.NDArray[Any]:
    if frame is None:
        _check_length(dataset)
        return _decode_by_pydicom(dataset, syntax, index)
    with captured_stderr() as stderr:
        decoded = _decode_by_own_codecs(dataset, syntax, frame, stream)
        raw = _decode_by_pydicom(dataset, syntax, index) if decoded is None else decoded
        if any(warning in stderr() for warning in JPEG_WARNINGS):
            raise ValueError("the compressed image is damaged")
    if decoded is not None and integer(dataset, "PixelRepresentation") == 1:
        return decoded.view(f"i{decoded.itemsize}")
    return raw


def _check_length(dataset: Dataset) -> None:
    """Raise ValueError if there are more bytes of pixels than the header describes: it describes other ones.

    pydicom would leave out what is too much, and pixels of 16 bits said to have 8 would be cut in two. Zeros
    after the pixels, less than a row of them, fill up a block.
    """
    rows, columns, allocated, n_frames = (
        integer(dataset, name) or 1 for name in ("Rows", "Columns", "BitsAllocated", "NumberOfFrames")
    )
    expected, pixels = (rows * columns * allocated * n_frames + 7) // 8, dataset[PIXEL_DATA].value
    rest = pixels[expected:]
    if len(rest) > 1 and (rest.strip(b"\0") or len(rest) * 8 >= columns * allocated):
        raise ValueError(f"the pixels have {len(pixels)} bytes, the header describes {expected}")


def _decode_by_pydicom(dataset: Dataset, syntax: UID, index: int) -> npt.NDArray[Any]:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    options: Any = {"correct_unused_bits": False}  # left to _extract_stored_bits
    if syntax in JPEGLSTransferSyntaxes:  # whatever else is installed
        options["decoding_plugin"] = "gdcm"
    stored, _ = get_decoder(syntax).as_array(dataset, index=index, raw=True, **options)
    return stored


def _decode_by_own_codecs(
    dataset: Dataset, syntax: UID, frame: bytes, stream: Codestream | None
) -> npt.NDArray[Any] | None:
    """Decode a frame to unsigned words with `glutseg.dicom.codecs`; None if it has no codec for it."""
    allocated = integer(dataset, "BitsAllocated")
    if syntax == RLELossless and allocated in (8, 16, 32):
        rows, columns = integer(dataset, "Rows") or 0, integer(dataset, "Columns") or 0
        n_bytes = allocated // 8
        return decode_rle(frame, rows, columns, n_bytes).view(f"<u{n_bytes}")[..., 0]
    if stream is None or stream.bits > 16:
        return None
    if syntax == JPEGExtended12Bit and stream.bits == JPEG_EXTENDED_BITS:
        return decode_jpeg12(frame, stream.rows, stream.columns)
    return decode_htj2k(frame) if syntax in HIGH_THROUGHPUT else None


def _extract_stored_bits(
    raw: npt.NDArray[Any], dataset: Dataset, padding: Padding, *, is_word: bool
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], int]:
    """Return the Bits Stored bits up to High Bit (PS3.5, 8.1.1), with and without padding, and the number of
    pixels with other bits set.

    Older files keep overlays in the other bits, as their header says; without that, bits set there are
    counted: then Bits Stored and High Bit are not those of these pixels.
    Padding keeps all its bits, because it is often outside the range.
    """
    allocated = raw.dtype.itemsize * 8
    bits = integer(dataset, "BitsStored") or allocated
    high = integer(dataset, "HighBit")
    if not 0 < bits <= allocated:
        raise ValueError(f"{bits} bits stored of {allocated}")
    below = 0 if high is None or not is_word else high + 1 - bits
    if below < 0 or below + bits > allocated:
        raise ValueError(f"the high bit is {high} with {bits} bits stored of {allocated}")
    if bits == allocated:
        return raw, raw, 0
    above = allocated - bits - below
    values = (raw << above) >> (above + below)  # in a signed type this extends the sign
    if not below and np.array_equal(values, raw):  # nearly always: nothing else is set
        return raw, raw, 0
    is_padding = is_padded(raw, padding)
    overlays = list(_overlay_bits(dataset))
    has_overlay = any(position >= bits for position in overlays)
    n_out_of_range = (
        0 if has_overlay else _count_out_of_range(raw[~is_padding] >> below, values[~is_padding], bits)
    )
    if below and not overlays:
        n_out_of_range = max(n_out_of_range, int(np.count_nonzero(raw[~is_padding] & ((1 << below) - 1))))
    return np.where(is_padding, raw, values), values, n_out_of_range


def _overlay_bits(dataset: Dataset) -> Iterator[int]:
    for tag in OVERLAY_BIT_POSITIONS:
        if BaseTag(tag) in dataset and isinstance(position := dataset[tag].value, int):
            yield position


def _count_out_of_range(shifted: npt.NDArray[Any], values: npt.NDArray[Any], bits: int) -> int:
    """Count pixels whose upper bits are neither the sign extension nor, in all pixels, zero."""
    if bool((values & ((1 << bits) - 1) == shifted).all()):
        return 0
    return int(np.count_nonzero(values != shifted))
