import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glutseg import anatomy, cli, dicom, segmentation
from glutseg.cli import app
from glutseg.cli.frame import ORDER
from glutseg.protocol import NAMED_LEVELS, builtin_protocols, load_protocol

ZOO = Path(__file__).parents[3] / "shared" / "dicom_zoo"
runner = CliRunner()


def invoke(*args):
    return runner.invoke(app, [str(a) for a in args])


def main(monkeypatch, *args):
    """Exit code of the real entry point."""
    monkeypatch.setattr(sys, "argv", ["glutseg", *map(str, args)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code


def rows_of(out):
    return list(csv.DictReader((out / "measurements.csv").open(newline="", encoding="utf-8")))


def test_run_measures_and_prints_where_the_tables_are(truth_rooms, tmp_path):
    truth_rooms.write(tmp_path / "in")
    result = invoke("run", tmp_path / "in", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "1 ok, 0 review, 0 failed" in result.stdout
    assert f"{truth_rooms.true_area_mm2('left'):.0f}" in result.stdout
    assert str(tmp_path / "out" / "measurements.csv") in result.stdout
    assert len(rows_of(tmp_path / "out")) == 1


def test_exit_codes_of_runs_with_flags_and_without_measurements(truth_rooms, tmp_path, monkeypatch):
    truth_rooms.write(tmp_path / "in" / "a", patient_id="a")
    truth_rooms.write(tmp_path / "in" / "b", patient_id="b")
    read = dicom.read

    def crash_on_a(series, **how):
        if series.slices[0].source.path.parent.name == "a":
            raise ZeroDivisionError
        return read(series, **how)

    monkeypatch.setattr(dicom, "read", crash_on_a)
    assert main(monkeypatch, "run", tmp_path / "in", "-o", tmp_path / "out") == 2
    assert main(monkeypatch, "run", tmp_path / "in" / "a", "-o", tmp_path / "none") == 1
    assert rows_of(tmp_path / "none")[0]["error_code"] == "internal-error"


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["in", "--protocol", "nonsense"], "protocol-unknown"),
        (["in", "--level", "nose-tip"], "protocol-invalid"),
        (["in", "--level", "slice=-1"], "protocol-invalid"),
        (["in", "--level", "z=nan"], "protocol-invalid"),
        (["in", "--participants", "none.csv"], "participants-invalid"),
        (["nowhere"], "input-missing"),
        (["empty"], "input-empty"),
    ],
)
def test_user_errors_are_one_line_with_their_code(truth_rooms, tmp_path, monkeypatch, args, code):
    truth_rooms.write(tmp_path / "in")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    result = invoke("run", *args, "-o", "out")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert f"glutseg: {code}: " in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_earlier_output_is_refused_before_anything_is_read(tmp_path, truth_rooms):
    truth_rooms.write(tmp_path / "in")
    assert invoke("run", tmp_path / "in", "-o", tmp_path / "out").exit_code == 0
    refused = invoke("run", tmp_path / "in", "-o", tmp_path / "out")
    assert refused.exit_code == 1
    assert "output-exists" in refused.stderr
    assert invoke("run", tmp_path / "in", "-o", tmp_path / "out", "--overwrite").exit_code == 0


def test_the_level_option_takes_precedence_over_the_protocol(truth_rooms, tmp_path):
    truth_rooms.write(tmp_path / "in")
    invoke("run", tmp_path / "in", "-o", tmp_path / "out", "--level", "slice=3")
    assert rows_of(tmp_path / "out")[0]["slice_index"] == "3"


def test_muscles_and_volume_options_extend_the_protocol(truth_rooms, tmp_path, monkeypatch):
    monkeypatch.setattr(
        segmentation, "peak_level", lambda _, found, rule, *__, **___: anatomy.find_level(found, rule)
    )
    truth_rooms.write(tmp_path / "in")
    done = invoke("run", tmp_path / "in", "-o", tmp_path / "out", "--muscles", "--whole-muscle")
    assert done.exit_code == 2  # the stand-in has no gluteus medius
    (row,) = rows_of(tmp_path / "out")
    assert float(row["volume_left_cm3"]) > 0
    assert row["medius_area_left_mm2"] == ""
    levels = list(csv.DictReader((tmp_path / "out" / "levels.csv").open()))
    assert {r["level_name"] for r in levels} == set(NAMED_LEVELS)
    (record,) = (tmp_path / "out" / "cases").glob("*/case.json")
    assert json.loads(record.read_text())["protocol"]["extent"]["whole_muscle"] is True


def test_wrong_options_give_exit_code_one(monkeypatch, capsys, tmp_path):
    assert main(monkeypatch, "run", tmp_path, "-o", tmp_path, "--nonsense") == 1
    assert main(monkeypatch, "run") == 1
    assert "--nonsense" in capsys.readouterr().err
    assert main(monkeypatch, "--version") == 0


def test_scan_prints_which_series_and_why(stage, tmp_path):
    stage.write(tmp_path / "in")
    result = invoke("scan", tmp_path / "in")
    assert result.exit_code == 0
    assert "PHANTOM-0001" in result.stdout
    assert "yes" in result.stdout
    listing = json.loads(invoke("scan", tmp_path / "in", "--json").stdout)
    (series,) = listing["series"]
    assert series["rank"] == 1
    assert series["shape_zyx"] == [16, 96, 96]
    assert series["z_range_mm"] == [-35.0, 40.0]
    assert series["reason"]


def test_scan_keeps_an_index_on_request_only(truth_rooms, tmp_path):
    truth_rooms.write(tmp_path / "in")
    plain = invoke("scan", tmp_path / "in", "--json").stdout
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    for jobs in ("1", "2"):
        kept = invoke("scan", tmp_path / "in", "--json", "--index", tmp_path / "index", "--jobs", jobs)
        assert (kept.exit_code, kept.stdout) == (0, plain)
    (tmp_path / "index").write_text("mine", encoding="utf-8")
    refused = invoke("scan", tmp_path / "in", "--index", tmp_path / "index")
    assert refused.exit_code == 1
    assert "index-foreign" in refused.stderr


def test_exit_code_of_scan_if_some_studies_cannot_be_measured(stage, tmp_path):
    stage.write(tmp_path / "in" / "a")
    other = stage.write(tmp_path / "in" / "b", patient_id="OTHER")
    for path in sorted(other.iterdir())[3:]:
        path.unlink()
    assert invoke("scan", tmp_path / "in").exit_code == 2
    assert invoke("scan", other).exit_code == 1


@pytest.mark.skipif(not ZOO.is_dir(), reason="needs the shared DICOM files beside the project")
def test_files_that_break_loaders_end_with_a_reason_each(tmp_path):
    assert invoke("scan", ZOO).exit_code == 2
    done = invoke("run", ZOO, "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    rows = rows_of(tmp_path / "out")
    assert len(rows) > 10
    assert {r["status"] for r in rows} == {"failed"}
    assert all(r["error_code"] and r["error_message"] for r in rows)


def test_scan_reads_no_pixels(stage, tmp_path, monkeypatch):
    stage.write(tmp_path / "in")
    monkeypatch.setattr(dicom, "read", lambda *_: pytest.fail("pixels were read"))
    assert invoke("scan", tmp_path / "in").exit_code == 0


def test_header_text_cannot_control_the_terminal(stage, tmp_path):
    import pydicom

    for path in sorted(stage.write(tmp_path / "in").iterdir()):
        dataset = pydicom.dcmread(path)
        dataset.SeriesDescription = "[bold red]x[/] \x1b]0;owned\x07 \u202e"
        dataset.PatientID = "[/] \x1b[2J"
        dataset.PatientName = "DOE^JANE"
        dataset.save_as(path)
    for args in (["scan", tmp_path / "in"], ["scan", tmp_path / "in", "--json"]):
        shown = invoke(*args)
        assert shown.exit_code == 0
        assert "[bold red]x[/]" in shown.stdout
        assert not set("\x1b\x07\u202e") & set(shown.stdout)
        assert "DOE" not in shown.stdout


def test_protocols_are_listed_and_shown(tmp_path):
    listed = invoke("protocols").stdout
    assert all(name in listed for name in builtin_protocols())
    own = tmp_path / "own.toml"
    own.write_text(invoke("protocols", "si-joint-end").stdout, encoding="utf-8")
    assert load_protocol(own) == load_protocol("si-joint-end")
    assert invoke("protocols", "nonsense").exit_code == 1


def test_commands_are_listed_in_the_order_of_a_study():
    shown = invoke("--help").stdout
    places = [shown.index(f"│ {name} ") for name in (*ORDER, "phantom")]
    assert places == sorted(places)


def test_phantom_writes_studies(tmp_path):
    result = invoke(
        "phantom", tmp_path / "p", "--matrix", 64, "--pixel-mm", 5, "--slice-mm", 20, "--noise-hu", 0
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "p" / "truth.json").is_file()
    assert len(dicom.scan(tmp_path / "p").studies) == 1
    assert invoke("phantom", tmp_path / "p").exit_code == 1


def test_help_is_quick_because_nothing_slow_is_loaded():
    probe = "import sys, glutseg.cli; print(*(m for m in sys.argv[1:] if m in sys.modules))"
    slow = [
        "numpy",
        "SimpleITK",
        "pydicom",
        "scipy",
        "skimage",
        "matplotlib",
        "pandas",
        "pyarrow",
        "pydantic",
    ]
    done = subprocess.run([sys.executable, "-c", probe, *slow], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_series_option_selects_a_series(truth_rooms, tmp_path, monkeypatch):
    folder = truth_rooms.write(tmp_path / "in")
    (uid,) = [s.series_uid for study in dicom.scan(folder).studies for s in study.series]
    (row,) = json.loads(invoke("scan", folder, "--series-uid", uid, "--json").stdout)["series"]
    assert row["reason"].startswith("asked for by its UID")
    assert main(monkeypatch, "run", folder, "-o", tmp_path / "out", "--series-uid", uid) == 0
    assert rows_of(tmp_path / "out")[0]["series_uid"] == uid
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["protocol"]["series"]["series_uids"] == [uid]


@pytest.mark.parametrize("command", ["scan", "run"])
def test_an_unknown_series_is_an_error_in_one_line(truth_rooms, tmp_path, monkeypatch, capsys, command):
    folder = truth_rooms.write(tmp_path / "in")
    more = ["-o", tmp_path / "out"] if command == "run" else []
    assert main(monkeypatch, command, folder, "--series-uid", "1.2.99", *more) == 1
    assert "series-unknown" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_scan_prints_parts_and_gaps(truth_rooms, tmp_path):
    folder = truth_rooms.write(tmp_path / "in")
    (folder / "IM0012.dcm").unlink()
    listing = json.loads(invoke("scan", folder, "--json").stdout)["series"]
    assert [(r["part"], r["n_parts"], r["n_slices"], r["n_missing"]) for r in listing] == [(1, 1, 15, 1)]
    assert [f["code"] for f in listing[0]["flags"]] == ["series-gap"]
    assert "series-gap: 1 slices are missing" in " ".join(invoke("scan", folder).stdout.split())
