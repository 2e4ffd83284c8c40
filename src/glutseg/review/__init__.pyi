from .collate import (
    Collator,
    Tally,
    choose,
    chosen_reviewer,
    decision_counts,
    final_rows,
    revised,
    table_order,
)
from .decide import accept, correct, reject, undo
from .masks import read_mask, stored_mask
from .record import Change, Entry, Figures, Review, read_review, reviewer_id
from .remeasure import Remeasured, remeasure

__all__ = [
    "Change",
    "Collator",
    "Entry",
    "Figures",
    "Remeasured",
    "Review",
    "Tally",
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
    "table_order",
    "undo",
]
