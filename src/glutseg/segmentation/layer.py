"""The gluteus maximus of one side as a layer between two surfaces in the fan of rays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy import Anatomy
from glutseg.result import Side
from glutseg.segmentation import evidence
from glutseg.segmentation.settings import USUAL, Settings, other_beliefs
from glutseg.segmentation.sheet import ANGLES_DEGREES, STEP_MM, Fan
from glutseg.segmentation.surface import minimum_cut
from glutseg.volume import Volume

BONE_ABOVE_MUSCLE_HU = 90
"""Cortical bone blurred over a pixel still stands this far above muscle."""
CORE_DEGREES = (-3.0, 32.0)
"""Rays whose outer layer is gluteus maximus at most heights: its density is read there."""
FULL_THICKNESS_MM = 32.0
BONE_MARGIN_MM = 20.0
DOUBT_REACH_MM = 20.0
"""How far from the measured slice the border is sought again under other beliefs: with less of the
neighbourhood to lean on, it is also a little more easily moved."""

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


@dataclass(frozen=True)
class Layer:
    """One side's muscle: radii in mm, (slab, angle).

    ``others_mm`` are deep surfaces under other beliefs about what cannot be seen. ``visible`` tells
    where the deep border runs along a wall; it is False where there is no muscle.
    """

    scene: Scene
    deep_mm: FloatArray
    outer_mm: FloatArray
    others_mm: tuple[FloatArray, ...]
    visible: BoolArray

    def slab_of(self, k: int) -> float:
        """Position of slice ``k`` among the slabs."""
        middles = [(s.start + s.stop - 1) / 2 for s in self.scene.slabs]
        return float(np.interp(k, middles, np.arange(len(middles))))

    def at_slice(self, surface_mm: FloatArray, k: int) -> npt.NDArray[np.float64]:
        """A surface's radius per angle at slice ``k``, interpolated between slabs."""
        at = self.slab_of(k)
        low = int(at)
        high = min(low + 1, len(surface_mm) - 1)
        share = at - low
        return np.asarray((1 - share) * surface_mm[low] + share * surface_mm[high], dtype=np.float64)

    def agreement(self, k: int) -> float:
        """Least Dice between this layer and those under other beliefs, at slice ``k``."""
        own = self._section(self.deep_mm, k)
        least = 1.0
        for other_mm in self.others_mm:
            other = self._section(other_mm, k)
            both = np.minimum(own, other).sum()
            total = own.sum() + other.sum()
            least = min(least, float(2 * both / total) if total else 0.0)
        return least

    def visible_share(self, k: int) -> float:
        """Share of the deep border, by length, that runs along a visible wall at slice ``k``."""
        i = round(self.slab_of(k))
        present = self.deep_mm[i] < self.outer_mm[i]
        radius = self.deep_mm[i]
        length = np.hypot(radius * np.deg2rad(1.0), np.gradient(radius))
        total = length[present].sum()
        return float(length[present & self.visible[i]].sum() / total) if total else 0.0

    def _section(self, deep_mm: FloatArray, k: int) -> npt.NDArray[np.float64]:
        """Area per ray: a ray's sector between the two surfaces."""
        deep, outer = self.at_slice(deep_mm, k), self.at_slice(self.outer_mm, k)
        return np.clip(outer**2 - deep**2, 0, None)


def find_layer(
    volume: Volume,
    anatomy: Anatomy,
    side: Side,
    slices: range,
    settings: Settings,
    *,
    doubt_at: int | None = None,
) -> Layer:
    """Outer and deep surface of one side's muscle, around the hips and wherever ``slices`` reach.

    Near the slice ``doubt_at`` the deep surfaces under other beliefs are found as well.
    """
    scene = look(volume, anatomy, side, slices, settings)
    cost = _border_cost(scene, settings)
    deep = _deep_surface(scene, cost, settings)
    others = []
    if doubt_at is not None:
        near = _near(scene, doubt_at, DOUBT_REACH_MM / volume.geometry.spacing_mm[0])
        for belief in other_beliefs(settings):
            other = deep.copy()
            other[near] = _deep_surface(scene.part(near), cost[near], belief)
            others.append(other)
    here = np.clip(np.floor(deep / STEP_MM).astype(int), 0, cost.shape[2] - 1)
    at_border = np.take_along_axis(cost, here[..., None], 2)[..., 0]
    outer_mm = (scene.outer * STEP_MM).astype(np.float32)
    return Layer(scene, deep, outer_mm, tuple(others), (at_border < 0.5) & (deep < outer_mm))


def _near(scene: Scene, middle: float, reach: float) -> slice:
    """Slabs within ``reach`` slices of a slice; at least the nearest one."""
    distance = np.array([abs((s.start + s.stop - 1) / 2 - middle) for s in scene.slabs])
    kept = np.flatnonzero(distance <= max(reach, distance.min()))
    return slice(int(kept[0]), int(kept[-1]) + 1)


def look(volume: Volume, anatomy: Anatomy, side: Side, slices: range, settings: Settings) -> Scene:
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
    muscle_hu = _muscle_hu(tissue, (depth >= 3) & (depth <= 10) & _between(CORE_DEGREES)[:, None])
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


def _between(degrees: tuple[float, float]) -> BoolArray:
    return np.asarray((degrees[0] <= ANGLES_DEGREES) & (degrees[1] >= ANGLES_DEGREES), dtype=bool)


def _slabs(volume: Volume, anatomy: Anatomy, slices: range, settings: Settings) -> tuple[range, ...]:
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


def _border_cost(scene: Scene, settings: Settings) -> FloatArray:
    """Per mm²: 1 in even tissue, falling to the floor on dark lines and in fat."""
    dark = np.clip(1 - scene.fill, 0, None) / settings.wall_darkness
    seen = np.maximum(np.clip(scene.wall, 0, None) / settings.wall_contrast, dark)
    floor = settings.wall_floor
    even = np.exp(-(np.minimum(seen, 10) ** settings.wall_sharpness))
    return np.asarray(floor + (1 - floor) * even, dtype=np.float32)


def _deep_surface(scene: Scene, cost: FloatArray, settings: Settings) -> FloatArray:
    """Radius of the deep surface in mm, (slab, angle); just outside the outer one where there is none."""
    depth = scene.depth_mm
    fan = _between((ANGLES_DEGREES[0], settings.beyond_degrees))[:, None]
    inside = fan & (depth >= 0) & (depth <= settings.depth_mm) & ~_behind_bone(scene)
    seeds = inside & _seed_rays(scene)[..., None] & (depth <= settings.seed_mm) & ~scene.bone
    edge = ~_between((ANGLES_DEGREES[0] + 5, settings.beyond_degrees - 1))[:, None]
    other = inside & (scene.bone | edge | (depth > settings.depth_mm - STEP_MM))
    muscle = minimum_cut(
        inside,
        cost,
        _preference(scene, depth, cost, seeds, settings),
        seeds,
        other,
        across_rays=settings.across_rays,
        radii_mm=scene.fan.radii_mm,
        angle_step_rad=float(np.deg2rad(ANGLES_DEGREES[1] - ANGLES_DEGREES[0])),
        slice_mm=scene.slab_mm,
    )
    deep = np.where(muscle.any(2), muscle.argmax(2), scene.outer + 1)
    return ((deep - 0.5) * STEP_MM).astype(np.float32)


def _behind_bone(scene: Scene) -> BoolArray:
    """Samples deeper than the outermost bone of their ray: never muscle, so never looked at, but for a
    margin that makes a border next to bone cost what it does elsewhere."""
    outermost = scene.bone.shape[2] - 1 - scene.bone[:, :, ::-1].argmax(2)
    first = np.where(scene.bone.any(2), outermost, -1)
    return np.asarray(
        np.arange(scene.bone.shape[2]) < first[..., None] - BONE_MARGIN_MM / STEP_MM, dtype=bool
    )


def _preference(
    scene: Scene, depth_mm: FloatArray, cost: FloatArray, seeds: BoolArray, settings: Settings
) -> FloatArray:
    """Per mm³, positive where a node is rather not gluteus maximus: fat, walls beyond what this
    patient's muscle has inside, and depths beyond what is usual at this angle and height."""
    room = np.clip((_expected_mm(scene, settings.belief)[..., None] - depth_mm) / FULL_THICKNESS_MM, -1, 1)
    inside_walls = float((1 - cost)[seeds].mean()) if seeds.any() else 0.0
    fill = scene.fill
    price = settings.fat_price * (1 - 2 * np.minimum(fill, 1))
    price -= settings.thickness_weight * room * (fill > 0.5)
    price += settings.wall_price * ((1 - cost) - inside_walls) * ((fill > 0.25) & (fill < 1.2))
    return np.asarray(price, dtype=np.float32)


LATERAL_SHIFT_DEGREES = 60.0
"""A muscle believed to be larger also reaches further forward: so much for twice the size."""


def _expected_mm(scene: Scene, belief: float) -> npt.NDArray[Any]:
    """Usual thickness along the rays, (slab, angle); zero or less where there should be none."""
    thickness = _usual(scene, [u.thickness_mm for u in USUAL])
    medial = [_usual(scene, [u.medial[i] for u in USUAL]) for i in range(3)]
    shift = LATERAL_SHIFT_DEGREES * (belief - 1)
    first = _usual(scene, [u.lateral[0] for u in USUAL]) + shift * 2 / 3
    last = _usual(scene, [u.lateral[1] for u in USUAL]) + shift
    knots = np.stack([*medial, first, last, last + 50], axis=1)
    shape = np.stack([np.interp(ANGLES_DEGREES, k, [0, 0.5, 1, 1, 0, -1]) for k in knots])
    full = (thickness * belief)[:, None]
    return np.where(full > 0, full * shape, full)


def _seed_rays(scene: Scene) -> BoolArray:
    """Rays (slab, angle) that every muscle lies on."""
    first = _usual(scene, [u.seed[0] for u in USUAL])[:, None]
    last = _usual(scene, [u.seed[1] for u in USUAL])[:, None]
    return np.asarray((first <= ANGLES_DEGREES) & (last >= ANGLES_DEGREES), dtype=bool)


def _usual(scene: Scene, values: list[float]) -> npt.NDArray[np.float64]:
    """Values of `USUAL` at the height of every slab."""
    return np.interp(scene.above_mm, [u.above_mm for u in USUAL], values)
