"""The index of headers that a run leaves in its folder, and how little of it is in memory."""

import json
import tempfile

import pytest

from glutseg import batch, dicom
from glutseg.batch import RunOptions, run_folder
from glutseg.batch.images import find_images
from glutseg.batch.plan import TaskQueue, make_plan
from glutseg.dicom.header import HeaderReader
from glutseg.dicom.stored import StoredStudies
from glutseg.errors import GlutsegError
from glutseg.output.folder import run_record
from glutseg.protocol import load_protocol

PROTOCOL = load_protocol()
HERE = RunOptions(jobs=0)
RESUME = RunOptions(jobs=0, resume=True)


@pytest.fixture
def export(truth_rooms, tmp_path):
    for name in "ABC":
        truth_rooms.write(tmp_path / "in" / name, patient_id=name)
    return tmp_path / "in"


@pytest.fixture
def spied(monkeypatch):
    """How many headers were read, and how many studies loaded from an index."""
    counts = {"headers": 0, "studies": 0}

    def counting(name, cls, method):
        real = getattr(cls, method)

        def count(self, *args):
            counts[name] += 1
            return real(self, *args)

        monkeypatch.setattr(cls, method, count)

    counting("headers", HeaderReader, "read")
    counting("studies", StoredStudies, "_study")
    return counts


def files_of(out):
    return {
        str(p.relative_to(out)): p.read_bytes()
        for p in out.rglob("*")
        if p.is_file() and p.name not in ("run.json", dicom.INDEX_FILE)
    }


def test_resuming_reads_new_files_only_and_loads_studies_to_measure_only(
    export, tmp_path, truth_rooms, spied
):
    out = tmp_path / "out"
    run_folder(export, out, PROTOCOL, options=HERE)
    assert (out / dicom.INDEX_FILE).is_file()
    assert spied["studies"] == 3
    n_headers = spied["headers"]
    assert run_folder(export, out, PROTOCOL, options=RESUME).n_kept == 3
    assert spied == {"headers": n_headers, "studies": 3}
    truth_rooms.write(export / "D", patient_id="D")
    assert run_folder(export, out, PROTOCOL, options=RESUME).n_kept == 3
    assert spied == {"headers": n_headers // 3 * 4, "studies": 4}
    batch.run(dicom.scan(export), PROTOCOL, None, tmp_path / "whole")
    assert files_of(out) == files_of(tmp_path / "whole")


def test_a_run_whose_scan_was_killed_goes_on(export, tmp_path, spied):
    out = tmp_path / "out"
    dicom.scan(export, index_file=out / dicom.INDEX_FILE)
    n_headers = spied["headers"]
    assert run_folder(export, out, PROTOCOL, options=HERE).count("ok") == 3
    assert run_folder(export, out, PROTOCOL, options=RunOptions(jobs=0, overwrite=True)).n_kept == 0
    assert spied["headers"] == n_headers


def test_a_pseudonymised_run_leaves_no_index_and_removes_an_earlier_one(export, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    out, key = tmp_path / "out", tmp_path / "key"
    run_folder(export, out, PROTOCOL, options=HERE)
    again = RunOptions(jobs=0, overwrite=True)
    summary = run_folder(export, out, PROTOCOL, options=again, key_file=key)
    assert all(row.result.patient_id.startswith("ps-") for row in summary.rows)
    assert not (out / dicom.INDEX_FILE).exists()
    assert not list((tmp_path / "temporary").iterdir())
    case_ids = [case["case_id"] for case in run_record(out)["cases"]]
    assert find_images(out, export, key).case_ids == tuple(case_ids)
    assert not (out / dicom.INDEX_FILE).exists()


def test_a_strangers_file_where_the_index_belongs_stops_the_run(export, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / dicom.INDEX_FILE).write_text("mine", encoding="utf-8")
    for key in (None, tmp_path / "key"):
        with pytest.raises(GlutsegError, match="index-foreign"):
            run_folder(export, out, PROTOCOL, options=HERE, key_file=key)
    assert (out / dicom.INDEX_FILE).read_text(encoding="utf-8") == "mine"


def test_images_of_a_run_come_from_its_index_or_without_it(export, tmp_path, spied, monkeypatch):
    out = tmp_path / "out"
    row = run_folder(export, out, PROTOCOL, options=HERE).rows[1]
    spied["headers"] = 0
    expected = find_images(out).series(row.result, PROTOCOL)
    assert spied["headers"] == 0
    (out / dicom.INDEX_FILE).write_text("damaged beyond recognition", encoding="utf-8")
    assert find_images(out).series(row.result, PROTOCOL) == expected


def test_an_input_without_images_leaves_no_index(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(GlutsegError, match="input-empty"):
        run_folder(tmp_path / "empty", tmp_path / "out", PROTOCOL, options=HERE)
    assert not (tmp_path / "out").exists()


def test_the_record_of_a_run_is_the_json_of_the_whole(export, tmp_path):
    run_folder(export, tmp_path / "out", PROTOCOL, options=HERE)
    text = (tmp_path / "out" / "run.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"


def test_tasks_are_loaded_when_they_are_taken(export, tmp_path, spied):
    plan = make_plan(dicom.scan(export, index_file=tmp_path / "index"))
    assert spied["studies"] == 0
    queue = TaskQueue(plan)
    first = queue.popleft()
    assert (first.study.patient_id, len(queue), spied["studies"]) == ("A", 2, 1)
    queue.append(first)
    assert [queue.popleft().study.patient_id for _ in range(len(queue))] == ["B", "C", "A"]
    rest = plan.without({first.case_id})
    assert [case.patient_id for case in rest.cases] == ["B", "C"]
    assert [task.study.patient_id for task in rest[1:]] == ["C"]
