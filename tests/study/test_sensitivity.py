"""The same comparison under other choices, and the figures that are compared."""

import math
from dataclasses import replace

import numpy as np
import pytest
from study_maker import made_cases, make, table_rows

from glutseg import review
from glutseg.errors import GlutsegError
from glutseg.image import Geometry, Mask
from glutseg.output.schema import CaseRow
from glutseg.study.analysis import AUTOMATIC
from glutseg.study.compare import compare
from glutseg.study.run_rows import read_run
from glutseg.study.sensitivity import NO_REVIEW, NO_UNCERTAIN
from glutseg.study.values import Area, value_named
from glutseg.study.words import summary
from run_maker import MadeCase, result_of

CONTROL = ("control", "back-pain")


def outcome_of(study, words):
    return next(o for o in study.sensitivity.outcomes if o.choice.words == words)


def by_hand(made, figure, *, only_ok=False):
    values = {
        letter: np.array(
            [
                figure(c)
                for c in made.cases
                if c.patient_id[0] == letter and not (only_ok and c.status != "ok")
            ]
        )
        for letter in "AB"
    }
    return compare(values["A"], values["B"])


@pytest.mark.parametrize(
    ("words", "figure"),
    [
        ("as asked", lambda c: (c.left_mm2 + c.right_mm2) / 2 / c.height_m),
        ("lean area", lambda c: c.lean_share * (c.left_mm2 + c.right_mm2) / 2 / c.height_m),
        ("left side", lambda c: c.left_mm2 / c.height_m),
        ("right side", lambda c: c.right_mm2 / c.height_m),
        ("not divided by height", lambda c: (c.left_mm2 + c.right_mm2) / 2),
        ("area / height²", lambda c: (c.left_mm2 + c.right_mm2) / 200 / c.height_m**2),
    ],
)
def test_each_choice_is_the_comparison_of_its_own_figures(tmp_path, words, figure):
    made = make(tmp_path)
    told, hand = outcome_of(made.study(groups=CONTROL), words), by_hand(made, figure)
    assert (told.difference, told.welch_p) == pytest.approx((hand.welch.difference, hand.welch.p))
    assert (told.hedges_g, told.percent) == pytest.approx((hand.effect.hedges_g, hand.percent))
    assert told.mann_whitney_p == pytest.approx(hand.mann_whitney.p)


def test_without_cases_to_review(tmp_path):
    made = make(tmp_path)
    told = outcome_of(made.study(groups=CONTROL), NO_REVIEW)
    hand = by_hand(made, lambda c: (c.left_mm2 + c.right_mm2) / 2 / c.height_m, only_ok=True)
    assert (told.n_first, told.n_second, told.welch_p) == (6, 6, pytest.approx(hand.welch.p))
    sure = make(tmp_path / "b", [replace(c, status="ok") for c in made.cases])
    assert NO_REVIEW not in {o.choice.words for o in sure.study().sensitivity.outcomes}


def test_without_the_most_uncertain_fifth(tmp_path):
    """Of 17 patients 3: A-02 at 30 %, then of those at 20 % the first two by case id; unknown ones stay."""
    bounds = {"A-02": 30.0, "B-05": 20.0, "A-05": 20.0, "B-01": 20.0, "A-00": None, "B-08": None}
    cases = [replace(c, error_bound_percent=bounds.get(c.patient_id, 4.0), status="ok") for c in made_cases()]
    made = make(tmp_path, cases)
    ids = {c.patient_id: result_of(c).case_id for c in cases}
    assert ids["A-05"] < ids["B-01"] < ids["B-05"]
    study = made.study(groups=CONTROL)
    told = outcome_of(study, NO_UNCERTAIN)
    assert told.note == "2 of unknown error kept"
    kept = [c for c in cases if c.patient_id not in ("A-02", "A-05", "B-01")]
    hand = by_hand(replace(made, cases=kept), lambda c: (c.left_mm2 + c.right_mm2) / 2 / c.height_m)
    assert (told.n_first, told.n_second) == (6, 8)
    assert (told.hedges_g, told.welch_p) == pytest.approx((hand.effect.hedges_g, hand.welch.p))
    for equal in (5.0, None):
        same = [replace(c, error_bound_percent=equal) for c in cases]
        found = make(tmp_path / str(equal), same).study(groups=CONTROL)
        assert not [o for o in found.sensitivity.outcomes if o.choice.words == NO_UNCERTAIN]


def test_every_level_that_was_measured(tmp_path):
    """The made-up profile falls by 10 mm² a mm: levels 15, 10 and 5 mm below the own one."""
    levels = ("si-joint-end", "peak-area", "lesser-trochanter")
    made = make(tmp_path, levels=levels)
    study = made.study(groups=CONTROL)
    about = [o.choice.words for o in study.sensitivity.outcomes if o.choice.about == "level"]
    assert sorted(about) == sorted(levels)
    told = outcome_of(study, "si-joint-end")
    hand = by_hand(made, lambda c: ((c.left_mm2 + c.right_mm2) / 2 + 150) / c.height_m)
    assert (told.difference, told.welch_p) == pytest.approx((hand.welch.difference, hand.welch.p))
    assert len(study.sensitivity.grid) == 2 * 3 * 3 * 4 * 2


def test_the_verdict_names_what_a_result_rests_on(tmp_path):
    """Left muscles differ between the groups, right ones the other way round."""
    rng = np.random.default_rng(0)
    cases = [
        MadeCase(f"{letter}-{i:02d}", 3000 + shift + rng.normal(0, 20), 3000 - shift / 2 + rng.normal(0, 20))
        for letter, shift in (("A", 100.0), ("B", 0.0))
        for i in range(6)
    ]
    study = make(tmp_path, cases).study(groups=CONTROL)
    assert study.sensitivity.verdict.startswith("The difference changes its direction with: right side.")
    assert study.sensitivity.same_sign == len(study.sensitivity.grid) * 2 / 3
    clear = make(tmp_path / "b", made_cases(gap_mm2=3000.0)).study()
    assert clear.sensitivity.verdict.startswith("No single other choice")
    assert clear.sensitivity.significant == len(clear.sensitivity.grid) == clear.sensitivity.same_sign


def test_too_few_are_left_without_a_number(tmp_path):
    cases = [replace(c, status="review" if c.patient_id < "A-06" else "ok") for c in made_cases()]
    told = outcome_of(make(tmp_path, cases).study(groups=CONTROL), NO_REVIEW)
    assert (told.n_first, told.note) == (2, "too few patients")
    assert math.isnan(told.hedges_g)


def test_corrected_values_count_and_the_automatic_ones_stand_beside_them(tmp_path):
    made = make(tmp_path)
    mask = Mask(np.zeros((1, 2, 2), np.uint8), Geometry((1, 2, 2), (1.0, 1.0, 1.0)))
    ids = {r.patient_id: r.case_id for r in (result_of(c) for c in made.cases)}
    better = result_of(replace(made.cases[0], left_mm2=9000.0, right_mm2=9000.0))
    review.correct(made.out, ids["A-00"], "R", review.Remeasured(better, {}), mask, reason="cut")
    review.reject(made.out, ids["A-01"], "R", reason="implant")
    study = made.study(groups=CONTROL)
    assert study.sample.frame["value"].max() == pytest.approx(9000 / made.cases[0].height_m)
    assert (study.join.failed, study.join.excluded) == ((), (ids["A-01"],))
    assert "1 excluded by a reviewer" in " ".join(summary(study))
    assert study.comparison.n_first == 7
    told = outcome_of(study, AUTOMATIC)
    hand = by_hand(made, lambda c: (c.left_mm2 + c.right_mm2) / 2 / c.height_m)
    assert (told.n_first, told.welch_p) == (8, pytest.approx(hand.welch.p))
    assert AUTOMATIC not in {o.choice.words for o in make(tmp_path / "b").study().sensitivity.outcomes}
    assert "Reasons to exclude: another reason (1)." in summary(study)


def test_a_rejected_second_study_leaves_the_first(tmp_path):
    cases = made_cases()
    again = MadeCase("A-00", 3000.0, 3100.0, study_uid="9.9.9")
    made = make(tmp_path, [*cases, again], table_rows(cases))
    review.reject(made.out, "A-00-999", "R", reason="moved")
    study = made.study()
    assert len(study.sample.frame) == 17
    assert outcome_of(study, AUTOMATIC).n_first + outcome_of(study, AUTOMATIC).n_second == 17


def test_areas_have_the_names_and_values_of_the_table(tmp_path):
    run = read_run(make(tmp_path).out)
    row = run.rows[0]
    for name in ("area_mean_mm2", "area_left_mm2", "lean_area_right_mm2", "area_mean_per_height_mm2_per_m",
                 "area_mean_per_height2_cm2_per_m2"):  # fmt: skip
        value = value_named(run, name)
        assert isinstance(value, Area)
        assert value.name == name
        assert value.of(row) == pytest.approx(run.number(row, name), abs=5e-4)
    own = value_named(run, "lean_area_left_per_height2_cm2_per_m2")
    assert (own.name, own.unit) == ("lean_area_left_per_height2_cm2_per_m2", "cm²/m²")
    hu = value_named(run, "mean_hu_mean")
    assert (hu.of(row), hu.on_side("left").name, hu.unit) == (50.0, "mean_hu_left", "HU")
    assert value_named(run, "mean_hu_left").on_side("left") is None


def test_one_side_or_no_height_is_no_value():
    case = CaseRow(result_of(MadeCase("A", 3000.0, 3200.0, None)), "p")
    assert Area(height_power=0).of(case) == 3100.0
    assert Area().of(case) is None
    assert Area(height_power=0, level="si-joint-end").of(case) is None
    left, right = case.result.muscles
    one_sided = replace(case.result, muscles=(left, replace(right, measurement=None)))
    assert Area(height_power=0).of(replace(case, result=one_sided)) is None


def test_another_value_has_only_the_choices_that_apply(tmp_path):
    cases = made_cases()
    made = make(tmp_path, cases)
    with pytest.raises(GlutsegError, match="value-constant"):
        made.study(value="mean_hu_mean")
    study = made.study(value="imat_area_mean_mm2")
    assert [o.choice.about for o in study.sensitivity.outcomes] == ["as asked", "cases"]
    assert study.sides is not None
