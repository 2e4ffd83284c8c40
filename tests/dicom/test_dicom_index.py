"""The index of headers on disk: what a scan reads again, goes on from, and refuses."""

import logging
import multiprocessing
import os
import random
import sqlite3
import sys
import time
import zipfile

import pytest
from dicom_builder import write_series

from glutseg.dicom import contents, summaries
from glutseg.dicom.header import HeaderReader
from glutseg.dicom.scan import scan
from glutseg.dicom.store import APPLICATION_ID_AT, IndexStore
from glutseg.dicom.summary import summary_of
from glutseg.errors import GlutsegError

SCAN = sys.modules["glutseg.dicom.scan"]
KILLS = 8
needs_fork = pytest.mark.skipif(sys.platform != "linux", reason="a forked process sees the patched function")


@pytest.fixture
def export(tmp_path):
    """Three studies, one of them in an archive, and a file that is not DICOM."""
    root = tmp_path / "export"
    for n, name in enumerate("abc"):
        write_series(root / name, PatientID=name, StudyInstanceUID=f"1.2.{n}", SeriesInstanceUID=f"1.3.{n}")
    with zipfile.ZipFile(root / "c.zip", "w") as archive:
        for path in sorted((root / "c").iterdir()):
            archive.write(path, f"inner/{path.name}")
            path.unlink()
    (root / "c").rmdir()
    (root / "note.txt").write_text("not DICOM", encoding="utf-8")
    return root


@pytest.fixture
def index_file(tmp_path):
    return tmp_path / "out" / "headers.sqlite"


@pytest.fixture
def read(monkeypatch):
    """Names of the files whose headers are read."""
    names = []
    real = HeaderReader.read

    def spy(self, source):
        names.append(f"{source.path.parent.name}/{source.name}")
        return real(self, source)

    monkeypatch.setattr(HeaderReader, "read", spy)
    return names


def text_of(index):
    """Everything that an index says, down to the sign of a zero."""
    return repr((tuple(index.studies), index.problems, index.n_files, index.n_other_files))


def test_an_index_on_disk_says_the_same_as_one_in_memory(export, index_file):
    stored, in_memory = scan(export, index_file=index_file), scan(export)
    assert text_of(stored) == text_of(in_memory)
    assert (stored.n_files, stored.n_other_files, len(stored.studies)) == (16, 1, 3)
    assert tuple(summaries(stored)) == tuple(map(summary_of, in_memory.studies))
    assert stored.studies[-1] == in_memory.studies[2]
    assert stored.studies[:2] == in_memory.studies[:2]


def test_the_index_does_not_depend_on_the_number_of_processes(export, tmp_path, monkeypatch):
    monkeypatch.setattr(SCAN, "MIN_FILES_PER_PROCESS", 1)
    monkeypatch.setattr(contents, "CHUNK", 2)
    calls = []
    found = scan(export, jobs=2, progress=lambda *call: calls.append(call))
    assert text_of(found) == text_of(scan(export))
    assert calls == [(n, 12) for n in range(1, 13)]


def test_files_of_a_process_that_was_killed_are_read_by_this_one(export, monkeypatch):
    monkeypatch.setattr(SCAN, "MIN_FILES_PER_PROCESS", 1)
    monkeypatch.setattr(contents, "_start_process", os.abort)
    assert text_of(scan(export, jobs=2)) == text_of(scan(export))


def test_only_new_and_changed_files_are_read_again_and_removed_ones_are_dropped(export, index_file, read):
    scan(export, index_file=index_file)
    assert len(read) == 16
    read.clear()
    assert text_of(scan(export, index_file=index_file)) == text_of(scan(export, index_file=index_file))
    assert read == []
    os.utime(export / "a" / "IM0002", ns=(0, 5))
    with (export / "b" / "IM0001").open("ab") as file:
        file.write(bytes(10))
    (export / "b" / "IM0004").unlink()
    write_series(export / "d", PatientID="d", StudyInstanceUID="1.2.3")
    found = scan(export, index_file=index_file)
    assert read == ["a/IM0002", "b/IM0001", *(f"d/IM000{n}" for n in range(5))]
    assert text_of(found) == text_of(scan(export))
    (export / "c.zip").unlink()
    found = scan(export, index_file=index_file)
    assert [study.patient_id for study in found.studies] == ["a", "b", "d"]
    assert b"1.3.2" not in b"".join(_texts(index_file)), "nothing is left of a patient whose files are gone"


def _texts(index_file):
    with sqlite3.connect(index_file) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            yield from (repr(row).encode() for row in db.execute(f"SELECT * FROM {table}"))  # noqa: S608 - its own name


def test_a_file_that_could_not_be_read_is_tried_again(export, index_file, read, monkeypatch):
    refused = export / "a" / "IM0002"
    real = type(refused).open

    def refuse(self, *args, **kwargs):
        if self == refused:
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(type(refused), "open", refuse)
        assert [p.source.path for p in scan(export, index_file=index_file).problems] == [refused]
    read.clear()
    assert text_of(scan(export, index_file=index_file)) == text_of(scan(export))
    assert read[0] == "a/IM0002"


def test_a_link_to_a_file_is_one_more_name_only(export, index_file):
    (export / "a" / "IM9999").symlink_to(export / "a" / "IM0000")
    (export / "0-first").symlink_to(export / "b" / "IM0000")
    for _ in range(2):
        found = scan(export, index_file=index_file)
        assert found.n_files == 16
        assert found.studies[1].series[0].slices[0].source.path == export / "0-first"


def test_an_index_below_the_input_is_no_file_of_the_input(export):
    for _ in range(2):
        assert scan(export, index_file=export / "headers.sqlite").n_files == 16


@needs_fork
def test_a_scan_killed_at_random_moments_gives_the_same_index(export, index_file, monkeypatch):
    for n in range(40):
        write_series(export / "more" / str(n), PatientID=f"more{n:02}", StudyInstanceUID=f"1.4.{n}")
    monkeypatch.setattr(SCAN, "BATCH", 7)
    whole, start_s = text_of(scan(export)), time.monotonic()
    scan(export, index_file=index_file.with_name("other.sqlite"))
    duration_s, rng = time.monotonic() - start_s, random.Random(17)
    for _ in range(KILLS):
        process = multiprocessing.get_context("fork").Process(
            target=scan, args=(export,), kwargs={"index_file": index_file}
        )
        process.start()
        time.sleep(rng.uniform(0, duration_s))
        process.kill()
        process.join()
    assert text_of(scan(export, index_file=index_file)) == whole


@pytest.mark.parametrize("at", [40, 3000, 9000, -2000])
def test_a_damaged_index_is_made_anew_with_a_message(export, index_file, at, caplog):
    caplog.set_level(logging.WARNING)
    scan(export, index_file=index_file)
    content = bytearray(index_file.read_bytes())
    content[at : at + 2000 if at < 0 else None] = b"\xa5" * len(content[at:])
    content[APPLICATION_ID_AT : APPLICATION_ID_AT + 4] = b"glut"
    index_file.write_bytes(bytes(content))
    os.utime(export / "a" / "IM0002", ns=(0, 5))
    assert text_of(scan(export, index_file=index_file)) == text_of(scan(export))
    assert "damaged" in caplog.text


@pytest.mark.parametrize("statement", ["PRAGMA user_version = 99", "DROP TABLE about"])
def test_an_index_of_another_version_is_made_anew(export, index_file, read, statement):
    scan(export, index_file=index_file)
    with sqlite3.connect(index_file) as db:
        db.execute(statement)
    read.clear()
    assert text_of(scan(export, index_file=index_file)) == text_of(scan(export))
    assert len(read) == 32


def test_headers_in_an_index_that_are_not_headers_are_read_anew(export, index_file, caplog):
    scan(export, index_file=index_file)
    with sqlite3.connect(index_file) as db:
        db.execute("UPDATE headers SET own = '[[7]]'")
        db.execute("UPDATE studies SET is_stale = 1")
    assert text_of(scan(export, index_file=index_file)) == text_of(scan(export))
    assert "made anew" in caplog.text


def test_the_index_of_another_folder_is_emptied(export, index_file, read):
    scan(export / "a", index_file=index_file)
    read.clear()
    assert [s.patient_id for s in scan(export / "b", index_file=index_file).studies] == ["b"]
    assert len(read) == 5


@pytest.mark.parametrize("content", [b"mine", b"SQLite format 3\0" + bytes(200)])
def test_a_file_of_somebody_else_is_left_alone(export, index_file, content):
    index_file.parent.mkdir()
    index_file.write_bytes(content)
    with pytest.raises(GlutsegError, match="index-foreign"):
        scan(export, index_file=index_file)
    assert index_file.read_bytes() == content


def test_an_index_in_use_or_in_no_folder_is_an_error(export, index_file, monkeypatch):
    scan(export, index_file=index_file)
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **kwargs: connect(*args, **kwargs | {"timeout": 0}))
    with sqlite3.connect(index_file) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(GlutsegError, match="index-unwritable"):
            scan(export, index_file=index_file)
    with pytest.raises(GlutsegError, match="index-unwritable"):
        scan(export, index_file=export / "note.txt" / "headers.sqlite")


def test_an_index_that_goes_while_it_is_used_is_an_error(export, index_file):
    found = scan(export, index_file=index_file)
    index_file.unlink()
    with pytest.raises(GlutsegError, match="index-damaged"):
        found.studies[0]


def test_a_store_remembers_a_bounded_number_of_shared_parts(export, index_file, monkeypatch):
    monkeypatch.setattr("glutseg.dicom.store.MAX_KNOWN", 1)
    monkeypatch.setattr("glutseg.dicom.header.MAX_SHARED", 1)
    assert text_of(scan(export, index_file=index_file)) == text_of(scan(export))
    store = IndexStore(index_file, export)
    assert store.count_files() == (12, 0)
    store.close()
