"""The effect without measurement error, against figures worked out by hand."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from study_maker import made_cases, make

from glutseg.output.schema import CaseRow
from glutseg.study.compare import compare
from glutseg.study.measurement_error import error_sd_of, without_error
from glutseg.study.record import write_study
from glutseg.study.run_rows import read_run
from glutseg.study.values import Area, value_named
from glutseg.study.words import summary
from run_maker import MadeCase, result_of

FIRST, SECOND = np.array([10.0, 12.0, 14.0]), np.array([7.0, 9.0, 11.0])
"""Both with a variance of 4 (n - 1), so 4 pooled."""
EFFECT = compare(FIRST, SECOND).effect


def row(*, left=3000.0, right=1000.0, bound=16.45, height_m=2.0):
    return CaseRow(result_of(MadeCase("A", left, right, height_m, error_bound_percent=bound)), "p")


def test_the_effect_by_hand():
    """An error variance of 1 of 4: reliability 0.75, and g grows by 1 / 0.866."""
    found = without_error(EFFECT, FIRST, SECOND, [1.0] * 6)
    assert (found.n_known, found.n_unknown, found.sd, found.error_sd) == (6, 0, 2.0, 1.0)
    assert found.reliability == pytest.approx(0.75)
    assert EFFECT.hedges_g == pytest.approx(1.5 * 0.7979, rel=1e-3)  # J(4) = 0.7979
    assert found.hedges_g == pytest.approx(EFFECT.hedges_g / 0.8660254)
    assert found.hedges_g_ci.low == pytest.approx(EFFECT.hedges_g_ci.low / 0.8660254)
    assert found.hedges_g_ci.high == pytest.approx(EFFECT.hedges_g_ci.high / 0.8660254)


def test_errors_are_pooled_by_their_variance_over_those_that_are_known():
    found = without_error(EFFECT, FIRST, SECOND, [0.0, 1.0, math.nan, math.sqrt(2.0), 1.0, math.nan])
    assert (found.n_known, found.n_unknown) == (4, 2)
    assert found.error_sd == pytest.approx(1.0)  # of the variances 0, 1, 2 and 1
    assert found.reliability == pytest.approx(0.75)


def test_without_error_nothing_is_corrected():
    found = without_error(EFFECT, FIRST, SECOND, [0.0] * 6)
    assert (found.reliability, found.hedges_g) == (1.0, EFFECT.hedges_g)


@pytest.mark.parametrize(("error_sd", "n_known"), [(math.nan, 0), (2.0, 6), (5.0, 6)])
def test_what_cannot_be_corrected_is_unknown_and_says_why(error_sd, n_known):
    found = without_error(EFFECT, FIRST, SECOND, [error_sd] * 6)
    assert found.n_known == n_known
    assert math.isnan(found.reliability)
    assert math.isnan(found.hedges_g)
    assert math.isnan(found.hedges_g_ci.low)
    assert found.note


def test_the_error_of_a_value_by_hand():
    """16.45 % at 90 % is an SD of 10 %: 300 and 100 mm²; of their mean √(300² + 100²) / 2."""
    assert error_sd_of(Area(which="left", height_power=0), row()) == pytest.approx(300.0)
    assert error_sd_of(Area(which="right", height_power=0), row()) == pytest.approx(100.0)
    assert error_sd_of(Area(height_power=0), row()) == pytest.approx(math.hypot(300, 100) / 2)
    assert error_sd_of(Area(), row()) == pytest.approx(math.hypot(300, 100) / 4)  # 2 m tall
    lean = error_sd_of(Area("lean", "left", 0), row())
    assert lean == pytest.approx(0.9 * 300.0)


def test_an_unknown_error_is_no_error_of_zero(tmp_path):
    left, right = row().result.muscles
    half = replace(row().result, muscles=(left, replace(right, error_bound_percent=None)))
    gone = replace(row().result, muscles=(left, replace(right, measurement=None)))
    for case in (row(bound=None), row(height_m=None), *(replace(row(), result=r) for r in (half, gone))):
        assert math.isnan(error_sd_of(Area(), case))
    assert not math.isnan(error_sd_of(Area(which="left"), replace(row(), result=half)))
    assert math.isnan(error_sd_of(Area(level="si-joint-end"), row()))
    run = read_run(make(tmp_path).out)
    assert math.isnan(error_sd_of(value_named(run, "mean_hu_mean"), run.rows[0]))


def test_a_study_gives_it_beside_the_plain_one(tmp_path):
    made = make(tmp_path, [replace(c, error_bound_percent=8.0) for c in made_cases()])
    study = made.study(groups=("control", "back-pain"))
    plain, corrected = study.comparison.effect, study.without_error
    assert corrected.hedges_g == pytest.approx(plain.hedges_g / math.sqrt(corrected.reliability))
    text = " ".join(summary(study))
    assert f"Hedges g {plain.hedges_g:.2f}" in text
    assert f"corrected for it, Hedges g would be {corrected.hedges_g:.2f}" in text
    write_study(tmp_path / "study", study)
    told = json.loads((tmp_path / "study/study.json").read_text(encoding="utf-8"))
    assert told["comparison"]["effect"]["hedges_g"] == pytest.approx(plain.hedges_g, rel=1e-5)
    assert told["corrected_for_measurement_error"]["hedges_g"] == pytest.approx(corrected.hedges_g, rel=1e-5)
    assert "corrected for measurement error" in (tmp_path / "study/tests.csv").read_text(encoding="utf-8")


def test_a_study_without_known_errors_says_nothing_of_them(tmp_path):
    made = make(tmp_path, [replace(c, error_bound_percent=None) for c in made_cases()])
    study = made.study()
    assert study.without_error.n_unknown == 17
    assert "expected error" not in " ".join(summary(study))
    assert "nan" not in " ".join(summary(study))


def test_a_study_whose_spread_is_all_error_says_so(tmp_path):
    made = make(tmp_path, [replace(c, error_bound_percent=80.0) for c in made_cases()])
    text = " ".join(summary(made.study()))
    assert "g cannot be corrected for it: the expected error is as large as the spread." in text
