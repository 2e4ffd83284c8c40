"""A second run in the folder of one that is at work changes nothing, whatever it was asked to do."""

import multiprocessing
import os
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

import glutseg
from glutseg import batch, dicom
from glutseg.batch import RunOptions
from glutseg.batch.status import read_status
from glutseg.cli import app
from glutseg.errors import GlutsegError
from glutseg.exchange.export import export
from glutseg.output.layout import LOCK, OWNER_JSON
from glutseg.protocol import load_protocol
from glutseg.review import Collator, accept

PROTOCOL = load_protocol()
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="monkeypatched functions reach a process only by forking"
)


def files_of(out):
    files = (path for path in out.rglob("*") if path.is_file() and not path.name.startswith(".glutseg"))
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def run_until_told(source, out, begun):
    """A run that stops after its first study until it is killed."""

    def progress(done, total, result):
        if done:
            begun.set()
            time.sleep(600)

    batch.run_folder(source, out, PROTOCOL, options=RunOptions(jobs=0), progress=progress)


@pytest.fixture
def at_work(truth_rooms, tmp_path):
    """The folders of a run that has measured one study of two, and its process."""
    for name in "AB":
        truth_rooms.write(tmp_path / "in" / name, patient_id=name)
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    process = context.Process(target=run_until_told, args=(tmp_path / "in", tmp_path / "out", begun))
    process.start()
    assert begun.wait(120)
    yield tmp_path / "in", tmp_path / "out", process
    process.kill()
    process.join()


def test_neither_command_nor_python_takes_the_folder_of_a_run_at_work(at_work):
    source, out, process = at_work
    before = files_of(out)
    for more in ({"overwrite": True}, {"resume": True}, {"retry_failed": True}):
        with pytest.raises(GlutsegError, match=f"run-in-use: .*process {process.pid}"):
            glutseg.run_folder(source, out, jobs=0, **more)
    with pytest.raises(GlutsegError, match="run-in-use"):
        batch.run(dicom.scan(source), PROTOCOL, None, out, overwrite=True)
    command = [sys.executable, "-m", "glutseg.cli", "run", source, "-o", out, "--overwrite"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "run-in-use" in done.stderr
    assert files_of(out) == before


def test_it_can_be_looked_at_reviewed_and_exported_meanwhile(at_work):
    _, out, _ = at_work
    status = read_status(out)
    assert (status.state, status.n_done) == ("running", 1)
    (case_id,) = glutseg.read_run(out)
    accept(out, case_id, "anna")
    assert Collator(out).collate().decisions["accepted"] == 1
    assert export(out, ("nifti",)).files
    assert CliRunner().invoke(app, ["report", str(out)]).exit_code == 0


def test_the_folder_of_a_killed_run_is_resumed_at_once(at_work, caplog):
    source, out, process = at_work
    process.kill()
    process.join()
    assert {LOCK, OWNER_JSON} <= {path.name for path in out.iterdir()}
    assert read_status(out).state == "running"
    os.utime(out / OWNER_JSON, (0, 0))
    assert read_status(out).state == "stopped"
    summary = batch.run_folder(source, out, PROTOCOL, options=RunOptions(jobs=0, resume=True))
    assert (summary.n_kept, summary.count("ok")) == (1, 2)
    assert any(f"process {process.pid}" in message for message in caplog.messages)
    assert not [path for path in out.iterdir() if path.name.startswith(".glutseg")]


def test_a_run_that_never_began_leaves_no_folder(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(GlutsegError, match="input-empty"):
        batch.run_folder(tmp_path / "in", tmp_path / "out", PROTOCOL, options=RunOptions(jobs=0))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_lock_of_a_run_below_its_input_is_no_file_of_the_input(truth_rooms, tmp_path):
    truth_rooms.write(tmp_path / "A")
    before = dicom.scan(tmp_path)
    for name in (LOCK, OWNER_JSON):
        (tmp_path / name).write_text("{}")
    now = dicom.scan(tmp_path)
    assert (now.n_files, now.n_other_files) == (before.n_files, before.n_other_files)
