"""Read the header of a compressed image before it is decoded.

A decoder allocates what the codestream states, not what the DICOM header states, so the two are compared
first. Sources: JPEG, ISO/IEC 10918-1 annex B; JPEG-LS, ISO/IEC 14495-1 annex C; JPEG 2000,
ISO/IEC 15444-1 annex A.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLSNearLossless,
)

JPEG_START = b"\xff\xd8"
J2K_START = b"\xff\x4f\xff\x51"
JP2_START = b"\x00\x00\x00\x0cjP  "
END = b"\xff\xd9"
"""End of image (JPEG, JPEG-LS) and of codestream (JPEG 2000)."""

MAX_TRAILING_BYTES = 64
"""Padding bytes after the end marker: the standard allows one, some writers fill up to a block."""

SOF_LS, SOS, COD = 0xF7, 0xDA, 0x52
NOT_SOF = (0xC4, 0xC8, 0xCC)
"""Markers from C0 to CF that are no start of frame: Huffman tables, reserved, arithmetic conditioning."""

WITHOUT_LENGTH = (0x01, *range(0xD0, 0xDA))


@dataclass(frozen=True)
class Codestream:
    """Size and coding of a compressed frame, from its codestream.

    Attributes
    ----------
    syntax : the matching transfer syntax; None if the coding is not supported
    bits : per sample
    is_lossy : whether the coding itself is lossy (a reversible one may still have been truncated)
    is_complete : whether the end marker is there
    """

    syntax: UID | None
    rows: int
    columns: int
    samples: int
    bits: int
    is_lossy: bool
    is_complete: bool


def inspect(frame: bytes) -> Codestream | None:
    """Read the header of a compressed frame; None if it has no readable one (RLE never has)."""
    try:
        if frame.startswith(JPEG_START):
            return _jpeg(frame)
        if frame.startswith(JP2_START):
            return _jpeg2000(frame, frame.index(J2K_START))
        if frame.startswith(J2K_START):
            return _jpeg2000(frame, 0)
    except (struct.error, IndexError, ValueError):
        return None
    return None


def _is_complete(frame: bytes) -> bool:
    return END in frame[-MAX_TRAILING_BYTES:]


def _jpeg(frame: bytes) -> Codestream | None:
    at, size = 2, None
    while True:
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker == 0xFF:  # fill bytes may precede a marker
            at += 1
            continue
        if marker in WITHOUT_LENGTH:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", frame, at + 2)
        if marker == SOF_LS or (0xC0 <= marker <= 0xCF and marker not in NOT_SOF):
            size = (marker, *struct.unpack_from(">BHHB", frame, at + 4))
        elif marker == SOS:
            return None if size is None else _jpeg_of(frame, at, size)
        at += 2 + length


def _jpeg_of(frame: bytes, scan: int, size: tuple[int, int, int, int, int]) -> Codestream:
    """``scan`` is the offset of the first SOS marker, whose NEAR parameter says if JPEG-LS is lossy."""
    sof, bits, rows, columns, samples = size
    near = frame[scan + 5 + 2 * frame[scan + 4]] if sof == SOF_LS else 0
    syntax = {
        0xC0: JPEGBaseline8Bit,
        0xC1: JPEGExtended12Bit,
        0xC3: JPEGLossless,
        SOF_LS: JPEGLSNearLossless,
    }.get(sof)
    is_lossy = sof not in (0xC3, SOF_LS) or near > 0
    return Codestream(syntax, rows, columns, samples, bits, is_lossy, _is_complete(frame))


def _jpeg2000(frame: bytes, start: int) -> Codestream:
    width, height, left, top = struct.unpack_from(">IIII", frame, start + 8)
    (samples,) = struct.unpack_from(">H", frame, start + 40)
    bits = (frame[start + 42] & 0x7F) + 1
    is_irreversible = _wavelet(frame, start) == 0
    return Codestream(
        syntax=JPEG2000 if is_irreversible else JPEG2000Lossless,
        rows=height - top,
        columns=width - left,
        samples=samples,
        bits=bits,
        is_lossy=is_irreversible,
        is_complete=_is_complete(frame),
    )


def _wavelet(frame: bytes, start: int) -> int:
    """Wavelet transformation in COD of the main header: 0 is 9-7 irreversible, 1 is 5-3 reversible."""
    at = start + 2
    while frame[at] == 0xFF:
        (length,) = struct.unpack_from(">H", frame, at + 2)
        if frame[at + 1] == COD:
            return frame[at + 13]
        at += 2 + length
    msg = "no coding style in the main header"
    raise ValueError(msg)
