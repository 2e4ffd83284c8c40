"""Decisions of a reviewer. Each is written at once, so that nothing is lost if the program is killed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from glutseg.errors import GlutsegError
from glutseg.image import Mask
from glutseg.output.folder import run_record
from glutseg.output.layout import case_file
from glutseg.output.ledger import read_case
from glutseg.output.text import plain
from glutseg.result import EXCLUSION_REASONS, CaseResult
from glutseg.review.masks import write_mask
from glutseg.review.record import AUTOMATIC, Entry, Review, add, append, changing, mask_name, record_sha256
from glutseg.review.remeasure import Remeasured
from glutseg.version import __version__

MAX_TEXT = 2000


def accept(out: Path, case_id: str, reviewer: str, note: str = "") -> Review:
    """Accept the automatic outlines and level as they are.

    Raises
    ------
    GlutsegError
        ``decision-invalid`` when there is no number to accept, and those of `record.append`.
    """
    if _automatic(out, case_id).status == "failed":
        raise GlutsegError("decision-invalid", "there is no measurement to accept: correct or reject it")
    return append(out, case_id, reviewer, _entry(out, case_id, Entry("accepted", "", "", "", note=note)))


def reject(out: Path, case_id: str, reviewer: str, reason: str, note: str = "") -> Review:
    """Exclude the case.

    Parameters
    ----------
    reason : a code of `glutseg.result.EXCLUSION_REASONS` but ``other``, or any words

    Raises
    ------
    GlutsegError
        ``decision-invalid`` without a reason, and those of `record.append`.
    """
    _automatic(out, case_id)
    if not plain(reason) or reason == "other":
        raise GlutsegError("decision-invalid", "a rejection needs a reason")
    words = EXCLUSION_REASONS.get(reason, reason)
    blank = Entry("rejected", "", "", "", reason=words, note=note)
    return append(out, case_id, reviewer, _entry(out, case_id, blank))


def correct(
    out: Path, case_id: str, reviewer: str, measured: Remeasured, mask: Mask, reason: str = "", note: str = ""
) -> Review:
    """Save a corrected mask or level: first the mask under a new name, then the decision.

    Parameters
    ----------
    measured : from `glutseg.review.remeasure`, on this mask

    Raises
    ------
    GlutsegError
        ``output-unwritable`` and those of `record.append`.
    """
    _automatic(out, case_id)
    with changing(out, case_id, reviewer) as before:  # two sessions must not give a mask the same number
        mask_version = 1 + max((entry.mask_version for entry in before.history), default=AUTOMATIC)
        content = write_mask(out / case_file(case_id, mask_name(reviewer, mask_version)), mask)
        blank = Entry(
            "corrected",
            "",
            "",
            "",
            reason=reason,
            note=note,
            mask_version=mask_version,
            mask_sha256=hashlib.sha256(content).hexdigest(),
            changes=measured.changes,
            figures=measured.figures,
        )
        return add(out, before, _entry(out, case_id, blank))


def undo(out: Path, case_id: str, reviewer: str) -> Review:
    """Undo the decision in force: the one before it is in force again, or none.

    Raises
    ------
    GlutsegError
        ``decision-invalid`` when there is no decision, and those of `record.append`.
    """
    with changing(out, case_id, reviewer) as review:
        if review.in_force is None:
            raise GlutsegError("decision-invalid", "there is no decision to undo")
        place = review.place_before
        restored = review.history[place] if place >= 0 else Entry("withdrawn", "", "", "")
        stamped = _entry(out, case_id, replace(restored, restores=place))
        if place >= 0:  # it refers to the same record as before
            stamped = replace(stamped, record_sha256=restored.record_sha256)
        return add(out, review, stamped)


def _automatic(out: Path, case_id: str) -> CaseResult:
    entry = read_case(out, case_id)
    if entry is None:
        run_record(out)  # a run of another version is the better reason
        raise GlutsegError("decision-invalid", "the case has no record, or its files are gone", case_id)
    return entry.row.result


def _entry(out: Path, case_id: str, blank: Entry) -> Entry:
    return replace(
        blank,
        when=datetime.now(UTC).isoformat(timespec="milliseconds"),
        glutseg_version=__version__,
        record_sha256=record_sha256(out, case_id),
        reason=plain(blank.reason, MAX_TEXT),
        note=plain(blank.note, MAX_TEXT),
    )
