"""Two groups and two sides, against closed forms, a permutation test, a bootstrap and counting."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from glutseg.study.compare import compare, compare_sides, summarise


@pytest.fixture(scope="module")
def two():
    rng = np.random.default_rng(11)
    return rng.normal(10, 2, 14), rng.normal(8.5, 3, 11)


def test_summaries_by_hand():
    told = summarise("x", "g", [4.0, 1.0, np.nan, 2.0, 3.0])
    assert (told.n, told.missing, told.mean, told.median) == (4, 1, 2.5, 2.5)
    assert (told.q1, told.q3, told.minimum, told.maximum) == (1.75, 3.25, 1.0, 4.0)
    assert told.sd == pytest.approx(math.sqrt(5 / 3))
    assert math.isnan(summarise("x", "g", [np.nan]).mean)
    assert math.isnan(summarise("x", "g", [1.0]).sd)


def test_t_tests_by_the_closed_form(two):
    a, b = two
    told = compare(a, b)
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    t = (a.mean() - b.mean()) / math.sqrt(va + vb)
    df = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    half = stats.t.ppf(0.975, df) * math.sqrt(va + vb)
    assert (told.welch.statistic, told.welch.df) == pytest.approx((t, df))
    assert told.welch.p == pytest.approx(2 * stats.t.sf(abs(t), df))
    assert (told.welch.ci.low, told.welch.ci.high) == pytest.approx(
        (a.mean() - b.mean() - half, a.mean() - b.mean() + half)
    )
    n = len(a) + len(b) - 2
    pooled = ((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / n
    t = (a.mean() - b.mean()) / math.sqrt(pooled * (1 / len(a) + 1 / len(b)))
    assert (told.student.statistic, told.student.df) == pytest.approx((t, n))
    assert told.percent == pytest.approx(100 * (a.mean() / b.mean() - 1))


def test_p_is_near_that_of_permutations(two):
    a, b = two
    rng, pool = np.random.default_rng(0), np.concatenate(two)
    seen = abs(a.mean() - b.mean())
    shuffled = rng.permuted(np.tile(pool, (20000, 1)), axis=1)
    differences = np.abs(shuffled[:, : len(a)].mean(axis=1) - shuffled[:, len(a) :].mean(axis=1))
    assert compare(a, b).student.p == pytest.approx((differences >= seen).mean(), abs=0.01)


def test_the_interval_is_near_a_bootstrap(two):
    a, b = two
    rng = np.random.default_rng(1)
    draws = [rng.choice(x, (5000, len(x))).mean(axis=1) for x in two]
    low, high = np.quantile(draws[0] - draws[1], [0.025, 0.975])
    told = compare(a, b).welch.ci
    assert (told.low, told.high) == pytest.approx((low, high), abs=0.35)


def test_mann_whitney_counts_pairs(two):
    a, b = two
    told = compare(a, b).mann_whitney
    wins = (a[:, None] > b).sum() + 0.5 * (a[:, None] == b).sum()
    assert told.u == wins
    assert told.probability == pytest.approx(wins / (len(a) * len(b)))
    assert told.p == pytest.approx(stats.mannwhitneyu(b, a, method="exact").pvalue)
    assert told.method == "exact"


@given(
    st.lists(st.floats(1, 100), min_size=3, max_size=12, unique=True),
    st.lists(st.floats(1, 100), min_size=3, max_size=12, unique=True),
    st.floats(0.5, 50),
)
def test_units_and_order_do_not_matter(first, second, scale):
    a, b = np.array(first), np.array(second)
    if min(a.std(), b.std()) < 1e-3:
        return
    one, scaled, turned = compare(a, b), compare(scale * a, scale * b), compare(b, a)
    assert scaled.welch.p == pytest.approx(one.welch.p, rel=1e-6, abs=1e-12)
    assert scaled.effect.hedges_g == pytest.approx(one.effect.hedges_g, rel=1e-6, abs=1e-9)
    assert turned.student.statistic == pytest.approx(-one.student.statistic)
    assert turned.mann_whitney.probability == pytest.approx(1 - one.mann_whitney.probability)


def test_pingouin_agrees(two):
    pingouin = pytest.importorskip("pingouin", reason="the second opinion is not installed")
    a, b = two
    told, row = compare(a, b), pingouin.ttest(a, b, correction=True).iloc[0]
    assert told.welch.statistic == pytest.approx(row["T"], abs=1e-3)
    assert told.effect.hedges_g == pytest.approx(pingouin.compute_effsize(a, b, eftype="hedges"), rel=1e-3)


def test_sides_are_compared_patient_by_patient():
    rng = np.random.default_rng(5)
    right = rng.normal(3000, 400, 20)
    left = right + rng.normal(40, 50, 20)
    left[3] = np.nan
    told = compare_sides(left, right)
    d = np.delete(left - right, 3)
    t = d.mean() / (d.std(ddof=1) / math.sqrt(19))
    assert told.n == 19
    assert told.percent == pytest.approx(100 * d.mean() / np.delete((left + right) / 2, 3).mean())
    assert (told.test.statistic, told.test.df, told.test.difference) == pytest.approx((t, 18, d.mean()))
    assert told.test.p == pytest.approx(2 * stats.t.sf(abs(t), 18))
    signs = rng.choice([-1, 1], (20000, 19))
    flipped = np.abs((signs * np.abs(d)).mean(axis=1)) >= abs(d.mean()) - 1e-12
    assert told.test.p == pytest.approx(flipped.mean(), abs=0.01)
    assert told.absolute_percent == pytest.approx(
        100 * np.mean(np.abs(d) / (np.delete(left, 3) + np.delete(right, 3)) * 2)
    )


def test_sides_that_do_not_differ_are_no_test():
    same = np.array([1.0, 2.0, 3.0, 4.0])
    assert compare_sides(same, same) is None
    assert compare_sides(same + 1, same) is None
    assert compare_sides(np.full(4, np.nan), same) is None


def test_a_side_that_does_not_vary_has_no_correlation():
    left, right = np.array([1.0, 2.0, 3.0, 4.5]), np.full(4, 2.0)
    assert np.isnan(compare_sides(left, right).r)
    assert np.isnan(compare_sides(right, left).r)
    assert compare_sides(left, left[::-1] + 0.1).r < 0


def test_a_side_that_does_not_vary_is_not_divided_by():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(compare_sides(np.array([1.0, 2.0, 3.0, 4.5]), np.full(4, 2.0)).r)
