"""A faulty server: the study fails with a code, nothing is lost, no mask gets a wrong position."""

import csv
import json
from dataclasses import replace

import faults
import numpy as np
import pytest
from faulty_server import serving, studies

from glutseg import batch, dicom
from glutseg.batch import RunOptions
from glutseg.errors import GlutsegError
from glutseg.pacs.fetch import fetched_study
from glutseg.pacs.query import parse_query
from glutseg.pacs.search import find
from glutseg.phantom import write_dicom
from glutseg.protocol import load_protocol

PROTOCOL = load_protocol()
QUERY = {"PatientID": "*"}


@pytest.fixture(scope="module")
def served(small_phantom, tmp_path_factory):
    """Two studies on a server: A, which has the faults, and B."""
    folder = tmp_path_factory.mktemp("served")
    for name in "AB":
        patient = replace(small_phantom.patient, patient_id=name)
        write_dicom(replace(small_phantom, patient=patient), folder / name)
    with serving(folder) as server:
        yield server


@pytest.fixture
def faulty_server(served):
    served.faults.clear()
    served.requests.clear()
    served.stored.clear()
    return served


def study_of(faulty_server, patient_id):
    return next(d.StudyInstanceUID for d in faulty_server.files if patient_id == d.PatientID)


def fetch_all(faulty_server, out, patient_id="A"):
    """Fetch and read every image of a study."""
    study = find(faulty_server.server, QUERY).remote_studies[study_of(faulty_server, patient_id)]
    with fetched_study(study, out, "case") as images:
        for series in images.study.series:
            images.fetch(series.slices)
            loaded = dicom.read(series)
    return loaded


def run(faulty_server, out, **how):
    found = find(faulty_server.server, QUERY)
    return batch.run(found.index, PROTOCOL, None, out, remote=found, options=RunOptions(**how))


def rows(out):
    with (out / "measurements.csv").open(newline="", encoding="utf-8") as file:
        return {row["patient_id"]: row for row in csv.DictReader(file)}


def shifted_position(item):
    item["00200032"]["Value"][2] += 100.0


def another_study(item):
    item["0020000D"]["Value"] = ["1.2.3"]


def another_patient(item):
    item["00100020"]["Value"] = ["B"]


def path_as_uid(item):
    item["00080018"]["Value"] = ["../../etc/passwd"]


CASES = [
    ("metadata", faults.status(401), "pacs-refused"),
    ("metadata", faults.status(403), "pacs-refused"),
    ("metadata", faults.status(500), "pacs-failed"),
    ("metadata", faults.status(503), "pacs-unreachable"),
    ("metadata", faults.login_page, "pacs-answer-invalid"),
    ("metadata", faults.login_page_as_json, "pacs-answer-invalid"),
    ("metadata", faults.empty_body, "pacs-answer-invalid"),
    ("metadata", faults.truncated, "pacs-answer-invalid"),
    ("metadata", faults.hang_up, "pacs-unreachable"),
    ("metadata", faults.deep, "pacs-answer-invalid"),
    ("metadata", faults.bomb, "pacs-answer-invalid"),
    ("metadata", faults.drip, "pacs-unreachable"),
    ("metadata", faults.json_of("text"), "pacs-answer-invalid"),
    ("metadata", faults.json_of([1, 2]), "pacs-answer-invalid"),
    ("metadata", faults.json_of([{}]), "pacs-answer-invalid"),
    ("metadata", faults.json_of([]), "pacs-answer-invalid"),
    ("metadata", faults.changed_metadata(another_study), "pacs-answer-invalid"),
    ("metadata", faults.changed_metadata(another_patient), "pacs-answer-invalid"),
    ("metadata", faults.changed_metadata(path_as_uid), "pacs-answer-invalid"),
    ("metadata", faults.changed_metadata(shifted_position), "pacs-answer-invalid"),
    ("instance", faults.status(404), "pacs-gone"),
    ("instance", faults.status(500), "pacs-failed"),
    ("instance", faults.login_page, "pacs-answer-invalid"),
    ("instance", faults.empty_body, "pacs-answer-invalid"),
    ("instance", faults.truncated, "pacs-answer-invalid"),
    ("instance", faults.hang_up, "pacs-unreachable"),
    ("instance", faults.silent, "pacs-unreachable"),
    ("instance", faults.drip, "pacs-unreachable"),
    ("instance", faults.drip_header, "pacs-unreachable"),
    ("instance", faults.garbage, "pacs-unreachable"),
    ("instance", faults.endless, "pacs-answer-invalid"),
    ("instance", faults.bomb, "pacs-answer-invalid"),
    ("instance", faults.two_parts, "pacs-answer-invalid"),
    ("instance", faults.another_image, "pacs-answer-invalid"),
    ("instance", faults.edited(ImagePositionPatient=[0.0, 0.0, 500.0]), "pacs-answer-invalid"),
    ("instance", faults.edited(PixelSpacing=[1.0, 1.0]), "pacs-answer-invalid"),
    ("instance", faults.edited(RescaleIntercept=-1000), "pacs-answer-invalid"),
    ("instance", faults.edited(ImageOrientationPatient=[-1, 0, 0, 0, 1, 0]), "pacs-answer-invalid"),
    ("instance", faults.edited(PixelPaddingValue=50), "pacs-answer-invalid"),
    ("instance", faults.edited(PatientID="B"), "pacs-answer-invalid"),
    ("instance", faults.edited(StudyInstanceUID="1.2.3"), "pacs-answer-invalid"),
    ("instance", faults.redirect("http://evil.example/x"), "pacs-redirected"),
]


def name_of(case):
    kind, fault, code = case
    return f"{kind}-{fault.__qualname__.split('.')[0]}-{code}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_every_fault_has_a_code_and_leaves_no_files(faulty_server, tmp_path, case):
    kind, fault, code = case
    faulty_server.add_fault(kind, fault, where=study_of(faulty_server, "A"))
    with pytest.raises(GlutsegError) as caught:
        fetch_all(faulty_server, tmp_path)
    assert caught.value.code == code
    assert not list(tmp_path.rglob(".glutseg*"))
    assert "evil" not in str(caught.value)


def test_images_are_the_same_as_on_the_server(faulty_server, tmp_path, small_phantom):
    assert np.array_equal(fetch_all(faulty_server, tmp_path).hu, small_phantom.volume.hu)


def test_redirects_within_the_server_are_followed_but_not_endlessly(faulty_server, tmp_path):
    faulty_server.add_fault("studies", faults.redirect("/dicom-web/studies"), times=1)
    fetch_all(faulty_server, tmp_path)
    faulty_server.add_fault("studies", faults.redirect("/dicom-web/studies"))
    with pytest.raises(GlutsegError, match="pacs-redirected"):
        find(faulty_server.server, QUERY)


@pytest.mark.parametrize(
    ("kind", "fault", "code"), [CASES[0], ("instance", faults.truncated, "pacs-answer-invalid")]
)
def test_a_fault_fails_its_own_study_only(faulty_server, truth_rooms, tmp_path, kind, fault, code):
    faulty_server.add_fault(kind, fault, where=study_of(faulty_server, "A"))
    out = tmp_path / "out"
    run(faulty_server, out)
    found = rows(out)
    assert (found["A"]["status"], found["A"]["error_code"]) == ("failed", code)
    assert found["A"]["area_mean_mm2"] == found["A"]["mask"] == ""
    assert found["B"]["status"] == "ok"
    assert not list(out.rglob("*.dcm"))
    assert not (out / ".glutseg-fetched").exists()


def test_failed_studies_are_measured_when_the_server_works_again(faulty_server, truth_rooms, tmp_path):
    out, undisturbed = tmp_path / "out", tmp_path / "undisturbed"
    run(faulty_server, undisturbed)
    faulty_server.add_fault("metadata", faults.status(500), where=study_of(faulty_server, "A"), times=1)
    run(faulty_server, out)
    assert rows(out)["A"]["status"] == "failed"
    assert run(faulty_server, out, resume=True).n_kept == 2
    summary = run(faulty_server, out, resume=True, retry_failed=True)
    assert summary.n_kept == 1
    for name in ("measurements.csv", "profile.csv"):
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes()


@pytest.mark.parametrize("code", [429, 502, 503, 504])
def test_requests_to_a_busy_server_are_repeated(faulty_server, tmp_path, code):
    faulty_server.add_fault("instance", faults.status(code, Retry_After="0"), times=1)
    faulty_server.add_fault("metadata", faults.hang_up, times=1)
    fetch_all(faulty_server, tmp_path)
    assert faulty_server.count("instance") == len(faulty_server.files) // 2 + 1


@pytest.mark.parametrize("code", [400, 401, 403, 404, 500])
def test_other_errors_are_not_repeated(faulty_server, code):
    faulty_server.add_fault("studies", faults.status(code))
    with pytest.raises(GlutsegError):
        find(faulty_server.server, QUERY)
    assert faulty_server.count("studies") == 1


def test_attempts_and_requested_waiting_times_are_limited(faulty_server):
    faulty_server.add_fault("studies", faults.status(503, Retry_After="86400"))
    with pytest.raises(GlutsegError, match="pacs-unreachable"):
        find(faulty_server.server, QUERY)
    assert faulty_server.count("studies") == faulty_server.server.retry.attempts


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.login_page, "pacs-answer-invalid"),
        (faults.empty_body, "pacs-answer-invalid"),
        (faults.json_of({"a": 1}), "input-empty"),
        (faults.no_content, "input-empty"),
        (faults.redirect("https://127.0.0.1/dicom-web/studies"), "pacs-redirected"),
    ],
)
def test_an_invalid_search_response_stops_the_run_at_the_start(faulty_server, fault, code):
    faulty_server.add_fault("studies", fault)
    with pytest.raises(GlutsegError) as caught:
        find(faulty_server.server, QUERY)
    assert caught.value.code == code


def test_series_that_were_not_listed_are_requested_again_when_measuring(faulty_server, tmp_path):
    faulty_server.add_fault("series", faults.status(500), where=study_of(faulty_server, "A"), times=1)
    assert fetch_all(faulty_server, tmp_path).hu.size
    assert faulty_server.count("series") == 5  # two pages for each study, and one failed request


def test_a_study_with_an_invalid_uid_is_left_out(faulty_server):
    faulty_server.add_fault(
        "studies", faults.changed_metadata(lambda i: i["0020000D"].update(Value=["../x"])), times=1
    )
    faulty_server.add_fault("studies", faults.json_of([]), times=1)
    with pytest.raises(GlutsegError, match="input-empty"):
        find(faulty_server.server, QUERY)


def test_all_pages_are_requested(faulty_server, monkeypatch):
    monkeypatch.setattr("glutseg.pacs.search.PAGE", 1)
    assert len(find(faulty_server.server, QUERY).remote_studies) == 2


def test_results_of_a_server_that_ignores_limit_and_offset_are_used_once(faulty_server):
    uids = [item["0020000D"]["Value"][0] for item in studies(faulty_server.files)]
    faulty_server.add_fault("studies", faults.json_of(studies(faulty_server.files)))
    assert set(find(faulty_server.server, QUERY).remote_studies) == set(uids)
    assert faulty_server.count("studies") == 2


def test_a_server_that_repeats_its_first_page_is_an_error(faulty_server, monkeypatch):
    monkeypatch.setattr("glutseg.pacs.search.PAGE", 1)
    faulty_server.add_fault("studies", faults.json_of(studies(faulty_server.files)[:1]))
    with pytest.raises(GlutsegError, match="pacs-incomplete"):
        find(faulty_server.server, QUERY)


def test_studies_that_do_not_match_are_left_out_and_reported(faulty_server):
    found = find(faulty_server.server, parse_query(["PatientID=A*"]))
    assert [study.patient_id for study in found.index.studies] == ["A"]
    (problem,) = found.index.problems
    assert problem.code == "pacs-query-ignored"


def test_an_image_that_cannot_be_decoded_is_named_by_its_uid(faulty_server, tmp_path):
    faulty_server.add_fault("instance", faults.edited(BitsAllocated=7), where=study_of(faulty_server, "A"))
    out = tmp_path / "out"
    run(faulty_server, out)
    row = rows(out)["A"]
    assert row["error_code"] == "pixel-data-undecodable"
    assert ".glutseg" not in (out / f"cases/{row['case_id']}/case.json").read_text(encoding="utf-8")
    assert any(f"[image {d.SOPInstanceUID}]" in row["error_message"] for d in faulty_server.files)


def test_no_output_contains_a_patients_name(faulty_server, truth_rooms, tmp_path):
    out = tmp_path / "out"
    faulty_server.add_fault("instance", faults.truncated, where=study_of(faulty_server, "A"))
    run(faulty_server, out)
    for path in out.rglob("*"):
        if path.suffix in (".csv", ".json"):
            assert "SECRET" not in path.read_text(encoding="utf-8"), path
    assert (
        json.loads((out / "run.json").read_text(encoding="utf-8"))["input"] == f"dicomweb+{faulty_server.url}"
    )
