"""Gzip for masks, of which most slices are empty: an empty slice is compressed once for all."""

from __future__ import annotations

import struct
import zlib
from functools import cache

import numpy as np

from glutseg.image import LabelArray

_LEVEL = 6
_HEAD = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])
"""RFC 1952: deflate, no flags, no time (equal masks are equal bytes), system unknown."""


def gzip_slices(header: bytes, labels: LabelArray) -> bytes:
    """A header and the slices (z, y, x) behind it as one gzip member."""
    n_bytes, check = len(header), zlib.crc32(header)
    parts = [_HEAD, _deflated(header)]
    is_empty = ~np.asarray(labels.any(axis=(1, 2)))
    empty = bytes(labels[0].size)
    for k, image in enumerate(labels):
        content = empty if is_empty[k] else image.tobytes()
        parts.append(_deflated_zeros(len(content)) if is_empty[k] else _deflated(content))
        check = zlib.crc32(content, check)
        n_bytes += len(content)
    end = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS).flush()
    return b"".join([*parts, end, struct.pack("<2L", check, n_bytes % 2**32)])


def _deflated(content: bytes) -> bytes:
    """A piece of a raw deflate stream that refers to nothing before it."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)


@cache
def _deflated_zeros(n_bytes: int) -> bytes:
    return _deflated(bytes(n_bytes))
