"""Files that somebody replaces between the scan and the reading, or during a run."""

import pytest
from dicom_builder import pattern, write_series

from glutseg import dicom
from glutseg.errors import GlutsegError
from glutseg.output.pseudonym import pseudonymiser

SHAPE = (9, 8, 6)


@pytest.fixture
def scanned(tmp_path):
    write_series(tmp_path / "in", pattern(SHAPE))
    return dicom.scan(tmp_path / "in")


def replace_files(folder, which):
    """Put the images of another patient, of the same shape and place, into files of the first."""
    other = folder.parent / "other"
    write_series(other, pattern(SHAPE) + 300, PatientID="P2", SeriesInstanceUID="9.9")
    for path in sorted((folder).iterdir())[which]:
        path.write_bytes((other / path.name).read_bytes())


def test_another_patients_images_are_not_measured_under_the_first_ones_name(scanned, tmp_path):
    (study,) = scanned.studies
    replace_files(tmp_path / "in", slice(None))
    with pytest.raises(GlutsegError, match="file-changed"):
        dicom.read(study.series[0])


def test_a_single_replaced_slice_is_left_out_and_asks_for_review(scanned, tmp_path):
    (study,) = scanned.studies
    replace_files(tmp_path / "in", slice(4, 5))
    image = dicom.read(study.series[0])
    assert len(image.missing_slices) == 1
    (flag,) = [flag for flag in image.flags if flag.code == "slice-replaced"]
    assert flag.message == "images replaced after their headers were read: 1"
    assert flag.severity == "review"


def test_a_run_with_pseudonyms_looks_at_the_uids_of_the_files(scanned, tmp_path):
    study = pseudonymiser(tmp_path / "key", tmp_path / "out").study(scanned.studies[0])
    assert study.series[0].slices[0].sop_uid != scanned.studies[0].series[0].slices[0].sop_uid
    dicom.read(study.series[0])
    replace_files(tmp_path / "in", slice(None))
    with pytest.raises(GlutsegError, match="file-changed"):
        dicom.read(study.series[0])
