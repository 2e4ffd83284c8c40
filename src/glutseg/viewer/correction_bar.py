"""What concerns every tool: the brush kept to muscle, undo and redo, back to the automatic outlines."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QWidget

from glutseg.viewer.keys import bind_key
from glutseg.viewer.layer_manager import LayerManager


class CorrectionBar(QWidget):
    """One row, and the buttons `undo` and `redo` to be put elsewhere.

    ``reset`` asks for the automatic outlines and level.

    Parameters
    ----------
    with_reset : whether there may be automatic outlines to go back to
    """

    reset = Signal()

    def __init__(self, layers: LayerManager, *, with_reset: bool) -> None:
        super().__init__()
        self._layers = layers
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.tissue_only = QCheckBox("paint muscle only   Alt+Q")
        self.tissue_only.toggled.connect(self._limit)
        bind_key(self, "Q", self.tissue_only.toggle)
        row.addWidget(self.tissue_only)
        row.addStretch()
        self.undo, self.redo = QPushButton("↶"), QPushButton("↷")
        history = layers.history
        for button, word, key, call in (
            (self.undo, "Undo", "Ctrl+Z", history.undo),
            (self.redo, "Redo", "Ctrl+Shift+Z", history.redo),
        ):
            button.setToolTip(f"{word} strokes, tools, clicks and moves of the level: {key}")
            button.setFixedWidth(32)
            button.clicked.connect(call)
            modifier, _, letter = key.rpartition("+")
            bind_key(self, letter, call, modifier)
        self.to_automatic = QPushButton("Reset   Alt+Z")
        self.to_automatic.setToolTip("Reset outlines and level to the automatic ones. Ctrl+Z undoes it.")
        self.to_automatic.setVisible(with_reset)
        if with_reset:
            self.to_automatic.clicked.connect(self.reset)
            bind_key(self, "Z", self.to_automatic.click)
            row.addWidget(self.to_automatic)
        history.on_change(self._allow)
        self._allow()

    def show_tissue(self) -> None:
        """Name the window of the picture's protocol."""
        picture = self._layers.picture
        if picture is not None:
            low, high = picture.tissue.muscle_hu
            self.tissue_only.setToolTip(
                f"Brush, fill bucket and polygon paint {low} to {high} HU only; erasing is not limited."
            )
            self.tissue_only.setText(f"only {low} to {high} HU   Alt+Q")

    def _limit(self, is_on: bool) -> None:
        self._layers.rules.tissue_only = is_on

    def _allow(self) -> None:
        history = self._layers.history
        self.undo.setEnabled(history.can_undo)
        self.redo.setEnabled(history.can_redo)
