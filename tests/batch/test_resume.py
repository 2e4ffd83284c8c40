"""A run that was interrupted and resumed writes the same bytes as an uninterrupted run."""

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from dataclasses import replace

import pytest

from glutseg import batch, dicom
from glutseg.batch import RunOptions
from glutseg.batch.status import read_status
from glutseg.errors import GlutsegError
from glutseg.measurement import Participant, Participants
from glutseg.output.pseudonym import Pseudonymiser
from glutseg.protocol import load_protocol, with_level

PROTOCOL = load_protocol()
RESUME = RunOptions(resume=True)
KILLS = 6
needs_fork = pytest.mark.skipif(
    sys.platform != "linux", reason="monkeypatched functions reach a process only by forking"
)


@pytest.fixture
def four(truth_rooms, tmp_path):
    for name in "ABCD":
        truth_rooms.write(tmp_path / "in" / name, patient_id=name)
    return dicom.scan(tmp_path / "in")


def files_of(out):
    return {
        str(p.relative_to(out)): p.read_bytes()
        for p in out.rglob("*")
        if p.is_file() and p.name != "run.json"
    }


def state_of(out):
    return json.loads((out / "run.json").read_text(encoding="utf-8"))["state"]


def run_in_foreground(index, out, options):
    """Restore Ctrl-C, which background jobs of a shell (and so perhaps these tests) ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    batch.run(index, PROTOCOL, None, out, options=options)


def start(index, out, options):
    context = multiprocessing.get_context("fork")
    process = context.Process(target=run_in_foreground, args=(index, out, options))
    process.start()
    return process


@needs_fork
def test_a_run_killed_at_random_moments_gives_the_same_files(four, tmp_path):
    out, whole = tmp_path / "killed", tmp_path / "whole"
    start_s = time.monotonic()
    batch.run(four, PROTOCOL, None, whole)
    duration_s = time.monotonic() - start_s
    rng = random.Random(11)
    for _ in range(KILLS):
        process = start(four, out, RESUME)
        time.sleep(rng.uniform(0, duration_s / 2))
        process.kill()
        process.join()
        for path in (*out.rglob("*.json"), *out.rglob("*.csv")):  # no file with a final name is incomplete
            assert path.read_bytes().endswith((b"}\n", b"\n")), path
    batch.run(four, PROTOCOL, None, out, options=RESUME)
    assert files_of(out) == files_of(whole)
    assert state_of(out) == "finished"


@needs_fork
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_its_record_says_so(four, tmp_path, how):
    out = tmp_path / "out"
    process = start(four, out, RunOptions())
    while not list(out.glob("cases/*/case.json")):
        time.sleep(0.01)
    os.kill(process.pid, how)
    process.join(60)
    assert process.exitcode not in (None, 0)
    status = read_status(out)
    assert status.state == "stopped"
    assert 1 <= status.n_done < 4
    assert not list(out.rglob(".glutseg-*"))
    assert not (out / "measurements.csv").exists()
    assert batch.run(four, PROTOCOL, None, out, options=RESUME).n_kept >= 1


def test_a_full_disk_stops_the_run_and_resuming_completes_it(four, tmp_path, monkeypatch):
    out, whole = tmp_path / "out", tmp_path / "whole"
    batch.run(four, PROTOCOL, None, whole)
    fsync, n = os.fsync, 0

    def full_after_ten(handle):
        nonlocal n
        n += 1
        if n > 10:
            raise OSError(28, "No space left on device")
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full_after_ten)
        with pytest.raises(GlutsegError, match="output-unwritable: No space left"):
            batch.run(four, PROTOCOL, None, out)
    assert read_status(out).n_done == 3
    assert batch.run(four, PROTOCOL, None, out, options=RESUME).n_kept == 3
    assert files_of(out) == files_of(whole)


def test_only_what_is_missing_or_new_is_measured(four, tmp_path):
    out, seen = tmp_path / "out", []
    two = replace(four, studies=four.studies[:2])
    batch.run(two, PROTOCOL, None, out)
    progress = lambda done, total, last: seen.append((done, total, last and last.patient_id))  # noqa: E731
    summary = batch.run(four, PROTOCOL, None, out, options=RESUME, progress=progress)
    assert seen == [(2, 4, None), (3, 4, "C"), (4, 4, "D")]
    assert summary.n_kept == 2
    batch.run(four, PROTOCOL, None, tmp_path / "whole")
    assert files_of(out) == files_of(tmp_path / "whole")
    assert all(row.result.seconds for row in summary.rows), "times of the first run are kept"


def test_failures_are_measured_again_on_demand_only(four, tmp_path, monkeypatch):
    out, read, tried = tmp_path / "out", dicom.read, []

    def fail_on_b(series, **options):
        tried.append(series.slices[0].source.path.parent.name)
        if tried[-1] == "B" and len(tried) < 5:
            raise ZeroDivisionError
        return read(series, **options)

    monkeypatch.setattr(dicom, "read", fail_on_b)
    assert batch.run(four, PROTOCOL, None, out).count("failed") == 1
    assert batch.run(four, PROTOCOL, None, out, options=RESUME).count("failed") == 1
    assert tried == ["A", "B", "C", "D"]
    again = batch.run(four, PROTOCOL, None, out, options=RunOptions(resume=True, retry_failed=True))
    assert (again.count("ok"), tried[4:]) == (4, ["B"])


def test_a_study_that_changed_is_measured_again(four, tmp_path):
    out = tmp_path / "out"
    batch.run(four, PROTOCOL, None, out)
    first = four.studies[0]
    taller = replace(four, studies=(replace(first, patient_size_m_raw="1.9"), *four.studies[1:]))
    summary = batch.run(taller, PROTOCOL, None, out, options=RESUME)
    assert (summary.n_kept, summary.rows[0].result.height.height_m) == (3, 1.9)
    table = Participants({"B": Participant("B", 1.8, 2)})
    summary = batch.run(taller, PROTOCOL, table, out, options=RESUME)
    assert (summary.n_kept, summary.rows[1].result.height.height_m) == (3, 1.8)


def test_a_case_whose_files_are_broken_is_measured_again(four, tmp_path):
    out, whole = tmp_path / "out", tmp_path / "whole"
    batch.run(four, PROTOCOL, None, whole)
    batch.run(four, PROTOCOL, None, out)
    a, b, c, _ = sorted((out / "cases").iterdir())
    (a / "mask.nii.gz").unlink()
    (b / "case.json").write_text("{", encoding="utf-8")
    (c / "case.json").write_bytes((out / "cases" / a.name / "case.json").read_bytes())
    (out / "measurements.csv").unlink()
    assert batch.run(four, PROTOCOL, None, out, options=RESUME).n_kept == 1
    assert files_of(out) == files_of(whole)


def overwritten(path):
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("mask.nii.gz", lambda path: path.write_bytes(b"")),
        ("mask.nii.gz", lambda path: path.write_bytes(path.read_bytes()[:100])),
        ("mask.nii.gz", overwritten),
        ("overlay.png", overwritten),
        (
            "case.json",
            lambda path: path.write_text(path.read_text().replace('"area_mm2": ', '"area_mm2": 1')),
        ),
    ],
)
def test_a_case_with_a_file_that_is_not_as_it_was_is_measured_again(four, tmp_path, name, damage):
    out = tmp_path / "out"
    two = replace(four, studies=four.studies[:2])
    batch.run(two, PROTOCOL, None, out)
    whole = files_of(out)
    damage(min((out / "cases").iterdir()) / name)
    assert files_of(out) != whole
    assert batch.run(two, PROTOCOL, None, out, options=RESUME).n_kept == 1
    assert files_of(out) == whole


def test_another_protocol_version_key_or_input_is_refused_with_the_difference(four, tmp_path, monkeypatch):
    out = tmp_path / "out"
    two = replace(four, studies=four.studies[:2])
    batch.run(two, PROTOCOL, None, out)
    before = files_of(out)
    other = with_level(PROTOCOL, "slice=3")
    key = Pseudonymiser(bytes(32))
    for how, words in (
        ({"protocol": other}, "protocol level landmark was 'femoral-head-top' and is 'slice'"),
        ({"pseudonyms": key}, "key for pseudonyms"),
        ({"index": replace(four, studies=four.studies[1:])}, "1 studies of the earlier run are not in"),
    ):
        given = {"index": two, "protocol": PROTOCOL, "participants": None, "out": out, **how}
        with pytest.raises(GlutsegError, match="resume-differs") as caught:
            batch.run(**given, options=RESUME)
        assert words in caught.value.message
    monkeypatch.setattr("glutseg.output.run_record.__version__", "0.0.1")
    with pytest.raises(GlutsegError, match=r"glutseg_version was '.*' and is '0.0.1'"):
        batch.run(two, PROTOCOL, None, out, options=RESUME)
    assert files_of(out) == before
    assert state_of(out) == "finished"


def test_resume_starts_a_new_run_in_an_empty_folder_and_refuses_foreign_files(four, tmp_path):
    assert batch.run(four, PROTOCOL, None, tmp_path / "new", options=RESUME).n_kept == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "measurements.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(GlutsegError, match="output-foreign"):
        batch.run(four, PROTOCOL, None, tmp_path / "mine", options=RESUME)


def test_pseudonymised_runs_can_be_resumed(four, tmp_path):
    key = Pseudonymiser(bytes(32))
    batch.run(replace(four, studies=four.studies[:2]), PROTOCOL, None, tmp_path / "a", pseudonyms=key)
    batch.run(four, PROTOCOL, None, tmp_path / "a", pseudonyms=key, options=RESUME)
    batch.run(four, PROTOCOL, None, tmp_path / "b", pseudonyms=key)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")


def test_status_reports_progress_and_failures(four, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(GlutsegError, match="input-missing"):
        read_status(out)
    batch.run(four, PROTOCOL, None, out)
    done = read_status(out)
    assert (done.state, done.n_done, done.failures) == ("finished", 4, ())
    assert done.seconds_per_study > 0
    assert done.counts == {"ok": 4, "review": 0, "failed": 0, "excluded": 0, "waiting": 0}
    case = min((out / "cases").iterdir())
    (case / "case.json").unlink()
    assert read_status(out).counts["waiting"] == 1
    assert json.dumps(done.to_json())
