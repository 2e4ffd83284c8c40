"""Agreement of areas between raters: Bland-Altman, intraclass correlation, measurement error.

Sources: Bland and Altman, Stat Methods Med Res 1999;8:135 (limits of agreement); Carkeet, Optom Vis Sci
2015;92:e71 (exact intervals of the limits); McGraw and Wong, Psychol Methods 1996;1:30 (ICC(A,1), that is
ICC(2,1), and ICC(C,1), that is ICC(3,1)); de Vet et al., J Clin Epidemiol 2006;59:1033 (standard error of
measurement, smallest detectable change).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
ROUNDING = 1e-12
"""Of doubles, relative: smaller differences are none."""
MIN_CASES = 3
"""Fewer show neither a spread nor a correlation."""
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % confidence interval; NaN where it is not defined."""

    value: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class BlandAltman:
    """Second rater minus first.

    Attributes
    ----------
    bias : mean difference; its interval from Student's t
    sd : of the differences (n - 1)
    lower, upper : bias -/+ 1.96 sd, with exact intervals
    slope : of the differences on the means of both raters: other than 0 where the bias grows with size
    slope_p : two-sided
    """

    n: int
    bias: Interval
    sd: float
    lower: Interval
    upper: Interval
    slope: float
    slope_p: float


@dataclass(frozen=True)
class Reliability:
    """Of single readings, all raters having read every case.

    Attributes
    ----------
    icc_agreement : ICC(2,1), absolute agreement, raters and cases random
    icc_consistency : ICC(3,1), consistency: a constant difference between raters does not count
    sem_agreement : standard error of measurement, differences between raters included
    sem_consistency : the same without them
    mdc_agreement, mdc_consistency : minimal detectable change, 1.96 x sqrt(2) x SEM
    """

    n: int
    n_raters: int
    icc_agreement: Interval
    icc_consistency: Interval
    sem_agreement: float
    sem_consistency: float
    mdc_agreement: float
    mdc_consistency: float


def bland_altman(first: FloatArray, second: FloatArray) -> BlandAltman:
    """Differences of paired readings, second minus first.

    Raises
    ------
    ValueError
        For fewer than `MIN_CASES` pairs, or readings that are not pairs.
    """
    from scipy import stats

    if first.shape != second.shape or first.ndim != 1 or len(first) < MIN_CASES:
        msg = f"{first.shape} and {second.shape} are not {MIN_CASES} or more pairs"
        raise ValueError(msg)
    n = len(first)
    difference, middle = second - first, (first + second) / 2
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    z = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
    t = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1))
    # exact: the factors of a normal sample's 97.5th percentile follow the noncentral t (Carkeet 2015)
    inner, outer = (
        float(stats.nct.ppf(p, n - 1, z * math.sqrt(n))) / math.sqrt(n)
        for p in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
    )
    slope, slope_p = math.nan, math.nan
    if min(float(np.ptp(middle)), sd) > ROUNDING * float(np.abs(middle).max()):
        line = stats.linregress(middle, difference)
        slope, slope_p = float(line.slope), float(line.pvalue)
    half = t * sd / math.sqrt(n)
    return BlandAltman(
        n=n,
        bias=Interval(bias, bias - half, bias + half),
        sd=sd,
        lower=Interval(bias - z * sd, bias - outer * sd, bias - inner * sd),
        upper=Interval(bias + z * sd, bias + inner * sd, bias + outer * sd),
        slope=slope,
        slope_p=slope_p,
    )


def reliability(readings: FloatArray) -> Reliability:
    """Two-way analysis of variance of a full table of readings.

    Parameters
    ----------
    readings : (cases, raters), none missing

    Raises
    ------
    ValueError
        For fewer than `MIN_CASES` cases, fewer than two raters, or missing readings.
    """
    if readings.ndim != 2 or readings.shape[0] < MIN_CASES or readings.shape[1] < 2:
        msg = f"{readings.shape} is not {MIN_CASES} or more cases of two or more raters"
        raise ValueError(msg)
    if not np.isfinite(readings).all():
        msg = "a reading is missing"
        raise ValueError(msg)
    n, k = readings.shape
    ms_cases, ms_raters, ms_error = _mean_squares(readings)
    rater_variance = max((ms_raters - ms_error) / n, 0.0)
    sem_agreement, sem_consistency = math.sqrt(rater_variance + ms_error), math.sqrt(ms_error)
    factor = 1.96 * math.sqrt(2)
    return Reliability(
        n=n,
        n_raters=k,
        icc_agreement=_icc_agreement(n, k, ms_cases, ms_raters, ms_error),
        icc_consistency=_icc_consistency(n, k, ms_cases, ms_error),
        sem_agreement=sem_agreement,
        sem_consistency=sem_consistency,
        mdc_agreement=factor * sem_agreement,
        mdc_consistency=factor * sem_consistency,
    )


def _mean_squares(readings: FloatArray) -> tuple[float, float, float]:
    """Of cases, raters and the rest; a rest that is only rounding is none."""
    n, k = readings.shape
    grand = readings.mean()
    per_case, per_rater = readings.mean(axis=1), readings.mean(axis=0)
    rest = readings - per_case[:, None] - per_rater[None, :] + grand
    rounding = (abs(grand) * ROUNDING) ** 2
    ms_cases = k * float(((per_case - grand) ** 2).sum()) / (n - 1)
    ms_raters = n * float(((per_rater - grand) ** 2).sum()) / (k - 1)
    ms_error = float((rest**2).sum()) / ((n - 1) * (k - 1))
    cleaned = [ms if ms > rounding else 0.0 for ms in (ms_cases, ms_raters, ms_error)]
    return cleaned[0], cleaned[1], cleaned[2]


def _icc_consistency(n: int, k: int, ms_cases: float, ms_error: float) -> Interval:
    """ICC(C,1): McGraw and Wong 1996, tables 4 and 7."""
    from scipy import stats

    if ms_cases + ms_error == 0:
        return Interval(math.nan)
    value = (ms_cases - ms_error) / (ms_cases + (k - 1) * ms_error)
    if ms_error == 0:
        return Interval(value, 1.0, 1.0)
    p, df1, df2 = (1 + CONFIDENCE) / 2, n - 1, (n - 1) * (k - 1)
    f = ms_cases / ms_error
    low, high = f / float(stats.f.ppf(p, df1, df2)), f * float(stats.f.ppf(p, df2, df1))
    return Interval(value, (low - 1) / (low + k - 1), (high - 1) / (high + k - 1))


def _icc_agreement(n: int, k: int, ms_cases: float, ms_raters: float, ms_error: float) -> Interval:
    """ICC(A,1): McGraw and Wong 1996, tables 4 and 7 (degrees of freedom after Satterthwaite)."""
    from scipy import stats

    if ms_cases == 0 and ms_error == 0:
        return Interval(math.nan)
    value = (ms_cases - ms_error) / (ms_cases + (k - 1) * ms_error + k * (ms_raters - ms_error) / n)
    if ms_error == 0 and ms_raters == 0:
        return Interval(value, 1.0, 1.0)
    if value >= 1:
        return Interval(value)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    numerator = (a * ms_raters + b * ms_error) ** 2
    v = numerator / ((a * ms_raters) ** 2 / (k - 1) + (b * ms_error) ** 2 / ((n - 1) * (k - 1)))
    p = (1 + CONFIDENCE) / 2
    low_f, high_f = float(stats.f.ppf(p, n - 1, v)), float(stats.f.ppf(p, v, n - 1))
    spread = k * ms_raters + (k * n - k - n) * ms_error
    low = n * (ms_cases - low_f * ms_error) / (low_f * spread + n * ms_cases)
    high = n * (high_f * ms_cases - ms_error) / (spread + n * high_f * ms_cases)
    return Interval(value, low, high)
