"""A name for each study that is safe as a folder's name on every system."""

from __future__ import annotations

import hashlib
import re

MAX_PREFIX = 40
HASH_DIGITS = 10
"""40 bits: among ten thousand studies two share them with odds of one in twenty thousand."""


def file_name_of(patient_id: str) -> str:
    """What of a patient id can stand in a file's name on every system; may be empty."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", patient_id).strip("_-")


def case_id(patient_id: str, study_uid: str) -> str:
    """Sanitised patient id plus a short hash, the same for the same study in every run.

    Only ASCII letters, digits, ``-`` and ``_`` come through: no separator, no dot (``..``, reserved
    names of Windows), nothing that a shell, a spreadsheet or a web page would take for more than
    text. The hash covers the raw id and the study's UID, so that ids which look alike after
    cleaning, or differ in case only, still get folders of their own.
    """
    prefix = file_name_of(patient_id)[:MAX_PREFIX] or "unknown"
    digest = hashlib.sha256(f"{patient_id}\0{study_uid}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{prefix}-{digest[:HASH_DIGITS]}"
