"""Clicks on the canvas for the tools: a press that does not become a drag."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from glutseg.viewer.layer_manager import LayerManager

Pixel = tuple[int, int, int]
"""(z, y, x), canonical."""


class Clicks:
    """Passes clicks on the image to at most one tool at a time.

    While a tool listens the muscles cannot be painted; choosing a brush ends the listening.
    """

    def __init__(self, layers: LayerManager) -> None:
        self._layers = layers
        self._tool: Callable[[Pixel], None] | None = None
        self._ended: Callable[[], None] | None = None
        self._bound: Any = None
        layers.viewer.mouse_drag_callbacks.append(self._pressed)

    def listen(self, tool: Callable[[Pixel], None], ended: Callable[[], None]) -> None:
        """Pass clicks to ``tool`` from now on; ``ended`` is called when another tool takes over."""
        self.stop()
        muscles = self._layers.muscles
        if muscles is None:
            return
        muscles.mode = "pan_zoom"
        self._tool, self._ended = tool, ended
        if self._bound is not muscles:
            muscles.events.mode.connect(self._mode_changed)
            self._bound = muscles

    def is_for(self, tool: Callable[[Pixel], None]) -> bool:
        """Whether clicks go to this tool."""
        return self._tool == tool

    def stop(self) -> None:
        """Pass clicks to no tool."""
        ended, self._tool, self._ended = self._ended, None, None
        if ended is not None:
            ended()

    def close(self) -> None:
        """Disconnect from the viewer."""
        self.stop()
        if self._pressed in self._layers.viewer.mouse_drag_callbacks:
            self._layers.viewer.mouse_drag_callbacks.remove(self._pressed)

    def _mode_changed(self, event: Any) -> None:
        if self._tool is not None and str(event.mode) != "pan_zoom":
            self.stop()

    def _pressed(self, _viewer: Any, event: Any) -> Iterator[None]:
        is_drag = False
        yield
        while event.type == "mouse_move":
            is_drag = True
            yield
        pixel = None if is_drag or self._tool is None else self._layers.pixel(event.position)
        if pixel is not None and self._tool is not None:
            self._tool(pixel)
