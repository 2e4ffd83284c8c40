"""A reviewer's session on a run, without a screen: the list of cases, what is decided, one case open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from glutseg import review
from glutseg.errors import Flag, GlutsegError
from glutseg.image import CtImage, LabelArray, Mask
from glutseg.output.atomic import write_bytes
from glutseg.output.layout import MASK, case_file
from glutseg.output.overlay import draw_overlay
from glutseg.output.tables import sort_rows
from glutseg.protocol import Protocol
from glutseg.result import CaseResult, Status
from glutseg.review.collate import run_cases, run_protocol
from glutseg.review.drafts import read_draft, remove_draft, write_draft
from glutseg.review.effective import CaseReviews, corrected_overlay
from glutseg.review.masks import read_mask
from glutseg.review.record import mask_name, record_sha256
from glutseg.viewer.picture import Picture

Filter = Literal["to do", "needs a look", "all", "decided", "not measured"]
FILTERS: tuple[Filter, ...] = ("to do", "needs a look", "all", "decided", "not measured")
ORDER: dict[Status, int] = {"review": 0, "failed": 1, "ok": 2}
"""What a person must look at comes first."""


@dataclass(frozen=True)
class Item:
    """A case in the list: what the program found, and what this reviewer decided; nobody else's word.

    ``decision`` is "" where there is none, or none that still counts (``is_stale``).
    """

    result: CaseResult
    decision: str = ""
    is_stale: bool = False

    @property
    def case_id(self) -> str:
        return self.result.case_id

    @property
    def flags(self) -> tuple[Flag, ...]:
        return self.result.all_flags

    def passes(self, chosen: Filter) -> bool:
        """Whether the list shows it."""
        status = self.result.status
        return {
            "to do": not self.decision,
            "needs a look": status == "review",
            "all": True,
            "decided": bool(self.decision),
            "not measured": status == "failed",
        }[chosen]


@dataclass(frozen=True)
class Drawn:
    """Labels without the empty slices around them: a tenth of the memory of all."""

    start: int
    labels: LabelArray

    @classmethod
    def of(cls, labels: LabelArray) -> Drawn:
        """A copy of what is drawn."""
        slices = np.nonzero(labels.any(axis=(1, 2)))[0]
        if not len(slices):
            return cls(0, labels[:0].copy())
        return cls(int(slices[0]), labels[slices[0] : slices[-1] + 1].copy())

    def equals(self, labels: LabelArray) -> bool:
        """Whether this is what is drawn."""
        stop = self.start + len(self.labels)
        if labels[: self.start].any() or labels[stop:].any():
            return False
        return np.array_equal(labels[self.start : stop], self.labels)

    def whole(self, n_slices: int) -> LabelArray:
        """All slices again."""
        labels = np.zeros((n_slices, *self.labels.shape[1:]), np.uint8)
        labels[self.start : self.start + len(self.labels)] = self.labels
        return labels


@dataclass
class OpenCase:
    """A case that is looked at; ``picture`` is drawn on.

    Attributes
    ----------
    automatic : what the program found, with its mask
    kept : what was drawn, and the level, when it was last kept or opened
    """

    automatic: CaseResult
    automatic_mask: Mask | None
    picture: Picture
    protocol: Protocol

    def __post_init__(self) -> None:
        self.keep()

    def keep(self) -> None:
        """Take what is drawn now for what is kept."""
        self.kept = Drawn.of(self.picture.labels), self.picture.level

    @property
    def is_changed(self) -> bool:
        """Whether something was drawn, or the level moved, since it was last kept."""
        drawn, level = self.kept
        return level != self.picture.level or not drawn.equals(self.picture.labels)

    @property
    def is_automatic(self) -> bool:
        """Whether outlines and level are the program's."""
        if self.automatic.level is None or self.automatic_mask is None:
            return False
        same = self.automatic.level.slice_index == self.picture.level
        return same and self._automatic_drawn.equals(self.picture.labels)

    @cached_property
    def _automatic_drawn(self) -> Drawn:
        mask = self.automatic_mask
        return Drawn.of(np.zeros((1, 1, 1), np.uint8) if mask is None else mask.labels)

    def labels_before(self) -> LabelArray:
        """As they were last kept, or opened."""
        drawn, _ = self.kept
        return drawn.whole(len(self.picture.labels))

    def frozen(self) -> OpenCase:
        """A copy that nobody draws on."""
        labels = self.picture.labels
        picture = replace(self.picture, labels=Drawn.of(labels).whole(len(labels)))
        return replace(self, picture=picture)

    def measured(self) -> tuple[review.Remeasured, Mask]:
        """Measure what is drawn as a run would.

        Raises
        ------
        GlutsegError
            Those of `glutseg.review.remeasure`.
        """
        mask, picture = self.picture.mask(), self.picture
        measured = review.remeasure(
            self.automatic, self.automatic_mask, picture.image, mask, picture.level, self.protocol
        )
        return measured, mask


class Session:
    """One reviewer's work on a run.

    Parameters
    ----------
    out : the run's folder
    reviewer : whose decisions are shown and made

    Raises
    ------
    GlutsegError
        ``input-missing`` where no run of glutseg is; ``decision-invalid`` for a reviewer without a name;
        ``review-invalid`` when this reviewer's record of a case cannot be read.
    """

    def __init__(self, out: Path, reviewer: str) -> None:
        self.out, self.reviewer = out, reviewer
        review.reviewer_id(reviewer)
        self.protocol = run_protocol(out)
        self.collator = review.Collator(out)
        rows = sort_rows(self.collator.rows(run_cases(out)))
        ordered = sorted(rows, key=lambda row: ORDER[row.result.status])
        self._items = {row.result.case_id: self._item(row.result) for row in ordered}

    @property
    def items(self) -> tuple[Item, ...]:
        """All cases, those that need a look first."""
        return tuple(self._items.values())

    def item(self, case_id: str) -> Item:
        return self._items[case_id]

    def shown(self, chosen: Filter) -> list[Item]:
        """The cases that pass a filter."""
        return [item for item in self.items if item.passes(chosen)]

    @property
    def progress(self) -> tuple[int, int]:
        """(decided, all)."""
        return sum(bool(item.decision) for item in self.items), len(self._items)

    def step(self, case_id: str, chosen: Filter, by: int) -> str | None:
        """The next (``by`` 1) or previous (-1) case that passes a filter, or None at the end."""
        order = list(self._items)
        here = order.index(case_id)
        way = order[here + 1 :] if by > 0 else order[:here][::-1]
        return next((name for name in way if self._items[name].passes(chosen)), None)

    def open(self, case_id: str, image: CtImage) -> OpenCase:
        """A case as this reviewer last left it: with a draft, a correction, or the automatic outlines.

        Raises
        ------
        GlutsegError
            ``geometry-mismatch`` when images or masks are others than they were.
        """
        result, geometry = self._items[case_id].result, image.stored
        automatic_mask = None
        if self._mask_file(case_id) is not None and result.status != "failed":
            automatic_mask = read_mask(self.out / case_file(case_id, MASK), geometry)
        level = None if result.level is None else result.level.slice_index
        mask = automatic_mask
        entry = review.read_review(self.out, case_id, self.reviewer).in_force
        if entry is not None and entry.figures is not None and not self._items[case_id].is_stale:
            name = mask_name(self.reviewer, entry.mask_version)
            mask = read_mask(self.out / case_file(case_id, name), geometry)
            level = entry.figures.level.slice_index
        tissue, height_m = self.protocol.tissue, result.height.height_m
        opened = OpenCase(
            result, automatic_mask, Picture.of(image, mask, level, tissue, height_m), self.protocol
        )
        draft = read_draft(self.out, case_id, self.reviewer, geometry)
        if draft is not None:  # what was drawn and not yet decided shows as changed
            opened.picture = Picture.of(image, draft.mask, draft.slice_index, tissue, height_m)
        return opened

    def accept(self, case_id: str, note: str = "") -> None:
        """The program's outlines and level are right."""
        review.accept(self.out, case_id, self.reviewer, note)
        self._decided(case_id)

    def reject(self, case_id: str, reason: str, note: str = "") -> None:
        """The case gets no number."""
        review.reject(self.out, case_id, self.reviewer, reason, note)
        self._decided(case_id)

    def correct(self, opened: OpenCase, reason: str = "", note: str = "") -> review.Remeasured:
        """What is drawn is right.

        Raises
        ------
        GlutsegError
            ``decision-invalid`` when it is as the program found it; those of `OpenCase.measured`.
        """
        case_id = opened.automatic.case_id
        if opened.is_automatic:
            raise GlutsegError("decision-invalid", "nothing was changed: accept it instead")
        measured, mask = opened.measured()
        review.correct(self.out, case_id, self.reviewer, measured, mask, reason, note)
        opened.keep()
        self._decided(case_id)
        return measured

    def draw_overlay(self, opened: OpenCase, measured: review.Remeasured) -> None:
        """The picture of a correction, beside its mask.

        Raises
        ------
        GlutsegError
            ``output-unwritable``.
        """
        case_id = opened.automatic.case_id
        entry = review.read_review(self.out, case_id, self.reviewer).in_force
        if entry is not None and entry.decision == "corrected":
            name = case_file(case_id, corrected_overlay(entry, self.reviewer))
            png = draw_overlay(opened.picture.image, opened.picture.mask(), measured.result)
            write_bytes(self.out / name, png)

    def undo(self, case_id: str) -> None:
        """Take this reviewer's newest decision back."""
        review.undo(self.out, case_id, self.reviewer)
        self._decided(case_id)

    def keep_draft(self, opened: OpenCase) -> bool:
        """Keep what is drawn and not decided, if anything is; whether it was."""
        if not opened.is_changed:
            return False
        picture = opened.picture
        write_draft(self.out, opened.automatic.case_id, self.reviewer, picture.mask(), picture.level)
        return True

    def _decided(self, case_id: str) -> None:
        remove_draft(self.out, case_id, self.reviewer)
        self._items[case_id] = self._item(self._items[case_id].result)

    def _item(self, result: CaseResult) -> Item:
        item = Item(result)
        entry = review.read_review(self.out, result.case_id, self.reviewer).in_force
        if entry is None:
            return item
        known = CaseReviews(record_sha256=record_sha256(self.out, result.case_id))
        if known.is_stale(entry):
            return replace(item, is_stale=True)
        return replace(item, decision=entry.decision)

    def _mask_file(self, case_id: str) -> Path | None:
        path = self.out / case_file(case_id, MASK)
        return path if path.is_file() else None
