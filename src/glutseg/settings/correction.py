"""Settings of the questions that are asked before a correction by hand is kept."""

from __future__ import annotations

from glutseg.settings.base import Area, Length, Settings, Share


class CorrectionSettings(Settings):
    """From where a correction is asked about. They change no area, so that they are no part of a protocol."""

    midline_slack_mm: Length = 10.0
    """A stroke may run this far over the midline, and a label may lie this far beyond it. Chosen: the midline
    of two hips and that of the skin's cleft differ by up to this where a patient lies twisted."""
    min_across_mm2: Area = 20.0
    """Least area across the midline that is asked about: 0.4 % of a usual muscle of 5000 mm². Chosen."""
    min_island_mm2: Area = 25.0
    """Smallest area of a piece apart from the largest that is an island and no single pixels. Chosen: five
    pixels a side at 1 mm."""
    max_islands_share: Share = 0.01
    """Most of an outline in islands: a third of what is flagged in automatic outlines (3 %), since a hand
    that leaves one can remove it. Chosen."""
    max_holes_share: Share = 0.01
    """Most of an outline that its holes may have: the protocol's area has none, fat streaks count.
    Chosen as for islands."""
    max_fat_rise: Share = 0.05
    """Most by which the share of fat may exceed that of the automatic outline. As for lobes of fat in
    automatic outlines (``quality.max_fat_lobe_share``): reference outlines have less than 0.01, with 6 mm of
    the fat behind the muscle 0.04 to 0.19."""
    max_fat_share: Share = 0.45
    """Most that is fat where there is no automatic outline: as ``quality.max_fat_share``."""
    min_outside_mm2: Area = 10.0
    """Least area of air or outside of the body that is asked about. Chosen: single pixels at a border."""
    air_hu: float = -500.0
    """Below lies air: half way between air and tissue, as ``quality.surface_hu``."""


CORRECTION = CorrectionSettings()
"""The limits that the viewer asks by."""
