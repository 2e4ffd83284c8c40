"""What to search for: KEY=VALUE as the user writes it, and whether an answer really matches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pydicom.datadict import dictionary_VR, tag_for_keyword

from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError
from glutseg.pacs.answers import Item, tag_of, values_of

MAX_SHOWN = 40
RESERVED = ("limit", "offset", "includefield", "fuzzymatching")
DATES = re.compile(r"(\d{8})?(-)?(\d{8})?", re.ASCII)
WITH_WILDCARDS = ("AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT")


def parse_query(texts: Sequence[str]) -> dict[str, str]:
    """``["StudyDescription=*PELVIS*"]`` as a mapping; every key is a keyword of DICOM's dictionary.

    Raises
    ------
    GlutsegError
        ``pacs-query-invalid``, also where nothing is asked: a whole PACS is never meant.
    """
    query: dict[str, str] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        key, value = key.strip(), value.strip()
        shown = clean_text(key, MAX_SHOWN)
        if not sign or not value:
            raise GlutsegError("pacs-query-invalid", "it has not the form KEY=VALUE", shown)
        if key in RESERVED or tag_for_keyword(key) is None:
            raise GlutsegError("pacs-query-invalid", "DICOM's dictionary has no such keyword", shown)
        if key in query:
            raise GlutsegError("pacs-query-invalid", "it is there twice", shown)
        query[key] = value
    if not query:
        raise GlutsegError("pacs-query-invalid", "nothing is asked, and a whole PACS would be measured")
    return query


def belied(item: Item, query: Mapping[str, str]) -> str:
    """The first keyword of the query that an answer shows another value for; "" where none does.

    Servers may pass over a key that they do not search by, and then answer with every study. What an
    answer does not show cannot be checked, nor are names, which servers compare in ways of their own.
    """
    for key, asked in query.items():
        shown = [str(value) for value in values_of(item, key) if isinstance(value, str | int)]
        if shown and tag_of(key) in item and not any(_matches(value, asked, key) for value in shown):
            return key
    return ""


def _matches(value: str, asked: str, key: str) -> bool:
    vr = dictionary_VR(key)
    if vr == "UI":
        return value.strip() in re.split(r"[\\,]", asked)
    if vr == "DA":
        found = DATES.fullmatch(asked)
        if not found:
            return True
        first, dash, last = found.groups(default="")
        return (first or "0") <= value <= (last or "9") if dash else value == first
    if vr not in WITH_WILDCARDS:
        return True
    pattern = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in asked)
    return bool(re.fullmatch(pattern, value.strip(), re.IGNORECASE | re.DOTALL))
