"""Runs from a server: options that cannot be combined, and no images left of a failed study."""

import pytest
from typer.testing import CliRunner

from glutseg.batch.plan import RunContext, Task
from glutseg.batch.worker import write_failed_case
from glutseg.cli import app
from glutseg.dicom import Study
from glutseg.errors import GlutsegError
from glutseg.measurement import Participants
from glutseg.output.run_record import CaseState, RunRecord, write_run_record
from glutseg.pacs import RemoteStudy, Server
from glutseg.pacs.fetch import FETCHED
from glutseg.pacs.store import headers_of
from glutseg.protocol import load_protocol

ADDRESS = "dicomweb+https://127.0.0.1:1/dicom-web"


def run(*words):
    return CliRunner().invoke(app, ["run", *words, "-o", "out"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["images", "--query", "PatientID=1"], "--query and --store need"),
        (["images", "--store"], "--query and --store need"),
        ([ADDRESS, "--query", "PatientID=1", "--scheduler", "tcp://h:1"], "workers see"),
        ([ADDRESS, "--query", "PatientID=1", "--masks", "m/{patient_id}.nii"], "download the studies first"),
        ([ADDRESS, "--query", "PatientID=1", "--store", "--pseudonymise", "k"], "export-pseudonymised"),
        ([ADDRESS], "pacs-query-invalid"),
        ([ADDRESS, "--query", "Nonsense=1"], "pacs-query-invalid"),
        (
            [ADDRESS.replace("https", "http").replace("127.0.0.1", "h"), "--query", "PatientID=1"],
            "pacs-insecure",
        ),
        ([ADDRESS.replace("127", "u:pass@127"), "--query", "PatientID=1"], "pacs-address-invalid"),
        ([ADDRESS, "--query", "PatientID=1", "--ca", "no/such"], "pacs-untrusted"),
    ],
)
def test_invalid_options_are_reported_before_any_request(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert done.exit_code
    assert message in done.output + str(done.exception)
    assert "pass@" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_study_that_timed_out_leaves_no_images(tmp_path):
    left = tmp_path / FETCHED / "A" / "0000"
    left.mkdir(parents=True)
    (left / "00000.dcm").write_bytes(b"an image")
    study = Study("1.2.3", "A", "", "", ())
    task = Task(
        "A", study, Participants({}, "patient_id"), "", RemoteStudy(Server("https://h"), "1.2.3", "A")
    )
    result = write_failed_case(
        task, RunContext(tmp_path, load_protocol()), GlutsegError("study-timeout", "too long")
    )
    assert result.error_code == "study-timeout"
    assert not (tmp_path / FETCHED).exists()


def test_images_of_a_run_from_a_server_are_not_looked_for_on_disk(tmp_path):
    record = RunRecord(ADDRESS, load_protocol(), "", "", "2026-01-31T12:30:45+00:00")
    write_run_record(tmp_path, record, [CaseState("A", "ok")], state="finished")
    with pytest.raises(GlutsegError, match="pacs-address-invalid"), headers_of(tmp_path, None, []):
        pass
    with headers_of(tmp_path, None, [], tmp_path) as (folder, missing):
        assert (folder, missing) == (tmp_path, {})
