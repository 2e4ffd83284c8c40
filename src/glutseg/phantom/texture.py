"""Random fields fixed in space: the same patient looks alike on every grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from glutseg.phantom.shapes import FloatArray, PlaneGrid

Float32Array = npt.NDArray[np.float32]

_HALF_WIDTH_MM = 260.0
_Z_MM = (-170.0, 190.0)


@dataclass(frozen=True)
class Field:
    """A standard normal random field on a coarse grid (z, y, x) around the origin."""

    values: Float32Array
    spacing_mm: tuple[float, float, float]

    @classmethod
    def random(
        cls,
        rng: np.random.Generator,
        sigma_mm: tuple[float, float, float],
        spacing_mm: tuple[float, float, float],
    ) -> Field:
        """Gaussian noise smoothed by ``sigma_mm`` (z, y, x)."""
        size_mm = (_Z_MM[1] - _Z_MM[0], 2 * _HALF_WIDTH_MM, 2 * _HALF_WIDTH_MM)
        shape = tuple(int(n / s) + 2 for n, s in zip(size_mm, spacing_mm, strict=True))
        noise = rng.standard_normal(shape, dtype=np.float32)
        smooth = gaussian_filter(noise, [s / d for s, d in zip(sigma_mm, spacing_mm, strict=True)])
        return cls((smooth - smooth.mean()) / smooth.std(), spacing_mm)

    def plane(self, grid: PlaneGrid, z_mm: float, shear: float = 0.0) -> Float32Array:
        """Values on a slice, interpolated.

        ``shear`` slants the pattern: y runs ahead by this share of |x|, alike on both sides.
        """
        low, weight = _between(np.array([z_mm - _Z_MM[0]]), self.spacing_mm[0], len(self.values))
        coarse = self.values[low[0]] * (1 - weight[0]) + self.values[low[0] + 1] * weight[0]
        column, wx = _between(grid.x_mm + _HALF_WIDTH_MM, self.spacing_mm[2], coarse.shape[1])
        across = coarse[:, column] * (1 - wx) + coarse[:, column + 1] * wx
        if shear == 0:
            row, wy = _between(grid.y_mm + _HALF_WIDTH_MM, self.spacing_mm[1], coarse.shape[0])
            return np.asarray(across[row] * (1 - wy[:, None]) + across[row + 1] * wy[:, None])
        y = grid.y_mm[:, None] + shear * np.abs(grid.x_mm) + _HALF_WIDTH_MM
        row, wy = _between(y, self.spacing_mm[1], coarse.shape[0])
        each = np.arange(across.shape[1])
        return np.asarray(across[row, each] * (1 - wy) + across[row + 1, each] * wy)


def _between(position_mm: FloatArray, spacing_mm: float, n: int) -> tuple[npt.NDArray[np.intp], Float32Array]:
    """Index below and weight of the one above, held inside the field."""
    index = np.clip(position_mm / spacing_mm, 0, n - 1.001)
    low = index.astype(np.intp)
    return low, (index - low).astype(np.float32)
