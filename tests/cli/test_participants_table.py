"""`glutseg run` and `glutseg study` with tables that do not fit: real images, and nothing is measured."""

import json
import shutil
from importlib import import_module
from pathlib import Path

import pydicom
import pytest
import write_sample_participants
from typer.testing import CliRunner

from glutseg.cli import app
from glutseg.measurement import read_participants

SAMPLE = Path(__file__).parents[2] / "sample_dicom"

pytestmark = pytest.mark.skipif(not SAMPLE.is_dir(), reason="sample_dicom/ is not in this distribution")


def glutseg(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """The sample without its own tables, and a patient whose id has zeros in front."""
    folder = tmp_path_factory.mktemp("images") / "in"
    for patient in ("PHANTOM-0001", "PHANTOM-0002"):
        (folder / patient).mkdir(parents=True)
        shutil.copy(SAMPLE / patient / "IM0018.dcm", folder / patient)
    dataset = pydicom.dcmread(folder / "PHANTOM-0002" / "IM0018.dcm")
    dataset.PatientID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "00123", "1.2.3", "1.2.3.4"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
    dataset.save_as(folder / "PHANTOM-0002" / "other.dcm")
    return folder


@pytest.fixture
def run(images, tmp_path, monkeypatch):
    """Run with a table; measuring is not allowed."""

    def measured(*_what, **_how):
        raise AssertionError("a study was measured")

    monkeypatch.setattr(import_module("glutseg.batch.run"), "_run_and_record", measured)

    def started(text, *more):
        table = tmp_path / "p.csv"
        table.write_text(text, encoding="utf-8")
        return glutseg("run", images, "-o", tmp_path / "out", "--participants", table, "--jobs", 0, *more)

    return started


ID_CM = "Patient ID;Height (cm)\n"
WRONG = [
    (
        "patient_id,height_m\nPHANTOM-0001,163\nPHANTOM-0002,176\n",
        "in the column 'height_m' (read as m) are outside 0.9 to 2.3 m: row 2: 163, row 3: 176",
        "are they cm? If so, name the column height_cm or add --participants-columns height_cm=height_m",
    ),
    (
        "patient_id,height_m\nA,1.63\nB,1.76\nC,1.7\n",
        "none of the 3 ids in the column 'patient_id' matches one of the 3 in the images",
        "in the table: row 2 'A', row 3 'B', row 4 'C'; in the images: '00123', 'PHANTOM-0001'",
    ),
    (
        "patient_id,height_m\nphantom-0001,1.63\nPHANTOM-0002,1.76\n",
        "an id is written differently in the table and in the images",
        "row 2 'phantom-0001' and 'PHANTOM-0001' (capitals differ)",
    ),
    (
        "patient_id,height_m\n123,1.63\nPHANTOM-0002,1.76\n",
        "row 2 '123' and '00123' (leading zeros differ)",
        "the number format 00000",
    ),
]


@pytest.mark.parametrize(("text", "first", "second"), WRONG)
def test_a_table_that_does_not_fit_stops_before_a_study_is_measured(run, tmp_path, text, first, second):
    stopped = run(text)
    assert stopped.exit_code == 1
    shown = " ".join(stopped.stderr.split())
    assert shown.startswith("glutseg: participants-mismatch: the table cannot be used as it is: - ")
    assert first in shown
    assert second in shown
    assert "--accept-unmatched" in shown
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("text", "_first", "_second"), WRONG)
def test_a_table_that_does_not_fit_may_be_accepted(run, text, _first, _second):
    accepted = run(text, "--accept-unmatched")
    assert isinstance(accepted.exception, AssertionError)
    assert str(accepted.exception) == "a study was measured"


@pytest.mark.parametrize(
    "text",
    [
        "patient_id,height_m\nPHANTOM-0001,1.63\n",
        ID_CM + "PHANTOM-0001;163,0 cm\nPHANTOM-0002;n/a\n00123;-\nPHANTOM-0009;170\n",
    ],
)
def test_a_smaller_and_a_larger_table_begin(run, text):
    assert str(run(text).exception) == "a study was measured"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fallnummer;Height (cm)\nPHANTOM-0001;163\n", "--participants-columns patient_id=Fallnummer"),
        (
            "ID;Height\nPHANTOM-0001;163\n",
            "looks like cm; if so, add --participants-columns height_cm=Height",
        ),
        (ID_CM + "PHANTOM-0001;1,63 m\n", "says '1,63 m', but the column is in cm"),
        (ID_CM + "PHANTOM-0001;163\nPHANTOM-0001;164\n", "rows 2 and 3 are of the same patient_id"),
        (ID_CM, "no row below its header"),
    ],
)
def test_tables_that_cannot_be_read_say_what_to_add(run, text, words):
    stopped = run(text)
    assert stopped.exit_code == 1
    assert "participants-invalid" in stopped.stderr
    assert words in stopped.stderr


def test_the_mapping_of_the_message_goes_on(run):
    text = "Fallnummer;Height\nPHANTOM-0001;163\n"
    mapped = run(text, "--participants-columns", "patient_id=Fallnummer,height_cm=Height")
    assert str(mapped.exception) == "a study was measured"


def test_with_pseudonyms_nobody_is_named(run, tmp_path):
    text = "patient_id,height_m\nphantom-0001,1.63\nMILLER,1.76\nPHANTOM-0002,176\n"
    stopped = run(text, "--pseudonymise", tmp_path / "project.key")
    shown = " ".join(stopped.output.split())
    assert "row 2 and ps-" in shown
    assert "row 4: 176" in shown
    assert "PHANTOM" not in shown.upper().replace(str(tmp_path).upper(), "")
    assert "MILLER" not in shown


def test_the_sample_table_is_what_the_script_writes_and_fits_the_sample(run, monkeypatch, tmp_path):
    written = tmp_path / "participants.xlsx"
    write_sample_participants.workbook().save(written)
    sample = SAMPLE / "participants.xlsx"
    tables = [read_participants(path) for path in (sample, written)]
    assert tables[0].rows == tables[1].rows
    assert {key: row.height_m for key, row in tables[0].rows.items()} == {
        "PHANTOM-0001": 1.63,
        "PHANTOM-0002": 1.76,
        "PHANTOM-0003": None,
    }
    monkeypatch.chdir(tmp_path)
    Path("sample_dicom").symlink_to(SAMPLE)
    of_the_page = "glutseg run sample_dicom -o SAMPLE --participants sample_dicom/participants.xlsx"
    begun = glutseg(*of_the_page.split()[1:], "--jobs", 0)
    assert str(begun.exception) == "a study was measured"


def test_a_run_that_was_accepted_says_whom_it_left_out(truth_rooms, tmp_path):
    truth_rooms.write(tmp_path / "in", patient_id="A-1")
    (tmp_path / "p.csv").write_text("patient_id,height_m\na-1,1.7\n")
    words = ("run", tmp_path / "in", "-o", tmp_path / "out", "--participants", tmp_path / "p.csv")
    assert glutseg(*words).exit_code == 1
    done = glutseg(*words, "--accept-unmatched")
    assert done.exit_code == 0, done.output
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["participants_without_images"] == ["a-1"]
    assert record["patients_without_participant"] == ["A-1"]
    assert glutseg(*words, "--resume").exit_code == 1
    assert glutseg(*words, "--resume", "--accept-unmatched").exit_code == 0
