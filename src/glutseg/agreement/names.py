"""Which case a name means, in a table or on a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from glutseg.agreement.model import Case
from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError


def case_of(name: str, cases: Sequence[Case], where: str) -> Case | None:
    """The case whose case id or patient id this is, or None.

    Parameters
    ----------
    name : a patient id may stand with ``_`` for what a file's name cannot hold
    where : for the message

    Raises
    ------
    GlutsegError
        ``reference-invalid`` for a patient with several studies.
    """
    key = clean_text(name)
    for case in cases:
        if case.case_id == key:
            return case
    found = [case for case in cases if key and key in (case.patient_id, _as_file_name(case.patient_id))]
    if len(found) > 1:
        message = f"{key!r} names {len(found)} studies: name them by their case ids"
        raise GlutsegError("reference-invalid", message, where)
    return found[0] if found else None


def _as_file_name(patient_id: str) -> str:
    """As `glutseg.output.case_id` cleans it."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", patient_id).strip("_-")
