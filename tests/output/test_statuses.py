"""One vocabulary of statuses, in the table, the status command, the report and the exit code."""

import csv
from collections import Counter

import pytest

from glutseg import review
from glutseg.batch.run import RunSummary
from glutseg.batch.status import read_status
from glutseg.output.style import STATUS_COLOURS
from glutseg.report import gather
from glutseg.result import STATUSES
from glutseg.terminal import STATUS_STYLES
from made_run import MadeCase, make_run

CASES = [
    MadeCase("P0"),
    MadeCase("P1", status="review"),
    MadeCase("P2", status="failed", error=("no-ct", "only MR")),
    MadeCase("P3"),
]


def test_a_rejected_case_is_excluded_everywhere(tmp_path):
    out = make_run(tmp_path / "out", CASES).out
    review.reject(out, CASES[3].case_id, "Ann", "metal")
    review.Collator(out).collate()
    with (out / "measurements.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["patient_id"]: row for row in csv.DictReader(file)}
    assert [rows[case.patient_id]["status"] for case in CASES] == ["ok", "review", "failed", "excluded"]
    assert (rows["P3"]["error_code"], rows["P3"]["error_message"]) == ("case-rejected", "metal")
    assert (rows["P3"]["area_left_mm2"], rows["P3"]["mask"], rows["P3"]["values"]) == ("", "", "")
    status = read_status(out)
    assert status.counts == {"ok": 1, "review": 1, "failed": 1, "excluded": 1, "waiting": 0}
    assert status.failures == ((CASES[2].case_id, "no-ct", "only MR"),)
    report = gather(out)
    assert [(fact.name, fact.value) for fact in report.counts[1:5]] == [(name, "1") for name in STATUSES]
    assert [fact.name for fact in report.statuses] == list(STATUSES)
    assert {case.patient_id: case.status for case in report.cases}["P3"] == "excluded"


def test_every_status_has_its_colours():
    assert set(STATUS_COLOURS) == set(STATUS_STYLES) == set(STATUSES)


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
