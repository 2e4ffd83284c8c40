"""New anatomy: where each voxel of the grid takes its label from."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.chance import Chance
from training.grid import Grid

ORDINARY_ROLL_DEG, LARGE_ROLL_DEG = 12.0, 28.0
"""Patients lie askew by up to 25 degrees."""


def rotation(x_deg: float, y_deg: float, z_deg: float) -> np.ndarray:
    """Rotation matrix about x, then y, then z."""
    (cx, sx), (cy, sy), (cz, sz) = ((math.cos(a), math.sin(a)) for a in np.deg2rad((x_deg, y_deg, z_deg)))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


def deformed_points(grid: Grid, chance: Chance) -> Tensor:
    """Points (z, y, x, [x y z]) in mm from the head in the source, one for each voxel of the grid.

    Size, proportions, pose, shear, a smooth elastic field, and a femoral head that was found some millimetres
    beside its place.
    """
    strength = 1.0 if chance.happens(0.85) else 0.4
    points = grid.points_mm(chance.device)
    moved = points + _elastic_mm(grid, chance) * strength
    moved = moved @ torch.tensor(_affine(strength, chance).T, device=chance.device, dtype=torch.float32)
    misplaced = np.clip(chance.numbers.normal(0, 3.5, 3), -10, 10)
    return moved + moved.new_tensor(misplaced)


def _affine(strength: float, chance: Chance) -> np.ndarray:
    size = math.exp(chance.uniform(-0.16, 0.16) * strength)
    axes = np.array([size * math.exp(chance.uniform(-0.10, 0.10) * strength) for _ in range(3)])
    roll = ORDINARY_ROLL_DEG if chance.happens(0.75) else LARGE_ROLL_DEG
    pitch_deg, yaw_deg, roll_deg = (chance.uniform(-a, a) * strength for a in (14.0, 9.0, roll))
    matrix = rotation(pitch_deg, yaw_deg, roll_deg) @ np.diag(1 / axes)
    matrix[0, 1] += chance.uniform(-0.06, 0.06) * strength
    matrix[2, 1] += chance.uniform(-0.06, 0.06) * strength
    return matrix


def _elastic_mm(grid: Grid, chance: Chance) -> Tensor:
    """Displacement (z, y, x, [x y z]) with knots some 30 to 80 mm apart, up to about 9 mm."""
    coarse = tuple(max(4, n // 8) for n in grid.shape)
    knots = [max(2, round(extent / chance.uniform(30, 80))) + 1 for extent in grid.extent_mm()]
    field = functional.interpolate(
        chance.white(1, 3, *knots), size=coarse, mode="trilinear", align_corners=True
    )
    for _ in range(2):  # so that no crease shows where the linear pieces meet
        field = functional.avg_pool3d(functional.pad(field, (1,) * 6, mode="replicate"), 3, 1)
    field = functional.interpolate(field, size=grid.shape, mode="trilinear", align_corners=True)
    amplitude_mm = [chance.uniform(2, 9), chance.uniform(2, 9), chance.uniform(1, 6)]
    return field[0].permute(1, 2, 3, 0) * field.new_tensor(amplitude_mm)
