"""The grid on which the network works: one side of the body, around the centre of its femoral head."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

SPACING_MM: Final = (3.0, 1.2, 1.2)
"""Of the network's voxels (z, y, x)."""
LOWER_CORNER_MM: Final = (-150.0, -72.0, -90.0)
"""First voxel (z, y, x) from the centre of the head; x points away from the midline on both sides."""
SHAPE: Final = (96, 160, 144)


@dataclass(frozen=True)
class Grid:
    """A box of voxels around the head.

    Attributes
    ----------
    shape
        Voxels (z, y, x); multiples of (8, 16, 16).
    lower_corner_mm
        Centre of the first voxel (z, y, x), from the centre of the femoral head.
    """

    shape: tuple[int, int, int] = SHAPE
    lower_corner_mm: tuple[float, float, float] = LOWER_CORNER_MM

    def part(self, first_slice: int, slices: int) -> "Grid":
        """The grid of some consecutive slices."""
        z, y, x = self.lower_corner_mm
        return Grid((slices, *self.shape[1:]), (z + first_slice * SPACING_MM[0], y, x))

    def extent_mm(self) -> tuple[float, float, float]:
        """Size of the box (z, y, x)."""
        z, y, x = (n * s for n, s in zip(self.shape, SPACING_MM, strict=True))
        return z, y, x

    def points_mm(self, device: torch.device) -> Tensor:
        """Positions of the voxels, shape (z, y, x, 3), last axis x, y, z from the centre of the head."""
        axes = [
            torch.arange(n, device=device, dtype=torch.float32) * spacing + start
            for n, spacing, start in zip(self.shape, SPACING_MM, self.lower_corner_mm, strict=True)
        ]
        return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).flip(-1).contiguous()
