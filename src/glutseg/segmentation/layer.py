"""The gluteus maximus of one side as a layer between two surfaces in the fan of rays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from glutseg.anatomy import Anatomy
from glutseg.image import CtImage, Side
from glutseg.segmentation.narrowing import Band, find_band, near_cut
from glutseg.segmentation.scene import Scene, between, look
from glutseg.segmentation.settings import USUAL, Settings, other_beliefs
from glutseg.segmentation.sheet import ANGLES_DEGREES, STEP_MM
from glutseg.segmentation.surface import Problem

FULL_THICKNESS_MM = 32.0
BONE_MARGIN_MM = 20.0
DOUBT_REACH_MM = 20.0
"""How far from the measured slice the border is sought again under other beliefs: with less of the
neighbourhood to lean on, it is also a little more easily moved."""

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


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
    volume: CtImage,
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
    plain = _plainness(scene, cost, settings)
    main = replace(settings, plain=plain)
    problem = _problem(scene, cost, main)
    band = find_band(problem)
    deep = _deep_surface(scene, problem, band)
    others = []
    if doubt_at is not None:
        near = _near(scene, doubt_at, DOUBT_REACH_MM / volume.geometry.spacing_mm[0])
        for belief in other_beliefs(settings, plain):
            other = deep.copy()
            there = None if band is None else band.part(near)
            part = scene.part(near)
            other[near] = _deep_surface(part, _problem(part, cost[near], belief), there)
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


def _border_cost(scene: Scene, settings: Settings) -> FloatArray:
    """Per mm²: 1 in even tissue, falling to the floor on dark lines and in fat."""
    dark = np.clip(1 - scene.fill, 0, None) / settings.wall_darkness
    seen = np.maximum(np.clip(scene.wall, 0, None) / settings.wall_contrast, dark)
    floor = settings.wall_floor
    even = np.exp(-(np.minimum(seen, 10) ** settings.wall_sharpness))
    return np.asarray(floor + (1 - floor) * even, dtype=np.float32)


def _deep_surface(scene: Scene, problem: Problem, band: Band | None) -> FloatArray:
    """Radius of the deep surface in mm, (slab, angle); just outside the outer one where there is none."""
    muscle = near_cut(problem, band)
    deep = np.where(muscle.any(2), muscle.argmax(2), scene.outer + 1)
    return ((deep - 0.5) * STEP_MM).astype(np.float32)


def _problem(scene: Scene, cost: FloatArray, settings: Settings) -> Problem:
    """What the deep surface is cut out of."""
    depth = scene.depth_mm
    fan = between((ANGLES_DEGREES[0], settings.beyond_degrees))[:, None]
    inside = fan & (depth >= 0) & (depth <= settings.depth_mm) & ~_behind_bone(scene)
    seeds = inside & _seeds(scene, settings)
    edge = ~between((ANGLES_DEGREES[0] + 5, settings.beyond_degrees - 1))[:, None]
    other = inside & (scene.bone | edge | (depth > settings.depth_mm - STEP_MM))
    plain = _plainness(scene, cost, settings)
    return Problem(
        inside,
        cost,
        _preference(scene, depth, cost, plain, settings),
        seeds,
        other,
        radii_mm=scene.fan.radii_mm,
        angle_step_rad=float(np.deg2rad(ANGLES_DEGREES[1] - ANGLES_DEGREES[0])),
        slice_mm=scene.slab_mm,
        across_rays=float(np.interp(plain, [0, 1], settings.across_rays[::-1])),
    )


def _seeds(scene: Scene, settings: Settings) -> BoolArray:
    """The outermost layer where every muscle lies."""
    depth = scene.depth_mm
    return _seed_rays(scene)[..., None] & (depth >= 0) & (depth <= settings.seed_mm) & ~scene.bone


def _inside_walls(scene: Scene, cost: FloatArray, settings: Settings) -> float:
    """How much of this muscle is walls, that is fat streaks and noise."""
    seeds = _seeds(scene, settings)
    return float((1 - cost)[seeds].mean()) if seeds.any() else 0.0


def _plainness(scene: Scene, cost: FloatArray, settings: Settings) -> float:
    """From 1, a muscle with hardly a streak, to 0, one full of them; or what is believed."""
    if settings.plain is not None:
        return settings.plain
    return float(np.interp(_inside_walls(scene, cost, settings), settings.streaky_share, [1.0, 0.0]))


def _behind_bone(scene: Scene) -> BoolArray:
    """Samples deeper than the outermost bone of their ray: never muscle, so never looked at, but for a
    margin that makes a border next to bone cost what it does elsewhere."""
    outermost = scene.bone.shape[2] - 1 - scene.bone[:, :, ::-1].argmax(2)
    first = np.where(scene.bone.any(2), outermost, -1)
    return np.asarray(
        np.arange(scene.bone.shape[2]) < first[..., None] - BONE_MARGIN_MM / STEP_MM, dtype=bool
    )


def _preference(
    scene: Scene, depth_mm: FloatArray, cost: FloatArray, plain: float, settings: Settings
) -> FloatArray:
    """Per mm³, positive where a node is rather not gluteus maximus: fat, depths beyond what is usual at
    this angle and height, and, as far as the muscle is plain, walls beyond what it has inside."""
    room = np.clip((_expected_mm(scene, settings.belief)[..., None] - depth_mm) / FULL_THICKNESS_MM, -1, 1)
    price = settings.fat_price * (1 - 2 * np.minimum(scene.fill, 1))
    price -= settings.thickness_weight * room * (scene.fill > 0.5)
    between_muscles = (scene.fill > 0.25) & (scene.fill < 1.2)
    further_walls = (1 - cost) - _inside_walls(scene, cost, settings)
    price += settings.wall_price * plain * further_walls * between_muscles
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
