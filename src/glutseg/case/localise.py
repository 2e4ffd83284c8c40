"""Which slices of a long series have to be read, once a localiser pass has shown where the hips are."""

from __future__ import annotations

from dataclasses import dataclass

from glutseg import dicom
from glutseg.anatomy import Hips, certain_hips
from glutseg.image import CtImage, Geometry
from glutseg.protocol import LevelRule, Protocol
from glutseg.quality import METAL_REACH_MM
from glutseg.result import Level
from glutseg.segmentation import AUTOMATIC, Outliner

AROUND_HIPS_MM = (-50.0, 70.0)
"""Below and above the heads' centres: the heads themselves, with room for the search of their surface."""
LANDMARKS_MM = (-130.0, 140.0)
"""Where bony landmarks are searched (`glutseg.anatomy.landmarks.SEARCHES`)."""
MARGIN_MM = 8.0
"""The hips in all slices lie no further from those in a few; where they do everything is read."""


@dataclass(frozen=True)
class NeededSlices:
    """The slices to read, from the feet, and the hips that the localiser pass shows."""

    slices: range
    hips: Hips


def needed_slices(
    localiser: dicom.Localiser, protocol: Protocol, outliner: Outliner = AUTOMATIC
) -> NeededSlices | None:
    """What of a series has to be read for a protocol; None where that is everything."""
    rule, geometry = protocol.level, localiser.geometry
    if protocol.extent.whole_muscle or rule.landmark == "peak-area":
        return None
    if rule.slice_index is not None and rule.slice_index >= geometry.shape[0]:
        return None
    hips = certain_hips(localiser.image)
    if hips is None:
        return None
    by_hand = None if rule.slice_index is None else localiser.stored.canonical_slice(rule.slice_index)
    low_mm, high_mm = _span_mm(hips, rule, by_hand, geometry, outliner)
    slices = _slices(geometry, low_mm - MARGIN_MM, high_mm + MARGIN_MM)
    return NeededSlices(slices, hips) if len(slices) < geometry.shape[0] else None


def all_read(image: CtImage, hips: Hips, level: Level, profile_mm: float, outliner: Outliner) -> bool:
    """Whether every slice that the measurement looks at was read."""
    needed = _slices(image.geometry, *_measured_mm(hips, level.z_mm, profile_mm, outliner))
    return image.unread_slices.isdisjoint(needed)


def _span_mm(
    hips: Hips, rule: LevelRule, by_hand: int | None, geometry: Geometry, outliner: Outliner
) -> tuple[float, float]:
    """Heights (LPS z) between which slices are needed; ``by_hand`` is a slice that was chosen by hand."""
    if by_hand is not None:
        level_mm = geometry.slice_z_mm(by_hand)
    else:
        level_mm = hips.top_mm if rule.z_mm is None else rule.z_mm
    measured = _measured_mm(hips, level_mm + rule.offset_mm, rule.profile_mm, outliner)
    is_near = rule.landmark in ("femoral-head-top", "femoral-head-centre", "z", "slice")
    around = AROUND_HIPS_MM if is_near else LANDMARKS_MM
    centres_mm = [head.centre_mm[2] for head in (hips.left, hips.right)]
    return min(measured[0], min(centres_mm) + around[0]), max(measured[1], max(centres_mm) + around[1])


def _measured_mm(hips: Hips, level_mm: float, profile_mm: float, outliner: Outliner) -> tuple[float, float]:
    """The surroundings of the level that are judged, and the context in which the muscle is cut out."""
    reach_mm = max(METAL_REACH_MM, profile_mm + outliner.slices_context_mm)
    context_mm = outliner.hips_context_mm
    return (
        min(level_mm - reach_mm, hips.top_mm - context_mm),
        max(level_mm + reach_mm, hips.top_mm + context_mm),
    )


def _slices(geometry: Geometry, low_mm: float, high_mm: float) -> range:
    ends = sorted((geometry.nearest_slice(low_mm), geometry.nearest_slice(high_mm)))
    return range(max(0, ends[0]), min(geometry.shape[0], ends[1] + 1))
