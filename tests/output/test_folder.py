import json

import pytest

from glutseg.errors import GlutsegError
from glutseg.output.atomic import write_bytes, write_text
from glutseg.output.folder import case_ids, check, prepare, run_record


def earlier_run(out):
    (out / "cases/a-1").mkdir(parents=True)
    for name in ("measurements.csv", "measurements.parquet", "profile.csv"):
        (out / name).write_text("old")
    for name in ("mask.nii.gz", "overlay.png", "case.json", ".glutseg-left-over"):
        (out / "cases/a-1" / name).write_text("old")
    (out / "run.json").write_text(json.dumps({"program": "glutseg"}))
    return out


def test_new_and_foreign_but_free_folders_are_fine(tmp_path):
    prepare(tmp_path / "a/b")
    (tmp_path / "notes.txt").write_text("mine")
    prepare(tmp_path, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_another_run_is_refused_and_left_alone(tmp_path):
    earlier_run(tmp_path)
    with pytest.raises(GlutsegError, match="output-exists"):
        prepare(tmp_path)
    assert (tmp_path / "measurements.csv").read_text() == "old"
    check(tmp_path, overwrite=True)
    assert (tmp_path / "measurements.csv").exists()


def test_overwrite_removes_only_what_a_run_wrote(tmp_path):
    out = earlier_run(tmp_path / "out")
    (out / "notes.txt").write_text("mine")
    (out / "cases/a-1/notes.txt").write_text("mine")
    (out / "cases/b-2").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mask.nii.gz").write_text("not ours")
    (out / "cases/link").symlink_to(outside)
    prepare(out, overwrite=True)
    left = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file() and "link" not in p.parts)
    assert left == ["cases/a-1/notes.txt", "notes.txt"]
    assert (outside / "mask.nii.gz").exists()


@pytest.mark.parametrize("record", [None, "[]", "no json", '{"program": "other"}'])
def test_files_of_others_are_never_removed(tmp_path, record):
    (tmp_path / "measurements.csv").write_text("mine")
    if record is not None:
        (tmp_path / "run.json").write_text(record)
    with pytest.raises(GlutsegError, match="output-foreign"):
        prepare(tmp_path, overwrite=True)
    assert (tmp_path / "measurements.csv").read_text() == "mine"


def test_folder_that_is_a_file_is_a_user_error(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(GlutsegError, match="output-unwritable"):
        prepare(tmp_path / "out")
    with pytest.raises(GlutsegError, match="output-unwritable"):
        write_bytes(tmp_path / "out" / "file", b"")


def test_a_write_that_breaks_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    write_text(tmp_path / "a.txt", "old")

    def broken(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(GlutsegError, match="No space left"):
        write_text(tmp_path / "a.txt", "new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_written_files_can_be_read_by_others(tmp_path):
    write_text(tmp_path / "a.txt", "x\ud800")
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "a.txt").read_bytes() == b"x?"


def test_cases_of_a_record_never_lead_out_of_the_folder():
    names = ["P-1", "../../secret", "a/b", "..", ".", "", "x\\y", "zero\0"]
    record = {"cases": [{"case_id": name} for name in names] + ["no case"]}
    assert case_ids(record) == ("P-1",)


def test_a_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(GlutsegError, match="no run of glutseg") as caught:
        run_record(tmp_path)
    assert caught.value.code == "input-missing"
