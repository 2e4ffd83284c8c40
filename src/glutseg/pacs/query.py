"""Parse queries KEY=VALUE, and check that results match them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pydicom.datadict import dictionary_VR, tag_for_keyword

from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError
from glutseg.pacs.dicom_json import Item, tag_of, values_of

MAX_SHOWN = 40
"""Characters of a keyword in a message."""
RESERVED = ("limit", "offset", "includefield", "fuzzymatching")
DATES = re.compile(r"(\d{8})?(-)?(\d{8})?", re.ASCII)
WITH_WILDCARDS = ("AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT")


def parse_query(texts: Sequence[str]) -> dict[str, str]:
    """Parse ``["StudyDescription=*PELVIS*"]`` to a mapping; every key is a keyword of the DICOM dictionary.

    Raises
    ------
    GlutsegError
        ``pacs-query-invalid``, also for an empty query: a whole PACS is never intended.
    """
    query: dict[str, str] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        key, value = key.strip(), value.strip()
        shown = clean_text(key, MAX_SHOWN)
        if not sign or not value:
            raise GlutsegError("pacs-query-invalid", "it does not have the form KEY=VALUE", shown)
        if key in RESERVED or tag_for_keyword(key) is None:
            raise GlutsegError("pacs-query-invalid", "the DICOM dictionary has no such keyword", shown)
        if key in query:
            raise GlutsegError("pacs-query-invalid", "it is given twice", shown)
        query[key] = value
    if not query:
        raise GlutsegError("pacs-query-invalid", "without a query a whole PACS would be measured")
    return query


def mismatched_key(item: Item, query: Mapping[str, str]) -> str:
    """Return the first key of the query that a result does not match; "" if it matches all.

    Servers may ignore a key that they cannot search by and return every study. Keys that a result does not
    contain cannot be checked; names are not checked, because servers compare them in different ways.
    """
    for key, pattern in query.items():
        values = [str(value) for value in values_of(item, key) if isinstance(value, str | int)]
        if values and tag_of(key) in item and not any(_matches(value, pattern, key) for value in values):
            return key
    return ""


def _matches(value: str, pattern: str, key: str) -> bool:
    vr = dictionary_VR(key)
    if vr == "UI":
        return value.strip() in re.split(r"[\\,]", pattern)
    if vr == "DA":
        found = DATES.fullmatch(pattern)
        if not found:
            return True
        first, dash, last = found.groups(default="")
        return (first or "0") <= value <= (last or "9") if dash else value == first
    if vr not in WITH_WILDCARDS:
        return True
    expression = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)
    return bool(re.fullmatch(expression, value.strip(), re.IGNORECASE | re.DOTALL))
