"""Strokes on the canvas: the side is chosen where a stroke begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from glutseg.image import Side
from glutseg.viewer.layer_manager import LayerManager

DRAWING_MODES = ("paint", "erase", "fill", "polygon")
ENCIRCLING = 2
"""The right button, which begins a stroke that goes on without a button until it is back at its start."""


def remove_box_of_brush(viewer: Any) -> None:
    """Let the circle of the brush have no box behind it.

    napari 0.9 gives every overlay of the canvas one in the colour of the background, and goes on showing it
    where the brush was once another tool or case is chosen: a black square on the muscle.
    """
    overlays = getattr(getattr(viewer, "canvas", None), "overlays", None)
    brush = getattr(overlays, "_brush_circle", None)
    if brush is not None:
        brush.box = False


class Strokes:
    """Tells the rules of painting where a stroke begins and ends.

    Parameters
    ----------
    follow : called with the side of every stroke that begins
    """

    def __init__(self, layers: LayerManager, follow: Callable[[Side], None]) -> None:
        self._layers, self._follow = layers, follow
        layers.viewer.mouse_drag_callbacks.append(self._pressed)
        remove_box_of_brush(layers.viewer)

    def close(self) -> None:
        """Disconnect from the viewer."""
        if self._pressed in self._layers.viewer.mouse_drag_callbacks:
            self._layers.viewer.mouse_drag_callbacks.remove(self._pressed)

    def _pressed(self, _viewer: Any, event: Any) -> Iterator[None]:
        muscles = self._layers.muscles
        if muscles is None or str(muscles.mode) not in DRAWING_MODES:
            return
        pixel = self._layers.pixel(event.position)
        if pixel is None:
            return
        self._follow(self._layers.rules.begin(pixel))
        yield
        while event.type == "mouse_move":
            yield
        if event.button != ENCIRCLING:
            self._layers.rules.end()
