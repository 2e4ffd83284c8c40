"""What a scanner and its operator do: sharpness, artefacts, noise, kernel, calibration, field of view."""

import torch
from torch import Tensor

from training.chance import Chance
from training.generator.metal import beam_hardening, horizontal_streaks, with_metal_hip
from training.generator.resolution import blurred, filtered, pitch_matrix
from training.grid import SPACING_MM, Grid
from training.labels import IGNORED, UNLABELLED

SLICE_MM, PIXEL_MM = SPACING_MM[0], SPACING_MM[1]
NOT_MEASURED_HU = -1024.0


def scanned(
    hu: Tensor, labels: Tensor, grid: Grid, chance: Chance, noise: float = 1.0
) -> tuple[Tensor, Tensor]:
    """HU of an image of the body, and its labels where it was seen.

    Parameters
    ----------
    noise
        Share of the full noise: what was already measured once is noisy.
    """
    hu = blurred(hu, _point_spread(chance), chance.uniform(0, 0.45) if chance.happens(0.6) else 0.0)
    if chance.happens(0.3):
        hu = hu + beam_hardening(grid, chance)
    if chance.happens(0.12):
        hu = with_metal_hip(hu, grid, chance)
    noise_first = chance.happens(0.5)
    if noise_first:
        hu = hu + _noise(grid, chance) * noise
    hu = _coarse(hu, chance)
    if not noise_first:
        hu = hu + _noise(grid, chance) * noise
    if chance.happens(0.3):
        hu = hu + horizontal_streaks(grid, chance)
    hu = _calibrated(_other_kernel(hu, chance), chance)
    hu, labels = _cut_by_field_of_view(hu, labels, grid, chance)
    hu, labels = _cut_by_end_of_scan(hu, labels, chance)
    return hu.clamp(-1024, 3071), labels


def _point_spread(chance: Chance) -> float:
    """Standard deviation in voxels of 1.2 mm: ordinary kernels, and one in five smooth ones up to 2.6 mm."""
    return chance.uniform(0, 0.8) if chance.happens(0.8) else chance.uniform(0.8, 2.2)


def _coarse(hu: Tensor, chance: Chance) -> Tensor:
    """Pixels of 1.5 to 3.2 mm, slices of 4 to 10.5 mm."""
    slices, rows, columns = hu.shape
    along_z = along_y = along_x = None
    if chance.happens(0.25):
        pitch = chance.uniform(1.5, 3.2) / PIXEL_MM
        along_y = pitch_matrix(rows, pitch, chance.uniform(0, pitch), hu.device)
        along_x = pitch_matrix(columns, pitch, chance.uniform(0, pitch), hu.device)
    if chance.happens(0.35):
        pitch = chance.uniform(4, 10.5) / SLICE_MM
        along_z = pitch_matrix(slices, pitch, chance.uniform(0, pitch), hu.device)
    return filtered(hu, along_z, along_y, along_x)


def _noise(grid: Grid, chance: Chance) -> Tensor:
    """Noise of 2 to 70 HU with the grain of a kernel, stronger in places."""
    kind = chance.numbers.random()
    deviation = (
        chance.uniform(2, 16)
        if kind < 0.45
        else chance.uniform(8, 36)
        if kind < 0.85
        else chance.uniform(30, 70)
    )
    white = chance.white(*grid.shape)
    if chance.happens(0.8):
        grain = blurred(white, chance.uniform(0.3, 1.1), chance.uniform(0, 0.4))
        if chance.happens(0.5):  # reconstruction from projections leaves little noise of low frequency
            grain = grain - blurred(grain, chance.uniform(2, 4))
        white = grain / grain.std().clamp(min=1e-3)
    return white * deviation * (1 + 0.3 * chance.smooth(60, grid)).clamp(min=0.2)


def _other_kernel(hu: Tensor, chance: Chance) -> Tensor:
    """Sharp kernels overshoot at edges and raise the noise; smooth ones lower both."""
    if chance.happens(0.2):
        return hu + chance.uniform(0.2, 1.7) * (hu - blurred(hu, chance.uniform(0.7, 1.4)))
    if chance.happens(0.15):
        return blurred(hu, chance.uniform(0.5, 2.1))
    return hu


def _calibrated(hu: Tensor, chance: Chance) -> Tensor:
    """Scale and offset of the HU: small always, large sometimes; the air does not follow the offset."""
    scale, offset = chance.uniform(0.97, 1.03), chance.normal(0, 4)
    if chance.happens(0.12):
        scale = chance.uniform(0.8, 1.25)
    if chance.happens(0.2):
        offset = chance.uniform(-28, 42)
    return torch.where(hu > -900, hu * scale + offset, hu * scale)


def _cut_by_field_of_view(hu: Tensor, labels: Tensor, grid: Grid, chance: Chance) -> tuple[Tensor, Tensor]:
    """A round or straight border beside which nothing was measured; no muscle is to be guessed there."""
    if not chance.happens(0.12):
        return hu, labels
    x, y, _ = grid.points_mm(chance.device).unbind(-1)
    if chance.happens(0.6):
        centre_x, centre_y = chance.uniform(-105, -75), chance.uniform(-20, 30)
        outside = torch.hypot(x - centre_x, y - centre_y) > chance.uniform(110, 190)
    else:
        outside = (x > chance.uniform(10, 80)) | (y > chance.uniform(60, 200))
    filling = (NOT_MEASURED_HU, 0.0, -1000.0 + chance.white(*grid.shape) * 20)[chance.integer(0, 3)]
    return torch.where(outside, torch.as_tensor(filling, device=hu.device), hu), torch.where(
        outside, torch.full_like(labels, UNLABELLED), labels
    )


def _cut_by_end_of_scan(hu: Tensor, labels: Tensor, chance: Chance) -> tuple[Tensor, Tensor]:
    """Up to half of the slices were not scanned: nothing is asked of them."""
    if not chance.happens(0.25):
        return hu, labels
    slices = hu.shape[0]
    missing = chance.integer(1, slices // 2)
    cut = slice(0, missing) if chance.happens(0.6) else slice(slices - missing, slices)
    hu, labels = hu.clone(), labels.clone()
    hu[cut] = NOT_MEASURED_HU
    labels[cut] = torch.where(labels[cut] != UNLABELLED, IGNORED, UNLABELLED).to(labels.dtype)
    return hu, labels
