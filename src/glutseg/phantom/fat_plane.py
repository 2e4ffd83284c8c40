"""Fat planes around muscles, of varying width and with gaps without visible fat."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from glutseg.phantom.shapes import FloatArray

_WAVES = 12
"""Number of random waves that make up the variation."""
_MAX_CYCLES = 9
"""Largest number of waves around an outline; 9 on 330 mm is 37 mm, the size of the gaps seen on CT."""


@dataclass(frozen=True)
class FatPlane:
    """Width of fat around an outline as a function of position on the outline and of height.

    Attributes
    ----------
    mean_mm : mean width outside the gaps
    gap_fraction : share of the outline without fat
    waves : (2, n, 3), for width and gaps: cycles around the outline, radians per mm of height, phase
    """

    mean_mm: float
    gap_fraction: float
    waves: FloatArray

    @classmethod
    def random(cls, rng: np.random.Generator, mean_mm: float, gap_fraction: float) -> FatPlane:
        shape = (2, _WAVES)
        cycles = rng.integers(1, _MAX_CYCLES + 1, shape) * rng.choice([-1, 1], shape)
        per_mm = 2 * np.pi / rng.uniform(40, 120, shape)
        phase = rng.uniform(0, 2 * np.pi, shape)
        return cls(mean_mm, gap_fraction, np.stack([cycles, per_mm, phase], axis=2))

    def width_mm(self, n_points: int, z_mm: float) -> FloatArray:
        """Return the width in mm at each point of an outline at height ``z_mm``."""
        position = np.arange(n_points) / n_points
        cycles, per_mm, phase = np.moveaxis(self.waves, 2, 0)
        angle = 2 * np.pi * cycles[..., None] * position + (per_mm * z_mm + phase)[..., None]
        variation, gap = np.sin(angle).sum(axis=1) * np.sqrt(2 / _WAVES)  # nearly standard normal
        width = self.mean_mm * np.clip(1 + 0.5 * variation, 0.2, 3)
        if self.gap_fraction <= 0:
            return np.asarray(width)
        threshold = NormalDist().inv_cdf(min(self.gap_fraction, 1 - 1e-9))
        return np.asarray(np.where(gap < threshold, 0.0, width))
