"""Codecs that pydicom lacks without further packages, or whose errors it does not detect.

JPEG extended with 12 bits (process 2 and 4): pydicom uses GDCM for 8 bits only, though GDCM's 12-bit codec
gives the same pixels as libjpeg-turbo's. High-throughput JPEG 2000: decoded by OpenJPEG. RLE: a damaged
segment that decodes to too many bytes must be an error.
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
    """Decode one greyscale frame (rows, columns); the size in the codestream has been checked.

    Raises
    ------
    RuntimeError
        If GDCM cannot decode it.
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
        raise RuntimeError("GDCM returns an image of another size")
    return np.frombuffer(content, dtype="<u2").reshape(rows, columns).astype(np.uint16)


def decode_htj2k(frame: bytes) -> npt.NDArray[np.uint16]:
    """Decode one greyscale frame (rows, columns) with sign bits as stored; the size has been checked.

    Raises
    ------
    RuntimeError
        If OpenJPEG cannot decode it.
    """
    import openjpeg

    return np.asarray(openjpeg.decode(frame)).astype(np.uint16)


def decode_rle(frame: bytes, rows: int, columns: int, bytes_per_pixel: int) -> npt.NDArray[np.uint8]:
    """Decode a greyscale frame to bytes (rows, columns, bytes per pixel, lowest first; PS3.5, annex G).

    Raises
    ------
    ValueError, struct.error, IndexError
        If a segment does not hold one byte for every pixel, or has bytes left after them.
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
