"""Effect sizes, also from what a paper prints: means and SDs, or t and the numbers of patients."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special, stats

LEVEL = 0.95
"""Of every confidence interval."""


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


UNKNOWN = Interval(math.nan, math.nan)


@dataclass(frozen=True)
class Effect:
    """What a t statistic of two independent groups says, without units.

    Attributes
    ----------
    t, df, p : Student's t, its degrees of freedom and two-sided p
    cohen_d : difference in pooled standard deviations
    hedges_g : the same without its bias in small samples
    hedges_g_ci : exact under the model of the t test, from the noncentral t distribution, times the
        same correction
    point_biserial_r : correlation of the value with belonging to the first group
    """

    t: float
    df: int
    p: float
    cohen_d: float
    hedges_g: float
    hedges_g_ci: Interval
    point_biserial_r: float


@dataclass(frozen=True)
class Test:
    """A t test of two means; the difference is first − second, with its interval."""

    statistic: float
    df: float
    p: float
    difference: float
    ci: Interval


def effect_from_t(t: float, n_first: int, n_second: int) -> Effect:
    """d, g, r and p from a published Student t of two independent groups.

    Parameters
    ----------
    t : positive where the first group's mean is larger
    n_first, n_second : patients, at least 2 together more than 2

    References
    ----------
    Hedges & Olkin, Statistical Methods for Meta-Analysis, 1985 (g and its exact correction);
    Steiger & Fouladi 1997 (the interval from noncentral t).
    """
    df = n_first + n_second - 2
    if min(n_first, n_second) < 1 or df < 1:
        msg = f"two groups with together at least 3 patients, got {n_first} and {n_second}"
        raise ValueError(msg)
    per_t = math.sqrt(1 / n_first + 1 / n_second)
    correction = math.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) * math.sqrt(2 / df)
    if df == 1:
        correction = math.nan  # the unbiased estimate does not exist
    tail = (1 - LEVEL) / 2
    low, high = (float(special.nctdtrinc(df, p, t)) for p in (1 - tail, tail))
    return Effect(
        t=t,
        df=df,
        p=float(2 * stats.t.sf(abs(t), df)),
        cohen_d=t * per_t,
        hedges_g=t * per_t * correction,
        hedges_g_ci=Interval(low * per_t * correction, high * per_t * correction),
        point_biserial_r=t / math.sqrt(t * t + df),
    )


def compare_summaries(
    mean_first: float, sd_first: float, n_first: int, mean_second: float, sd_second: float, n_second: int
) -> tuple[Test, Test, Effect]:
    """Student's and Welch's t test and the effect size from means, sample SDs (n - 1) and n.

    Returns
    -------
    student, welch, effect
    """
    given = (mean_first, sd_first, n_first, mean_second, sd_second, n_second)
    difference = mean_first - mean_second
    squares = (sd_first**2 / n_first, sd_second**2 / n_second)
    welch_df = sum(squares) ** 2 / (squares[0] ** 2 / (n_first - 1) + squares[1] ** 2 / (n_second - 1))
    df = n_first + n_second - 2.0
    pooled = (squares[0] * n_first * (n_first - 1) + squares[1] * n_second * (n_second - 1)) / df
    student_error = math.sqrt(pooled * (1 / n_first + 1 / n_second))
    tests = []
    for equal, dof, error in ((True, df, student_error), (False, welch_df, math.sqrt(sum(squares)))):
        t, p = (float(v) for v in stats.ttest_ind_from_stats(*given, equal_var=equal))
        half = error * float(stats.t.ppf((1 + LEVEL) / 2, dof))
        tests.append(Test(t, dof, p, difference, Interval(difference - half, difference + half)))
    return tests[0], tests[1], effect_from_t(tests[0].statistic, n_first, n_second)


def p_of_r(r: float, n: int) -> float:
    """Two-sided p of a published Pearson correlation of n patients."""
    t = r * math.sqrt((n - 2) / (1 - r * r))
    return float(2 * stats.t.sf(abs(t), n - 2))


def smallest_n_for_r(r: float, alpha: float = 0.05) -> int:
    """How many patients a correlation of this size needs to have p below ``alpha`` (two-sided)."""
    if not 0 < abs(r) < 1:
        msg = f"a correlation between 0 and 1 in size, got {r!r}"
        raise ValueError(msg)
    n = 4
    while p_of_r(r, n) >= alpha:
        n += 1
    return n
