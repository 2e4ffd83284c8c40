"""Starts a review: from napari's menu or by ``glutseg review``."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Any

from qtpy import API_NAME, PYSIDE_VERSION
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMainWindow,
    QPushButton,
    QStackedLayout,
    QWidget,
)

from glutseg.errors import GlutsegError
from glutseg.viewer.parts import AtClose, unwrapped
from glutseg.viewer.review_widget import ReviewPanel, RunPlace


class ReviewWidget(QWidget):
    """Form for a run and a reviewer's name, then the review.

    Parameters
    ----------
    napari_viewer : given by napari
    place : a run to open at once
    """

    def __init__(self, napari_viewer: Any, place: RunPlace | None = None) -> None:
        super().__init__()
        self._viewer = unwrapped(napari_viewer)
        self.panel: ReviewPanel | None = None
        self.folder, self.images, self.key = QLineEdit(), QLineEdit(), QLineEdit()
        self.reviewer = QLineEdit(login_name())
        self.images.setPlaceholderText("only if they were moved")
        self.key.setPlaceholderText("only for a run with pseudonyms")
        self.open = QPushButton("Open")
        self.message = QLabel("")
        self.message.setTextFormat(Qt.PlainText)
        self.message.setWordWrap(True)
        form = QWidget()
        rows = QFormLayout(form)
        rows.addRow("folder of the run", _with_browser(self.folder))
        rows.addRow("your name", self.reviewer)
        rows.addRow("folder of the images", _with_browser(self.images))
        rows.addRow("key file", self.key)
        rows.addRow(self.open)
        rows.addRow(self.message)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(form)
        self.open.clicked.connect(self._open_form)
        if place is not None:
            self.start(place)

    def offer(self, place: RunPlace) -> None:
        """Open the review of a run, or the form with the reason why it cannot be opened."""
        self.folder.setText(str(place.out))
        try:
            self.start(place)
        except GlutsegError as error:
            self.message.setText(str(error))

    def start(self, place: RunPlace) -> None:
        """Open the review of a run.

        Raises
        ------
        GlutsegError
            Those of `glutseg.viewer.session.Session`.
        """
        self.panel = ReviewPanel(self._viewer, place)
        self._stack.addWidget(self.panel)
        self._stack.setCurrentWidget(self.panel)
        self._at_close = AtClose(self, self.panel.close_session)

    def _open_form(self) -> None:
        images, key = (Path(line.text()) if line.text() else None for line in (self.images, self.key))
        self.offer(RunPlace(Path(self.folder.text()), self.reviewer.text(), images, key))


def review_in(viewer: Any, place: RunPlace) -> ReviewWidget:
    """Open a run in a window of napari: in the panel that shows it already, or in a new one."""
    widget: ReviewWidget
    dock, widget = viewer.window.add_plugin_dock_widget("glutseg", "Review a run")
    panel = widget.panel
    if panel is not None and panel.place.out.resolve() == place.out.resolve():
        if place.case_id:
            panel.begin(place.case_id)
        return widget
    if panel is not None:
        viewer.window.remove_dock_widget(dock)  # saves the drafts
        panel.layers.remove()
        _, widget = viewer.window.add_plugin_dock_widget("glutseg", "Review a run")
    widget.offer(place)
    return widget


def login_name() -> str:
    """Name of the user who is logged in; "reviewer" where the system does not say."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "reviewer"


def open_review(place: RunPlace) -> None:
    """Open napari on a run and return when it is closed.

    Raises
    ------
    GlutsegError
        ``viewer-missing`` without a display, and those of `glutseg.viewer.session.Session`.
    """
    import napari

    viewer, _ = make_review(place)
    napari.run()
    viewer.close()


def make_review(place: RunPlace) -> tuple[Any, ReviewWidget]:
    """A napari window with the review in it.

    Raises
    ------
    GlutsegError
        As `open_review`.
    """
    _check_binding()
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise GlutsegError("viewer-missing", "there is no display")
    import napari

    title = f"glutseg review: {place.out.name}"
    viewer = napari.Viewer(title=title, show=False, show_welcome_screen=False)
    try:
        widget = ReviewWidget(viewer, place)
    except GlutsegError:
        viewer.close()
        raise
    viewer.window.add_dock_widget(widget, name="Review", area="right")
    viewer.show()
    fill_display(viewer.window._qt_window)  # noqa: SLF001 - napari has no public way to it
    return viewer, widget


def fill_display(window: QMainWindow) -> None:
    """Maximise a window; where no window manager does it, by its size."""
    window.setGeometry(window.screen().availableGeometry())
    window.showMaximized()


QT_BINDING = PYSIDE_VERSION or ""


def _check_binding() -> None:
    """PySide 6.12 loses references to None under Python 3.11: after minutes the program would crash."""
    if API_NAME == "PySide6" and sys.version_info < (3, 12) and QT_BINDING.startswith("6.12"):
        raise GlutsegError("viewer-missing", f"PySide6 {QT_BINDING} crashes under Python 3.11; 6.11 does not")


def _with_browser(line: QLineEdit) -> QWidget:
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    button = QPushButton("…")
    button.setFixedWidth(30)

    def browse() -> None:
        folder = QFileDialog.getExistingDirectory(both, "Choose a folder", line.text())
        if folder:
            line.setText(folder)

    button.clicked.connect(browse)
    row.addWidget(line)
    row.addWidget(button)
    return both
