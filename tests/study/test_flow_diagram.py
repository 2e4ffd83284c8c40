"""Who was compared: every study of a run is counted once, whatever became of it."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_maker import make

from glutseg.measurement.table_model import Cell
from glutseg.result import EXCLUSION_REASONS
from glutseg.study.figures import PNG_DPI, style
from glutseg.study.flow import Arm, Count, Flow, flow_of
from glutseg.study.flow_chart import COLUMN_MM, PAD_MM, draw_flow
from glutseg.study.join import join
from glutseg.study.plots import draw
from glutseg.study.run_rows import read_run
from glutseg.study.sample import Question, make_sample
from glutseg.study.table import StudyTable, TableRow
from glutseg.study.values import value_named
from run_maker import MadeCase, make_run

GROUPS = ("control", "back-pain")
N = 15
"""Studies: the first two are of one patient."""
STATES = ("ok", "review", "accepted", "corrected", "no height", "failed", "excluded", "waiting")
WHO = (*GROUPS, "sciatica", "", "no row")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    cases = [MadeCase("P-00"), *(MadeCase(f"P-{k:02d}", study_uid=f"1.9.{k}") for k in range(N - 1))]
    return read_run(make_run(tmp_path_factory.mktemp("flow") / "out", cases))


def became(row, state):
    """A row of the run as it is after that."""
    if state in ("ok", "review"):
        return replace(row, result=replace(row.result, status=state))
    if state in ("accepted", "corrected"):
        return replace(row, decision=state)
    if state == "no height":
        return replace(row, result=replace(row.result, height=replace(row.result.height, height_m=None)))
    codes = " ".join(list(EXCLUSION_REASONS)[: 1 + len(row.result.case_id) % 2])
    bare = replace(row.result, status=state, muscles=(), error_code="hips-not-found")
    return replace(row, result=bare, exclusion_reason=codes if state == "excluded" else "")


def flow_after(run, states, who, extra=0):
    """The flow of a run whose patients fared so and belong there."""
    rows = tuple(
        became(row, state) for row, state in zip(run.rows, states, strict=True) if state != "waiting"
    )
    waiting = tuple(
        row.result.case_id for row, state in zip(run.rows, states, strict=True) if state == "waiting"
    )
    named = {row.result.patient_id: group for row, group in zip(run.rows, who, strict=True)}
    named = {key: group for key, group in named.items() if group != "no row"}
    named |= {f"Z-{k}": "control" for k in range(extra)}
    table = StudyTable(
        {key: TableRow(key, k + 2, {"group": Cell(group)}) for k, (key, group) in enumerate(named.items())},
        "patient_id", ("patient_id", "group"), Path("t.csv"), "",
    )  # fmt: skip
    fared = replace(run, rows=rows, waiting=waiting)
    joined = join(fared, table)
    question = Question("group", groups=GROUPS)
    sample = make_sample(joined, table, question, value_named(fared, question.value))
    return flow_of(fared, joined, sample)


def adds_up(flow):
    """At every step those who go on and those who are left out are those who came."""
    steps = [
        (flow.studies, flow.measured, flow.not_measured),
        (flow.measured, sum(arm.n for arm in flow.arms), flow.not_of_groups),
        *((arm.n, arm.compared, arm.left_out) for arm in flow.arms),
        *((arm.compared, 0, arm.reviews) for arm in flow.arms),
    ]
    reasons = [count for count in flow.not_measured if count.reasons]
    return all(came == on + sum(count.n for count in out) for came, on, out in steps) and all(
        count.n == sum(n for _, n in count.reasons) for count in reasons
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(STATES), min_size=N - 3, max_size=N - 3),
    st.lists(st.sampled_from(WHO), min_size=N - 3, max_size=N - 3),
    st.integers(0, 3),
)
def test_the_numbers_add_up_whatever_became_of_the_studies(run, states, who, extra):
    states, who = ["ok", "failed", "ok", *states], [GROUPS[0], *GROUPS, *who]
    flow = flow_after(run, states, who, extra)
    assert adds_up(flow)
    assert flow.studies == N
    pairs = list(zip(states, who, strict=True))
    for arm in flow.arms:
        measured = [s for s, w in pairs if w == arm.group and s not in ("failed", "excluded", "waiting")]
        assert arm.n == len(measured)
        assert arm.compared == len(measured) - measured.count("no height")
        reviews = {count.words: count.n for count in arm.reviews}
        assert reviews.get("corrected by a reviewer", 0) == measured.count("corrected")
        assert reviews.get("accepted by a reviewer", 0) == measured.count("accepted")
        assert reviews.get("not reviewed, though flagged", 0) == measured.count("review")
    before = {count.words: count.n for count in flow.not_measured}
    assert before.get("not done yet", 0) == states.count("waiting")
    for state, words in (("failed", "not measured"), ("excluded", "excluded by a reviewer")):
        assert before.get(words, 0) == sum(s == state and w != "no row" for s, w in pairs)
    assert before.get("no row in the participants table", 0) == sum(
        w == "no row" and s != "waiting" for s, w in pairs
    )
    # of whom nothing is done: of the table's additional ones, and of those that wait
    assert flow.only_table == extra + sum(s == "waiting" and w != "no row" for s, w in pairs)


def test_reasons_are_words_and_every_box_holds_its_lines(run):
    states = ["excluded", "failed", "failed", *["ok"] * (N - 3)]
    flow = flow_after(run, states, [GROUPS[0], *[*GROUPS] * 7])
    counts = {count.words: count.reasons for count in flow.not_measured}
    assert counts["not measured"] == (("no pair of hips was recognised in the series", 2),)
    assert list(dict(counts["excluded by a reviewer"]).values()) == [1]
    long = "Rückenschmerzen" * 12
    arm = Arm(long, 3, (Count("no " + "x_" * 60, 1),), 2, (Count("not reviewed", 2),))
    wide = replace(flow, arms=(arm, flow.arms[1]), not_of_groups=(Count(long, 3),), only_table=3)
    for one in (flow, wide, Flow(0, 0, (), 0, (), (Arm("", 0, (), 0, ()), Arm("", 0, (), 0, ())))):
        with style():
            figure = draw_flow(one)
        figure.set_dpi(PNG_DPI)
        axes = figure.axes[0]
        for text in axes.texts:
            ends = text.get_window_extent().transformed(axes.transData.inverted())
            assert ends.width <= COLUMN_MM - 1.5 * PAD_MM
    drawn = "".join(text.get_text().strip() for text in draw_flow(wide).axes[0].texts)
    assert "(n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}3)" in drawn


def test_the_diagram_s_numbers_are_those_of_the_comparison(tmp_path):
    study = make(tmp_path).study(groups=("control", "back-pain"))
    assert adds_up(study.flow)
    assert [arm.compared for arm in study.flow.arms] == [study.comparison.n_first, study.comparison.n_second]
    assert "flow" in draw(study)
