"""A reviewer's session on a run, without Qt: the list of cases, the decisions, one open case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from glutseg import review
from glutseg.anatomy import Midplane, midplane_of_hips, midplane_of_muscles
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, LabelArray, Mask
from glutseg.output.atomic import write_bytes
from glutseg.output.layout import MASK, OTHER_OUTLINES, case_file
from glutseg.output.overlay import draw_overlay
from glutseg.output.tables import sort_rows
from glutseg.protocol import Protocol
from glutseg.result import CaseResult, Status
from glutseg.review.check_drawn import Finding, changed_slices, check_drawn, kept, kept_note
from glutseg.review.collate import run_cases, run_protocol
from glutseg.review.drafts import read_draft, remove_draft, write_draft
from glutseg.review.final_row import CaseReviews, corrected_overlay
from glutseg.review.masks import read_mask
from glutseg.review.record import mask_name, record_sha256
from glutseg.viewer.item import Filter, Item
from glutseg.viewer.outline_lines import Comparison
from glutseg.viewer.picture import Picture

ORDER: tuple[Status, ...] = ("review", "failed", "ok")
"""Statuses in the order of the list: cases with quality flags first, and of these the most uncertain."""
N_REMEMBERED = 2000
"""Cases that are not read again for the tables after every decision."""


@dataclass(frozen=True)
class CroppedLabels:
    """Labels without the empty slices above and below: a tenth of the memory of the whole image."""

    start: int
    labels: LabelArray

    @classmethod
    def of(cls, labels: LabelArray) -> CroppedLabels:
        """A copy of labels (z, y, x)."""
        slices = np.nonzero(labels.any(axis=(1, 2)))[0]
        if not len(slices):
            return cls(0, labels[:0].copy())
        return cls(int(slices[0]), labels[slices[0] : slices[-1] + 1].copy())

    def equals(self, labels: LabelArray) -> bool:
        """Whether these are the same labels as ``labels`` (z, y, x)."""
        stop = self.start + len(self.labels)
        if labels[: self.start].any() or labels[stop:].any():
            return False
        return np.array_equal(labels[self.start : stop], self.labels)

    def full(self, n_slices: int) -> LabelArray:
        """All slices, empty ones too."""
        labels = np.zeros((n_slices, *self.labels.shape[1:]), np.uint8)
        labels[self.start : self.start + len(self.labels)] = self.labels
        return labels


@dataclass
class OpenCase:
    """An open case; the reviewer draws on ``picture``.

    Attributes
    ----------
    automatic, automatic_mask : the automatic result and its mask
    other_outlines : labels (y, x) of the second method on the automatic level; None where the run kept none
    saved : labels and slice of the level when the case was opened or last saved
    """

    automatic: CaseResult
    automatic_mask: Mask | None
    picture: Picture
    protocol: Protocol
    other_outlines: LabelArray | None = None

    def __post_init__(self) -> None:
        self.mark_saved()

    def mark_saved(self) -> None:
        """Take the present labels and level for the saved ones."""
        self.saved = CroppedLabels.of(self.picture.labels), self.picture.slice_index

    @property
    def is_changed(self) -> bool:
        """Whether labels or level changed since the case was opened or last saved."""
        labels, slice_index = self.saved
        return slice_index != self.picture.slice_index or not labels.equals(self.picture.labels)

    @property
    def is_automatic(self) -> bool:
        """Whether outlines and level are the automatic ones."""
        if self.automatic.level is None or self.automatic_mask is None:
            return False
        same = self.automatic.level.slice_index == self.picture.slice_index
        return same and self._automatic_labels.equals(self.picture.labels)

    @property
    def comparison(self) -> Comparison:
        """What the outlines are compared with on the screen."""
        mask, level = self.automatic_mask, self.automatic.level
        at = -1 if level is None else level.slice_index
        return Comparison(None if mask is None else mask.labels, self.other_outlines, at)

    @cached_property
    def _automatic_labels(self) -> CroppedLabels:
        mask = self.automatic_mask
        return CroppedLabels.of(np.zeros((1, 1, 1), np.uint8) if mask is None else mask.labels)

    @cached_property
    def midplane(self) -> Midplane | None:
        """Between the patient's sides: of the hips, else of the automatic outlines; None without either."""
        level, mask = self.automatic.level, self.automatic_mask
        of_hips = None if level is None else midplane_of_hips(level.landmarks_mm)
        if of_hips is not None or mask is None:
            return of_hips
        return midplane_of_muscles(mask.labels, self.picture.image.geometry)

    @property
    def changed_slices(self) -> list[int]:
        """Slices on which the labels differ from the automatic ones."""
        return changed_slices(self.picture.labels, self.automatic_labels)

    @property
    def automatic_labels(self) -> LabelArray:
        """The automatic labels (z, y, x), not to be changed; empty where nothing was found."""
        mask = self.automatic_mask
        return np.zeros_like(self.picture.labels) if mask is None else mask.labels

    def findings(self, midplane: Midplane) -> tuple[Finding, ...]:
        """What to ask about before these labels are kept as a correction."""
        picture, level = self.picture, self.automatic.level
        automatic = None if self.automatic_mask is None else self.automatic_labels
        return check_drawn(
            picture.image,
            picture.labels,
            picture.slice_index,
            midplane,
            picture.tissue,
            automatic,
            None if level is None else level.slice_index,
        )

    def labels_before(self) -> LabelArray:
        """Labels when the case was opened or last saved."""
        labels, _ = self.saved
        return labels.full(len(self.picture.labels))

    def snapshot(self) -> OpenCase:
        """A copy that does not change while the reviewer draws on."""
        labels = self.picture.labels
        picture = replace(self.picture, labels=CroppedLabels.of(labels).full(len(labels)))
        return replace(self, picture=picture)

    def measured(self) -> tuple[review.Remeasured, Mask]:
        """Measure the labels as they are drawn, by the functions of a run.

        Raises
        ------
        GlutsegError
            Those of `glutseg.review.remeasure`.
        """
        mask, picture = self.picture.mask(), self.picture
        measured = review.remeasure(
            self.automatic, self.automatic_mask, picture.image, mask, picture.slice_index, self.protocol
        )
        return measured, mask


def _urgency(result: CaseResult) -> tuple[int, float]:
    """By status, then by how far the areas may be off; where nobody knows it, at the end of the status."""
    return ORDER.index(result.status), -(result.largest_error_bound_percent or 0.0)


class Session:
    """One reviewer's work on a run.

    Parameters
    ----------
    out : the run's folder
    reviewer : whose decisions are shown and recorded

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
        self.collator = review.Collator(out, N_REMEMBERED)
        rows = sort_rows(self.collator.rows(run_cases(out)))
        ordered = sorted(rows, key=lambda row: _urgency(row.result))
        self._items = {row.result.case_id: self._item(row.result) for row in ordered}
        self._decided_here: list[str] = []  # since the review was opened, newest last

    @property
    def items(self) -> tuple[Item, ...]:
        """All cases, those with status ``review`` first; of one status the most uncertain first."""
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

    def after(self, case_id: str, chosen: Filter) -> str | None:
        """The case to open after a decision: the next that passes, or an undecided one that was skipped."""
        earlier = (i.case_id for i in self.shown(chosen) if not i.decision and i.case_id != case_id)
        return self.step(case_id, chosen, 1) or next(earlier, None)

    def to_undo(self, case_id: str | None) -> str | None:
        """The case whose decision undo takes back: this one's, else that of the case decided last."""
        if case_id is not None and self._items[case_id].decision:
            return case_id
        return self._decided_here[-1] if self._decided_here else None

    @property
    def rest(self) -> str:
        """What is left to decide, in words."""
        n_decided, n = self.progress
        return f"{n - n_decided} of {n} cases are undecided." if n_decided < n else "All cases are decided."

    def open(self, case_id: str, image: CtImage) -> OpenCase:
        """A case as this reviewer left it: with a draft, a correction, or the automatic outlines.

        Raises
        ------
        GlutsegError
            ``geometry-mismatch`` when images or masks have changed since.
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
        picture = Picture.of(image, mask, level, tissue, height_m)
        others = self._other_outlines(result, image)
        opened = OpenCase(result, automatic_mask, picture, self.protocol, others)
        draft = read_draft(self.out, case_id, self.reviewer, geometry)
        if draft is not None:  # after the case is made, so that it counts as changed
            opened.picture = Picture.of(image, draft.mask, draft.slice_index, tissue, height_m)
        return opened

    def accept(self, case_id: str, note: str = "") -> None:
        """Record that the automatic outlines and level are right."""
        review.accept(self.out, case_id, self.reviewer, note)
        self._decided(case_id)

    def reject(self, case_id: str, reason: str, note: str = "") -> None:
        """Record that the case is excluded; a draft is kept, so that undoing loses no drawing."""
        review.reject(self.out, case_id, self.reviewer, reason, note)
        self._refresh(case_id)

    def correct(
        self,
        opened: OpenCase,
        reason: str = "",
        note: str = "",
        kept_anyway: tuple[Finding, ...] = (),
    ) -> review.Remeasured:
        """Record that the outlines and level on the screen are right.

        Parameters
        ----------
        kept_anyway : what was asked about; it is recorded in flags and note

        Raises
        ------
        GlutsegError
            ``decision-invalid`` when nothing was changed; those of `OpenCase.measured`.
        """
        case_id = opened.automatic.case_id
        if opened.is_automatic:
            raise GlutsegError("decision-invalid", "nothing was changed: accept it instead")
        measured, mask = opened.measured()
        measured = kept(measured, kept_anyway)
        note = kept_note(note, kept_anyway)
        review.correct(self.out, case_id, self.reviewer, measured, mask, reason, note)
        opened.mark_saved()
        self._decided(case_id)
        return measured

    def draw_overlay(self, opened: OpenCase, measured: review.Remeasured) -> None:
        """Draw the overlay of a correction and write it beside its mask.

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
        """Take this reviewer's newest decision back; a draft is kept."""
        review.undo(self.out, case_id, self.reviewer)
        self._refresh(case_id)

    def save_draft(self, opened: OpenCase) -> bool:
        """Save changes that are not decided yet as a draft; False where there are none."""
        if not opened.is_changed:
            return False
        picture = opened.picture
        write_draft(self.out, opened.automatic.case_id, self.reviewer, picture.mask(), picture.slice_index)
        return True

    def _decided(self, case_id: str) -> None:
        remove_draft(self.out, case_id, self.reviewer)
        self._refresh(case_id)

    def _refresh(self, case_id: str) -> None:
        item = self._item(self._items[case_id].result)
        self._items[case_id] = item
        others = [name for name in self._decided_here if name != case_id]
        self._decided_here = [*others, case_id] if item.decision else others

    def _item(self, result: CaseResult) -> Item:
        item = Item(result)
        entry = review.read_review(self.out, result.case_id, self.reviewer).in_force
        if entry is None:
            return item
        known = CaseReviews(record_sha256=record_sha256(self.out, result.case_id))
        if known.is_stale(entry):
            return replace(item, is_stale=True)
        return replace(item, decision=entry.decision, reason=entry.reason)

    def _other_outlines(self, result: CaseResult, image: CtImage) -> LabelArray | None:
        """The second method's outlines; runs of earlier versions kept none."""
        path = self.out / case_file(result.case_id, OTHER_OUTLINES)
        if result.level is None or not path.is_file():
            return None
        only = slice(result.level.slice_index, result.level.slice_index + 1)
        labels: LabelArray = read_mask(path, image.geometry.crop((only, slice(None), slice(None)))).labels[0]
        return labels

    def _mask_file(self, case_id: str) -> Path | None:
        path = self.out / case_file(case_id, MASK)
        return path if path.is_file() else None
