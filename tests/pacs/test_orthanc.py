"""A real PACS: search, fetch, measure, store and restart; nothing is lost or stored twice."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import orthanc_server
import pydicom
import pytest
from orthanc_server import PASSWORD, Orthanc

from glutseg import batch, dicom
from glutseg.batch import RunOptions
from glutseg.errors import GlutsegError
from glutseg.image import Mask
from glutseg.pacs import RetryPolicy, read_address
from glutseg.pacs.fetch import fetched_study
from glutseg.pacs.search import find
from glutseg.pacs.store import store
from glutseg.pacs.transfer import Connection
from glutseg.phantom import write_dicom
from glutseg.protocol import load_protocol

pytestmark = pytest.mark.skipif(bool(orthanc_server.missing()), reason=orthanc_server.missing() or "-")

SAMPLE = Path(__file__).parents[2] / "sample_dicom" / "PHANTOM-0001"
PROTOCOL = load_protocol()
SHORT_RETRY = RetryPolicy(connect_s=2, read_s=10, request_s=20, attempts=2, first_wait_s=0.05, total_s=20)
LONG_RETRY = RetryPolicy(
    connect_s=2, read_s=10, request_s=20, attempts=20, first_wait_s=0.1, longest_wait_s=0.4
)


@pytest.fixture(scope="module")
def small_studies(small_phantom, tmp_path_factory):
    """Three small studies S-1, S-2 and S-3 as files."""
    folder = tmp_path_factory.mktemp("studies")
    for seed in (1, 2, 3):
        patient = replace(small_phantom.patient, patient_id=f"S-{seed}")
        write_dicom(replace(small_phantom, patient=patient), folder / f"S-{seed}")
    return folder


@pytest.fixture(scope="module")
def running(small_studies, tmp_path_factory):
    orthanc = Orthanc(tmp_path_factory.mktemp("orthanc"))
    orthanc.start()
    try:
        orthanc.push(SAMPLE)
        orthanc.push(small_studies)
        yield orthanc
    finally:
        orthanc.stop()


@pytest.fixture
def orthanc(running, monkeypatch):
    for name, value in orthanc_server.environment().items():
        monkeypatch.setenv(name, value)
    return running


def small(orthanc, retry=SHORT_RETRY):
    return find(replace(read_address(orthanc.address), retry=retry), {"PatientID": "S-*"})


def glutseg(*words):
    command = [sys.executable, "-m", "glutseg.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))


def tables(out):
    return {name: (out / name).read_bytes() for name in ("measurements.csv", "profile.csv")}


def rows(out):
    with (out / "measurements.csv").open(newline="", encoding="utf-8") as file:
        return {row["patient_id"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def sample_run(running, tmp_path_factory):
    """The sample, measured through the server by the program itself, its results stored."""
    out = tmp_path_factory.mktemp("sample")
    environment = {**os.environ, **orthanc_server.environment()}
    words = ["run", running.address, "--query", "PatientID=PHANTOM*", "-o", out / "pacs", "--store"]
    command = [sys.executable, "-m", "glutseg.cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return out / "pacs", done.stdout + done.stderr


def test_tables_are_identical_to_those_of_files(sample_run, tmp_path):
    out, _ = sample_run
    assert glutseg("run", SAMPLE, "-o", tmp_path / "disk").returncode == 0
    assert tables(out) == tables(tmp_path / "disk")
    (mask,) = out.glob("cases/*/mask.nii.gz")
    (same,) = (tmp_path / "disk").glob("cases/*/mask.nii.gz")
    assert mask.read_bytes() == same.read_bytes()


def test_no_password_and_no_image_is_left(sample_run):
    out, printed = sample_run
    assert PASSWORD not in printed
    for path in out.rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes(), path
    assert not (out / ".glutseg-fetched").exists()
    assert {p.suffix for p in out.rglob("*.dcm")} <= {".dcm"}
    assert all(p.parent.name == "export" for p in out.rglob("*.dcm"))


def test_what_is_stored_can_be_read_back_and_refers_to_the_images(sample_run, running):
    out, printed = sample_run
    assert "1 cases stored" in printed
    images = {d.SOPInstanceUID: d for d in map(pydicom.dcmread, sorted(SAMPLE.glob("*.dcm")))}
    (seg,) = [pydicom.dcmread(io.BytesIO(c)) for c in running.instances("SEG")]
    (report,) = [pydicom.dcmread(io.BytesIO(c)) for c in running.instances("SR")]
    assert {seg.StudyInstanceUID, report.StudyInstanceUID} == {d.StudyInstanceUID for d in images.values()}
    (series,) = seg.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == next(iter(images.values())).SeriesInstanceUID
    assert {i.ReferencedSOPInstanceUID for i in series.ReferencedInstanceSequence} <= set(images)
    text = str(report)
    row = rows(out)["PHANTOM-0001"]
    assert seg.SOPInstanceUID in text
    assert row["area_left_mm2"] in text
    assert str(seg.PatientID) == "PHANTOM-0001"


def test_the_stored_pixels_are_the_mask(sample_run, running):
    out, _ = sample_run
    import SimpleITK as sitk

    (path,) = out.glob("cases/*/mask.nii.gz")
    mask = Mask.from_sitk(sitk.ReadImage(str(path)))
    seg = pydicom.dcmread(io.BytesIO(running.instances("SEG")[0]))
    numbers = {
        s.SegmentNumber: {"left": 1, "right": 2}[s.SegmentLabel.split()[-1]] for s in seg.SegmentSequence
    }
    found = np.zeros_like(mask.labels)
    for pixels, groups in zip(seg.pixel_array, seg.PerFrameFunctionalGroupsSequence, strict=True):
        z_mm = float(groups.PlanePositionSequence[0].ImagePositionPatient[2])
        slice_index = mask.geometry.nearest_slice(z_mm)
        found[slice_index][pixels > 0] = numbers[
            groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        ]
    assert np.array_equal(found, mask.labels)


def test_a_second_store_adds_nothing(sample_run, orthanc):
    out, _ = sample_run
    server = read_address(orthanc.address)
    again = store(out, server, source=server)
    assert (len(again.stored), len(again.kept)) == (0, 1)
    (out / "stored.json").unlink()  # without it the objects are sent again, but are the same
    assert len(store(out, server, source=server).stored) == 1
    assert (len(orthanc.instances("SEG")), len(orthanc.instances("SR"))) == (1, 1)


def test_stored_results_do_not_change_a_study_for_a_resume(sample_run, orthanc, tmp_path):
    out = tmp_path / "goes-on"  # with another date of the run, from which the objects' UIDs come
    shutil.copytree(sample_run[0], out)
    before = tables(out)
    done = glutseg("run", orthanc.address, "--query", "PatientID=PHANTOM*", "-o", out, "--store", "--resume")
    assert "1 of them were done before" in done.stdout
    assert "0 cases stored, 1 were stored before" in done.stdout
    assert tables(out) == before


def test_export_of_such_a_run_fetches_the_headers_it_needs(sample_run, orthanc, tmp_path):
    out, _ = sample_run
    done = glutseg("export", out, "--format", "seg", "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == (out / "export" / path.name).read_bytes()


def test_results_measured_on_files_can_be_stored(orthanc, truth_rooms, small_studies, tmp_path):
    out = tmp_path / "out"
    batch.run(dicom.scan(small_studies / "S-1"), PROTOCOL, None, out)
    done = glutseg("export", out, "--format", "sr", "--store", orthanc.address)
    assert done.returncode == 0, done.stderr
    assert rows(out)["S-1"]["area_left_mm2"] in "".join(
        str(pydicom.dcmread(io.BytesIO(c))) for c in orthanc.instances("SR")
    )


def test_wrong_credentials_stop_a_run_at_the_start(orthanc, monkeypatch, tmp_path):
    monkeypatch.setenv("GLUTSEG_DICOMWEB_PASSWORD", "wrong")
    done = glutseg("run", orthanc.address, "--query", "PatientID=S-*", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "pacs-refused" in done.stderr
    assert not (tmp_path / "out").exists()


def test_no_matching_study_is_an_error(orthanc):
    with pytest.raises(GlutsegError, match="input-empty"):
        find(read_address(orthanc.address), {"PatientID": "NOBODY"})


def test_only_the_requested_slices_are_fetched(orthanc, tmp_path):
    (study,) = [o for o in small(orthanc).remote_studies.values() if o.patient_id == "S-1"]
    with fetched_study(study, tmp_path, "S-1") as images:
        (series,) = [one for one in images.study.series if one.modality == "CT"]
        images.fetch(series.slices[3:6])
        images.fetch(series.slices[4:8])
        assert images.n_images == 5
        folder = tmp_path / ".glutseg-fetched"
        assert {p.stat().st_mode & 0o777 for p in (folder, *folder.rglob("*")) if p.is_dir()} == {0o700}
    assert not folder.exists()


def test_a_server_that_stops_between_studies_and_restarts(orthanc, truth_rooms, small_studies, tmp_path):
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "out"
    batch.run(dicom.scan(small_studies), PROTOCOL, None, undisturbed)

    def unplugged(done, _total, last):
        if done == 1:
            orthanc.stop()
        if done == 2:
            orthanc.start()

    found = small(orthanc)
    try:
        batch.run(found.index, PROTOCOL, None, out, remote=found, progress=unplugged)
    finally:
        if orthanc.process is None:
            orthanc.start()
    outcomes = {name: (row["status"], row["error_code"]) for name, row in rows(out).items()}
    assert outcomes == {"S-1": ("ok", ""), "S-2": ("failed", "pacs-unreachable"), "S-3": ("ok", "")}
    again = small(orthanc)
    resume = RunOptions(resume=True, retry_failed=True)
    assert batch.run(again.index, PROTOCOL, None, out, remote=again, options=resume).n_kept == 2
    assert tables(out) == tables(undisturbed)


def test_a_restart_in_the_middle_of_a_study_fails_nothing(
    orthanc, truth_rooms, small_studies, tmp_path, monkeypatch
):
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "out"
    batch.run(dicom.scan(small_studies), PROTOCOL, None, undisturbed)
    fetch, requests, starting = Connection.fetch, [], []

    def restarted(self, url, *how):
        requests.append(url)
        if len(requests) == 12:
            orthanc.stop()
            starting.append(threading.Timer(0.5, orthanc.start))
            starting[0].start()
        return fetch(self, url, *how)

    found = small(orthanc, LONG_RETRY)
    monkeypatch.setattr(Connection, "fetch", restarted)
    summary = batch.run(found.index, PROTOCOL, None, out, remote=found)
    starting[0].join()
    assert summary.exit_code == 0
    assert tables(out) == tables(undisturbed)


def test_resuming_a_killed_run_removes_its_images(orthanc, truth_rooms, tmp_path):
    out = tmp_path / "out"
    left = out / ".glutseg-fetched" / "S-1" / "0000"

    def killed(done, _total, _last):
        if done == 1:
            raise KeyboardInterrupt

    found = small(orthanc)
    with pytest.raises(KeyboardInterrupt):
        batch.run(found.index, PROTOCOL, None, out, remote=found, progress=killed)
    left.mkdir(parents=True)
    (left / "00000.dcm").write_bytes(b"an image")
    found = small(orthanc)
    assert (
        batch.run(found.index, PROTOCOL, None, out, remote=found, options=RunOptions(resume=True)).n_kept == 1
    )
    assert not (out / ".glutseg-fetched").exists()


def test_pseudonymised_runs_find_their_images(orthanc, truth_rooms, tmp_path):
    from glutseg.output.pseudonym import Pseudonymiser

    out = tmp_path / "out"
    found = small(orthanc)
    summary = batch.run(found.index, PROTOCOL, None, out, remote=found, pseudonyms=Pseudonymiser(b"k" * 32))
    assert summary.exit_code == 0
    real = set(found.remote_studies)
    for path in out.rglob("*"):
        text = path.read_bytes() if path.suffix in (".json", ".csv") else b""
        assert not any(uid.encode() in text for uid in real), path
        assert b"S-1" not in text
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["input"] == "(pseudonymised)"


def test_images_stored_by_another_client_are_found(orthanc, small_studies, tmp_path):
    from dicomweb_client import DICOMwebClient
    from requests import Session
    from requests.auth import HTTPBasicAuth

    session = Session()
    session.trust_env = False
    session.auth = HTTPBasicAuth(orthanc_server.USER, PASSWORD)
    client = DICOMwebClient(f"{orthanc.url}/dicom-web", session=session)
    datasets = [pydicom.dcmread(p) for p in sorted((small_studies / "S-1").glob("*.dcm"))]
    for ds in datasets:
        ds.PatientID, ds.StudyInstanceUID, ds.SeriesInstanceUID = "T-1", "1.2.3.4", "1.2.3.4.5"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID[:50]}.9"
    client.store_instances(datasets)
    found = find(read_address(orthanc.address), {"StudyInstanceUID": "1.2.3.4"})
    with fetched_study(found.remote_studies["1.2.3.4"], tmp_path, "T-1") as images:
        (series,) = images.study.series
        loaded = dicom.read(series, fetch=images.fetch)
    (original,) = dicom.scan(small_studies / "S-1").studies
    assert np.array_equal(loaded.hu, dicom.read(original.series[0]).hu)
