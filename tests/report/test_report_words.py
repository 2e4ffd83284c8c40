"""The methods paragraph and the charts: true to what they tell of."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.exchange.measure_mask import GIVEN
from glutseg.image import Mask
from glutseg.output.schema import CaseRow
from glutseg.protocol import NAMED_LEVELS, LevelRule, TissueRule, load_protocol, with_extent, with_level
from glutseg.report.charts import OVERVIEW_WIDTH, Point, overview, profile_chart, tick_step
from glutseg.report.gather import gather
from glutseg.report.methods import AUBREY, LEVELS, methods
from glutseg.result import Height
from made_run import GRID, MadeCase, labels_of, make_run, result_of, volume_of

PROTOCOL = load_protocol()


def result(case):
    labels = labels_of(case)
    return result_of(case, volume_of(labels), Mask.from_array(labels, GRID))


def rows(*cases, **how):
    return [replace(CaseRow(result(case), "p"), **how) for case in cases]


def told(protocol=PROTOCOL, of=None, reviewers=None, **how):
    found = methods(protocol, "1.2.3", of if of is not None else rows(MadeCase("A")), reviewers or {}, **how)
    return " ".join(found.sentences), found.citations


@pytest.mark.parametrize("level", NAMED_LEVELS)
def test_every_level_is_named(level):
    text, _ = told(with_level(PROTOCOL, level))
    assert f"the axial slice {LEVELS[level]}" in text


def test_levels_by_hand_and_with_an_offset():
    assert "given by its number" in told(with_level(PROTOCOL, "slice=3"))[0]
    assert "at a height given by hand" in told(with_level(PROTOCOL, "z=12"))[0]
    lower = PROTOCOL.model_copy(update={"level": LevelRule(offset_mm=-10)})
    assert "femoral heads, 10 mm below that was measured" in told(lower)[0]


def test_windows_are_those_of_the_protocol_and_cited_only_when_they_are_aubreys():
    text, cited = told()
    assert "from −29 to 150 HU" in text
    assert "from −190 to −30 HU" in text
    assert AUBREY in cited
    own = PROTOCOL.model_copy(update={"tissue": TissueRule(muscle_hu=(0, 120))})
    text, cited = told(own)
    assert "from 0 to 120 HU" in text
    assert AUBREY not in cited


def test_numbers_failures_and_flags():
    failed = MadeCase("C", status="failed", error=("hips-not-found", "no"))
    text, _ = told(of=rows(MadeCase("A"), MadeCase("B", status="review"), failed))
    assert (
        "Of 3 studies, 2 yielded an area, 1 of them with quality flags that no reviewer has settled; " in text
    )
    assert "1 could not be measured (hips-not-found 1)." in text
    assert "in the headers of 0 of 2 series" in text
    excluded = [
        replace(row, result=replace(row.result, status="excluded", muscles=())) for row in rows(failed)
    ]
    text, _ = told(of=[*rows(MadeCase("A")), *excluded])
    assert "Of 2 studies, 1 yielded an area; reviewers excluded 1." in text


def test_heights_name_their_sources():
    known, unknown = result(MadeCase("A")), result(MadeCase("B", height_m=None))
    table = replace(known, height=Height(1.7, "participants"))
    text, _ = told(of=[CaseRow(one, "p") for one in (known, table, unknown)])
    assert "the DICOM header (1) and the participants table (1); 1 without a height have no index" in text


def test_outlines_made_elsewhere_are_not_called_the_programs():
    text, _ = told(outliner={"name": GIVEN})
    assert "on outlines that were made elsewhere [say by whom and how]" in text
    assert "region growing" not in text
    assert "they are as they were given" in text
    assert "region growing" in told()[0]


def test_another_outliner_is_named_and_cited():
    text, cited = told(outliner={"name": "totalsegmentator", "version": "2.18.0"})
    assert (
        "with glutseg 1.2.3 on outlines of TotalSegmentator 2.18.0 (task “total”, 1.5 mm), a trained" in text
    )
    assert "region growing" not in text
    assert "inside the outline, fat included" in text
    assert "inside the fascia, fat streaks included" in told()[0]
    assert sum("10.1148/ryai.230024" in one for one in cited) == 1
    assert not any("TotalSegmentator" in one for one in told()[1])


def test_how_far_the_areas_may_be_off():
    """4 and 6 %, 12 %, and one that is unknown."""
    of = rows(MadeCase("A"), MadeCase("B", error_bounds_percent=(12.0, None)))
    text, _ = told(of=of)
    assert "within 6.0 % of the measured one (median of 3 areas of 4; largest 12.0 %)" in text
    unknown, _ = told(of=rows(MadeCase("A", error_bounds_percent=(None, None))))
    assert "90 % of cases" not in unknown


def test_people_and_what_they_decided():
    assert "No person has reviewed" in told()[0]
    decided = [*rows(MadeCase("A"), decision="accepted"), *rows(MadeCase("B"))]
    text, _ = told(of=decided, reviewers={"Ann": Counter(accepted=1)})
    assert "1 reviewer looked at the outlines; of 2 studies 1 accepted, 1 without a decision" in text


def test_more_muscles_whole_muscles_and_agreement():
    text, cited = told(with_extent(PROTOCOL, muscles=True, whole_muscle=True), has_agreement=True)
    assert "the gluteus maximus, medius and minimus was measured" in text
    assert "Volumes were measured" in text
    assert any("Bland" in one for one in cited)
    assert not any("Bland" in one for one in told()[1])


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
