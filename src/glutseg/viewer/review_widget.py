"""The review widget: the cases of a run one after another, to check, correct and decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from glutseg.batch.images import find_images
from glutseg.errors import GlutsegError
from glutseg.output.text import plain
from glutseg.review.check_drawn import Finding
from glutseg.segmentation import AUTOMATIC
from glutseg.viewer.autosave import Autosave
from glutseg.viewer.background import Background
from glutseg.viewer.case_list import CaseList, QualityFlags
from glutseg.viewer.case_loader import CaseLoader
from glutseg.viewer.decision_panel import DecisionPanel
from glutseg.viewer.figures import FiguresTable
from glutseg.viewer.layer_manager import LayerManager
from glutseg.viewer.level_panel import LevelPanel
from glutseg.viewer.off_level import OffLevelNote, why_not_accepted
from glutseg.viewer.paint_rules import REFUSALS
from glutseg.viewer.parts import MessageArea, fill_column, single_shot
from glutseg.viewer.questions import ask_about
from glutseg.viewer.reject_list import RejectList
from glutseg.viewer.screen import Screen
from glutseg.viewer.session import OpenCase, Session
from glutseg.viewer.tools_panel import ToolsPanel

SECTION_AFTER_MS = 300
"""Milliseconds from the last stroke until the coronal section is drawn again."""


@dataclass(frozen=True)
class RunPlace:
    """A run to review, and where its images are if not where it says."""

    out: Path
    reviewer: str
    input_path: Path | None = None
    key: Path | None = None
    case_id: str = ""
    """The case to begin with; "" for the first of the list."""


class ReviewPanel(QWidget):
    """A review, once the run is chosen (`glutseg.viewer.review_launcher`)."""

    _scanned = Signal(int, int)
    shown = Signal(str)
    decided = Signal(str)

    def __init__(self, viewer: Any, place: RunPlace) -> None:
        super().__init__()
        self.place = place
        self.session = Session(place.out, place.reviewer)
        self.layers = LayerManager(viewer)
        self.loader: CaseLoader | None = None
        self.opened: OpenCase | None = None
        self._wanted: str | None = None
        self._is_drawn = False
        self._news = ""
        self.reader = Background(self)
        self._build()
        self._connect()
        self.decision.bind_keys(self)
        self.cases.show_session(self.session)
        self._find_images()
        single_shot(self, 0, self.layers.prepare).start()

    def _build(self) -> None:
        self.cases, self.quality_flags, self.figures = CaseList(), QualityFlags(), FiguresTable()
        self.level = LevelPanel(self.layers)
        flags = ("Quality flags", self.quality_flags)
        self.tools = ToolsPanel(self.layers, self._labels_before, flags, with_reset=True)
        self.off_level = OffLevelNote(self.layers, self.level)
        self.decision = DecisionPanel()
        self.message = MessageArea()
        self.screen = Screen(self, self.layers, self.level)
        parts = (
            self.cases,
            self.figures,
            self.level,
            self.screen.bar,
            self.tools,
            self.off_level,
            self.decision,
            self.message,
        )
        fill_column(self, parts, self.tools)
        self.reasons = RejectList(self)
        self.decision.allow(accept=False, correct=False, reject=False, undo=False)
        self._live = single_shot(self, 0, self._show_figures)
        self._section = single_shot(self, SECTION_AFTER_MS, self.level.refresh_section)
        self.autosave = Autosave(self.session, lambda: self.opened if self._is_drawn else None, self)

    def _connect(self) -> None:
        self.layers.on_change(self._drawn)
        self.level.moved.connect(self._drawn)
        self.layers.rules.on_refusal(lambda reason: self._show_message(REFUSALS[reason]))
        self.tools.bar.reset.connect(self.reset_to_automatic)
        self.level.failed.connect(self._show_error)
        self.autosave.failed.connect(self._show_error)
        self.cases.chosen.connect(self.open_case)
        self._scanned.connect(
            lambda n, total: self._show_message(f"searching for the images: {n} of {total} files")
        )
        panel = self.decision
        panel.accept.clicked.connect(self.accept)
        panel.correct.clicked.connect(self.correct)
        panel.reject.clicked.connect(self.reject)
        self.reasons.chosen.connect(self.exclude)
        panel.undo.clicked.connect(self.undo)
        panel.next.clicked.connect(partial(self.step, 1))
        panel.back.clicked.connect(partial(self.step, -1))

    # ---- opening a case

    def _find_images(self) -> None:
        self._show_message("searching for the images …")
        self.screen.say(f"Opening {self.place.out.name} …")
        place = self.place
        self.reader.do(
            lambda: find_images(place.out, place.input_path, place.key, self._scanned.emit), self._found
        )

    def _found(self, images: Any, error: Exception | None) -> None:
        if error is not None:
            self._show_error(error)
            self.screen.say("There are no images to show.")
            return
        self.loader = CaseLoader(self.session, images)
        self._show_message("")
        self.screen.say("")
        self.begin(self.place.case_id)

    def begin(self, case_id: str) -> None:
        """Open a case; "" for the first of the list."""
        if self.loader is None:
            self.place = replace(self.place, case_id=case_id)
            return
        waiting = self.session.shown(self.cases.shown_filter) or list(self.session.items)
        if case_id and case_id not in [item.case_id for item in self.session.items]:
            self._show_message(f"The run has no case {case_id}: choose one of the list.")
        elif case_id or waiting:
            self.open_case(case_id or waiting[0].case_id)

    def open_case(self, case_id: str) -> None:
        """Open another case; undecided changes of the present one are saved as a draft."""
        if self.loader is None:
            return
        self._leave()
        self._wanted = case_id
        self.cases.refresh(case_id)
        self.quality_flags.show_item(self.session.item(case_id))
        self.tools.tabs.setCurrentIndex(0)
        if self.loader.is_ready(case_id):
            self._show(case_id, *_outcome(self.loader, case_id))
            return
        self._show_message("reading the images …")
        self.screen.say(f"Loading case {case_id} …")
        self.reader.do(partial(self.loader.glance, case_id), partial(self._show_glance, case_id))

    def _leave(self) -> None:
        self._save_draft()
        self.level.leave()
        self.tools.forget()
        self.layers.hide()  # a decision must never be made on the images of another case
        self.opened = None
        self.reasons.dismiss()  # nor on another case than the list of reasons names
        self.decision.note.clear()
        self.decision.allow(accept=False, correct=False, reject=False, undo=False)

    def _show_glance(self, case_id: str, glance: OpenCase | None, _error: Exception | None) -> None:
        """Show what of a case is there first, then read all of it; an error is told by what reads all."""
        if case_id != self._wanted or self.loader is None:
            return
        if glance is not None:
            self.layers.glance(glance.picture, glance.comparison)
            self.screen.say("")
            self.figures.show_figures(glance.picture.live(), glance.automatic)
            self._show_message("reading the other slices …")
        self.reader.do(partial(self.loader.load, case_id), partial(self._show, case_id))

    def _show(self, case_id: str, opened: OpenCase | None, error: Exception | None) -> None:
        if case_id != self._wanted:
            return
        if error is not None or opened is None:
            self._show_error(error or GlutsegError("images-not-found", "no images to show"))
            self.layers.hide()  # a glance may be on the screen
            self.screen.say(f"Case {case_id} cannot be shown.")
            self._allow()
            return
        self.opened, picture, place = opened, opened.picture, opened.automatic.level
        self.layers.show(picture, opened.comparison)
        self.layers.rules.midplane = opened.midplane
        self.tools.bar.show_tissue()
        self.off_level.refresh()
        self.screen.say("")
        at = -1 if place is None else place.slice_index
        self.level.segments_empty_levels = (
            opened.automatic.outliner == AUTOMATIC.name
        )  # never mix two outliners
        self.level.show_picture(picture, opened.protocol, at)
        self._is_drawn = opened.is_changed
        self._show_message("Your draft is open; it is not decided yet." if self._is_drawn else self._news)
        self._news = ""
        self._show_figures()
        self._allow()
        ahead = self.session.step(case_id, self.cases.shown_filter, 1)
        if ahead is not None and self.loader is not None:
            self.loader.prepare([ahead])
        self.shown.emit(case_id)

    def step(self, by: int) -> None:
        """Open the next (1) or previous (-1) case of the list."""
        here = self._wanted
        there = None if here is None else self.session.step(here, self.cases.shown_filter, by)
        if there is None:
            self._show_message("No further case in the list.")
        else:
            self.open_case(there)

    # ---- live measurements

    def _drawn(self) -> None:
        self._is_drawn = True
        self._live.start()
        self._section.start()

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
            accept=is_open and is_measured,
            correct=is_open,
            reject=True,
            undo=self.session.to_undo(self._wanted) is not None,
        )

    # ---- decisions

    def accept(self) -> None:
        """Accept the automatic outlines and level."""
        if self.opened is None or self._wanted is None:
            return
        if not self.opened.is_automatic:
            self._show_message(why_not_accepted(self.opened))
            return
        self._decide(partial(self.session.accept, self._wanted, self.decision.note.text()))

    def reject(self) -> None:
        """Ask why this case is to be excluded."""
        if self._wanted is not None:
            self.reasons.ask(self._wanted)

    def exclude(self, reason: str) -> None:
        """Exclude this case; what was drawn stays as a draft, in case the decision is undone."""
        if self._wanted is not None:
            self._save_draft()
            self._decide(partial(self.session.reject, self._wanted, reason, self.decision.note.text()))

    def _decide(self, decision: Any) -> None:
        try:
            decision()
        except GlutsegError as error:
            self._show_error(error)
            return
        self._after_decision(str(self._wanted))

    def reset_to_automatic(self) -> None:
        """Go back to the automatic outlines and level; one step of undo."""
        if self.opened is None:
            return
        level = self.opened.automatic.level
        with self.layers.history.one_step():
            self.tools.regrow.remove_clicks()
            self.layers.set_labels(self.opened.automatic_labels)
            if level is not None:
                self.level.slider.setValue(level.slice_index)
        self._show_message("Outlines and level are the automatic ones. Ctrl+Z undoes it.")

    def correct(self) -> None:
        """Save the outlines on the screen as a correction, then go on; what looks wrong is asked about."""
        if self.opened is None:
            return
        slice_index = self.opened.picture.slice_index
        findings = (
            () if self.opened.is_automatic else self.opened.findings(self.layers.rules.plane_on(slice_index))
        )
        if findings:
            self.question = ask_about(self, findings, partial(self._save, findings), self._go_back)
        else:
            self._save(())

    def _go_back(self) -> None:
        self.off_level.show_level()
        self._show_message("Not saved. Correct the outline, then press Alt+K again.")

    def _save(self, kept_anyway: tuple[Finding, ...]) -> None:
        if self.opened is None:
            return
        snapshot, opened, note = self.opened.snapshot(), self.opened, self.decision.note.text()
        self.reasons.dismiss()
        self.decision.allow(accept=False, correct=False, reject=False, undo=False)
        self._show_message("saving …")
        then = partial(self._corrected, opened, snapshot)
        self.autosave.correct(snapshot, note, kept_anyway, then)

    def _corrected(self, opened: OpenCase, snapshot: OpenCase, error: Exception | None) -> None:
        if error is not None:
            self._show_error(error)
            self._allow()
            return
        opened.saved = snapshot.saved
        self._after_decision(opened.automatic.case_id)

    def _after_decision(self, case_id: str) -> None:
        self._is_drawn = False
        self.reasons.dismiss()
        if self.loader is not None:
            self.loader.forget(case_id)
        self.autosave.schedule_tables()
        there = self.session.after(case_id, self.cases.shown_filter)
        self._news = f"{case_id}: {self.session.item(case_id).words}. Alt+U takes it back."
        self._show_message(self._news)
        if there is not None:
            self.open_case(there)
        else:
            self._news = ""
            self.cases.refresh()
            self.quality_flags.show_item(self.session.item(case_id))
            self._allow()
            self._show_message(f"{self.message.text()} {self.session.rest}")
        self.decided.emit(case_id)

    def undo(self) -> None:
        """Undo the newest decision on this case; where there is none, on the case that was decided last."""
        case_id = self.session.to_undo(self._wanted)
        if case_id is None or self.loader is None:
            return
        self._save_draft()
        try:
            self.session.undo(case_id)
        except GlutsegError as error:
            self._show_error(error)
            return
        self.autosave.schedule_tables()
        self.loader.forget(case_id)
        self._news = f"decision undone: {case_id}"
        self.open_case(case_id)

    def _save_draft(self) -> None:
        """Save undecided changes before another case is opened."""
        if self.opened is not None and self.loader is not None and self.autosave.save_draft_now():
            self.loader.forget(self.opened.automatic.case_id)
        self._is_drawn = False

    def close_session(self) -> None:
        """Save drafts, finish what is being written, write the tables."""
        self.level.close()
        self.screen.close()
        self.tools.close_tools()
        self.autosave.close()
        self.reader.finish()
        if self.loader is not None:
            self.loader.close()

    def _show_message(self, text: str) -> None:
        self.message.setText(plain(text, 500))

    def _show_error(self, error: Exception) -> None:
        text = (
            str(error) if isinstance(error, GlutsegError) else f"unforeseen {type(error).__name__}: {error}"
        )
        self._show_message(f"✗ {text}")


def _outcome(loader: CaseLoader, case_id: str) -> tuple[OpenCase | None, Exception | None]:
    try:
        return loader.load(case_id), None
    except GlutsegError as error:
        return None, error
