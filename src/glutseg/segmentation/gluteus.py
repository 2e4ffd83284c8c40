"""The gluteus maximus of both sides: thresholds, seeds, growing regions, outline.

docs/method.md tells the steps with pictures, what was tried and how well it does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy import Anatomy, Level
from glutseg.errors import Flag, GlutsegError
from glutseg.protocol import LevelRule
from glutseg.result import Side
from glutseg.segmentation import evidence
from glutseg.segmentation.sheet import ANGLES_DEGREES, STEP_MM, Fan
from glutseg.segmentation.surface import minimum_cut
from glutseg.volume import SIDES, Mask, Volume

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

PEAK_SEARCH_MM = (90.0, 45.0)
"""The peak lies up to 42 mm below the heads' tops in the cases of research (and 3 mm above)."""


@dataclass(frozen=True)
class Settings:
    """Constants of the method; lengths in mm, angles in degrees of the fan.

    Chosen on rendered and real cases, see docs/method.md for how the result depends on them.
    """

    slab_mm: float = 3.0
    """Thinner slices are averaged to about this for the cut: less noise, same anatomy."""
    context_mm: float = 45.0
    """The cut looks this far above and below the femoral heads' tops, whatever is asked for: a wall
    that is invisible in one slice shows in its neighbours."""
    depth_mm: float = 75.0
    """No gluteus maximus is thicker than this along a ray."""
    wall_contrast: float = 0.06
    """Strength of a wall, as a share of the muscle-to-fat difference, that counts as one."""
    wall_darkness: float = 0.45
    """Darkness, as a share of the same difference, that counts as fat."""
    wall_sharpness: float = 4.0
    wall_floor: float = 0.03
    """Cost of the border on a perfect wall, in even tissue it is 1."""
    seed_mm: float = 6.0
    """The outermost layer of the muscle that is a seed..."""
    seed_degrees: tuple[float, float] = (-3.0, 32.0)
    """...between these angles, where every gluteus maximus lies."""
    beyond_degrees: float = 112.0
    """No gluteus maximus reaches so far forward."""
    fat_price: float = 0.02
    wall_price: float = 0.05
    thickness_weight: float = 0.04
    thickness_mm: tuple[float, float] = (32.0, 16.0)
    """Expected at and below the heads' tops, and 60 mm above."""
    lateral_degrees: tuple[float, float] = (53.0, 105.0)
    """The muscle is expected to thin out between these angles..."""
    retreat_degrees: float = 25.0
    """...which lie so much further back 40 mm above the heads."""
    medial_degrees: float = -25.0
    across_rays: float = 2.0


@dataclass(frozen=True)
class Layer:
    """One side's muscle in the fan: radii in mm, (slab, angle)."""

    fan: Fan
    slabs: tuple[range, ...]
    deep_mm: FloatArray
    outer_mm: FloatArray
    border_cost: FloatArray
    """Mean cost of the deep border per slab, angle: small where it runs along a visible wall."""
    muscle_hu: float

    def surfaces_at(self, k: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """(deep, outer) radius per angle at slice ``k``, interpolated between slabs."""
        middles = [(s.start + s.stop - 1) / 2 for s in self.slabs]
        at = float(np.interp(k, middles, np.arange(len(middles))))
        low = int(at)
        high = min(low + 1, len(middles) - 1)
        share = at - low
        deep = (1 - share) * self.deep_mm[low] + share * self.deep_mm[high]
        outer = (1 - share) * self.outer_mm[low] + share * self.outer_mm[high]
        return deep, outer


@dataclass(frozen=True)
class Segmentation:
    """Left (1) and right (2) gluteus maximus in canonical order, and what was noticed.

    ``confidence`` is the share of each side's border to other muscle that lies on a visible wall.
    """

    mask: Mask
    confidence: dict[Side, float]
    flags: tuple[Flag, ...] = ()


def segment(
    volume: Volume,
    anatomy: Anatomy,
    slices: range,
    settings: Settings = Settings(),
) -> Segmentation:
    """Both muscles on the slices asked for.

    Parameters
    ----------
    volume : canonical, axial
    anatomy : of the same volume
    slices : canonical slice indices; the mask is empty elsewhere

    Raises
    ------
    GlutsegError
        ``muscle-not-found`` when a side has no muscle behind the hip.
    """
    labels = np.zeros(volume.geometry.shape, np.uint8)
    confidence: dict[Side, float] = {}
    for side, label in SIDES.items():
        layer = find_layer(volume, anatomy, side, slices, settings)
        rows, columns = layer.fan.window
        for k in slices:
            drawn = outline(volume, layer, k)
            part = labels[k, rows, columns]
            part[drawn & (part == 0)] = label
        confidence[side] = _visible_share(layer)
        if not (labels == label).any():
            raise GlutsegError("muscle-not-found", f"no muscle was found behind the {side} hip")
    return Segmentation(Mask(labels, volume.geometry), confidence)


def peak_level(
    volume: Volume,
    anatomy: Anatomy,
    rule: LevelRule,
    settings: Settings = Settings(),
) -> Level:
    """The slice with the largest mean area of the two sides, smoothed over about 9 mm.

    Searched from 90 mm below the femoral heads' tops to 45 mm above, as far as the series goes.

    Raises
    ------
    GlutsegError
        ``muscle-not-found``; ``level-outside`` when the area still grows at the series' end.
    """
    g = volume.geometry
    top = anatomy.hips.top_mm
    low = max(0, g.nearest_slice(top - PEAK_SEARCH_MM[0]))
    high = min(g.shape[0] - 1, g.nearest_slice(top + PEAK_SEARCH_MM[1]))
    mask = segment(volume, anatomy, range(low, high + 1), settings).mask
    areas = np.count_nonzero(mask.labels[low : high + 1], axis=(1, 2)) * g.pixel_area_mm2 / 2
    width = max(1, round(9 / g.spacing_mm[0]) // 2 * 2 + 1)
    k = low + int(ndi.uniform_filter1d(areas, width, mode="nearest").argmax())
    if k in (0, g.shape[0] - 1):
        raise GlutsegError("level-outside", "the area still grows at the end of the series")
    k += round(rule.offset_mm / g.spacing_mm[0])
    if not 0 <= k < g.shape[0]:
        raise GlutsegError("level-outside", f"{rule.offset_mm} mm from the peak lies outside the series")
    return Level("peak-area", k, g.slice_z_mm(k), {})


def find_layer(volume: Volume, anatomy: Anatomy, side: Side, slices: range, settings: Settings) -> Layer:
    """Outer and deep surface of one side's muscle around the hips."""
    fan = Fan.of(anatomy.hips, side, volume.geometry)
    slabs = _slabs(volume, anatomy, slices, settings)
    rows, columns = fan.window
    hu = np.stack([volume.hu[s.start : s.stop, rows, columns].mean(0, dtype=np.float32) for s in slabs])
    spacing = volume.geometry.spacing_mm[1], volume.geometry.spacing_mm[2]
    smooth = evidence.smooth(hu, spacing)
    solid = np.stack([evidence.flesh(image, spacing[0]) for image in smooth])
    wall = fan.to_rays(evidence.walls(hu, spacing), outside=0)
    tissue = fan.to_rays(smooth, outside=-1000)
    outer = _outer_surface(fan.to_rays(solid, outside=0) > 0.5)

    steps = np.arange(tissue.shape[2])
    depth_mm = (outer[..., None] - steps) * STEP_MM
    inside = (depth_mm >= 0) & (depth_mm <= settings.depth_mm)
    core = (ANGLES_DEGREES >= settings.seed_degrees[0]) & (ANGLES_DEGREES <= settings.seed_degrees[1])
    muscle_hu = _muscle_hu(tissue, (depth_mm >= 3) & (depth_mm <= 10) & core[None, :, None])
    contrast = muscle_hu - evidence.FAT_HU
    fill = np.clip((tissue - evidence.FAT_HU) / contrast, 0, 1.3)
    cost = _border_cost(wall / contrast, fill, settings)

    bone = tissue > muscle_hu + 90
    seeds = inside & core[None, :, None] & (depth_mm <= settings.seed_mm) & ~bone
    beyond = (ANGLES_DEGREES > settings.beyond_degrees) | (ANGLES_DEGREES < ANGLES_DEGREES[0] + 5)
    other = inside & (bone | beyond[None, :, None] | (depth_mm > settings.depth_mm - STEP_MM))
    preference = _preference(volume, anatomy, slabs, depth_mm, fill, cost, seeds, settings)
    slice_mm = volume.geometry.spacing_mm[0] * len(slabs[0])
    muscle = minimum_cut(
        inside, cost, preference, seeds, other, across_rays=settings.across_rays,
        radii_mm=fan.radii_mm,
        angle_step_rad=float(np.deg2rad(ANGLES_DEGREES[1] - ANGLES_DEGREES[0])),
        slice_mm=slice_mm,
    )  # fmt: skip
    deep = np.where(muscle.any(2), muscle.argmax(2), outer + 1)
    at_border = np.take_along_axis(cost, np.clip(deep - 1, 0, None)[..., None], 2)[..., 0]
    return Layer(
        fan=fan,
        slabs=slabs,
        deep_mm=((deep - 0.5) * STEP_MM).astype(np.float32),
        outer_mm=(outer * STEP_MM).astype(np.float32),
        border_cost=np.where(muscle.any(2), at_border, np.nan).astype(np.float32),
        muscle_hu=muscle_hu,
    )


def _slabs(volume: Volume, anatomy: Anatomy, slices: range, settings: Settings) -> tuple[range, ...]:
    """Groups of slices that the cut treats as one."""
    g = volume.geometry
    top = anatomy.hips.top_mm
    first = min(g.nearest_slice(top - settings.context_mm), slices.start)
    last = max(g.nearest_slice(top + settings.context_mm), slices.stop - 1)
    first, last = max(0, first), min(g.shape[0] - 1, last)
    n = max(1, round(settings.slab_mm / g.spacing_mm[0])) if g.spacing_mm[0] < settings.slab_mm / 1.5 else 1
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


def _border_cost(wall: FloatArray, fill: FloatArray, settings: Settings) -> FloatArray:
    """Per mm²: 1 in even tissue, falling to the floor on dark lines and in fat."""
    seen = np.maximum(
        np.clip(wall, 0, None) / settings.wall_contrast, np.clip(1 - fill, 0, None) / settings.wall_darkness
    )
    floor = settings.wall_floor
    return np.asarray(floor + (1 - floor) * np.exp(-(seen**settings.wall_sharpness)), dtype=np.float32)


def _preference(
    volume: Volume,
    anatomy: Anatomy,
    slabs: tuple[range, ...],
    depth_mm: npt.NDArray[np.float64],
    fill: FloatArray,
    cost: FloatArray,
    seeds: BoolArray,
    settings: Settings,
) -> FloatArray:
    """Per mm³, positive where a node is rather not gluteus maximus: fat, walls beyond what this
    patient's muscle has inside, and depths beyond what is usual at this angle and height."""
    g = volume.geometry
    above = np.array([g.slice_z_mm((s.start + s.stop - 1) / 2) for s in slabs]) - anatomy.hips.top_mm
    thickness = np.interp(above, [0, 60], settings.thickness_mm)
    retreat = np.interp(above, [-40, 40], [-0.4, 1.0]) * settings.retreat_degrees
    first, last = settings.lateral_degrees
    expected = np.stack([
        t * np.interp(
            ANGLES_DEGREES,
            [-60, settings.medial_degrees, 0, first - r, last - r, 150],
            [0, 0.5, 1, 1, 0, -1],
        )
        for t, r in zip(thickness, retreat, strict=True)
    ])  # fmt: skip
    room = np.clip((expected[..., None] - depth_mm) / settings.thickness_mm[0], -1, 1)
    inside_walls = float((1 - cost)[seeds].mean()) if seeds.any() else 0.0
    price = settings.fat_price * (1 - 2 * np.minimum(fill, 1))
    price -= settings.thickness_weight * room * (fill > 0.5)
    price += settings.wall_price * ((1 - cost) - inside_walls) * ((fill > 0.25) & (fill < 1.2))
    return np.asarray(price, dtype=np.float32)


def outline(volume: Volume, layer: Layer, k: int) -> BoolArray:
    """The muscle on one slice within the fan's window: (y, x) bool.

    Between the two surfaces, everything above half way between fat and muscle, closed over fat
    streaks, so that the border is the fascia.
    """
    deep, outer = layer.surfaces_at(k)
    between = layer.fan.between(deep, outer + 1.5)
    rows, columns = layer.fan.window
    pixel_mm = volume.geometry.spacing_mm[1]
    image = ndi.gaussian_filter(volume.hu[k, rows, columns].astype(np.float32), 0.6 / pixel_mm)
    edge_hu = evidence.MUSCLE_EDGE_HU if layer.muscle_hu > 30 else evidence.MUSCLE_EDGE_HU - 10
    # a thin plane of fat belongs by halves to the muscles on its two sides
    lean = evidence.close_disc(image > edge_hu, evidence.PLANE_MM / pixel_mm) & between
    closed = evidence.close_disc(lean, evidence.STREAK_MM / pixel_mm) & between
    opened = evidence.open_disc(closed, 1.5 / pixel_mm)
    opened = evidence.close_disc(opened, evidence.NOTCH_MM / pixel_mm) & between
    labels, n = ndi.label(opened)
    if n > 1:
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        opened = np.isin(labels, np.flatnonzero(sizes > 0.1 * sizes.max()))
    return np.asarray(ndi.binary_fill_holes(opened), dtype=bool)


def _visible_share(layer: Layer) -> float:
    """Share of the deep border that runs along a visible wall."""
    seen = layer.border_cost[~np.isnan(layer.border_cost)]
    return float((seen < 0.5).mean()) if len(seen) else 0.0
