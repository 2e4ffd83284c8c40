"""A server that misbehaves: a named reason for that study, nothing lost, never a mask in the wrong place."""

import csv
import json
from dataclasses import replace

import faults
import pytest
from odd_server import serving, studies

from glutseg import batch, dicom
from glutseg.batch import Manner
from glutseg.errors import GlutsegError
from glutseg.pacs.fetch import fetched
from glutseg.pacs.query import parse_query
from glutseg.pacs.search import find
from glutseg.phantom import write_dicom
from glutseg.protocol import load_protocol

PROTOCOL = load_protocol()
QUERY = {"PatientID": "*"}


@pytest.fixture(scope="module")
def served(small_phantom, tmp_path_factory):
    """Two studies on a server: A, which something will happen to, and B."""
    folder = tmp_path_factory.mktemp("served")
    for name in "AB":
        patient = replace(small_phantom.patient, patient_id=name)
        write_dicom(replace(small_phantom, patient=patient), folder / name)
    with serving(folder) as server:
        yield server


@pytest.fixture
def odd(served):
    served.faults.clear()
    served.asked.clear()
    served.stored.clear()
    return served


def study_of(odd, patient_id):
    return next(d.StudyInstanceUID for d in odd.files if patient_id == d.PatientID)


def bring_all(odd, out, patient_id="A"):
    """Fetch every image of a study; the study."""
    origin = find(odd.server, QUERY).origins[study_of(odd, patient_id)]
    with fetched(origin, out, "case") as here:
        for series in here.study.series:
            here.fetch(series.slices)
            loaded = dicom.read(series)
    return loaded.volume


def run(odd, out, **how):
    found = find(odd.server, QUERY)
    return batch.run(found.index, PROTOCOL, None, out, remote=found, manner=Manner(**how))


def rows(out):
    with (out / "measurements.csv").open(newline="", encoding="utf-8") as file:
        return {row["patient_id"]: row for row in csv.DictReader(file)}


def far_away(item):
    item["00200032"]["Value"][2] += 100.0


def elsewhere(item):
    item["0020000D"]["Value"] = ["1.2.3"]


def someone_else(item):
    item["00100020"]["Value"] = ["B"]


def a_path(item):
    item["00080018"]["Value"] = ["../../etc/passwd"]


CASES = [
    ("metadata", faults.status(401), "pacs-refused"),
    ("metadata", faults.status(403), "pacs-refused"),
    ("metadata", faults.status(404), "pacs-gone"),
    ("metadata", faults.status(500), "pacs-failed"),
    ("metadata", faults.status(503), "pacs-unreachable"),
    ("metadata", faults.page_for_people, "pacs-answer-invalid"),
    ("metadata", faults.page_called_json, "pacs-answer-invalid"),
    ("metadata", faults.nothing, "pacs-answer-invalid"),
    ("metadata", faults.half, "pacs-answer-invalid"),
    ("metadata", faults.hang_up, "pacs-unreachable"),
    ("metadata", faults.deep, "pacs-answer-invalid"),
    ("metadata", faults.bomb, "pacs-answer-invalid"),
    ("metadata", faults.drip, "pacs-unreachable"),
    ("metadata", faults.json_of("text"), "pacs-answer-invalid"),
    ("metadata", faults.json_of([1, 2]), "pacs-answer-invalid"),
    ("metadata", faults.json_of([{}]), "pacs-answer-invalid"),
    ("metadata", faults.json_of([]), "pacs-answer-invalid"),
    ("metadata", faults.changed_metadata(elsewhere), "pacs-answer-invalid"),
    ("metadata", faults.changed_metadata(someone_else), "pacs-answer-invalid"),
    ("metadata", faults.changed_metadata(a_path), "pacs-answer-invalid"),
    ("metadata", faults.changed_metadata(far_away), "pacs-answer-invalid"),
    ("instance", faults.status(404), "pacs-gone"),
    ("instance", faults.status(500), "pacs-failed"),
    ("instance", faults.page_for_people, "pacs-answer-invalid"),
    ("instance", faults.nothing, "pacs-answer-invalid"),
    ("instance", faults.half, "pacs-answer-invalid"),
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
def test_what_a_server_does_wrong_has_a_name_and_leaves_nothing(odd, tmp_path, case):
    kind, fault, code = case
    odd.does(kind, fault, where=study_of(odd, "A"))
    with pytest.raises(GlutsegError) as caught:
        bring_all(odd, tmp_path)
    assert caught.value.code == code
    assert not list(tmp_path.rglob(".glutseg*"))
    assert "evil" not in str(caught.value)


def test_images_come_as_they_are_on_the_server(odd, tmp_path, small_phantom):
    assert (bring_all(odd, tmp_path).canonical().hu == small_phantom.volume.canonical().hu).all()


def test_a_redirect_within_the_server_is_followed_and_one_without_end_is_not(odd, tmp_path):
    odd.does("studies", faults.redirect("/dicom-web/studies"), times=1)
    bring_all(odd, tmp_path)
    odd.does("studies", faults.redirect("/dicom-web/studies"))
    with pytest.raises(GlutsegError, match="pacs-redirected"):
        find(odd.server, QUERY)


@pytest.mark.parametrize(
    ("kind", "fault", "code"), [CASES[0], ("instance", faults.half, "pacs-answer-invalid")]
)
def test_it_is_that_studys_failure_only(odd, truth_rooms, tmp_path, kind, fault, code):
    odd.does(kind, fault, where=study_of(odd, "A"))
    out = tmp_path / "out"
    run(odd, out)
    found = rows(out)
    assert (found["A"]["status"], found["A"]["error_code"]) == ("failed", code)
    assert found["A"]["area_mean_mm2"] == found["A"]["mask"] == ""
    assert found["B"]["status"] == "ok"
    assert not list(out.rglob("*.dcm"))
    assert not (out / ".glutseg-fetched").exists()


def test_what_failed_is_measured_when_the_server_is_well_again(odd, truth_rooms, tmp_path):
    out, calm = tmp_path / "out", tmp_path / "calm"
    run(odd, calm)
    odd.does("metadata", faults.status(500), where=study_of(odd, "A"), times=1)
    run(odd, out)
    assert rows(out)["A"]["status"] == "failed"
    assert run(odd, out, resume=True).n_kept == 2
    summary = run(odd, out, resume=True, retry_failed=True)
    assert summary.n_kept == 1
    for name in ("measurements.csv", "profile.csv", "measurements.parquet"):
        assert (out / name).read_bytes() == (calm / name).read_bytes()


@pytest.mark.parametrize("code", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(odd, tmp_path, code):
    odd.does("instance", faults.status(code, Retry_After="0"), times=1)
    odd.does("metadata", faults.hang_up, times=1)
    bring_all(odd, tmp_path)
    assert odd.count("instance") == len(odd.files) // 2 + 1


@pytest.mark.parametrize("code", [400, 401, 403, 404, 500])
def test_other_answers_are_not_asked_for_again(odd, code):
    odd.does("studies", faults.status(code))
    with pytest.raises(GlutsegError):
        find(odd.server, QUERY)
    assert odd.count("studies") == 1


def test_attempts_and_the_time_that_a_server_asks_for_are_bounded(odd):
    odd.does("studies", faults.status(503, Retry_After="86400"))
    with pytest.raises(GlutsegError, match="pacs-unreachable"):
        find(odd.server, QUERY)
    assert odd.count("studies") == odd.server.patience.attempts


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.page_for_people, "pacs-answer-invalid"),
        (faults.nothing, "pacs-answer-invalid"),
        (faults.json_of({"a": 1}), "input-empty"),
        (faults.no_content, "input-empty"),
        (faults.redirect("https://127.0.0.1/dicom-web/studies"), "pacs-redirected"),
    ],
)
def test_a_search_that_cannot_be_understood_ends_the_run_before_it_begins(odd, fault, code):
    odd.does("studies", fault)
    with pytest.raises(GlutsegError) as caught:
        find(odd.server, QUERY)
    assert caught.value.code == code


def test_a_study_whose_series_are_not_listed_is_asked_again_when_it_is_measured(odd, tmp_path):
    odd.does("series", faults.status(500), where=study_of(odd, "A"), times=1)
    assert bring_all(odd, tmp_path).hu.size
    assert odd.count("series") == 5  # the other study's and two pages each; once in vain


def test_a_study_with_a_uid_that_is_none_is_left_out_and_said_so(odd):
    odd.does("studies", faults.changed_metadata(lambda i: i["0020000D"].update(Value=["../x"])), times=1)
    odd.does("studies", faults.json_of([]), times=1)
    with pytest.raises(GlutsegError, match="input-empty"):
        find(odd.server, QUERY)


def test_pages_go_on_until_there_is_none(odd, monkeypatch):
    monkeypatch.setattr("glutseg.pacs.search.PAGE", 1)
    assert len(find(odd.server, QUERY).origins) == 2


def test_a_server_that_ignores_limit_and_offset_is_heard_once(odd):
    whole = [item["0020000D"]["Value"][0] for item in studies(odd.files)]
    odd.does("studies", faults.json_of(studies(odd.files)))
    assert set(find(odd.server, QUERY).origins) == set(whole)
    assert odd.count("studies") == 2


def test_a_server_that_gives_its_first_page_again_and_again_is_refused(odd, monkeypatch):
    monkeypatch.setattr("glutseg.pacs.search.PAGE", 1)
    odd.does("studies", faults.json_of(studies(odd.files)[:1]))
    with pytest.raises(GlutsegError, match="pacs-incomplete"):
        find(odd.server, QUERY)


def test_studies_that_do_not_match_are_left_out_and_told(odd):
    found = find(odd.server, parse_query(["PatientID=A*"]))
    assert [study.patient_id for study in found.index.studies] == ["A"]
    (problem,) = found.index.problems
    assert problem.code == "pacs-query-ignored"


def test_an_image_that_cannot_be_decoded_is_named_by_its_uid(odd, tmp_path):
    odd.does("instance", faults.edited(BitsAllocated=7), where=study_of(odd, "A"))
    out = tmp_path / "out"
    run(odd, out)
    row = rows(out)["A"]
    assert row["error_code"] == "pixel-data-undecodable"
    assert ".glutseg" not in (out / f"cases/{row['case_id']}/case.json").read_text(encoding="utf-8")
    assert any(f"[image {d.SOPInstanceUID}]" in row["error_message"] for d in odd.files)


def test_no_name_is_in_what_is_written(odd, truth_rooms, tmp_path):
    out = tmp_path / "out"
    odd.does("instance", faults.half, where=study_of(odd, "A"))
    run(odd, out)
    for path in out.rglob("*"):
        if path.suffix in (".csv", ".json"):
            assert "SECRET" not in path.read_text(encoding="utf-8"), path
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["input"] == f"dicomweb+{odd.url}"
