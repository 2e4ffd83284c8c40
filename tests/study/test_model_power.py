"""Models, checks, Holm and power against linear algebra, simulation and tables."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower
from study_maker import make, table_rows

from glutseg.errors import GlutsegError
from glutseg.study.checks import check_normal, check_spread, holm
from glutseg.study.model import fit, fit_sides
from glutseg.study.power import power_of


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    made = make(tmp_path_factory.mktemp("model"))
    return made.study(covariates=("age_years", "sex"), groups=("control", "back-pain"))


def design_of(sample, *, left=None):
    frame = sample.frame
    columns = [np.ones(len(frame)), (frame["group"] == "control").to_numpy(float)]
    if left is not None:
        columns.append(np.full(len(frame), left))
    return np.column_stack([*columns, frame["age_years"], (frame["sex"] == "M").to_numpy(float)])


def by_hand(x, y, middle=None):
    """Coefficients and standard errors; ``middle`` is the meat of a sandwich."""
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    rest = y - x @ beta
    meat = x.T @ x * (rest @ rest / (len(y) - x.shape[1])) if middle is None else middle(x, rest, inverse)
    return beta, np.sqrt(np.diag(inverse @ meat @ inverse)), rest


def test_least_squares_by_hand(study):
    model = fit(study.sample)
    x, y = design_of(study.sample), study.sample.frame["value"].to_numpy(float)
    beta, errors, rest = by_hand(x, y)
    assert [t.name for t in model.terms] == ["intercept", "control − back-pain", "age_years", "sex: M − F"]
    assert [t.estimate for t in model.terms] == pytest.approx(beta.tolist())
    assert [t.error for t in model.terms] == pytest.approx(errors.tolist())
    p = 2 * stats.t.sf(np.abs(beta / errors), len(y) - 4)
    assert [t.p for t in model.terms] == pytest.approx(p.tolist())
    half = stats.t.ppf(0.975, len(y) - 4) * errors[1]
    assert (model.terms[1].ci.low, model.terms[1].ci.high) == pytest.approx((beta[1] - half, beta[1] + half))
    assert model.r_squared == pytest.approx(1 - rest @ rest / ((y - y.mean()) ** 2).sum())


def test_robust_p_is_with_hc3(study):
    def hc3(x, rest, inverse):
        leverage = np.einsum("ij,jk,ik->i", x, inverse, x)
        return (x.T * (rest / (1 - leverage)) ** 2) @ x

    x, y = design_of(study.sample), study.sample.frame["value"].to_numpy(float)
    beta, errors, _ = by_hand(x, y, hc3)
    p = 2 * stats.t.sf(np.abs(beta / errors), len(y) - 4)
    assert [t.robust_p for t in fit(study.sample).terms] == pytest.approx(p.tolist())


def test_both_sides_have_errors_by_patient(study):
    x = np.vstack([design_of(study.sample, left=left) for left in (1.0, 0.0)])
    frame = study.sample.frame
    y = np.concatenate([frame["left"], frame["right"]])
    n, k, patients = len(y), x.shape[1], len(frame)

    def clustered(x, rest, _inverse):
        scores = (x * rest[:, None]).reshape(2, patients, k).sum(axis=0)
        return scores.T @ scores * (patients / (patients - 1) * (n - 1) / (n - k))

    beta, errors, _ = by_hand(x, y, clustered)
    model = fit_sides(study.sample)
    assert model.terms[2].name == "left − right"
    assert [t.estimate for t in model.terms] == pytest.approx(beta.tolist())
    assert [t.error for t in model.terms] == pytest.approx(errors.tolist())
    p = 2 * stats.t.sf(np.abs(beta / errors), patients - 1)
    assert [t.p for t in model.terms] == pytest.approx(p.tolist())
    assert (model.n, model.n_patients, model.df) == (n, patients, patients - 1)


def test_without_covariates_it_is_student(study):
    term, student = fit(study.sample, adjusted=False).terms[1], study.comparison.student
    assert (term.estimate, term.t, term.p) == pytest.approx(
        (student.difference, student.statistic, student.p)
    )


def test_terms_that_say_the_same_are_refused(tmp_path):
    made = make(tmp_path)
    rows = [(*r, 2 * r[2] + 1, float(r[1] == "control")) for r in made.rows]
    header = "patient_id,group,age_years,visits,sex,twice,restated"
    made.table.write_text("\n".join([header, *(",".join(map(str, r)) for r in rows)]), encoding="utf-8")
    for covariates in (("age_years", "twice"), ("restated",)):
        with pytest.raises(GlutsegError, match="model-singular"):
            made.study(covariates=covariates)
    assert made.study(covariates=("twice",)).models[1].terms[2].name == "twice"


@pytest.mark.parametrize("name", ["intercept", "control − back-pain", "left − right"])
def test_a_column_never_takes_the_place_of_a_term(tmp_path, name):
    made = make(tmp_path)
    text = made.table.read_text(encoding="utf-8").replace("age_years", name)
    made.table.write_text(text, encoding="utf-8")
    with pytest.raises(GlutsegError, match="the same name"):
        made.study(covariates=(name,), groups=("control", "back-pain"))


def test_unknown_covariates_leave_their_patient_out(tmp_path):
    made = make(tmp_path)
    rows = [list(r) for r in table_rows(made.cases)]
    rows[0][2], rows[1][4] = "", ""
    made = make(tmp_path / "b", made.cases, rows)
    study = made.study(covariates=("age_years", "sex"))
    assert (study.models[1].n_patients, study.models[1].left_out) == (15, 2)
    assert study.comparison.n_first + study.comparison.n_second == 17


def test_holm_by_hand():
    told = holm([("a", 0.01), ("b", 0.04), ("c", 0.03)])
    assert [t.holm_p for t in told] == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == ()


def test_checks_say_what_they_found():
    rng = np.random.default_rng(1)
    normal, skewed = rng.normal(size=40), rng.exponential(size=40) ** 2
    assert check_normal("a", normal).holds
    assert not check_normal("b", skewed).holds
    assert "Mann-Whitney" in check_normal("b", skewed).meaning
    even, uneven = check_spread(normal, normal[:20] + 1), check_spread(normal, 6 * normal)
    assert even.holds
    assert not uneven.holds
    distances = [np.abs(v - np.median(v)) for v in (normal, 6 * normal)]
    assert uneven.p == pytest.approx(stats.f_oneway(*distances).pvalue)  # what Brown and Forsythe's test is


def test_power_is_how_often_a_simulated_study_finds_it():
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.9, 1, (8000, 15)), rng.normal(0, 1, (8000, 12))
    found = (stats.ttest_ind(a, b, axis=1).pvalue < 0.05).mean()
    assert power_of(0.9, 15, 12, 0.1, 1.7).observed == pytest.approx(found, abs=0.015)


def test_sample_sizes_of_the_usual_tables():
    """Cohen 1988: 64 and 26 per group for d = 0.5 and 0.8 with power 0.8."""
    assert dict(power_of(0.5, 20, 20, -0.1, 1.1).per_group) == {0.8: 64, 0.9: 86}
    assert dict(power_of(-0.8, 20, 20, -1.5, -0.1).per_group)[0.8] == 26
    assert power_of(0.5, 20, 20, -0.1, 1.1).per_group_cautious == ()
    assert dict(power_of(0.8, 20, 20, 0.5, 1.1).per_group_cautious)[0.8] == 64
    detectable = dict(power_of(0.1, 26, 26, -1, 1).detectable)
    assert detectable[0.8] == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("effect", [0.0, 1e-6, 3.0, 12.0, 500.0])
def test_no_effect_is_too_large_or_small_for_an_answer(effect):
    told = power_of(effect, 12, 12, effect, effect)
    assert 0.05 - 1e-9 <= told.observed <= 1 + 1e-12
    assert all(n >= 2 and math.isfinite(n) for _, n in told.per_group)


def test_large_effects_have_the_same_power_by_either_way():
    """Beyond a limit only one side is asked: just there, both ways must agree."""
    effect = 5.0 / math.sqrt(6)  # twelve and twelve: a noncentrality of 5
    below, above = (power_of(effect * by, 12, 12, 1.0, 3.0).observed for by in (0.9999, 1.0001))
    assert below == pytest.approx(above, abs=1e-3)
    whole = float(TTestIndPower().power(effect * 1.0001, 12, 0.05, 1.0))
    assert above == pytest.approx(whole, abs=1e-9)


def test_an_interval_that_ends_at_none_plans_nothing():
    assert power_of(0.5, 20, 20, 0.0, 1.0).per_group_cautious == ()


def test_two_patients_per_group_are_enough_for_a_huge_effect():
    assert dict(power_of(500.0, 12, 12, 400.0, 600.0).per_group) == {0.8: 2, 0.9: 2}


@pytest.mark.parametrize("effect", np.arange(0.3, 1.7, 0.07))
def test_one_patient_less_would_not_do(effect):
    for power, n in power_of(float(effect), 20, 20, -1.0, 1.0).per_group:
        reached = [float(TTestIndPower().power(effect, k, 0.05)) for k in (n - 1, n)]
        assert reached[1] >= power
        assert not reached[0] >= power  # also where one patient per group has none at all
