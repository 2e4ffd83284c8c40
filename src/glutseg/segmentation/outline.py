"""The outline of the muscle on one slice, drawn between the two surfaces of its layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.image import CtImage
from glutseg.segmentation import evidence
from glutseg.segmentation.discs import close_disc, fill_holes, grow_disc, open_disc
from glutseg.segmentation.layer import Layer

BoolArray = npt.NDArray[np.bool_]

_EDGE_SIGMA_MM = 0.6
_MIN_PART = 0.1
_SLACK_MM = 1.5
"""The outer surface is that of thresholded, rounded flesh: the muscle may stand out so far."""
FASCIA_MM_PER_SHARE = 250.0
USUAL_FAT_SHARE = 0.05
MAX_FASCIA_MM = 40.0
"""Fat that lies on the fascia looks like the fat beyond it, but the fattier a muscle is inside, the more
of its dents are streaks. From 5 % of fat on wide dents are closed over too, by a disc that grows with
the share..."""
FASCIA_DEPTH_MM = 4.0
FASCIA_SLACK_MM = 3.0
"""...but no deeper than a streak is thick, and little beyond the layer's surfaces."""


@dataclass(frozen=True)
class Outline:
    """The muscle on one slice within the fan's window.

    Attributes
    ----------
    mask : (y, x) bool
    repaired_share : of its area, what closing wide notches and holes added, and dropping spurs and
        small pieces took away
    """

    mask: BoolArray
    repaired_share: float


def draw(volume: CtImage, layer: Layer, k: int) -> Outline:
    """Between the two surfaces everything above half way between fat and this muscle, closed over fat
    streaks and notches, so that the border is the fascia.

    A thin plane of fat belongs by halves to the muscles on its two sides.
    """
    fan, spacing_mm = layer.scene.fan, volume.geometry.spacing_mm[1:]
    deep, outer = layer.at_slice(layer.deep_mm, k), layer.at_slice(layer.outer_mm, k)
    between = fan.between(deep, outer + _SLACK_MM)
    image = volume.hu[k, fan.window[0], fan.window[1]].astype(np.float32)
    flesh = ndi.gaussian_filter(image, [_EDGE_SIGMA_MM / s for s in spacing_mm]) > evidence.edge_hu(
        layer.scene.muscle_hu
    )
    lean = close_disc(flesh, evidence.PLANE_MM, spacing_mm) & between
    closed = close_disc(lean, evidence.STREAK_MM, spacing_mm) & between
    opened = open_disc(closed, evidence.SPUR_MM, spacing_mm)
    whole = close_disc(opened, evidence.NOTCH_MM, spacing_mm) & between
    near = fan.between(deep - FASCIA_SLACK_MM, outer + _SLACK_MM + FASCIA_SLACK_MM)
    whole |= _dents(whole, flesh, spacing_mm) & near
    mask = fill_holes(_large_parts(whole))
    return Outline(mask, _share(mask ^ closed, mask))


def _share(part: BoolArray, whole: BoolArray) -> float:
    n = int(np.count_nonzero(whole))
    return float(np.count_nonzero(part) / n) if n else 0.0


def _dents(whole: BoolArray, flesh: BoolArray, spacing_mm: tuple[float, float]) -> BoolArray:
    """Fat in shallow dents of a fatty muscle: streaks on its fascia."""
    fat_share = _share(whole & ~flesh, whole)
    radius_mm = evidence.NOTCH_MM + FASCIA_MM_PER_SHARE * (fat_share - USUAL_FAT_SHARE)
    if radius_mm <= evidence.NOTCH_MM or not whole.any():
        return np.zeros_like(whole)
    closed = close_disc(whole, min(radius_mm, MAX_FASCIA_MM), spacing_mm)
    shallow = grow_disc(whole, FASCIA_DEPTH_MM, spacing_mm)
    return np.asarray(closed & shallow & ~whole & ~flesh, dtype=bool)


def _large_parts(mask: BoolArray) -> BoolArray:
    labels, n = ndi.label(mask)
    if n <= 1:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.isin(labels, np.flatnonzero(sizes > _MIN_PART * sizes.max()))
