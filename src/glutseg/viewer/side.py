"""The side that the tools work on."""

from __future__ import annotations

import numpy as np
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QRadioButton, QWidget

from glutseg.image import LEFT, RIGHT, SIDES, Side
from glutseg.viewer.figures import AS_SHOWN
from glutseg.viewer.layer_manager import LayerManager


class SideChoice(QWidget):
    """Choice of the patient's right or left; the brush follows it."""

    def __init__(self, layers: LayerManager) -> None:
        super().__init__()
        self._layers = layers
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("draw the patient's"))
        self._group = QButtonGroup(self)
        self.buttons: dict[Side, QRadioButton] = {}
        for side in AS_SHOWN:
            button = QRadioButton(side)
            self.buttons[side] = button
            self._group.addButton(button, SIDES[side])
            row.addWidget(button)
        row.addStretch()
        self.buttons["left"].setChecked(True)
        self._group.idToggled.connect(self._chosen)

    @property
    def label(self) -> int:
        """Label of the chosen gluteus maximus."""
        return int(self._group.checkedId())

    def follow(self, pixel: tuple[int, int, int]) -> None:
        """Choose the side that a pixel lies on."""
        side: Side = "left" if pixel[2] >= self._midline(pixel[0]) else "right"
        self.buttons[side].setChecked(True)

    def _midline(self, slice_index: int) -> float:
        """Column between the two muscles of a slice, or the middle of the image."""
        if self._layers.picture is None:
            return 0.0
        labels = self._layers.picture.labels[slice_index]
        columns = [np.nonzero((labels == label).any(0))[0] for label in (LEFT, RIGHT)]
        if all(len(c) for c in columns):
            return float(np.mean([c.mean() for c in columns]))
        return float(labels.shape[1]) / 2

    def _chosen(self, label: int, is_on: bool) -> None:
        if is_on and self._layers.muscles is not None:
            self._layers.muscles.selected_label = label
