"""What is on the screen, without the screen: images, labels that are drawn on, a level, live figures.

All in canonical order, so that the head is up in the slider and the patient's left on the viewer's right
whatever the scanner's storage order; masks go back to the series' order before they are measured or kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from glutseg import dicom
from glutseg.image import SIDES, CtImage, LabelArray, Mask, Side
from glutseg.measurement import mean_of_sides, measure_slice, per_height
from glutseg.protocol import TissueRule
from glutseg.result import SideMeasurement


@dataclass(frozen=True)
class LiveFigures:
    """The level's figures as they are now; a side without a pixel is not there."""

    sides: dict[Side, SideMeasurement]
    height_m: float | None

    @property
    def mean_area_mm2(self) -> float | None:
        """Of both sides; None where one is not there."""
        areas = [self.sides[side].area_mm2 if side in self.sides else None for side in SIDES]
        return mean_of_sides(*areas)

    @property
    def index_mm2_per_m(self) -> float | None:
        """Mean area divided by height."""
        return per_height(self.mean_area_mm2, self.height_m)


@dataclass
class Picture:
    """A series that is looked at and drawn on.

    Attributes
    ----------
    loaded : in the series' own order
    labels : canonical, changed in place by the viewer
    level : canonical slice
    """

    loaded: dicom.LoadedSeries
    labels: LabelArray
    level: int
    tissue: TissueRule = field(default_factory=TissueRule)
    height_m: float | None = None

    def __post_init__(self) -> None:
        self.volume: CtImage = self.loaded.volume.canonical()

    @classmethod
    def of(
        cls,
        loaded: dicom.LoadedSeries,
        mask: Mask | None,
        slice_index: int | None,
        tissue: TissueRule,
        height_m: float | None = None,
    ) -> Picture:
        """From a mask and a slice in the series' own order; the middle slice where none is known."""
        own = loaded.volume.geometry
        k = own.shape[0] // 2 if slice_index is None else slice_index
        return cls(loaded, canonical_labels(mask, loaded), own.canonical_slice(k), tissue, height_m)

    @property
    def slice_index(self) -> int:
        """The level in the series' own order."""
        return self.loaded.volume.geometry.canonical_slice(self.level)

    @property
    def level_z_mm(self) -> float:
        """LPS z of the level's slice."""
        return self.volume.geometry.slice_z_mm(self.level)

    @property
    def has_image_at_level(self) -> bool:
        """Whether the level's slice is one of the scanner's, not one bridged across a gap."""
        return self.slice_index not in self.loaded.missing

    def live(self) -> LiveFigures:
        """Measure the level's slice by the same function as a run."""
        k = slice(self.level, self.level + 1)
        box = (k, slice(None), slice(None))
        volume = self.volume.crop(box)
        mask = Mask(np.ascontiguousarray(self.labels[k]), volume.geometry)
        measured = measure_slice(volume, mask, 0, self.tissue) if self.has_image_at_level else {}
        return LiveFigures({s: m for s, m in measured.items() if m.area_mm2 > 0}, self.height_m)

    def mask(self) -> Mask:
        """A copy of what is drawn, in the series' own order, without slices that no image shows."""
        canonical = Mask(self.labels.copy(), self.volume.geometry)
        return canonical.restored(self.loaded.volume.geometry).cleared(self.loaded.missing)


def canonical_labels(mask: Mask | None, loaded: dicom.LoadedSeries) -> LabelArray:
    """Labels to draw on: a copy, in canonical order; empty without a mask."""
    if mask is None:
        return np.zeros(loaded.volume.geometry.canonical().shape, np.uint8)
    return np.ascontiguousarray(mask.canonical().labels).copy()
