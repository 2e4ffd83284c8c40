"""A case whose record is damaged keeps its row in every table, failed and without figures."""

import csv
import json
import os

import pytest
from typer.testing import CliRunner

import glutseg
from glutseg import review
from glutseg.batch.status import read_status
from glutseg.cli import app
from glutseg.exchange.export import export
from glutseg.output.layout import CASE_JSON, MASK, case_file
from made_run import MadeCase, make_run

CASES = [MadeCase(name) for name in ("A", "B", "C")]
DAMAGED = CASES[1].case_id


def truncated(path):
    path.write_bytes(path.read_bytes()[:200])


def nested(path):
    path.write_text("[" * 200_000)


def by_hand(path):
    """Another area, as an editor would write it."""
    record = json.loads(path.read_text(encoding="utf-8"))
    record["muscles"][0]["measurement"]["area_mm2"] += 100.0
    path.write_text(json.dumps(record), encoding="utf-8")


def infinite(path):
    text = path.read_text(encoding="utf-8")
    assert '"area_mm2": ' in text
    path.write_text(text.replace('"area_mm2": ', '"area_mm2": 1e999, "was": '), encoding="utf-8")


def a_pipe(path):
    path.unlink()
    os.mkfifo(path)


def without_mask(path):
    (path.parent / MASK).unlink()


def empty_mask(path):
    (path.parent / MASK).write_bytes(b"")


def truncated_mask(path):
    truncated(path.parent / MASK)


DAMAGES = [truncated, nested, infinite, by_hand, without_mask, empty_mask, truncated_mask]
DAMAGES += [a_pipe] if hasattr(os, "mkfifo") else []


@pytest.fixture(params=DAMAGES, ids=lambda damage: damage.__name__)
def damage(request):
    return request.param


@pytest.fixture
def code(damage):
    return "record-changed" if damage is by_hand else "record-damaged"


@pytest.fixture
def out(tmp_path, damage):
    """A run of three cases, all accepted by a reviewer before one of them was damaged."""
    made = make_run(tmp_path / "out", CASES)
    for case in CASES:
        review.accept(made.out, case.case_id, "anna")
    damage(made.out / case_file(DAMAGED, CASE_JSON))
    return made.out


def call(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done


def test_no_table_loses_the_row_and_no_figure_is_made_up(out, code):
    assert call("collate", out).exit_code == 2
    with (out / "measurements.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["case_id"]: row for row in csv.DictReader(file)}
    assert set(rows) == {case.case_id for case in CASES}
    row = rows.pop(DAMAGED)
    assert (row["status"], row["error_code"]) == ("failed", code)
    assert (row["area_left_mm2"], row["decision"], row["mask"]) == ("", "", "")
    assert {row["status"] for row in rows.values()} == {"ok"}


def test_it_is_said_wherever_the_run_is_looked_at(out, code):
    status = read_status(out)
    assert status.counts["failed"] == 1
    assert status.counts["waiting"] == 0
    ((case_id, found, message),) = status.failures
    assert (case_id, found) == (DAMAGED, code)
    assert DAMAGED in message
    assert "--resume" in call("status", out).output
    page = out / "report.html"
    assert call("report", out).exit_code == 0
    assert code in page.read_text(encoding="utf-8")
    done = export(out, ("nifti",))
    assert len([file for file in done.files if file.name.endswith(".nii.gz")]) == 2
    run = glutseg.read_run(out)
    assert sorted(result.error_code for result in run.results) == ["", "", code]
