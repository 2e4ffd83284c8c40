import math

import pytest
from study_maker import make

from glutseg.study.words import number, p_words, summary


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.0004, "p < 0.001"),
        (0.00174, "p = 0.002"),
        (0.0174, "p = 0.017"),
        (0.49, "p = 0.490"),
        (1.0, "p > 0.999"),
    ],
)
def test_p_values(p, words):
    assert p_words(p) == words


def test_numbers_have_a_real_minus_and_unknowns_a_dash():
    assert (number(-1.234), number(12.0, 0), number(math.nan)) == ("−1.23", "12", "–")


def test_the_summary_has_the_study_s_figures(tmp_path):
    study = make(tmp_path).study(
        groups=("control", "back-pain"), covariates=("age_years",), correlates=("visits",)
    )
    text = " ".join(summary(study))
    c = study.comparison
    assert "17 patients: 8 control, 9 back-pain." in text
    assert f"− back-pain: {c.welch.difference:.0f} mm²/m ({c.percent:.1f} %)" in text
    assert f"95 % CI {c.welch.ci.low:.0f} to {c.welch.ci.high:.0f}".replace("-", "−") in text
    assert f"Hedges g {c.effect.hedges_g:.2f}" in text
    assert "Adjusted for age_years, " in text
    assert "in all patients, adjusted for group" in text
    assert study.sensitivity.verdict in text
    assert "nan" not in text
