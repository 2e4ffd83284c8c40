"""How far the pipeline's areas may be from a phantom's, and the benchmark's own arithmetic."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glutseg import anatomy, segmentation
from glutseg.image import SIDES
from glutseg.phantom import PhantomPatient, PhantomScan, cohort_members, render
from glutseg.phantom.cohort import COHORT_SCAN
from glutseg.protocol import LevelRule

ROOT = Path(__file__).resolve().parents[1]
MAX_AREA_ERROR = 0.02
"""Of the mean of both sides."""
FIELD_MM = 400.0


def _area_error(seed: int, pixel_mm: float, slice_mm: float) -> float:
    """Error of the mean area at the level that was found, against the phantom's own area there."""
    matrix = int(FIELD_MM / pixel_mm)
    scan = PhantomScan(matrix=matrix, pixel_mm=pixel_mm, slice_mm=slice_mm, z_range_mm=(-60.0, 60.0))
    phantom = render(PhantomPatient(seed=seed), scan)
    found = anatomy.find_anatomy(phantom.volume)
    level = anatomy.find_level(found, LevelRule())
    k = level.slice_index
    mask = segmentation.segment(phantom.volume, found, range(k, k + 1)).mask
    areas = [(mask.labels[k] == label).sum() * mask.geometry.pixel_area_mm2 for label in SIDES.values()]
    true = [phantom.area_mm2(side, level.z_mm) for side in SIDES]
    return float(np.mean(areas) / np.mean(true) - 1)


@pytest.mark.parametrize("slice_mm", [2.0, 3.0, 5.0])
@pytest.mark.parametrize("pixel_mm", [0.7, 0.9, 1.2])
def test_the_area_of_a_phantom_whatever_the_scan(pixel_mm, slice_mm):
    assert abs(_area_error(2, pixel_mm, slice_mm)) <= MAX_AREA_ERROR


@pytest.mark.parametrize("seed", [1, 3, 8])
def test_the_area_of_other_phantoms(seed):
    assert abs(_area_error(seed, 1.2, 5.0)) <= MAX_AREA_ERROR


def test_each_side_of_the_demonstration_cohort():
    """Two of its members, thick and thin; all 24 are measured by benchmarks/cohort.py."""
    for member in (cohort_members()[0], cohort_members()[3]):
        phantom = render(member.patient, COHORT_SCAN)
        found = anatomy.find_anatomy(phantom.volume)
        level = anatomy.find_level(found, LevelRule())
        k = level.slice_index
        mask = segmentation.segment(phantom.volume, found, range(k, k + 1), slice_index=k).mask
        for side, label in SIDES.items():
            area_mm2 = (mask.labels[k] == label).sum() * mask.geometry.pixel_area_mm2
            assert area_mm2 == pytest.approx(phantom.area_mm2(side, level.z_mm), rel=MAX_AREA_ERROR)


@pytest.mark.parametrize("side", list(SIDES))
def test_the_truth_mask_has_the_true_area(side):
    """What the errors above are measured against: no error of its own beyond that of counting pixels."""
    phantom = render(
        PhantomPatient(seed=2), PhantomScan(matrix=440, pixel_mm=0.9, slice_mm=3.0, z_range_mm=(20.0, 26.0))
    )
    g = phantom.volume.geometry
    for k in range(g.shape[0]):
        counted = (phantom.truth.labels[k] == SIDES[side]).sum() * g.pixel_area_mm2
        assert counted == pytest.approx(phantom.area_mm2(side, g.slice_z_mm(k)), rel=0.005)


@pytest.fixture(scope="module")
def benchmark():
    """benchmarks/accuracy.py, which is a program and not part of the package."""
    import sys

    spec = importlib.util.spec_from_file_location("accuracy_benchmark", ROOT / "benchmarks" / "accuracy.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def good(benchmark):
    return benchmark.Score("a", "ok", 0.97, 0.96, 0.01, -0.01, 0.002, 1.5, 0.95, 0.96)


def test_what_stays_is_neither_better_nor_worse(benchmark, good):
    assert benchmark.compare([good], [good]) == ([], [])
    near = replace(good, dice_left=0.961, level_error_mm=-4.4)
    assert benchmark.compare([good], [near]) == ([], [])
    assert benchmark.compare([], [good]) == benchmark.compare([good], []) == ([], [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dice_left": 0.955}, "a left: Dice 0.970 -> 0.955"),
        ({"dice_right": 0.949}, "a right: Dice 0.960 -> 0.949"),
        ({"level_error_mm": -4.6}, "a: level +1.5 -> -4.6 mm"),
        ({"status": "review"}, "a: ok -> review"),
        ({"status": "failed", "end_to_end_error": None, "level_error_mm": None}, "a: ok -> failed"),
    ],
)
def test_what_got_worse_one_way_got_better_the_other(benchmark, good, change, words):
    bad = replace(good, **change)
    worse, better = benchmark.compare([good], [bad])
    assert (words in worse, better) == (True, [])
    worse, better = benchmark.compare([bad], [good])
    assert (worse, len(better)) == ([], 1)


def test_wrong_cases_that_say_ok_are_named(benchmark, good):
    wrong = replace(good, case="b", dice_left=0.80)
    flagged = replace(wrong, case="c", status="review")
    lines = benchmark.summarise([good, wrong, flagged])
    assert lines[-1] == "wrong and not flagged: b"
    assert lines[0].startswith("3 cases, Dice median 0.960, worst 0.800")
    assert benchmark.summarise([good])[-1] == "wrong and not flagged: none"


def test_stored_scores_are_read_back_and_others_stay(benchmark, good, tmp_path):
    file = tmp_path / "results" / "accuracy.json"
    assert benchmark.load(file) == []
    benchmark.store(file, [good, replace(good, case="b")])
    benchmark.store(file, [replace(good, dice_left=0.5)])
    assert benchmark.load(file) == [replace(good, dice_left=0.5), replace(good, case="b")]


def test_the_table_shows_a_case_that_was_not_measured(benchmark, capsys):
    benchmark.print_table([benchmark.Score("lost", "missing", 0.0, 0.0)])
    assert capsys.readouterr().out.splitlines()[1].split() == ["lost", "missing", "0.000", "0.000", *"------"]


def test_the_recipes_cover_what_they_should(benchmark):
    """Seeds never twice; deformation, gaps, fat, slices and implants over their whole ranges."""
    arguments = [a.split() for _, a in benchmark.RECIPES.values()]

    def values(name):
        return [float(a[a.index(name) + 1]) for a in arguments if name in a]

    assert len(set(values("--seed"))) == len(benchmark.RECIPES) >= 12
    assert (min(values("--warp")), max(values("--warp"))) == (4, 8)
    assert max(values("--plane_gaps")) == 0.45
    assert (min(values("--muscle_fat")), max(values("--muscle_fat"))) == (0, 0.3)
    assert (min(values("--slice")), max(values("--slice"))) == (1.5, 5)
    assert sum("--implant" in a for a in arguments) >= len(arguments) / 4


def test_the_stored_table_is_one_the_benchmark_reads(benchmark):
    file = ROOT / "benchmarks" / "results" / "accuracy.json"
    cases = json.loads(file.read_text(encoding="utf-8"))["cases"]
    assert [s.case for s in benchmark.load(file)] == [c["case"] for c in cases]
    assert len(cases) >= 17
