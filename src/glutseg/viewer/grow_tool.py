"""OsiriX's growing region on the screen: click a seed, preview the region, add or subtract it."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QWidget,
)
from superqt import QLabeledRangeSlider

from glutseg.errors import GlutsegError
from glutseg.segmentation.editing import BoolArray
from glutseg.segmentation.growing import Seed, grow_region, parse_settings
from glutseg.viewer.clicks import Clicks, Pixel
from glutseg.viewer.layer_manager import LayerManager
from glutseg.viewer.side import SideChoice

METHODS = ("interval", "bounds", "neighborhood", "confidence")
FIELDS = {
    "interval": ("interval_hu",),
    "bounds": ("bounds_hu",),
    "neighborhood": ("bounds_hu", "radius_px"),
    "confidence": ("multiplier", "iterations", "initial_radius_px"),
}
BOUNDS_HU = (-29, 150)
"""Default: lean muscle (Aubrey 2014, PMID 24393306)."""


class GrowTool(QWidget):
    """The four methods with OsiriX's defaults, on the slice shown, with a live preview."""

    def __init__(self, layers: LayerManager, clicks: Clicks, side: SideChoice) -> None:
        super().__init__()
        self._layers, self._clicks, self._side = layers, clicks, side
        self.seed: Pixel | None = None
        self.region: BoolArray | None = None
        self.pick = QPushButton("Click a seed   Alt+G")
        self.pick.setCheckable(True)
        self.pick.toggled.connect(self._listen)
        self.method = QComboBox()
        self.method.addItems(METHODS)
        self.fields: dict[str, Any] = {
            "interval_hu": _number(100.0, 0, 4000, 5),
            "bounds_hu": _range(),
            "radius_px": _whole(2, 0, 20),
            "multiplier": _number(2.5, 0.1, 20, 0.1),
            "iterations": _whole(5, 0, 100),
            "initial_radius_px": _whole(2, 1, 20),
        }
        self._form = QFormLayout(self)
        self._form.setContentsMargins(4, 4, 4, 4)
        self._form.setVerticalSpacing(3)
        self._form.addRow(self.pick, self.method)
        for name, field in self.fields.items():
            self._form.addRow(_field_label(name), field)
            field.valueChanged.connect(self.update_preview)
        self.method.currentTextChanged.connect(self._method_chosen)
        self.add, self.subtract = QPushButton("Add"), QPushButton("Subtract")
        buttons = QHBoxLayout()
        for button in (self.add, self.subtract):
            button.setEnabled(False)
            buttons.addWidget(button)
        self._form.addRow(buttons)
        self.message = QLabel("Click a seed on the image; the region is shown in yellow.")
        self.message.setWordWrap(True)
        self._form.addRow(self.message)
        self.add.clicked.connect(lambda: self._apply(adds=True))
        self.subtract.clicked.connect(lambda: self._apply(adds=False))
        self._method_chosen(self.method.currentText())

    def forget(self) -> None:
        """Remove seed and preview, for another case."""
        self.seed = self.region = None
        self._layers.clear_preview()
        self.add.setEnabled(False)
        self.subtract.setEnabled(False)
        self.message.setText("Click a seed on the image; the region is shown in yellow.")

    def seed_at(self, pixel: Pixel) -> None:
        """Grow from a pixel of the slice shown."""
        self.seed = pixel
        self._side.follow(pixel)
        self.update_preview()

    def update_preview(self, _value: object = None) -> None:
        """Grow again with the present settings."""
        picture = self._layers.picture
        if self.seed is None or picture is None:
            return
        z, y, x = self.seed
        volume = picture.image.crop((slice(z, z + 1), slice(None), slice(None)))
        try:
            settings = parse_settings(self.method.currentText(), **self._parameters())
            region = grow_region(volume, Seed(x, y, 0), settings).labels[0] > 0
        except GlutsegError as error:
            self.message.setText(error.message)
            return
        self.region = np.asarray(region)
        self._layers.show_preview(z, self.region)
        n = int(self.region.sum())
        area_mm2 = n * volume.geometry.pixel_area_mm2
        self.message.setText(
            f"seed {volume.hu[0, y, x]} HU; {area_mm2:.1f} mm²" if n else "the seed is outside the interval"
        )
        self.add.setEnabled(n > 0)
        self.subtract.setEnabled(n > 0)

    def _apply(self, *, adds: bool) -> None:
        if self.region is None or self.seed is None:
            return
        slice_index, label = self.seed[0], self._side.label
        now = self._layers.muscles.data[slice_index]
        if adds:
            self._layers.write(slice_index, self.region & (now == 0), label)
        else:
            self._layers.write(slice_index, self.region & (now == label), 0)
        self.forget()

    def _parameters(self) -> dict[str, float]:
        chosen: dict[str, float] = {}
        for name in FIELDS[self.method.currentText()]:
            if name == "bounds_hu":
                chosen["lower_hu"], chosen["upper_hu"] = self.fields[name].value()
            else:
                chosen[name] = self.fields[name].value()
        return chosen

    def _method_chosen(self, method: str) -> None:
        for name, field in self.fields.items():
            self._form.setRowVisible(field, name in FIELDS[method])
        self.update_preview()

    def _listen(self, is_on: bool) -> None:
        if is_on:
            self._clicks.listen(self.seed_at, lambda: self.pick.setChecked(False))
        elif self._clicks.is_for(self.seed_at):
            self._clicks.stop()


def _field_label(name: str) -> str:
    return {
        "interval_hu": "interval (HU)",
        "bounds_hu": "from, to (HU)",
        "radius_px": "radius (pixels)",
        "initial_radius_px": "first radius (pixels)",
    }.get(name, name)


def _number(value: float, low: float, high: float, step: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setDecimals(1)
    box.setValue(value)
    return box


def _whole(value: int, low: int, high: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    return box


def _range() -> QLabeledRangeSlider:
    slider = QLabeledRangeSlider(Qt.Horizontal)
    slider.setRange(-250, 400)
    slider.setValue(BOUNDS_HU)
    return slider
