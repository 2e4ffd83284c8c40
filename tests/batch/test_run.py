import csv
import json
from collections import Counter
from dataclasses import replace

import pytest

from glutseg import batch, dicom
from glutseg.batch import RunSummary
from glutseg.errors import GlutsegError
from glutseg.measurement import read_participants
from glutseg.protocol import load_protocol

PROTOCOL = load_protocol()


@pytest.fixture
def two(truth_rooms, tmp_path):
    """Two studies, the second the same patient under another id."""
    for name in ("B-2", "A-1"):
        truth_rooms.write(tmp_path / "in" / name, patient_id=name)
    return dicom.scan(tmp_path / "in")


def rows_of(out):
    return list(csv.DictReader((out / "measurements.csv").open(newline="", encoding="utf-8")))


def test_every_study_has_its_row_files_and_entry_in_run_json(two, tmp_path):
    out = tmp_path / "out"
    seen = []
    summary = batch.run(two, PROTOCOL, None, out, progress=lambda done, n, _: seen.append((done, n)))
    assert [r["patient_id"] for r in rows_of(out)] == ["A-1", "B-2"]
    assert seen == [(0, 2), (1, 2), (2, 2)]
    for row in rows_of(out):
        assert (out / row["mask"]).is_file()
        assert (out / row["overlay"]).is_file()
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert (record["state"], record["studies"], record["by_status"]) == ("finished", 2, {"ok": 2})
    assert record["started"]
    assert record["cases"][0]["seconds"]
    assert summary.exit_code == 0


def test_the_same_input_gives_the_same_bytes(two, tmp_path):
    for name in ("a", "b"):
        batch.run(two, PROTOCOL, None, tmp_path / name)
    files = [p for p in (tmp_path / "a").rglob("*") if p.is_file() and p.name != "run.json"]
    assert len(files) == 2 + 2 * 3
    for path in files:
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), (
            path.name
        )


def test_one_crash_fails_its_own_study_only(two, tmp_path, monkeypatch):
    read = dicom.read

    def crash_on_a(series, **how):
        if "A-1" in str(series.slices[0].source):
            raise ZeroDivisionError
        return read(series, **how)

    monkeypatch.setattr(dicom, "read", crash_on_a)
    summary = batch.run(two, PROTOCOL, None, tmp_path / "out")
    assert [(r["patient_id"], r["status"], r["error_code"]) for r in rows_of(tmp_path / "out")] == [
        ("A-1", "failed", "internal-error"),
        ("B-2", "ok", ""),
    ]
    assert summary.exit_code == 2


def test_an_overlay_that_cannot_be_drawn_fails_its_case_only(two, tmp_path, monkeypatch):
    from glutseg.output import overlay

    draw = overlay.draw_overlay

    def crash_on_a(volume, mask, result, others):
        if result.patient_id == "A-1":
            raise ValueError
        return draw(volume, mask, result, others)

    monkeypatch.setattr(overlay, "draw_overlay", crash_on_a)
    batch.run(two, PROTOCOL, None, tmp_path / "out")
    first, second = rows_of(tmp_path / "out")
    assert (first["status"], first["error_code"], first["area_left_mm2"]) == ("failed", "internal-error", "")
    assert second["status"] == "ok"
    case = json.loads((tmp_path / "out/cases" / first["case_id"] / "case.json").read_text(encoding="utf-8"))
    assert case["error"]["traceback"]


def test_a_folder_that_cannot_be_written_stops_the_run(two, tmp_path, monkeypatch):
    def full(*_):
        raise GlutsegError("output-unwritable", "No space left on device")

    monkeypatch.setattr("glutseg.output.case_files.write_text", full)
    with pytest.raises(GlutsegError, match="output-unwritable"):
        batch.run(two, PROTOCOL, None, tmp_path / "out")


def test_an_earlier_run_is_not_overwritten_unasked(two, tmp_path):
    out = tmp_path / "out"
    batch.run(two, PROTOCOL, None, out)
    with pytest.raises(GlutsegError, match="output-exists"):
        batch.run(two, PROTOCOL, None, out)
    one = replace(two, studies=two.studies[:1])
    batch.run(one, PROTOCOL, None, out, overwrite=True)
    assert len(rows_of(out)) == 1
    assert len(list((out / "cases").iterdir())) == 1


def test_participants_table_and_its_digest(two, tmp_path):
    table = tmp_path / "p.csv"
    table.write_text("patient_id,height_m\nA-1,1.75\nB-2,175\n", encoding="utf-8")
    with pytest.raises(GlutsegError, match=r"participants-mismatch(.|\n)*row 3: 175; are they cm"):
        batch.run(two, PROTOCOL, read_participants(table), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    accepted = batch.RunOptions(accept_unmatched=True)
    batch.run(two, PROTOCOL, read_participants(table), tmp_path / "out", options=accepted)
    first, second = rows_of(tmp_path / "out")
    assert (first["height_m"], first["height_source"]) == ("1.75", "participants")
    assert (second["height_m"], second["height_source"]) == ("", "none")
    assert second["area_mean_per_height_mm2_per_m"] == ""
    assert "height-implausible" in second["flags"]
    record = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))
    assert len(record["participants_sha256"]) == 64


def test_studies_with_the_same_id_get_different_folders(two, tmp_path, monkeypatch):
    monkeypatch.setattr("glutseg.batch.plan.case_id", lambda *_: "same-1")
    batch.run(two, PROTOCOL, None, tmp_path / "out")
    assert {r["case_id"] for r in rows_of(tmp_path / "out")} == {"same-1", "same-1-2"}
    assert len(list((tmp_path / "out/cases").iterdir())) == 2


def test_nothing_to_measure_is_an_error(two, tmp_path):
    with pytest.raises(GlutsegError, match="input-empty"):
        batch.run(replace(two, studies=()), PROTOCOL, None, tmp_path / "out")


@pytest.mark.parametrize(
    ("statuses", "code"),
    [(["ok"], 0), (["ok", "review"], 2), (["ok", "failed"], 2), (["review"], 2), (["failed", "failed"], 1)],
)
def test_exit_code(statuses, code, tmp_path):
    assert RunSummary(tmp_path, (), Counter(statuses)).exit_code == code
