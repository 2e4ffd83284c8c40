"""How many patients a difference of this size needs, and what this study could have seen."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

POWERS = (0.8, 0.9)
ALPHA = 0.05
MAX_PER_GROUP = 100_000
ONE_SIDED_NONCENTRALITY = 5.0
"""Beyond it the chance of a significant result of the wrong sign is below 1e-11, and scipy's is NaN."""
CAVEAT = (
    "The power for the observed effect only restates the p value: it says nothing about whether a study "
    "that found no difference was large enough (Hoenig & Heisey, Am Stat 2001;55:19-24). Plan the next study "
    "with the smallest effect that would matter, or with the end of the interval that is nearer to none."
)


@dataclass(frozen=True)
class Power:
    """Of a two-sided t test at 0.05 with groups of these sizes.

    Attributes
    ----------
    observed : for the effect that was seen, as if it were the true one; see `CAVEAT`
    per_group : (power, patients in each of two equal groups) for that effect
    per_group_cautious : the same for the interval's end nearer to none; empty where it includes none
    detectable : (power, smallest effect in standard deviations) with the patients there are
    """

    effect: float
    observed: float
    per_group: tuple[tuple[float, int], ...]
    per_group_cautious: tuple[tuple[float, int], ...]
    detectable: tuple[tuple[float, float], ...]


def power_of(effect: float, n_first: int, n_second: int, low: float, high: float) -> Power:
    """Power and sample sizes.

    Parameters
    ----------
    effect : standardised difference (Hedges g)
    low, high : its confidence interval
    """
    from statsmodels.stats.power import TTestIndPower

    ratio, size = n_second / n_first, abs(effect)
    cautious = min(abs(low), abs(high)) if low * high > 0 else 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of solvers that try another start
        return Power(
            effect=effect,
            observed=_power(size, n_first, n_second),
            per_group=_sizes(size),
            per_group_cautious=_sizes(cautious),
            detectable=tuple(
                (p, float(TTestIndPower().solve_power(None, n_first, ALPHA, p, ratio))) for p in POWERS
            ),
        )


def _sizes(effect: float) -> tuple[tuple[float, int], ...]:
    """Smallest equal groups that reach each power; nothing for effects too small to plan for."""
    return tuple((p, n) for p in POWERS if (n := _per_group(effect, p)) is not None)


def _per_group(effect: float, power: float) -> int | None:
    if _power(effect, MAX_PER_GROUP, MAX_PER_GROUP) < power:
        return None
    low, high = 1, MAX_PER_GROUP
    while high - low > 1:  # by halving: solvers give up on very large effects
        middle = (low + high) // 2
        low, high = (low, middle) if _power(effect, middle, middle) >= power else (middle, high)
    return high


def _power(effect: float, n_first: int, n_second: int) -> float:
    from statsmodels.stats.power import TTestIndPower

    test, ratio = TTestIndPower(), n_second / n_first
    noncentrality = effect * math.sqrt(n_first * n_second / (n_first + n_second))
    if noncentrality > ONE_SIDED_NONCENTRALITY:
        return float(test.power(effect, n_first, ALPHA / 2, ratio, alternative="larger"))
    return float(test.power(effect, n_first, ALPHA, ratio))
