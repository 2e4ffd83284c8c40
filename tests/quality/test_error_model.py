"""The expected error: never smaller for more doubt, and the coefficients those of the stored measurements."""

import importlib
import json
import math
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.quality import error_model
from glutseg.quality.error_model import MOST_PERCENT, ErrorModel, error_bound_percent, fitted_models
from glutseg.result import MuscleResult, SliceMeasurement
from glutseg.segmentation.evidence import Evidence
from glutseg.settings import METHOD

ROOT = Path(__file__).parents[2]
MUSCLES = ("maximus", "medius", "minimus")
MEASURES = [f.name for f in fields(Evidence) if f.name != "muscle"]
PLANE = "plane_inside_medius_mm"
UPPER_END = {"noise_hu": 100.0, PLANE: 500.0}
BEST = dict.fromkeys(MEASURES, 0.0)


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        yield importlib.import_module("error_model")


@pytest.fixture(scope="module")
def fitting(benchmark):
    return importlib.import_module("error_fit")


@st.composite
def evidence(draw):
    values = {name: draw(st.floats(0, UPPER_END.get(name, 1.0))) for name in MEASURES}
    return Evidence(draw(st.sampled_from(MUSCLES)), **values)


@given(evidence(), st.sampled_from(MEASURES), st.floats(0, 10))
def test_more_doubt_never_makes_the_bound_smaller(known, name, more):
    worse = replace(known, **{name: getattr(known, name) + more})
    assert error_bound_percent(known) <= error_bound_percent(worse) <= MOST_PERCENT


@given(evidence())
def test_no_factor_is_below_one_and_their_product_is_the_bound(known):
    model = fitted_models()[known.muscle]
    factors = list(model.factors(known).values())
    assert min(factors, default=1.0) >= 1
    product = model.base_percent * math.prod(factors)
    least = model.long_plane_percent if known.plane_inside_medius_mm > error_model.LONG_PLANE_MM else 0.0
    assert error_bound_percent(known) == pytest.approx(min(MOST_PERCENT, max(product, least)))


def test_a_long_plane_inside_the_medius_is_never_passed_over():
    limit = METHOD.quality.max_error_bound_percent
    short, long = (Evidence("maximus", **BEST | {PLANE: error_model.LONG_PLANE_MM + mm}) for mm in (0, 1))
    assert error_bound_percent(short) < limit < error_bound_percent(long)


def test_each_measure_multiplies_the_bound_by_its_power():
    model = ErrorModel(2.0, {PLANE: 0.5, "unsure_share": 2.0})
    worse = [BEST, BEST | {PLANE: 80.0}, BEST | {PLANE: 80.0, "unsure_share": 0.03}]
    bounds = [model.bound_percent(Evidence("maximus", **measures)) for measures in worse]
    assert bounds == pytest.approx([2.0, 2 * 3, 2 * 3 * 4])


def test_every_muscle_has_a_model_of_known_measures():
    for muscle in MUSCLES:
        model = fitted_models()[muscle]
        assert set(model.powers) <= set(MEASURES)
        assert min(model.powers.values()) > 0


def test_the_stored_measurements_give_the_stored_coefficients(benchmark, fitting):
    file = Path(error_model.__file__).with_name(error_model.COEFFICIENTS_FILE)
    stored, fitted = json.loads(file.read_text(encoding="utf-8")), benchmark.coefficients_of_stored()
    assert stored["csv_sha256"] == fitted["csv_sha256"]
    for muscle in MUSCLES:
        for row in fitting.of_muscle(benchmark.read(), muscle)[::7]:
            known = fitting.evidence_of(row)
            again = ErrorModel(**fitted["muscles"][muscle]).bound_percent(known)
            assert error_bound_percent(known) == pytest.approx(again, rel=0.01)


def test_a_fit_finds_what_the_error_was_made_of(fitting):
    """Errors of up to 2 % times (1 + plane / 10 mm); nothing else matters."""
    rows = []
    for i in range(200):
        row = dict.fromkeys(MEASURES, "0.1") | {
            PLANE: str(i % 20),
            "unsure_share": str(i * 7 % 13),
        }
        share = (i * 37 % 101) / 101
        row |= {"muscle": "maximus", "body": str(i // 10), "patient": "p", "change": str(i), "side": "left"}
        true_share = 1 + 0.01 * share * 2 * (1 + i % 20 / 10)
        rows.append(row | {"area_error": str(1 / true_share - 1)})
    model = fitting.fit(rows)
    small, large = (model.bound_percent(Evidence("maximus", **BEST | {PLANE: mm})) for mm in (0.0, 18.0))
    assert small == pytest.approx(1.8, abs=0.7)
    assert large == pytest.approx(1.8 * 2.8, rel=0.25)


def test_bound_and_difference_by_hand():
    nothing = float("nan")
    measured = SliceMeasurement(3000.0, 3000.0, 2900.0, 50.0, 45.0, 20.0, -50.0, 120.0, nothing)
    record = MuscleResult("maximus", "left", measured, error_bound_percent=14.0, other_area_mm2=3270.0)
    assert record.error_bound_mm2 == pytest.approx(420.0)
    assert record.other_difference_percent == pytest.approx(9.0)
    for unknown in (
        MuscleResult("maximus", "left", measured),
        MuscleResult("maximus", "left", None, 5.0, 0.9, 3.0),
    ):
        assert unknown.error_bound_mm2 is None
        assert unknown.other_difference_percent is None


def test_an_area_under_the_curve(fitting):
    import numpy as np

    scores, positive = np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, True])
    assert fitting.area_under_curve(scores, positive) == 0.75
    assert fitting.area_under_curve(scores, np.zeros(4, bool)) is None


def test_the_page_shows_the_stored_coefficients(benchmark, fitting):
    stored = json.loads(benchmark.COEFFICIENTS.read_text(encoding="utf-8"))
    assert fitting.terms_table(stored) in benchmark.DOCUMENT.read_text(encoding="utf-8")
