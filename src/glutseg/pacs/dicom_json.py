"""Read values of DICOM JSON (PS3.18, annex F) from an untrusted server."""

from __future__ import annotations

import re
from typing import Any

from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError

UID = re.compile(r"[0-9]+(\.[0-9]+)*", re.ASCII)
MAX_UID = 64
"""Characters of a UID (PS3.5, 9.1)."""
Item = dict[str, Any]


def items_of(content: object) -> list[Item]:
    """Return the data sets of a response.

    Raises
    ------
    GlutsegError
        ``pacs-answer-invalid`` for anything but a list of objects.
    """
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        raise GlutsegError("pacs-answer-invalid", "its JSON is not a list of DICOM data sets")
    return content


def values_of(item: Item, keyword: str) -> tuple[object, ...]:
    """Return the values of an element; none if it is absent, empty or malformed."""
    entry = item.get(tag_of(keyword))
    values = entry.get("Value") if isinstance(entry, dict) else None
    return tuple(values) if isinstance(values, list) else ()


def text_of(item: Item, keyword: str) -> str:
    """Return the cleaned text of the first value; "" if there is none."""
    first = next(iter(values_of(item, keyword)), None)
    return clean_text(first) if isinstance(first, str | int | float) else ""


def number_of(item: Item, keyword: str) -> int:
    """Return the first value as a count; 0 if it is not a number."""
    text = text_of(item, keyword)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def uid_of(item: Item, keyword: str) -> str:
    """Return a UID that is safe in a URL: digits and dots only.

    Raises
    ------
    GlutsegError
        ``pacs-answer-invalid``.
    """
    text = text_of(item, keyword)
    if not is_uid(text):
        raise GlutsegError("pacs-answer-invalid", f"a data set has no valid {keyword}")
    return text


def is_uid(text: str) -> bool:
    """Whether a text is a UID, and so safe in a URL: digits and dots, no longer than DICOM allows."""
    return len(text) <= MAX_UID and bool(UID.fullmatch(text))


def tag_of(keyword: str) -> str:
    """Return the eight hex digits that name an element in DICOM JSON."""
    from pydicom.datadict import tag_for_keyword

    return f"{tag_for_keyword(keyword) or 0:08X}"
