"""Effect sizes from what papers print, against closed forms, published figures and pingouin."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from glutseg.study.effects import compare_summaries, effect_from_t, p_of_r, smallest_n_for_r


def test_the_published_comparison_of_2017():
    """doi 10.1371/journal.pone.0177008: t = 2.439 with 36 and 32 women; p, d, g and r follow from it."""
    effect = effect_from_t(2.439, 36, 32)
    assert effect.df == 66
    assert effect.p == pytest.approx(0.0174, abs=5e-5)
    assert effect.cohen_d == pytest.approx(0.593, abs=5e-4)
    assert effect.hedges_g == pytest.approx(0.586, abs=5e-4)
    assert effect.point_biserial_r == pytest.approx(0.288, abs=5e-4)


def test_the_published_correlation_of_2017():
    """r = -0.270 is below 0.05 only over all 68 women, not over the 36 with back pain."""
    assert p_of_r(-0.270, 68) == pytest.approx(0.026, abs=5e-4)
    assert -0.270 * math.sqrt(66 / (1 - 0.27**2)) == pytest.approx(-2.278, abs=5e-4)
    assert p_of_r(-0.270, 36) == pytest.approx(0.111, abs=5e-4)
    assert p_of_r(-0.270, 36) / 2 == pytest.approx(0.056, abs=5e-4)
    assert smallest_n_for_r(-0.270) == 54
    assert p_of_r(0.27, 54) < 0.05 <= p_of_r(0.27, 53)


def test_summaries_give_what_the_data_give():
    rng = np.random.default_rng(3)
    a, b = rng.normal(10, 2, 36), rng.normal(9, 4, 20)
    student, welch, effect = compare_summaries(a.mean(), a.std(ddof=1), 36, b.mean(), b.std(ddof=1), 20)
    for told, equal in ((student, True), (welch, False)):
        from_data = stats.ttest_ind(a, b, equal_var=equal)
        ci = from_data.confidence_interval(0.95)
        assert (told.statistic, told.p) == pytest.approx((from_data.statistic, from_data.pvalue))
        assert (told.df, told.ci.low, told.ci.high) == pytest.approx((from_data.df, ci.low, ci.high))
    pooled = math.sqrt((35 * a.var(ddof=1) + 19 * b.var(ddof=1)) / 54)
    assert effect.cohen_d == pytest.approx((a.mean() - b.mean()) / pooled)
    assert effect.hedges_g == pytest.approx(
        effect.cohen_d * (1 - 3 / (4 * 54 - 1)), rel=1e-4
    )  # Hedges' approximation


def test_equal_means_have_an_interval_as_well():
    student, welch, _ = compare_summaries(5.0, 2.0, 10, 5.0, 2.0, 10)
    assert student.ci.low == -student.ci.high < 0
    assert welch.ci.low == pytest.approx(student.ci.low)


@given(st.floats(-8, 8), st.integers(3, 60), st.integers(3, 60))
def test_the_interval_is_that_of_noncentral_t(t, n_first, n_second):
    """At its ends the t that was seen is the 97.5th and the 2.5th percentile."""
    effect = effect_from_t(t, n_first, n_second)
    scale = effect.hedges_g / t if t else None
    if abs(t) > 0.1:
        for end, p in ((effect.hedges_g_ci.low, 0.975), (effect.hedges_g_ci.high, 0.025)):
            assert stats.nct.cdf(t, effect.df, end / scale) == pytest.approx(p, abs=2e-4)
    assert effect.hedges_g_ci.low < effect.hedges_g < effect.hedges_g_ci.high
    mirrored = effect_from_t(-t, n_first, n_second)
    assert mirrored.hedges_g_ci.low == pytest.approx(-effect.hedges_g_ci.high, rel=1e-4, abs=1e-6)
    assert mirrored.p == effect.p


def test_pingouin_agrees():
    pingouin = pytest.importorskip("pingouin", reason="the second opinion is not installed")
    told = pingouin.compute_effsize_from_t(2.439, 36, 32, eftype="hedges")
    assert effect_from_t(2.439, 36, 32).hedges_g == pytest.approx(told, rel=1e-4)


@pytest.mark.parametrize(("n_first", "n_second"), [(0, 5), (1, 1), (2, 0)])
def test_groups_of_nobody_are_refused(n_first, n_second):
    with pytest.raises(ValueError, match="two groups"):
        effect_from_t(1.0, n_first, n_second)
    with pytest.raises(ValueError, match="correlation"):
        smallest_n_for_r(0.0)
