"""What must lie around a femoral head: socket, ilium, pubis, ischium, neck - and soft tissue between.

A ball alone may be a knee, a vertebra or a loop full of contrast. Around a hip joint bone and soft
tissue alternate in a way that nothing else in the body imitates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.image import CtImage, Side
from glutseg.settings import METHOD, Region, SurroundingsSettings

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
UPRIGHT: FloatArray = np.eye(3)
"""The frame of a patient who lies straight."""
Bounds = tuple[float, float]
Box = tuple[Bounds, Bounds, Bounds]
REGIONS = tuple(type(METHOD.surroundings.regions).model_fields)
"""Names of the regions around a head."""


def _box(region: Region) -> Box:
    return region.lateral_mm, region.back_mm, region.up_mm


def _marks(region: Region, shares: FloatArray, empty_share: float) -> FloatArray:
    """1 where the share of bone is as it should be, 0 where it is the opposite."""
    if region.bone_share:
        return np.minimum(1, shares / region.bone_share)
    return 1 - np.minimum(1, shares / empty_share)


@dataclass(frozen=True)
class BoneMap:
    """Where bone is, in cells, as a summed-volume table (one longer on every axis).

    Attributes
    ----------
    bone : (z, y, x) in cells
    spacing_mm, origin_mm : (x, y, z) of the cells
    """

    bone: npt.NDArray[np.bool_]
    summed: npt.NDArray[np.int32]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    settings: SurroundingsSettings = METHOD.surroundings

    @classmethod
    def of(cls, volume: CtImage, settings: SurroundingsSettings = METHOD.surroundings) -> BoneMap:
        g = volume.geometry
        ny, nx = (max(1, round(settings.cell_mm / s)) for s in g.spacing_mm[1:])
        nz, rows, columns = g.shape[0], g.shape[1] // ny, g.shape[2] // nx
        hu = volume.hu[:, : rows * ny, : columns * nx]
        # clipped, so that a cell's sum fits into 16 bits at any pixel size
        hu = np.clip(hu, -4 * settings.bone_hu, 4 * settings.bone_hu)
        strips = sum((hu[:, i::ny] for i in range(1, ny)), hu[:, ::ny])
        total = sum((strips[:, :, i::nx] for i in range(1, nx)), strips[:, :, ::nx])
        bone = total > settings.bone_hu * ny * nx
        summed = np.zeros((nz + 1, rows + 1, columns + 1), np.int32)
        np.cumsum(bone, axis=0, dtype=np.int32, out=summed[1:, 1:, 1:])
        for axis in (1, 2):
            np.cumsum(summed, axis=axis, out=summed)
        spacing_mm = (g.spacing_mm[2] * nx, g.spacing_mm[1] * ny, g.spacing_mm[0])
        return cls(bone, summed, spacing_mm, g.point_mm(0, (ny - 1) / 2, (nx - 1) / 2), settings)

    def shares(self, centres_mm: FloatArray, side: Side, box: Box, frame: FloatArray = UPRIGHT) -> FloatArray:
        """Share of bone in a box beside each of n points (n, 3); NaN where half of the box lies outside.

        The columns of ``frame`` are the patient's own left, back and up: the box is moved by it, and
        stays upright.
        """
        lateral = box[0] if side == "left" else (-box[0][1], -box[0][0])
        low, high = np.array([lateral, box[1], box[2]]).T
        offset = centres_mm - np.array(self.origin_mm) + frame @ ((low + high) / 2)
        first = np.rint((offset - (high - low) / 2) / self.spacing_mm).astype(int)
        last = np.rint((offset + (high - low) / 2) / self.spacing_mm).astype(int) + 1
        start = np.clip(first, 0, self.bone.shape[::-1])
        stop = np.clip(last, start, self.bone.shape[::-1])
        outside = (stop - start < self.settings.min_region_share * (last - first)).any(1)
        (x0, y0, z0), (x1, y1, z1) = start.T, stop.T
        count = _corner_sum(self.summed, z1, x0, x1, y0, y1) - _corner_sum(self.summed, z0, x0, x1, y0, y1)
        cells = np.maximum((stop - start).prod(1), 1)
        return np.where(outside, np.nan, count / cells)

    def fits(
        self,
        centres_mm: FloatArray,
        side: Side,
        names: tuple[str, ...] = REGIONS,
        frame: FloatArray = UPRIGHT,
        at_least: float = 0.0,
    ) -> FloatArray:
        """How far the surroundings of each of n points (n, 3) are those of this side's hip: 0 to 1.

        Regions not shown do not count; 0 where fewer than ``min_regions`` (or half of ``names``) are in the
        picture, and where the fit cannot reach ``at_least`` any more.
        """
        missed, shown = np.zeros(len(centres_mm)), np.zeros(len(centres_mm), int)
        open_ = np.arange(len(centres_mm))
        regions = self.settings.regions
        for name in names:
            region: Region = getattr(regions, name)
            shares = self.shares(centres_mm[open_], side, _box(region), frame)
            mark = _marks(region, shares, self.settings.empty_share)
            shown[open_] += ~np.isnan(mark)
            missed[open_] += 1 - np.nan_to_num(mark, nan=1.0)
            open_ = open_[missed[open_] <= (1 - at_least) * len(names)]
        fits = np.zeros(len(centres_mm))
        open_ = open_[shown[open_] >= min(self.settings.min_regions, (len(names) + 1) // 2)]
        fits[open_] = 1 - missed[open_] / shown[open_]
        return fits

    def fit(
        self,
        centre_mm: tuple[float, float, float],
        side: Side,
        names: tuple[str, ...] = REGIONS,
        frame: FloatArray = UPRIGHT,
    ) -> float:
        """`fits` of one point."""
        return float(self.fits(np.array([centre_mm]), side, names, frame)[0])

    def hidden(self, centre_mm: tuple[float, float, float], side: Side, frame: FloatArray = UPRIGHT) -> int:
        """How many of `REGIONS` around a point lie outside the series."""
        centre = np.array([centre_mm])
        boxes = [_box(getattr(self.settings.regions, name)) for name in REGIONS]
        shares = [self.shares(centre, side, box, frame) for box in boxes]
        return int(np.isnan(shares).sum())

    def likely(self, side: Side, frame: FloatArray, at_least: float) -> tuple[FloatArray, FloatArray]:
        """Centres (n, 3) in LPS mm on a grid with bone around them, and their `fits`."""
        axes = [
            np.arange(0, n, max(1, round(self.settings.step_mm / s))) * s + o
            for n, s, o in zip(self.bone.shape[::-1], self.spacing_mm, self.origin_mm, strict=True)
        ]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
        at = tuple(
            np.rint((grid[:, a] - self.origin_mm[a]) / self.spacing_mm[a]).astype(int) for a in (2, 1, 0)
        )
        near = ndi.maximum_filter(self.bone, 3) if len(grid) else self.bone
        grid = grid[near[at]]
        head, settings = self.settings.regions.head, self.settings
        marks = _marks(head, self.shares(grid, side, _box(head)), settings.empty_share)
        grid = grid[marks >= settings.min_head_fit]
        return grid, self.fits(grid, side, frame=frame, at_least=at_least)

    def symmetry_x_mm(self, z_mm: Bounds, x_mm: Bounds) -> float:
        """LPS x of the sagittal plane about which the bone between two heights is most symmetrical."""
        z = self.origin_mm[2] + np.arange(self.bone.shape[0]) * self.spacing_mm[2]
        part = self.bone[(z >= z_mm[0]) & (z <= z_mm[1])].astype(np.float32)
        n = part.shape[2]
        # the product of the bone with its mirror image, for every place of the mirror at once
        spectrum = np.fft.rfft(part, 2 * n, axis=2)
        match = np.fft.irfft((spectrum**2).sum((0, 1)), 2 * n)[: 2 * n - 1]
        x = self.origin_mm[0] + np.arange(2 * n - 1) / 2 * self.spacing_mm[0]
        allowed = (x >= x_mm[0]) & (x <= x_mm[1])
        return float(x[np.where(allowed, match, -1.0).argmax()])


def _corner_sum(
    table: npt.NDArray[np.int32], z: IntArray, x0: IntArray, x1: IntArray, y0: IntArray, y1: IntArray
) -> npt.NDArray[np.int32]:
    return np.asarray(table[z, y1, x1] - table[z, y0, x1] - table[z, y1, x0] + table[z, y0, x0])
