"""Labels of the network's own making for CT that nobody has labelled."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from training.grid import SPACING_MM, Grid
from training.labels import IGNORED, code_of_class
from training.volumes import Volume, inside_scan, on_grid

SHIFTS_MM = ((0.0, 0.0, 0.0), (2.4, 0.0, 0.0), (-2.4, 2.4, 0.0), (0.0, -2.4, 3.0), (0.0, 0.0, -3.0))
"""Misplaced heads (x, y, z) over which probabilities are averaged: whole voxels, so nothing is resampled."""
MARGIN_VOXELS = 4
"""Nothing is believed at the faces of the crop, where the network sees one side only."""


def own_labels(
    probabilities: Callable[[Tensor], Tensor], volume: Volume, grid: Grid, least_probability: float
) -> Iterator[tuple[tuple[str, int], Tensor]]:
    """Codes (z, y, x) of both sides of a CT, ``IGNORED`` where the network is unsure or nothing was scanned.

    Parameters
    ----------
    probabilities
        From HU (z, y, x) to probabilities (6, z, y, x).
    """
    for side in (0, 1):
        total: Tensor | None = None
        for shift in SHIFTS_MM:
            moved = probabilities(on_grid(volume, side, grid, shift))
            x, y, z = (round(s / mm) for s, mm in zip(shift, SPACING_MM[::-1], strict=True))
            moved = torch.roll(moved, (z, y, x), (1, 2, 3))
            total = moved if total is None else total + moved
        assert total is not None  # noqa: S101 -- there are shifts
        best, classes = (total / len(SHIFTS_MM)).max(0)
        codes = code_of_class(classes.device)[classes]
        codes[best < least_probability] = IGNORED
        codes[~inside_scan(volume, grid.points_mm(codes.device), side)] = IGNORED
        yield (volume.name, side), _without_faces(codes)


def _without_faces(codes: Tensor) -> Tensor:
    inner = torch.full_like(codes, IGNORED)
    margin = min(MARGIN_VOXELS, min(codes.shape) // 4)
    middle = (slice(margin, -margin),) * 3
    inner[middle] = codes[middle]
    return inner
