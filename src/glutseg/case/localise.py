"""Looking ahead: where the hips are, from a few slices, and which others have to be read for them."""

from __future__ import annotations

from dataclasses import dataclass

from glutseg import anatomy, dicom
from glutseg.anatomy import Hips
from glutseg.case.outliners import GLUTSEG, Outliner
from glutseg.errors import GlutsegError
from glutseg.image import Geometry
from glutseg.protocol import LevelRule, Protocol
from glutseg.quality import METAL_REACH_MM
from glutseg.result import Level

SURE_FIT = 0.92
"""Hips that fit less well in a few slices are sought in all of them."""
AROUND_HIPS_MM = (-50.0, 70.0)
"""Below and above the heads' centres: the heads themselves, with room for the search of their surface."""
LANDMARKS_MM = (-130.0, 140.0)
"""Where bony landmarks are searched (`glutseg.anatomy.landmarks.SEARCHES`)."""
MARGIN_MM = 8.0
"""The hips in all slices lie no further from those in a few; where they do everything is read."""


@dataclass(frozen=True)
class HipLocation:
    """The slices to read, in the order of the series, and the hips as a few slices show them."""

    slices: range
    hips: Hips


def localise_hips(
    first: dicom.Localiser, protocol: Protocol, outliner: Outliner = GLUTSEG
) -> HipLocation | None:
    """What of a series has to be read for a protocol; None where that is everything."""
    rule = protocol.level
    if protocol.extent.whole_muscle or rule.landmark == "peak-area":
        return None
    if rule.slice_index is not None and rule.slice_index >= first.geometry.shape[0]:
        return None
    try:
        hips = anatomy.find_hips(first.volume.canonical())
    except GlutsegError:  # all slices may show more
        return None
    if hips.assumed or hips.fit < SURE_FIT:
        return None
    low, high = _span_mm(hips, rule, first.geometry, outliner)
    slices = _slices(first.geometry, low - MARGIN_MM, high + MARGIN_MM)
    return HipLocation(slices, hips) if len(slices) < first.geometry.shape[0] else None


def is_read(
    loaded: dicom.LoadedSeries, hips: Hips, level: Level, profile_mm: float, outliner: Outliner = GLUTSEG
) -> bool:
    """Whether every slice that the measurement looks at was read."""
    if loaded.detail is None:
        return True
    g = loaded.volume.geometry
    needed = _slices(g, *_measured_mm(hips, level.z_mm, profile_mm, outliner))
    return loaded.detail.start <= needed.start and needed.stop <= loaded.detail.stop


def _span_mm(hips: Hips, rule: LevelRule, g: Geometry, outliner: Outliner) -> tuple[float, float]:
    """Heights (LPS z) between which slices are needed."""
    if rule.slice_index is not None:
        level_mm = g.slice_z_mm(rule.slice_index)
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


def _slices(g: Geometry, low_mm: float, high_mm: float) -> range:
    ends = sorted((g.nearest_slice(low_mm), g.nearest_slice(high_mm)))
    return range(max(0, ends[0]), min(g.shape[0], ends[1] + 1))
