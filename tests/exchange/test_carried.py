"""What exported objects take over from the images and from the review."""

import pydicom
import pytest

from glutseg.exchange.export import export
from glutseg.exchange.terms import TERMS
from glutseg.review import accept

TOLD = {"StudyDescription": "Pelvis", "PatientIdentityRemoved": "YES", "DeidentificationMethod": "by hand"}


@pytest.mark.parametrize("fmt", ["seg", "sr", "rtstruct"])
def test_an_object_about_deidentified_images_is_deidentified(export_run, fmt):
    for path in sorted(export_run.images.rglob("*")):
        dataset = pydicom.dcmread(path)
        for keyword, value in TOLD.items():
            setattr(dataset, keyword, value)
        dataset.save_as(path)
    files = export(export_run.out, (fmt,)).files  # an SR comes with the SEG that it refers to
    assert files
    for file in files:
        dataset = pydicom.dcmread(file)
        assert {keyword: dataset.get(keyword) for keyword in TOLD} == TOLD


def test_nothing_is_said_that_the_images_do_not_say(export_run):
    (file,) = export(export_run.out, ("rtstruct",)).files
    assert "PatientIdentityRemoved" not in pydicom.dcmread(file)


def test_3d_slicer_shows_how_far_a_case_is(export_run):
    def statuses():
        file = next(f for f in export(export_run.out, ("nrrd",)).files if f.suffix == ".nrrd")
        header = file.read_bytes().partition(b"\n\n")[0].decode()
        return {part.partition("|")[0] for part in header.split("Segmentation.Status:")[1:]}

    expected = {"ok": "inprogress", "review": "flagged"}[export_run.result.status]
    assert statuses() == {expected}
    accept(export_run.out, export_run.result.case_id, "anna")
    assert statuses() == {"completed"}


def test_every_region_has_its_own_colour():
    assert len({term.colour for term in TERMS}) == len(TERMS)
