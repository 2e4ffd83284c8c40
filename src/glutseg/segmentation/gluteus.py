"""The gluteal muscles of both sides: layer by layer, then their outlines on every slice.

docs/explanation/method.md tells the steps with pictures, what was tried and how well it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy import Anatomy, as_it_lies, hip_doubts
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
class Segmentation:
    """The muscles in canonical order, labelled as in `glutseg.image.LABELS`, and how sure they are.

    Attributes
    ----------
    confidence : of the gluteus maximus per side, at the measured slice: least Dice between the muscle
        found and those found under other beliefs about what cannot be seen (1: the picture alone decides)
    visible : per side, share of the deep border there that runs along a visible wall
    repaired : per side, share of the area there that was repaired (`glutseg.segmentation.outline`)
    other_confidence : the same as ``confidence``, of the other muscles asked for
    flags : what the outliner itself has to say
    """

    mask: Mask
    confidence: dict[Side, float]
    visible: dict[Side, float] = field(default_factory=dict)
    repaired: dict[Side, float] = field(default_factory=dict)
    other_confidence: dict[Muscle, dict[Side, float]] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()


def segment(
    volume: CtImage,
    anatomy: Anatomy,
    slices: range,
    settings: Settings = DEFAULT,
    *,
    measured: int | None = None,
    whole: bool = False,
    muscles: tuple[Muscle, ...] = ("maximus",),
) -> Segmentation:
    """Both gluteus maximus muscles on the slices asked for, or from end to end, and the others asked for.

    Parameters
    ----------
    volume : canonical, axial
    anatomy : of the same volume
    slices : canonical slice indices; the mask is empty elsewhere, unless ``whole``
    measured : the one of ``slices`` whose outline is to be doubted; without it there is no confidence
    whole : go on above and below ``slices`` to the muscles' ends; on ``slices`` nothing changes by that
    muscles : the gluteus maximus always; it does not depend on whether others are found beneath it

    Raises
    ------
    GlutsegError
        ``muscle-not-found`` when a side has no muscle behind the hip.
    """
    own = volume.geometry
    volume, hips = as_it_lies(
        volume, anatomy.hips, slices[len(slices) // 2] if measured is None else measured
    )
    anatomy = Anatomy(volume, hips)
    out = Segmentation(
        Mask(np.zeros(own.shape, np.uint8), own), {}, other_confidence={m: {} for m in muscles[1:]}
    )
    labels = out.mask.labels
    for side, label in SIDES.items():
        layer = find_layer(volume, anatomy, side, slices, settings, doubt_at=measured)
        repaired = _paint(labels, label, volume, layer, slices)
        if not (labels[slices.start : slices.stop] == label).any():
            raise GlutsegError("muscle-not-found", f"no muscle was found behind the {side} hip")
        if measured is not None:
            out.visible[side] = layer.visible_share(measured)
            out.confidence[side] = layer.agreement(measured)
            out.repaired[side] = repaired[measured]
        layers = {slices: layer}
        if whole:
            reach = whole_range(volume, anatomy)
            layers[reach] = find_layer(volume, anatomy, side, reach, settings)
            _paint(labels, label, volume, layers[reach], [k for k in reach if k not in slices])
            _trim_ends(labels, label, slices)
        if len(muscles) > 1:
            sure = _paint_others(labels, volume, side, layers, muscles[1:], settings, measured)
            for muscle, confidence in sure.items():
                out.other_confidence[muscle][side] = confidence
    return out


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
    return Level("peak-area", k, g.slice_z_mm(k), {}, hip_doubts(anatomy))
