"""Header values as clean Python values; all DICOM text is cleaned here."""

from __future__ import annotations

import hashlib
import math
import struct
import unicodedata
import zlib
from collections.abc import Iterable
from typing import Any
from zipfile import BadZipFile

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue

MAX_TEXT = 64
"""Limit of characters kept of a value: the longest that DICOM allows for LO and UI (PS3.5, 6.2)."""

MAX_VALUES = 16
"""Limit of values kept of a multi-valued text; Image Type, the longest one, has four to about ten."""

BAD_VALUE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    OSError,
    BytesLengthException,
    NotImplementedError,
)
BAD_FILE = (
    *BAD_VALUE,
    EOFError,
    RuntimeError,
    MemoryError,
    InvalidDicomError,
    struct.error,
    zlib.error,
    BadZipFile,
)
"""Exceptions of pydicom and its decoders for broken values and files; each is reported as a reason."""


def composed(text: str) -> str:
    """The same text with one character for a letter and its marks, as far as there is one."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def clean_text(value: object, limit: int = MAX_TEXT) -> str:
    """Text without control, format or surrogate characters, of limited length, in composed Unicode (NFC).

    Keyboards and file systems of some computers write an umlaut as two characters; it is the same text.
    White space is reduced to single blanks. A longer text ends in ``~`` and eight hex digits of its
    SHA-256, so that long identifiers with the same beginning stay distinct.
    """
    text = "" if value is None else str(value)
    if not text.isprintable():  # most text is printable and needs no cleaning
        text = "".join(
            " " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C"
        )
    shown = composed(" ".join(text.split()))
    if len(shown) <= limit:
        return shown
    digest = hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{shown[: limit - 9]}~{digest}"


def get(dataset: Dataset, keyword: str) -> Any:
    """Return the value as pydicom reads it; None if it is absent, empty or cannot be read."""
    try:
        value = dataset.get(keyword)
    except BAD_VALUE:
        return None
    return None if value is None or value == "" else value


def text(dataset: Dataset, keyword: str) -> str:
    """Return the cleaned text; several values are joined by a backslash, as in the file."""
    return clean_text("\\".join(texts(dataset, keyword)))


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Return the cleaned text of each value."""
    value = get(dataset, keyword)
    if value is None:
        return ()
    values: Iterable[object] = value if isinstance(value, MultiValue | list | tuple) else (value,)
    return tuple(clean_text(v) for _, v in zip(range(MAX_VALUES), values, strict=False))


def raw_text(dataset: Dataset, keyword: str) -> str:
    """Return the cleaned text as it is in the file, even if it violates its VR."""
    try:
        value = dataset.get_item(keyword).value if keyword in dataset else None
    except BAD_VALUE:
        return ""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    elif isinstance(value, MultiValue | list | tuple):
        value = "\\".join(str(v) for v in value)
    return clean_text(value)


def raw_value(dataset: Dataset, keyword: str) -> bytes:
    """Return the undecoded bytes of a value; none if it is absent or has been decoded already."""
    try:
        value = dataset.get_item(keyword).value if keyword in dataset else None
    except BAD_VALUE:
        return b""
    return value if isinstance(value, bytes) else b""


def all_numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Return every finite number among the first `MAX_VALUES` values."""
    found = []
    for value in texts(dataset, keyword):
        try:
            found.append(_as_float(value))
        except ValueError:
            continue
    return tuple(v for v in found if math.isfinite(v))


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Return ``count`` finite numbers, or None."""
    value = get(dataset, keyword)
    values = value if isinstance(value, MultiValue | list | tuple) else (value,)
    if value is None or len(values) != count:
        return None
    try:
        found = tuple(_as_float(v) for v in values)
    except BAD_VALUE:
        return None
    return found if all(math.isfinite(v) for v in found) else None


def _as_float(value: Any) -> float:
    """A number as DICOM writes it; Python would also take ``1_0`` for ten, and digits of other scripts."""
    written = value if isinstance(value, str) else getattr(value, "original_string", "")
    if written and not (written.isascii() and "_" not in written):
        raise ValueError("no decimal string")
    return float(value)


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return one finite number, or None."""
    found = numbers(dataset, keyword, 1)
    return found[0] if found else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """Return one whole number, or None."""
    found = number(dataset, keyword)
    return int(found) if found is not None and found == int(found) else None


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """Return the items of a sequence; none if it is absent or damaged."""
    value = get(dataset, keyword)
    try:
        return tuple(item for item in value or () if isinstance(item, Dataset))
    except BAD_VALUE:
        return ()
