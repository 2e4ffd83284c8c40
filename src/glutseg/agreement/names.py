"""Which case a name means, in a table or on a file."""

from __future__ import annotations

from collections.abc import Sequence

from glutseg.agreement.model import Case
from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError
from glutseg.output.case_id import file_name_of


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
    found = [case for case in cases if key and key in (case.patient_id, file_name_of(case.patient_id))]
    if len(found) > 1:
        message = f"{key!r} names {len(found)} studies: name them by their case ids"
        raise GlutsegError("reference-invalid", message, where)
    return found[0] if found else None
