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
from cluster_work import mark_and_act, measured
from typer.testing import CliRunner

from glutseg import dicom
from glutseg.batch import cluster, collate, remote
from glutseg.batch.cluster import on_cluster
from glutseg.batch.plan import Orders, Task
from glutseg.cli import app
from glutseg.errors import GlutsegError
from glutseg.measurement import Participants
from glutseg.protocol import Protocol

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are killed by POSIX signals")

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "how-to" / "cluster.md").read_text(encoding="utf-8")
MARK = "<!-- run by tests/batch/test_cluster.py -->"
COMMANDS = re.search(MARK + r"\n```bash\n(.*?)```", DOCUMENT, re.DOTALL)[1]


class Cluster:
    """The processes that the document starts, and its last command."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        *servers, self.last = COMMANDS.replace("8786", str(port)).strip().splitlines()
        path = os.pathsep.join([str(ROOT / "src"), str(Path(__file__).parent)])
        surroundings = os.environ | {"PYTHONPATH": path, "DASK_DISTRIBUTED__DASHBOARD__ENABLED": "False"}
        with (folder / "log").open("wb") as log:
            self.servers = [
                subprocess.Popen(
                    [sys.executable, "-m", *shlex.split(line.removesuffix("&"))],
                    env=surroundings,
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
def orders(tmp_path_factory):
    """The same for all, because processes that are there already go on with the same orders."""
    return Orders(tmp_path_factory.mktemp("out"), Protocol(name="test"))


@pytest.fixture(autouse=True)
def without_marks(orders):
    for mark in orders.out.glob("pid-*"):
        mark.unlink()


def tasks(*patients):
    studies = [dicom.Study(f"1.{n}", patient, "", "", ()) for n, patient in enumerate(patients)]
    return [Task(f"{s.patient_id}-{n}", s, Participants(), "digest") for n, s in enumerate(studies)]


def told(results):
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


def test_the_documents_commands_give_the_files_of_a_local_run(dask, stage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("A", "B"):
        stage.write(tmp_path / "EXPORT" / name, patient_id=name)
    local = CliRunner().invoke(app, ["run", "EXPORT", "-o", "local", "--jobs", "0"])
    there = CliRunner().invoke(app, shlex.split(dask.last)[1:])
    assert local.exit_code == there.exit_code == 1, there.output  # so small a phantom has no hips
    assert len(files_of(tmp_path / "local")) >= 5
    assert files_of(tmp_path / "OUT") == files_of(tmp_path / "local")


def test_misdeeds_are_their_studys_failure_only(dask, orders):
    plan = tasks("a", "segfault", "killed-once", "hangs", "threads")
    found = told(on_cluster(plan, orders, dask.address, 2.0, mark_and_act))
    found["threads-4"] = (found["threads-4"][0], found["threads-4"][1].partition(",")[0])
    assert found == {
        "a-0": ("no-ct", "as asked"),
        "segfault-1": ("worker-died", "its process ended with SIGSEGV"),
        "killed-once-2": ("no-ct", "as asked"),
        "hangs-3": ("study-timeout", "it was stopped when its time was up"),
        "threads-4": ("no-ct", "1 thread"),
    }
    assert not list(orders.out.glob(".glutseg-*"))


def test_a_full_disk_stops_the_run(dask, orders):
    with pytest.raises(GlutsegError, match="output-unwritable: No space left"):
        list(on_cluster(tasks("disk-full"), orders, dask.address, 600.0, mark_and_act))


def test_calling_off_ends_what_is_at_work(dask, orders):
    results = on_cluster(tasks("a", "hangs"), orders, dask.address, 600.0, mark_and_act)
    assert next(results).case_id == "a-0"
    mark = orders.out / "pid-hangs"
    assert_soon(lambda: mark.exists() and mark.read_text())
    pid, worker = map(int, mark.read_text().split())
    assert is_alive(pid)
    results.close()
    assert_soon(lambda: not is_alive(pid))
    assert is_alive(worker)


def test_a_study_does_not_outlive_its_worker(dask, orders):
    results = on_cluster(tasks("a", "hangs"), orders, dask.address, 600.0, mark_and_act)
    next(results)
    mark = orders.out / "pid-hangs"
    assert_soon(lambda: mark.exists() and mark.read_text())
    pid, worker = map(int, mark.read_text().split())
    os.kill(worker, signal.SIGKILL)
    assert_soon(lambda: not is_alive(pid))
    results.close()


def test_another_version_at_a_worker_stops_the_run(dask, orders, monkeypatch):
    other = {**remote.conditions(), "numpy": "1.0"}
    monkeypatch.setattr(cluster, "conditions", lambda: other)
    with pytest.raises(GlutsegError, match=r"worker-differs: numpy is [\d.]+, here 1\.0 \["):
        list(on_cluster(tasks("a"), orders, dask.address, 60.0, mark_and_act))
    assert not list(orders.out.glob("pid-*"))


def test_a_worker_that_does_not_see_a_shared_folder_stops_the_run(dask, orders, stage, tmp_path, monkeypatch):
    study = stage.study(tmp_path / "in")
    gone = Path(study.series[0].slices[0].source.path)
    plan = [Task("A", study, Participants(), "digest")]
    gone.unlink()
    assert told(on_cluster(plan, orders, dask.address, 60.0, mark_and_act))["A"][0] == "input-missing"
    monkeypatch.setattr(cluster, "unseen_file", lambda _: None)  # as if it were seen here
    with pytest.raises(GlutsegError, match=rf"worker-path-missing: .*{re.escape(str(gone))} at "):
        list(on_cluster(plan, orders, dask.address, 60.0, mark_and_act))
    monkeypatch.setattr(cluster, "_sign", lambda _: stage_sign())
    with pytest.raises(GlutsegError, match="worker-path-missing: the output folder"):
        list(on_cluster(tasks("a"), orders, dask.address, 60.0, mark_and_act))


def stage_sign():
    from contextlib import nullcontext

    return nullcontext(Path("/nowhere/sign"))


def test_one_worker_killed_in_mid_run_leaves_identical_tables(dask, orders, tmp_path):
    plan = tasks(*"abcdefghij")
    home = Orders(tmp_path / "home", orders.protocol)
    home.out.mkdir()
    for task in plan:
        measured(task, home)
    there = Orders(tmp_path / "there", orders.protocol)
    there.out.mkdir()
    results = on_cluster(plan, there, dask.address, 60.0, measured)
    found = [next(results).case_id]
    dask.kill(dask.servers[1])
    found += [r.case_id for r in results]
    assert sorted(found) == [t.case_id for t in plan]
    for place in (there, home):
        collate(plan, place)
    assert files_of(there.out) == files_of(home.out)
    assert b"333" in (there.out / "measurements.csv").read_bytes()


def test_a_scheduler_that_goes_away_ends_the_run_in_words(dask, orders, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_S", 2.0)
    results = on_cluster(tasks("a", "hangs"), orders, dask.address, 600.0, mark_and_act)
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
def test_what_the_cluster_raises_is_told_by_its_code(future, code, words):
    error = cluster._answer(future, "tcp://there:1")
    assert (error.code, future.is_released) == (code, True)
    assert words in error.message


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "127.0.0.1"])
def test_no_scheduler_is_told_at_once(orders, address, monkeypatch, capfd):
    monkeypatch.setattr(cluster, "CONNECT_S", 1.0)
    with pytest.raises(GlutsegError, match="scheduler-unreachable") as caught:
        list(on_cluster(tasks("a"), orders, address, 60.0))
    assert caught.value.where == address
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_without_the_extra_it_is_named(orders, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(GlutsegError, match=r"cluster-missing: .*pip install 'glutseg\[cluster\]'"):
        list(on_cluster(tasks("a"), orders, "tcp://127.0.0.1:1", 60.0))


def test_every_difference_is_named():
    here = remote.conditions()
    remote.check_same(here, here)
    with pytest.raises(GlutsegError) as caught:
        remote.check_same(here, {**here, "scipy": "", "glutseg's code": "0" * 64})
    assert "scipy is none, here" in caught.value.message
    assert "glutseg's code is 000000000000, here" in caught.value.message
