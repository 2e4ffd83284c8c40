"""One slice with what was outlined on it, where the picture ends and where the body's surface is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.image import SIDES, CtImage, LabelArray, Mask, Side
from glutseg.quality.unseen import unseen
from glutseg.settings import METHOD, QualitySettings

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Picture:
    """What the checks of a slice look at.

    Attributes
    ----------
    hu : int16 (y, x)
    labels : of the muscles, as in `glutseg.image.LABELS`
    pixel_mm : (y, x)
    """

    hu: npt.NDArray[np.int16]
    labels: LabelArray
    pixel_mm: tuple[float, float]
    settings: QualitySettings = METHOD.quality

    @classmethod
    def of(
        cls, volume: CtImage, mask: Mask, slice_index: int, settings: QualitySettings = METHOD.quality
    ) -> Picture:
        """A slice of an axial series."""
        _, y_mm, x_mm = volume.geometry.spacing_mm
        return cls(volume.hu[slice_index], mask.labels[slice_index], (y_mm, x_mm), settings)

    @property
    def pixel_area_mm2(self) -> float:
        return self.pixel_mm[0] * self.pixel_mm[1]

    @cached_property
    def maximus(self) -> BoolArray:
        """The gluteus maximus of both sides."""
        return np.isin(self.labels, list(SIDES.values()))

    def side(self, side: Side) -> BoolArray:
        """The gluteus maximus of one side."""
        return np.asarray(self.labels == SIDES[side])

    @cached_property
    def unseen(self) -> BoolArray:
        """Pixels within the array that show nothing."""
        return unseen(self.hu, self.pixel_mm, self.maximus, self.settings)

    @cached_property
    def distance_mm_to_edge(self) -> FloatArray:
        """Of every pixel to the nearest one that is not shown, within the array or beyond it."""
        outside = np.pad(self.unseen, 1, constant_values=True)
        return self.distance_mm(outside)[1:-1, 1:-1]

    @cached_property
    def body(self) -> BoolArray:
        """The largest thing on the slice, filled, without what is thinner than a limb: table, blanket."""
        s = self.settings
        clipped = np.where(self.unseen, s.air_hu, np.clip(self.hu, s.air_hu, 0))
        tissue = (self.smoothed(clipped, s.smoothing_mm) > s.surface_hu) & ~self.unseen
        pieces, n = ndi.label(self.opened(tissue, s.table_mm))
        if not n:
            return np.zeros(self.hu.shape, bool)
        largest = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
        return np.asarray(ndi.binary_fill_holes(largest), bool)

    def smoothed(self, values: npt.NDArray[Any], sigma_mm: float) -> FloatArray:
        """By a Gaussian."""
        sigma = [sigma_mm / s for s in self.pixel_mm]
        return np.asarray(ndi.gaussian_filter(values.astype(float), sigma), float)

    def distance_mm(self, to: BoolArray) -> FloatArray:
        """Of every pixel to the nearest one of ``to``; infinite where there is none."""
        if not to.any():
            return np.full(to.shape, np.inf)
        return np.asarray(ndi.distance_transform_edt(~to, sampling=self.pixel_mm), float)

    def inner(self, mask: BoolArray, depth_mm: float) -> BoolArray:
        """The part of a mask farther than this from what is not in it; the array's edge is no border."""
        return _where_it_lies(mask, lambda part: part & (self.distance_mm(~part) > depth_mm))

    def opened(self, mask: BoolArray, radius_mm: float) -> BoolArray:
        """The part of a mask that a disc of this radius fits into."""

        def opened(part: BoolArray) -> BoolArray:
            return part & (self.distance_mm(self.inner(part, radius_mm)) <= radius_mm)

        return _where_it_lies(mask, opened)


def _where_it_lies(mask: BoolArray, change: Callable[[BoolArray], BoolArray]) -> BoolArray:
    """A mask changed within its rows and columns and one more on either side: distances cost their area."""
    out = np.zeros(mask.shape, bool)
    for found in ndi.find_objects(mask.astype(np.uint8)):
        box = tuple(slice(max(0, part.start - 1), part.stop + 1) for part in found)
        out[box] = change(mask[box])
    return out
