"""One run at a time in a folder: the system's lock, signs of life where there is none, who is named."""

import json
import os
import platform
import subprocess
import sys
import time

import pytest

from glutseg.errors import GlutsegError
from glutseg.output import lock
from glutseg.output.atomic import is_abandoned, replacing
from glutseg.output.folder import sweep
from glutseg.output.layout import LOCK, OWNER_JSON
from glutseg.output.lock import LOST_AFTER_S, only_change, only_run

HOLD = """
import sys, time
from pathlib import Path
from glutseg.output.lock import only_run
with only_run(Path(sys.argv[1])):
    print("at work", flush=True)
    time.sleep(600)
"""
COUNT = """
import sys
from pathlib import Path
from glutseg.output.lock import only_change
file = Path(sys.argv[1])
for _ in range(100):
    with only_change(file):
        file.write_text(str(int(file.read_text()) + 1))
"""
WRITE = """
import sys, time
from pathlib import Path
from glutseg.output.atomic import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.readline()
"""


def started(script, *args):
    """A process of its own, once it has said that it is at work."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, args)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline()
    return process


def ended(process):
    process.kill()
    process.communicate()


@pytest.fixture
def working(tmp_path):
    process = started(HOLD, tmp_path / "out")
    yield tmp_path / "out", process
    ended(process)


@pytest.fixture
def without_locks(monkeypatch):
    """As on a network file system that has none."""

    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)


def refusal(out):
    with pytest.raises(GlutsegError) as caught, only_run(out):
        pytest.fail("two runs are at work")
    assert caught.value.code == "run-in-use"
    return caught.value.message


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_nothing_of_it_stays(tmp_path):
    with only_run(tmp_path / "new" / "out"):
        assert names(tmp_path / "new" / "out") == [LOCK, OWNER_JSON]
    assert names(tmp_path / "new") == []
    (tmp_path / "mine").mkdir()
    with only_run(tmp_path / "mine"):
        pass
    assert names(tmp_path) == ["mine", "new"]
    assert names(tmp_path / "mine") == []


def test_a_second_run_is_told_who_is_at_work(working):
    out, process = working
    message = refusal(out)
    assert f"process {process.pid}" in message
    assert platform.node() in message
    assert names(out) == [LOCK, OWNER_JSON]


def test_so_is_a_second_one_of_the_same_process(tmp_path):
    with only_run(tmp_path):
        assert f"process {os.getpid()}" in refusal(tmp_path)
        assert f"process {os.getpid()}" in refusal(tmp_path)


def test_the_place_of_a_killed_run_is_taken_at_once_and_that_is_said(working, caplog):
    out, process = working
    ended(process)
    with only_run(out):
        assert json.loads((out / OWNER_JSON).read_text())["process"] == os.getpid()
    (message,) = caplog.messages
    assert "ended without a word" in message
    assert f"process {process.pid}" in message
    assert names(out) == []


def test_without_locks_the_signs_of_life_tell(working, without_locks, caplog):
    out, process = working
    assert "last sign of life" in refusal(out)
    ended(process)
    assert f"process {process.pid}" in refusal(out)  # who was killed now cannot be told from who is at work
    long_ago = time.time() - LOST_AFTER_S - 1
    os.utime(out / OWNER_JSON, (long_ago, long_ago))
    with only_run(out):
        refusal(out)
    assert len(caplog.messages) == 1


def test_a_run_on_another_computer_counts_where_its_lock_is_not_seen(tmp_path, monkeypatch):
    with only_run(tmp_path):
        (tmp_path / LOCK).unlink()
        monkeypatch.setattr(lock.platform, "node", lambda: "elsewhere")
        assert "last sign of life" in refusal(tmp_path)


def test_signs_of_life_are_given(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "BEAT_S", 0.01)
    with only_run(tmp_path):
        os.utime(tmp_path / OWNER_JSON, (0, 0))
        deadline = time.monotonic() + 30
        while not (tmp_path / OWNER_JSON).stat().st_mtime and time.monotonic() < deadline:
            time.sleep(0.01)
        assert (tmp_path / OWNER_JSON).stat().st_mtime


@pytest.mark.parametrize("content", ["", "{", "[]", '{"user": 7}', "[" * 100_000])
def test_a_damaged_record_of_who_is_at_work_stops_nobody_for_long(tmp_path, content):
    (tmp_path / OWNER_JSON).write_text(content)
    assert "does not say whose" in refusal(tmp_path)
    os.utime(tmp_path / OWNER_JSON, (0, 0))
    with only_run(tmp_path):
        pass
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_a_user_error(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(GlutsegError, match="output-unwritable"), only_run(tmp_path / "out"):
        pass


def test_an_error_of_the_work_itself_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), only_run(tmp_path):
        raise FileNotFoundError
    assert names(tmp_path) == []


def test_changes_of_two_processes_are_made_one_after_the_other(tmp_path):
    file = tmp_path / "count"
    file.write_text("0")
    both = [subprocess.Popen([sys.executable, "-c", COUNT, str(file)]) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert file.read_text() == "200"
    assert names(tmp_path) == ["count"]


def test_a_change_that_does_not_end_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "WAIT_S", 0.05)
    told = pytest.raises(GlutsegError, match="another session")
    with only_change(tmp_path / "a"), told, only_change(tmp_path / "a"):
        pass


def test_without_locks_a_change_is_made_all_the_same(tmp_path, without_locks):
    with only_change(tmp_path / "a"):
        pass
    assert names(tmp_path) == []


def test_a_sweep_leaves_what_others_are_writing(tmp_path):
    folder = tmp_path / "cases" / "a-1"
    folder.mkdir(parents=True)
    process = started(WRITE, folder / "review-anna.json")
    sweep(tmp_path)
    process.communicate("go on\n")
    assert process.returncode == 0
    assert (folder / "review-anna.json").read_text() == "half"
    process = started(WRITE, folder / "review-anna.json")
    assert not is_abandoned(next(folder.glob(".glutseg-*")))
    ended(process)
    assert len(names(folder)) == 2
    sweep(tmp_path)
    assert names(folder) == ["review-anna.json"]


def test_a_sweep_leaves_what_this_process_is_writing(tmp_path):
    with replacing(tmp_path / "a") as file:
        file.write(b"x")
        sweep(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"x"
