"""Intervals by resampling, which take no distribution for granted: to stand beside those of the t tests."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from glutseg.study.compare import Floats
from glutseg.study.effects import LEVEL, UNKNOWN, Interval, effect_from_t

RESAMPLES = 9999
SEED = 1
"""Fixed, so that the same study gives the same files."""
LEAST = 8
"""Patients per group: fewer have too few different resamples for a 2.5 % tail, and some without spread."""


@dataclass(frozen=True)
class Bootstrap:
    """Bias-corrected and accelerated (BCa) intervals (Efron 1987); NaN where ``note`` says why.

    Attributes
    ----------
    difference_ci : of the difference of the means, first − second
    hedges_g_ci : of Hedges g
    resamples, seed : how often patients are drawn within their groups, and the seed of NumPy's generator
    """

    difference_ci: Interval = UNKNOWN
    hedges_g_ci: Interval = UNKNOWN
    resamples: int = RESAMPLES
    seed: int = SEED
    note: str = ""


def bootstrap(first: Floats, second: Floats) -> Bootstrap:
    """Both intervals of two samples without NaN."""
    if min(len(first), len(second)) < LEAST:
        return Bootstrap(note=f"fewer than {LEAST} patients in a group")
    unit = effect_from_t(1.0, len(first), len(second)).hedges_g

    def hedges_g(a: Floats, b: Floats, axis: int = -1) -> Floats:
        return unit * np.asarray(stats.ttest_ind(a, b, axis=axis).statistic)

    difference = _bca(first, second, lambda a, b, axis=-1: a.mean(axis=axis) - b.mean(axis=axis))
    effect = _bca(first, second, hedges_g)
    return Bootstrap(
        difference, effect, note="too many equal values" if UNKNOWN in (difference, effect) else ""
    )


def _bca(first: Floats, second: Floats, statistic: Callable[..., Floats]) -> Interval:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of resamples without spread: what comes of them is looked at
        ci = stats.bootstrap(
            (first, second), statistic, n_resamples=RESAMPLES, confidence_level=LEVEL, method="BCa",
            vectorized=True, rng=np.random.default_rng(SEED),
        ).confidence_interval  # fmt: skip
    found = Interval(float(ci.low), float(ci.high))
    return found if math.isfinite(found.low) and math.isfinite(found.high) else UNKNOWN
