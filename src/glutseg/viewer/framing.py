"""What part of a slice fills the canvas."""

from __future__ import annotations

from typing import Any

import numpy as np

from glutseg.image import LabelArray
from glutseg.viewer.picture import Picture

BODY_HU, BODY_SHARE = -200, 0.1
"""Rows and columns with at least this share of pixels above this HU show the body."""
AROUND_MM = 15.0
"""Of the picture beside the muscles when they fill the canvas."""


class Framing:
    """Moves napari's camera."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self.automatic: LabelArray | None = None
        """Labels (z, y, x) that are to be seen as well as those drawn."""
        self.is_near = False
        """Whether the muscles fill the canvas, not the body."""
        self._fitted: tuple[float, tuple[float, ...], bool] = (0.0, (), True)

    @property
    def camera(self) -> Any:
        """napari's camera; since napari 0.9 it is part of the scene."""
        return getattr(self._viewer, "scene", self._viewer).camera

    def fit(self, picture: Picture, *, to_muscles: bool = True) -> None:
        """Fill the canvas with the muscles of the level, or with the body where there are none."""
        self._viewer.reset_view()
        (rows_mm, columns_mm), g = picture.image.geometry.spacing_mm[1:], picture.image.geometry
        body = picture.image.hu[picture.slice_index] > BODY_HU
        rows, columns = (body.mean(axis) > BODY_SHARE for axis in (1, 0))
        muscles = picture.labels[picture.slice_index] > 0
        if self.automatic is not None:
            muscles = muscles | (self.automatic[picture.slice_index] > 0)
        is_near = self.is_near = to_muscles and bool(muscles.any())
        if is_near:
            rows_shown, columns_shown = muscles.any(1), muscles.any(0)
        else:
            rows_shown, columns_shown = rows, columns
        if rows_shown.any() and columns_shown.any():
            around_mm = AROUND_MM if is_near else 0.0
            (top, bottom), (left, right) = (
                (i[0] * mm + at_mm - around_mm, i[-1] * mm + at_mm + around_mm)
                for i, mm, at_mm in (
                    (np.nonzero(rows_shown)[0], rows_mm, g.origin_mm[1]),
                    (np.nonzero(columns_shown)[0], columns_mm, g.origin_mm[0]),
                )
            )
            height_px, width_px = self._viewer.canvas.size
            zoom = 0.97 * min(height_px / (bottom - top + rows_mm), width_px / (right - left + columns_mm))
            y_mm = (top + bottom) / 2
            if rows.any():  # behind the back there is nothing to see; there is more in front
                back_mm = g.origin_mm[1] + float(np.nonzero(rows)[0][-1]) * rows_mm
                y_mm = min(y_mm, back_mm + AROUND_MM - height_px / zoom / 2)
            self.camera.zoom = zoom
            self.camera.center = (0.0, y_mm, (left + right) / 2)
        self._fitted = self.camera.zoom, tuple(self.camera.center), to_muscles

    def fit_again(self, picture: Picture | None) -> None:
        """Fit to another size of the canvas, unless the user has zoomed or moved the picture."""
        zoom, centre, to_muscles = self._fitted
        if picture is not None and (zoom, centre) == (self.camera.zoom, tuple(self.camera.center)):
            self.fit(picture, to_muscles=to_muscles)
