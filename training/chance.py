"""Random numbers and smooth random fields of one training run."""

import torch
from numpy.random import Generator, default_rng
from torch import Tensor
from torch.nn import functional

from training.grid import Grid


class Chance:
    """Draws single numbers on the CPU and fields on the device of the run.

    Parameters
    ----------
    seed
        Of both generators.
    device
        Where fields are made.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self.numbers: Generator = default_rng(seed)
        self._fields = torch.Generator(device=device).manual_seed(seed)

    def uniform(self, low: float, high: float) -> float:
        """A number between two bounds."""
        return float(self.numbers.uniform(low, high))

    def normal(self, mean: float, deviation: float) -> float:
        """A normally distributed number."""
        return float(self.numbers.normal(mean, deviation))

    def integer(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high - 1``."""
        return int(self.numbers.integers(low, high))

    def happens(self, probability: float) -> bool:
        """Whether something of this probability happens now."""
        return bool(self.numbers.random() < probability)

    def white(self, *shape: int) -> Tensor:
        """Normally distributed, mean 0, deviation 1, nothing correlated."""
        return torch.randn(*shape, generator=self._fields, device=self.device)

    def coarse(self, knots: tuple[int, int, int], grid: Grid) -> Tensor:
        """White noise at some knots (z, y, x), interpolated to the shape of the grid."""
        noise = self.white(1, 1, *(max(2, n) for n in knots))
        return functional.interpolate(noise, size=grid.shape, mode="trilinear", align_corners=True)[0, 0]

    def smooth(self, grain_mm: float, grid: Grid) -> Tensor:
        """A field whose structures are about ``grain_mm`` large; its deviation is about 0.6."""
        z, y, x = (int(extent / grain_mm + 1) for extent in grid.extent_mm())
        return self.coarse((z, y, x), grid)
