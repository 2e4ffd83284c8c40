"""Says at once that a slice was drawn on that is not measured, and what can be done about it."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from glutseg.review.check_drawn import in_words
from glutseg.viewer.keys import bind_key
from glutseg.viewer.layer_manager import LayerManager
from glutseg.viewer.level_panel import LevelPanel
from glutseg.viewer.session import OpenCase


class OffLevelNote(QWidget):
    """Shown while a slice that is not the level's was drawn on last. Its keys work at any time."""

    def __init__(self, layers: LayerManager, level: LevelPanel) -> None:
        super().__init__()
        self._layers, self._level = layers, level
        self.drawn_slice: int | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        self.message = QLabel("")
        self.message.setTextFormat(Qt.PlainText)
        self.message.setWordWrap(True)
        self.jump, self.move = QPushButton(), QPushButton()
        row = QHBoxLayout()
        row.addWidget(self.jump)
        row.addWidget(self.move)
        column.addWidget(self.message)
        column.addLayout(row)
        self.jump.clicked.connect(self.show_level)
        self.move.clicked.connect(self.move_level)
        bind_key(level, "J", self.show_level)  # the keys of a hidden widget do nothing
        bind_key(level, "M", self.move_level)
        layers.on_paint(self._painted)
        layers.viewer.dims.events.current_step.connect(self.refresh)
        layers.history.on_change(self._undone)
        level.moved.connect(self.refresh)
        self.hide()

    def show_level(self) -> None:
        """Show the slice of the level."""
        if self._layers.picture is not None:
            self._layers.go_to(self._layers.picture.slice_index)

    def move_level(self) -> None:
        """Move the level to the slice shown."""
        if self._layers.picture is not None:
            self._level.slider.setValue(self._layers.slice_shown)

    def refresh(self, _event: object = None) -> None:
        """Hide the note once the level's slice is shown."""
        picture = self._layers.picture
        if picture is None or self._layers.slice_shown == picture.slice_index:
            self.drawn_slice = None
        self.setVisible(self.drawn_slice is not None)

    def _painted(self) -> None:
        picture = self._layers.picture
        if picture is None:
            return
        shown, measured = self._layers.slice_shown, picture.slice_index
        self.drawn_slice = None if shown == measured else shown
        self.message.setText(
            f"You drew on slice {shown}. Slice {measured} is measured: its figures do not change."
        )
        self.jump.setText(f"Show slice {measured}   Alt+J")
        self.move.setText(f"Measure slice {shown}   Alt+M")
        self.setVisible(self.drawn_slice is not None)

    def _undone(self) -> None:
        if not self._layers.history.can_undo:
            self.drawn_slice = None
            self.hide()


def why_not_accepted(opened: OpenCase) -> str:
    """What differs from the automatic outlines and level, and what to do; to be said where Accept refuses."""
    level, measured = opened.automatic.level, opened.picture.slice_index
    facts = []
    if level is not None and level.slice_index != measured:
        facts.append(f"the level was moved from slice {level.slice_index} to {measured}")
    changed = opened.changed_slices
    if changed:
        where = "the measured slice" if changed == [measured] else f"slice {measured} is measured"
        facts.append(f"the outline was changed on {in_words(changed)} ({where})")
    what = " and ".join(facts) or "the outlines are not the automatic ones"
    return f"Not accepted: {what}. Alt+K saves a correction, Alt+Z goes back to the automatic outlines."
