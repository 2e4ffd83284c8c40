"""The level: a coronal cut with its line, a slider, and segmentation where nothing is drawn yet."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

from napari.qt.threading import create_worker
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSlider,
    QWidget,
)

from glutseg.errors import GlutsegError
from glutseg.image import CtImage
from glutseg.protocol import LevelRule, Protocol
from glutseg.segmentation import AUTOMATIC, Outliner
from glutseg.viewer.figures import CoronalCut
from glutseg.viewer.keys import bind_key
from glutseg.viewer.parts import Told
from glutseg.viewer.picture import Picture
from glutseg.viewer.segmenting import Found, segment_apart
from glutseg.viewer.stage import WINDOWS_HU, Stage

SETTLED_MS = 600
"""After the slider stopped, before a segmentation begins."""


Answer = tuple[Found | None, GlutsegError | None]


class LevelPanel(QWidget):
    """Moves the level of the picture on the stage; everything is measured anew at once."""

    moved = Signal()
    failed = Signal(object)

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage
        self._protocol: Protocol | None = None
        self._automatic = -1
        self._cancel: threading.Event | None = None
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        self.cut = CoronalCut()
        self.slider = QSlider(Qt.Vertical)
        self.slider.setMinimumHeight(70)
        self.slider.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Ignored)
        self.told = Told(lines=3)
        self.to_automatic = QPushButton("Back to the automatic level")
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
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
        grid.addWidget(self.cut, 0, 0, 3, 1)
        grid.addWidget(self.slider, 0, 1, 3, 1)
        grid.addWidget(self.told, 0, 2)
        grid.addWidget(self.to_automatic, 1, 2)
        row = QHBoxLayout()
        row.addWidget(self.busy)
        row.addWidget(self.stop)
        grid.addLayout(row, 2, 2)
        grid.addLayout(windows, 3, 0, 1, 3)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(2, 4)
        self.slider.valueChanged.connect(self._slid)
        self.cut.level_picked.connect(self.slider.setValue)
        self.to_automatic.clicked.connect(lambda: self.slider.setValue(self._automatic))
        self.stop.clicked.connect(self.cancel)
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(SETTLED_MS)
        self._settled.timeout.connect(self._segment_if_empty)
        self._show_busy(False)

    def show_picture(self, picture: Picture, protocol: Protocol, automatic: int = -1) -> None:
        """Another picture; ``automatic`` is the slice of the program's level, -1 for none."""
        self.cancel()
        self._protocol, self._automatic = protocol, automatic
        self.slider.blockSignals(True)
        self.slider.setRange(0, len(picture.labels) - 1)
        self.slider.setValue(picture.level)
        self.slider.blockSignals(False)
        self.refresh_cut()
        self._tell()

    def refresh_cut(self) -> None:
        """Draw the coronal cut anew, with what is drawn by now."""
        if self._stage.picture is not None:
            self.cut.show_picture(self._stage.picture, self._automatic)

    @property
    def is_busy(self) -> bool:
        """Whether a segmentation is running."""
        return self._cancel is not None

    def cancel(self) -> None:
        """End a segmentation that is running; what it finds is not wanted any more."""
        self._settled.stop()
        if self._cancel is not None:
            self._cancel.set()
            self._cancel = None
        self._show_busy(False)

    def segment(self, level: int | LevelRule) -> None:
        """Segment around a level in the background; a running segmentation is given up for it."""
        self.cancel()
        picture, protocol = self._stage.picture, self._protocol
        if picture is None or protocol is None:
            return
        rule = level if isinstance(level, LevelRule) else _at_slice(picture, level, protocol)
        cancelled = self._cancel = threading.Event()
        self._show_busy(True)
        asked = protocol.model_copy(update={"level": rule})
        job = (picture.image, asked, self.outliner, cancelled)
        worker: Any = create_worker(_attempt, *job, _start_thread=False)
        worker.returned.connect(partial(self._segmented, cancelled))
        worker.errored.connect(partial(self._errored, cancelled))
        worker.start()

    def _segmented(self, cancelled: threading.Event, answer: Answer) -> None:
        found, error = answer
        if error is not None:
            self._errored(cancelled, error)
        if found is None or cancelled is not self._cancel or self._stage.picture is None:
            return
        self._cancel = None
        self._show_busy(False)
        self._stage.fill(found.start, found.labels)
        self.slider.setValue(found.level)
        self.refresh_cut()
        self.moved.emit()

    def _errored(self, cancelled: threading.Event, error: Exception) -> None:
        if cancelled is not self._cancel:
            return
        self._cancel = None
        self._show_busy(False)
        self.failed.emit(error)

    def _slid(self, level: int) -> None:
        picture = self._stage.picture
        if picture is None:
            return
        if self._cancel is not None:
            self.cancel()
        picture.level = level
        self._stage.go_to(level)
        self.cut.set_level(level)
        self._tell()
        self._settled.start()
        self.moved.emit()

    def _segment_if_empty(self) -> None:
        picture = self._stage.picture
        if picture is not None and not picture.labels[picture.level].any() and self.segments_alone:
            self.segment(picture.level)

    outliner: Outliner = AUTOMATIC
    """Who segments."""
    segments_alone = True
    """Whether moving to a level where nothing is drawn starts a segmentation there."""

    def _tell(self) -> None:
        picture = self._stage.picture
        if picture is None:
            return
        words = f"level: slice {picture.level}, z = {picture.level_z_mm:.1f} mm"
        if self._automatic >= 0:
            off_mm = picture.level_z_mm - picture.image.geometry.slice_z_mm(self._automatic)
            words += "; automatic" if picture.level == self._automatic else f"; {off_mm:+.1f} mm"
        if not picture.has_image_at_level:
            words += "; no image shows this slice"
        self.told.setText(words)
        self.to_automatic.setVisible(self._automatic >= 0)
        self.to_automatic.setEnabled(picture.level != self._automatic)

    def _show_busy(self, is_busy: bool) -> None:
        self.busy.setVisible(is_busy)
        self.stop.setVisible(is_busy)

    def _window(self, name: str) -> None:
        self._stage.set_window(name)


def _at_slice(picture: Picture, level: int, protocol: Protocol) -> LevelRule:
    """A slice on the screen as a rule, which counts in the order of the files."""
    place = picture.image.stored_slice(level)
    return LevelRule(landmark="slice", slice_index=place, profile_mm=protocol.level.profile_mm)


def _attempt(image: CtImage, protocol: Protocol, outliner: Outliner, cancelled: threading.Event) -> Answer:
    """A foreseen error beside the answer: one that is raised napari shows as a crash, beside our words."""
    try:
        return segment_apart(image, protocol, outliner, cancelled), None
    except GlutsegError as error:
        return None, error
