"""Bootstrap intervals against R's, those of large samples, and where there can be none."""

import math

import numpy as np
import pytest

from glutseg.study.compare import compare
from glutseg.study.resample import LEAST, RESAMPLES, bootstrap

A = np.array([10.2, 11.7, 9.4, 12.1, 10.9, 13.3, 8.7, 11.2, 12.8, 10.1, 9.9, 14.2])
B = np.array([8.9, 9.1, 10.4, 7.7, 8.2, 9.6, 11.0, 7.1, 10.6, 8.4, 9.3])


def test_the_intervals_are_those_of_r():
    """boot 1.3-28: boot(v, statistic, R = 199999, strata = group), boot.ci(type = "bca"); set.seed(7).

    R's acceleration is by regression, this one's by the jackknife; the ends of 9999 resamples vary by 0.02.
    """
    told = bootstrap(A, B)
    assert (told.difference_ci.low, told.difference_ci.high) == pytest.approx((0.993, 3.266), abs=0.05)
    assert (told.hedges_g_ci.low, told.hedges_g_ci.high) == pytest.approx((0.552, 2.154), abs=0.05)
    assert told == bootstrap(A, B)
    assert (told.resamples, told.note) == (RESAMPLES, "")


def test_in_large_normal_samples_it_is_that_of_the_t_test():
    rng = np.random.default_rng(2)
    first, second = rng.normal(10, 2, 300), rng.normal(9.5, 2, 300)
    told, t = bootstrap(first, second), compare(first, second)
    for mine, theirs in ((told.difference_ci, t.welch.ci), (told.hedges_g_ci, t.effect.hedges_g_ci)):
        assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=0.04)


def test_few_patients_and_equal_values_have_none():
    few = bootstrap(A, B[: LEAST - 1])
    assert few.note == "fewer than 8 patients in a group"
    assert math.isnan(few.difference_ci.low)
    equal = np.append(np.zeros(LEAST - 1), 1.0)
    assert bootstrap(equal, equal).note == "too many equal values"
    assert math.isnan(bootstrap(equal, equal).hedges_g_ci.high)
