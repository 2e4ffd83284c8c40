"""Rendering: HU of a label map, with tissues, organs, skin, table and air that differ in every sample."""

import torch
from torch import Tensor
from torch.nn import functional

from training.chance import Chance
from training.generator.muscle import fat_fractions, fat_planes, infiltrated, mean_around, reshaped
from training.grid import Grid
from training.labels import (
    AIR,
    AROUND_JOINT,
    FEMUR,
    HIP_BONE,
    INSIDE_PELVIS,
    LAST_BONE,
    LAST_MUSCLE,
    MAXIMUS,
    OTHER_SOFT_TISSUE,
    UNLABELLED,
    is_bone,
    is_muscle,
)


def rendered(labels: Tensor, grid: Grid, chance: Chance) -> tuple[Tensor, Tensor]:
    """HU of a label map, and its labels after wasting and growth."""
    if chance.happens(0.25):
        labels = _thinner_body(labels, chance)
    if chance.happens(0.6):
        labels = reshaped(labels, labels == UNLABELLED, grid, chance)
    fat_hu, muscle_hu = chance.uniform(-114, -84), _muscle_hu(chance)
    hu = _mean_hu(fat_hu, muscle_hu, chance)[labels.long()]
    fatty = (labels == UNLABELLED) | ((labels >= INSIDE_PELVIS) & (labels <= OTHER_SOFT_TISSUE))
    muscle = is_muscle(labels)
    grain = chance.smooth(10, grid)
    hu = hu + muscle * (chance.uniform(1, 6) * grain + chance.uniform(0, 6) * chance.smooth(25, grid))
    hu = hu + fatty * (chance.uniform(2, 8) * grain + chance.uniform(0, 8) * chance.smooth(4, grid))
    hu, soft = _unlabelled_tissue(hu, labels, muscle_hu, grid, chance)
    hu = _posterior_skin_fold(hu, labels, grid, chance)
    fractions = fat_fractions(chance)
    if max(fractions) > 0.003:
        hu = infiltrated(hu, labels, fractions, fat_hu + chance.uniform(0, 30), grid, chance)
    plane = fat_planes(labels, muscle | soft, grid, chance)
    hu = hu * (1 - plane) + fat_hu * plane
    return _surface(_bone(hu, labels, grid, chance), labels, grid, chance), labels


def _muscle_hu(chance: Chance) -> float:
    """Of muscle without visible fat: usually 32 to 62, lower where fat is mixed in too finely to be seen."""
    return chance.uniform(-5, 66) if chance.happens(0.4) else chance.uniform(32, 62)


def _mean_hu(fat_hu: float, muscle_hu: float, chance: Chance) -> Tensor:
    """Table (256,) of the mean HU of each code."""
    table = torch.full((256,), fat_hu)
    for code in range(MAXIMUS, LAST_MUSCLE + 1):
        table[code] = muscle_hu + chance.normal(0, 4)
    table[MAXIMUS] += chance.uniform(-14, 3)
    for code in range(HIP_BONE, LAST_BONE + 1):
        table[code] = chance.uniform(60, 330)
    if chance.happens(0.3):
        table[FEMUR] = chance.uniform(-60, 150)  # fatty marrow
    table[AIR] = -1010
    return table.to(chance.device)


def _thinner_body(labels: Tensor, chance: Chance) -> Tensor:
    """Less subcutaneous fat: air where labelled tissue is further away than some millimetres in the plane."""
    tissue = (labels != UNLABELLED) & (labels != AIR)
    width = 2 * chance.integer(3, 11) + 1
    near = functional.max_pool2d(tissue.float()[:, None], (width, 1), 1, (width // 2, 0))
    near = functional.max_pool2d(near, (1, width), 1, (0, width // 2))[:, 0]
    return torch.where((labels == UNLABELLED) & (near == 0), torch.full_like(labels, AIR), labels)


def _unlabelled_tissue(
    hu: Tensor, labels: Tensor, muscle_hu: float, grid: Grid, chance: Chance
) -> tuple[Tensor, Tensor]:
    """HU with organs, contrast, gas, vessels, unlabelled muscle; mask of what touches muscles as they do."""
    b10, b4 = chance.smooth(10, grid), chance.smooth(4, grid)
    organ = (labels == INSIDE_PELVIS) & (b10 > chance.uniform(-0.6, 0.7))
    organ_hu = chance.uniform(0, 55) + 8 * b4
    if chance.happens(0.35):
        contrast = torch.full_like(hu, chance.uniform(80, 350))
        organ_hu = torch.where(chance.smooth(18, grid) > 0.6, contrast, organ_hu)
    hu = torch.where(organ, organ_hu, hu)
    capsule = (labels == AROUND_JOINT) & (
        chance.smooth(chance.uniform(6, 14), grid) > chance.uniform(-0.9, 0.6)
    )
    other = labels == OTHER_SOFT_TISSUE
    if chance.happens(0.3):
        other = other & (chance.smooth(8, grid) > chance.uniform(-1, 0.5))
    hu = torch.where(capsule, muscle_hu + chance.uniform(-18, 8) + 5 * b4, hu)
    hu = torch.where(other, muscle_hu + chance.uniform(-25, 12) + chance.uniform(3, 12) * b4, hu)
    if chance.happens(0.5):
        gas = (labels == INSIDE_PELVIS) & (b4 > chance.uniform(1.4, 2.2))
        hu = torch.where(gas, torch.full_like(hu, chance.uniform(-950, -400)), hu)
    unlabelled = (labels == UNLABELLED) | (labels >= INSIDE_PELVIS)
    vessel = unlabelled & (b4 > chance.uniform(1.5, 2.4))
    return torch.where(vessel, torch.full_like(hu, chance.uniform(10, 160)), hu), capsule | other


def _posterior_skin_fold(hu: Tensor, labels: Tensor, grid: Grid, chance: Chance) -> Tensor:
    """HU with a natal cleft (skin on skin, sometimes with air) at the medial edge, and strands in the fat.

    Soft tissue in the midline behind the coccyx and in the subcutaneous fat is not muscle.
    """
    x, y, _ = grid.points_mm(chance.device).unbind(-1)
    fat = labels == UNLABELLED
    if chance.happens(0.5):
        midline = chance.uniform(-92, -70) + 4 * chance.smooth(60, grid)
        depth = (x - midline).abs() / chance.uniform(1.2, 6.0)
        fold = fat & (y > chance.uniform(30, 75)) & (depth < 1)
        gap = fold & (depth < chance.uniform(-0.3, 0.4))
        hu = torch.where(fold, chance.uniform(-60, 45) + 15 * chance.smooth(3, grid), hu)
        hu = torch.where(gap, torch.full_like(hu, -900.0), hu)
    if chance.happens(0.35):
        ridge = chance.smooth(chance.uniform(8, 20), grid).abs()
        strand = fat & (ridge < chance.uniform(0.02, 0.09))
        hu = torch.where(strand, hu + chance.uniform(20, 110), hu)
    if chance.happens(0.15):  # oedema under the patient
        hu = hu + (fat & (y > chance.uniform(50, 90))) * chance.uniform(10, 70) * chance.smooth(
            12, grid
        ).clamp(0, 1)
    return hu


def _bone(hu: Tensor, labels: Tensor, grid: Grid, chance: Chance) -> Tensor:
    bone = is_bone(labels)
    shell = bone & (mean_around(bone, (3, 5, 5)) < chance.uniform(0.72, 0.99))
    hu = torch.where(bone, hu + chance.uniform(10, 80) * chance.smooth(2.2, grid), hu)
    return torch.where(shell, chance.uniform(350, 1100) + 150 * chance.smooth(4, grid), hu)


def _surface(hu: Tensor, labels: Tensor, grid: Grid, chance: Chance) -> Tensor:
    """Skin of one to three voxels; in the air a table or cushion, and sometimes a hand beside the hip."""
    air = labels == AIR
    width = 2 * chance.integer(1, 4) + 1
    near_air = (
        functional.max_pool2d(air.float()[:, None], (width, width), 1, (width // 2, width // 2))[:, 0] > 0
    )
    hu = torch.where(near_air & (labels == UNLABELLED), torch.full_like(hu, chance.uniform(-50, 45)), hu)
    x, y, _ = grid.points_mm(chance.device).unbind(-1)
    if chance.happens(0.15):
        radius = torch.hypot(
            x - chance.uniform(50, 90), (y - chance.uniform(-70, 30)) / chance.uniform(0.5, 2)
        )
        radius = radius / chance.uniform(12, 30) + 0.3 * chance.smooth(15, grid)
        hu = torch.where(air & (radius < 1), torch.full_like(hu, chance.uniform(0, 60)), hu)
        hu = torch.where(air & (radius < 0.5), chance.uniform(100, 500) + 200 * chance.smooth(4, grid), hu)
    if chance.happens(0.6):
        top, thickness = chance.uniform(70, 115), chance.uniform(1, 5)
        table = air & (y > top) & (y < top + thickness)
        hu = torch.where(table, torch.full_like(hu, chance.uniform(-300, 120)), hu)
        if chance.happens(0.5):
            cushion = air & (y > top + thickness)
            hu = torch.where(cushion, torch.full_like(hu, chance.uniform(-980, -750)), hu)
    return hu
