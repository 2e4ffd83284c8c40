"""What a scanner does to sharpness along one axis, as one matrix for each axis.

Blur, sampling at a coarser pitch and interpolation back are all linear and separable, so each axis has one
matrix (n, n), and a volume passes through it as a matrix product.
"""

import torch
from torch import Tensor

SIGMA_OF_PITCH = 0.45
"""A detector or a thick slice blurs by about this share of its width (standard deviation)."""


def gaussian_matrix(size: int, sigma: float, device: torch.device) -> Tensor:
    """Rows that sum to one; ``sigma`` in voxels, at zero the identity."""
    if sigma < 0.05:
        return torch.eye(size, device=device)
    at = torch.arange(size, device=device, dtype=torch.float32)
    weights = torch.exp(-0.5 * ((at[:, None] - at[None]) / sigma) ** 2)
    return weights / weights.sum(1, keepdim=True)


def interpolation_matrix(at: Tensor, size: int) -> Tensor:
    """Linear interpolation of ``size`` samples at continuous indices; held constant beyond both ends."""
    at = at.clamp(0, size - 1)
    return (1 - (at[:, None] - torch.arange(size, device=at.device)).abs()).clamp(min=0)


def pitch_matrix(size: int, pitch: float, phase: float, device: torch.device) -> Tensor:
    """Sampled at every ``pitch`` voxels (blurred accordingly) and interpolated back to every voxel."""
    coarse = max(2, int((size - 1 - phase) / pitch) + 1)
    at_coarse = phase + pitch * torch.arange(coarse, device=device, dtype=torch.float32)
    sampled = interpolation_matrix(at_coarse, size) @ gaussian_matrix(size, SIGMA_OF_PITCH * pitch, device)
    at_fine = (torch.arange(size, device=device, dtype=torch.float32) - phase) / pitch
    return interpolation_matrix(at_fine, coarse) @ sampled


def filtered(
    volume: Tensor, along_z: Tensor | None, along_y: Tensor | None, along_x: Tensor | None
) -> Tensor:
    """A volume (z, y, x) through one matrix for each axis; None leaves an axis as it is."""
    if along_x is not None:
        volume = volume @ along_x.T
    if along_y is not None:
        volume = along_y @ volume
    if along_z is not None:
        volume = (along_z @ volume.flatten(1)).view_as(volume)
    return volume


def blurred(volume: Tensor, sigma_in_plane: float, sigma_along_z: float = 0.0) -> Tensor:
    """Gaussian blur, in voxels."""
    z, y, x = volume.shape
    device = volume.device
    along_z = gaussian_matrix(z, sigma_along_z, device) if sigma_along_z > 0.05 else None
    return filtered(
        volume,
        along_z,
        gaussian_matrix(y, sigma_in_plane, device),
        gaussian_matrix(x, sigma_in_plane, device),
    )
