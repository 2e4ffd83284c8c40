"""Fat planes: sheaths of uneven width around muscles, with gaps where no fat is seen."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from glutseg.phantom.shapes import FloatArray

_WAVES = 12
_MAX_CYCLES = 9
"""Finest unevenness along an outline; 9 on 330 mm is 37 mm, the size of the gaps seen on CT."""


@dataclass(frozen=True)
class Sheath:
    """Width of fat around an outline, as a function of the place on it and of height.

    Attributes
    ----------
    mean_mm : width where fat is seen
    gap_fraction : share of the outline without fat
    waves : (2, n, 3) of cycles around the outline, radians per mm of height, phase
    """

    mean_mm: float
    gap_fraction: float
    waves: FloatArray

    @classmethod
    def random(cls, rng: np.random.Generator, mean_mm: float, gap_fraction: float) -> Sheath:
        shape = (2, _WAVES)
        cycles = rng.integers(1, _MAX_CYCLES + 1, shape) * rng.choice([-1, 1], shape)
        per_mm = 2 * np.pi / rng.uniform(40, 120, shape)
        phase = rng.uniform(0, 2 * np.pi, shape)
        return cls(mean_mm, gap_fraction, np.stack([cycles, per_mm, phase], axis=2))

    def width_mm(self, n_points: int, z_mm: float) -> FloatArray:
        """Width at each of the points of an outline cut at ``z_mm``."""
        place = np.arange(n_points) / n_points
        cycles, per_mm, phase = np.moveaxis(self.waves, 2, 0)
        angle = 2 * np.pi * cycles[..., None] * place + (per_mm * z_mm + phase)[..., None]
        uneven, gap = np.sin(angle).sum(axis=1) * np.sqrt(2 / _WAVES)  # standard normal, nearly
        width = self.mean_mm * np.clip(1 + 0.5 * uneven, 0.2, 3)
        if self.gap_fraction <= 0:
            return np.asarray(width)
        limit = NormalDist().inv_cdf(min(self.gap_fraction, 1 - 1e-9))
        return np.asarray(np.where(gap < limit, 0.0, width))
