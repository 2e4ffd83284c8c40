"""Loss: weighted cross entropy and soft Dice, stricter at the borders that matter."""

import torch
from torch import Tensor
from torch.nn import functional

from training.labels import CLASSES, IGNORED
from training.settings import LossWeights

MAXIMUS_CLASS, MINIMUS_CLASS = 1, 3
SMOOTHING_VOXELS = 50.0
"""Keeps the Dice of a class that is hardly in the crop from jumping."""


def segmentation_loss(logits: Tensor, classes: Tensor, weights: LossWeights) -> Tensor:
    """Loss of logits (B, 6, Z, Y, X) against classes (B, Z, Y, X) uint8; ignored voxels take no part."""
    logits = logits.float()
    known = classes != IGNORED
    target = torch.where(known, classes, 0).long()
    entropy = functional.cross_entropy(
        logits, target, weight=logits.new_tensor(weights.cross_entropy), reduction="none"
    )
    entropy = (entropy * known * _border_weight(classes, weights)).sum() / known.sum().clamp(min=1)
    return entropy + _dice_loss(logits, target, known, logits.new_tensor(weights.dice))


def _dice_loss(logits: Tensor, target: Tensor, known: Tensor, weights: Tensor) -> Tensor:
    probability = logits.softmax(1) * known[:, None]
    truth = functional.one_hot(target, len(CLASSES)).movedim(-1, 1) * known[:, None]
    axes = (0, 2, 3, 4)
    overlap = (probability * truth).sum(axes)
    dice = (2 * overlap + SMOOTHING_VOXELS) / (probability.sum(axes) + truth.sum(axes) + SMOOTHING_VOXELS)
    return ((1 - dice) * weights).sum() / weights.sum()


def _border_weight(classes: Tensor, weights: LossWeights) -> Tensor:
    """One, and more within two voxels of the border of the maximus or minimus in the plane."""
    weight = torch.ones(classes.shape, device=classes.device)
    for number, extra in ((MAXIMUS_CLASS, weights.maximus_border), (MINIMUS_CLASS, weights.minimus_border)):
        mask = (classes == number).float()
        window: dict[str, int] = {"kernel_size": 5, "stride": 1, "padding": 2}
        near = functional.max_pool2d(mask, **window) + functional.max_pool2d(-mask, **window)
        weight = weight + extra * near
    return weight
