"""How much of the spread in a study is measurement, and what the effect would be without it.

Errors of measurement widen both groups and so make an effect size smaller. Given the errors' variance, the
reliability is the share of the variance within the groups that is the patients' own,

    reliability = (SD² − error SD²) / SD²,    corrected g = g / √reliability

(Spearman 1904, Am J Psychol 15:72; for effect sizes Hedges 1981, J Educ Stat 6:107, and Hunter & Schmidt,
Methods of Meta-Analysis). The reliability is taken as known, so the interval is divided by the same factor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from glutseg.output.schema import CaseRow
from glutseg.study.compare import Floats
from glutseg.study.effects import UNKNOWN, Effect, Interval
from glutseg.study.values import Area, Value

SDS_OF_90_PERCENT = 1.645
"""Of a normal distribution 90 % lie within so many SDs of its mean."""


@dataclass(frozen=True)
class WithoutError:
    """The effect corrected for measurement error; NaN where that cannot be computed, ``note`` says why.

    Attributes
    ----------
    n_known, n_unknown : patients whose expected error is known, and not
    sd : of the value within the groups, pooled
    error_sd : of the measurement, pooled over the patients in whom it is known, in the value's unit
    reliability : share of the variance within the groups that is not measurement error
    """

    n_known: int
    n_unknown: int
    sd: float
    error_sd: float = math.nan
    reliability: float = math.nan
    hedges_g: float = math.nan
    hedges_g_ci: Interval = UNKNOWN
    note: str = ""


def error_sd_of(value: Value, case: CaseRow) -> float:
    """SD of a patient's value from measurement alone, in its unit; NaN where it is unknown.

    The 90 % bound of an area is taken for 1.645 SDs of an error with the mean 0, of its lean part as well.
    The errors of the two sides are taken as independent, which corrects the least.
    """
    figure = value.of(case)
    if figure is None or not isinstance(value, Area) or value.level:
        return math.nan
    records = [case.result.muscle(side) for side in value.sides]
    known = [(r.measurement.area_mm2, r.error_bound_mm2) for r in records if r and r.measurement]
    if len(known) < len(records):
        return math.nan
    bounds_mm2 = [math.nan if bound is None else bound for _, bound in known]
    share = math.hypot(*bounds_mm2) / sum(area for area, _ in known)
    return figure * share / SDS_OF_90_PERCENT


def without_error(
    effect: Effect, first: Floats, second: Floats, error_sds: Sequence[float] | Floats
) -> WithoutError:
    """The effect corrected for measurement error.

    Parameters
    ----------
    effect : of the two samples
    first, second : values without NaN
    error_sds : of every patient of both, in any order; NaN where unknown
    """
    squares = (len(first) - 1) * first.var(ddof=1) + (len(second) - 1) * second.var(ddof=1)
    variance = float(squares) / (len(first) + len(second) - 2)
    errors = np.asarray(error_sds, dtype=float)
    known = errors[~np.isnan(errors)]
    found = WithoutError(len(known), len(errors) - len(known), math.sqrt(variance))
    if not len(known):
        return replace(found, note="the error of no value is known")
    error_variance = float(np.mean(known**2))
    found = replace(found, error_sd=math.sqrt(error_variance))
    if error_variance >= variance:
        return replace(found, note="the expected error is as large as the spread")
    reliability = 1 - error_variance / variance
    factor = 1 / math.sqrt(reliability)
    return replace(
        found,
        reliability=reliability,
        hedges_g=effect.hedges_g * factor,
        hedges_g_ci=Interval(effect.hedges_g_ci.low * factor, effect.hedges_g_ci.high * factor),
    )
