"""How far two outlines of one muscle on one slice agree: the measure of trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Agreement:
    """An outline against the one of its rivals that differs most.

    Attributes
    ----------
    dice : of the two, 0 to 1
    area_share : of the rival's area, more (positive) or less than the outline's
    rival : its name
    dice_of_rival : of every rival, by name
    other_outline : the rival itself, (row, column) of the whole slice
    """

    dice: float
    area_share: float
    rival: str
    dice_of_rival: dict[str, float]
    other_outline: BoolArray


def dice(one: BoolArray, other: BoolArray) -> float:
    """Twice the common area over the sum of both; 1 where both are empty."""
    total = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2 * int(np.count_nonzero(one & other)) / total if total else 1.0


def least_agreement(outline: BoolArray, rivals: Mapping[str, BoolArray]) -> Agreement:
    """The rival that differs most; of equal ones the first.

    Parameters
    ----------
    outline : (row, column)
    rivals : by name, at least one, on the same slice
    """
    all_dice = {name: dice(outline, rival) for name, rival in rivals.items()}
    name = min(all_dice, key=lambda rival: all_dice[rival])
    rival = rivals[name]
    own = int(np.count_nonzero(outline))
    share = int(np.count_nonzero(rival)) / own - 1 if own else 0.0
    return Agreement(all_dice[name], share, name, all_dice, rival)
