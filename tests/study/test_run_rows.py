import csv
import json
import subprocess
import sys

import pytest

from glutseg.errors import GlutsegError
from glutseg.study.run_rows import read_run
from run_maker import MadeCase, make_run


def test_rows_say_what_measurements_csv_says(tmp_path):
    cases = [MadeCase("B", 3000.0, 3100.0), MadeCase("A", None), MadeCase("C", height_m=None)]
    run = read_run(make_run(tmp_path, cases, waiting=["D-1"]))
    table = list(csv.DictReader((tmp_path / "measurements.csv").open(encoding="utf-8")))
    assert [row.result.patient_id for row in run.rows] == ["A", "B", "C"] == [t["patient_id"] for t in table]
    assert run.waiting == ("D-1",)
    assert set(run.number_columns()) < set(run.columns) == set(table[0])
    for row, line in zip(run.rows, table, strict=True):
        for name in run.number_columns():
            told = float(line[name]) if line[name] else None
            assert run.number(row, name) == told


def test_the_digest_changes_with_any_figure(tmp_path):
    first = read_run(make_run(tmp_path / "a", [MadeCase("A"), MadeCase("B")]))
    same = read_run(make_run(tmp_path / "b", [MadeCase("B"), MadeCase("A")]))
    other = read_run(make_run(tmp_path / "c", [MadeCase("A"), MadeCase("B", 3000.1)]))
    assert first.sha256 == same.sha256 != other.sha256


@pytest.mark.parametrize("name", ["../../secret", "a/b", "..", "", "x\\y"])
def test_names_of_a_hostile_record_are_never_paths(tmp_path, name):
    make_run(tmp_path, [MadeCase("A")])
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    record["cases"].append({"case_id": name})
    (tmp_path / "run.json").write_text(json.dumps(record), encoding="utf-8")
    assert read_run(tmp_path).waiting == ()


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(GlutsegError, match="no run of glutseg") as caught:
        read_run(tmp_path)
    assert caught.value.code == "input-missing"
    make_run(tmp_path, [], waiting=["A"])
    with pytest.raises(GlutsegError, match="no study of the run is done"):
        read_run(tmp_path)
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    (tmp_path / "run.json").write_text(json.dumps(record | {"protocol": None}), encoding="utf-8")
    with pytest.raises(GlutsegError, match="protocol-invalid"):
        read_run(tmp_path)


def test_the_room_s_names_are_there_and_load_late():
    from glutseg import study

    for name in study.__all__:
        assert getattr(study, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = study.nonsense
    probe = "import sys, glutseg.study.run_rows; print('matplotlib' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
