"""p values of rank tests, each with how it was found: the same as R's wilcox.test and cor.test."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

EXACT = "exact"
ASYMPTOTIC = "asymptotic, with continuity correction"
TIES = "asymptotic, with ties and continuity correction"
SERIES = "Edgeworth series"
T_TIES = "t distribution, with ties"

MAX_EXACT = 50
"""Patients (of the larger group) up to which a test of ranks counts every order; R's default ends at 49."""
MAX_EXACT_RHO = 12
"""The same for Spearman's rho, whose orders are far more work; R counts up to 9."""
FAR_OUT = 0.001
ROUNDING = 1e-10
"""Differences that are closer than this share of the largest are equal: the rest is the last bits' noise."""


def mann_whitney(first: Floats, second: Floats) -> tuple[float, float, str]:
    """U of the first sample, two-sided p, and how it was found."""
    pooled = np.concatenate([first, second])
    method = _method(max(len(first), len(second)), ties=len(np.unique(pooled)) < len(pooled))
    how = "exact" if method == EXACT else "asymptotic"
    done = stats.mannwhitneyu(first, second, alternative="two-sided", method=how)
    return float(done.statistic), float(done.pvalue), method


def signed_rank(difference: Floats) -> tuple[float, str]:
    """Two-sided p of Wilcoxon's signed-rank test, and how it was found; differences of 0 are left out."""
    steps = np.round(difference / np.abs(difference).max() / ROUNDING)
    sizes = np.abs(steps[steps != 0])
    ties = len(sizes) < len(steps) or len(np.unique(sizes)) < len(sizes)
    method = _method(len(steps), ties=ties)
    how = "exact" if method == EXACT else "asymptotic"
    return float(stats.wilcoxon(steps, zero_method="wilcox", correction=True, method=how).pvalue), method


def _method(n: int, *, ties: bool) -> str:
    if ties:
        return TIES
    return EXACT if n <= MAX_EXACT else ASYMPTOTIC


def spearman(x: Floats, y: Floats) -> tuple[float, float, str]:
    """Spearman's rho, its two-sided p, and how it was found.

    Without ties p is that of the sum of the squared differences of ranks: counted, or by the Edgeworth
    series of Best and Roberts (Appl Stat 1975;24:377, AS 89). Far out, where the series falls to 0 (and R
    with it), that of Student's t is taken if it is the larger, and never less than two orders of all.
    """
    done = stats.spearmanr(x, y)
    rho, t_p, n = float(done.statistic), float(done.pvalue), len(x)
    if min(len(np.unique(x)), len(np.unique(y))) < n:
        return rho, t_p, T_TIES
    squares = round((1 - abs(rho)) * (n**3 - n) / 6)  # the distribution is symmetric
    if n <= MAX_EXACT_RHO:
        return rho, min(1.0, 2 * float(_squares(n)[: squares + 1].sum()) / math.factorial(n)), EXACT
    p = 2 * _edgeworth(n, squares)
    return rho, min(1.0, p if p > FAR_OUT else max(p, t_p, 2 / math.factorial(n))), SERIES


@cache
def _squares(n: int) -> Floats:
    """How many orders of n ranks have each sum of squared differences, place by place."""
    top = (n**3 - n) // 3
    none = np.zeros(top + 1)
    none[0] = 1
    orders = {0: none}  # by the ranks that are taken, as bits
    for place in range(n):
        longer: dict[int, Floats] = {}
        for taken, counts in orders.items():
            for rank in range(n):
                if not taken >> rank & 1:
                    square = (place - rank) ** 2
                    sums = longer.setdefault(taken | 1 << rank, np.zeros(top + 1))
                    sums[square:] += counts[: top + 1 - square]
        orders = longer
    return orders[2**n - 1]


def _edgeworth(n: int, squares: int) -> float:
    """P(sum of squares <= this), one tail, by AS 89 with the correction R86; constants as there."""
    b = 1 / n
    x = (6 * (squares + 1) * b / (n * n - 1) - 1) * math.sqrt(n - 1)
    y = x * x
    inner = 0.0879 + 0.0151 * b - y * (0.0072 - 0.0831 * b + y * b * (0.0131 - 4.6e-4 * y))
    u = (
        x
        * b
        * (0.2274 + b * (0.2531 + 0.1745 * b) + y * (-0.0758 + b * (0.1033 + 0.3932 * b) - y * b * inner))
    )
    return float(stats.norm.cdf(x)) - u / math.exp(y / 2)
