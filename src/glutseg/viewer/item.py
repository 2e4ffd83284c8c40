"""A case in the list of a review, and the filters of the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from glutseg.result import CaseResult, Status

Filter = Literal["undecided", "decided", "ok", "review", "failed", "excluded", "all"]
FILTERS: tuple[Filter, ...] = get_args(Filter)


@dataclass(frozen=True)
class Item:
    """A case in the list: the automatic result and this reviewer's decision, never another reviewer's.

    ``decision`` is "" where there is none, or where it is out of date because the case was measured again
    (``is_stale``); ``reason`` is that of a rejection.
    """

    result: CaseResult
    decision: str = ""
    reason: str = ""
    is_stale: bool = False

    @property
    def case_id(self) -> str:
        return self.result.case_id

    @property
    def status(self) -> Status:
        """As the tables have it where nobody else decides: ``ok`` or ``excluded`` by the decision."""
        if self.decision:
            return "excluded" if self.decision == "rejected" else "ok"
        return self.result.status

    @property
    def words(self) -> str:
        """The decision in words, or the status where there is none."""
        if self.decision == "rejected":
            return f"excluded ({self.reason})"
        return self.decision or self.result.status

    def passes(self, chosen: Filter) -> bool:
        """Whether the list shows the case under a filter."""
        if chosen == "all":
            return True
        if chosen in ("undecided", "decided"):
            return bool(self.decision) == (chosen == "decided")
        return self.status == chosen
