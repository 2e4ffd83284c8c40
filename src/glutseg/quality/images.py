"""Quality checks of the images around the measured slice: metal, and the ends of the series."""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from glutseg.errors import Flag
from glutseg.image import SIDES, CtImage, Mask
from glutseg.result import MuscleResult
from glutseg.settings import METHOD, QualitySettings


def check_metal(
    volume: CtImage, mask: Mask, slice_index: int, settings: QualitySettings = METHOD.quality
) -> tuple[Flag, ...]:
    """``metal`` near the level, and ``metal-streaks`` where the muscle itself shows impossible values."""
    g, reach_mm = volume.geometry, settings.metal_reach_mm
    reach = int(reach_mm / g.spacing_mm[0])
    near = volume.hu[max(0, slice_index - reach) : slice_index + reach + 1]
    volume_mm3 = float(np.count_nonzero(near > settings.metal_hu)) * g.voxel_volume_mm3
    if volume_mm3 < settings.metal_mm3:
        return ()
    flags = [Flag("metal", f"{volume_mm3 / 1000:.1f} cm³ of metal lies within {reach_mm:g} mm of the level")]
    low, high = settings.impossible_hu
    for side, label in SIDES.items():
        inner = ndi.binary_erosion(mask.labels[slice_index] == label, iterations=settings.border_pixels)
        values = volume.hu[slice_index][inner]
        share = float(((values < low) | (values > high)).mean()) if len(values) else 0.0
        if share > settings.max_impossible_share:
            flags.append(
                Flag("metal-streaks", f"{share:.0%} of the muscle lies outside {low} to {high} HU", side)
            )
    return tuple(flags)


def check_ends(record: MuscleResult) -> tuple[Flag, ...]:
    """``muscle-incomplete`` for a whole muscle that the series does not show to both ends."""
    whole = record.whole
    if whole is None or whole.is_complete:
        return ()
    shown = f"{whole.length_mm:.0f} mm of its length and {whole.volume_cm3:.0f} cm³ of its volume"
    return (Flag("muscle-incomplete", f"gluteus {record.muscle}: the series shows {shown}", record.side),)
