"""Correlation of the value with a column: over all patients, within each group, and apart from the groups."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from glutseg.study.compare import Floats
from glutseg.study.effects import LEVEL, UNKNOWN, Interval
from glutseg.study.ranks import spearman

ADJUSTED = "all, adjusted for group"
LEAST = 4
"""Fisher's interval needs n - 3 above 0."""


@dataclass(frozen=True)
class Correlation:
    """One pair of columns among some patients; NaN where it cannot be known, ``note`` says why.

    ``r`` is Pearson's with Fisher's interval; ``rho`` Spearman's with that of Bonett and Wright
    (Psychometrika 2000;65:23-28), and ``rho_method`` how its p was found (`glutseg.study.ranks`). ``who`` is
    "all", a group, or "all, adjusted for group": the correlation that is left when each group's own mean is
    taken off (partial correlation).
    """

    column: str
    who: str
    n: int
    r: float = math.nan
    r_ci: Interval = UNKNOWN
    r_p: float = math.nan
    rho: float = math.nan
    rho_ci: Interval = UNKNOWN
    rho_p: float = math.nan
    rho_method: str = ""
    note: str = ""


def correlate(column: str, who: str, x: Floats, y: Floats) -> Correlation:
    """Pearson's and Spearman's correlation of the patients in whom both are known."""
    both = ~(np.isnan(x) | np.isnan(y))
    x, y, n = x[both], y[both], int(both.sum())
    if n < LEAST:
        return Correlation(column, who, n, note=f"fewer than {LEAST} patients")
    for values, name in ((x, column), (y, "the value")):
        if np.ptp(values) == 0:
            return Correlation(column, who, n, note=f"{name} is the same in all of them")
    pearson = stats.pearsonr(x, y)
    ci = pearson.confidence_interval(LEVEL)
    rho, rho_p, rho_method = spearman(x, y)
    spread = math.sqrt((1 + rho**2 / 2) / (n - 3))
    return Correlation(
        column=column,
        who=who,
        n=n,
        r=float(pearson.statistic),
        r_ci=Interval(float(ci.low), float(ci.high)),
        r_p=float(pearson.pvalue),
        rho=rho,
        rho_ci=_by_fisher(rho, spread),
        rho_p=rho_p,
        rho_method=rho_method,
    )


def correlate_within(column: str, x: Floats, y: Floats, groups: Floats) -> Correlation:
    """Pearson's partial correlation given the group, with one degree of freedom less.

    Parameters
    ----------
    groups : number of each patient's group
    """
    who = ADJUSTED
    both = ~(np.isnan(x) | np.isnan(y))
    x, y, groups, n = x[both], y[both], groups[both], int(both.sum())
    if n < LEAST + 1 or len(set(groups)) < 2:
        return Correlation(column, who, n, note="too few patients")
    rest_x, rest_y = (_less_group_means(values, groups) for values in (x, y))
    if not rest_x.any() or not rest_y.any():
        return Correlation(column, who, n, note=f"{column} or the value does not vary within the groups")
    r = float(np.clip(rest_x @ rest_y / math.sqrt((rest_x @ rest_x) * (rest_y @ rest_y)), -1, 1))
    df = n - 3
    t = r * math.sqrt(df / max(1 - r * r, 1e-300))
    p = float(2 * stats.t.sf(abs(t), df))
    return Correlation(column, who, n, r, _by_fisher(r, 1 / math.sqrt(n - 4)), p)


def _less_group_means(values: Floats, groups: Floats) -> Floats:
    rest = values.copy()
    for group in set(groups):
        rest[groups == group] -= values[groups == group].mean()
    rest[np.abs(rest) < 1e-12 * max(1.0, float(np.abs(values).max()))] = 0.0
    return rest


def _by_fisher(r: float, spread: float) -> Interval:
    if abs(r) >= 1:
        return Interval(r, r)
    z, half = math.atanh(r), float(stats.norm.ppf((1 + LEVEL) / 2)) * spread
    return Interval(math.tanh(z - half), math.tanh(z + half))
