"""Random fields fixed in space, so that a patient has the same texture on every grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from glutseg.phantom.shapes import FloatArray, PlaneGrid

Float32Array = npt.NDArray[np.float32]

_PERIOD_MM = (180.0, 176.0, 208.0)
"""Period (z, y, x) of the pattern; repeating it saves nine tenths of the work, unnoticed by eye."""


@dataclass(frozen=True)
class RandomField:
    """A standard normal random field on a coarse periodic grid (z, y, x)."""

    values: Float32Array
    spacing_mm: tuple[float, float, float]

    @classmethod
    def random(
        cls,
        rng: np.random.Generator,
        sigma_mm: tuple[float, float, float],
        spacing_mm: tuple[float, float, float],
    ) -> RandomField:
        """Gaussian noise smoothed by ``sigma_mm`` (z, y, x)."""
        shape = tuple(round(p / s) for p, s in zip(_PERIOD_MM, spacing_mm, strict=True))
        noise = rng.standard_normal(shape, dtype=np.float32)
        sigma = [s / d for s, d in zip(sigma_mm, spacing_mm, strict=True)]
        smooth = gaussian_filter(noise, sigma, mode="wrap")
        return cls((smooth - smooth.mean()) / smooth.std(), spacing_mm)

    def plane(self, grid: PlaneGrid, z_mm: float, shear: float = 0.0) -> Float32Array:
        """Interpolate the field on a slice; ``shear`` shifts y by this share of abs(x), symmetrically."""
        depth, rows, columns = self.values.shape
        low, high, weight = _between(np.array([z_mm]), self.spacing_mm[0], depth)
        coarse = self.values[low[0]] * (1 - weight[0]) + self.values[high[0]] * weight[0]
        left, right, wx = _between(grid.x_mm, self.spacing_mm[2], columns)
        across = coarse[:, left] * (1 - wx) + coarse[:, right] * wx
        if shear == 0:
            low, high, wy = _between(grid.y_mm, self.spacing_mm[1], rows)
            return np.asarray(across[low] * (1 - wy[:, None]) + across[high] * wy[:, None])
        y = grid.y_mm[:, None] + shear * np.abs(grid.x_mm)
        low, high, wy = _between(y, self.spacing_mm[1], rows)
        column = np.arange(across.shape[1])
        return np.asarray(across[low, column] * (1 - wy) + across[high, column] * wy)


_Index = npt.NDArray[np.intp]


def _between(position_mm: FloatArray, spacing_mm: float, n: int) -> tuple[_Index, _Index, Float32Array]:
    """Return the indices below and above on the periodic grid, and the weight of the upper one."""
    position = position_mm / spacing_mm
    low = np.floor(position)
    weight = (position - low).astype(np.float32)
    below = low.astype(np.intp) % n
    return below, (below + 1) % n, weight
