"""Review records: the history of each reviewer's decisions on a case, one file per reviewer and case.

A history only grows: undoing a decision adds an entry. The newest entry is in force.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Literal

from glutseg.errors import Flag, GlutsegError
from glutseg.image import Side
from glutseg.output.atomic import write_text
from glutseg.output.case_files import to_json
from glutseg.output.checksum import is_unchanged, with_checksum
from glutseg.output.decode import from_json
from glutseg.output.folder import PROGRAM
from glutseg.output.json_file import read_json
from glutseg.output.layout import CASE_JSON, REVIEW_PREFIX, REVIEW_SUFFIX, case_file
from glutseg.output.lock import only_change
from glutseg.output.text import plain
from glutseg.result import CaseResult, Level, MuscleResult, ProfilePoint

Decision = Literal["accepted", "corrected", "rejected", "withdrawn"]

MAX_NAME = 40
HASH_DIGITS = 10
AUTOMATIC = 0
"""Version number of the automatic mask."""


@dataclass(frozen=True)
class Change:
    """Difference of one gluteus maximus to the automatic outline; NaN where one of the two is missing.

    ``dice`` is that of the two outlines on the measured slice, ``dice_all_slices`` over all slices.
    """

    area_automatic_mm2: float
    area_mm2: float
    dice: float
    dice_all_slices: float

    @property
    def difference_mm2(self) -> float:
        """Corrected minus automatic."""
        return self.area_mm2 - self.area_automatic_mm2


@dataclass(frozen=True)
class Figures:
    """Measurements on a corrected mask or level; fields as in `glutseg.result.CaseResult`."""

    level: Level
    muscles: tuple[MuscleResult, ...]
    profile: tuple[ProfilePoint, ...]
    measurement_flags: tuple[Flag, ...] = ()


def with_figures(result: CaseResult, figures: Figures) -> CaseResult:
    """The result with the measurements of a correction."""
    return replace(result, **{one.name: getattr(figures, one.name) for one in fields(figures)})


@dataclass(frozen=True)
class Entry:
    """One decision.

    Attributes
    ----------
    when : UTC, ISO 8601
    record_sha256 : of the case.json that was reviewed: a case measured again needs a new review
    mask_version : number of the reviewer's corrected mask, from 1; `AUTOMATIC` for the automatic one
    figures : measurements of a correction, else None
    restores : index in the history of the entry that this one restores by undo; -1 for the state before
        any decision
    """

    decision: Decision
    when: str
    glutseg_version: str
    record_sha256: str
    reason: str = ""
    note: str = ""
    mask_version: int = AUTOMATIC
    mask_sha256: str = ""
    changes: dict[Side, Change] = field(default_factory=dict)
    figures: Figures | None = None
    restores: int | None = None


@dataclass(frozen=True)
class Review:
    """One reviewer's history of one case, oldest first."""

    case_id: str
    reviewer: str
    history: tuple[Entry, ...] = ()

    @property
    def in_force(self) -> Entry | None:
        """The entry that counts; None without a decision, or where the decision was withdrawn."""
        newest = self.history[-1] if self.history else None
        return None if newest is None or newest.decision == "withdrawn" else newest

    @property
    def place(self) -> int:
        """Index in the history where the entry in force was first made; -1 for none."""
        return self._place(len(self.history) - 1)

    @property
    def place_before(self) -> int:
        """Index of the entry that undo restores: the one that was in force before; -1 for none."""
        return self._place(self.place - 1)

    def _place(self, index: int) -> int:
        if index < 0:
            return -1
        restored = self.history[index].restores
        return index if restored is None else restored


def reviewer_id(name: str) -> str:
    """A reviewer's name as part of a file's name, safe on every system.

    Lower-case ASCII letters, digits, ``-`` and ``_`` stay; where that changes the name, a hash keeps
    names apart that look alike after cleaning or differ in case only.

    Raises
    ------
    GlutsegError
        ``decision-invalid`` for a name without a letter.
    """
    raw = plain(name)
    if not raw:
        raise GlutsegError("decision-invalid", "the reviewer has no name")
    cleaned = re.sub(r"[^a-z0-9_-]+", "_", raw.lower()).strip("_-")[:MAX_NAME] or "reviewer"
    if cleaned == raw:
        return raw
    return f"{cleaned}-{hashlib.sha256(raw.encode('utf-8', 'replace')).hexdigest()[:HASH_DIGITS]}"


def review_path(out: Path, case_id: str, reviewer: str) -> Path:
    """Path of a reviewer's record of a case."""
    return out / case_file(case_id, f"{REVIEW_PREFIX}{reviewer_id(reviewer)}{REVIEW_SUFFIX}")


def mask_name(reviewer: str, version: int) -> str:
    """File name of a corrected mask; every version has its own, so that none is overwritten."""
    number = "" if version == 1 else f".{version}"
    return f"mask-{reviewer_id(reviewer)}{number}.nii.gz"


def read_review(out: Path, case_id: str, reviewer: str) -> Review:
    """A reviewer's history of a case, empty where there is none.

    Raises
    ------
    GlutsegError
        ``review-invalid``.
    """
    path = review_path(out, case_id, reviewer)
    if not path.exists():
        return Review(case_id, plain(reviewer))
    review = read_review_file(path)
    if review.case_id != case_id or review.reviewer != plain(reviewer):
        raise GlutsegError("review-invalid", "it is another case's or reviewer's", path.name)
    return review


def read_review_file(path: Path) -> Review:
    """The history that a file holds.

    Raises
    ------
    GlutsegError
        ``review-invalid`` when it is no review.
    """
    try:
        if path.is_symlink():
            raise GlutsegError("review-invalid", "it is no plain file of sensible size", path.name)
        record = read_json(path)
        review: Review = from_json(Review, record)
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise GlutsegError("review-invalid", f"{type(error).__name__}", path.name) from error
    if not is_unchanged(record):
        raise GlutsegError("review-invalid", "it was changed after glutseg had written it", path.name)
    if path.name != f"{REVIEW_PREFIX}{reviewer_id(review.reviewer)}{REVIEW_SUFFIX}":
        raise GlutsegError("review-invalid", "its name is not its reviewer's", path.name)
    return review


@contextmanager
def changing(out: Path, case_id: str, reviewer: str) -> Iterator[Review]:
    """The history on disk for a decision that rests on it; other sessions of the reviewer wait meanwhile.

    Raises
    ------
    GlutsegError
        ``review-invalid``: nothing is written over a record that cannot be read; ``output-unwritable``.
    """
    with only_change(review_path(out, case_id, reviewer)):
        yield read_review(out, case_id, reviewer)


def append(out: Path, case_id: str, reviewer: str, entry: Entry) -> Review:
    """Add an entry to the history on disk, whatever else was added to it since.

    Raises
    ------
    GlutsegError
        Those of `changing`.
    """
    with changing(out, case_id, reviewer) as before:
        return add(out, before, entry)


def add(out: Path, before: Review, entry: Entry) -> Review:
    """Write a history that is `changing`, with one more entry.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    review = dataclasses.replace(before, history=(*before.history, entry))
    record = with_checksum(to_json({"program": PROGRAM, **dataclasses.asdict(review)}))
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(review_path(out, before.case_id, before.reviewer), text)
    return review


def record_sha256(out: Path, case_id: str) -> str:
    """Digest of the case's automatic record; empty where there is none, or no plain file."""
    path = out / case_file(case_id, CASE_JSON)
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    except OSError:
        return ""
