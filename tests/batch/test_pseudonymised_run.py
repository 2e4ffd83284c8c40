"""No file that a pseudonymised run writes contains identifying text."""

import csv
import json
import logging

import pydicom
import pytest
from written_bytes import everything_in

from glutseg import batch, dicom
from glutseg.measurement import read_participants
from glutseg.output.pseudonym import Pseudonymiser
from glutseg.protocol import load_protocol

PROTOCOL = load_protocol()
KEY = Pseudonymiser(bytes(range(32)))


@pytest.fixture
def clinic(truth_rooms, tmp_path):
    """Three patients below a folder with a name: one measured, one undecodable, one that crashes."""
    root = tmp_path / "DOE_JANE_export"
    for name in ("MRN4711", "MRN4712", "MRN4713"):
        for path in truth_rooms.write(root / f"{name}_DOE", patient_id=name).iterdir():
            dataset = pydicom.dcmread(path)
            dataset.PatientName, dataset.StudyDate = "DOE^JANE", "19991231"
            dataset.SeriesDescription, dataset.ContrastBolusAgent = "Pelvis DOE", "for DOE"
            if name == "MRN4712":
                del dataset.PixelData
            dataset.save_as(path)
    (root / "MRN4714_DOE.dcm").write_bytes(bytes(128) + b"DICM" + b"\xff" * 40)
    (tmp_path / "DOE.csv").write_text("patient_id,height_m\nMRN4711,1.75\nMRN4799,1.80\n", encoding="utf-8")
    return root


def secrets_of(root):
    """Every text that identifies: ids, names, dates, paths and UIDs."""
    found = {"MRN47", "DOE", "JANE", "1999-12-31", "19991231", str(root), root.name}
    for path in (p for p in root.rglob("*") if p.is_file()):
        found |= {path.name, path.parent.name}
        if path.parent != root:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
            found |= {dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID}
    return {text.encode() for text in found}


def test_no_output_byte_identifies(clinic, tmp_path, monkeypatch, caplog):
    read = dicom.read

    def crash_on_the_third(series, **how):
        if "MRN4713" in str(series.slices[0].source):
            raise ZeroDivisionError(str(series.slices[0].source))
        return read(series, **how)

    monkeypatch.setattr(dicom, "read", crash_on_the_third)
    caplog.set_level(logging.DEBUG)
    table = read_participants(tmp_path / "DOE.csv")
    out = tmp_path / "out"
    summary = batch.run(dicom.scan(clinic), PROTOCOL, table, out, pseudonyms=KEY)
    assert {r.result.error_code for r in summary.rows} == {"", "no-pixel-data", "internal-error"}
    for name, content in [*everything_in(out), ("the log", caplog.text.encode())]:
        for secret in secrets_of(clinic):
            assert secret not in content, f"{secret!r} found in {name}"
    for secret in secrets_of(clinic):
        assert secret not in repr(summary).encode()
    messages = [r.result.error_message for r in summary.rows]
    assert any("file-" in message for message in messages), (
        "the message still names the file, by its pseudonym"
    )


def test_the_same_patient_is_the_same_in_every_run(clinic, tmp_path):
    index, table = dicom.scan(clinic), read_participants(tmp_path / "DOE.csv")
    plain = batch.run(index, PROTOCOL, table, tmp_path / "plain")
    first = batch.run(index, PROTOCOL, table, tmp_path / "a", pseudonyms=KEY)
    second = batch.run(index, PROTOCOL, table, tmp_path / "b", pseudonyms=KEY)
    other = batch.run(index, PROTOCOL, table, tmp_path / "c", pseudonyms=Pseudonymiser(bytes(32)))
    assert [r.result.case_id for r in first.rows] == [r.result.case_id for r in second.rows]
    assert not {r.result.patient_id for r in first.rows} & {r.result.patient_id for r in other.rows}
    figures = {KEY.patient(r.result.patient_id): (r.result.muscles, r.result.height) for r in plain.rows}
    assert figures == {r.result.patient_id: (r.result.muscles, r.result.height) for r in first.rows}
    rows = list(csv.DictReader((tmp_path / "a/measurements.csv").open(newline="", encoding="utf-8")))
    assert all(r["case_id"].startswith(r["patient_id"]) and not r["study_date"] for r in rows)


def test_run_json_lists_participants_without_images_and_patients_without_row(clinic, tmp_path):
    index, table = dicom.scan(clinic), read_participants(tmp_path / "DOE.csv")
    batch.run(index, PROTOCOL, table, tmp_path / "plain")
    record = json.loads((tmp_path / "plain/run.json").read_text(encoding="utf-8"))
    assert record["participants_without_images"] == ["MRN4799"]
    assert record["patients_without_participant"] == ["MRN4712", "MRN4713"]
    batch.run(index, PROTOCOL, table, tmp_path / "hidden", pseudonyms=KEY)
    record = json.loads((tmp_path / "hidden/run.json").read_text(encoding="utf-8"))
    assert record["participants_without_images"] == [KEY.patient("MRN4799")]
    assert record["pseudonym_key_check"] == KEY.check
