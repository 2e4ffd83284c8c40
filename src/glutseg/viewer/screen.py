"""The window around a panel: napari's docks folded away, coronal section below, overlay on the canvas."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QObject, QPointF, Qt
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QDockWidget, QHBoxLayout, QMainWindow, QPushButton, QWidget

from glutseg.output.text import plain
from glutseg.viewer.canvas_mouse import CanvasMouse
from glutseg.viewer.canvas_overlay import CanvasOverlay
from glutseg.viewer.keys import bind_key
from glutseg.viewer.layer_manager import DISPLAYS, LayerManager
from glutseg.viewer.level_panel import LevelPanel
from glutseg.viewer.parts import single_shot

NAPARIS_DOCKS = ("layer controls", "layer list")
SECTION_SHARE = 0.24
"""Of the window's height, for the coronal section."""
RESIZED_MS = 50
"""Milliseconds from the last change of the canvas's size until the picture is fitted to it."""
OURS = "glutseg"
"""Property of the docks that hold a panel of glutseg."""


class Screen(QObject):
    """What a panel adds to napari's window while it is shown; all of it goes when the panel is closed.

    Parameters
    ----------
    owner : the panel
    """

    def __init__(self, owner: QWidget, layers: LayerManager, level: LevelPanel) -> None:
        super().__init__(owner)
        self._owner, self._layers, self._level = owner, layers, level
        viewer = layers.viewer
        self.window: QMainWindow = viewer.window._qt_window  # noqa: SLF001 - napari has no public way to it
        canvas = self.window.findChild(QOpenGLWidget)
        self.overlay = CanvasOverlay(canvas, layers.camera)
        self._mouse = CanvasMouse(
            canvas, layers.camera, self._takes_wheel, layers.scroll, self._hovered, self._resized
        )
        self._background = viewer.canvas.background_color_override
        viewer.canvas.background_color_override = "black"  # in the light theme too: air is black
        self._compares = True
        self._dock: QDockWidget | None = None
        self._is_shown = False
        self._is_closed = False
        canvas.destroyed.connect(self._canvas_gone)
        self._redraw = single_shot(self, 0, self._draw)
        self._refit = single_shot(self, RESIZED_MS, lambda: layers.framing.fit_again(layers.picture))
        layers.on_view(self._redraw.start)
        self._fold()
        self._put_below()
        self._build_bar()
        owner.installEventFilter(self)
        self._below.hide()
        self.overlay.hide()

    def _build_bar(self) -> None:
        self.bar = QWidget()
        row = QHBoxLayout(self.bar)
        row.setContentsMargins(0, 0, 0, 0)
        self.buttons: dict[str, QPushButton] = {}
        for name, key, tip, call in (
            ("Outline", "D", "show the muscles as outlines, filled, or not at all", self.next_display),
            ("Compare", "E", "show the second method's and the automatic outline", self.toggle_comparison),
            ("Zoom", "0", "fill the canvas with the muscles, or with the body", self.toggle_zoom),
            ("Layers", "Y", "show napari's layers, with brush, eraser and polygon", self.toggle_layers),
        ):
            button = QPushButton(f"{name}  Alt+{key}")
            button.setToolTip(tip)
            button.clicked.connect(call)
            bind_key(self._owner, key, button.click)
            self.buttons[name] = button
            row.addWidget(button)

    # ---- what the user chooses

    def say(self, note: str) -> None:
        """A note in the middle of the canvas; "" for none."""
        self.overlay.say(plain(note, 200))

    def next_display(self) -> None:
        """Outlines, filled, hidden, and again."""
        layers = self._layers
        layers.show_as(DISPLAYS[(DISPLAYS.index(layers.display) + 1) % len(DISPLAYS)])

    def toggle_comparison(self) -> None:
        """Show or hide what the outlines are compared with."""
        self._compares = not self._compares
        self._redraw.start()

    def toggle_zoom(self) -> None:
        """The muscles or the whole body."""
        picture, framing = self._layers.picture, self._layers.framing
        if picture is not None:
            framing.fit(picture, to_muscles=not framing.is_near)

    def toggle_layers(self) -> None:
        """Unfold or fold napari's layer list and layer controls."""
        is_folded = all(dock.isHidden() for dock in self._docks())
        for dock in self._docks():
            dock.setVisible(is_folded)

    # ---- what is seen

    def _canvas_gone(self) -> None:
        """A window that was never shown goes without a word to its panels."""
        self._is_closed = True

    def _draw(self) -> None:
        if self._is_closed:
            return
        layers, overlay = self._layers, self.overlay
        self._show_section()
        overlay.shows_image = layers.shows_image
        lines = layers.lines()
        overlay.show_lines([line for line in lines if self._compares or line.kind == "outline"])
        n_hidden = len(lines) - len(overlay.lines)
        is_hidden = layers.display == "hidden"
        hints = ["outlines hidden: Alt+D"] * is_hidden + ["comparison hidden: Alt+E"] * bool(n_hidden)
        overlay.hint = "; ".join(hints)

    def _hovered(self, at: QPointF | None) -> None:
        """Say column, row, slice and HU under the cursor."""
        image, text = self._layers.image, ""
        if at is not None and self._layers.shows_image:
            place = image.world_to_data((self._layers.viewer.dims.point[0], at.y(), at.x()))
            z, (y, x) = self._layers.slice_shown, (round(v) for v in place[1:])
            rows, columns = image.data.shape[1:]
            if 0 <= y < rows and 0 <= x < columns:
                text = f"x {x}   y {y}   slice {z}   {image.data[z, y, x]} HU"
        if text != self.overlay.readout:
            self.overlay.readout = text
            self.overlay.update()

    def _takes_wheel(self) -> bool:
        return self.overlay.isVisible() and self._layers.shows_image

    def _resized(self) -> None:
        self.overlay.fit()
        self._refit.start()

    # ---- the window

    def _docks(self) -> list[QDockWidget]:
        found = [self.window.findChild(QDockWidget, name) for name in NAPARIS_DOCKS]
        return [dock for dock in found if dock is not None]

    def _fold(self) -> None:
        self._unfolded = [dock for dock in self._docks() if not dock.isHidden()]
        for dock in self._unfolded:
            dock.hide()

    def _put_below(self) -> None:
        """A dock without a title for the coronal section; the panel beside it keeps its whole height."""
        self._below = QDockWidget("coronal section", self.window)
        self._below.setObjectName(f"coronal section {id(self)}")
        self._below.setTitleBarWidget(QWidget())
        self._below.setFeatures(QDockWidget.NoDockWidgetFeatures)
        self._below.setWidget(self._level.view)
        self.window.setCorner(Qt.BottomRightCorner, Qt.RightDockWidgetArea)
        self.window.setCorner(Qt.BottomLeftCorner, Qt.LeftDockWidgetArea)
        self.window.addDockWidget(Qt.BottomDockWidgetArea, self._below)

    def settle(self) -> None:
        """Give the coronal section its share of the window."""
        height = round(SECTION_SHARE * self.window.height())
        self.window.resizeDocks([self._below], [height], Qt.Vertical)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if not hasattr(self, "_below"):  # at exit Python clears attributes before Qt deletes the object
            return False
        if event.type() in (QEvent.Show, QEvent.Hide) and not event.spontaneous():
            self._show(is_shown=event.type() == QEvent.Show)
            self._join()
        return False

    def _show(self, *, is_shown: bool) -> None:
        """With the panel go its section, what it paints and its layers: another panel may show another CT."""
        self._is_shown = is_shown
        self._show_section()
        self.overlay.setVisible(is_shown)
        self._layers.suspend(is_suspended=not is_shown)
        if is_shown:
            self.overlay.raise_()
            single_shot(self, 0, self.settle).start()

    def _show_section(self) -> None:
        """A single slice has no section from head to feet."""
        picture = self._layers.picture
        self._below.setVisible(self._is_shown and (picture is None or len(picture.labels) > 1))

    def _join(self) -> None:
        """Put this panel on a tab where another of glutseg is open: both one above the other are cut off."""
        own: Any = self._owner
        while own is not None and not isinstance(own, QDockWidget):
            own = own.parentWidget()
        if own is None or self._dock is own:
            return
        self._dock = own
        own.visibilityChanged.connect(self._tab_chosen)
        docks = self.window.findChildren(QDockWidget)
        others = [dock for dock in docks if dock.property(OURS) and dock is not own and not dock.isHidden()]
        own.setProperty(OURS, True)
        if others:
            self.window.tabifyDockWidget(others[0], own)
            own.raise_()

    def _tab_chosen(self, is_shown: bool) -> None:
        """Qt takes a panel below another tab for visible still, and its keys for two of the same."""
        if not self.window.isMinimized() and not self._is_closed:
            self._owner.setEnabled(is_shown)
            self._show(is_shown=is_shown)

    def close(self) -> None:
        """Give napari's window back as it was."""
        self._is_closed = True
        self._owner.removeEventFilter(self)
        self._redraw.stop()
        self._refit.stop()
        self._mouse.stop()
        self.overlay.close_view()
        self._layers.leave()
        self._layers.viewer.canvas.background_color_override = self._background
        self._level.view.setParent(self._owner)
        self.window.removeDockWidget(self._below)
        for dock in self._unfolded:
            dock.show()
