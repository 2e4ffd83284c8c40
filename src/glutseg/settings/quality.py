"""Settings of the quality checks."""

from __future__ import annotations

from glutseg.settings.base import (
    AreaRange,
    Count,
    Hu,
    HuRange,
    Length,
    MeanHuRange,
    Percent,
    Settings,
    Share,
    Volume,
)


class QualitySettings(Settings):
    """From where a measurement is flagged for review."""

    max_error_bound_percent: Percent = 10.0
    """Most that the area of a gluteus maximus may be off: a 90 % bound in percent of it. Chosen: the groups
    that studies compare differ by about as much."""
    max_error_bound_other_muscles_percent: Percent = 20.0
    """The same for gluteus medius and minimus: smaller muscles whose borders show fewer edges. Chosen."""
    max_jump_share: Share = 0.12
    """Largest difference of the area from the mean of the neighbouring slices; anatomy changes 1 % per mm at
    most."""
    max_side_difference_share: Share = 0.30
    """Largest difference of the sides, as a share of their mean over the profile. Single slices differ by 5
    to 12 % in health."""
    area_mm2: AreaRange = (700.0, 9000.0)
    """Per side at any level of the hips: 1,100 (older women, sacroiliac) to 7,000 (athletes) are known."""
    mean_hu: MeanHuRange = (-60.0, 110.0)
    """From severe fatty change to a young muscle with contrast."""
    max_fat_share: Share = 0.45
    """Most of the area that is not lean. The outline is closed over fat up to 40 %; beyond, the fascia cannot
    be recognised."""
    metal_hu: Hu = 2500
    """Above lies metal: dense cortical bone ends near 2000 HU, scanners clip metal at 3071 or above."""
    metal_mm3: Volume = 300.0
    """Less is a clip, a marker or a dense spot of bone. Chosen."""
    metal_reach_mm: Length = 60.0
    """Metal is looked for this far above and below the level. Chosen."""
    impossible_hu: HuRange = (-250, 220)
    """Outside lies neither fat nor muscle, also with contrast. Chosen."""
    max_impossible_share: Share = 0.02
    """Most of the inner pixels of a muscle outside of ``impossible_hu``; with more, streaks cross it.
    Chosen."""
    border_pixels: Count = 2
    """Pixels at the border of the muscle that do not count as inner ones: partial volume. Chosen."""
    field_of_view_mm: Length = 3.0
    """A muscle this near to the edge of the field of view is cut off. Chosen."""
    body_hu: Hu = -900
    """A corner of the image above this is body, not padding. Chosen: air with noise lies below."""
    min_padding_share: Share = 0.01
    """Least share of the image of one constant value at a corner: measured air is never constant over such an
    area."""
