"""Reviewers' decisions on the cases of a run, and the tables that follow; independent of the viewer."""

from glutseg.review.collate import (
    Collator,
    choose,
    chosen_reviewer,
    decision_counts,
    final_rows,
    revised,
    write_reviews,
)
from glutseg.review.decide import accept, correct, reject, undo
from glutseg.review.masks import read_mask, stored_mask
from glutseg.review.record import Change, Entry, Figures, Review, read_review, reviewer_id
from glutseg.review.remeasure import Remeasured, remeasure

__all__ = [
    "Change",
    "Collator",
    "Entry",
    "Figures",
    "Remeasured",
    "Review",
    "accept",
    "choose",
    "chosen_reviewer",
    "correct",
    "decision_counts",
    "final_rows",
    "read_mask",
    "read_review",
    "reject",
    "remeasure",
    "reviewer_id",
    "revised",
    "stored_mask",
    "undo",
    "write_reviews",
]
