"""What one side shows beneath its gluteus maximus, along rays turned further to the front."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.image import CtImage
from glutseg.segmentation import evidence
from glutseg.segmentation.layer import Layer
from glutseg.segmentation.scene import BONE_ABOVE_MUSCLE_HU
from glutseg.segmentation.sheet import ANGLES_DEGREES, STEP_MM, Fan

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

TURN = 40
"""Whole degrees by which the fan is turned to the front: the medius ends 75 to 140 degrees from straight
back, where the fan of the maximus ends at 116."""
TURNED_DEGREES = ANGLES_DEGREES + TURN
"""Angles of the turned fan, counted from straight back like those of the maximus' fan."""


MAX_DEPTH_MM = 70.0
"""Neither muscle lies deeper along a ray beneath the maximus or the fat."""
BONE_REACH_MM = 10.0


@dataclass(frozen=True)
class DeepScene:
    """One side beneath its gluteus maximus: arrays (slab, angle, radius), angles `TURNED_DEGREES`.

    Attributes
    ----------
    fill : 0 fat, 1 muscle, by density
    wall : strength of dark lines as a share of the muscle-to-fat difference
    bone : bool
    outer : index of the outermost sample beneath the maximus, or of the flesh beside it, (slab, angle)
    above_mm : height of each slab above the femoral heads' tops
    """

    fan: Fan
    slab_mm: float
    fill: FloatArray
    wall: FloatArray
    bone: BoolArray
    outer: IntArray
    above_mm: npt.NDArray[np.float64]
    muscle_hu: float

    @cached_property
    def floor(self) -> IntArray:
        """Index of the outermost bone of every ray, (slab, angle); -1 where none lies within reach."""
        bone = self.bone & (self.depth_mm >= 0) & (self.depth_mm <= MAX_DEPTH_MM + BONE_REACH_MM)
        last = bone.shape[2] - 1 - bone[:, :, ::-1].argmax(2)
        return np.asarray(np.where(bone.any(2), last, -1), dtype=np.int64)

    def part(self, slabs: slice) -> DeepScene:
        """The same scene with only some of its slabs."""
        return replace(
            self,
            fill=self.fill[slabs],
            wall=self.wall[slabs],
            bone=self.bone[slabs],
            outer=self.outer[slabs],
            above_mm=self.above_mm[slabs],
        )

    @property
    def depth_mm(self) -> FloatArray:
        """Depth of every sample under the outer surface of its ray; negative outside."""
        steps = np.arange(self.fill.shape[2])
        return np.asarray((self.outer[..., None] - steps) * STEP_MM, dtype=np.float32)


def turned(fan: Fan) -> Fan:
    """The same fan turned to the front by `TURN` degrees."""
    c, s = float(np.cos(np.deg2rad(TURN))), float(np.sin(np.deg2rad(TURN)))
    (lx, ly), (px, py) = fan.lateral, fan.posterior
    return replace(
        fan,
        lateral=(c * lx - s * px, c * ly - s * py),
        posterior=(c * px + s * lx, c * py + s * ly),
    )


def look_deeper(volume: CtImage, layer: Layer) -> DeepScene:
    """Sample tissue and walls along the turned rays, beneath the maximus that was found."""
    g, scene = volume.geometry, layer.scene
    fan = turned(scene.fan)
    rows, columns = fan.window
    hu = np.stack([volume.hu[s.start : s.stop, rows, columns].mean(0, dtype=np.float32) for s in scene.slabs])
    spacing = g.spacing_mm[1], g.spacing_mm[2]
    smooth = evidence.smooth(hu, spacing)
    solid = np.stack([evidence.flesh(image, spacing) for image in smooth])
    tissue = fan.to_rays(smooth, outside=-1000)
    flesh = _outermost(fan.to_rays(solid, outside=0) > 0.5)
    outer = _beneath(layer, flesh)
    muscle_hu = _medius_hu(tissue, outer, scene.above_mm, scene.muscle_hu)
    contrast = muscle_hu - evidence.FAT_HU
    inside = np.arange(tissue.shape[2]) <= flesh[..., None]
    return DeepScene(
        fan=fan,
        slab_mm=scene.slab_mm,
        fill=np.clip((tissue - evidence.FAT_HU) / contrast, 0, 1.3).astype(np.float32),
        wall=fan.to_rays(evidence.walls(hu, spacing), outside=0) / np.float32(contrast),
        bone=(tissue > muscle_hu + BONE_ABOVE_MUSCLE_HU) & inside,
        outer=outer,
        above_mm=scene.above_mm,
        muscle_hu=muscle_hu,
    )


CORE_DEGREES, CORE_ABOVE_MM, CORE_DEPTH_MM = (75.0, 100.0), (-10.0, 60.0), (4.0, 14.0)
"""Angles, heights and depths at which every medius lies; its density, often above that of the maximus, is
read there."""


def _medius_hu(
    tissue: FloatArray, outer: IntArray, above_mm: npt.NDArray[np.float64], fallback: float
) -> float:
    """Median of the medius beneath its outer surface, free of fat, vessels and bone."""
    depth = (outer[..., None] - np.arange(tissue.shape[2])) * STEP_MM
    where = _within(depth, CORE_DEPTH_MM)
    where &= _within(TURNED_DEGREES, CORE_DEGREES)[:, None]
    where &= _within(above_mm, CORE_ABOVE_MM)[:, None, None]
    values = tissue[where]
    values = values[(values > -20) & (values < 120)]
    return float(np.median(values)) if len(values) > 100 else fallback


def _within(values: npt.NDArray[np.floating], bounds: tuple[float, float]) -> BoolArray:
    return np.asarray((values >= bounds[0]) & (values <= bounds[1]), dtype=bool)


def _outermost(solid: BoolArray) -> IntArray:
    """Index of the outermost flesh on every ray; single rays that stick out are levelled."""
    outer = np.where(solid.any(2), solid.shape[2] - 1 - solid[:, :, ::-1].argmax(2), 0)
    level = ndi.median_filter(outer, (3, 9))
    return np.asarray(np.where(np.abs(outer - level) > 8 / STEP_MM, level, outer), dtype=np.int64)


def _beneath(layer: Layer, flesh: IntArray) -> IntArray:
    """The surface beneath the maximus where there is one, else the outermost flesh."""
    outer = flesh.copy()
    deep = np.floor(layer.deep_mm[:, TURN:] / STEP_MM).astype(np.int64)
    present = layer.deep_mm[:, TURN:] < layer.outer_mm[:, TURN:]
    covered = outer[:, : deep.shape[1]]
    covered[present] = np.minimum(deep, covered)[present]
    return outer
