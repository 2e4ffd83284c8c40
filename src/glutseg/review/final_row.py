"""The final row of a case after reviews: the automatic row, a corrected one, or an excluded one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from glutseg.case import failed
from glutseg.errors import Flag, GlutsegError
from glutseg.output.layout import OVERLAY, case_file
from glutseg.output.ledger import UNUSABLE
from glutseg.output.schema import CaseRow
from glutseg.result import CaseResult, SeriesRecord, exclusion_code
from glutseg.review.record import (
    AUTOMATIC,
    Entry,
    Review,
    mask_name,
    read_review_file,
    record_sha256,
    reviewer_id,
    with_figures,
)


@dataclass(frozen=True)
class CaseReviews:
    """All reviews of one case.

    Attributes
    ----------
    reviews : sorted by the names of the reviewers
    unreadable : file names of review records that cannot be read
    record_sha256 : of the present automatic record
    """

    reviews: tuple[Review, ...] = ()
    unreadable: tuple[str, ...] = ()
    record_sha256: str = ""

    def is_stale(self, entry: Entry) -> bool:
        """Whether the case was measured again since the decision, with another result."""
        return entry.record_sha256 != self.record_sha256


def read_reviews(out: Path, case_id: str, files: Sequence[Path]) -> CaseReviews:
    """The reviews of a case; records that cannot be read are listed in ``unreadable``."""
    reviews, unreadable = [], []
    for path in files:
        try:
            review = read_review_file(path)
        except GlutsegError:
            unreadable.append(path.name)
            continue
        if review.case_id == case_id:
            reviews.append(review)
        else:
            unreadable.append(path.name)
    ordered = tuple(sorted(reviews, key=lambda r: r.reviewer))
    return CaseReviews(ordered, tuple(unreadable), record_sha256(out, case_id))


def final_row(out: Path, row: CaseRow, found: CaseReviews, chosen: str = "") -> CaseRow:
    """The final row of a case, as the tables show it.

    Parameters
    ----------
    row : the automatic one
    chosen : the reviewer whose decisions count; "" when all reviewers count and must agree
    """
    if row.result.error_code in UNUSABLE:  # no decision puts figures in the place of lost ones
        return row
    relevant = [r for r in found.reviews if not chosen or r.reviewer == chosen]
    decisions_in_force = [(review, entry) for review in relevant if (entry := review.in_force) is not None]
    flags = []
    if chosen:
        mine = f"review-{reviewer_id(chosen)}.json"
        unreadable = [name for name in found.unreadable if name == mine]
    else:
        unreadable = list(found.unreadable)
    if unreadable:
        flags.append(Flag("review-unreadable", f"{len(unreadable)}: {', '.join(unreadable)}"))
    stale = [review.reviewer for review, entry in decisions_in_force if found.is_stale(entry)]
    if stale:
        flags.append(Flag("review-stale", f"decision of {'; '.join(stale)}"))
    if flags:
        return _with_flags(row, tuple(flags))
    if not decisions_in_force:
        return row
    if len(decisions_in_force) == 1:
        return _with_decision(out, row, *decisions_in_force[0])
    decisions = {entry.decision for _, entry in decisions_in_force}
    names = "; ".join(review.reviewer for review, _ in decisions_in_force)
    if decisions == {"rejected"}:
        return _excluded(row, names, [entry.reason for _, entry in decisions_in_force])
    if decisions == {"accepted"}:
        return replace(_with_decision(out, row, *decisions_in_force[0]), reviewer=names)
    each = "; ".join(f"{review.reviewer}: {entry.decision}" for review, entry in decisions_in_force)
    return _with_flags(row, (Flag("reviewers-differ", each),))


def _with_flags(row: CaseRow, flags: tuple[Flag, ...]) -> CaseRow:
    """The automatic row with more flags and status ``review``; a failed case stays failed."""
    result = replace(row.result, flags=row.result.flags + flags)
    return replace(row, result=result if result.status == "failed" else replace(result, status="review"))


def _with_decision(out: Path, row: CaseRow, review: Review, entry: Entry) -> CaseRow:
    if entry.decision == "rejected":
        return _excluded(row, review.reviewer, [entry.reason])
    decided = replace(row, decision=entry.decision, reviewer=review.reviewer)
    if entry.decision == "accepted" or entry.figures is None:
        return replace(decided, result=replace(row.result, status="ok"))
    figures = entry.figures
    result = replace(
        with_figures(row.result, figures),
        status="ok",
        error_code="",
        error_message="",
        series=_series_at(row.result, figures.level.slice_index),
    )
    case = review.case_id
    return replace(
        decided,
        result=result,
        is_corrected=True,
        mask=case_file(case, corrected_mask(entry, review.reviewer)),
        overlay=_existing(out, case_file(case, corrected_overlay(entry, review.reviewer))),
    )


def _excluded(row: CaseRow, reviewers: str, reasons: Sequence[str]) -> CaseRow:
    """The row without figures; reviewers who agree to exclude a case may differ in the reason."""
    distinct = list(dict.fromkeys(reasons))
    bare = failed(row.result, GlutsegError("case-rejected", "; ".join(distinct)))
    return replace(
        row,
        result=replace(bare, status="excluded"),
        mask="",
        decision="rejected",
        reviewer=reviewers,
        exclusion_reason=" ".join(dict.fromkeys(exclusion_code(reason) for reason in distinct)),
    )


def _series_at(automatic: CaseResult, slice_index: int) -> SeriesRecord | None:
    """The record of the series; the UID of a slice chosen by hand is unknown here."""
    same = automatic.level is not None and automatic.level.slice_index == slice_index
    return (
        automatic.series
        if same or automatic.series is None
        else replace(automatic.series, sop_uid_of_slice="")
    )


def corrected_mask(entry: Entry, reviewer: str) -> str:
    """Name of the mask of an entry, within the folder of the case."""
    return mask_name(reviewer, entry.mask_version)


def corrected_overlay(entry: Entry, reviewer: str) -> str:
    """Name of the overlay of a corrected mask, within the folder of the case."""
    if entry.mask_version == AUTOMATIC:
        return OVERLAY
    return mask_name(reviewer, entry.mask_version).replace("mask-", "overlay-", 1).replace(".nii.gz", ".png")


def _existing(out: Path, name: str) -> str:
    """The overlay is drawn after the decision was written; until then there is none."""
    return name if (out / name).is_file() else ""
