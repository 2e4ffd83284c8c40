"""The tables of a reviewed run: measurements.csv with the final rows, reviews.csv with all decisions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from glutseg.errors import GlutsegError
from glutseg.output.atomic import write_text
from glutseg.output.folder import PROGRAM, case_ids, review_files, run_record
from glutseg.output.json_file import read_json
from glutseg.output.layout import CASE_JSON, REVIEWER_JSON, REVIEWS_CSV, case_file
from glutseg.output.ledger import UNUSABLE, case_key, read_row
from glutseg.output.schema import CaseRow
from glutseg.output.tables import sort_rows, writing_csv, writing_tables
from glutseg.output.text import plain
from glutseg.protocol import ExtentRule, Protocol
from glutseg.review.final_row import CaseReviews, final_row, read_reviews
from glutseg.review.reviews_table import REVIEWS, ReviewRow

Values = Literal["corrected", "automatic"]

ROUNDS = 3
"""Most attempts to write the tables: they are written again when a decision was made meanwhile."""

Signature = tuple[tuple[str, int, int], ...]
"""(name, size, time of writing) of files; it changes with their content."""
Known = TypeVar("Known")


@dataclass
class Collator:
    """Writes the tables of a run repeatedly, reading only files that have changed in between.

    Parameters
    ----------
    out : the run's folder
    n_remembered : number of cases whose rows and reviews stay in memory for the next time
    """

    out: Path
    n_remembered: int = 0

    def __post_init__(self) -> None:
        self._rows: dict[str, tuple[Signature, CaseRow]] = {}
        self._reviews: dict[str, tuple[Signature, CaseReviews]] = {}

    def rows(self, names: Iterable[str]) -> Iterator[CaseRow]:
        """The automatic rows of the cases that have a record, one at a time."""
        return (row for name in names if (row := self._row(name)) is not None)

    def reviews(self) -> Iterator[tuple[str, CaseReviews]]:
        """(case id, reviews) of the cases that have any, one at a time."""
        return ((name, self._case_reviews(name, files)) for name, files in review_files(self.out).items())

    def final_rows(
        self, names: Iterable[str], reviewer: str | None = None
    ) -> Iterator[tuple[CaseRow, CaseRow, CaseReviews]]:
        """(final row, automatic row, reviews) of the cases that have a record, one at a time.

        Parameters
        ----------
        reviewer : whose decisions count; by default the one chosen with `choose`, or all
        """
        files = review_files(self.out)
        whose = chosen_reviewer(self.out) if reviewer is None and files else reviewer or ""
        for row in self.rows(names):
            name = row.result.case_id
            found = self._case_reviews(name, files[name]) if name in files else CaseReviews()
            yield (final_row(self.out, row, found, whose) if files else row), row, found

    def collate(self) -> Tally:
        """Write all tables from the ledger and the reviews.

        Raises
        ------
        GlutsegError
            ``input-missing`` where no run of glutseg is, ``output-unwritable``.
        """
        names, extent = run_cases(self.out), run_protocol(self.out).extent
        tally = Tally()
        for _ in range(ROUNDS):
            before = self.signature()
            tally = self.write(table_order(self.out, names), extent)
            if self.signature() == before:
                break
        return tally

    def write(self, ordered: Sequence[str], extent: ExtentRule) -> Tally:
        """Write all tables in one pass over the ledger; no row is kept.

        Parameters
        ----------
        ordered : case ids in the order of the tables (`table_order`)

        Raises
        ------
        GlutsegError
            ``output-unwritable``.
        """
        statuses: Counter[str] = Counter()
        decisions: Counter[str] = Counter()
        names, damaged = [], []
        with ExitStack() as tables:
            add = tables.enter_context(writing_tables(self.out, extent))
            if review_files(self.out):
                add_reviews = tables.enter_context(writing_csv(self.out / REVIEWS_CSV, REVIEWS))
            else:
                add_reviews = None
            for final, automatic, found in self.final_rows(ordered):
                add(final)
                names.append(final.result.case_id)
                if final.result.error_code in UNUSABLE:
                    damaged.append(final.result.case_id)
                statuses[final.result.status] += 1
                decisions[final.decision] += 1
                if add_reviews:
                    add_reviews(review_rows(automatic, found))
        return Tally(tuple(names), statuses, decisions, tuple(damaged))

    def signature(self) -> Signature:
        """Changes with every decision of any reviewer."""
        paths = [path for files in review_files(self.out).values() for path in files]
        return _signature((*paths, self.out / REVIEWER_JSON))

    def _row(self, name: str) -> CaseRow | None:
        signature = _signature((self.out / case_file(name, CASE_JSON),))
        known = self._rows.get(name)
        if known is None or known[0] != signature:
            row = read_row(self.out, name)
            if row is None:
                return None
            known = (signature, row)
            self._remember(self._rows, name, known)
        return known[1]

    def _case_reviews(self, name: str, files: tuple[Path, ...]) -> CaseReviews:
        signature = _signature((*files, self.out / case_file(name, CASE_JSON)))
        known = self._reviews.get(name)
        if known is None or known[0] != signature:
            known = (signature, read_reviews(self.out, name, files))
            self._remember(self._reviews, name, known)
        return known[1]

    def _remember(self, known: dict[str, Known], name: str, value: Known) -> None:
        if len(known) < self.n_remembered or name in known:
            known[name] = value


@dataclass(frozen=True)
class Tally:
    """What tables were written of.

    Attributes
    ----------
    case_ids : in the order of the tables
    statuses, decisions : number of final rows with each
    damaged : cases whose records cannot be used, or were changed; their rows say so
    """

    case_ids: tuple[str, ...] = ()
    statuses: Mapping[str, int] = field(default_factory=Counter)
    decisions: Mapping[str, int] = field(default_factory=Counter)
    damaged: tuple[str, ...] = ()


def table_order(out: Path, names: Iterable[str]) -> list[str]:
    """The cases that have a record, in the order of the tables; those that cannot be read come first."""
    keyed = [(case_key(out, name), name) for name in names]
    present = [
        (key or ("", "", name), name)
        for key, name in keyed
        if key or (out / case_file(name, CASE_JSON)).exists()
    ]
    return [name for _, name in sorted(present, key=lambda one: one[0])]


def review_rows(row: CaseRow, found: CaseReviews) -> Iterator[ReviewRow]:
    """The rows of reviews.csv of a case; ``row`` is the automatic one."""
    return (ReviewRow(row, review, found.record_sha256) for review in found.reviews if review.history)


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
    if values == "automatic":
        return tuple(sort_rows(collator.rows(run_cases(out))))
    if reviewer is not None:
        _check_known(plain(reviewer), out)
    whose = None if reviewer is None else plain(reviewer)
    return tuple(sort_rows(final for final, _, _ in collator.final_rows(run_cases(out), whose)))


def revised(out: Path, rows: Iterable[CaseRow]) -> list[CaseRow]:
    """The final rows of automatic ones; without any review they are the same."""
    found = dict(Collator(out).reviews())
    if not found:
        return list(rows)
    whose = chosen_reviewer(out)
    blank = CaseReviews()
    return [final_row(out, row, found.get(row.result.case_id, blank), whose) for row in rows]


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
        _check_known(name, out)
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
        return str(read_json(path)["reviewer"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise GlutsegError("review-invalid", "the choice of a reviewer", path.name) from error


def decision_counts(out: Path) -> dict[str, Counter[str]]:
    """Number of decisions in force, by reviewer and decision."""
    counts: dict[str, Counter[str]] = {}
    for _, of_case in Collator(out).reviews():
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


def _check_known(name: str, out: Path) -> None:
    known = {review.reviewer for _, found in Collator(out).reviews() for review in found.reviews}
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
