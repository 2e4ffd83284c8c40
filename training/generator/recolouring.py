"""Changes of a CT that has labels: other density, fat, wasting and fat planes than the patient had."""

import torch
from torch import Tensor

from training.chance import Chance
from training.generator.muscle import borders, fat_fractions, fat_planes, infiltrated, reshaped
from training.grid import Grid
from training.labels import (
    FIRST_OTHER_MUSCLE,
    INSIDE_PELVIS,
    LAST_MUSCLE,
    MAXIMUS,
    MEDIUS,
    MINIMUS,
    UNLABELLED,
    is_muscle,
)


def recoloured(hu: Tensor, labels: Tensor, grid: Grid, chance: Chance) -> tuple[Tensor, Tensor]:
    """HU and labels of a changed patient; labels must be manual ones, since borders are moved along them."""
    fat_hu, muscle_hu = chance.uniform(-112, -90), chance.uniform(25, 60)
    texture = chance.smooth(2.5, grid) * 8
    if chance.happens(0.4):
        hu, labels = _wasted(hu, labels, fat_hu, muscle_hu + texture, grid, chance)
    return _other_tissue(hu, labels, fat_hu, muscle_hu + texture, grid, chance), labels


def slightly_recoloured(hu: Tensor, labels: Tensor, grid: Grid, chance: Chance) -> Tensor:
    """HU changed in density and fat only: for labels of the network's own making, with inexact borders."""
    if chance.happens(0.4):
        return hu
    fat_hu, muscle_hu = chance.uniform(-112, -90), chance.uniform(25, 60)
    return _other_tissue(hu, labels, fat_hu, muscle_hu + chance.smooth(2.5, grid) * 8, grid, chance)


def _wasted(
    hu: Tensor, labels: Tensor, fat_hu: float, muscle: Tensor, grid: Grid, chance: Chance
) -> tuple[Tensor, Tensor]:
    """Muscles smaller (fat takes their place) or larger (where fat was seen)."""
    fat = (hu < -55) & (hu > -150) & ((labels == UNLABELLED) | (labels >= INSIDE_PELVIS))
    changed = reshaped(labels, fat, grid, chance)
    gone = (labels != changed) & (changed == UNLABELLED)
    grown = (labels != changed) & ~gone
    noise = chance.smooth(2.5, grid) * 8
    hu = torch.where(gone & (hu > -60) & (hu < 160), fat_hu + noise, hu)
    return torch.where(grown, muscle, hu), changed


def _other_tissue(
    hu: Tensor, labels: Tensor, fat_hu: float, muscle_hu: Tensor, grid: Grid, chance: Chance
) -> Tensor:
    muscle = is_muscle(labels)
    if chance.happens(0.7):
        hu = hu + torch.where(hu > -20, _density_change(chance)[labels.long()], torch.zeros_like(hu))
    if chance.happens(0.4):  # planes that the patient had, hidden in places
        _, wide = borders(labels, muscle)
        hidden = (wide > 0) & (chance.smooth(14, grid) > chance.uniform(-0.9, 0.8)) & (hu < 20) & muscle
        hu = torch.where(hidden, muscle_hu, hu)
    if chance.happens(0.55):
        hu = infiltrated(hu, labels, fat_fractions(chance), fat_hu + chance.uniform(0, 30), grid, chance)
    if chance.happens(0.3):
        plane = fat_planes(labels, muscle, grid, chance)
        hu = hu * (1 - plane) + fat_hu * plane
    if chance.happens(0.5):
        hu = torch.where(hu < -50, hu + chance.uniform(-10, 14), hu)
    if chance.happens(0.3):
        hu = torch.where(hu > 150, (hu - 150) * chance.uniform(0.6, 1.3) + 150, hu)
    return hu


def _density_change(chance: Chance) -> Tensor:
    """Table (256,) of HU added to each code's muscle: all muscles together, and each a little by itself."""
    table = torch.zeros(256)
    shared = chance.uniform(-34, 14)
    for code in (MAXIMUS, MEDIUS, MINIMUS, *range(FIRST_OTHER_MUSCLE, LAST_MUSCLE + 1)):
        table[code] = shared + chance.normal(0, 4)
    table[MAXIMUS] += chance.uniform(-10, 4)
    return table.to(chance.device)
