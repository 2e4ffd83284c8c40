"""One vocabulary of statuses: tables, commands, report, study, Python and the exit code."""

import csv
import json
import re
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

import glutseg
from glutseg import review
from glutseg.batch.run import RunSummary
from glutseg.batch.status import read_status
from glutseg.cli import app
from glutseg.output.overlay import SIZE, with_status
from glutseg.output.style import STATUS_COLOURS
from glutseg.report import gather, render
from glutseg.result import EXCLUSION_REASONS, STATUSES
from glutseg.study.join import as_decided, join
from glutseg.study.run_rows import read_run
from glutseg.study.table import StudyTable, TableRow
from glutseg.terminal import STATUS_STYLES, print_summary
from made_run import MadeCase, make_run

CASES = [
    MadeCase("P0"),
    MadeCase("P1", status="review"),
    MadeCase("P2", status="failed", error=("no-ct", "only MR")),
    MadeCase("P3"),
    MadeCase("P4", status="failed", error=("hips-not-found", "none")),
]
AS_DECIDED = ["ok", "review", "failed", "excluded", "excluded"]
COUNTS = {"ok": 1, "review": 1, "failed": 1, "excluded": 2}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Five cases, of which two are rejected, one of them failed before."""
    out = make_run(tmp_path_factory.mktemp("statuses") / "out", CASES).out
    review.reject(out, CASES[3].case_id, "Ann", "implant-or-metal", "left hip")
    review.reject(out, CASES[4].case_id, "Ann", "a <b>child</b>")
    assert review.Collator(out).collate().statuses == COUNTS
    return out


def printed(*arguments):
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def table_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def check_rows(rows):
    """Rows of measurements.csv in any form, in the order of CASES."""
    assert [row["status"] for row in rows] == AS_DECIDED
    assert [row["exclusion_reason"] or "" for row in rows] == ["", "", "", "implant-or-metal", "other"]
    assert [row["error_code"] or "" for row in rows] == ["", "", "no-ct", "case-rejected", "case-rejected"]
    assert [row["error_message"] for row in rows][3:] == ["implant or metal", "a <b>child</b>"]
    assert not any(row["mask"] or row["values"] for row in rows[3:])


def test_in_the_tables(run, tmp_path):
    rows = table_of(run / "measurements.csv")
    check_rows(rows)
    assert [row["area_left_mm2"] for row in rows][2:] == ["", "", ""]
    assert {row["patient_id"] for row in table_of(run / "profile.csv")} == {"P0", "P1"}
    printed("export", run, "--format", "parquet", "--out", tmp_path)
    check_rows(pq.read_table(next(tmp_path.rglob("*.parquet"))).to_pylist())
    reviews = table_of(run / "reviews.csv")
    assert [(r["status"], r["exclusion_reason"], r["reason"], r["note"]) for r in reviews] == [
        ("excluded", "implant-or-metal", "implant or metal", "left hip"),
        ("excluded", "other", "a <b>child</b>", ""),
    ]


def test_in_python(run):
    opened = glutseg.read_run(run)
    assert [result.status for result in opened.results] == AS_DECIDED
    assert "2 excluded" in repr(opened)
    assert "1 failed" in repr(opened)
    check_rows(opened.frame().replace({np.nan: None}).to_dict("records"))
    assert [result.is_measured for result in opened.results] == [True, True, False, False, False]


def test_in_status_and_at_the_end_of_a_run(run, capsys):
    status = read_status(run)
    assert status.counts == COUNTS | {"waiting": 0}
    assert status.failures == ((CASES[2].case_id, "no-ct", "only MR"),)
    assert status.exclusions == (
        (CASES[3].case_id, "implant-or-metal", "implant or metal"),
        (CASES[4].case_id, "other", "a <b>child</b>"),
    )
    assert json.loads(printed("status", run, "--json"))["counts"] == COUNTS | {"waiting": 0}
    counted = "1 ok, 1 review, 1 failed, 2 excluded"
    told = printed("status", run)
    assert counted in told
    assert f"excluded: {CASES[3].case_id}: implant or metal" in told
    rows = review.final_rows(run)
    print_summary(RunSummary(run, rows, Counter(row.result.status for row in rows)))
    assert counted in capsys.readouterr().out


def test_in_the_report(run):
    report = gather(run)
    assert {fact.name: fact.value for fact in report.counts[1:5]} == {
        name: str(n) for name, n in COUNTS.items()
    }
    assert [fact.name for fact in report.statuses] == list(STATUSES)
    assert [case.status for case in report.cases] == AS_DECIDED
    page = render(report)
    for case in report.cases[3:]:
        row = re.search(rf'<tr data-case="{case.anchor}".*?</tr>', page, re.DOTALL).group()
        assert 'data-status="excluded"' in row
        assert "failed" not in row
    assert "a &lt;b&gt;child&lt;/b&gt;" in page
    assert "<b>child" not in page


def test_in_the_picture_of_the_report():
    automatic = with_status(Image.new("RGB", SIZE, "black"), "ok")
    excluded = with_status(automatic, "excluded")
    assert excluded == with_status(Image.new("RGB", SIZE, "black"), "excluded") != automatic
    elsewhere = Image.new("RGB", (30, 20), "red")
    assert with_status(elsewhere, "excluded") == elsewhere


def test_in_the_flow_of_a_study(run, tmp_path):
    rows = {case.patient_id: TableRow(case.patient_id, 2, {}) for case in CASES}
    found = join(as_decided(read_run(run)), StudyTable(rows, "patient_id", (), tmp_path, ""))
    assert [patient.case.result.patient_id for patient in found.patients] == ["P0", "P1"]
    assert found.failed == (CASES[2].case_id,)
    assert found.excluded == (CASES[3].case_id, CASES[4].case_id)
    assert found.exclusion_reasons == dict(zip(found.excluded, ["implant-or-metal", "other"], strict=True))
    assert found.exclusion_words == "Reasons to exclude: implant or metal (1); another reason (1)."


def test_reviewers_who_agree_may_differ_in_the_reason(tmp_path):
    out = make_run(tmp_path / "out", CASES).out
    for reviewer, reason in (
        ("Ann", "implant-or-metal"),
        ("Ben", "previous-operation"),
        ("Cem", "implant or metal"),
    ):
        review.reject(out, CASES[0].case_id, reviewer, reason)
    row = review.final_rows(out)[0]
    assert (row.result.status, row.exclusion_reason) == ("excluded", "implant-or-metal previous-operation")
    assert row.result.error_message == "implant or metal; previous operation"
    assert row.reviewer == "Ann; Ben; Cem"
    review.undo(out, CASES[0].case_id, "Ben")
    review.accept(out, CASES[0].case_id, "Ben")
    row = review.final_rows(out)[0]
    assert (row.result.status, row.exclusion_reason) == ("review", "")
    assert {flag.code for flag in row.result.flags} == {"reviewers-differ"}


@pytest.mark.parametrize("reason", ["", "  ", "other"])
def test_a_rejection_without_a_reason_is_refused(reason, tmp_path):
    out = make_run(tmp_path / "out", CASES[:1]).out
    with pytest.raises(glutseg.GlutsegError, match="needs a reason"):
        review.reject(out, CASES[0].case_id, "Ann", reason)
    assert review.final_rows(out)[0].result.status == "ok"


def test_every_status_has_its_colours_and_every_reason_a_key():
    assert set(STATUS_COLOURS) == set(STATUS_STYLES) == set(STATUSES)
    assert list(EXCLUSION_REASONS)[-1] == "other"
    assert len(EXCLUSION_REASONS) == len(set(EXCLUSION_REASONS.values())) == 9


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["ok", "ok"], 0),
        (["ok", "excluded"], 0),
        (["ok", "review"], 2),
        (["ok", "failed"], 2),
        (["review", "excluded"], 2),
        (["failed", "excluded"], 1),
        (["failed", "failed"], 1),
    ],
)
def test_an_excluded_case_is_settled_for_the_exit_code(statuses, code, tmp_path):
    assert RunSummary(tmp_path, (), Counter(statuses)).exit_code == code
