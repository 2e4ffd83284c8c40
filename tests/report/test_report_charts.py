"""The charts and the figures of a case: true to what they show."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.image import Mask
from glutseg.report.charts import OVERVIEW_WIDTH, Point, overview, profile_chart, tick_step
from glutseg.report.gather import gather
from made_run import GRID, MadeCase, labels_of, make_run, result_of, volume_of


def result(case):
    labels = labels_of(case)
    return result_of(case, volume_of(labels), Mask.from_array(labels, GRID))


def test_the_profile_is_drawn_to_scale():
    found = result(MadeCase("A", (17, 17)))
    chart = profile_chart(found)
    (right, left) = chart.lines
    assert (right.name, left.name) == ("R", "L")
    ys = {float(pair.split(",")[1]) for pair in right.points.split()}
    assert len(ys) == 1  # five equal slices
    zero, top = chart.y_ticks[0], chart.y_ticks[-1]
    share = (zero.at - ys.pop()) / (zero.at - top.at)
    assert share * float(top.label) == pytest.approx(17 * 10 * 3 / 100, abs=0.05)
    assert "Left: 5.1 to 5.1 cm²." in chart.words
    assert abs(right.end_y - left.end_y) >= 12  # names do not lie upon each other
    assert profile_chart(replace(found, profile=found.profile[:1])) is None


def test_the_areas_have_error_bars_to_scale():
    """± 10 % of 5.1 cm² on the left; unknown on the right."""
    chart = profile_chart(result(MadeCase("A", (17, 17), error_bounds_percent=(10.0, None))))
    (bar,) = chart.error_bars
    zero, top = chart.y_ticks[0], chart.y_ticks[-1]
    per_cm2 = (zero.at - top.at) / float(top.label)
    assert bar.side == "left"
    assert (zero.at - bar.upper_y) / per_cm2 == pytest.approx(5.61, abs=0.05)
    assert (zero.at - bar.lower_y) / per_cm2 == pytest.approx(4.59, abs=0.05)
    assert abs(bar.x - chart.level_x) <= 5
    assert bar.upper_y >= top.at
    wide = profile_chart(result(MadeCase("A", (17, 17), error_bounds_percent=(300.0, 5.0))))
    left = next(one for one in wide.error_bars if one.side == "left")
    assert left.upper_y >= wide.y_ticks[-1].at  # within the chart, and not below zero
    assert left.lower_y == wide.y_ticks[0].at


def test_a_case_tells_how_far_its_areas_may_be_off(tmp_path):
    made = make_run(
        tmp_path / "out", [MadeCase("A", (17, 18)), MadeCase("B", error_bounds_percent=(None,) * 2)]
    )
    known, unknown = gather(made.out).cases
    assert known.bound_percent == "6"
    assert ("area, mm²", "540 ± 32", "510 ± 20") in known.sides
    assert ("90 % bound", "± 6 %", "± 4 %") in known.sides
    assert unknown.bound_percent == ""
    assert "90 % bound" not in {name for name, _, _ in unknown.sides}


areas = st.lists(st.floats(300, 9000), min_size=2, max_size=200)


@given(areas)
def test_every_case_is_a_dot_within_the_overview(values):
    points = [Point(v, "ok", f"case-{i}", f"P{i}") for i, v in enumerate(values)]
    found = overview(points)
    assert sorted(dot.anchor for dot in found.dots) == sorted(point.anchor for point in points)
    assert all(0 < dot.x < OVERVIEW_WIDTH and 0 < dot.y < found.base for dot in found.dots)
    places = [(dot.x, dot.y) for dot in found.dots]
    assert len(set(places)) == len(places)
    in_order = sorted(found.dots, key=lambda dot: values[int(dot.anchor[5:])])
    assert [dot.x for dot in in_order] == sorted(dot.x for dot in in_order)


@given(st.floats(1e-3, 1e6), st.integers(2, 12))
def test_steps_are_round_and_few(span, n):
    step = tick_step(span, n)
    assert n / 3 <= span / step <= n * 1.01
    assert f"{step:e}"[0] in "125"
