"""Two groups side by side: what they are, and whether they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from glutseg.study.effects import LEVEL, Effect, Interval, Test, effect_from_t
from glutseg.study.ranks import mann_whitney, signed_rank

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """One column in one group; quartiles as numpy's and R's default, SD with n - 1."""

    name: str
    group: str
    n: int
    missing: int
    mean: float
    sd: float
    median: float
    q1: float
    q3: float
    minimum: float
    maximum: float


@dataclass(frozen=True)
class RankTest:
    """Mann-Whitney's U of the first group; ``probability`` that one of the first has the larger value.

    ``method`` is how p was found (`glutseg.study.ranks`).
    """

    u: float
    p: float
    probability: float
    method: str


@dataclass(frozen=True)
class Comparison:
    """First group against second; differences are first − second.

    Attributes
    ----------
    percent : the difference in percent of the second group's mean
    """

    n_first: int
    n_second: int
    student: Test
    welch: Test
    mann_whitney: RankTest
    effect: Effect
    percent: float


def summarise(name: str, group: str, values: Sequence[float] | Floats) -> Summary:
    """Describe a column; NaN counts as missing."""
    every = np.asarray(values, dtype=float)
    known = every[~np.isnan(every)]
    n = len(known)
    quartiles = np.quantile(known, [0.25, 0.5, 0.75]) if n else np.full(3, np.nan)
    return Summary(
        name=name,
        group=group,
        n=n,
        missing=len(every) - n,
        mean=float(known.mean()) if n else np.nan,
        sd=float(known.std(ddof=1)) if n > 1 else np.nan,
        median=float(quartiles[1]),
        q1=float(quartiles[0]),
        q3=float(quartiles[2]),
        minimum=float(known.min()) if n else np.nan,
        maximum=float(known.max()) if n else np.nan,
    )


def compare(first: Floats, second: Floats) -> Comparison:
    """Student's, Welch's and Mann-Whitney's test and the effect size of two samples without NaN."""
    student, welch = (_t_test(first, second, equal_var=equal) for equal in (True, False))
    u, p, method = mann_whitney(first, second)
    return Comparison(
        n_first=len(first),
        n_second=len(second),
        student=student,
        welch=welch,
        mann_whitney=RankTest(u, p, u / (len(first) * len(second)), method),
        effect=effect_from_t(student.statistic, len(first), len(second)),
        percent=100 * student.difference / float(second.mean()),
    )


def _t_test(first: Floats, second: Floats, *, equal_var: bool) -> Test:
    done = stats.ttest_ind(first, second, equal_var=equal_var)
    ci = done.confidence_interval(LEVEL)
    return Test(
        statistic=float(done.statistic),
        df=float(done.df),
        p=float(done.pvalue),
        difference=float(first.mean() - second.mean()),
        ci=Interval(float(ci.low), float(ci.high)),
    )


@dataclass(frozen=True)
class Paired:
    """Left against right of the same patients; the difference is left − right.

    Attributes
    ----------
    percent : the difference in percent of the mean of all
    absolute_percent : mean size of the patients' differences, each in percent of their own mean
    wilcoxon_p, wilcoxon_method : of the signed-rank test, and how it was found (`glutseg.study.ranks`)
    """

    n: int
    mean_left: float
    mean_right: float
    test: Test
    wilcoxon_p: float
    wilcoxon_method: str
    percent: float
    absolute_percent: float
    r: float


def compare_sides(left: Floats, right: Floats) -> Paired | None:
    """Paired t test and Wilcoxon's test; None where fewer than three pairs differ."""
    pairs = ~(np.isnan(left) | np.isnan(right))
    left, right = left[pairs], right[pairs]
    difference, mean = left - right, (left + right) / 2
    if np.count_nonzero(difference) < 3 or np.ptp(difference) == 0:
        return None
    done = stats.ttest_rel(left, right)
    ci = done.confidence_interval(LEVEL)
    test = Test(
        float(done.statistic),
        float(done.df),
        float(done.pvalue),
        float(difference.mean()),
        Interval(float(ci.low), float(ci.high)),
    )
    wilcoxon_p, wilcoxon_method = signed_rank(difference)
    return Paired(
        n=len(left),
        mean_left=float(left.mean()),
        mean_right=float(right.mean()),
        test=test,
        wilcoxon_p=wilcoxon_p,
        wilcoxon_method=wilcoxon_method,
        percent=100 * float(difference.mean()) / float(mean.mean()),
        absolute_percent=100 * float(np.mean(np.abs(difference / mean))),
        r=float(np.corrcoef(left, right)[0, 1]) if np.ptp(left) and np.ptp(right) else np.nan,
    )
