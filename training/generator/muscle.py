"""What happens to muscles: wasting and growth, fat within them, fat planes between them."""

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from training.chance import Chance
from training.generator.deformation import rotation
from training.grid import SPACING_MM, Grid
from training.labels import FIRST_OTHER_MUSCLE, LAST_MUSCLE, MAXIMUS, MEDIUS, MINIMUS, UNLABELLED, is_muscle

MUSCLE_GROUPS: Final = (
    (MAXIMUS, MAXIMUS, 0.42, 0.30),
    (MEDIUS, MEDIUS, 0.38, 0.25),
    (MINIMUS, MINIMUS, 0.22, 0.20),
    (FIRST_OTHER_MUSCLE, LAST_MUSCLE, 0.38, 0.20),
)
"""First and last code; how far the border may move in and out, as a share of a voxel's neighbourhood."""
FIBRE_TILT_DEG: Final = (0.0, 38.0, -25.0)
"""Of the gluteus maximus' fibres against the left-right axis: from sacrum to femur, down and outwards."""


def mean_around(mask: Tensor, size: tuple[int, int, int]) -> Tensor:
    """Share of a mask in a box around each voxel."""
    padding = tuple(n // 2 for n in size)
    return functional.avg_pool3d(mask.float()[None, None], size, 1, padding, count_include_pad=False)[0, 0]


def reshaped(labels: Tensor, may_grow: Tensor, grid: Grid, chance: Chance) -> Tensor:
    """Labels with the muscles' borders moved: wasting leaves fat, growth goes where ``may_grow`` is true."""
    original, out = labels, labels
    wobble = chance.smooth(30, grid) * 0.12
    wasting = chance.uniform(-0.2, 0.4)
    for first, last, most_in, most_out in MUSCLE_GROUPS:
        mask = (original >= first) & (original <= last)
        share = mean_around(mask, (3, 7, 7))
        limit = (wasting + chance.uniform(-0.15, 0.15) + wobble).clamp(-most_out, most_in) + 0.5
        out = torch.where(mask & (share < limit), torch.full_like(out, UNLABELLED), out)
        if first in (MAXIMUS, MEDIUS):
            grown = (share > limit) & (original == UNLABELLED) & may_grow & (limit < 0.5)
            out = torch.where(grown, torch.full_like(out, first), out)
    return out


def fat_fractions(chance: Chance) -> list[float]:
    """Share of fat of each code's muscle, up to 0.65; alike within a patient, but not the same."""
    patient = chance.uniform(0, 0.12) if chance.happens(0.5) else chance.uniform(0.05, 0.6)
    fractions = [min(0.65, patient * chance.uniform(0.3, 1.4)) for _ in range(256)]
    fractions[MAXIMUS] = min(0.65, patient * chance.uniform(0.7, 1.3))
    return fractions


def infiltrated(
    hu: Tensor, labels: Tensor, fractions: list[float], fat_hu: float, grid: Grid, chance: Chance
) -> Tensor:
    """HU with streaks and clumps of fat in the muscles, along the fibres, in the given shares."""
    noise = _fibres(grid, chance) + (chance.smooth(10, grid) + chance.smooth(25, grid)) * chance.uniform(
        0.3, 0.8
    )
    # about normal with this deviation, so the quantile gives the threshold of a share
    deviation = 1.15
    probability = torch.tensor(fractions, device=hu.device).clamp(1e-4, 0.9)
    threshold = deviation * math.sqrt(2) * torch.erfinv(1 - 2 * probability)
    share = ((noise - threshold[labels.long()]) * chance.uniform(1, 4)).clamp(0, 1) * chance.uniform(0.5, 1)
    share = share * is_muscle(labels)
    return hu * (1 - share) + fat_hu * share


def _fibres(grid: Grid, chance: Chance) -> Tensor:
    """Noise that is long along the fibres."""
    extent_mm = 330.0
    along, across, thick = chance.uniform(8, 25), chance.uniform(1.2, 3.0), chance.uniform(3, 7)
    spread = chance.uniform(-30, 30), chance.uniform(-25, 25), chance.uniform(-30, 30)
    turn = rotation(*(a + b for a, b in zip(FIBRE_TILT_DEG, spread, strict=True)))
    knots = [max(4, int(extent_mm / mm)) for mm in (thick, across, along)]
    at = grid.points_mm(chance.device) @ torch.tensor(turn, device=chance.device, dtype=torch.float32)
    texture = chance.white(1, 1, *knots)
    at = (at / (extent_mm / 2))[None]
    return functional.grid_sample(texture, at, padding_mode="reflection", align_corners=True)[0, 0] * 1.5


def borders(labels: Tensor, tissue: Tensor) -> tuple[Tensor, Tensor]:
    """Where two different tissues touch in the plane: one voxel wide, and widened by one on each side."""
    codes = torch.where(tissue, labels, torch.zeros_like(labels)).short()
    edge = torch.zeros(labels.shape, device=labels.device)
    edge[:, :, :-1] += (codes[:, :, 1:] != codes[:, :, :-1]) & (codes[:, :, 1:] > 0) & (codes[:, :, :-1] > 0)
    edge[:, :-1] += (codes[:, 1:] != codes[:, :-1]) & (codes[:, 1:] > 0) & (codes[:, :-1] > 0)
    edge = edge.clamp(max=1)
    return edge, functional.max_pool3d(edge[None, None], (1, 3, 3), 1, (0, 1, 1))[0, 0]


def fat_planes(labels: Tensor, tissue: Tensor, grid: Grid, chance: Chance) -> Tensor:
    """Share of fat (0 to 1) of planes between touching muscles: of changing width, hidden in places."""
    edge, wide = borders(labels, tissue)
    mean_mm = chance.uniform(0.1, 2.6) if chance.happens(0.8) else chance.uniform(0, 0.3)
    width_mm = mean_mm * (1 + 0.6 * chance.smooth(14, grid)).clamp(0.1, 2.5)
    hidden = chance.smooth(12, grid) < chance.uniform(-1.3, 0.7)
    width_mm = torch.where(hidden, width_mm * 0.08, width_mm)
    pixel_mm = SPACING_MM[2]
    return torch.maximum(
        edge * (width_mm / pixel_mm).clamp(0, 1), wide * ((width_mm - 1.0) / (2 * pixel_mm)).clamp(0, 1)
    )
