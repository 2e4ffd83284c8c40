"""Two regions that grow until they meet: where the edges, not the network, say that the gluteus maximus ends.

Seeds are the muscle's core and what is certainly none. Both grow at once through the slices around the level
and meet where keeping them apart costs least: a minimum cut, cheap along fat planes and in fat, dear through
even tissue, with the network's opinion as a mild preference. On the network's own grid, so that it costs the
same in every series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.segmentation.flow import source_side
from glutseg.segmentation.side_grid import SPACING_MM
from glutseg.segmentation.tissue import Tissue
from glutseg.settings import SegmentationSettings

BACKGROUND, MAXIMUS, MEDIUS, MINIMUS, BONE, OTHER = range(6)
PLANE_SIGMA_MM = 1.2
"""Scale of the second derivative: fits fat planes of 1 to 2 mm on the grid."""
_UNITS = 10_000
"""Capacities are whole numbers: so many to a cost of 1."""
_DEARER_SHARE = 0.02
_VOXEL_MM3 = float(np.prod(SPACING_MM))

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Field:
    """What decides where the two regions meet, on some planes of the network's grid (plane, row, column).

    Attributes
    ----------
    probabilities : (class, plane, row, column)
    leanness : 0 fat, 1 muscle
    cost : of a border, per mm²
    """

    probabilities: FloatArray
    leanness: FloatArray
    cost: FloatArray

    @cached_property
    def network_led(self) -> BoolArray:
        """The gluteus maximus where the network alone sees it."""
        return np.asarray(self.probabilities.argmax(0) == MAXIMUS, dtype=bool)


def look(hu: FloatArray, probabilities: FloatArray, tissue: Tissue, settings: SegmentationSettings) -> Field:
    """What the planes of one side show; HU and probabilities on the network's grid."""
    leanness = tissue.leanness(hu, SPACING_MM)
    lines = dark_lines(hu, max(PLANE_SIGMA_MM, tissue.smoothing_mm)) / np.float32(tissue.contrast_hu)
    flesh = (probabilities[MAXIMUS] + probabilities[MEDIUS] + probabilities[OTHER] > 0.97) & (leanness > 0.6)
    contrast = settings.plane_contrast
    if flesh.any():
        middle = float(np.median(lines[flesh]))
        spread = 1.4826 * float(np.median(np.abs(lines[flesh] - middle)))
        contrast = max(contrast, middle + settings.plane_noises * spread)
    dark = np.clip(1 - leanness, 0, 1) / settings.plane_darkness
    seen = np.maximum(np.clip(lines, 0, None) / contrast, dark)
    even = np.exp(-(np.minimum(seen, 10) ** settings.plane_sharpness))
    floor = settings.border_cost_plane
    return Field(
        probabilities, leanness, np.asarray(floor + (settings.border_cost_even - floor) * even, np.float32)
    )


def dark_lines(hu: FloatArray, sigma_mm: float) -> FloatArray:
    """Strength in HU of dark lines in each plane, whatever their direction.

    The larger eigenvalue of the Hessian at ``sigma_mm``, times its square: about half the depth of a line
    that is as wide as the filter.
    """
    sigma = [sigma_mm / s for s in SPACING_MM[1:]]
    out = np.empty(hu.shape, np.float32)
    for k, plane in enumerate(np.clip(hu, -160, 160)):
        yy = ndi.gaussian_filter(plane, sigma, order=(2, 0)) * sigma[0] ** 2
        xx = ndi.gaussian_filter(plane, sigma, order=(0, 2)) * sigma[1] ** 2
        xy = ndi.gaussian_filter(plane, sigma, order=(1, 1)) * sigma[0] * sigma[1]
        out[k] = (yy + xx) / 2 + np.hypot((yy - xx) / 2, xy)
    return out


def edge_led(
    field: Field, settings: SegmentationSettings, margins: Sequence[float] = (0.0,)
) -> list[BoolArray]:
    """The gluteus maximus where the edges say that it ends, (plane, row, column), for each of ``margins``.

    Parameters
    ----------
    margins : extra costs per mm³ of leaving out what could be muscle (negative: of taking it in), falling:
        the region of a lower one lies within that of a higher one, which saves half of the work
    """
    p, own = field.probabilities, field.network_led
    inside_mm = ndi.distance_transform_edt(own, sampling=SPACING_MM)
    outside_mm = ndi.distance_transform_edt(~own, sampling=SPACING_MM)
    seeds = own & (inside_mm > settings.core_mm) & (p[MAXIMUS] > 0.8)
    none = ~seeds & _certainly_none(field, outside_mm, settings)
    odds = np.log(p[MAXIMUS] + 1e-4) - np.log(1 - p[MAXIMUS] + 1e-4)
    gain = settings.network_cost * np.clip(odds / settings.network_sure_odds, -1, 1)
    gain -= settings.fat_cost * np.clip(1 - 2 * field.leanness, 0, 1)
    region = ~none
    regions = []
    for margin in margins:
        region = _least_cut(region & ~seeds, seeds, (gain + margin) * _VOXEL_MM3, field.cost, settings)
        regions.append(region)
    return regions


def _certainly_none(field: Field, outside_mm: FloatArray, settings: SegmentationSettings) -> BoolArray:
    """Bone, fat, what lies far off, what the network calls neither maximus nor medius, and the medius' bed.

    Only these two it may confuse over more than some millimetres, and not where the medius lies on the ilium,
    the femur or the minimus.
    """
    p, leanness = field.probabilities, field.leanness
    bone = (p[BONE] > 0.8) | (leanness > 2.2)
    fat = (p[BACKGROUND] > 0.9) & (leanness < 0.4) & (outside_mm > 2)
    background = (p[BACKGROUND] > 0.7) & (outside_mm > 6)
    neither = (p[MAXIMUS] + p[MEDIUS] < 0.05) & (outside_mm > 4)
    others = (p[OTHER] + p[MINIMUS] + p[BONE] > 0.9) & (outside_mm > 8)
    from_bed_mm = ndi.distance_transform_edt(p[BONE] + p[MINIMUS] < 0.5, sampling=SPACING_MM)
    bed = (p[MEDIUS] > 0.9) & (from_bed_mm < settings.bed_mm)
    return np.asarray(
        bed | bone | fat | background | neither | others | (outside_mm > settings.far_mm), dtype=bool
    )


def _least_cut(
    free: BoolArray, inside: BoolArray, gain: FloatArray, cost: FloatArray, settings: SegmentationSettings
) -> BoolArray:
    """Free voxels join ``inside`` where that costs least; all others keep their side.

    Parameters
    ----------
    gain : of a free voxel that joins
    cost : per mm² of a border at a voxel; between two voxels see `_between`
    """
    n = int(np.count_nonzero(free))
    number = np.full(free.shape, -1, np.int32)
    number[free] = np.arange(n, dtype=np.int32)
    to_source, to_sink = np.clip(gain[free], 0, None), np.clip(-gain[free], 0, None)
    tails, heads, capacities = [], [], []
    for (here, there), area_mm2 in _neighbours(free.shape, settings.between_slices):
        price = _between(cost[here], cost[there]) * np.float32(area_mm2)
        both = free[here] & free[there]
        tails.append(number[here][both])
        heads.append(number[there][both])
        capacities.append(price[both])
        for one, other in ((here, there), (there, here)):
            border = free[one] & ~free[other]
            fixed_in = inside[other][border]
            at = number[one][border]
            np.add.at(to_source, at[fixed_in], price[border][fixed_in])
            np.add.at(to_sink, at[~fixed_in], price[border][~fixed_in])
    own = np.arange(n, dtype=np.int32)
    source, sink = np.full(n, n, np.int32), np.full(n, n + 1, np.int32)
    tail, head = np.concatenate(tails), np.concatenate(heads)
    between = np.concatenate(capacities)
    arcs = (np.concatenate([tail, head, source, own]), np.concatenate([head, tail, own, sink]))
    capacity = np.concatenate([between, between, to_source, to_sink])
    joins = source_side(*arcs, np.rint(capacity * _UNITS).astype(np.int32), n, n + 1)
    out = inside.copy()
    out[free] = np.pad(joins, (0, max(0, n - len(joins))))[:n]
    return out


def _between(one: FloatArray, other: FloatArray) -> FloatArray:
    """Cost of a border between two voxels: the cheaper one's, so that a plane one voxel thin is as cheap as a
    thick one; a little of the dearer one's keeps the border in a thick plane's middle."""
    cheaper, dearer = np.minimum(one, other), np.maximum(one, other)
    return np.asarray(cheaper + _DEARER_SHARE * (dearer - cheaper), dtype=np.float32)


def _neighbours(
    shape: tuple[int, ...], between_slices: float
) -> list[tuple[tuple[tuple[slice, ...], tuple[slice, ...]], float]]:
    """Pairs of views of neighbouring voxels and the area in mm² that a border between them has.

    Four ways in a plane, such that borders of any direction cost about their length (Boykov & Kolmogorov,
    "Computing geodesics and minimal surfaces via graph cuts", ICCV 2003), and one across planes.
    """
    dz, dy, dx = SPACING_MM
    diagonal = 0.35 * dy * dx / np.hypot(dy, dx) * dz
    ways = (
        ((0, 0, 1), 0.5 * dy * dz),
        ((0, 1, 0), 0.5 * dx * dz),
        ((0, 1, 1), diagonal),
        ((0, 1, -1), diagonal),
        ((1, 0, 0), between_slices * dx * dy),
    )
    pairs = []
    for way, area_mm2 in ways:
        here = tuple(slice(max(0, -step), n - max(0, step)) for step, n in zip(way, shape, strict=True))
        there = tuple(slice(max(0, step), n - max(0, -step)) for step, n in zip(way, shape, strict=True))
        pairs.append(((here, there), float(area_mm2)))
    return pairs


def settled(field: Field, region: BoolArray) -> FloatArray:
    """The network's probabilities where edges agree; changed over where they see it otherwise.

    Differences to fat are left to the tissue of each pixel.
    """
    p = field.probabilities
    to_fat = (p[BACKGROUND] > 0.9) | (p[BACKGROUND] + p[MAXIMUS] > 0.97)
    differs = (region ^ field.network_led) & ~to_fat
    own = np.where(differs, np.where(region, 0.9, 0.1), p[MAXIMUS]).astype(np.float32)
    rest = 1 - p[MAXIMUS]
    out = p * ((1 - own) / np.maximum(rest, 1e-6))
    out[MAXIMUS] = own
    out[OTHER] += 1 - out.sum(0)  # all the rest, where the network knew of nothing else
    return np.asarray(out, dtype=np.float32)


def edge_share(field: Field, mask: BoolArray) -> float:
    """Share of a region's border (plane by plane) that runs along a visible plane or fat, within a pixel."""
    border = mask & ~ndi.binary_erosion(mask, np.ones((1, 3, 3)))
    if not border.any():
        return 0.0
    cheapest = ndi.minimum_filter(field.cost, (1, 3, 3))
    return float(np.mean(cheapest[border] < 0.5))
