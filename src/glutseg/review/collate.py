"""The tables of a reviewed run: measurements.csv with the final rows, reviews.csv with all decisions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from glutseg.errors import GlutsegError
from glutseg.output.atomic import write_text
from glutseg.output.folder import PROGRAM, case_ids, review_files, run_record
from glutseg.output.layout import CASE_JSON, REVIEWER_JSON, REVIEWS_CSV, case_file
from glutseg.output.ledger import read_case
from glutseg.output.schema import CaseRow
from glutseg.output.tables import sort_rows, to_csv, write_tables
from glutseg.output.text import plain
from glutseg.protocol import Protocol
from glutseg.review.final_row import CaseReviews, final_row, read_reviews
from glutseg.review.reviews_table import REVIEWS, ReviewRow

Values = Literal["corrected", "automatic"]

ROUNDS = 3
"""Most attempts to write the tables: they are written again when a decision was made meanwhile."""

Signature = tuple[tuple[str, int, int], ...]
"""(name, size, time of writing) of files; it changes with their content."""


@dataclass
class Collator:
    """Writes the tables of a run repeatedly, reading only files that have changed in between.

    Parameters
    ----------
    out : the run's folder
    """

    out: Path

    def __post_init__(self) -> None:
        self._rows: dict[str, tuple[Signature, CaseRow]] = {}
        self._reviews: dict[str, tuple[Signature, CaseReviews]] = {}

    def rows(self, names: Sequence[str]) -> list[CaseRow]:
        """The automatic rows of the cases that have a record."""
        found = [self._row(name) for name in names]
        return [row for row in found if row is not None]

    def reviews(self) -> dict[str, CaseReviews]:
        """Reviews by case id, of the cases that have any."""
        found = {}
        for name, files in review_files(self.out).items():
            signature = _signature((*files, self.out / case_file(name, CASE_JSON)))
            known = self._reviews.get(name)
            if known is None or known[0] != signature:
                known = self._reviews[name] = (signature, read_reviews(self.out, name, files))
            found[name] = known[1]
        return found

    def collate(self) -> list[CaseRow]:
        """Write all tables from the ledger and the reviews; the rows in their order.

        Raises
        ------
        GlutsegError
            ``input-missing`` where no run of glutseg is, ``output-unwritable``.
        """
        names, extent = run_cases(self.out), run_protocol(self.out).extent
        rows: list[CaseRow] = []
        for _ in range(ROUNDS):
            before = self.signature()
            automatic, reviews = self.rows(names), self.reviews()
            rows = revised(self.out, automatic, reviews)
            write_tables(self.out, rows, extent)
            write_reviews(self.out, automatic, reviews)
            if self.signature() == before:
                break
        return sort_rows(rows)

    def signature(self) -> Signature:
        """Changes with every decision of any reviewer."""
        paths = [path for files in review_files(self.out).values() for path in files]
        return _signature((*paths, self.out / REVIEWER_JSON))

    def _row(self, name: str) -> CaseRow | None:
        signature = _signature((self.out / case_file(name, CASE_JSON),))
        known = self._rows.get(name)
        if known is None or known[0] != signature:
            entry = read_case(self.out, name)
            if entry is None:
                return None
            known = self._rows[name] = (signature, entry.row)
        return known[1]


def final_rows(out: Path, values: Values = "corrected", reviewer: str | None = None) -> tuple[CaseRow, ...]:
    """The final rows of a run, or its automatic ones, in the order of the tables.

    Parameters
    ----------
    values : ``corrected``: as in measurements.csv; ``automatic``: without any review
    reviewer : whose decisions count; by default the one chosen with `choose`, or all

    Raises
    ------
    GlutsegError
        ``input-missing`` where no run of glutseg is; ``reviewer-unknown``.
    """
    collator = Collator(out)
    rows = collator.rows(run_cases(out))
    if values == "automatic":
        return tuple(sort_rows(rows))
    reviews = collator.reviews()
    if reviewer is not None:
        _check_known(plain(reviewer), reviews, out)
    return tuple(sort_rows(revised(out, rows, reviews, None if reviewer is None else plain(reviewer))))


def revised(
    out: Path,
    rows: Sequence[CaseRow],
    reviews: dict[str, CaseReviews] | None = None,
    reviewer: str | None = None,
) -> list[CaseRow]:
    """The final rows; without any review they are the automatic ones."""
    found = Collator(out).reviews() if reviews is None else reviews
    if not found:
        return list(rows)
    whose = chosen_reviewer(out) if reviewer is None else reviewer
    blank = CaseReviews()
    return [final_row(out, row, found.get(row.result.case_id, blank), whose) for row in rows]


def write_reviews(out: Path, rows: Sequence[CaseRow], reviews: dict[str, CaseReviews] | None = None) -> None:
    """Write reviews.csv: a row per case and reviewer; nothing where there is no review.

    Parameters
    ----------
    rows : automatic rows

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    found = Collator(out).reviews() if reviews is None else reviews
    if not found:
        return
    blank = CaseReviews()
    lines = [
        ReviewRow(row, review, of_case.record_sha256)
        for row in sort_rows(rows)
        for of_case in (found.get(row.result.case_id, blank),)
        for review in of_case.reviews
        if review.history
    ]
    write_text(out / REVIEWS_CSV, to_csv(REVIEWS, lines))


def choose(out: Path, reviewer: str) -> None:
    """Let the tables follow one reviewer from now on; "" for all who reviewed.

    Raises
    ------
    GlutsegError
        ``reviewer-unknown``, ``input-missing``, ``output-unwritable``.
    """
    run_cases(out)
    name = plain(reviewer)
    if name:
        _check_known(name, Collator(out).reviews(), out)
    content = {"program": PROGRAM, "reviewer": name}
    write_text(out / REVIEWER_JSON, json.dumps(content, ensure_ascii=False) + "\n")


def chosen_reviewer(out: Path) -> str:
    """The reviewer whom the tables follow; "" for all.

    Raises
    ------
    GlutsegError
        ``review-invalid`` when the choice cannot be read.
    """
    path = out / REVIEWER_JSON
    if not path.exists():
        return ""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["reviewer"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise GlutsegError("review-invalid", "the choice of a reviewer", path.name) from error


def decision_counts(out: Path, reviews: dict[str, CaseReviews] | None = None) -> dict[str, Counter[str]]:
    """Number of decisions in force, by reviewer and decision."""
    found = Collator(out).reviews() if reviews is None else reviews
    counts: dict[str, Counter[str]] = {}
    for of_case in found.values():
        for review in of_case.reviews:
            entry = review.in_force
            if entry is not None:
                decision = "stale" if of_case.is_stale(entry) else entry.decision
                counts.setdefault(review.reviewer, Counter())[decision] += 1
    return dict(sorted(counts.items()))


def run_cases(out: Path) -> tuple[str, ...]:
    """The case ids of a run's plan.

    Raises
    ------
    GlutsegError
        ``input-missing`` where no run of glutseg is.
    """
    return case_ids(run_record(out))


def run_protocol(out: Path) -> Protocol:
    """The protocol of a run.

    Raises
    ------
    GlutsegError
        ``input-missing`` where no run of glutseg is, or its record names no valid protocol.
    """
    record = run_record(out)
    try:
        return Protocol.model_validate(record["protocol"])
    except (LookupError, ValueError) as error:
        raise GlutsegError("input-missing", "the run's record names no protocol", str(out)) from error


def _check_known(name: str, reviews: dict[str, CaseReviews], out: Path) -> None:
    known = {review.reviewer for found in reviews.values() for review in found.reviews}
    if name not in known:
        reviewers = ", ".join(sorted(known)) or "nobody"
        raise GlutsegError(
            "reviewer-unknown", f"{name!r} has no review here; reviewers: {reviewers}", str(out)
        )


def _signature(paths: Sequence[Path]) -> Signature:
    parts = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            parts.append((path.name, -1, 0))
        else:
            parts.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(parts)
