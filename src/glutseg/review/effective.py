"""What of a case counts once people have looked at it: the automatic row, a corrected one, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from glutseg.case import failed
from glutseg.errors import Flag, GlutsegError
from glutseg.output.layout import OVERLAY, case_file
from glutseg.output.schema import CaseRow
from glutseg.result import CaseResult, SeriesRecord
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
    """All that people said of one case.

    Attributes
    ----------
    reviews : by the reviewers' names
    unreadable : file names of records that cannot be read
    record_sha256 : of the automatic record as it is now
    """

    reviews: tuple[Review, ...] = ()
    unreadable: tuple[str, ...] = ()
    record_sha256: str = ""

    def is_stale(self, entry: Entry) -> bool:
        """Whether the case was measured anew since, with another result."""
        return entry.record_sha256 != self.record_sha256


def read_reviews(out: Path, case_id: str, files: Sequence[Path]) -> CaseReviews:
    """The reviews of a case; a record that cannot be read is named, not left out in silence."""
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


def effective_row(out: Path, row: CaseRow, found: CaseReviews, chosen: str = "") -> CaseRow:
    """The row of the tables for one case.

    Parameters
    ----------
    row : the automatic one
    chosen : the reviewer whose decisions count; without one they all do, and must agree
    """
    ours = [r for r in found.reviews if not chosen or r.reviewer == chosen]
    decided = [(review, entry) for review in ours if (entry := review.in_force) is not None]
    flags = []
    if chosen:
        mine = f"review-{reviewer_id(chosen)}.json"
        unreadable = [name for name in found.unreadable if name == mine]
    else:
        unreadable = list(found.unreadable)
    if unreadable:
        flags.append(Flag("review-unreadable", f"{len(unreadable)}: {', '.join(unreadable)}"))
    stale = [review.reviewer for review, entry in decided if found.is_stale(entry)]
    if stale:
        flags.append(Flag("review-stale", f"that of {'; '.join(stale)}"))
    if flags:
        return _doubted(row, tuple(flags))
    if not decided:
        return row
    if len(decided) == 1:
        return _decided(out, row, *decided[0])
    decisions = {entry.decision for _, entry in decided}
    names = "; ".join(review.reviewer for review, _ in decided)
    if len(decisions) == 1 and decisions <= {"accepted", "rejected"}:
        return replace(_decided(out, row, *decided[0]), reviewer=names)
    told = "; ".join(f"{review.reviewer}: {entry.decision}" for review, entry in decided)
    return _doubted(row, (Flag("reviewers-differ", told),))


def _doubted(row: CaseRow, flags: tuple[Flag, ...]) -> CaseRow:
    """The automatic values with a doubt; a case without a number stays without."""
    result = replace(row.result, flags=row.result.flags + flags)
    return replace(row, result=result if result.status == "failed" else replace(result, status="review"))


def _decided(out: Path, row: CaseRow, review: Review, entry: Entry) -> CaseRow:
    told = replace(row, decision=entry.decision, reviewer=review.reviewer)
    if entry.decision == "rejected":
        bare = failed(row.result, GlutsegError("case-rejected", entry.reason))
        return replace(told, result=replace(bare, status="excluded"), mask="")
    if entry.decision == "accepted" or entry.figures is None:
        return replace(told, result=replace(row.result, status="ok"))
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
        told,
        result=result,
        is_corrected=True,
        mask=case_file(case, corrected_mask(entry, review.reviewer)),
        overlay=_existing(out, case_file(case, corrected_overlay(entry, review.reviewer))),
    )


def _series_at(automatic: CaseResult, slice_index: int) -> SeriesRecord | None:
    """The record of the series; of a slice chosen by hand the UID is not known here."""
    same = automatic.level is not None and automatic.level.slice_index == slice_index
    return (
        automatic.series
        if same or automatic.series is None
        else replace(automatic.series, sop_uid_of_slice="")
    )


def corrected_mask(entry: Entry, reviewer: str) -> str:
    """Name of the mask an entry rests on, within the case's folder."""
    return mask_name(reviewer, entry.mask_version)


def corrected_overlay(entry: Entry, reviewer: str) -> str:
    """Name of the picture of a corrected mask, within the case's folder."""
    if entry.mask_version == AUTOMATIC:
        return OVERLAY
    return mask_name(reviewer, entry.mask_version).replace("mask-", "overlay-", 1).replace(".nii.gz", ".png")


def _existing(out: Path, name: str) -> str:
    """A picture is drawn after the decision is safe; until then there is none of these figures."""
    return name if (out / name).is_file() else ""
