"""Correlations against closed forms, permutations, regression residuals and pingouin."""

import math

import numpy as np
import pytest
from scipy import stats

from glutseg.study.correlate import correlate, correlate_within


@pytest.fixture(scope="module")
def xyg():
    rng = np.random.default_rng(2)
    groups = np.repeat([1.0, 0.0], [14, 12])
    x = rng.normal(size=26) + groups
    return x, 0.5 * x - 2 * groups + rng.normal(size=26), groups


def test_pearson_by_the_closed_form(xyg):
    x, y, _ = xyg
    told = correlate("x", "all", x, y)
    r = float(np.corrcoef(x, y)[0, 1])
    half = 1.959963985 / math.sqrt(23)
    assert told.r == pytest.approx(r)
    assert told.r_p == pytest.approx(2 * stats.t.sf(abs(r) * math.sqrt(24 / (1 - r * r)), 24))
    ends = math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)
    assert (told.r_ci.low, told.r_ci.high) == pytest.approx(ends)


def test_spearman_is_pearson_of_ranks(xyg):
    x, y, _ = xyg
    told = correlate("x", "all", x, y)
    rho = float(np.corrcoef(stats.rankdata(x), stats.rankdata(y))[0, 1])
    assert told.rho == pytest.approx(rho)
    half = 1.959963985 * math.sqrt((1 + rho**2 / 2) / 23)
    assert told.rho_ci.low == pytest.approx(math.tanh(math.atanh(rho) - half))


def test_p_is_near_that_of_permutations(xyg):
    x, y, _ = xyg
    rng = np.random.default_rng(0)
    shuffled = rng.permuted(np.tile(y, (20000, 1)), axis=1)
    z = (x - x.mean()) / x.std()
    r = ((shuffled - y.mean()) / y.std()) @ z / len(x)
    told = correlate("x", "all", x, y)
    assert told.r_p == pytest.approx((np.abs(r) >= abs(told.r)).mean(), abs=0.01)


def test_apart_from_the_groups_it_is_that_of_regression_residuals(xyg):
    x, y, groups = xyg
    design = np.column_stack([np.ones(26), groups])
    rests = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (x, y)]
    r = float(np.corrcoef(*rests)[0, 1])
    told = correlate_within("x", x, y, groups)
    assert told.r == pytest.approx(r)
    assert told.r_p == pytest.approx(2 * stats.t.sf(abs(r) * math.sqrt(23 / (1 - r * r)), 23))
    assert math.isnan(told.rho)


def test_a_group_contrast_alone_is_no_correlation_within():
    """Visits that are nothing but the group restated: strong over all, nothing apart from the groups."""
    groups = np.repeat([1.0, 0.0], 30)
    noise = np.random.default_rng(7).normal(size=(2, 60))
    x, y = 5 * groups + noise[0], 5 * groups + noise[1]
    assert correlate("x", "all", x, y).r > 0.8
    assert abs(correlate_within("x", x, y, groups).r) < 0.3


def test_pingouin_agrees(xyg):
    pingouin = pytest.importorskip("pingouin", reason="the second opinion is not installed")
    import pandas as pd

    x, y, groups = xyg
    row = pingouin.partial_corr(pd.DataFrame({"x": x, "y": y, "g": groups}), "x", "y", "g").iloc[0]
    told = correlate_within("x", x, y, groups)
    assert told.r == pytest.approx(row["r"], abs=1e-6)
    assert told.r_p == pytest.approx(row["p_val"], abs=1e-6)


def test_what_cannot_be_known_is_empty_and_says_why(xyg):
    x, y, groups = xyg
    assert "same" in correlate("visits", "control", np.zeros(26), y).note
    assert "same" in correlate("visits", "control", x, np.ones(26)).note
    few = np.array([1.0, 2.0, 3.0, np.nan])
    assert correlate("x", "g", few, few).note == "fewer than 4 patients"
    assert math.isnan(correlate("x", "g", few, few).r)
    assert "vary" in correlate_within("x", groups, y, groups).note
    assert correlate_within("x", few, few, np.zeros(4)).note
    assert correlate("x", "g", x, 2 * x).r == pytest.approx(1)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_interval_within_groups_has_one_degree_of_freedom_less(xyg, sign):
    x, y, groups = xyg
    told = correlate_within("x", x, sign * y, groups)
    half = 1.959963985 / math.sqrt(26 - 4)
    ends = math.tanh(math.atanh(told.r) - half), math.tanh(math.atanh(told.r) + half)
    assert (told.r_ci.low, told.r_ci.high) == pytest.approx(ends)
    assert told.r_p == pytest.approx(correlate_within("x", x, y, groups).r_p)
    assert 0 < told.r_p < 1


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_units_do_not_matter_within_groups(xyg, scale):
    x, y, groups = xyg
    assert correlate_within("x", scale * x, y, groups).r == pytest.approx(
        correlate_within("x", x, y, groups).r
    )
    assert "vary" in correlate_within("x", scale * (groups + 0.1), y, groups).note


@pytest.mark.parametrize("sign", [1, -1])
def test_a_straight_line_is_a_correlation_of_one_and_no_more(xyg, sign):
    x, _, groups = xyg
    rng = np.random.default_rng(3)
    for factor in sign * rng.uniform(0.1, 10, 300):
        within = correlate_within("x", x, factor * x, groups)
        assert abs(within.r) <= 1
        assert within.r == pytest.approx(sign)
        assert sign * within.r_ci.low <= 1
        assert sign * within.r_ci.high <= 1
    told = correlate("x", "all", x, sign * x)
    assert (told.rho_ci.low, told.rho_ci.high) == pytest.approx((sign, sign))


@pytest.mark.parametrize("large", [1e9, 1e15])
def test_rounding_is_no_variation_within_groups(xyg, large):
    _, y, groups = xyg
    assert "vary" in correlate_within("x", large * (groups + 0.1) / 3, y, groups).note


def test_four_patients_are_enough_for_a_correlation():
    assert correlate("x", "g", np.array([1.0, 2.0, 3.0, 5.0]), np.array([2.0, 1.0, 4.0, 3.0])).note == ""
