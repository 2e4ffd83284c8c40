"""Both sides together, and area divided by height."""

from __future__ import annotations

import math

MM2_PER_CM2 = 100.0


def mean_of_sides(left: float | None, right: float | None) -> float | None:
    """Mean of two sides, None unless both are known: one side is no stand-in for the other."""
    total = sum_of_sides(left, right)
    return None if total is None else total / 2


def sum_of_sides(left: float | None, right: float | None) -> float | None:
    """Sum of two sides, None unless both are known."""
    if left is None or right is None or math.isnan(left) or math.isnan(right):
        return None
    return left + right


def per_height(area_mm2: float | None, height_m: float | None) -> float | None:
    """Area / height in mm²/m, None where either is unknown."""
    return None if area_mm2 is None or height_m is None else area_mm2 / height_m


def per_height_squared(area_mm2: float | None, height_m: float | None) -> float | None:
    """Area / height² in cm²/m², None where either is unknown."""
    return None if area_mm2 is None or height_m is None else area_mm2 / MM2_PER_CM2 / height_m**2
