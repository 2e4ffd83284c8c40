"""A server without the resource /metadata: headers are read from the images themselves."""

from dataclasses import replace

import faults
import numpy as np
import pytest
from faulty_server import serving

from glutseg import dicom
from glutseg.errors import GlutsegError
from glutseg.pacs.fetch import fetched_study
from glutseg.pacs.search import find
from glutseg.phantom import write_dicom


@pytest.fixture
def served(small_phantom, tmp_path):
    patient = replace(small_phantom.patient, patient_id="A")
    write_dicom(replace(small_phantom, patient=patient), tmp_path / "A")
    with serving(tmp_path / "A") as server:
        yield server


def fetch_all(served, out):
    (study,) = find(served.server, {"PatientID": "*"}).remote_studies.values()
    with fetched_study(study, out, "case") as images:
        headers = b"".join(path.read_bytes() for path in out.rglob("*.dcm"))
        (series,) = images.study.series
        images.fetch(series.slices)
        return dicom.read(series), headers


@pytest.mark.parametrize("code", [404, 501])
def test_the_images_are_read_instead(served, tmp_path, code):
    (with_metadata, _), n_images = fetch_all(served, tmp_path / "one"), len(served.files)
    served.add_fault("metadata", faults.status(code))
    without, headers = fetch_all(served, tmp_path / "two")
    assert np.array_equal(without.hu, with_metadata.hu)
    assert without.geometry == with_metadata.geometry
    assert served.count("instance") == 3 * n_images
    assert len(headers) < 4000 * n_images, "pixels were kept"
    assert b"PatientName" not in headers
    assert not any(str(d.PatientName).encode() in headers for d in served.files)


def test_what_is_gone_is_still_gone(served, tmp_path):
    served.add_fault("metadata", faults.status(404))
    served.add_fault("instances", faults.json_of([]))
    with pytest.raises(GlutsegError, match="pacs-gone"):
        fetch_all(served, tmp_path / "out")


def test_an_image_that_is_broken_is_an_answer_that_cannot_be_used(served, tmp_path):
    served.add_fault("metadata", faults.status(404))
    served.add_fault("instance", faults.truncated)
    with pytest.raises(GlutsegError, match="pacs-answer-invalid"):
        fetch_all(served, tmp_path / "out")
