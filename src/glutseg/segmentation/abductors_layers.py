"""Deep surfaces of gluteus medius and minimus as two minimum cuts, one beneath the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glutseg.segmentation.abductors_scene import MAX_DEPTH_MM, TURNED_DEGREES, DeepScene
from glutseg.segmentation.abductors_usual import Belief, Usual, usual_medius, usual_minimus
from glutseg.segmentation.settings import Settings
from glutseg.segmentation.sheet import STEP_MM
from glutseg.segmentation.surface import Problem, minimum_cut

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

BONE_MARGIN_MM = 10.0
"""So far behind bone the cut looks, so that a border next to bone costs what it does elsewhere."""
SEED_MM = 4.0
"""The outermost part of a muscle that is a seed where it is usually thicker than `SEED_ABOVE_MM`."""
SEED_ABOVE_MM = 10.0
SEED_ENDS = 0.9
BEYOND_ENDS = 1.5
"""No muscle reaches further beyond its usual ends than this, in units of `Usual.ends`."""
USUAL_WEIGHT = 0.1
"""Cost per mm³ beyond what is usual, and gain within: twice that of the maximus, whose walls show better."""
SLOPE_MM = 10.0
"""So far from the usual depth the whole weight counts."""
ON_BONE_MM = 4.0
"""A muscle that ends so near to bone without fat between lies on it."""


@dataclass(frozen=True)
class Surfaces:
    """Radii in mm, (slab, angle): the medius lies between ``medius`` and the scene's outer surface, the
    minimus between ``minimus`` and ``roof``."""

    medius_mm: FloatArray
    roof_mm: FloatArray
    minimus_mm: FloatArray


def find_surfaces(scene: DeepScene, settings: Settings, belief: Belief) -> Surfaces:
    """First the medius beneath the maximus and the fat, then the minimus beneath the medius."""
    cost = _border_cost(scene, settings)
    depth = scene.depth_mm
    begun = _Begun(depth, depth, fat_price=settings.fat_price)
    medius = _cut(scene, cost, begun, usual_medius(scene, belief), settings)
    beneath = _deep(scene, medius, scene.outer)
    roof = _carried_on(np.asarray(medius.any(2)), beneath, scene.outer)
    under = (roof[..., None] - np.arange(depth.shape[2])) * STEP_MM
    flesh = ((under >= 0) & (scene.fill > 0.5))[..., ::-1].cumsum(2)[..., ::-1] * STEP_MM
    # pockets of fat lie between the two muscles: they cost nothing and do not count as thickness
    begun = _Begun(under, flesh, fat_price=0.0)
    minimus = _cut(scene, cost, begun, usual_minimus(scene, roof, belief), settings)
    low = _deep(scene, minimus, roof)
    half = STEP_MM / 2
    surfaces = ((index * STEP_MM + half).astype(np.float32) for index in (beneath, roof, low))
    return Surfaces(*surfaces)


def _border_cost(scene: DeepScene, settings: Settings) -> FloatArray:
    """Per mm²: 1 in even tissue, falling to the floor on dark lines and in fat."""
    dark = np.clip(1 - scene.fill, 0, None) / settings.wall_darkness
    seen = np.maximum(np.clip(scene.wall, 0, None) / settings.wall_contrast, dark)
    even = np.exp(-(np.minimum(seen, 10) ** settings.wall_sharpness))
    return np.asarray(settings.wall_floor + (1 - settings.wall_floor) * even, dtype=np.float32)


@dataclass(frozen=True)
class _Begun:
    """A layer of which only the upper surface is known.

    ``depth_mm`` counts from there; ``thickness_mm`` is what the layer would be thick if it ended at a
    sample, to be compared with what is usual.
    """

    depth_mm: npt.NDArray[np.floating]
    thickness_mm: npt.NDArray[np.floating]
    fat_price: float


def _cut(scene: DeepScene, cost: FloatArray, begun: _Begun, usual: Usual, settings: Settings) -> BoolArray:
    """The samples of a layer, (slab, angle, radius)."""
    depth_mm, fill = begun.depth_mm, scene.fill
    steps = np.arange(scene.fill.shape[2])
    inside = (depth_mm >= 0) & (depth_mm <= MAX_DEPTH_MM) & (usual.ends > -BEYOND_ENDS)[..., None]
    inside &= steps >= (scene.floor[..., None] - BONE_MARGIN_MM / STEP_MM)
    room = (usual.thickness_mm[..., None] - begun.thickness_mm) / SLOPE_MM
    room = np.clip(np.minimum(room, usual.ends[..., None]), -1, 1)
    sure = (usual.ends > SEED_ENDS) & (usual.thickness_mm > SEED_ABOVE_MM)
    seeds = inside & sure[..., None] & (depth_mm <= SEED_MM) & ~scene.bone
    edge = (usual.ends < 0.1 - BEYOND_ENDS)[..., None]
    other = inside & (scene.bone | edge | (depth_mm > MAX_DEPTH_MM - STEP_MM))
    darkness = 1 - 2 * np.minimum(fill, 1)  # 1 in fat, -1 in muscle
    preference = np.where(darkness > 0, begun.fat_price, settings.fat_price) * darkness
    preference -= USUAL_WEIGHT * room * (fill > 0.5)
    problem = Problem(
        inside,
        cost,
        preference.astype(np.float32),
        seeds,
        other,
        radii_mm=scene.fan.radii_mm,
        angle_step_rad=float(np.deg2rad(TURNED_DEGREES[1] - TURNED_DEGREES[0])),
        slice_mm=scene.slab_mm,
    )
    return minimum_cut(problem)


def _deep(scene: DeepScene, layer: BoolArray, outer: IntArray) -> IntArray:
    """Index of the last sample beneath a layer; the bone where that is near and no fat lies between."""
    present = layer.any(2)
    deep = np.where(present, layer.argmax(2) - 1, outer)
    near = present & (scene.floor >= 0) & (deep - scene.floor <= ON_BONE_MM / STEP_MM)
    steps = np.arange(layer.shape[2])
    between = (steps > scene.floor[..., None]) & (steps <= deep[..., None])
    fat = (between & (scene.fill < 0.5)).any(2)
    return np.asarray(np.where(near & ~fat, scene.floor, deep), dtype=np.int64)


def _carried_on(present: BoolArray, beneath: IntArray, outer: IntArray) -> IntArray:
    """The medius' deep surface carried on at the same radius beyond its two ends: the minimus reaches a
    little further than the medius over it, but never to the fat or to another muscle's place."""
    out = beneath.copy()
    for k, ray in enumerate(present):
        if ray.any():
            first, last = int(ray.argmax()), len(ray) - 1 - int(ray[::-1].argmax())
            out[k, :first] = np.minimum(outer[k, :first], beneath[k, first])
            out[k, last + 1 :] = np.minimum(outer[k, last + 1 :], beneath[k, last])
    return out
