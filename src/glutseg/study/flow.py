"""From the studies of a run to the patients that are compared: who was left out on the way, and why.

Every number is counted for itself, so that a test can say whether those who come in go on or are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from glutseg.errors import catalogue
from glutseg.result import EXCLUSION_REASONS
from glutseg.study.join import Join, Patient
from glutseg.study.run_rows import RunRows
from glutseg.study.sample import Sample

REVIEWS = {
    "accepted": "accepted by a reviewer",
    "corrected": "corrected by a reviewer",
    "": "not reviewed",
    "review": "not reviewed, though flagged",
}


@dataclass(frozen=True)
class Count:
    """Studies or patients with something in common, and the reasons for it: how many each."""

    words: str
    n: int
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Arm:
    """A group.

    Attributes
    ----------
    n : its patients
    left_out : those of them without the value
    compared : those of them with it
    reviews : of the compared, how many were reviewed and how
    """

    group: str
    n: int
    left_out: tuple[Count, ...]
    compared: int
    reviews: tuple[Count, ...]


@dataclass(frozen=True)
class Flow:
    """Studies until they are measured, patients from then on: each has one measured study.

    Attributes
    ----------
    studies : of the run's plan
    only_table : patients of the participants table without a study that is done
    not_measured : studies left out until then
    measured : patients with a measured study and a row in the table
    not_of_groups : patients left out then
    arms : first and second group
    """

    studies: int
    only_table: int
    not_measured: tuple[Count, ...]
    measured: int
    not_of_groups: tuple[Count, ...]
    arms: tuple[Arm, Arm]

    @property
    def compared(self) -> int:
        """Patients of both groups with the value."""
        return sum(arm.compared for arm in self.arms)


def flow_of(run: RunRows, joined: Join, sample: Sample) -> Flow:
    """Count everybody; ``run`` with the decisions of reviewers."""
    there = {p.case.result.case_id for p in joined.patients} | {*joined.failed, *joined.excluded}
    failed, excluded = set(joined.failed), set(joined.excluded)
    not_measured = (
        Count("not done yet", len(run.waiting)),
        Count("no row in the participants table", sum(r.case_id not in there for r in run.results)),
        _with_reasons("not measured", (_failure(r.error_code) for r in run.results if r.case_id in failed)),
        _with_reasons(
            "excluded by a reviewer",
            (_exclusion(row.exclusion_reason) for row in run.rows if row.result.case_id in excluded),
        ),
    )
    others = (Count(f"of the group {group}", n) for group, n in sample.other_groups)
    first, second = (_arm(sample, group) for group in sample.groups)
    return Flow(
        studies=len(run.rows) + len(run.waiting),
        only_table=len(joined.only_table),
        not_measured=_some(not_measured),
        measured=len(joined.patients),
        not_of_groups=_some([Count("no group in the table", len(sample.no_group)), *others]),
        arms=(first, second),
    )


def _arm(sample: Sample, group: str) -> Arm:
    mine = sample.frame["group"] == group
    known = mine & sample.frame["value"].notna()
    compared = [p for p, counts in zip(sample.patients, known, strict=True) if counts]
    reviews = Counter(_review(p) for p in compared)
    return Arm(
        group=group,
        n=int(mine.sum()),
        left_out=_some([Count(f"no {sample.value.name}", int((mine & ~known).sum()))]),
        compared=len(compared),
        reviews=_some(Count(words, reviews[key]) for key, words in REVIEWS.items()),
    )


def _review(patient: Patient) -> str:
    row = patient.case
    return row.decision or ("review" if row.result.status == "review" else "")


def _failure(code: str) -> str:
    words = catalogue()[code].meaning if code in catalogue() else code
    return f"{words[:1].lower()}{words[1:]}".rstrip(".") or "no reason known"


def _exclusion(codes: str) -> str:
    return " and ".join(EXCLUSION_REASONS.get(code, code) for code in codes.split()) or "no reason given"


def _with_reasons(words: str, reasons: Iterable[str]) -> Count:
    counts = Counter(sorted(reasons)).most_common()
    return Count(words, sum(n for _, n in counts), tuple(counts))


def _some(counts: Iterable[Count]) -> tuple[Count, ...]:
    return tuple(count for count in counts if count.n)
