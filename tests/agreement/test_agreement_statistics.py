"""Every figure against another way to it: closed forms, simulation, published examples, pingouin."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.agreement.statistics import bland_altman, reliability

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Six targets, four judges: Shrout and Fleiss, Psychol Bull 1979;86:420, table 2."""


def test_the_published_example():
    found = reliability(SHROUT_FLEISS)
    assert (found.n, found.n_raters) == (6, 4)
    assert found.icc_agreement.value == pytest.approx(0.29, abs=0.005)
    assert found.icc_consistency.value == pytest.approx(0.71, abs=0.005)
    assert found.sem_consistency == pytest.approx(math.sqrt(1.02), abs=0.003)
    # BMS 11.24, JMS 32.49, EMS 1.02, as published
    assert found.sem_agreement == pytest.approx(math.sqrt((32.49 - 1.02) / 6 + 1.02), abs=0.01)
    assert found.mdc_agreement == pytest.approx(2.772 * found.sem_agreement, rel=1e-3)


@pytest.mark.parametrize(("n", "k"), [(6, 2), (12, 3), (30, 4)])
def test_as_pingouin_has_it(n, k):
    pingouin = pytest.importorskip("pingouin", reason="pingouin (GPL) is an oracle for those who have it")
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(n)
    table = rng.normal(3500, 600, (n, 1)) + rng.normal(0, 80, (1, k)) + rng.normal(0, 150, (n, k))
    long = pd.DataFrame(
        [(i, j, table[i, j]) for i in range(n) for j in range(k)], columns=["case", "rater", "area"]
    )
    other = pingouin.intraclass_corr(long, "case", "rater", "area").set_index("Type")
    ours = reliability(table)
    names = {"agreement": ("ICC2", "ICC(A,1)"), "consistency": ("ICC3", "ICC(C,1)")}
    for which, possible in names.items():
        row = other.loc[next(name for name in possible if name in other.index)]
        mine = getattr(ours, f"icc_{which}")
        low, high = row[next(c for c in row.index if c.startswith("CI95"))]
        assert mine.value == pytest.approx(row["ICC"], abs=1e-6)
        assert (mine.low, mine.high) == (pytest.approx(low, abs=0.0051), pytest.approx(high, abs=0.0051))


def test_components_of_variance_come_back():
    rng = np.random.default_rng(4)
    n, k, between, rater, error = 4000, 5, 600.0, 100.0, 150.0
    offsets = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    offsets *= rater / offsets.std(ddof=1)
    table = rng.normal(3500, between, (n, 1)) + offsets + rng.normal(0, error, (n, k))
    found = reliability(table)
    assert found.sem_consistency == pytest.approx(error, rel=0.03)
    assert found.sem_agreement == pytest.approx(math.hypot(rater, error), rel=0.03)
    assert found.icc_agreement.value == pytest.approx(
        between**2 / (between**2 + rater**2 + error**2), abs=0.01
    )
    assert found.icc_consistency.value == pytest.approx(between**2 / (between**2 + error**2), abs=0.01)


def test_intervals_of_the_icc_cover_the_truth():
    rng = np.random.default_rng(5)
    truth, hits = 0.8, 0
    for _ in range(400):
        table = rng.normal(0, math.sqrt(truth), (15, 1)) + rng.normal(0, math.sqrt(1 - truth), (15, 2))
        interval = reliability(table).icc_consistency
        hits += interval.low <= truth <= interval.high
    assert 0.92 <= hits / 400 <= 0.98


def test_intervals_of_the_limits_cover_the_truth():
    rng = np.random.default_rng(6)
    hits, n_repeats = 0, 600
    for _ in range(n_repeats):
        found = bland_altman(np.zeros(12), rng.normal(10.0, 4.0, 12))
        hits += found.upper.low <= 10 + 1.959964 * 4 <= found.upper.high
    assert 0.925 <= hits / n_repeats <= 0.975


def test_limits_by_hand_and_nearly_bland_and_altmans_own_interval():
    rng = np.random.default_rng(7)
    first = rng.normal(3500, 500, 200)
    second = first + rng.normal(40, 90, 200)
    found = bland_altman(first, second)
    difference = second - first
    sd = math.sqrt(((difference - difference.mean()) ** 2).sum() / 199)
    assert found.bias.value == pytest.approx(difference.mean())
    assert found.upper.value == pytest.approx(difference.mean() + 1.959964 * sd)
    assert found.lower.value == pytest.approx(difference.mean() - 1.959964 * sd)
    approximate = 1.96 * sd * math.sqrt(1 / 200 + 1.96**2 / (2 * 199))
    assert (found.upper.high - found.upper.low) / 2 == pytest.approx(approximate, rel=0.02)
    assert found.lower.high - found.lower.low == pytest.approx(found.upper.high - found.upper.low)


def test_a_bias_that_grows_with_size_is_seen():
    first = np.linspace(2000, 5000, 20)
    jitter = np.tile([-15.0, 15.0], 10)
    growing, even = bland_altman(first, 1.1 * first + jitter), bland_altman(first, first + 50 + jitter)
    assert growing.slope == pytest.approx(0.1 / 1.05, rel=0.02)
    assert growing.slope_p < 1e-6
    assert even.slope_p > 0.5


def test_constant_readings_have_no_correlation():
    same = reliability(np.full((5, 2), 3500.123))
    assert math.isnan(same.icc_agreement.value)
    assert math.isnan(same.icc_consistency.value)
    assert same.sem_agreement == 0
    shifted = reliability(np.column_stack([np.full(5, 3500.0), np.full(5, 3600.0)]))
    assert math.isnan(shifted.icc_agreement.value)
    assert shifted.sem_agreement == pytest.approx(math.sqrt(100**2 / 2))


def test_equal_raters_agree_wholly():
    areas = np.array([3000.0, 3600.0, 4100.0, 2800.0])
    found = reliability(np.column_stack([areas, areas]))
    assert found.icc_agreement.value == found.icc_consistency.value == 1
    assert found.mdc_agreement == 0
    limits = bland_altman(areas, areas)
    assert (limits.bias.value, limits.sd, limits.upper.high) == (0, 0, 0)
    assert math.isnan(limits.slope)


@pytest.mark.parametrize("bad", [np.ones((2, 2)), np.ones((5, 1)), np.ones(5), np.full((4, 2), np.nan)])
def test_too_little_is_refused(bad):
    with pytest.raises(ValueError, match=r"raters|missing"):
        reliability(bad)


def test_pairs_must_be_pairs():
    with pytest.raises(ValueError, match="pairs"):
        bland_altman(np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="pairs"):
        bland_altman(np.ones(4), np.ones(5))


tables = st.integers(0, 10_000).map(
    lambda seed: np.random.default_rng(seed).normal(3500, 400, (8, 1 + seed % 3 + 1))
)


@given(tables, st.floats(0.01, 100), st.floats(-1e4, 1e4))
def test_units_and_order_do_not_matter(table, factor, shift):
    plain, scaled = reliability(table), reliability(table[::-1, ::-1] * factor + shift)
    for name in ("icc_agreement", "icc_consistency"):
        a, b = getattr(plain, name), getattr(scaled, name)
        assert (a.low, a.value, a.high) == pytest.approx((b.low, b.value, b.high), abs=1e-6)
        assert a.low <= a.value <= a.high
    assert scaled.sem_agreement == pytest.approx(plain.sem_agreement * factor, rel=1e-6)
    assert plain.sem_consistency <= plain.sem_agreement
