import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pool_work import act

from glutseg import dicom
from glutseg.batch import RunOptions, run_folder
from glutseg.batch.measurer import Automatic
from glutseg.batch.plan import RunContext, Task, make_plan
from glutseg.batch.pool import in_this_process, in_workers
from glutseg.batch.process import Worker
from glutseg.errors import GlutsegError
from glutseg.measurement import Participants
from glutseg.output.ledger import read_case
from glutseg.phantom import PhantomPatient, PhantomScan, render, write_dicom
from glutseg.protocol import Protocol
from glutseg.segmentation.totalsegmentator import TotalSegmentator

needs_signals = pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")


@pytest.fixture
def context(tmp_path):
    return RunContext(tmp_path, Protocol(name="test"))


def tasks(*patients):
    studies = [dicom.Study(f"1.{n}", patient, "", "", ()) for n, patient in enumerate(patients)]
    return [Task(f"{s.patient_id}-{n}", s, Participants(), "digest") for n, s in enumerate(studies)]


def errors_by_case(results):
    return {r.case_id: (r.error_code, r.error_message) for r in results}


@needs_signals
def test_a_crash_or_timeout_fails_its_own_study_only(context):
    plan = tasks("a", "segfault", "exits", "killed-once", "hangs", "b", "killed")
    found = errors_by_case(in_workers(plan, context, 2, 8.0, act))
    assert found == {
        "a-0": ("no-ct", "as asked"),
        "segfault-1": ("worker-died", "its process ended with SIGSEGV"),
        "exits-2": ("worker-died", "its process ended with exit code 3"),
        "killed-once-3": ("no-ct", "as asked"),
        "hangs-4": ("study-timeout", "it was stopped at the time limit"),
        "b-5": ("no-ct", "as asked"),
        "killed-6": (
            "memory-short",
            "its process was killed (SIGKILL), as systems do that are short of memory",
        ),
    }
    for task in plan:
        assert read_case(context.out, task.case_id).input_sha256 == "digest"


@needs_signals
@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc to see which processes are alive")
def test_child_processes_of_an_outliner_are_stopped_with_its_study(context):
    starts_processes = replace(context, measurer=Automatic(TotalSegmentator("cpu")))
    found = errors_by_case(in_workers(tasks("has-children"), starts_processes, 1, 20.0, act))
    assert found == {"has-children-0": ("study-timeout", "it was stopped at the time limit")}
    child = int((context.out / "child").read_text())
    deadline = time.monotonic() + 10
    while _is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _is_alive(child)


def _is_alive(pid):
    """A zombie counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_every_worker_has_one_thread_and_the_parent_is_unchanged(context, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = signal.getsignal(signal.SIGINT)
    found = errors_by_case(in_workers(tasks("threads-1", "threads-2"), context, 1, 60.0, act))
    assert len({message for _, message in found.values()}) == 1, "one process does both"
    assert all(message.startswith("1 thread") for _, message in found.values())
    assert "OMP_NUM_THREADS" not in os.environ
    assert signal.getsignal(signal.SIGINT) is before


def test_a_full_disk_stops_the_run_and_leaves_no_process(context):
    results = in_workers(tasks("disk-full", "hangs"), context, 2, 600.0, act)
    start = time.monotonic()
    with pytest.raises(GlutsegError, match="No space left"):
        list(results)
    assert time.monotonic() - start < 120


@needs_signals
def test_closing_the_results_stops_the_running_studies(context):
    import multiprocessing

    results = in_workers(tasks("a", "hangs"), context, 2, 600.0, act)
    assert next(results).case_id == "a-0"
    results.close()
    assert not multiprocessing.active_children()


def not_importable(_task, _orders):
    raise NotImplementedError


def test_a_process_that_cannot_start_is_an_error_at_once(context, monkeypatch):
    monkeypatch.setattr(
        "glutseg.batch.process._serve", not_importable
    )  # exits before it reports that it has started
    with pytest.raises(GlutsegError, match="could not be started"):
        list(in_workers(tasks("a"), context, 1, 60.0, act))


def test_a_study_that_cannot_be_read_becomes_a_row_without_workers_too(context):
    assert errors_by_case(in_this_process(tasks("a"), context)) == {
        "a-0": ("no-ct", "the study has no series")
    }


SCRIPT = """
from pathlib import Path
from pool_work import act
from glutseg import dicom
from glutseg.batch.plan import RunContext, Task
from glutseg.batch.pool import in_workers
from glutseg.measurement import Participants
from glutseg.protocol import Protocol

task = Task("a-0", dicom.Study("1.0", "a", "", "", ()), Participants(), "digest")
context = RunContext(Path(__file__).parent, Protocol(name="test"))
print([result.error_message for result in in_workers([task], context, 1, 60.0, act)])
"""


def test_a_script_needs_no_main_guard(tmp_path):
    """A worker does not run the caller's script again, which would start workers of its own."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    paths = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"PYTHONPATH": paths}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, env=env)
    assert (done.stdout, done.stderr) == ("['as asked']\n", "")


def test_a_started_worker_is_used_and_stopped_and_has_loaded_its_modules(context):
    worker = Worker(context, act, preload=("glutseg.case.study", "no.such.module"))
    (result,) = in_workers(tasks("threads"), context, 1, 60.0, act, started=[worker])
    assert result.error_message.endswith(str(worker._process.pid))
    assert not worker.is_alive
    worker.stop()  # whoever started it stops it as well


def test_an_input_that_cannot_be_read_leaves_no_worker(tmp_path):
    with pytest.raises(GlutsegError, match="input-missing"):
        run_folder(tmp_path / "none", tmp_path / "out", Protocol(name="test"), options=RunOptions(jobs=1))
    assert not multiprocessing.active_children()


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="the system cannot be asked to read ahead")
def test_files_of_the_next_study_are_read_ahead(context, monkeypatch, tmp_path):
    rows = [replace(PhantomPatient(seed=1), patient_id=name) for name in ("A", "B")]
    scan = PhantomScan(matrix=64, pixel_mm=5.0, slice_mm=5.0, z_range_mm=(-80.0, 60.0))
    for patient in rows:
        write_dicom(render(patient, scan), tmp_path / "images" / patient.patient_id)
    asked = []

    def advise(file, *_):
        asked.append(Path(f"/proc/self/fd/{file}").readlink().parent.name)

    monkeypatch.setattr(os, "posix_fadvise", advise)
    plan = make_plan(dicom.scan(tmp_path / "images"))
    list(in_workers(plan, context, 1, 60.0, act))
    assert set(asked) == {"B"}
    assert len(asked) == len(list((tmp_path / "images" / "B").iterdir()))
