"""The gluteal muscles of both sides: layer by layer, then their outlines on every slice.

docs/explanation/method.md tells the steps with pictures, experiments.md what was tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy import Anatomy, as_it_lies
from glutseg.errors import Flag, GlutsegError
from glutseg.image import LABELS, SIDES, CtImage, LabelArray, Mask, Muscle, Side
from glutseg.protocol import LevelRule
from glutseg.result import Level
from glutseg.segmentation.abductors import find_abductors
from glutseg.segmentation.layer import Layer, find_layer
from glutseg.segmentation.outline import draw
from glutseg.segmentation.settings import Settings

BoolArray = npt.NDArray[np.bool_]

DEFAULT = Settings()
PEAK_SEARCH_MM = (90.0, 45.0)
"""Below and above the heads' tops: the peak lay 42 mm below to 3 mm above in four patients."""
WHOLE_REACH_MM = (190.0, 140.0)
"""Below and above the heads' tops: beyond both ends of `USUAL`, in which the muscle has ended."""
_CARRIED_SHARE = 0.5


@dataclass(frozen=True)
class OutlineQuality:
    """How certain an outline is on the measured slice; None where it is unknown.

    Attributes
    ----------
    confidence : least Dice between the outline and those found with a perturbed shape prior, 0 to 1 (1: the
        image alone decides)
    edge_support : share of the deep border that runs along a visible fat plane, 0 to 1
    repaired_share : share of the area that was added by closing gaps or removed as spurs
    """

    confidence: float | None = None
    edge_support: float | None = None
    repaired_share: float | None = None


@dataclass(frozen=True)
class Outlines:
    """The muscles, labelled as in `glutseg.image.LABELS`, and how certain each outline is.

    ``flags`` are those of the outliner itself.
    """

    mask: Mask
    quality: dict[tuple[Muscle, Side], OutlineQuality] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()


def segment(
    volume: CtImage,
    anatomy: Anatomy,
    slices: range,
    settings: Settings = DEFAULT,
    *,
    slice_index: int | None = None,
    whole_muscle: bool = False,
    muscles: tuple[Muscle, ...] = ("maximus",),
) -> Outlines:
    """Both gluteus maximus muscles on the slices asked for, or from end to end, and the others asked for.

    Parameters
    ----------
    volume : axial
    anatomy : of the same volume
    slices : the mask is empty elsewhere, unless ``whole_muscle``
    slice_index : the measured one of ``slices``, for which the quality is given; without it there is none
    whole_muscle : go on above and below ``slices`` to the muscles' ends; ``slices`` stay as they are
    muscles : the gluteus maximus always; it does not depend on whether others are found beneath it

    Raises
    ------
    GlutsegError
        ``muscle-not-found`` when a side has no muscle behind the hip.
    """
    mask = Mask.on(volume, np.zeros(volume.geometry.shape, np.uint8))
    labels, quality = mask.labels, dict[tuple[Muscle, Side], OutlineQuality]()
    volume, hips = as_it_lies(
        volume, anatomy.hips, slices[len(slices) // 2] if slice_index is None else slice_index
    )
    anatomy = Anatomy(volume, hips)
    for side, label in SIDES.items():
        layer = find_layer(volume, anatomy, side, slices, settings, doubt_at=slice_index)
        repaired = _paint(labels, label, volume, layer, slices)
        if not (labels[slices.start : slices.stop] == label).any():
            raise GlutsegError("muscle-not-found", f"no muscle was found behind the {side} hip")
        if slice_index is not None:
            quality["maximus", side] = OutlineQuality(
                layer.agreement(slice_index), layer.visible_share(slice_index), repaired[slice_index]
            )
        layers = {slices: layer}
        if whole_muscle:
            reach = whole_range(volume, anatomy)
            layers[reach] = find_layer(volume, anatomy, side, reach, settings)
            _paint(labels, label, volume, layers[reach], [k for k in reach if k not in slices])
            _trim_ends(labels, label, slices)
        if len(muscles) > 1:
            sure = _paint_others(labels, volume, side, layers, muscles[1:], settings, slice_index)
            for muscle, confidence in sure.items():
                quality[muscle, side] = OutlineQuality(confidence)
    return Outlines(mask, quality)


def _paint_others(
    labels: LabelArray,
    volume: CtImage,
    side: Side,
    layers: Mapping[range, Layer],
    muscles: tuple[Muscle, ...],
    settings: Settings,
    measured: int | None,
) -> dict[Muscle, float]:
    """Medius and minimus beneath the maximus: first on its slices, then beyond them; their confidence."""
    sure: dict[Muscle, float] = {}
    maximus = labels == SIDES[side]
    done: list[range] = []
    for slices, layer in layers.items():
        doubt_at = None if done else measured
        found = find_abductors(volume, layer, maximus, slices, measured=doubt_at, settings=settings)
        masks: dict[Muscle, BoolArray] = {"medius": found.medius, "minimus": found.minimus}
        for k in slices:
            if not any(k in before for before in done):
                for muscle in muscles:
                    labels[k][masks[muscle][k] & (labels[k] == 0)] = LABELS[muscle][side]
        sure |= {muscle: found.confidence[muscle] for muscle in muscles if muscle in found.confidence}
        done.append(slices)
    if len(done) > 1:
        for muscle in muscles:
            _trim_ends(labels, LABELS[muscle][side], done[0])
    return sure


def _paint(
    labels: LabelArray, label: int, volume: CtImage, layer: Layer, slices: Iterable[int]
) -> dict[int, float]:
    """Write the outlines where no other muscle is; the repaired share of each."""
    rows, columns = layer.scene.fan.window
    repaired = {}
    for k in slices:
        drawn = draw(volume, layer, k)
        part = labels[k, rows, columns]
        part[drawn.mask & (part == 0)] = label
        repaired[k] = drawn.repaired_share
    return repaired


def _trim_ends(labels: LabelArray, label: int, sure: range) -> None:
    """Beyond its ends the layer leaves scraps. Going out from the slices that are sure, a piece stays
    where at least half of it lies on the muscle of the slice before."""
    for way in (range(sure.stop, len(labels)), range(sure.start - 1, -1, -1)):
        before = labels[way.start - way.step] == label
        for k in way:
            own = labels[k] == label
            pieces, n = ndi.label(own)
            sizes = np.bincount(pieces.ravel(), minlength=n + 1)
            shared = np.bincount(pieces[before], minlength=n + 1)
            stays = shared >= sizes * _CARRIED_SHARE
            stays[0] = False
            labels[k][own & ~stays[pieces]] = 0
            before = stays[pieces]


def whole_range(volume: CtImage, anatomy: Anatomy) -> range:
    """Canonical slices within which every gluteus maximus ends, as far as the series goes."""
    return _slices_between(volume, anatomy.hips.top_mm, WHOLE_REACH_MM)


def _slices_between(volume: CtImage, top_mm: float, reach_mm: tuple[float, float]) -> range:
    g = volume.geometry
    low, high = (g.nearest_slice(top_mm + mm) for mm in (-reach_mm[0], reach_mm[1]))
    return range(max(0, low), min(g.shape[0] - 1, high) + 1)


def peak_level(
    volume: CtImage,
    anatomy: Anatomy,
    rule: LevelRule,
    settings: Settings = DEFAULT,
    *,
    mask: Mask | None = None,
) -> Level:
    """The slice with the largest mean area of the two sides, smoothed over about 9 mm.

    Searched from 90 mm below the femoral heads' tops to 45 mm above, as far as the series goes.

    Parameters
    ----------
    mask : canonical, of the whole muscles, where it is there already

    Raises
    ------
    GlutsegError
        ``muscle-not-found``; ``level-outside`` when the area still grows at the series' end.
    """
    g = volume.geometry
    around = _slices_between(volume, anatomy.hips.top_mm, PEAK_SEARCH_MM)
    if mask is None:
        mask = segment(volume, anatomy, around, settings).mask
    muscle = np.isin(mask.labels[around.start : around.stop], list(SIDES.values()))
    areas = np.count_nonzero(muscle, axis=(1, 2)) * g.pixel_area_mm2 / 2
    width = max(1, round(9 / g.spacing_mm[0]) // 2 * 2 + 1)
    k = around.start + int(ndi.uniform_filter1d(areas, width, mode="nearest").argmax())
    if k in (0, g.shape[0] - 1):
        raise GlutsegError("level-outside", "the area still grows at the end of the series")
    k += round(rule.offset_mm / g.spacing_mm[0])
    if not 0 <= k < g.shape[0]:
        raise GlutsegError("level-outside", f"{rule.offset_mm} mm from the peak lies outside the series")
    return Level("peak-area", k, g.slice_z_mm(k))
