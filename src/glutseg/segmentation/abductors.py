"""Gluteus medius and minimus beneath a gluteus maximus that was found.

In the fan of rays of the maximus, turned to the front, they are two further layers: the medius begins
where the maximus ends, or at the fat beside it, and the minimus where the medius ends.
docs/explanation/method.md tells the steps, experiments.md what was tried and how well it does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.image import CtImage
from glutseg.segmentation import evidence
from glutseg.segmentation.abductors_layers import Surfaces, find_surfaces
from glutseg.segmentation.abductors_scene import DeepScene, look_deeper
from glutseg.segmentation.abductors_usual import OTHER_BELIEFS, Belief
from glutseg.segmentation.discs import close_disc, fill_holes, open_disc
from glutseg.segmentation.layer import DOUBT_REACH_MM, Layer
from glutseg.segmentation.settings import Settings
from glutseg.segmentation.sheet import STEP_MM

BoolArray = npt.NDArray[np.bool_]
Abductor = Literal["medius", "minimus"]

_EDGE_SIGMA_MM = 0.6
_MIN_PART_MM2 = 40.0
_SHARED_MM = 1.5


@dataclass(frozen=True)
class Abductors:
    """One side's gluteus medius and minimus on the whole grid, (z, y, x) bool, never overlapping.

    ``confidence`` holds, where it was asked for, that of the minimus: the least Dice on the measured slice
    between what was found and what is found under other beliefs about what cannot be seen. For the medius
    the same figure did not tell good outlines from bad ones, so there is none.
    """

    medius: BoolArray
    minimus: BoolArray
    confidence: dict[Abductor, float] = field(default_factory=dict)


def find_abductors(
    volume: CtImage,
    layer: Layer,
    maximus: BoolArray,
    slices: range,
    *,
    measured: int | None = None,
    settings: Settings | None = None,
) -> Abductors:
    """Gluteus medius and minimus of one side.

    Parameters
    ----------
    volume : canonical, axial
    layer : the side's maximus; its slabs cover ``slices``
    maximus : (z, y, x) bool, the maximus as it was outlined; its pixels are never taken
    slices : canonical slice indices; the masks are empty elsewhere
    measured : the slice on which the outlines are to be doubted; without it there is no confidence
    settings : those of the maximus

    Returns
    -------
    Abductors
        Masks that are empty where a muscle does not reach, or was not found.
    """
    settings = settings or Settings()
    scene = look_deeper(volume, layer)
    surfaces = find_surfaces(scene, settings, Belief())
    medius, minimus = (np.zeros(volume.geometry.shape, bool) for _ in range(2))
    rows, columns = scene.fan.window
    for k in slices:
        taken = maximus[k, rows, columns]
        medius[k, rows, columns], minimus[k, rows, columns] = _outlines(
            volume, layer, scene, surfaces, taken, k
        )
    confidence = _confidence(layer, scene, surfaces, settings, measured) if measured is not None else {}
    return Abductors(medius, minimus, confidence)


def _outlines(
    volume: CtImage, layer: Layer, scene: DeepScene, surfaces: Surfaces, taken: BoolArray, k: int
) -> tuple[BoolArray, BoolArray]:
    """Medius and minimus on one slice within the turned fan's window, (y, x) bool."""
    rows, columns = scene.fan.window
    spacing_mm = volume.geometry.spacing_mm[1:]
    sigma = [_EDGE_SIGMA_MM / s for s in spacing_mm]
    image = ndi.gaussian_filter(volume.hu[k, rows, columns].astype(np.float32), sigma)
    lean = image > evidence.edge_hu(scene.muscle_hu)
    flesh = close_disc(lean, evidence.PLANE_MM, spacing_mm)
    outer = layer.at_slice((scene.outer * STEP_MM).astype(np.float32), k)
    deep, roof, low = (
        layer.at_slice(s, k) for s in (surfaces.medius_mm, surfaces.roof_mm, surfaces.minimus_mm)
    )
    medius = _outline(scene.fan.between(deep, outer + _SHARED_MM) & ~taken, flesh, spacing_mm)
    minimus = _outline(scene.fan.between(low, np.minimum(roof, deep)) & ~taken & ~medius, flesh, spacing_mm)
    return medius, minimus


def _outline(between: BoolArray, flesh: BoolArray, spacing_mm: tuple[float, float]) -> BoolArray:
    """The muscle between two surfaces: flesh, closed over fat streaks, without spurs and crumbs."""
    closed = close_disc(flesh & between, evidence.STREAK_MM, spacing_mm) & between
    opened = open_disc(closed, evidence.SPUR_MM, spacing_mm)
    labels, n = ndi.label(opened)
    sizes = np.bincount(labels.ravel(), minlength=n + 1) * spacing_mm[0] * spacing_mm[1]
    sizes[0] = 0
    kept = np.isin(labels, np.flatnonzero(sizes >= _MIN_PART_MM2))
    return np.asarray(fill_holes(kept) & between, dtype=bool)


def _confidence(
    layer: Layer, scene: DeepScene, found: Surfaces, settings: Settings, measured: int
) -> dict[Abductor, float]:
    """Least Dice on the measured slice between the minimus that was found and what other beliefs find."""
    at = round(layer.slab_of(measured))
    reach = max(1, round(DOUBT_REACH_MM / scene.slab_mm))
    near = slice(max(0, at - reach), at + reach + 1)
    part = scene.part(near)
    own = _minimus_section(scene, found, at)
    least = 1.0
    for belief in OTHER_BELIEFS:
        other = _minimus_section(part, find_surfaces(part, settings, belief), at - near.start)
        both = float(((own & other) * scene.fan.radii_mm).sum())
        total = float((own * scene.fan.radii_mm).sum() + (other * scene.fan.radii_mm).sum())
        least = min(least, 2 * both / total if total else 0.0)
    return {"minimus": least}


def _minimus_section(scene: DeepScene, surfaces: Surfaces, slab: int) -> BoolArray:
    """The minimus on one slab, (angle, radius) bool."""
    radius = scene.fan.radii_mm
    low = surfaces.minimus_mm[slab][:, None]
    roof = np.minimum(surfaces.medius_mm[slab], surfaces.roof_mm[slab])[:, None]
    return np.asarray((scene.fill[slab] > 0.5) & (radius > low) & (radius <= roof), dtype=bool)
