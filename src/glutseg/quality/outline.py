"""Quality checks of a measured outline."""

from __future__ import annotations

import numpy as np

from glutseg.errors import Flag
from glutseg.image import Side
from glutseg.quality.error_model import LONG_PLANE_MM
from glutseg.result import MuscleResult, ProfilePoint, SliceMeasurement
from glutseg.settings import METHOD, QualitySettings


def check_found(record: MuscleResult) -> tuple[Flag, ...]:
    """``muscle-missing`` for a muscle without a pixel on the measured slice."""
    if record.measurement is not None:
        return ()
    message = f"the gluteus {record.muscle} was not found on the measured slice"
    return (Flag("muscle-missing", message, record.side),)


def check_error_bound(record: MuscleResult, settings: QualitySettings = METHOD.quality) -> tuple[Flag, ...]:
    """``outline-uncertain`` for an area that may be off by more than the protocol allows."""
    bound, difference = record.error_bound_percent, record.other_difference_percent
    is_maximus = record.muscle == "maximus"
    limit = settings.max_error_bound_percent
    if bound is None or bound <= (limit if is_maximus else settings.max_error_bound_other_muscles_percent):
        return ()
    what = "the area" if is_maximus else f"the area of the gluteus {record.muscle}"
    message = f"{what} may be off by {bound:.0f} % (90 % bound)"
    plane_mm = record.uncertainty_measures.get("plane_inside_medius_mm", 0.0)
    if is_maximus and plane_mm > LONG_PLANE_MM:
        message += f"; a fat plane of {plane_mm:.0f} mm inside the gluteus medius may be its border"
    if difference is not None:
        where = f", mostly at the {record.differs_at}" if record.differs_at else ""
        more = "more" if difference > 0 else "less"
        message += f"; a second method outlines {abs(difference):.0f} % {more}{where}"
    return (Flag("outline-uncertain", message, record.side),)


def check_outline(
    record: MuscleResult, profile: tuple[ProfilePoint, ...], settings: QualitySettings = METHOD.quality
) -> tuple[Flag, ...]:
    """What is uncertain or implausible about the outline of one gluteus maximus.

    Parameters
    ----------
    profile : around the level, both sides of the gluteus maximus, without slices that show none
    """
    measured = record.measurement
    if measured is None:
        return ()
    flags = [*check_error_bound(record, settings), *_check_figures(record.side, measured, settings)]
    return (*flags, *_check_jump(record.side, profile, settings))


def _check_figures(side: Side, m: SliceMeasurement, settings: QualitySettings) -> list[Flag]:
    flags = []
    (least_mm2, most_mm2), (least_hu, most_hu) = settings.area_mm2, settings.mean_hu
    if not least_mm2 <= m.area_mm2 <= most_mm2:
        flags.append(Flag("size-implausible", f"{m.area_mm2:.0f} mm²", side))
    if not least_hu <= m.mean_hu <= most_hu:
        flags.append(Flag("density-implausible", f"mean {m.mean_hu:.0f} HU", side))
    fat_share = 1 - m.lean_area_mm2 / m.area_mm2 if m.area_mm2 else 1.0
    if fat_share > settings.max_fat_share:
        flags.append(Flag("muscle-fatty", f"{fat_share:.0%} of the area is not lean muscle", side))
    return flags


def _check_jump(side: Side, profile: tuple[ProfilePoint, ...], settings: QualitySettings) -> list[Flag]:
    """The measured slice against the mean of its two neighbours."""
    own = sorted((p.offset_mm, p.measurement.area_mm2) for p in profile if p.side == side)
    middle = next((i for i, (offset, _) in enumerate(own) if abs(offset) < 1e-6), None)
    if middle is None or not 0 < middle < len(own) - 1:
        return []
    area = own[middle][1]
    beside = (own[middle - 1][1] + own[middle + 1][1]) / 2
    jump = abs(area - beside) / max(area, beside, 1e-9)
    if jump <= settings.max_jump_share:
        return []
    return [
        Flag("slices-disagree", f"{area:.0f} mm² here, {beside:.0f} mm² on the neighbouring slices", side)
    ]


def check_difference(
    profile: tuple[ProfilePoint, ...], settings: QualitySettings = METHOD.quality
) -> tuple[Flag, ...]:
    """Left against right over the whole profile, which a tilt of the pelvis changes less than one slice."""
    left = [p.measurement.area_mm2 for p in profile if p.side == "left"]
    right = [p.measurement.area_mm2 for p in profile if p.side == "right"]
    if not left or not right:
        return ()
    a, b = float(np.mean(left)), float(np.mean(right))
    difference = abs(a - b) / max((a + b) / 2, 1e-9)
    if difference <= settings.max_side_difference_share:
        return ()
    return (
        Flag("sides-differ", f"mean of the slices around the level: left {a:.0f} mm², right {b:.0f} mm²"),
    )
