"""Quality checks of the HU scale: how dense subcutaneous fat is, and how much noise there is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage as ndi

from glutseg.errors import Flag
from glutseg.quality.picture import BoolArray, FloatArray, Picture
from glutseg.settings import QualitySettings

_BELOW_MUSCLE_HU = (-350.0, -60.0)
"""Where fat is looked for: it lies 70 to 250 HU below muscle, whatever was done to the scale."""
_OF_FAT_HU = 30.0
"""This near to its mode fat is fat."""
_DARKEST_HU = -1024
"""What scanners give at least for air; padding lies lower."""
_AIR_TELLS_HU = 20.0
"""By so much one explanation has to fit the air better than the other: calibration and scatter move it."""


@dataclass(frozen=True)
class Densities:
    """Levels on one slice, in HU; None where too little of a tissue lies there.

    Attributes
    ----------
    fat_hu : of subcutaneous fat, the mode
    lean_hu : of the outlined muscle, the median of its denser three quarters
    air_hu : around the body
    lowest_air_hu : a quarter of what lies there is below
    noise_hu : the lower one of the robust standard deviations within fat and within muscle
    """

    fat_hu: float | None = None
    lean_hu: float | None = None
    air_hu: float | None = None
    noise_hu: float | None = None
    lowest_air_hu: float | None = None


def measure_densities(picture: Picture) -> Densities:
    """What muscle measures where it was outlined, fat below the skin, and air around the body."""
    settings = picture.settings
    hu = np.clip(picture.hu, _DARKEST_HU, -_DARKEST_HU).astype(float)
    smoothed = picture.smoothed(hu, settings.smoothing_mm)
    fine = hu - picture.smoothed(hu, max(settings.noise_smoothing_mm, 2 * max(picture.pixel_mm)))
    around = ~picture.body
    air_hu = float(np.median(hu[around])) if around.any() else None
    around &= ~picture.unseen | (hu < settings.body_hu)  # denser padding says nothing of air
    is_seen = np.count_nonzero(around) > settings.min_padding_share * hu.size
    lowest_air_hu = float(np.percentile(hu[around], 25)) if is_seen else None

    def is_enough(mask: BoolArray) -> bool:
        return bool(np.count_nonzero(mask) * picture.pixel_area_mm2 >= settings.min_tissue_mm2)

    core = picture.inner(picture.maximus & ~picture.unseen, settings.border_pixels * max(picture.pixel_mm))
    if not is_enough(core):
        return Densities(air_hu=air_hu, lowest_air_hu=lowest_air_hu)
    muscle = smoothed[core]
    lean_hu = float(np.median(muscle[muscle >= np.percentile(muscle, 25)]))
    of_muscle = Densities(None, lean_hu, air_hu, _robust_sd(fine[core]), lowest_air_hu)
    low_hu, high_hu = (lean_hu + below for below in _BELOW_MUSCLE_HU)
    below_skin = picture.inner(picture.body, settings.skin_mm) & ~picture.maximus
    candidates = below_skin & (smoothed > low_hu) & (smoothed < high_hu)
    if not is_enough(candidates):
        return of_muscle
    fat = candidates & (np.abs(smoothed - _mode(smoothed[candidates])) < _OF_FAT_HU)
    even = ndi.binary_erosion(fat)
    if not is_enough(even):
        return of_muscle
    noise_hu = min(_robust_sd(fine[core]), _robust_sd(fine[even]))
    return replace(of_muscle, fat_hu=float(np.median(smoothed[even])), noise_hu=noise_hu)


def check_densities(found: Densities, settings: QualitySettings) -> tuple[Flag, ...]:
    """``hu-unusual`` or ``hu-shifted``, ``noise-high`` or ``noise-excessive``, each with its size."""
    return (*(_check_air(found, settings) or _check_scale(found, settings)), *_check_noise(found, settings))


def _check_air(found: Densities, settings: QualitySettings) -> list[Flag]:
    if found.lowest_air_hu is None or found.lowest_air_hu <= settings.max_air_hu:
        return []
    fat = "" if found.fat_hu is None else f" and subcutaneous fat at {found.fat_hu:.0f} HU"
    message = f"the air around the body is at {found.lowest_air_hu:.0f} HU (by definition -1000){fat}"
    return [Flag("hu-shifted", message)]


def _check_scale(found: Densities, settings: QualitySettings) -> list[Flag]:
    if found.fat_hu is None or found.lean_hu is None:
        return []
    low_hu, high_hu = settings.usual_fat_hu
    distance_hu = max(low_hu - found.fat_hu, found.fat_hu - high_hu)
    if distance_hu <= 0:
        return []
    message = (
        f"subcutaneous fat is at {found.fat_hu:.0f} HU (usual: {low_hu} to {high_hu} HU) and muscle at "
        f"{found.lean_hu:.0f} HU, as if all HU were {_explanation(found.fat_hu, found.air_hu, settings)}"
    )
    return [Flag("hu-shifted" if distance_hu > settings.max_shift_hu else "hu-unusual", message)]


def _explanation(fat_hu: float, air_hu: float | None, settings: QualitySettings) -> str:
    """An offset or a factor: what also explains the air; both where the air was clipped or is not seen."""
    usual_hu = sum(settings.usual_fat_hu) / 2
    offset_hu, factor = fat_hu - usual_hu, fat_hu / usual_hu
    moved = f"about {abs(offset_hu):.0f} too {'high' if offset_hu > 0 else 'low'}"
    scaled = f"multiplied by about {factor:.2f}"

    def misses_by(expected_hu: float) -> float:
        return 0.0 if air_hu is None else abs(air_hu - max(expected_hu, _DARKEST_HU))

    if factor <= 0:
        return moved
    by_scale = misses_by(settings.air_hu * factor)
    by_move = min(misses_by(settings.air_hu), misses_by(settings.air_hu + offset_hu))
    if abs(by_scale - by_move) < _AIR_TELLS_HU:
        return f"{moved} or {scaled}"
    return scaled if by_scale < by_move else moved


def _check_noise(found: Densities, settings: QualitySettings) -> list[Flag]:
    if found.noise_hu is None or found.noise_hu <= settings.usual_noise_hu:
        return []
    code = "noise-excessive" if found.noise_hu > settings.max_noise_hu else "noise-high"
    return [Flag(code, f"a standard deviation of {found.noise_hu:.0f} HU within fat or muscle")]


def _mode(values: FloatArray) -> float:
    """Of their histogram in steps of 1 HU, smoothed by 5."""
    counts = np.bincount(np.rint(values - values.min()).astype(int)).astype(float)
    return float(values.min() + np.argmax(ndi.gaussian_filter1d(counts, 5, mode="constant")))


def _robust_sd(values: FloatArray) -> float:
    return float(1.4826 * np.median(np.abs(values - np.median(values))))
