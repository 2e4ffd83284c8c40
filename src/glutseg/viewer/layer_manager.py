"""The layers of one napari viewer: CT, muscles, preview, clicks. All in mm, LPS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
from napari.utils.colormaps import DirectLabelColormap

from glutseg.image import CtImage, Geometry, LabelArray
from glutseg.protocol import TissueRule
from glutseg.segmentation.editing import BoolArray, Point
from glutseg.viewer.framing import Framing
from glutseg.viewer.history import History
from glutseg.viewer.muscles_layer import MuscleLabels
from glutseg.viewer.outline_lines import LABEL_COLOURS, Comparison, Line, lines_on_slice
from glutseg.viewer.paint_rules import PaintRules
from glutseg.viewer.picture import Picture

WINDOWS_HU = {"Muscle": (-125.0, 225.0), "Bone": (-300.0, 1300.0), "Wide": (-1000.0, 1000.0)}
"""Lowest and highest HU shown; muscle as in the overlays of a run."""
PREVIEW_COLOUR = "#f0e442"
OPACITY = 0.45
SEED_COLOURS = {True: "#009e73", False: "#d55e00"}
"""Of clicks inside (True) and outside the muscle."""
Display = Literal["outline", "filled", "hidden"]
DISPLAYS: tuple[Display, ...] = get_args(Display)
"""How the muscles are shown."""
IMAGE = "glutseg_image"
"""Key in the metadata of a layer: the image that it shows."""


class LayerManager:
    """The layers of an open case. They are made once and filled again, which is quick.

    Parameters
    ----------
    viewer : a napari viewer
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.picture: Picture | None = None
        self.rules, self.history = PaintRules(), History()
        self.image: Any = None
        self.muscles: Any = None
        self._preview: Any = None
        self._preview_slice = -1
        viewer.dims.events.current_step.connect(self._slice_changed)
        self._seeds: Any = None
        self._window = WINDOWS_HU["Muscle"]
        self._listeners: list[Callable[[], None]] = []
        self._paint_listeners: list[Callable[[], None]] = []
        self._label_listeners: list[Callable[[int], None]] = []
        self._onlookers: list[Callable[[], None]] = []
        self.comparison = Comparison()
        self.display: Display = "outline"
        self._is_suspended = False
        self._suspended: list[Any] = []
        self.framing = Framing(viewer)
        viewer.dims.events.current_step.connect(self._view_changed)
        viewer.dims.events.ndisplay.connect(self.show_as)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every change of the muscles: strokes, tools, undo and redo."""
        self._listeners.append(listener)

    def on_paint(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every stroke and tool, but not after undo and redo."""
        self._paint_listeners.append(listener)

    def on_label(self, listener: Callable[[int], None]) -> None:
        """Call ``listener`` with the label that is to be painted, when another one is chosen."""
        self._label_listeners.append(listener)

    def on_view(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever other outlines are to be seen: another case, slice or stroke."""
        self._onlookers.append(listener)

    def show(self, picture: Picture, comparison: Comparison | None = None) -> None:
        """Show another case and go to its level; undo does not reach back into the case before."""
        self.picture = None  # filling the layers is no change by the user
        self.clear_preview()
        self.show_seeds(0, [], [])
        g = picture.image.geometry
        place = {"scale": g.spacing_mm, "translate": g.origin_mm[::-1]}
        if self.image is None or self.image not in self.viewer.layers:
            self._make(picture, place)
        else:
            _fill(self.image, picture.image.hu, place)
            _fill(self.muscles, picture.labels, place)
            self.muscles.editable = False  # clears the history of undo
            self.muscles.editable = True
        self.comparison = comparison or Comparison()
        self.framing.automatic = self.comparison.automatic
        self.image.metadata = {IMAGE: picture.image}
        self.image.visible = self.muscles.visible = True
        self.viewer.dims.axis_labels = ("z", "y", "x")
        self.viewer.layers.selection.active = self.muscles
        self.muscles.mode = "pan_zoom"
        self.picture = picture
        self.rules.show_picture(picture)
        self.history.clear()
        self.go_to(picture.slice_index)
        self.framing.fit(picture)
        if self._is_suspended:
            self._put_away()
        self.show_as()

    def prepare(self) -> None:
        """Make the layers before there is anything to show: it takes about as long as reading a series."""
        if self.image is not None:
            return
        nothing = CtImage(np.zeros((1, 1, 1), np.int16), Geometry((1, 1, 1), (1.0, 1.0, 1.0)))
        self.glance(Picture.of(nothing, None, None, TissueRule()))
        self.hide()

    def glance(self, picture: Picture, comparison: Comparison | None = None) -> None:
        """Show a case that is not there as a whole yet: nothing can be drawn on."""
        self.show(picture, comparison)
        self.picture = None
        self.rules.show_picture(None)
        self.muscles.editable = False

    def hide(self) -> None:
        """Show nothing, so that nothing can be drawn on."""
        self.picture = None
        self.rules.show_picture(None)
        self.history.clear()
        self.clear_preview()
        for layer in (self.image, self.muscles):
            if layer is not None:
                layer.visible = False
        self._view_changed()

    @property
    def shows_image(self) -> bool:
        """Whether a slice of a case is on the screen as an axial picture."""
        is_there = self.image is not None and self.image in self.viewer.layers and self.image.visible
        return is_there and self.viewer.dims.ndisplay == 2 and self.viewer.dims.order == (0, 1, 2)

    def show_as(self, display: Any = None) -> None:
        """Show the muscles as outlines, filled, or not at all; as before where nothing is said."""
        if display in DISPLAYS:
            self.display = display
        if self.muscles is not None and self.muscles in self.viewer.layers:
            is_flat = self.viewer.dims.ndisplay == 2  # lines are not drawn in three dimensions
            is_filled = self.display == "filled" or (self.display == "outline" and not is_flat)
            self.muscles.opacity = OPACITY if is_filled and not self._is_suspended else 0.0
        self._view_changed()

    def lines(self) -> list[Line]:
        """The outlines of the slice shown."""
        if not self.shows_image or self.display == "hidden":
            return []
        drawn, slice_index = self.muscles.data, self.slice_shown
        geometry = self.image.metadata[IMAGE].geometry
        lines = lines_on_slice(drawn[slice_index], slice_index, geometry, self.comparison)
        return [line for line in lines if self.display == "outline" or line.kind != "outline"]

    def _view_changed(self, _event: object = None) -> None:
        for listener in self._onlookers:
            listener()

    def suspend(self, *, is_suspended: bool) -> None:
        """Make room for another panel's layers, and come back to the level."""
        was_suspended, self._is_suspended = self._is_suspended, is_suspended
        if is_suspended and not was_suspended:
            self._put_away()
        elif was_suspended and not is_suspended:
            for layer in self._suspended:
                layer.visible = True
            if self.picture is not None:
                self.go_to(self.picture.slice_index)
                self.viewer.layers.selection.active = self.muscles
                self.framing.fit(self.picture)
        self.show_as()

    def _put_away(self) -> None:
        """The muscles are made transparent only: napari cannot write on a layer that is not visible."""
        self._suspended = [layer for layer in self._own if layer.visible and layer is not self.muscles]
        for layer in self._suspended:
            layer.visible = False

    @property
    def _own(self) -> list[Any]:
        """The layers that are in the viewer."""
        made = (self.image, self.muscles, self._preview, self._seeds)
        return [layer for layer in made if layer is not None and layer in self.viewer.layers]

    def remove(self) -> None:
        """Take the layers out of the viewer."""
        self.picture = None
        for layer in self._own:
            self.viewer.layers.remove(layer)

    def _make(self, picture: Picture, place: dict[str, Any]) -> None:
        layers = self.viewer
        self.image = layers.add_image(
            picture.image.hu, name="CT", contrast_limits=self._window, colormap="gray", **place
        )
        self.image.contrast_limits_range = (-1100, 3100)
        self.muscles = layers.add_layer(
            MuscleLabels(
                picture.labels,
                rules=self.rules,
                history=self.history,
                name="muscles",
                opacity=OPACITY,
                colormap=_colours(),
                **place,
            )
        )
        self.muscles.brush_size = 10
        self.muscles.selected_label = 1
        for event in (
            "set_data",
            "labels_update",
            "paint",
        ):  # none of them alone covers strokes, tools and undo
            getattr(self.muscles.events, event).connect(self._changed)
        self.muscles.events.paint.connect(self._painted)
        self.muscles.events.selected_label.connect(self._label_chosen)

    def _changed(self, _event: object = None) -> None:
        if self.picture is not None:
            self._view_changed()
            for listener in self._listeners:
                listener()

    def _painted(self, _event: object = None) -> None:
        if self.picture is not None:
            for listener in self._paint_listeners:
                listener()

    def _label_chosen(self, _event: object = None) -> None:
        for listener in self._label_listeners:
            listener(int(self.muscles.selected_label))

    @property
    def slice_shown(self) -> int:
        """The slice on the screen, in canonical order (as napari's slider counts)."""
        if self.image is None:
            return 0
        z_mm = self.viewer.dims.point[0]
        slice_index = round((z_mm - self.image.translate[0]) / self.image.scale[0])
        return int(np.clip(slice_index, 0, len(self.image.data) - 1))

    def go_to(self, slice_index: int) -> None:
        """Show a slice, counted from the feet."""
        self.viewer.dims.set_point(0, float(self.image.translate[0] + slice_index * self.image.scale[0]))

    def leave(self) -> None:
        """Show the muscles as napari does, when the panel is closed that shows their outlines."""
        self._onlookers.clear()
        self.comparison, self._is_suspended = Comparison(), False
        self.show_as("filled")

    def scroll(self, n_slices: int) -> None:
        """Go so many slices towards the head."""
        there = self.slice_shown + n_slices
        self.go_to(min(max(there, 0), len(self.image.data) - 1))

    @property
    def camera(self) -> Any:
        """napari's camera."""
        return self.framing.camera

    def set_window(self, name: str) -> None:
        """One of `WINDOWS_HU`."""
        self._window = WINDOWS_HU[name]
        if self.image is not None:
            self.image.contrast_limits = self._window

    def pixel(self, position: Any) -> tuple[int, int, int] | None:
        """The pixel (z, y, x) under a position of the mouse; None outside the image."""
        if self.picture is None:
            return None
        index = np.round(self.image.world_to_data(position)).astype(int)
        if (index < 0).any() or (index >= self.picture.image.hu.shape).any():
            return None
        return int(index[0]), int(index[1]), int(index[2])

    def write(self, slice_index: int, where: BoolArray, label: int) -> None:
        """Set pixels (y, x) of a slice to a label; one step for undo."""
        self.write_slices([slice_index], where[None], label)

    def write_slices(self, slices: list[int], where: BoolArray, label: int) -> None:
        """Set pixels (slice, y, x) to a label; one step for undo, however many slices."""
        index, rows, columns = np.nonzero(where)
        if len(index):
            self.muscles.data_setitem((np.asarray(slices)[index], rows, columns), label)

    def replace_slices(self, slices: list[int], muscle: BoolArray, label: int) -> None:
        """Replace a muscle on some slices by ``muscle`` (slice, y, x); other muscles keep their pixels."""
        now = self.muscles.data[slices]
        target = np.where(now == label, 0, now)
        target[muscle & (target == 0)] = label
        index, rows, columns = np.nonzero(target != now)
        if len(index):
            where = (np.asarray(slices)[index], rows, columns)
            self.muscles.data_setitem(where, target[index, rows, columns])

    def set_labels(self, labels: LabelArray) -> None:
        """Replace all labels (z, y, x); one step for undo."""
        where = np.nonzero(labels != self.muscles.data)
        if len(where[0]):
            self.muscles.data_setitem(where, labels[where])

    def fill(self, start: int, labels: LabelArray) -> None:
        """Copy labels (slice, y, x) to slices that are empty."""
        free = [i for i in range(len(labels)) if not self.muscles.data[start + i].any()]
        shown = labels[free]
        index, rows, columns = np.nonzero(shown)
        if len(index):
            slices = np.asarray(free)[index] + start
            self.muscles.data_setitem((slices, rows, columns), shown[index, rows, columns])

    def show_preview(self, slice_index: int, region: BoolArray) -> None:
        """Show a region (y, x) on a slice that is not part of a muscle yet."""
        if self.picture is None:
            return
        self._preview_slice = slice_index
        g = self.picture.image.geometry
        place = {"scale": g.spacing_mm[1:], "translate": g.origin_mm[1::-1]}
        shown = region.astype(np.uint8)
        if self._preview is None or self._preview not in self.viewer.layers:
            active = self.viewer.layers.selection.active
            colours = {None: "transparent", 0: "transparent", 1: PREVIEW_COLOUR}
            self._preview = self.viewer.add_labels(
                shown, name="preview", opacity=0.6, colormap=DirectLabelColormap(color_dict=colours), **place
            )
            self._preview.editable = False
            self.viewer.layers.selection.active = active
        else:
            _fill(self._preview, shown, place)
        self._slice_changed()

    def clear_preview(self) -> None:
        """Hide the preview."""
        self._preview_slice = -1
        self._slice_changed()

    def _slice_changed(self, _event: object = None) -> None:
        """Show the preview, which is two-dimensional, on its own slice only."""
        if self._preview is not None and self._preview in self.viewer.layers:
            self._preview.visible = self.picture is not None and self.slice_shown == self._preview_slice

    def show_seeds(self, slice_index: int, inside: list[Point], outside: list[Point]) -> None:
        """Show clicks (y, x) on a slice."""
        made = self._seeds is not None and self._seeds in self.viewer.layers
        if not inside and not outside and not made:
            return
        points = np.asarray([(slice_index, *point) for point in (*inside, *outside)], float).reshape(-1, 3)
        colours = [SEED_COLOURS[True]] * len(inside) + [SEED_COLOURS[False]] * len(outside)
        if self.picture is not None:
            g = self.picture.image.geometry
            place = {"scale": g.spacing_mm, "translate": g.origin_mm[::-1]}
            if made:
                _fill(self._seeds, points, place)
            else:  # placed from the start: a layer elsewhere would change the slice shown
                active = self.viewer.layers.selection.active
                self._seeds = self.viewer.add_points(points, name="clicks", size=8, **place)
                self.viewer.layers.selection.active = active
        elif made:
            self._seeds.data = points
        if len(points):
            self._seeds.face_color = colours


def _fill(layer: Any, data: Any, place: dict[str, Any]) -> None:
    layer.data = data
    layer.scale, layer.translate = place["scale"], place["translate"]


def _colours() -> DirectLabelColormap:
    """The colours of the overlays of a run."""
    colours: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    return DirectLabelColormap(color_dict=colours | LABEL_COLOURS)
