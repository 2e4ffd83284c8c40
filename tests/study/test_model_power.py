"""Models, checks, Holm and power against linear algebra, simulation and tables."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower
from study_maker import HEADER, make, table_rows, write_table

from glutseg.errors import GlutsegError
from glutseg.study.checks import check_normal, check_spread, holm
from glutseg.study.model import fit, fit_sides
from glutseg.study.power import power_of
from glutseg.study.words import summary


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


@pytest.mark.filterwarnings("ignore")
def test_a_value_without_any_spread_is_fitted(study):
    frame = study.sample.frame.assign(value=0.0)
    model = fit(replace(study.sample, frame=frame))
    assert [(t.estimate, t.error) for t in model.terms] == [(0.0, 0.0)] * 4
    assert all(math.isnan(t.t) for t in model.terms)


def test_the_robust_interval_and_p_are_of_one_error(study):
    for term in fit(study.sample).terms:
        df = len(study.sample.frame) - 4
        half = stats.t.ppf(0.975, df) * term.robust_error
        assert (term.robust_ci.low, term.robust_ci.high) == pytest.approx(
            (term.estimate - half, term.estimate + half)
        )
        assert term.robust_p == pytest.approx(2 * stats.t.sf(abs(term.estimate / term.robust_error), df))


def test_the_sides_of_a_balanced_study_are_a_paired_t_test(study):
    """And their groups Welch's errors of the patients' means, with the df of Bell and McCaffrey."""
    model = fit_sides(study.sample)
    side, paired = model.term("left − right"), study.sides.test
    assert (side.estimate, side.t, side.df, side.p) == pytest.approx(
        (paired.difference, paired.statistic, paired.df, paired.p)
    )
    assert (side.ci.low, side.ci.high) == pytest.approx((paired.ci.low, paired.ci.high))
    frame = study.sample.frame
    plain = fit_sides(replace(study.sample, numbers=(), categories=())).terms[1]
    means = ((frame["left"] + frame["right"]) / 2).to_numpy(float)
    first, second = (means[frame["group"] == g] for g in study.sample.groups)
    a, b = len(first), len(second)
    assert plain.error == pytest.approx(math.sqrt(first.var(ddof=1) / a + second.var(ddof=1) / b))
    df = (a + b) ** 2 * (a - 1) * (b - 1) / (a**2 * (a - 1) + b**2 * (b - 1))
    assert plain.df == pytest.approx(df)
    assert (plain.robust_error, plain.robust_p) == (plain.error, plain.p)
    assert (model.n, model.n_patients) == (2 * len(frame), len(frame))


def test_one_patient_s_category_has_no_robust_p_and_is_named(tmp_path):
    made = make(tmp_path)
    rows = [(*r[:4], "divers" if k == 3 else "FM"[k % 2]) for k, r in enumerate(made.rows)]
    write_table(made.table, rows)
    study = made.study(covariates=("age_years", "sex"), groups=("control", "back-pain"))
    adjusted, sides = study.models[1:]
    for model in (adjusted, sides):
        lone = [t for t in model.terms if t.note]
        # "F" is what the others are compared with, but "F" < "M" < "divers"
        assert [t.name for t in lone] == ["sex: divers − F"]
        assert math.isnan(lone[0].robust_error)
        assert math.isnan(lone[0].robust_p)
        assert math.isnan(lone[0].robust_ci.low)
    assert adjusted.term("sex: divers − F").p > 0  # under the classical model one patient says something
    without = [(*r[:4], "" if r[4] == "divers" else r[4]) for r in rows]
    write_table(made.table, without)
    rest = made.study(covariates=("age_years", "sex"), groups=("control", "back-pain"))
    for name in ("control − back-pain", "age_years", "sex: M − F"):
        for model, other in zip((adjusted, sides), rest.models[1:], strict=True):
            assert model.term(name).estimate == pytest.approx(other.term(name).estimate)
            # HC3 and CR2 of the others are what they are without that patient
            assert model.term(name).robust_error == pytest.approx(other.term(name).robust_error)
    said = " ".join(summary(study))
    assert "Rests on one patient alone, so without a robust error: sex: divers − F." in said


def test_the_word_of_one_patient_that_others_are_compared_with_marks_all_of_them(tmp_path):
    made = make(tmp_path)
    rows = [(*r[:4], "A" if k == 3 else "FM"[k % 2]) for k, r in enumerate(made.rows)]
    write_table(made.table, rows)
    model = made.study(covariates=("age_years", "sex"), groups=("control", "back-pain")).models[1]
    assert [t.name for t in model.terms if t.note] == ["intercept", "sex: F − A", "sex: M − A"]


def test_columns_that_nearly_repeat_each_other_are_named(tmp_path):
    made = make(tmp_path)
    header = (*HEADER, "age_months", "weight")
    rows = [(*r, 12 * r[2] + k % 5, 60 + 7 * k % 23) for k, r in enumerate(made.rows)]
    write_table(made.table, rows, header)
    study = made.study(covariates=("age_years", "weight", "age_months"), groups=("control", "back-pain"))
    found = {c.column: c for c in study.models[1].collinear}
    assert {name: c.others for name, c in found.items()} == {
        "age_years": ("age_months",),
        "age_months": ("age_years",),
    }
    vif = study.models[1].term("age_years").vif
    assert found["age_years"].vif == vif > 10
    said = " ".join(summary(study))
    assert "nearly say the same" in said
    assert f"age_years and age_months ({vif:.0f}). What" in said
    others = made.study(covariates=("age_years", "weight"), groups=("control", "back-pain"))
    assert not others.models[1].collinear
    assert "nearly say the same" not in " ".join(summary(others))


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
