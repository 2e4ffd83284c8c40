"""Masks of another patient or study, and one mask for two studies: refused, stopped or flagged."""

import os
import shutil

import pydicom
import pytest
import SimpleITK as sitk
from dicom_series import FRAMES, write_ct
from export_runs import make_export_run
from typer.testing import CliRunner

from glutseg import dicom
from glutseg.cli import app
from glutseg.errors import GlutsegError
from glutseg.exchange.export import export
from glutseg.exchange.measure_mask import load_series, measure_mask
from glutseg.phantom import PhantomScan, random_patients, write_studies

SCAN = PhantomScan(matrix=96, pixel_mm=4.2, slice_mm=12.0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_export_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def loaded(run):
    return load_series(dicom.scan(run.images))


@pytest.fixture(scope="module", params=["seg", "rtstruct"])
def written(run, request):
    """An object of this patient, as a data set to be changed."""
    file = next(p for p in export(run.out, (request.param,)).files)
    return lambda: pydicom.dcmread(file)


def flags_of(loaded, path):
    return [flag.code for flag in measure_mask(loaded, path, level="slice=3").result.all_flags]


def without_references(ds):
    for keyword in ("ReferencedSeriesSequence", "RTReferencedStudySequence"):
        for holder in (ds, *ds.get("ReferencedFrameOfReferenceSequence", ())):
            holder.pop(keyword, None)
    return ds


@pytest.mark.parametrize("keeps_references", [True, False])
def test_another_patient_and_study_in_the_same_frame_are_refused(loaded, written, tmp_path, keeps_references):
    ds = written()
    ds.PatientID, ds.StudyInstanceUID = "P2", "1.2.3"
    path = tmp_path / "other.dcm"
    (ds if keeps_references else without_references(ds)).save_as(path)
    with pytest.raises(GlutsegError, match="PatientID and StudyInstanceUID") as caught:
        measure_mask(loaded, path, level="slice=3")
    assert caught.value.code == "mask-other-patient"


@pytest.mark.parametrize(("keyword", "value"), [("PatientID", "P2"), ("StudyInstanceUID", "1.2.3")])
def test_one_of_them_asks_for_a_look_unless_the_mask_was_drawn_on_the_series(
    loaded, written, tmp_path, keyword, value
):
    ds = written()
    setattr(ds, keyword, value)
    path = tmp_path / "other.dcm"
    ds.save_as(path)
    assert "mask-owner-differs" not in flags_of(loaded, path)
    without_references(ds).save_as(path)
    assert "mask-owner-differs" in flags_of(loaded, path)


def test_own_objects_and_nameless_ones_are_measured_as_before(loaded, written, tmp_path):
    ds = written()
    path = tmp_path / "own.dcm"
    ds.save_as(path)
    known = flags_of(loaded, path)
    ds.PatientID = ""
    without_references(ds).save_as(path)
    assert flags_of(loaded, path) == known
    assert "mask-owner-differs" not in known


def glutseg(*args):
    return CliRunner().invoke(app, [str(a) for a in args])


@pytest.fixture
def follow_up(run, tmp_path):
    """Two studies of one patient, one whose id gives the same file name, and a folder with a mask."""
    images = tmp_path / "images"
    shutil.copytree(run.images, images / "first")
    write_ct(images / "second", FRAMES["HFS"], uid="2", StudyDate="20210131")
    (tmp_path / "masks").mkdir()
    sitk.WriteImage(run.mask.to_sitk(), str(tmp_path / "masks" / "P1.nii.gz"))
    return images


def run_with(images, pattern, out):
    return glutseg("run", images, "--masks", pattern, "--level", "slice=3", "-j", "0", "-o", out)


def test_one_mask_for_a_follow_up_stops_before_the_run(follow_up, tmp_path):
    masks, out = tmp_path / "masks", tmp_path / "out"
    done = run_with(follow_up, masks / "{patient_id}.nii.gz", out)
    assert done.exit_code == 1
    assert "mask-shared" in done.output
    for word in ("2 studies", "{study_date}", "P1-"):
        assert word in done.output
    assert not out.exists()
    shutil.copy(masks / "P1.nii.gz", masks / "P1_20200131.nii.gz")
    shutil.copy(masks / "P1.nii.gz", masks / "P1_20210131.nii.gz")
    assert run_with(follow_up, masks / "{patient_id}_{study_date}.nii.gz", out).exit_code in (0, 2)


def test_ids_that_become_one_file_name_stop_before_the_run(run, tmp_path):
    for name, patient_id in (("a", "P/1"), ("b", "P_1")):
        write_ct(tmp_path / "images" / name, FRAMES["HFS"], uid=name, PatientID=patient_id)
    done = run_with(tmp_path / "images", tmp_path / "{patient_id}.nii.gz", tmp_path / "out")
    assert (done.exit_code, "mask-shared" in done.output) == (1, True)


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_links_to_one_mask_stop_before_the_run(follow_up, tmp_path, link):
    masks = tmp_path / "masks"
    for date in ("20200131", "20210131"):
        link(masks / "P1.nii.gz", masks / f"{date}.nii.gz")
    done = run_with(follow_up, masks / "{study_date}.nii.gz", tmp_path / "out")
    assert (done.exit_code, "mask-shared" in done.output) == (1, True)


@pytest.fixture(scope="module")
def two_patients(tmp_path_factory):
    """Images of one, and both masks: they lie in the same coordinates."""
    out = tmp_path_factory.mktemp("phantoms")
    folders = write_studies(out, list(random_patients(2, 1)), SCAN, masks=True)
    return load_series(dicom.scan(folders[0])), sorted(out.glob("truth-*.nii.gz"))


@pytest.mark.parametrize("suffix", ["nii.gz", "nrrd", "mha"])
def test_a_nameless_mask_of_another_patient_asks_for_a_look(two_patients, tmp_path, suffix):
    loaded, masks = two_patients
    results = []
    for k, mask in enumerate(masks):
        path = tmp_path / f"{k}.{suffix}"
        sitk.WriteImage(sitk.ReadImage(str(mask)), str(path))
        results.append(measure_mask(loaded, path, label_map="glutseg", level="slice=10").result)
    own, other = results
    assert "mask-misfit" not in [flag.code for flag in own.all_flags]
    assert "mask-misfit" in [flag.code for flag in other.all_flags]
    assert other.status == "review"
