"""Robust errors and variance inflation: R's sandwich 3.0, clubSandwich 0.5.8 and car 3.1, statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS

from glutseg.study.collinear import collinear, inflation
from glutseg.study.robust import cr2, hc3

GROUP = np.repeat([1.0, 0.0], [5, 7])
AGE = np.array([31, 45, 52, 60, 38, 44, 71, 66, 58, 49, 35, 62.0])
MALE = np.array([word == "M" for word in "FMFFMFMFMFFM"], dtype=float)
SITE = np.array(list("abcabccabacb"))
LEFT = np.array([2310, 2105, 1984, 1873, 2250, 1922, 1655, 1540, 1881, 1798, 2012, 1490.0])
RIGHT = np.array([2288, 2160, 1930, 1905, 2170, 1899, 1702, 1612, 1850, 1833, 1960, 1540.0])
NOISE = np.array([0.3, -0.2, 0.1, 0.4, -0.5, 0.2, -0.1, 0.3, 0.1, -0.4, 0.2, 0])


def fitted(y, *columns):
    design = np.column_stack([np.ones(len(y)), *columns])
    return design, y - design @ np.linalg.lstsq(design, y, rcond=None)[0]


def test_hc3_is_that_of_r():
    """sqrt(diag(vcovHC(lm(y ~ group + age + sex), "HC3")))."""
    told = hc3(*fitted((LEFT + RIGHT) / 2, GROUP, AGE, MALE))
    assert told.errors.tolist() == pytest.approx(
        [79.40656129111, 40.82967925125, 1.67158716703, 60.06388899912]
    )
    assert told.df.tolist() == [8.0] * 4


def test_cr2_is_that_of_r():
    """coef_test(lm(v ~ group + side + age + sex), "CR2", cluster = id, test = "Satterthwaite")."""
    twice = [np.tile(column, 2) for column in (GROUP, AGE, MALE)]
    side = np.repeat([1.0, 0.0], 12)
    design, rest = fitted(np.concatenate([LEFT, RIGHT]), twice[0], side, *twice[1:])
    told = cr2(design, rest, np.tile(np.arange(12), 2))
    assert told.errors.tolist() == pytest.approx(
        [63.106727049, 34.586373588, 14.845394313, 1.345618914, 51.021991933]
    )
    assert told.df.tolist() == pytest.approx(
        [4.367295216, 4.866639539, 11.0, 4.994317131, 6.095439924], rel=1e-9
    )


def test_variance_inflation_is_that_of_r():
    """car::vif(lm(y ~ group + age + half + sex + site)), its GVIF to the power 1 / Df."""
    sites = [(word == SITE).astype(float) for word in "bc"]
    design = np.column_stack([GROUP, AGE, AGE / 2 + NOISE, MALE, *sites])
    columns = ("group", "age", "half", "sex", "site", "site")
    told = inflation(design, columns)
    assert list(told) == ["group", "age", "half", "sex", "site"]
    assert list(told.values()) == pytest.approx(
        [1.30046353030, 862.37018704937, 840.89232505895, 7.03488400596, 5.86697214101**0.5]
    )
    assert [(c.column, c.others) for c in collinear(design, columns)] == [
        ("age", ("half",)),
        ("half", ("age",)),
    ]


def test_three_columns_that_only_together_say_the_same_are_named_together():
    rng = np.random.default_rng(3)
    a, b, free = rng.normal(size=(3, 40))
    design = np.column_stack([a, b, a + b + 0.01 * rng.normal(size=40), free])
    told = collinear(design, ("a", "b", "sum", "free"))
    assert [c.column for c in told] == ["a", "b", "sum"]
    assert "free" not in {other for c in told for other in c.others}
    assert set(told[2].others) == {"a", "b"}


@settings(max_examples=60, deadline=None)
@given(st.integers(8, 30), st.integers(1, 4), st.integers(0, 10**6), st.floats(-3, 6))
def test_hc3_is_that_of_statsmodels(n, k, seed, power):
    rng = np.random.default_rng(seed)
    y, columns = rng.normal(size=n), rng.normal(size=(k, n)) * 10.0**power + 1
    design, rest = fitted(y, *columns)
    assert hc3(design, rest).errors.tolist() == pytest.approx(OLS(y, design).fit().HC3_se.tolist(), rel=1e-5)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_what_one_patient_decides_has_no_error_in_any_unit(scale):
    lone = np.zeros(12)
    lone[4] = scale
    design, rest = fitted(LEFT, GROUP, lone)
    assert np.isnan(hc3(design, rest).errors).tolist() == [False, False, True]
    told = cr2(design, rest, np.arange(12))
    assert np.isnan(told.errors).tolist() == np.isnan(told.df).tolist() == [False, False, True]
    fewer = np.arange(12) != 4
    without = hc3(*fitted(LEFT[fewer], GROUP[fewer]))
    assert hc3(design, rest).errors[:2].tolist() == pytest.approx(without.errors.tolist())
