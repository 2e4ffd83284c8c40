"""Find elements in the bytes of a plain data set, in one pass and without a library.

Nearly all files are in little endian with lengths that add up. For these, walking over the bytes is many
times faster than pydicom's reader, whose result is the same. Whatever is not plain is left to pydicom.
"""

from __future__ import annotations

from collections.abc import Container
from struct import Struct

from pydicom.dataelem import RawDataElement, empty_value_for_VR
from pydicom.tag import BaseTag

UNDEFINED_LENGTH = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXELS_GROUP = 0x7FE0
PIXEL_DATA = 0x7FE00010
MAX_DEPTH = 8
"""Of nested sequences of undefined length; deeper ones are left to pydicom."""

LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Explicit VRs with a length of four bytes (PS3.5, 7.1.2)."""
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_EXPLICIT = Struct("<HH2sH").unpack_from
_IMPLICIT = Struct("<HHL").unpack_from
_LENGTH = Struct("<L").unpack_from

Elements = dict[int, RawDataElement]
"""By tag, in their order."""


class NotPlainError(ValueError):
    """The bytes are not plain, or end before the elements do."""


class DuplicateElementError(ValueError):
    """An element stands twice in a data set, and nobody knows which one is right."""

    def __init__(self, tag: int) -> None:
        super().__init__(f"the element ({tag >> 16:04X},{tag & 0xFFFF:04X}) stands twice in the header")


def find_elements(
    content: bytes, at: int, wanted: Container[int], groups: range, *, is_implicit: bool
) -> tuple[Elements, int]:
    """Return the wanted elements from ``at`` on, and where the first element beyond ``groups`` begins.

    Raises
    ------
    NotPlainError, struct.error
        For pydicom to read: unknown VRs, wanted sequences of undefined length, truncated elements.
    DuplicateElementError
        For a wanted element that stands twice.
    """
    found: Elements = {}
    end = len(content)
    while at < end:
        if int.from_bytes(content[at : at + 2], "little") not in groups:
            return found, at
        group, element, vr, length, value = _start(content, at, is_implicit=is_implicit)
        tag = group << 16 | element
        stop = value + length
        if length == UNDEFINED_LENGTH:
            is_pixels = tag == PIXEL_DATA and vr in (b"OB", b"OW")
            if (tag in wanted or (vr != b"SQ" and not is_implicit)) and not is_pixels:
                raise NotPlainError
            stop = _after_sequence(content, value, is_implicit=is_implicit)
        if stop > end:
            raise NotPlainError
        if tag in wanted:
            if tag in found:
                raise DuplicateElementError(tag)
            name = None if is_implicit else vr.decode("ascii")
            value_end = stop - 8 if length == UNDEFINED_LENGTH else stop
            raw = content[value:value_end] if length else empty_value_for_VR(name, raw=True)
            found[tag] = RawDataElement(BaseTag(tag), name, length, raw, value, is_implicit, True)  # type: ignore[arg-type]
        at = stop
    return found, at


def _start(content: bytes, at: int, *, is_implicit: bool) -> tuple[int, int, bytes, int, int]:
    """(group, element, VR, length, where the value begins) of the element at a place."""
    if is_implicit:
        group, element, length = _IMPLICIT(content, at)
        return group, element, b"", length, at + 8
    group, element, vr, length = _EXPLICIT(content, at)
    if vr in SHORT_VRS:
        return group, element, vr, length, at + 8
    if vr in LONG_VRS:
        return group, element, vr, _LENGTH(content, at + 8)[0], at + 12
    raise NotPlainError


def _after_sequence(content: bytes, at: int, *, is_implicit: bool, depth: int = 0) -> int:
    """Where a sequence of undefined length ends whose first item begins at ``at``."""
    while True:
        group, element, length = _IMPLICIT(content, at)
        tag, at = group << 16 | element, at + 8
        if tag == SEQUENCE_END and length == 0:
            return at
        if tag != ITEM or depth == MAX_DEPTH:
            raise NotPlainError
        if length == UNDEFINED_LENGTH:
            at = _after_item(content, at, is_implicit=is_implicit, depth=depth)
        else:
            at += length


def _after_item(content: bytes, at: int, *, is_implicit: bool, depth: int) -> int:
    """Where an item of undefined length ends whose first element begins at ``at``."""
    while True:
        group, element, length = _IMPLICIT(content, at)
        if group << 16 | element == ITEM_END:
            return at + 8
        _, _, vr, length, value = _start(content, at, is_implicit=is_implicit)
        if length != UNDEFINED_LENGTH:
            at = value + length
        elif vr == b"SQ" or is_implicit:
            at = _after_sequence(content, value, is_implicit=is_implicit, depth=depth + 1)
        else:
            raise NotPlainError
