"""A grown region, read out as OsiriX reads out a brush ROI."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Mask
from glutseg.measurement.area import check_grid, polygon_area_px
from glutseg.segmentation.growing import GrowSettings, Seed, grow_region, place_seed


@dataclass(frozen=True)
class Readout:
    """What OsiriX writes beside a region.

    Attributes
    ----------
    n_pixels : pixels, or voxels in 3D
    area_mm2 : pixel count x pixel area, as of a brush ROI; None in 3D
    polygon_area_mm2 : within the outline half-way between inside and outside pixels; None in 3D
    volume_cm3 : voxel count x voxel volume; None in 2D and where the series is a single slice
    sd_hu : of a sample (n - 1); NaN for a single pixel, where OsiriX divides by zero
    sum_hu : of all values
    """

    n_pixels: int
    area_mm2: float | None
    polygon_area_mm2: float | None
    volume_cm3: float | None
    mean_hu: float
    sd_hu: float
    min_hu: float
    max_hu: float
    sum_hu: float


@dataclass(frozen=True)
class GrownRegion:
    """A grown region, how it came about and what it measures.

    Attributes
    ----------
    seed_hu : the raw value of the seed's pixel
    mask : 1 inside
    readout : of the region; in 2D of the seed's slice
    slices : of each slice that the region touches, by its index: OsiriX makes one ROI of each
    """

    seed: Seed
    seed_hu: int
    settings: GrowSettings
    is_3d: bool
    mask: Mask
    readout: Readout
    slices: dict[int, Readout]

    @property
    def stored_seed(self) -> Seed:
        """The seed in the order of the files."""
        stored = self.mask.geometry.voxel_on(self.mask.stored, (self.seed.z, self.seed.y, self.seed.x))
        return Seed(*stored[::-1])

    @property
    def stored_slices(self) -> dict[int, Readout]:
        """The slices by their place in the order of the files of an axial series, in that order."""
        place = self.mask.stored.canonical_slice
        return dict(sorted((place(index), readout) for index, readout in self.slices.items()))


def stored_seed(xyz: Sequence[int], image: CtImage, z_mm: float | None = None) -> Seed:
    """A seed that is given in the order of the files; parameters and errors as of `place_seed`."""
    seed = place_seed(xyz, image.stored, z_mm)
    return Seed(*image.stored.voxel_on(image.geometry, (seed.z, seed.y, seed.x))[::-1])


def grow_and_read_out(
    image: CtImage, seed: Seed, settings: GrowSettings, *, is_3d: bool = False
) -> GrownRegion:
    """Grow a region from a seed and read it out, as OsiriX does.

    Raises
    ------
    GlutsegError
        ``seed-outside``; ``region-empty``; ``level-in-gap``, ``slice-not-read`` for a seed on a slice without
        an image of its own.
    """
    image.check_slice(seed.z)
    mask = grow_region(image, seed, settings, is_3d=is_3d)
    without_image = image.missing_slices | image.unread_slices
    return read_out(image, mask.cleared(without_image), seed, settings, is_3d=is_3d)


def read_out(
    volume: CtImage, mask: Mask, seed: Seed, settings: GrowSettings, *, is_3d: bool = False
) -> GrownRegion:
    """All there is to say about a region.

    Parameters
    ----------
    volume, mask : on one grid; 1 inside
    seed, settings, is_3d : what the region was grown with

    Raises
    ------
    GlutsegError
        ``geometry-mismatch``, ``region-empty``.
    """
    whole = read_out_volume(volume, mask) if is_3d else read_out_slice(volume, mask, seed.z)
    touched = np.flatnonzero(mask.labels.any(axis=(1, 2)))
    slices = {int(k): read_out_slice(volume, mask, int(k)) for k in touched}
    seed_hu = int(volume.hu[seed.z, seed.y, seed.x])
    return GrownRegion(seed, seed_hu, settings, is_3d, mask, whole, slices)


def read_out_slice(volume: CtImage, mask: Mask, slice_index: int) -> Readout:
    """One slice of a region.

    Raises
    ------
    GlutsegError
        ``geometry-mismatch``, ``region-empty``.
    """
    check_grid(volume, mask)
    inside = mask.labels[slice_index].astype(np.bool_)
    pixel_mm2 = volume.geometry.pixel_area_mm2
    return _densities(
        volume.hu[slice_index][inside],
        area_mm2=int(inside.sum()) * pixel_mm2,
        polygon_area_mm2=polygon_area_px(inside) * pixel_mm2,
    )


def read_out_volume(volume: CtImage, mask: Mask) -> Readout:
    """A region through all slices.

    Raises
    ------
    GlutsegError
        ``geometry-mismatch``, ``region-empty``.
    """
    check_grid(volume, mask)
    inside = mask.labels.astype(np.bool_)
    volume_mm3 = int(inside.sum()) * volume.geometry.voxel_volume_mm3
    is_single_slice = volume.geometry.shape[0] == 1  # how thick it is, no neighbour tells
    return _densities(volume.hu[inside], volume_cm3=None if is_single_slice else volume_mm3 / 1000)


def _densities(
    values: npt.NDArray[np.int16],
    *,
    area_mm2: float | None = None,
    polygon_area_mm2: float | None = None,
    volume_cm3: float | None = None,
) -> Readout:
    if values.size == 0:
        raise GlutsegError("region-empty", "not one pixel is in the region, the seed included")
    return Readout(
        n_pixels=values.size,
        area_mm2=area_mm2,
        polygon_area_mm2=polygon_area_mm2,
        volume_cm3=volume_cm3,
        mean_hu=float(values.mean(dtype=np.float64)),
        sd_hu=float(values.std(ddof=1, dtype=np.float64)) if values.size > 1 else math.nan,
        min_hu=float(values.min()),
        max_hu=float(values.max()),
        sum_hu=float(values.sum(dtype=np.int64)),
    )
