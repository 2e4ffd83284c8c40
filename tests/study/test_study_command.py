"""`glutseg study` from a run's folder to files."""

import csv
import json
import sys

import numpy as np
import pytest
from study_maker import Made, made_cases, make, write_table
from typer.testing import CliRunner

from glutseg import cli
from glutseg.installation import install_command
from glutseg.study import plots
from glutseg.study.context import PUBLISHED, context_for
from glutseg.study.record import TABLES

ASKED = ("--group", "group", "--covariate", "age_years", "--covariate", "sex", "--correlate", "visits")


def invoke(made: Made, *more: object, asked=ASKED):
    words = ("study", made.out, "--participants", made.table, *asked, *more)
    return CliRunner().invoke(cli.app, [str(w) for w in words])


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    made = make(tmp_path_factory.mktemp("done"), levels=("si-joint-end", "peak-area"))
    result = invoke(made, "--groups", "control,back-pain")
    assert result.exit_code == 0, result.output
    return made, result.output


def test_all_files_are_there_and_listed(done):
    made, output = done
    folder = made.out / "study"
    record = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    files = sorted(str(p.relative_to(folder).as_posix()) for p in folder.rglob("*") if p.is_file())
    assert files == sorted([*record["files"], "study.json"])
    figures = [
        f"figures/{n}.{s}"
        for n in ("flow", "groups", "correlation-1", "sides", "profile", "sensitivity")
        for s in ("png", "svg")
    ]
    assert {*figures, *TABLES, "figures/captions.md"} == set(record["files"])
    for sentence in record["summary"]:
        assert " ".join(sentence.split()) in " ".join(output.split())  # the terminal wraps lines
    for name in figures:
        start = (folder / name).read_bytes()[:5]
        assert start in (b"\x89PNG\r", b"<?xml")


def test_tables_and_record_say_the_same(done):
    made, _ = done
    folder = made.out / "study"
    record = json.loads((folder / "study.json").read_text(encoding="utf-8"))

    def rows(name):
        with (folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    welch = next(r for r in rows("tests.csv") if r["test"] == "Welch's t")
    assert float(welch["p"]) == record["comparison"]["welch"]["p"]
    assert welch["compares"] == "control − back-pain"
    assert len(rows("sensitivity.csv")) == len(record["sensitivity"]["outcomes"]) == 9
    assert len(rows("combinations.csv")) == record["sensitivity"]["combinations"] == 2 * 3 * 3 * 3 * 2
    assert len(rows("patients.csv")) == 17
    summaries = {(r["name"], r["group"]): r for r in rows("summaries.csv")}
    values = [float(r["value"]) for r in rows("patients.csv") if r["group"] == "control"]
    told = summaries["area_mean_per_height_mm2_per_m", "control"]
    assert float(told["mean"]) == pytest.approx(np.mean(values), rel=1e-5)
    assert float(told["sd"]) == pytest.approx(np.std(values, ddof=1), rel=1e-4)
    assert ("area_mean_mm2", "back-pain") in summaries
    assert "For context only" in record["summary"][-1]
    counted = {(r["group"], r["word"]): int(r["n"]) for r in rows("counts.csv")}
    assert sum(counted.values()) == 17
    assert rows("unmatched.csv") == []
    assert {t["name"] for t in record["multiple_testing"]["tests"]} == {
        "groups (Welch)", "visits (Pearson, adjusted for group)", "age_years (Pearson, adjusted for group)",
        "left against right (paired t)",
    }  # fmt: skip
    adjusted = {
        c["column"]: c["r_p"] for c in record["correlations"] if c["who"] == "all, adjusted for group"
    }
    told = {t["name"].split()[0]: t["p"] for t in record["multiple_testing"]["tests"]}
    assert {name: told[name] for name in adjusted} == adjusted
    assert "no patient may be judged" in record["context"]["note"]


def test_a_second_study_needs_leave_and_gives_the_same_bytes(done):
    made, _ = done
    folder = made.out / "study"
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    refused = invoke(made, "--groups", "control,back-pain")
    assert (refused.exit_code, "output-exists" in refused.output) == (1, True)
    again = invoke(made, "--groups", "control,back-pain", "--overwrite")
    assert again.exit_code == 0
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_an_error_writes_nothing(tmp_path, monkeypatch):
    made = make(tmp_path)
    write_table(made.table, [(*r[:2], "old", *r[3:]) for r in made.rows])
    result = invoke(made, asked=("--group", "group", "--correlate", "age_years"))
    assert result.exit_code == 1
    assert "row 2, column 'age_years' is not a number" in result.output.replace("\n", " ")
    assert not (made.out / "study").exists()

    def crash(*_):
        raise RuntimeError

    monkeypatch.setattr(plots, "_sides", crash)
    write_table(made.table, made.rows)
    assert isinstance(invoke(made).exception, RuntimeError)
    assert not (made.out / "study").exists()


def test_a_foreign_folder_and_a_missing_key_are_refused(tmp_path):
    made = make(tmp_path)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "tests.csv").write_text("mine", encoding="utf-8")
    assert "output-foreign" in invoke(made, "-o", mine, "--overwrite").output
    assert "there is no such file" in invoke(made, "--pseudonymise", tmp_path / "none").output
    assert not (tmp_path / "none").exists()


def test_without_the_extra_it_says_how_to_get_it(tmp_path, monkeypatch):
    made = make(tmp_path)
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    result = invoke(made)
    assert result.exit_code == 1
    assert install_command("study") in result.output


def test_hostile_words_become_text(tmp_path):
    made = make(tmp_path)
    rows = [(r[0], "=cmd()" if r[1] == "control" else "$x^2$ <script>", *r[2:]) for r in made.rows]
    write_table(made.table, rows)
    result = invoke(made, asked=("--group", "group", "--correlate", "visits"))
    assert result.exit_code == 0, result.output
    cells = [
        c for row in csv.reader((made.out / "study" / "patients.csv").open(encoding="utf-8")) for c in row
    ]
    assert "'=cmd()" in cells
    assert "=cmd()" not in cells
    svg = (made.out / "study" / "figures" / "groups.svg").read_text(encoding="utf-8")
    assert "<script" not in svg


def test_patients_without_sides_or_matches_are_told(tmp_path):
    cases = made_cases()
    made = make(tmp_path, cases)
    write_table(made.table, [*made.rows[1:], ("Z-1", "control", 50, 0, "F")])
    result = invoke(made)
    assert result.exit_code == 0
    said = " ".join(result.output.split())
    assert "1 in the table without a study in the run; 1 in the run without a row in the table" in said
    listed = list(csv.reader((made.out / "study" / "unmatched.csv").open(encoding="utf-8")))
    assert listed[1:] == [["only_in_table", "Z-1"], ["only_in_run", "A-00"]]


def test_published_values_have_a_source_and_a_unit():
    for published in PUBLISHED:
        assert published.source
        assert published.unit == {"area": "mm²", "volume": "cm³", "index": "cm²/m²"}[published.quantity]
    assert {p.quantity for p in context_for("cm³")} == {"volume"}
    assert {p.quantity for p in context_for("mm²/m")} == {"area"}
