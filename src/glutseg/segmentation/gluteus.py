"""The gluteal muscles of both sides: one outline from two sources, and how far the two agree.

docs/explanation/method.md tells the steps with pictures, experiments.md what was tried.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy import Anatomy, as_it_lies
from glutseg.errors import Flag, GlutsegError
from glutseg.image import LABELS, SIDES, CtImage, LabelArray, Mask, Muscle, Side
from glutseg.segmentation.agreement import least_agreement
from glutseg.segmentation.competition import edge_share
from glutseg.segmentation.evidence import Evidence, gather
from glutseg.segmentation.network import CLASSES, Network, chosen_weights
from glutseg.segmentation.place import differing_place
from glutseg.segmentation.side_view import SideView
from glutseg.settings import METHOD, SegmentationSettings

ALL_MUSCLES: tuple[Muscle, ...] = ("maximus", "medius", "minimus")
WHOLE_REACH_MM = (190.0, 140.0)
"""Below and above the heads' tops, in which every gluteus maximus has ended: read off four patients."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class OutlineQuality:
    """How certain an outline is on the measured slice; None where it is unknown.

    Attributes
    ----------
    agreement : Dice between the outline and the most different of three others, 0 to 1: the network's alone,
        and the edges' for a muscle that is liked and one that is disliked a little
    edge_support : share of the border that runs along a visible fat plane or fat, 0 to 1
    other_outline : that other outline on the measured slice, (row, column)
    other_area_mm2 : its area
    where : the two differ most: "lateral end", "medial end", "deep border", "outer border"
    evidence : what the error model reads the bound of the area's error from
    error_bound_percent : of the area, where somebody knows it already; otherwise the error model says it
    """

    agreement: float | None = None
    edge_support: float | None = None
    other_outline: BoolArray | None = field(default=None, compare=False, repr=False)
    other_area_mm2: float | None = None
    where: str = ""
    evidence: Evidence | None = None
    error_bound_percent: float | None = None


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
    mask = Mask.on(volume, np.zeros(volume.geometry.shape, np.uint8))
    quality: dict[tuple[Muscle, Side], OutlineQuality] = {}
    middle = slices[len(slices) // 2] if slice_index is None else slice_index
    volume, hips = as_it_lies(volume, anatomy.hips, middle)
    anatomy = Anatomy(volume, hips)
    for side in SIDES:
        head_mm = hips.left.centre_mm if side == "left" else hips.right.centre_mm
        view = SideView.of(volume, head_mm, side, network, settings, middle)
        if slice_index is not None:
            view, found = _with_edges(volume, view, slice_index, muscles, settings)
            quality |= {(muscle, side): of_muscle for muscle, of_muscle in found.items()}
        _paint(mask.labels, view, volume, side, slices, muscles, settings)
        if not (mask.labels[slices.start : slices.stop] == SIDES[side]).any():
            raise GlutsegError("muscle-not-found", f"no muscle was found behind the {side} hip")
        if whole_muscle:
            far = SideView.of(volume, head_mm, side, network, settings, middle, all_planes=True)
            reach = whole_range(volume, anatomy)
            for part in (range(reach.start, slices.start), range(slices.stop, reach.stop)):
                _paint(mask.labels, far, volume, side, part, muscles, settings)
            for muscle in muscles:
                _keep_joined(mask.labels, LABELS[muscle][side], slices)
    return Outlines(mask, quality)


def _with_edges(
    volume: CtImage,
    view: SideView,
    measured: int,
    muscles: tuple[Muscle, ...],
    settings: SegmentationSettings,
) -> tuple[SideView, dict[Muscle, OutlineQuality]]:
    """The view with the edges' corrections, and how far the sources agree on the measured slice."""
    near, seen = view.field(volume, measured, settings.reach_mm, settings)
    joined = view.settled(near, seen, settings)
    here = range(measured, measured + 1)
    rivals = {"network": view.draw_network_led(volume, here, muscles, settings)}
    close, part = view.field(volume, measured, settings.perturbation_reach_mm, settings)
    for name, liked in (("larger", settings.perturbation_cost), ("smaller", -settings.perturbation_cost)):
        rivals[name] = view.settled(close, part, settings, liked).draw(volume, here, muscles, settings)
    drawn = joined.draw(volume, here, muscles, settings)
    quality = {}
    for muscle in muscles:
        others = {name: rival[muscle][0] for name, rival in rivals.items()}
        against = least_agreement(drawn[muscle][0], others)
        support = edge_share(seen, joined.probabilities[:, near].argmax(0) == CLASSES.index(muscle))
        other = against.other_outline
        other_area_mm2 = float(np.count_nonzero(other) * volume.geometry.pixel_area_mm2)
        where = differing_place(
            drawn[muscle][0], other, volume.geometry.spacing_mm[1:], view.grid.head, view.grid.outwards
        )
        evidence = gather(
            muscle,
            drawn[muscle][0],
            others,
            part,
            joined.probabilities[:, close],
            view.tissue,
        )
        quality[muscle] = OutlineQuality(against.dice, support, other, other_area_mm2, where, evidence)
    return joined, quality


def _paint(
    labels: LabelArray,
    view: SideView,
    volume: CtImage,
    side: Side,
    slices: range,
    muscles: tuple[Muscle, ...],
    settings: SegmentationSettings,
) -> None:
    """Write the outlines where no other muscle is."""
    if not len(slices):
        return
    for muscle, drawn in view.draw(volume, slices, muscles, settings).items():
        part = labels[slices.start : slices.stop]
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
