"""The muscle and the side that brush and tools work on."""

from __future__ import annotations

from typing import get_args

from qtpy.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLabel, QRadioButton, QWidget

from glutseg.image import SIDES, Muscle, Side
from glutseg.viewer.figures import AS_SHOWN
from glutseg.viewer.layer_manager import LayerManager
from glutseg.viewer.paint_rules import MUSCLE_AND_SIDE, Pixel


class SideChoice(QWidget):
    """The muscle is chosen here or by napari's number of a label; the side follows strokes and clicks, and is
    chosen here for tools that need none of the two.

    Parameters
    ----------
    beside : put at the end of the row
    """

    def __init__(self, layers: LayerManager, beside: tuple[QWidget, ...] = ()) -> None:
        super().__init__()
        self._layers = layers
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.muscle = QComboBox()
        self.muscle.addItems(get_args(Muscle))
        self.muscle.setToolTip("The gluteus that brush and tools draw.")
        row.addWidget(QLabel("gluteus"))
        row.addWidget(self.muscle)
        self._group = QButtonGroup(self)
        self.buttons: dict[Side, QRadioButton] = {}
        for side in AS_SHOWN:
            button = QRadioButton(side)
            button.setToolTip("The patient's side. A stroke or click takes the side on which it begins.")
            self.buttons[side] = button
            self._group.addButton(button, SIDES[side])
            row.addWidget(button)
        row.addStretch()
        for widget in beside:
            row.addWidget(widget)
        self.buttons["left"].setChecked(True)
        self._group.idToggled.connect(lambda _label, is_on: self._chosen() if is_on else None)
        self.muscle.currentTextChanged.connect(self._chosen)
        layers.on_label(self._label_chosen)

    @property
    def side(self) -> Side:
        """The side chosen."""
        return "left" if self.buttons["left"].isChecked() else "right"

    @property
    def label(self) -> int:
        """Label of the chosen muscle and side."""
        return self._layers.rules.label_of(self.side)

    def follow(self, pixel: Pixel) -> None:
        """Choose the side that a pixel lies on."""
        self.choose(self._layers.rules.side_at(pixel))

    def choose(self, side: Side) -> None:
        """Choose a side."""
        self.buttons[side].setChecked(True)
        self._chosen()

    def _chosen(self, _name: str = "") -> None:
        self._layers.rules.muscle = get_args(Muscle)[self.muscle.currentIndex()]
        muscles = self._layers.muscles
        if muscles is not None and muscles.selected_label != 0:  # 0: napari's brush erases
            muscles.selected_label = self.label

    def _label_chosen(self, label: int) -> None:
        """napari's controls chose a label."""
        if label in MUSCLE_AND_SIDE:
            muscle, side = MUSCLE_AND_SIDE[label]
            self.muscle.setCurrentText(muscle)
            self.choose(side)
