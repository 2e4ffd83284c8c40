"""Codings that pydicom leaves to packages which are not among ours, or decodes too leniently.

JPEG extended with 12 bits (process 2 and 4): pydicom asks GDCM for it only with 8 bits, though GDCM's
12-bit codec gives the same pixels as libjpeg-turbo's. High-throughput JPEG 2000: OpenJPEG decodes it. RLE:
a broken segment that comes out too long must not pass.
"""

from __future__ import annotations

import struct
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from pydicom.uid import JPEGExtended12Bit

JPEG_EXTENDED_BITS = 12
RLE_HEADER_BYTES = 64


def decode_jpeg12(frame: bytes, rows: int, columns: int) -> npt.NDArray[np.uint16]:
    """One grey frame (rows, columns) of a codestream whose size has been checked.

    Raises
    ------
    RuntimeError
        When GDCM cannot decode it.
    """
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    syntax = gdcm.TransferSyntax.GetTSType(str.__str__(JPEGExtended12Bit))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, JPEG_EXTENDED_BITS, JPEG_EXTENDED_BITS - 1, 0))
    try:
        content = image.GetBuffer().encode("utf-8", "surrogateescape")  # GDCM gives char* as str
    except Exception as error:
        raise RuntimeError("GDCM cannot decode it") from error
    if len(content) != 2 * rows * columns:
        raise RuntimeError("GDCM gives another size")
    return np.frombuffer(content, dtype="<u2").reshape(rows, columns).astype(np.uint16)


def decode_htj2k(frame: bytes) -> npt.NDArray[np.uint16]:
    """One grey frame (rows, columns) of a codestream whose size has been checked, sign bits as stored.

    Raises
    ------
    RuntimeError
        When OpenJPEG cannot decode it.
    """
    import openjpeg

    return np.asarray(openjpeg.decode(frame)).astype(np.uint16)


def decode_rle(frame: bytes, rows: int, columns: int, bytes_per_pixel: int) -> npt.NDArray[np.uint8]:
    """The bytes (rows, columns, bytes per pixel, lowest first) of a grey frame (PS3.5, annex G).

    Raises
    ------
    ValueError, struct.error, IndexError
        When a segment does not give one byte for every pixel, or something is left behind it.
    """
    n_segments, *offsets = struct.unpack_from("<16L", frame)
    if n_segments != bytes_per_pixel:
        raise ValueError(f"{n_segments} RLE segments for {bytes_per_pixel} bytes per pixel")
    bounds = [*offsets[:n_segments], len(frame)]
    if bounds != sorted(bounds) or bounds[0] < RLE_HEADER_BYTES:
        raise ValueError("the RLE segments overlap")
    planes = [_unpack_bits(frame[a:b], rows * columns) for a, b in pairwise(bounds)]
    return np.stack([np.frombuffer(p, np.uint8).reshape(rows, columns) for p in planes[::-1]], axis=-1)


def _unpack_bits(segment: bytes, n_bytes: int) -> bytes:
    parts, length, at = [], 0, 0
    while length < n_bytes:
        count = segment[at]
        if count < 128:
            part, at = segment[at + 1 : at + 2 + count], at + 2 + count
        elif count > 128:
            part, at = segment[at + 1 : at + 2] * (257 - count), at + 2
        else:
            part, at = b"", at + 1
        parts.append(part)
        length += len(part)
    if length != n_bytes or at > len(segment) or segment[at:].strip(b"\0\x80"):
        raise ValueError("an RLE segment does not fit its image")
    return b"".join(parts)
