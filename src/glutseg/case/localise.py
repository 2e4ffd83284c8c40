"""Which slices of a long series have to be read, once a localiser pass has shown where the hips are."""

from __future__ import annotations

from dataclasses import dataclass

from glutseg import dicom
from glutseg.anatomy import Hips, certain_hips
from glutseg.image import CtImage, Geometry
from glutseg.protocol import Protocol
from glutseg.result import Level
from glutseg.segmentation import AUTOMATIC, Outliner


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
    hips = certain_hips(localiser.image, protocol.method)
    if hips is None:
        return None
    by_hand = None if rule.slice_index is None else localiser.stored.canonical_slice(rule.slice_index)
    low_mm, high_mm = _span_mm(hips, protocol, by_hand, geometry, outliner)
    margin_mm = protocol.method.localiser.margin_mm
    slices = _slices(geometry, low_mm - margin_mm, high_mm + margin_mm)
    return NeededSlices(slices, hips) if len(slices) < geometry.shape[0] else None


def all_read(image: CtImage, hips: Hips, level: Level, protocol: Protocol, outliner: Outliner) -> bool:
    """Whether every slice that the measurement looks at was read."""
    needed = _slices(image.geometry, *_measured_mm(hips, level.z_mm, protocol, outliner))
    return image.unread_slices.isdisjoint(needed)


def _span_mm(
    hips: Hips, protocol: Protocol, by_hand: int | None, geometry: Geometry, outliner: Outliner
) -> tuple[float, float]:
    """Heights (LPS z) between which slices are needed; ``by_hand`` is a slice that was chosen by hand."""
    rule, settings = protocol.level, protocol.method.localiser
    if by_hand is not None:
        level_mm = geometry.slice_z_mm(by_hand)
    else:
        level_mm = hips.top_mm if rule.z_mm is None else rule.z_mm
    measured = _measured_mm(hips, level_mm + rule.offset_mm, protocol, outliner)
    is_near = rule.landmark in ("femoral-head-top", "femoral-head-centre", "z", "slice")
    around = settings.around_hips_mm if is_near else settings.landmarks_mm
    centres_mm = [head.centre_mm[2] for head in (hips.left, hips.right)]
    return min(measured[0], min(centres_mm) + around[0]), max(measured[1], max(centres_mm) + around[1])


def _measured_mm(hips: Hips, level_mm: float, protocol: Protocol, outliner: Outliner) -> tuple[float, float]:
    """The surroundings of the level that are judged, and the context in which the muscle is cut out."""
    reach_mm = max(
        protocol.method.quality.metal_reach_mm, protocol.level.profile_mm + outliner.slices_context_mm
    )
    context_mm = outliner.hips_context_mm
    return (
        min(level_mm - reach_mm, hips.top_mm - context_mm),
        max(level_mm + reach_mm, hips.top_mm + context_mm),
    )


def _slices(geometry: Geometry, low_mm: float, high_mm: float) -> range:
    ends = sorted((geometry.nearest_slice(low_mm), geometry.nearest_slice(high_mm)))
    return range(max(0, ends[0]), min(geometry.shape[0], ends[1] + 1))
