"""A case as the viewer shows it, without Qt: image, labels that are drawn on, a level, live measurements.

The head is up in the slider and the patient's left on the viewer's right, whatever the order of the files.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from glutseg.image import SIDES, CtImage, LabelArray, Mask, Side
from glutseg.measurement import mean_of_sides, measure_slice, per_height
from glutseg.protocol import LevelRule, Protocol, TissueRule
from glutseg.result import SliceMeasurement


@dataclass(frozen=True)
class LiveFigures:
    """Measurements on the level's slice as it is drawn now; a side without a pixel is left out."""

    sides: dict[Side, SliceMeasurement]
    height_m: float | None

    @property
    def mean_area_mm2(self) -> float | None:
        """Mean of both sides; None where one is missing."""
        areas = [self.sides[side].area_mm2 if side in self.sides else None for side in SIDES]
        return mean_of_sides(*areas)

    @property
    def index_mm2_per_m(self) -> float | None:
        """Mean area divided by height."""
        return per_height(self.mean_area_mm2, self.height_m)


@dataclass
class Picture:
    """An image on the screen, and the labels that a person draws on it.

    Attributes
    ----------
    labels : (z, y, x), changed in place by the viewer
    slice_index : of the level
    """

    image: CtImage
    labels: LabelArray
    slice_index: int
    tissue: TissueRule = field(default_factory=TissueRule)
    height_m: float | None = None

    @classmethod
    def of(
        cls,
        image: CtImage,
        mask: Mask | None,
        slice_index: int | None,
        tissue: TissueRule,
        height_m: float | None = None,
    ) -> Picture:
        """From a mask and a slice; the middle slice where none is known."""
        middle = image.geometry.shape[0] // 2
        known = middle if slice_index is None else slice_index
        return cls(image, drawable_labels(mask, image), known, tissue, height_m)

    @property
    def level_z_mm(self) -> float:
        """LPS z of the level's slice."""
        return self.image.geometry.slice_z_mm(self.slice_index)

    @property
    def has_image_at_level(self) -> bool:
        """Whether an image shows the level's slice; slices in a gap are interpolated."""
        return self.slice_index not in self.image.missing_slices

    def live(self) -> LiveFigures:
        """Measure the level's slice by the same function as a run."""
        only = slice(self.slice_index, self.slice_index + 1)
        image = self.image.crop((only, slice(None), slice(None)))
        mask = Mask.on(image, np.ascontiguousarray(self.labels[only]))
        measured = measure_slice(image, mask, 0, self.tissue) if self.has_image_at_level else {}
        return LiveFigures({s: m for s, m in measured.items() if m.area_mm2 > 0}, self.height_m)

    def mask(self) -> Mask:
        """A copy of what is drawn, without slices that no image shows."""
        return Mask.on(self.image, self.labels.copy()).cleared(self.image.missing_slices)


def drawable_labels(mask: Mask | None, image: CtImage) -> LabelArray:
    """Labels to draw on: a copy, empty without a mask."""
    if mask is None:
        return np.zeros(image.geometry.shape, np.uint8)
    return np.ascontiguousarray(mask.labels).copy()


def at_slice(picture: Picture, slice_index: int, protocol: Protocol) -> LevelRule:
    """A slice on the screen as a rule, which counts slices in the order of the files."""
    stored = picture.image.stored_slice(slice_index)
    return LevelRule(landmark="slice", slice_index=stored, profile_mm=protocol.level.profile_mm)
