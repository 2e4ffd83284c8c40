"""What one side shows along the rays of its fan, before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy import Anatomy
from glutseg.image import CtImage, Side
from glutseg.segmentation import evidence
from glutseg.segmentation.settings import Settings
from glutseg.segmentation.sheet import ANGLES_DEGREES, STEP_MM, Fan

BONE_ABOVE_MUSCLE_HU = 90
"""Cortical bone blurred over a pixel still stands this far above muscle."""
CORE_DEGREES = (-3.0, 32.0)
"""Rays whose outer layer is gluteus maximus at most heights: its density is read there."""

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """What one side shows along its rays, before anything is decided: arrays (slab, angle, radius).

    Attributes
    ----------
    fill : 0 fat, 1 muscle, by density
    wall : strength of dark lines as a share of the muscle-to-fat difference
    bone : bool, of this body: not outside the outermost flesh
    outer : index of the outermost flesh, (slab, angle)
    above_mm : height of each slab above the femoral heads' tops
    """

    fan: Fan
    slabs: tuple[range, ...]
    slab_mm: float
    fill: FloatArray
    wall: FloatArray
    bone: BoolArray
    outer: npt.NDArray[np.int64]
    above_mm: npt.NDArray[np.float64]
    muscle_hu: float

    @property
    def depth_mm(self) -> FloatArray:
        """Depth of every sample under the outermost flesh of its ray; negative outside."""
        steps = np.arange(self.fill.shape[2])
        return np.asarray((self.outer[..., None] - steps) * STEP_MM, dtype=np.float32)

    def part(self, slabs: slice) -> Scene:
        """The same scene with only some of its slabs."""
        return replace(
            self,
            slabs=self.slabs[slabs],
            fill=self.fill[slabs],
            wall=self.wall[slabs],
            bone=self.bone[slabs],
            outer=self.outer[slabs],
            above_mm=self.above_mm[slabs],
        )


def look(volume: CtImage, anatomy: Anatomy, side: Side, slices: range, settings: Settings) -> Scene:
    """Sample tissue and walls along the rays of one side."""
    g = volume.geometry
    fan = Fan.of(anatomy.hips, side, g)
    slabs = _slabs(volume, anatomy, slices, settings)
    rows, columns = fan.window
    hu = np.stack([volume.hu[s.start : s.stop, rows, columns].mean(0, dtype=np.float32) for s in slabs])
    spacing = g.spacing_mm[1], g.spacing_mm[2]
    smooth = evidence.smooth(hu, spacing)
    solid = np.stack([evidence.flesh(image, spacing) for image in smooth])
    wall = fan.to_rays(evidence.walls(hu, spacing), outside=0)
    tissue = fan.to_rays(smooth, outside=-1000)
    outer = _outer_surface(fan.to_rays(solid, outside=0) > 0.5)
    depth = (outer[..., None] - np.arange(tissue.shape[2])) * STEP_MM
    muscle_hu = _muscle_hu(tissue, (depth >= 3) & (depth <= 10) & between(CORE_DEGREES)[:, None])
    contrast = muscle_hu - evidence.FAT_HU
    top = anatomy.hips.top_mm
    return Scene(
        fan=fan,
        slabs=slabs,
        slab_mm=g.spacing_mm[0] * len(slabs[0]),
        fill=np.clip((tissue - evidence.FAT_HU) / contrast, 0, 1.3).astype(np.float32),
        wall=wall / np.float32(contrast),
        bone=(tissue > muscle_hu + BONE_ABOVE_MUSCLE_HU) & (depth >= 0),  # not an arm's, beyond
        outer=outer,
        above_mm=np.array([g.slice_z_mm((s.start + s.stop - 1) / 2) - top for s in slabs]),
        muscle_hu=muscle_hu,
    )


def between(degrees: tuple[float, float]) -> BoolArray:
    """Rays within two angles, both included."""
    return np.asarray((degrees[0] <= ANGLES_DEGREES) & (degrees[1] >= ANGLES_DEGREES), dtype=bool)


def _slabs(volume: CtImage, anatomy: Anatomy, slices: range, settings: Settings) -> tuple[range, ...]:
    """Groups of slices that the cut treats as one."""
    g = volume.geometry
    top = anatomy.hips.top_mm
    first = max(0, min(g.nearest_slice(top - settings.context_mm), slices.start))
    last = min(g.shape[0] - 1, max(g.nearest_slice(top + settings.context_mm), slices.stop - 1))
    thin = g.spacing_mm[0] < settings.slab_mm / 1.5
    n = max(1, round(settings.slab_mm / g.spacing_mm[0])) if thin else 1
    starts = range(first, max(first + 1, last - n + 2), n)
    return tuple(range(k, min(k + n, g.shape[0])) for k in starts)


def _outer_surface(solid: BoolArray) -> npt.NDArray[np.int64]:
    """Index of the outermost flesh on every ray; single rays that stick out are levelled."""
    outer = np.where(solid.any(2), solid.shape[2] - 1 - solid[:, :, ::-1].argmax(2), 0)
    level = ndi.median_filter(outer, (3, 9))
    return np.asarray(np.where(np.abs(outer - level) > 8 / STEP_MM, level, outer), dtype=np.int64)


def _muscle_hu(tissue: FloatArray, where: BoolArray) -> float:
    """Median of the muscle under its outer surface, free of streaks and vessels."""
    values = tissue[where]
    values = values[(values > -20) & (values < 120)]
    return float(np.median(values)) if len(values) > 100 else 45.0
