"""The labels layer that is drawn on: napari's own, with rules for what a stroke paints and one history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Labels

from glutseg.errors import GlutsegError
from glutseg.viewer.history import Change, History
from glutseg.viewer.paint_rules import PaintRules

LIMITED = "_apply_mask_to_data"
"""Through this method of napari brush, fill bucket and polygon write; not a public one."""


class MuscleLabels(Labels):
    """Labels whose brush, fill bucket and polygon keep to `PaintRules`, with the undo of a `History`.

    Raises
    ------
    GlutsegError
        ``viewer-missing`` with a napari in which the rules would not hold.
    """

    def __init__(self, data: Any, *, rules: PaintRules, history: History, **more: Any) -> None:
        if not hasattr(Labels, LIMITED):
            raise GlutsegError("viewer-missing", "this version of napari paints in another way; 0.9 is known")
        self.rules, self.history = rules, history
        super().__init__(data, **more)
        self.events.paint.connect(self._painted)

    @property
    def _type_string(self) -> str:
        """The name by which napari and plugins know layers of labels."""
        return "labels"

    def paint(self, coord: Sequence[float], new_label: int, refresh: bool = True) -> None:  # noqa: FBT002
        """One dab of the brush at (z, y, x), in pixels."""
        super().paint(coord, self._label(coord, new_label), refresh)

    def fill(self, coord: Sequence[float], new_label: int, refresh: bool = True) -> None:  # noqa: FBT002
        """The fill bucket at (z, y, x), in pixels."""
        super().fill(coord, self._label(coord, new_label), refresh)

    def paint_polygon(self, points: Any, new_label: int) -> None:
        """A polygon with corners (n, 3); its side is that of the middle of the corners."""
        super().paint_polygon(points, self._label(np.mean(points, axis=0), new_label))

    def undo(self) -> None:
        """Take back the newest change of the case, whatever it was."""
        self.history.undo()

    def redo(self) -> None:
        """Make the change again that was undone last."""
        self.history.redo()

    def _label(self, coord: Sequence[float], new_label: int) -> int:
        pixel = np.clip(np.round(coord).astype(int), 0, np.subtract(self.data.shape, 1))
        z, y, x = (int(index) for index in pixel)
        return 0 if new_label == 0 else self.rules.label_at((z, y, x))

    def _apply_mask_to_data(self, data: Any, mask: Any, new_label: int, volume_slice: Any) -> Any:
        slices, rows, columns = volume_slice
        allowed = np.broadcast_to(mask, data.shape).copy()
        for i, z in enumerate(range(slices.start, slices.stop)):
            allowed[i] = self.rules.limited(z, (rows, columns), allowed[i], new_label)
        return super()._apply_mask_to_data(data, allowed, new_label, volume_slice)

    def _painted(self, _event: object) -> None:
        self.history.record(Change("labels", super().undo, super().redo))
