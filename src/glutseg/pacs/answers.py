"""DICOM JSON (PS3.18, F) of a server that may send anything, as plain values."""

from __future__ import annotations

import re
from typing import Any

from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError

UID = re.compile(r"[0-9]+(\.[0-9]+)*", re.ASCII)
MAX_UID = 64
Item = dict[str, Any]


def items_of(answer: object) -> list[Item]:
    """The data sets of an answer.

    Raises
    ------
    GlutsegError
        ``pacs-answer-invalid`` for anything but a list of objects.
    """
    if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
        raise GlutsegError("pacs-answer-invalid", "its JSON is no list of DICOM data sets")
    return answer


def values_of(item: Item, keyword: str) -> tuple[object, ...]:
    """The values of an element; none where it is absent, empty or in another form."""
    entry = item.get(tag_of(keyword))
    values = entry.get("Value") if isinstance(entry, dict) else None
    return tuple(values) if isinstance(values, list) else ()


def text_of(item: Item, keyword: str) -> str:
    """Cleaned text of the first value, "" where there is none."""
    first = next(iter(values_of(item, keyword)), None)
    return clean_text(first) if isinstance(first, str | int | float) else ""


def number_of(item: Item, keyword: str) -> int:
    """The first value as a count; 0 where it is none."""
    text = text_of(item, keyword)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def uid_of(item: Item, keyword: str) -> str:
    """A UID, which later stands in URLs: digits and dots only.

    Raises
    ------
    GlutsegError
        ``pacs-answer-invalid``.
    """
    text = text_of(item, keyword)
    if not is_uid(text):
        raise GlutsegError("pacs-answer-invalid", f"a data set without a proper {keyword}")
    return text


def is_uid(text: str) -> bool:
    """Whether it may stand in a URL: digits and dots, no longer than DICOM allows."""
    return len(text) <= MAX_UID and bool(UID.fullmatch(text))


def tag_of(keyword: str) -> str:
    """Eight hex digits, the name of an element in DICOM JSON."""
    from pydicom.datadict import tag_for_keyword

    return f"{tag_for_keyword(keyword) or 0:08X}"
