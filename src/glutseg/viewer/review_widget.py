"""The review widget: a run's cases one after the other, looked at, corrected, decided."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from glutseg.batch.images import find_images
from glutseg.errors import GlutsegError
from glutseg.output.text import plain
from glutseg.segmentation import AUTOMATIC
from glutseg.viewer.background import Background
from glutseg.viewer.case_list import CaseList, Doubts
from glutseg.viewer.decision_panel import DecisionPanel
from glutseg.viewer.figures import FiguresTable
from glutseg.viewer.keeper import Keeper
from glutseg.viewer.keys import bind_key
from glutseg.viewer.level_panel import LevelPanel
from glutseg.viewer.parts import Told, fill_column, single_shot
from glutseg.viewer.picture import drawable_labels
from glutseg.viewer.session import OpenCase, Session
from glutseg.viewer.shelf import Shelf
from glutseg.viewer.stage import Stage
from glutseg.viewer.tools_panel import ToolsPanel

CUT_AFTER_MS = 300
"""After the last stroke the coronal cut is drawn anew."""


@dataclass(frozen=True)
class RunPlace:
    """A run to review, and where its images are if not where it says."""

    out: Path
    reviewer: str
    input_path: Path | None = None
    key: Path | None = None


class ReviewPanel(QWidget):
    """All of a review but the choice of the run; `glutseg.viewer.review_door` has that."""

    _scanned = Signal(int, int)
    shown = Signal(str)
    decided = Signal(str)

    def __init__(self, viewer: Any, place: RunPlace) -> None:
        super().__init__()
        self.place = place
        self.session = Session(place.out, place.reviewer)
        self.stage = Stage(viewer)
        self.shelf: Shelf | None = None
        self.opened: OpenCase | None = None
        self._wanted: str | None = None
        self._is_drawn = False
        self.reader = Background(self)
        self._build()
        self._connect()
        self._bind_keys()
        self.cases.show_session(self.session)
        self._look_for_images()

    def _build(self) -> None:
        self.cases, self.doubts, self.figures = CaseList(), Doubts(), FiguresTable()
        self.level = LevelPanel(self.stage)
        self.tools = ToolsPanel(self.stage, self._labels_before, ("Doubts", self.doubts))
        self.decision = DecisionPanel()
        self.told = Told()
        parts = (self.cases, self.figures, self.level, self.tools, self.decision, self.told)
        fill_column(self, parts, self.tools)
        self.decision.allow(accept=False, correct=False, reject=False, undo=False)
        self._live = single_shot(self, 0, self._show_figures)
        self._cut = single_shot(self, CUT_AFTER_MS, self.level.refresh_cut)
        self.keeper = Keeper(self.session, lambda: self.opened if self._is_drawn else None, self)

    def _connect(self) -> None:
        self.stage.on_change(self._drawn)
        self.level.moved.connect(self._drawn)
        self.level.failed.connect(self._tell_error)
        self.keeper.failed.connect(self._tell_error)
        self.cases.chosen.connect(self.open_case)
        self._scanned.connect(lambda n, total: self._tell(f"looking for the images: {n} of {total} files"))
        panel = self.decision
        panel.accept.clicked.connect(self.accept)
        panel.correct.clicked.connect(self.correct)
        panel.reject.clicked.connect(self.reject)
        panel.undo.clicked.connect(self.undo)
        panel.next.clicked.connect(partial(self.step, 1))
        panel.back.clicked.connect(partial(self.step, -1))

    def _bind_keys(self) -> None:
        panel = self.decision
        keys = {
            "A": panel.accept,
            "K": panel.correct,
            "R": panel.reject,
            "U": panel.undo,
            "N": panel.next,
            "B": panel.back,
        }
        for key, button in keys.items():
            bind_key(self, key, button.click)

    # ---- the way to a case

    def _look_for_images(self) -> None:
        self._tell("looking for the images …")
        place = self.place
        self.reader.do(
            lambda: find_images(place.out, place.input_path, place.key, self._scanned.emit), self._found
        )

    def _found(self, images: Any, error: Exception | None) -> None:
        if error is not None:
            self._tell_error(error)
            return
        self.shelf = Shelf(self.session, images)
        self._tell("")
        waiting = self.session.shown(self.cases.shown_filter) or list(self.session.items)
        if waiting:
            self.open_case(waiting[0].case_id)

    def open_case(self, case_id: str) -> None:
        """Show another case; what was drawn on the last one and not decided is kept as a draft."""
        if self.shelf is None:
            return
        self._leave()
        self._wanted = case_id
        self.cases.refresh(case_id)
        self.doubts.show_item(self.session.item(case_id))
        self.tools.tabs.setCurrentIndex(0)
        if self.shelf.is_ready(case_id):
            self._show(case_id, *_outcome(self.shelf, case_id))
            return
        self._tell("reading the images …")
        self.reader.do(partial(self.shelf.take, case_id), partial(self._show, case_id))

    def _leave(self) -> None:
        self._keep_draft()
        self.level.cancel()
        self.tools.forget()
        self.stage.hide()  # no case is ever decided over the picture of another
        self.opened = None
        self.decision.clear()
        self.decision.allow(accept=False, correct=False, reject=False, undo=False)

    def _show(self, case_id: str, opened: OpenCase | None, error: Exception | None) -> None:
        if case_id != self._wanted:
            return
        item = self.session.item(case_id)
        if error is not None or opened is None:
            self._tell_error(error or GlutsegError("images-not-found", "nothing to show"))
            self.decision.allow(accept=False, correct=False, reject=True, undo=bool(item.decision))
            return
        self.opened, picture = opened, opened.picture
        automatic, place = opened.automatic_mask, opened.automatic.level
        self.stage.show(picture, None if automatic is None else drawable_labels(automatic, picture.image))
        at = -1 if place is None else place.slice_index
        self.level.segments_alone = opened.automatic.outliner == AUTOMATIC.name  # nothing of two origins
        self.level.show_picture(picture, opened.protocol, at)
        self._is_drawn = opened.is_changed
        self._tell("A draft of yours was kept; it is not decided yet." if self._is_drawn else "")
        self._show_figures()
        self._allow()
        ahead = self.session.step(case_id, self.cases.shown_filter, 1)
        if ahead is not None and self.shelf is not None:
            self.shelf.localise_hips([ahead])
        self.shown.emit(case_id)

    def step(self, by: int) -> None:
        """To the next or previous case of the list."""
        here = self._wanted
        there = None if here is None else self.session.step(here, self.cases.shown_filter, by)
        if there is None:
            self._tell("There is no further case of this kind in the list.")
        else:
            self.open_case(there)

    # ---- live figures

    def _drawn(self) -> None:
        self._is_drawn = True
        self._live.start()
        self._cut.start()

    def _show_figures(self) -> None:
        if self.opened is not None:
            self.figures.show_figures(self.opened.picture.live(), self.opened.automatic)

    def _labels_before(self) -> Any:
        return None if self.opened is None else self.opened.labels_before()

    def _allow(self) -> None:
        if self._wanted is None:
            return
        item, is_open = self.session.item(self._wanted), self.opened is not None
        is_measured = item.result.status != "failed"
        self.decision.allow(
            accept=is_open and is_measured, correct=is_open, reject=True, undo=bool(item.decision)
        )

    # ---- decisions

    def accept(self) -> None:
        """The program's outlines and level are right."""
        if self.opened is None or self._wanted is None:
            return
        if not self.opened.is_automatic:
            self._tell("What is shown is not the program's outline: keep it as a correction, or undo it.")
            return
        self._decide(partial(self.session.accept, self._wanted, self.decision.words[1]))

    def reject(self) -> None:
        """No number for this case."""
        if self._wanted is not None:
            reason, note = self.decision.words
            self._decide(partial(self.session.reject, self._wanted, reason, note))

    def _decide(self, decision: Any) -> None:
        try:
            decision()
        except GlutsegError as error:
            self._tell_error(error)
            return
        self._after_decision(str(self._wanted))

    def correct(self) -> None:
        """What is drawn is right: keep it, then go on."""
        if self.opened is None:
            return
        frozen, opened, words = self.opened.frozen(), self.opened, self.decision.words
        self.decision.allow(accept=False, correct=False, reject=False, undo=False)
        self._tell("saving …")
        self.keeper.correct(frozen, words, partial(self._corrected, opened, frozen))

    def _corrected(self, opened: OpenCase, frozen: OpenCase, error: Exception | None) -> None:
        if error is not None:
            self._tell_error(error)
            self._allow()
            return
        opened.kept = frozen.kept
        self._after_decision(opened.automatic.case_id)

    def _after_decision(self, case_id: str) -> None:
        word = self.session.item(case_id).decision
        self._is_drawn = False
        if self.shelf is not None:
            self.shelf.forget(case_id)
        self.keeper.tables_are_due()
        there = self.session.step(case_id, self.cases.shown_filter, 1)
        if there is not None:
            self.open_case(there)
        else:
            self.cases.refresh()
            self._allow()
        self._tell(f"{word}: {case_id}" + ("" if there else "; there is no further case in the list"))
        self.decided.emit(case_id)

    def undo(self) -> None:
        """Take the newest decision on this case back."""
        case_id = self._wanted
        if case_id is None or self.shelf is None:
            return
        try:
            self.session.undo(case_id)
        except GlutsegError as error:
            self._tell_error(error)
            return
        self._is_drawn = False
        self.keeper.tables_are_due()
        self.shelf.forget(case_id)
        self.open_case(case_id)
        self._tell("the decision is taken back")

    def _keep_draft(self) -> None:
        """What is drawn and not decided, when another case is opened."""
        if self.opened is not None and self.shelf is not None and self.keeper.draft_now():
            self.shelf.forget(self.opened.automatic.case_id)
        self._is_drawn = False

    def close_session(self) -> None:
        """Keep drafts, finish what is being written, write the tables."""
        self.level.cancel()
        self.tools.clicks.close()
        self.keeper.close()
        self.reader.finish()
        if self.shelf is not None:
            self.shelf.close()

    def _tell(self, words: str) -> None:
        self.told.setText(plain(words, 500))

    def _tell_error(self, error: Exception) -> None:
        words = (
            str(error) if isinstance(error, GlutsegError) else f"unforeseen {type(error).__name__}: {error}"
        )
        self._tell(f"✗ {words}")


def _outcome(shelf: Shelf, case_id: str) -> tuple[OpenCase | None, Exception | None]:
    try:
        return shelf.take(case_id), None
    except GlutsegError as error:
        return None, error
