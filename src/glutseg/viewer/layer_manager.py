"""The layers of one napari viewer: CT, muscles, automatic outlines, preview, clicks. All in mm, LPS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap

from glutseg.image import LABELS, CtImage, Geometry, LabelArray
from glutseg.output.style import OTHER_COLOURS, SIDE_COLOURS
from glutseg.protocol import TissueRule
from glutseg.segmentation.editing import BoolArray, Point
from glutseg.viewer.history import History
from glutseg.viewer.muscles_layer import MuscleLabels
from glutseg.viewer.paint_rules import PaintRules
from glutseg.viewer.picture import Picture

WINDOWS_HU = {"Muscle": (-125.0, 225.0), "Bone": (-300.0, 1300.0), "Wide": (-1000.0, 1000.0)}
"""Lowest and highest HU shown; muscle as in the overlays of a run."""
BODY_HU, BODY_SHARE = -200, 0.1
"""Rows and columns with at least this share of pixels above this HU show the body."""
PREVIEW_COLOUR = "#f0e442"
AUTOMATIC_COLOUR = "#f2f4f5"
OPACITY = 0.45
SEED_COLOURS = {True: "#009e73", False: "#d55e00"}
"""Of clicks inside (True) and outside the muscle."""


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
        self.automatic: Any = None
        self._preview: Any = None
        self._preview_slice = -1
        viewer.dims.events.current_step.connect(self._slice_changed)
        self._seeds: Any = None
        self._window = WINDOWS_HU["Muscle"]
        self._listeners: list[Callable[[], None]] = []
        self._paint_listeners: list[Callable[[], None]] = []
        self._label_listeners: list[Callable[[int], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every change of the muscles: strokes, tools, undo and redo."""
        self._listeners.append(listener)

    def on_paint(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every stroke and tool, but not after undo and redo."""
        self._paint_listeners.append(listener)

    def on_label(self, listener: Callable[[int], None]) -> None:
        """Call ``listener`` with the label that is to be painted, when another one is chosen."""
        self._label_listeners.append(listener)

    def show(self, picture: Picture, automatic: LabelArray | None = None) -> None:
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
        self._show_automatic(automatic, place)
        self.image.visible = self.muscles.visible = True
        self.viewer.dims.axis_labels = ("z", "y", "x")
        self.viewer.layers.selection.active = self.muscles
        self.muscles.mode = "pan_zoom"
        self.picture = picture
        self.rules.show_picture(picture)
        self.history.clear()
        self.go_to(picture.slice_index)
        self.centre()

    def prepare(self) -> None:
        """Make the layers before there is anything to show: it takes about as long as reading a series."""
        if self.image is not None:
            return
        nothing = CtImage(np.zeros((1, 1, 1), np.int16), Geometry((1, 1, 1), (1.0, 1.0, 1.0)))
        self.glance(Picture.of(nothing, None, None, TissueRule()), np.zeros((1, 1, 1), np.uint8))
        self.hide()

    def glance(self, picture: Picture, automatic: LabelArray | None = None) -> None:
        """Show a case that is not there as a whole yet: nothing can be drawn on."""
        self.show(picture, automatic)
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

    def _show_automatic(self, labels: LabelArray | None, place: dict[str, Any]) -> None:
        """Fill the layer of the automatic outlines, which is hidden at first."""
        if labels is None and self.automatic is None:
            return
        shown = np.zeros((1, 1, 1), np.uint8) if labels is None else labels
        if self.automatic is None or self.automatic not in self.viewer.layers:
            colours: dict[int | None, str] = {None: "transparent", 0: "transparent"}
            colours |= {label: AUTOMATIC_COLOUR for sides in LABELS.values() for label in sides.values()}
            self.automatic = self.viewer.add_labels(
                shown,
                name="automatic outlines",
                colormap=DirectLabelColormap(color_dict=colours),
                visible=False,
                **place,
            )
            self.automatic.contour = 2
            self.automatic.editable = False
        else:
            _fill(self.automatic, shown, place)

    def _changed(self, _event: object = None) -> None:
        if self.picture is not None:
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
        if self.image is None or self.picture is None:
            return 0
        z_mm = self.viewer.dims.point[0]
        slice_index = round((z_mm - self.image.translate[0]) / self.image.scale[0])
        return int(np.clip(slice_index, 0, len(self.picture.labels) - 1))

    def go_to(self, slice_index: int) -> None:
        """Show a slice, counted from the feet."""
        self.viewer.dims.set_point(0, float(self.image.translate[0] + slice_index * self.image.scale[0]))

    def centre(self) -> None:
        """Put the body in the middle of the canvas."""
        self.viewer.reset_view()
        picture = self.picture
        if picture is None:
            return
        body = picture.image.hu[picture.slice_index] > BODY_HU
        rows, columns = (np.nonzero(body.mean(axis) > BODY_SHARE)[0] for axis in (1, 0))
        if len(rows) and len(columns):
            spans = [int(np.ptp(place)) + 1 for place in (rows, columns)]
            self.camera.zoom *= 0.95 * min(n / s for n, s in zip(body.shape, spans, strict=True))
            middle = [(place[0] + place[-1]) / 2 for place in (rows, columns)]
            self.camera.center = self.image.data_to_world((picture.slice_index, *middle))

    @property
    def camera(self) -> Any:
        """napari's camera; since napari 0.9 it is part of the scene."""
        return getattr(self.viewer, "scene", self.viewer).camera

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
    for muscle, sides in LABELS.items():
        for side, label in sides.items():
            colours[label] = OTHER_COLOURS.get(muscle, SIDE_COLOURS[side])
    return DirectLabelColormap(color_dict=colours)
