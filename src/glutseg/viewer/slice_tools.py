"""Tools for a slice and its neighbours: grow again from clicks, copy, interpolate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from scipy import ndimage as ndi
from superqt import QLabeledRangeSlider

from glutseg.image import LabelArray, Side
from glutseg.segmentation.editing import Point, edited_slices, interpolate, regrow
from glutseg.viewer.clicks import Clicks, Pixel
from glutseg.viewer.history import Change
from glutseg.viewer.layer_manager import LayerManager
from glutseg.viewer.paint_rules import MUSCLE_AND_SIDE
from glutseg.viewer.side import SideChoice

WINDOW_HU = (-190, 200)
"""Default: muscle and the fat within it."""


class RegrowTool(QWidget):
    """Clicks inside and outside the muscle; after each the muscle grows again on the slice shown."""

    def __init__(self, layers: LayerManager, clicks: Clicks, side: SideChoice) -> None:
        super().__init__()
        self._layers, self._clicks, self._side = layers, clicks, side
        self.inside: list[Point] = []
        self.outside: list[Point] = []
        self._slice = -1
        grid = QGridLayout(self)
        grid.setContentsMargins(4, 4, 4, 4)
        self.pick_inside = self._toggle("Click inside   Alt+I", self._click_inside)
        self.pick_outside = self._toggle("Click outside   Alt+O", self._click_outside)
        grid.addWidget(self.pick_inside, 0, 0)
        grid.addWidget(self.pick_outside, 0, 1)
        grid.addWidget(QLabel("muscle from, to (HU)"), 1, 0, 1, 2)
        self.window = QLabeledRangeSlider(Qt.Horizontal)
        self.window.setRange(-250, 400)
        self.window.setValue(WINDOW_HU)
        grid.addWidget(self.window, 2, 0, 1, 2)
        self.again = QPushButton("Grow again")
        self.clear = QPushButton("Remove clicks")
        grid.addWidget(self.again, 3, 0)
        grid.addWidget(self.clear, 3, 1)
        self.message = QLabel("Green clicks are inside the muscle, red clicks outside. Ctrl+Z undoes.")
        self.message.setWordWrap(True)
        grid.addWidget(self.message, 4, 0, 1, 2)
        grid.setRowStretch(5, 1)
        self.again.clicked.connect(self.grow)
        self.clear.clicked.connect(self.remove_clicks)

    def _toggle(self, text: str, tool: Callable[[Pixel], None]) -> QPushButton:
        button = QPushButton(text)
        button.setCheckable(True)

        def listen(is_on: bool) -> None:
            if is_on:
                self._clicks.listen(tool, lambda: button.setChecked(False))
            elif self._clicks.is_for(tool):
                self._clicks.stop()

        button.toggled.connect(listen)
        return button

    def forget(self) -> None:
        """Remove the clicks, for another case or slice."""
        self.inside, self.outside = [], []
        self._layers.show_seeds(0, [], [])

    def remove_clicks(self) -> None:
        """Remove the clicks; one step of undo."""
        with self._recorded():
            self.forget()

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """One step of undo for what is done within, with the clicks."""
        history, before = self._layers.history, self._clicked_so_far
        with history.one_step():
            yield
            after = self._clicked_so_far
            if after != before:
                history.record(Change("clicks", partial(self._show, *before), partial(self._show, *after)))

    @property
    def _clicked_so_far(self) -> tuple[int, tuple[Point, ...], tuple[Point, ...]]:
        return self._slice, tuple(self.inside), tuple(self.outside)

    def _show(self, slice_index: int, inside: tuple[Point, ...], outside: tuple[Point, ...]) -> None:
        self._slice, self.inside, self.outside = slice_index, list(inside), list(outside)
        self._layers.show_seeds(max(0, slice_index), self.inside, self.outside)

    def grow(self) -> None:
        """Grow again on the slice shown, from the outline there and the clicks; one step of undo."""
        with self._recorded():
            self._grow()

    def _grow(self) -> None:
        picture = self._layers.picture
        if picture is None:
            return
        slice_index, label = self._layers.slice_shown, self._side.label
        if slice_index != self._slice:
            self._begin(slice_index)
        before = self._layers.muscles.data[slice_index] == label
        after = regrow(
            picture.image.hu[slice_index],
            before,
            picture.image.geometry.spacing_mm[1:],
            inside=self.inside,
            outside=self.outside,
            window_hu=self.window.value(),
        )
        self._layers.replace_slices([slice_index], after[None], label)
        pixel_mm2 = picture.image.geometry.pixel_area_mm2
        change_mm2 = (int(after.sum()) - int(before.sum())) * pixel_mm2
        self.message.setText(f"{change_mm2:+.1f} mm² on this slice. Ctrl+Z undoes.")

    def _click_inside(self, pixel: Pixel) -> None:
        self._clicked(pixel, is_inside=True)

    def _click_outside(self, pixel: Pixel) -> None:
        self._clicked(pixel, is_inside=False)

    def _clicked(self, pixel: Pixel, *, is_inside: bool) -> None:
        with self._recorded():
            side = self._side_of_click(pixel, is_inside=is_inside)
            if pixel[0] != self._slice or side != self._side.side:
                self._begin(pixel[0])
            self._side.choose(side)
            (self.inside if is_inside else self.outside).append(pixel[1:])
            self._layers.show_seeds(self._slice, self.inside, self.outside)
            self._grow()

    def _side_of_click(self, pixel: Pixel, *, is_inside: bool) -> Side:
        """Where the click lies; a click outside is outside of the muscle below it, even where that leaks."""
        picture = self._layers.picture
        label = 0 if picture is None else int(picture.labels[pixel])
        if not is_inside and label in MUSCLE_AND_SIDE:
            return MUSCLE_AND_SIDE[label][1]
        if not is_inside and self.inside:
            return self._side.side
        return self._layers.rules.side_at(pixel)

    def _begin(self, slice_index: int) -> None:
        """Begin on another slice or side: clicks belong to one of each."""
        self._slice = slice_index
        self.forget()


class SliceTools(QWidget):
    """Copy from the neighbouring slices, and fill the slices between edited ones."""

    def __init__(
        self, layers: LayerManager, side: SideChoice, before: Callable[[], LabelArray | None]
    ) -> None:
        super().__init__()
        self._layers, self._side, self._before = layers, side, before
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        self.from_above = QPushButton("Copy from the slice above")
        self.from_below = QPushButton("Copy from the slice below")
        self.between = QPushButton("Fill between edited slices")
        self.holes = QPushButton("Fill holes")
        self.wipe = QPushButton("Clear this slice")
        self.message = QLabel("For the side chosen above, on the slice shown. Ctrl+Z undoes.")
        self.message.setWordWrap(True)
        for widget in (self.from_above, self.from_below, self.between, self.holes, self.wipe, self.message):
            column.addWidget(widget)
        column.addStretch()
        self.from_above.clicked.connect(lambda: self._copy(1))
        self.from_below.clicked.connect(lambda: self._copy(-1))
        self.between.clicked.connect(self.fill_between)
        self.holes.clicked.connect(self._fill_holes)
        self.wipe.clicked.connect(self._wipe)

    def _copy(self, step: int) -> None:
        """From ``step`` slices towards the head."""
        picture = self._layers.picture
        if picture is None:
            return
        slice_index, label = self._layers.slice_shown, self._side.label
        if not 0 <= slice_index + step < len(picture.labels):
            self.message.setText("There is no slice beyond the end of the series.")
            return
        self._layers.replace_slices([slice_index], (picture.labels[slice_index + step] == label)[None], label)

    def _fill_holes(self) -> None:
        picture = self._layers.picture
        if picture is not None:
            slice_index, label = self._layers.slice_shown, self._side.label
            muscle = picture.labels[slice_index] == label
            filled = np.asarray(ndi.binary_fill_holes(muscle))
            self._layers.replace_slices([slice_index], filled[None], label)
            added_mm2 = np.count_nonzero(filled & ~muscle) * picture.image.geometry.pixel_area_mm2
            self.message.setText(f"{added_mm2:+.1f} mm² on this slice. Ctrl+Z undoes.")

    def _wipe(self) -> None:
        if self._layers.picture is not None:
            slice_index = self._layers.slice_shown
            blank = np.zeros((1, *self._layers.picture.labels.shape[1:]), bool)
            self._layers.replace_slices([slice_index], blank, self._side.label)

    def fill_between(self) -> None:
        """Between each two neighbouring slices that were edited, by signed distances; one step of undo."""
        picture, before = self._layers.picture, self._before()
        if picture is None or before is None:
            return
        label = self._side.label
        edited = edited_slices(picture.labels, before, label)
        gaps = [(a, b) for a, b in pairwise(edited) if b - a > 1]
        if not gaps:
            self.message.setText("First edit two slices that have others between them.")
            return
        slices = [slice_index for a, b in gaps for slice_index in range(a + 1, b)]
        filled = [
            interpolate(picture.labels[a] == label, picture.labels[b] == label, b - a - 1) for a, b in gaps
        ]
        self._layers.replace_slices(slices, np.concatenate(filled), label)
        self.message.setText(f"{len(slices)} slices filled. Ctrl+Z undoes.")
