"""Find a case of a run by its case id or by its patient's id."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from glutseg.errors import GlutsegError
from glutseg.output.schema import CaseRow
from glutseg.output.text import plain

MAX_NAMED = 5


class CaseLookupError(GlutsegError, KeyError):
    """``case-unknown`` or ``case-ambiguous``; also a `KeyError`, as of a dict."""

    def __str__(self) -> str:  # KeyError would show the quoted text
        return str(self.args[0])


def find_row(rows: Sequence[CaseRow], name: str, where: str) -> CaseRow:
    """The row of a case.

    Parameters
    ----------
    name : a case id, or the id of a patient who has one study in the run

    Raises
    ------
    CaseLookupError
        ``case-unknown``, with similar ids; ``case-ambiguous``, with the case ids of the patient.
    """
    for row in rows:
        if row.result.case_id == name:
            return row
    found = [row for row in rows if row.result.patient_id == name]
    if len(found) == 1:
        return found[0]
    shown = plain(repr(name), 80)
    if found:
        message = f"the patient {shown} has {len(found)} studies: {_named([r.result.case_id for r in found])}"
        raise CaseLookupError("case-ambiguous", message, where)
    known = {text: None for row in rows for text in (row.result.patient_id, row.result.case_id) if text}
    near = get_close_matches(str(name), known, MAX_NAMED)
    hint = f"similar: {_named(near)}" if near else f"there are {_named([r.result.case_id for r in rows])}"
    raise CaseLookupError("case-unknown", f"the run has no case or patient {shown}; {hint}", where)


def _named(names: Sequence[str]) -> str:
    more = ", …" if len(names) > MAX_NAMED else ""
    return ", ".join(plain(name, 80) for name in names[:MAX_NAMED]) + more
