"""p values of rank tests against R 4.2, counting every order, and each other."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from glutseg.study.compare import compare, compare_sides
from glutseg.study.correlate import correlate
from glutseg.study.ranks import ASYMPTOTIC, EXACT, SERIES, T_TIES, TIES, mann_whitney, signed_rank, spearman

A = np.array([10.2, 11.7, 9.4, 12.1, 10.9, 13.3, 8.7, 11.2, 12.8, 10.1, 9.9, 14.2])
B = np.array([8.9, 9.1, 10.4, 7.7, 8.2, 9.6, 11.0, 7.1, 10.6, 8.4, 9.3])
C = np.array([10.01, 11.97, 9.12, 11.63, 10.95, 12.54, 8.66, 11.87, 12.11, 9.28, 9.83, 13.19])
TIED_A = np.array([10, 11, 9, 12, 11, 13, 9, 11, 13, 10.0])
TIED_B = np.array([9, 9, 10, 8, 8, 10, 11, 7, 11.0])
K = np.arange(51)
X = K * 37 % 101 + 0.01 * K  # R: k <- 0:50; X <- (k * 37) %% 101 + 0.01 * k
Y = (K[:50] * 53 + 7) % 97 + 0.005  # R: Y <- (0:49 * 53 + 7) %% 97 + 0.005


@pytest.mark.parametrize(
    ("first", "second", "p", "method"),
    [
        (A, B, 0.00448938596738, EXACT),  # wilcox.test(A, B); by SciPy's own choice 0.0057
        (TIED_A, TIED_B, 0.0338786102859, TIES),  # wilcox.test(TIED_A, TIED_B)
        (X[:50], Y, 0.485760911477, EXACT),  # wilcox.test(X[1:50], Y, exact = TRUE)
        (X, Y, 0.520952625508, ASYMPTOTIC),  # wilcox.test(X, Y)
    ],
)
def test_mann_whitney_is_that_of_r(first, second, p, method):
    told = compare(first, second).mann_whitney
    assert told.p == pytest.approx(p, rel=1e-10)
    assert told.method == method


@pytest.mark.parametrize(
    ("left", "right", "p", "method"),
    [
        (A, C, 0.06396484375, EXACT),
        (np.append(TIED_A, [5, 6]), np.append(TIED_B, [9, 5, 7]), 0.0539950758714, TIES),
        (X, np.append(Y, 40.1), 0.433812416237, ASYMPTOTIC),
    ],
)
def test_wilcoxon_is_that_of_r(left, right, p, method):
    """wilcox.test(left, right, paired = TRUE)."""
    told = compare_sides(left, right)
    assert told.wilcoxon_p == pytest.approx(p, rel=1e-10)
    assert told.wilcoxon_method == method


def test_differences_that_only_rounding_tells_apart_are_ties():
    """10.2 − 10.0 and 11.9 − 11.7: R says 0.0522 and "exact", with digits.rank = 10 it says 0.0498."""
    other = np.array([10.0, 11.9, 9.1, 11.6, 10.95, 12.5, 8.6, 11.8, 12.1, 9.2, 9.83, 13.1])
    p, method = signed_rank(A - other)
    assert p == pytest.approx(0.0497722554313, rel=1e-10)
    assert method == TIES


@pytest.mark.parametrize(
    ("x", "y", "p", "method"),
    [
        (A[:9], A[[2, 0, 1, 4, 3, 7, 5, 6, 8]], 0.677744708995, EXACT),
        (X[:20], Y[:20], 0.410789107645, SERIES),
        (X[:20], -Y[:20], 0.410789107645, SERIES),
        (X[:50], Y, 0.0738305700487, SERIES),
        (TIED_A[:9], TIED_B, 0.858847877274, T_TIES),
    ],
)
def test_spearman_is_that_of_r(x, y, p, method):
    """cor.test(x, y, method = "spearman")."""
    told = correlate("x", "all", x, y)
    assert told.rho_p == pytest.approx(p, rel=1e-9)
    assert told.rho_method == method


@pytest.mark.parametrize("n", [4, 6, 7])
def test_spearman_counts_every_order(n):
    ranks = np.arange(n, dtype=float)
    every = np.array([((ranks - order) ** 2).sum() for order in permutations(range(n))])
    for order in ((1, 0, *range(2, n)), (*range(1, n), 0), tuple(reversed(range(n)))):
        rho, p, method = spearman(ranks, np.array(order, dtype=float))
        squares = ((ranks - order) ** 2).sum()
        tail = (every <= squares).mean() if rho > 0 else (every >= squares).mean()
        assert (p, method) == (pytest.approx(min(1.0, 2 * tail)), EXACT)


def test_spearman_hardly_jumps_where_counting_ends():
    """At 12 patients, where both are known; AS 89 promises errors in the fourth decimal."""
    from glutseg.study.ranks import _edgeworth, _squares

    counted = np.cumsum(_squares(12)) / math.factorial(12)
    sums = range(0, 12 * 143 // 6, 2)
    assert max(abs(_edgeworth(12, s) - counted[s]) for s in sums) < 2.5e-4


@pytest.mark.parametrize("n", [13, 14, 30])
def test_no_p_of_a_strong_correlation_is_0(n):
    """R 4.2 says 0 from 10 patients on, as does the series."""
    x = np.arange(float(n))
    y = x.copy()
    assert 0 < spearman(x, y)[1] < 1e-4
    y[[3, 4]] = y[[4, 3]]
    assert 0 < spearman(x, y)[1] < 1e-4


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 6), st.integers(3, 6), st.integers(0, 10**6))
def test_mann_whitney_counts_every_way_to_deal(n_first, n_second, seed):
    values = np.random.default_rng(seed).permutation(n_first + n_second).astype(float)
    u, p, method = mann_whitney(values[:n_first], values[n_first:])
    done = stats.permutation_test(
        (values[:n_first], values[n_first:]),
        lambda a, b: (a[:, None] > b).sum(),
        n_resamples=np.inf,
    )
    assert (u, method) == (done.statistic, EXACT)
    assert p == pytest.approx(done.pvalue)
