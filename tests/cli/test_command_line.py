"""Help, examples, usage errors, JSON and exit codes of the commands."""

import csv
import json
import os
import shlex
import subprocess
import sys

import pydicom
import pytest
import typer
from typer.testing import CliRunner

from glutseg import cli
from glutseg.batch import RunSummary
from glutseg.cli import app
from glutseg.cli.examples import EXAMPLES
from glutseg.cli.exchange import _exit_code

COMMANDS = typer.main.get_command(app).commands
runner = CliRunner()


def invoke(*args):
    return runner.invoke(app, [str(a) for a in args])


def refused(monkeypatch, capsys, *args):
    """The one line on stderr of a command that cannot begin."""
    monkeypatch.setattr(sys, "argv", ["glutseg", *map(str, args)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    return shown.err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_parse_and_fit(name, monkeypatch):
    assert EXAMPLES[name]
    for line in EXAMPLES[name]:
        assert len(line) < 79
        for command in line.split(" && "):
            words = shlex.split(command.partition(" > ")[0])
            assert words[0] == "glutseg"
            COMMANDS[words[1]].make_context(words[1], words[2:])
    monkeypatch.setenv("COLUMNS", "80")
    short, long = invoke(name, "-h"), invoke(name, "--help")
    assert short.exit_code == 0
    assert short.stdout == long.stdout
    for line in EXAMPLES[name]:
        assert line in short.stdout
    assert max(map(len, short.stdout.splitlines())) <= 80


def test_glutseg_alone_shows_the_commands_and_the_exit_codes():
    for args in ([], ["-h"]):
        shown = invoke(*args).output
        assert all(f" {name} " in shown for name in COMMANDS)
        assert "Exit codes" in shown


def test_usage_errors_are_one_line_with_what_to_do(monkeypatch, capsys, tmp_path):
    assert refused(monkeypatch, capsys, "rnu").startswith(
        "glutseg: No such command 'rnu'. Did you mean 'run'?"
    )
    assert "did you mean --overwrite?" in refused(monkeypatch, capsys, "run", "x", "--overwite")
    unlike = refused(monkeypatch, capsys, "run", "x", "--nonsense")
    assert "did you mean" not in unlike
    assert unlike.startswith("glutseg run: No such option: --nonsense")
    assert "`glutseg run -h`" in unlike
    assert "'--out' / '-o'" in refused(monkeypatch, capsys, "run", "x")
    assert "'INPUT'" in refused(monkeypatch, capsys, "run")
    assert "seg, sr" in refused(monkeypatch, capsys, "export", "x", "-f", "dcm")
    assert "integer" in refused(monkeypatch, capsys, "run", "x", "-o", "y", "--jobs", "two")
    assert "cannot be combined" in refused(
        monkeypatch, capsys, "run", "x", "-o", "y", "--overwrite", "--resume"
    )
    level = refused(monkeypatch, capsys, "run", tmp_path, "-o", tmp_path / "o", "--level", "nose")
    assert "femoral-head-top" in level
    assert "peak-area" in level
    protocol = refused(monkeypatch, capsys, "run", tmp_path, "-o", tmp_path / "o", "-p", "nose")
    assert "femoral-head-top" in protocol
    assert "\x1b" not in refused(monkeypatch, capsys, "run", "x", "--\x1b[2J")


@pytest.mark.parametrize(
    ("counts", "strict", "lenient"),
    [
        ({"ok": 3}, 0, 0),
        ({"ok": 1, "excluded": 1}, 0, 0),
        ({"ok": 3, "review": 1}, 2, 0),
        ({"review": 1}, 2, 0),
        ({"ok": 3, "failed": 1}, 2, 2),
        ({"review": 3, "failed": 1}, 2, 2),
        ({"failed": 1}, 1, 1),
        ({}, 1, 1),
    ],
)
def test_exit_codes_strict_and_lenient(counts, strict, lenient, tmp_path):
    summary = RunSummary(tmp_path, (), counts)
    assert (summary.exit_code, summary.lenient_exit_code) == (strict, lenient)


def test_a_given_mask_has_the_exit_code_of_a_run_with_one_study():
    codes = {
        status: (_exit_code(status, strict=True), _exit_code(status, strict=False))
        for status in ("ok", "review", "failed")
    }
    assert codes == {"ok": (0, 0), "review": (2, 0), "failed": (1, 1)}


def test_a_run_as_json_and_lenient(truth_rooms, tmp_path):
    truth_rooms.write(tmp_path / "in")
    asked = ("run", tmp_path / "in", "--json", "--muscles")  # the stand-in has no medius: to be looked at
    strict = invoke(*asked, "-o", tmp_path / "a")
    lenient = invoke(*asked, "-o", tmp_path / "b", "--lenient")
    assert (strict.exit_code, lenient.exit_code) == (2, 0)
    found = json.loads(strict.stdout)
    assert found["counts"] == {"ok": 0, "review": 1, "failed": 0, "excluded": 0}
    assert (found["exit_code"], found["lenient_exit_code"]) == (2, 0)
    assert found["n_studies"] == len(found["cases"]) == 1
    (row,) = csv.DictReader((tmp_path / "a" / "measurements.csv").open(newline="", encoding="utf-8"))
    (case,) = found["cases"]
    assert list(case) == list(row)
    assert case["status"] == row["status"] == "review"
    assert isinstance(case["area_left_mm2"], float)
    assert case["error_code"] is None
    assert "1/1 " in strict.stderr


def test_a_scan_with_an_unreadable_file_is_lenient_on_request(stage, tmp_path):
    folder = stage.write(tmp_path / "in")
    broken = (folder / "IM0001.dcm").read_bytes()[:400]
    (folder / "broken.dcm").write_bytes(broken)
    assert json.loads(invoke("scan", folder, "--json").stdout)["problems"]
    assert invoke("scan", folder).exit_code == 2
    assert invoke("scan", folder, "--lenient").exit_code == 0


def test_errors_leave_stdout_empty_for_programs(tmp_path):
    for command in (
        ["run", tmp_path / "none", "-o", tmp_path / "o"],
        ["status", tmp_path],
        ["scan", tmp_path],
    ):
        done = invoke(*command, "--json")
        assert done.exit_code == 1
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1


def test_ids_that_the_terminal_cannot_show_stop_nothing(stage, tmp_path):
    for path in sorted(stage.write(tmp_path / "in").iterdir()):
        dataset = pydicom.dcmread(path)
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.PatientID = "Müller-患者"
        dataset.save_as(path)
    done = subprocess.run(
        [sys.executable, "-m", "glutseg.cli", "scan", tmp_path / "in"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert b"M?ller-??" in done.stdout
