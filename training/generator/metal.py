"""A metal hip and its streaks."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from training.chance import Chance
from training.grid import Grid


def with_metal_hip(hu: Tensor, grid: Grid, chance: Chance) -> Tensor:
    """HU with a metal head and shaft in this hip, or with the streaks of one in the other hip."""
    x, y, z = grid.points_mm(chance.device).unbind(-1)
    in_this_hip = chance.happens(0.7)
    x = x - (chance.uniform(-5, 5) if in_this_hip else chance.uniform(-200, -160))
    y = y - chance.uniform(-5, 5)
    implant = (z > -chance.uniform(40, 130)) & (z < chance.uniform(20, 45))
    radius = torch.hypot(x, y)
    reach_mm = chance.uniform(30, 90) if in_this_hip else chance.uniform(80, 160)
    hu = hu + implant * _rays(x, y, grid, chance) * chance.uniform(50, 350) * torch.exp(-radius / reach_mm)
    if chance.happens(0.5):  # a dark band along the line between the hips
        width = chance.uniform(8, 25)
        hu = hu - implant * chance.uniform(50, 400) * torch.exp(-((y / width) ** 2) - radius / reach_mm)
    if in_this_hip:
        hu = torch.where(implant & (radius < chance.uniform(9, 26)), torch.full_like(hu, 3000.0), hu)
    return hu


def _rays(x: Tensor, y: Tensor, grid: Grid, chance: Chance) -> Tensor:
    """Noise that is constant along rays from the metal, another in each slice."""
    slices, rays = grid.shape[0], 2 * chance.integer(20, 60)
    noise = chance.white(1, 1, slices, 1, rays)
    level = torch.linspace(-1, 1, slices, device=chance.device)[:, None, None].expand_as(x)
    angle = torch.atan2(y, x) / math.pi
    at = torch.stack([angle, torch.zeros_like(angle), level], -1)
    return functional.grid_sample(noise, at[None], align_corners=True)[0, 0]


def horizontal_streaks(grid: Grid, chance: Chance) -> Tensor:
    """HU to add: photon starvation between the hips, in lines across the body."""
    z = grid.points_mm(chance.device)[..., 2]
    lines = chance.coarse((grid.shape[0], grid.shape[1], 6), grid)
    return lines * chance.uniform(2, 18) * torch.exp(-((z / 40) ** 2))


def beam_hardening(grid: Grid, chance: Chance) -> Tensor:
    """HU to add: a dark band between the hips."""
    _, y, z = grid.points_mm(chance.device).unbind(-1)
    along, across = z / chance.uniform(15, 40), (y - chance.uniform(-15, 15)) / chance.uniform(12, 35)
    return -chance.uniform(0, 30) * torch.exp(-(along**2) - across**2)
