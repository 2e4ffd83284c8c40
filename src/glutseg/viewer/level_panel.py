"""The level panel: a coronal section with the level as a line, a slider, segmentation of empty slices."""

from __future__ import annotations

import threading
from functools import partial

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QWidget,
)

from glutseg.protocol import LevelRule, Protocol
from glutseg.segmentation import AUTOMATIC, Outliner
from glutseg.viewer.background import Background
from glutseg.viewer.figures import CoronalSection
from glutseg.viewer.history import Change
from glutseg.viewer.keys import bind_key
from glutseg.viewer.layer_manager import WINDOWS_HU, LayerManager
from glutseg.viewer.parts import MessageArea, single_shot
from glutseg.viewer.picture import Picture, at_slice
from glutseg.viewer.segmentation_process import OutlinesNearLevel, SegmentationProcess

SETTLED_MS = 150
"""Milliseconds after the last move of the slider until a segmentation begins."""
AHEAD_MS = 500
"""Milliseconds for which a picture stands until its hips are looked for: leafing through cases needs none."""


class LevelPanel(QWidget):
    """Moves the level; everything is measured again at once."""

    moved = Signal()
    failed = Signal(object)

    def __init__(self, layers: LayerManager) -> None:
        super().__init__()
        self._layers = layers
        self._protocol: Protocol | None = None
        self._automatic = -1
        self._cancel: threading.Event | None = None
        self._left = threading.Event()
        self._segmentation, self._worker = SegmentationProcess(), Background(self)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        self.section = CoronalSection()
        self.slider = QSlider(Qt.Vertical)
        self.slider.setMinimumHeight(70)
        self.slider.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Ignored)
        self.view = QWidget()
        """Coronal section and slider, which `glutseg.viewer.screen` puts below the canvas."""
        beside = QHBoxLayout(self.view)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.section, 1)
        beside.addWidget(self.slider)
        self.message = MessageArea()
        self.to_automatic = QPushButton("Back to automatic")
        self.busy = QLabel("segmenting …")  # what moves has the whole window drawn again, half a core's work
        self.stop = QPushButton("Stop segmenting")
        windows = QHBoxLayout()
        windows.addWidget(QLabel("window"))
        self.windows: dict[str, QPushButton] = {}
        for number, name in enumerate(WINDOWS_HU, start=1):
            button = QPushButton(f"{name}  Alt+{number}")
            button.clicked.connect(partial(self._window, name))
            bind_key(self, str(number), button.click)
            self.windows[name] = button
            windows.addWidget(button)
        grid.addWidget(self.view, 0, 0, 1, 2)
        grid.addWidget(self.message, 1, 0, 2, 1)
        grid.addWidget(self.to_automatic, 1, 1)
        row = QHBoxLayout()
        row.addWidget(self.busy)
        row.addWidget(self.stop)
        grid.addLayout(row, 2, 1)
        grid.addLayout(windows, 3, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        self.slider.valueChanged.connect(self._slider_moved)
        self.section.level_picked.connect(self.slider.setValue)
        self.section.scrolled.connect(self._scroll)
        layers.on_view(self._slice_shown)
        self.to_automatic.clicked.connect(lambda: self.slider.setValue(self._automatic))
        self.stop.clicked.connect(self.cancel)
        self._settled = single_shot(self, SETTLED_MS, self._segment_if_empty)
        self._ahead = single_shot(self, AHEAD_MS, self._find_hips)
        self.to_automatic.hide()
        self._show_busy(False)

    def show_picture(self, picture: Picture, protocol: Protocol, automatic: int = -1) -> None:
        """Show another picture; ``automatic`` is the slice of the automatic level, -1 for none."""
        self.leave()
        self._left = threading.Event()
        self._protocol, self._automatic = protocol, automatic
        self.slider.blockSignals(True)
        self.slider.setRange(0, len(picture.labels) - 1)
        self.slider.setValue(picture.slice_index)
        self.slider.blockSignals(False)
        self.refresh_section()
        self._show_level()
        self._ahead.start()

    def refresh_section(self) -> None:
        """Draw the coronal section again, with the present labels."""
        if self._layers.picture is not None:
            self.section.show_picture(self._layers.picture, self._automatic)

    @property
    def is_busy(self) -> bool:
        """Whether a segmentation is running."""
        return self._cancel is not None

    def cancel(self) -> None:
        """Stop a running segmentation and drop its result."""
        self._settled.stop()
        if self._cancel is not None:
            self._cancel.set()
            self._cancel = None
        self._show_busy(False)

    def leave(self) -> None:
        """Stop whatever is done for the picture shown, which is to go."""
        self.cancel()
        self._ahead.stop()
        self._left.set()

    def close(self) -> None:
        """Stop everything, for good."""
        self.leave()
        self._segmentation.close()
        self._worker.finish()

    def _find_hips(self) -> None:
        """Find the hips ahead of the first segmentation of a picture."""
        picture, protocol = self._layers.picture, self._protocol
        if picture is not None and protocol is not None and self.outliner.needs_hips:
            job = (picture.image, protocol, self._left)
            self._worker.do(partial(self._segmentation.find_hips, *job), lambda _nothing, _error: None)

    def segment(self, level: int | LevelRule) -> None:
        """Segment around a level in the background; a running segmentation is stopped first."""
        self.cancel()
        picture, protocol = self._layers.picture, self._protocol
        if picture is None or protocol is None:
            return
        rule = level if isinstance(level, LevelRule) else at_slice(picture, level, protocol)
        cancelled = self._cancel = threading.Event()
        self._show_busy(True)
        asked = protocol.model_copy(update={"level": rule})
        job = (picture.image, asked, self.outliner, cancelled)
        self._worker.do(partial(self._segmentation.segment, *job), partial(self._segmented, cancelled))

    def _segmented(
        self, cancelled: threading.Event, found: OutlinesNearLevel | None, error: Exception | None
    ) -> None:
        if cancelled is not self._cancel or self._layers.picture is None:
            return
        self._cancel = None
        self._show_busy(False)
        if error is not None:
            self.failed.emit(error)
        if found is None:
            return
        self._layers.rules.take_midplane(found.labels, found.start)
        with self._layers.history.part_of_last_move():
            self._layers.fill(found.start, found.labels)
            self.slider.setValue(found.slice_index)
        self._layers.framing.fit_again(self._layers.picture)
        self.refresh_section()
        self.moved.emit()

    def _slider_moved(self, slice_index: int) -> None:
        picture = self._layers.picture
        if picture is None:
            return
        if self._cancel is not None:
            self.cancel()
        back, forth = (partial(self.slider.setValue, index) for index in (picture.slice_index, slice_index))
        self._layers.history.record(Change("level", back, forth))
        picture.slice_index = slice_index
        self._layers.go_to(slice_index)
        self.section.set_level(slice_index)
        self._show_level()
        self._settled.start()
        self.moved.emit()

    def _slice_shown(self) -> None:
        if self._layers.shows_image:
            self.section.set_shown(self._layers.slice_shown)

    def _scroll(self, n_slices: int) -> None:
        if self._layers.shows_image:
            self._layers.scroll(n_slices)

    def _segment_if_empty(self) -> None:
        picture = self._layers.picture
        if (
            picture is not None
            and not picture.labels[picture.slice_index].any()
            and self.segments_empty_levels
        ):
            self.segment(picture.slice_index)

    outliner: Outliner = AUTOMATIC
    """The outliner that segments."""
    segments_empty_levels = True
    """Whether moving to a level without labels starts a segmentation there."""

    def _show_level(self) -> None:
        picture = self._layers.picture
        if picture is None:
            return
        text = f"level: slice {picture.slice_index}, z = {picture.level_z_mm:.1f} mm"
        if self._automatic >= 0:
            off_mm = picture.level_z_mm - picture.image.geometry.slice_z_mm(self._automatic)
            text += "; automatic" if picture.slice_index == self._automatic else f"; {off_mm:+.1f} mm"
        if not picture.has_image_at_level:
            text += "; no image shows this slice"
        self.message.setText(text)
        self.to_automatic.setVisible(self._automatic >= 0)
        self.to_automatic.setEnabled(picture.slice_index != self._automatic)

    def _show_busy(self, is_busy: bool) -> None:
        self.busy.setVisible(is_busy)
        self.stop.setVisible(is_busy)

    def _window(self, name: str) -> None:
        self._layers.set_window(name)
