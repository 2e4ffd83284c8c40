"""The gluteal muscles of both sides: one outline from two sources, and how far the two agree.

docs/explanation/method.md tells the steps with pictures, experiments.md what was tried.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import ndimage as ndi

from glutseg.anatomy import Anatomy, as_it_lies
from glutseg.errors import GlutsegError
from glutseg.image import LABELS, SIDES, CtImage, LabelArray, Mask, Muscle, Side
from glutseg.segmentation.agreement import least_agreement
from glutseg.segmentation.competition import edge_share
from glutseg.segmentation.evidence import gather
from glutseg.segmentation.network import CLASSES, Network, chosen_weights
from glutseg.segmentation.outlines import OutlineQuality, Outlines
from glutseg.segmentation.place import differing_place
from glutseg.segmentation.side_view import Drawing, SideView
from glutseg.settings import METHOD, SegmentationSettings

ALL_MUSCLES: tuple[Muscle, ...] = ("maximus", "medius", "minimus")
WHOLE_REACH_MM = (190.0, 140.0)
"""Below and above the heads' tops, in which every gluteus maximus has ended: read off four patients."""


def segment(
    volume: CtImage,
    anatomy: Anatomy,
    slices: range,
    settings: SegmentationSettings = METHOD.segmentation,
    *,
    network: Network | None = None,
    slice_index: int | None = None,
    whole_muscle: bool = False,
    muscles: tuple[Muscle, ...] = ("maximus",),
) -> Outlines:
    """The muscles asked for on the slices asked for, or from end to end.

    Parameters
    ----------
    volume : axial
    anatomy : of the same volume
    slices : the mask is empty elsewhere, unless ``whole_muscle``
    network : the chosen one unless given
    slice_index : the measured one of ``slices``, for which the quality is given; without it there is none,
        and the edges are not asked
    whole_muscle : go on above and below ``slices`` to the muscles' ends; ``slices`` stay as they are
    muscles : no outline depends on which others are asked for

    Raises
    ------
    GlutsegError
        ``muscle-not-found`` when a side has no muscle behind the hip.
    """
    network = network or Network(chosen_weights())
    middle = slices[len(slices) // 2] if slice_index is None else slice_index
    volume, hips = as_it_lies(volume, anatomy.hips, middle)
    roll_degrees = hips.roll_degrees if abs(hips.roll_degrees) > settings.max_roll_degrees else 0.0
    far = _far_ranges(Anatomy(volume, hips), slices) if whole_muscle else ()

    def one_side(side: Side) -> _OneSide:
        head_mm = (hips.left if side == "left" else hips.right).centre_mm
        view = SideView.of(volume, head_mm, side, network, settings, middle, slices, roll_degrees)
        if slice_index is None:
            found = _OneSide(view.draw(volume, slices, muscles, settings))
        else:
            found = _with_edges(volume, view, slices, slice_index, muscles, settings)
        if not far:
            return found
        whole = SideView.of(volume, head_mm, side, network, settings, middle, None, roll_degrees)
        return replace(found, far=tuple(whole.draw(volume, part, muscles, settings) for part in far))

    with ThreadPoolExecutor(
        len(SIDES)
    ) as pool:  # both at once: the time is spent in libraries, which allow it
        return _assembled(volume, dict(zip(SIDES, pool.map(one_side, SIDES), strict=True)))


@dataclass(frozen=True)
class _OneSide:
    """The outlines of one side around the level, and where whole muscles go on below and above."""

    near: Drawing
    quality: dict[Muscle, OutlineQuality] = field(default_factory=dict)
    far: tuple[Drawing, ...] = ()


def _assembled(volume: CtImage, sides: dict[Side, _OneSide]) -> Outlines:
    mask = Mask.on(volume, np.zeros(volume.geometry.shape, np.uint8))
    quality: dict[tuple[Muscle, Side], OutlineQuality] = {}
    for side, found in sides.items():
        for drawing in (found.near, *found.far):
            _paint(mask.labels, drawing, side)
        slices = found.near.slices
        if not (mask.labels[slices.start : slices.stop] == SIDES[side]).any():
            raise GlutsegError("muscle-not-found", f"no muscle was found behind the {side} hip")
        if found.far:
            for muscle in found.near.masks:
                _keep_joined(mask.labels, LABELS[muscle][side], slices)
        quality |= {(muscle, side): of_muscle for muscle, of_muscle in found.quality.items()}
    return Outlines(mask, quality)


def _far_ranges(anatomy: Anatomy, slices: range) -> tuple[range, ...]:
    """Where whole muscles go on below and above some slices."""
    reach = whole_range(anatomy.volume, anatomy)
    parts = (range(reach.start, slices.start), range(slices.stop, reach.stop))
    return tuple(part for part in parts if len(part))


def _with_edges(
    volume: CtImage,
    view: SideView,
    slices: range,
    slice_index: int,
    muscles: tuple[Muscle, ...],
    settings: SegmentationSettings,
) -> _OneSide:
    """The outlines with the edges' corrections, and how far the sources agree on the measured slice."""
    near, seen = view.field(volume, slice_index, settings.reach_mm, settings)
    (joined,) = view.settled(near, seen, settings)
    here = range(slice_index, slice_index + 1)
    rivals = {"network": view.draw_network_led(volume, here, muscles, settings)}
    close, part = view.field(volume, slice_index, settings.perturbation_reach_mm, settings)
    margins = (settings.perturbation_cost, -settings.perturbation_cost)
    for name, perturbed in zip(
        ("larger", "smaller"), view.settled(close, part, settings, margins), strict=True
    ):
        rivals[name] = perturbed.draw(volume, here, muscles, settings)
    drawing = joined.draw(volume, slices, muscles, settings)
    spacing_mm = volume.geometry.spacing_mm[1:]
    quality = {}
    for muscle in muscles:
        outline = drawing.on_slice(slice_index, muscle)
        others = {name: rival.on_slice(slice_index, muscle) for name, rival in rivals.items()}
        against = least_agreement(outline, others)
        other = against.other_outline
        quality[muscle] = OutlineQuality(
            against.dice,
            edge_share(seen, joined.probabilities[:, near].argmax(0) == CLASSES.index(muscle)),
            other,
            float(np.count_nonzero(other) * volume.geometry.pixel_area_mm2),
            differing_place(outline, other, spacing_mm, view.grid.head, view.grid.outwards),
            gather(muscle, outline, others, part, joined.probabilities[:, close], view.tissue),
        )
    return _OneSide(drawing, quality)


def _paint(labels: LabelArray, drawing: Drawing, side: Side) -> None:
    """Write the outlines where no other muscle is."""
    part = labels[drawing.slices.start : drawing.slices.stop, *drawing.box]
    for muscle, drawn in drawing.masks.items():
        part[drawn & (part == 0)] = LABELS[muscle][side]


def _keep_joined(labels: LabelArray, label: int, certain: range) -> None:
    """Of a whole muscle only what hangs together with the slices around the level."""
    pieces, _ = ndi.label(labels == label)
    kept = np.unique(pieces[certain.start : certain.stop])
    labels[(labels == label) & ~np.isin(pieces, kept[kept > 0])] = 0


def whole_range(volume: CtImage, anatomy: Anatomy) -> range:
    """Canonical slices within which every gluteus maximus ends, as far as the series goes."""
    return slices_between(volume, anatomy.hips.top_mm, WHOLE_REACH_MM)


def slices_between(volume: CtImage, top_mm: float, reach_mm: tuple[float, float]) -> range:
    """Canonical slices from so far below to so far above a height, as far as the series goes."""
    g = volume.geometry
    low, high = (g.nearest_slice(top_mm + mm) for mm in (-reach_mm[0], reach_mm[1]))
    return range(max(0, low), min(g.shape[0] - 1, high) + 1)
