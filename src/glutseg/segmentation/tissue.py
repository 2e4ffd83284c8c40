"""How dense fat and muscle are in this image, how much they scatter, and how much smoothing that asks for.

Measured in what the network is sure of, so that an offset of the HU, a tube voltage or contrast medium moves
the thresholds with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.segmentation.side_grid import SPACING_MM

SMOOTHING_MM = (0.6, 0.9, 1.3, 1.8, 2.5)
"""Sigmas to choose from: the least one at which fat and muscle stand apart."""
APART = 5.0
"""Spreads between the two: half way, one pixel in 160 is on the wrong side."""
USUAL_FAT_HU = -105.0
"""Adipose tissue at 120 kV, -115 to -95 HU: believed where no fat lies near."""
LEAST_CONTRAST_HU = 30.0
_FAT_AT_MM = (3.0, 25.0)
"""Subcutaneous fat, so far from the muscle."""
_ENOUGH = 200

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tissue:
    """Levels on one side of the body.

    Attributes
    ----------
    fat_hu, lean_hu : medians of subcutaneous fat and of the denser three quarters of the gluteus maximus
    spread : larger of the two robust standard deviations, smoothed, as a share of their difference
    fat_share : of the gluteus maximus, nearer to fat than to muscle
    smoothing_mm : sigma that the noise asks for
    noise_hu : robust standard deviation within the muscle of what a smoothing by 1.5 mm takes away
    """

    fat_hu: float
    lean_hu: float
    spread: float
    fat_share: float
    smoothing_mm: float
    noise_hu: float

    @property
    def contrast_hu(self) -> float:
        return max(LEAST_CONTRAST_HU, self.lean_hu - self.fat_hu)

    def leanness(self, hu: npt.NDArray[Any], spacing_mm: tuple[float, ...]) -> FloatArray:
        """Smoothed slices on a scale from 0, fat, to 1, muscle."""
        return np.asarray(
            (smooth(hu, self.smoothing_mm, spacing_mm) - self.fat_hu) / self.contrast_hu, np.float32
        )


def smooth(hu: npt.NDArray[Any], sigma_mm: float, spacing_mm: tuple[float, ...]) -> FloatArray:
    """Each slice, with air and bone clipped."""
    clipped = np.clip(hu, -300, 300).astype(np.float32)
    return np.asarray(ndi.gaussian_filter(clipped, (0, *(sigma_mm / s for s in spacing_mm[-2:]))), np.float32)


def measure_tissue(hu: FloatArray, probabilities: FloatArray) -> Tissue:
    """Levels, spread and noise from HU and the network's probabilities on its grid."""
    maximus = probabilities[1] > 0.5
    core = ndi.binary_erosion(probabilities[1] > 0.9, np.ones((1, 3, 3)), iterations=2)
    if np.count_nonzero(core) < _ENOUGH:
        core = maximus
    distance_mm = ndi.distance_transform_edt(~maximus, sampling=SPACING_MM)
    outside = (probabilities[0] > 0.97) & (distance_mm > _FAT_AT_MM[0]) & (distance_mm < _FAT_AT_MM[1])
    noise_hu = _spread((hu - smooth(hu, 1.5, SPACING_MM))[core])
    tried: list[Tissue] = []
    for sigma_mm in SMOOTHING_MM:
        smoothed = smooth(hu, sigma_mm, SPACING_MM)
        tried.append(_levels(smoothed[core], smoothed[outside], sigma_mm, noise_hu))
        if tried[-1].spread * APART <= 1:
            break
    return tried[-1]


def _levels(muscle: FloatArray, outside: FloatArray, sigma_mm: float, noise_hu: float) -> Tissue:
    lean_hu = float(np.median(muscle[muscle >= np.percentile(muscle, 25)]))
    fat = outside[(outside > -280) & (outside < lean_hu - 60)]
    fat_hu, fat_spread_hu = USUAL_FAT_HU, 0.0
    if len(fat) > _ENOUGH:
        fat_hu = float(np.median(fat))
        for _ in range(3):  # towards the mode: skin and vessels lie on one side of it
            near = fat[np.abs(fat - fat_hu) < 35]
            fat_hu = float(np.median(near)) if len(near) else fat_hu
        fat_spread_hu = _spread(fat[np.abs(fat - fat_hu) < 80])
    lean_spread_hu = _spread(muscle[muscle > lean_hu - 60])
    contrast_hu = max(LEAST_CONTRAST_HU, lean_hu - fat_hu)
    return Tissue(
        fat_hu,
        lean_hu,
        max(fat_spread_hu, lean_spread_hu) / contrast_hu,
        float(np.mean(muscle < (lean_hu + fat_hu) / 2)),
        sigma_mm,
        noise_hu,
    )


def _spread(values: FloatArray) -> float:
    """Robust standard deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values)))) if len(values) else 0.0
