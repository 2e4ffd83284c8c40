"""A real cluster: a scheduler and two workers, started with the commands of docs/how-to/cluster.md."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cluster_work import measured, write_pid_and_act
from typer.testing import CliRunner

from glutseg import dicom
from glutseg.batch import cluster, collate, remote
from glutseg.batch.cluster import on_cluster
from glutseg.batch.plan import RunContext, Task
from glutseg.cli import app
from glutseg.errors import GlutsegError
from glutseg.measurement import Participants
from glutseg.output.folder import sweep
from glutseg.protocol import Protocol

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are killed by POSIX signals")

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "how-to" / "cluster.md").read_text(encoding="utf-8")
COMMENT = "<!-- run by tests/batch/test_cluster.py -->"
COMMANDS = re.search(COMMENT + r"\n```bash\n(.*?)```", DOCUMENT, re.DOTALL)[1]


class Cluster:
    """The processes that docs/how-to/cluster.md starts, and its last command."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        *servers, self.last = COMMANDS.replace("8786", str(port)).strip().splitlines()
        path = os.pathsep.join([str(ROOT / "src"), str(Path(__file__).parent)])
        environment = os.environ | {"PYTHONPATH": path, "DASK_DISTRIBUTED__DASHBOARD__ENABLED": "False"}
        with (folder / "log").open("wb") as log:
            self.servers = [
                subprocess.Popen(
                    [sys.executable, "-m", *shlex.split(line.removesuffix("&"))],
                    env=environment,
                    cwd=folder,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
                for line in servers
            ]

    def kill(self, server):
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    running = Cluster(tmp_path_factory.mktemp("dask"))
    deadline = time.monotonic() + 60
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "CONNECT_S", 60.0)
        with cluster._client(running.address) as client:
            client.wait_for_workers(2, timeout=deadline - time.monotonic())
    yield running
    for server in running.servers:
        if server.poll() is None:
            running.kill(server)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """Shared by all tests, because idle worker processes are kept for the same context."""
    return RunContext(tmp_path_factory.mktemp("out"), Protocol(name="test"))


@pytest.fixture(autouse=True)
def remove_pid_files(context):
    for pid_file in context.out.glob("pid-*"):
        pid_file.unlink()


def tasks(*patients):
    studies = [dicom.Study(f"1.{n}", patient, "", "", ()) for n, patient in enumerate(patients)]
    return [Task(f"{s.patient_id}-{n}", s, Participants(), "digest") for n, s in enumerate(studies)]


def errors_by_case(results):
    return {r.case_id: (r.error_code, r.error_message) for r in results}


def files_of(out):
    return {
        str(p.relative_to(out)): p.read_bytes()
        for p in out.rglob("*")
        if p.is_file() and p.name != "run.json"
    }


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]


def assert_soon(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_the_documented_commands_write_the_files_of_a_local_run(dask, stage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("A", "B"):
        stage.write(tmp_path / "EXPORT" / name, patient_id=name)
    local = CliRunner().invoke(app, ["run", "EXPORT", "-o", "local", "--jobs", "0"])
    there = CliRunner().invoke(app, shlex.split(dask.last)[1:])
    assert local.exit_code == there.exit_code == 1, there.output  # so small a phantom has no hips
    assert len(files_of(tmp_path / "local")) >= 5
    assert files_of(tmp_path / "OUT") == files_of(tmp_path / "local")


def test_a_crash_or_hang_fails_its_own_study_only(dask, context):
    plan = tasks("a", "segfault", "killed-once", "hangs", "threads")
    found = errors_by_case(on_cluster(plan, context, dask.address, 2.0, write_pid_and_act))
    found["threads-4"] = (found["threads-4"][0], found["threads-4"][1].partition(",")[0])
    assert found == {
        "a-0": ("no-ct", "as asked"),
        "segfault-1": ("worker-died", "its process ended with SIGSEGV"),
        "killed-once-2": ("no-ct", "as asked"),
        "hangs-3": ("study-timeout", "it was stopped at the time limit"),
        "threads-4": ("no-ct", "1 thread"),
    }
    assert not list(context.out.glob(".glutseg-*"))


def test_a_full_disk_stops_the_run(dask, context):
    with pytest.raises(GlutsegError, match="output-unwritable: No space left"):
        list(on_cluster(tasks("disk-full"), context, dask.address, 600.0, write_pid_and_act))


def test_cancelling_a_run_stops_the_running_studies(dask, context):
    results = on_cluster(tasks("a", "hangs"), context, dask.address, 600.0, write_pid_and_act)
    assert next(results).case_id == "a-0"
    pid_file = context.out / "pid-hangs"
    assert_soon(lambda: pid_file.exists() and pid_file.read_text())
    pid, worker = map(int, pid_file.read_text().split())
    assert is_alive(pid)
    results.close()
    assert_soon(lambda: not is_alive(pid))
    assert is_alive(worker)


def test_a_study_does_not_outlive_its_worker(dask, context):
    results = on_cluster(tasks("a", "hangs"), context, dask.address, 600.0, write_pid_and_act)
    next(results)
    pid_file = context.out / "pid-hangs"
    assert_soon(lambda: pid_file.exists() and pid_file.read_text())
    pid, worker = map(int, pid_file.read_text().split())
    os.kill(worker, signal.SIGKILL)
    assert_soon(lambda: not is_alive(pid))
    results.close()


def test_another_version_on_a_worker_stops_the_run(dask, context, monkeypatch):
    other = {**remote.environment(), "numpy": "1.0"}
    monkeypatch.setattr(cluster, "environment", lambda: other)
    with pytest.raises(GlutsegError, match=r"worker-differs: numpy is [\d.]+, here 1\.0 \["):
        list(on_cluster(tasks("a"), context, dask.address, 60.0, write_pid_and_act))
    # of this study: one of the test before may still be on its way to the worker that is left
    assert not (context.out / "pid-a").exists()


def test_a_worker_that_does_not_see_a_shared_folder_stops_the_run(
    dask, context, stage, tmp_path, monkeypatch
):
    study = stage.study(tmp_path / "in")
    gone = Path(study.series[0].slices[0].source.path)
    plan = [Task("A", study, Participants(), "digest")]
    gone.unlink()
    assert (
        errors_by_case(on_cluster(plan, context, dask.address, 60.0, write_pid_and_act))["A"][0]
        == "input-missing"
    )
    monkeypatch.setattr(cluster, "missing_file", lambda _: None)  # as if the file existed here
    with pytest.raises(GlutsegError, match=rf"worker-path-missing: .*{re.escape(str(gone))} at "):
        list(on_cluster(plan, context, dask.address, 60.0, write_pid_and_act))
    monkeypatch.setattr(cluster, "_marker_file", lambda _: missing_marker_file())
    with pytest.raises(GlutsegError, match="worker-path-missing: it does not see the output folder"):
        list(on_cluster(tasks("a"), context, dask.address, 60.0, write_pid_and_act))


def missing_marker_file():
    from contextlib import nullcontext

    return nullcontext(Path("/nowhere/marker_file"))


def test_tables_are_identical_after_a_worker_was_killed(dask, context, tmp_path):
    plan = tasks(*"abcdefghij")
    local = RunContext(tmp_path / "local", context.protocol)
    local.out.mkdir()
    for task in plan:
        measured(task, local)
    remote_run = RunContext(tmp_path / "remote", context.protocol)
    remote_run.out.mkdir()
    results = on_cluster(plan, remote_run, dask.address, 60.0, measured)
    found = [next(results).case_id]
    dask.kill(dask.servers[1])
    found += [r.case_id for r in results]
    assert sorted(found) == [t.case_id for t in plan]
    for run_context in (remote_run, local):
        collate([task.case_id for task in plan], run_context)
    sweep(remote_run.out)  # the worker may have been killed within a write, as a run that goes on finds it
    assert files_of(remote_run.out) == files_of(local.out)
    assert b"333" in (remote_run.out / "measurements.csv").read_bytes()


def test_a_lost_scheduler_stops_the_run_with_an_error(dask, context, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_S", 2.0)
    results = on_cluster(tasks("a", "hangs"), context, dask.address, 600.0, write_pid_and_act)
    next(results)
    dask.kill(dask.servers[0])
    with pytest.raises(GlutsegError, match="scheduler-unreachable"):
        next(results)


class Lost:
    """A future that ends badly."""

    def __init__(self, error, status="error"):
        self.error, self.status, self.is_released = error, status, False

    def result(self, timeout):
        raise self.error

    def release(self):
        self.is_released = True


@pytest.mark.parametrize(
    ("future", "code", "words"),
    [
        (Lost(distributed.KilledWorker("key", None, 3)), "worker-died", "lost 4 workers"),
        (Lost(ModuleNotFoundError("no glutseg")), "worker-differs", "no glutseg"),
        (Lost(distributed.CancelledError("key"), "cancelled"), "scheduler-unreachable", "lost"),
        (Lost(ZeroDivisionError()), "worker-differs", "ZeroDivisionError"),
    ],
)
def test_exceptions_of_dask_become_error_codes(future, code, words):
    error = cluster._result_of(future, "tcp://there:1")
    assert (error.code, future.is_released) == (code, True)
    assert words in error.message


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "127.0.0.1"])
def test_an_unreachable_scheduler_is_reported_at_once(context, address, monkeypatch, capfd):
    monkeypatch.setattr(cluster, "CONNECT_S", 1.0)
    with pytest.raises(GlutsegError, match="scheduler-unreachable") as caught:
        list(on_cluster(tasks("a"), context, address, 60.0))
    assert caught.value.where == address
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_without_distributed_the_error_names_the_extra(context, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(GlutsegError, match=r"cluster-missing: .*pip install .*\[cluster\]'"):
        list(on_cluster(tasks("a"), context, "tcp://127.0.0.1:1", 60.0))


def test_every_difference_is_named():
    here = remote.environment()
    remote.check_same_environment(here, here)
    with pytest.raises(GlutsegError) as caught:
        remote.check_same_environment(here, {**here, "scipy": "", "glutseg's code": "0" * 64})
    assert "scipy is none, here" in caught.value.message
    assert "glutseg's code is 000000000000, here" in caught.value.message
