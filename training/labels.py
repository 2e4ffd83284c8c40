"""Codes of the label maps, classes of the network, and the way from one to the other.

Codes 1 to 28 are those of yuta-hi/pelvic-annonation; 29 to 32 tell apart what is not labelled there.
"""

from typing import Final

import torch
from torch import Tensor

UNLABELLED: Final = 0  # fat, mostly
HIP_BONE: Final = 1
FEMUR: Final = 2
LAST_BONE: Final = 4
MAXIMUS, MEDIUS, MINIMUS = 5, 6, 7
FIRST_OTHER_MUSCLE, LAST_MUSCLE = 8, 28
AIR: Final = 29  # outside the body
INSIDE_PELVIS: Final = 30  # organs and fat within the pelvic and abdominal wall
AROUND_JOINT: Final = 31  # between hip bone and femur
OTHER_SOFT_TISSUE: Final = 32  # seen on CT, not labelled
IGNORED: Final = 255  # no loss here

CLASSES: Final = ("background", "maximus", "medius", "minimus", "bone", "other muscle")


def class_of_code(device: torch.device) -> Tensor:
    """Table (256,) of the network's class of each code; ``IGNORED`` stays."""
    table = torch.zeros(256, dtype=torch.uint8, device=device)
    table[HIP_BONE : LAST_BONE + 1] = 4
    table[MAXIMUS], table[MEDIUS], table[MINIMUS] = 1, 2, 3
    table[FIRST_OTHER_MUSCLE : LAST_MUSCLE + 1] = 5
    table[IGNORED] = IGNORED
    return table


def code_of_class(device: torch.device) -> Tensor:
    """Table (6,) of one code for each class: labels of the network's own making go the way of manual ones."""
    codes = [UNLABELLED, MAXIMUS, MEDIUS, MINIMUS, HIP_BONE, FIRST_OTHER_MUSCLE]
    return torch.tensor(codes, dtype=torch.uint8, device=device)


def is_bone(labels: Tensor) -> Tensor:
    """Mask of the bones."""
    return (labels >= HIP_BONE) & (labels <= LAST_BONE)


def is_muscle(labels: Tensor) -> Tensor:
    """Mask of all labelled muscles."""
    return (labels >= MAXIMUS) & (labels <= LAST_MUSCLE)
