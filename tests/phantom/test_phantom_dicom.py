import doctest
import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

import glutseg.phantom
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Mask
from glutseg.phantom import (
    SAMPLE_PATIENTS,
    PhantomPatient,
    PhantomScan,
    random_patients,
    render,
    write_dicom,
    write_studies,
)

SCAN = PhantomScan(
    matrix=105, pixel_mm=4.0, slice_mm=7.5, z_range_mm=(-5.0, 50.0), centre_mm=(3.25, -8.5, -412.5)
)
NEVER_EMPTY = """
SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID Modality ImageType
SamplesPerPixel PhotometricInterpretation Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation
PixelSpacing ImagePositionPatient ImageOrientationPatient RescaleIntercept RescaleSlope RescaleType
PatientPosition PixelData
"""
PRESENT = """
PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName StudyID
AccessionNumber SeriesNumber PositionReferenceIndicator Manufacturer InstanceNumber SliceThickness KVP
AcquisitionNumber ContentDate ContentTime
"""


@pytest.fixture(scope="module")
def phantom():
    return render(PhantomPatient(seed=4, height_m=1.71, sex="M"), SCAN)


def read(folder) -> CtImage:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return CtImage.from_sitk(reader.Execute())


@pytest.mark.parametrize("position", ["HFS", "HFP", "FFS", "FFP"])
def test_another_reader_finds_the_same_voxels_at_the_same_positions(phantom, tmp_path, position):
    write_dicom(phantom, tmp_path, position=position)
    found = read(tmp_path)
    assert found.geometry.matches(phantom.volume.geometry)
    np.testing.assert_array_equal(found.hu, phantom.volume.hu)


@pytest.mark.parametrize("compression", ["jpeg-ls", "rle"])
def test_compression_loses_nothing(phantom, tmp_path, compression):
    native = write_dicom(phantom, tmp_path / "native")
    small = write_dicom(phantom, tmp_path / "small", compression=compression)
    assert sum(p.stat().st_size for p in small) < sum(p.stat().st_size for p in native)
    for a, b in zip(native, small, strict=True):
        one, two = pydicom.dcmread(a), pydicom.dcmread(b)
        assert two.file_meta.TransferSyntaxUID.is_compressed
        assert one.SOPInstanceUID == two.SOPInstanceUID
        np.testing.assert_array_equal(one.pixel_array, two.pixel_array)


def test_every_required_attribute_is_there(phantom, tmp_path):
    paths = write_dicom(phantom, tmp_path)
    datasets = [pydicom.dcmread(p) for p in paths]
    for dataset in datasets:
        assert all(dataset[name].value not in ("", None) for name in NEVER_EMPTY.split())
        assert all(name in dataset for name in PRESENT.split())
        assert dataset.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert len({d.SOPInstanceUID for d in datasets}) == len(paths)
    assert len({d.SeriesInstanceUID for d in datasets}) == 1
    first, last = datasets[0], datasets[-1]
    assert first.ImagePositionPatient[2] > last.ImagePositionPatient[2]  # IM0001 is nearest the head
    assert float(first.PatientSize) == 1.71
    assert (first.PatientSex, first.PatientID) == ("M", "PHANTOM-0001")


def test_the_same_phantom_gives_the_same_bytes(phantom, tmp_path):
    one = write_dicom(phantom, tmp_path / "a", compression="jpeg-ls")
    two = write_dicom(render(phantom.patient, phantom.scan), tmp_path / "b", compression="jpeg-ls")
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


def test_two_scans_of_a_patient_are_two_series_of_one_study(phantom, tmp_path):
    other = render(phantom.patient, replace(SCAN, slice_mm=10.0))
    a = pydicom.dcmread(write_dicom(phantom, tmp_path / "a")[0])
    b = pydicom.dcmread(write_dicom(other, tmp_path / "b")[0])
    assert a.StudyInstanceUID == b.StudyInstanceUID
    assert a.SeriesInstanceUID != b.SeriesInstanceUID


def test_studies_are_written_with_true_areas(tmp_path):
    patients = list(random_patients(2, seed=3))
    scan = replace(SCAN, z_range_mm=(16.0, 24.0))
    folders = write_studies(tmp_path, patients, scan, masks=True)
    assert [f.name for f in folders] == ["PHANTOM-0001", "PHANTOM-0002"]
    truth = json.loads((tmp_path / "truth.json").read_text())["patients"]
    assert [t["patient"]["patient_id"] for t in truth] == ["PHANTOM-0001", "PHANTOM-0002"]
    phantom = render(patients[1], scan)
    row = next(r for r in truth[1]["slices"] if r["instance"] == 1)
    top = phantom.truth.labels[-1]
    assert row["area_left_mm2"] == (top == 1).sum() * 16
    assert row["outline_area_right_mm2"] == pytest.approx(phantom.area_mm2("right", row["z_mm"]), abs=0.01)
    mask = Mask.from_sitk(sitk.ReadImage(str(tmp_path / "truth-PHANTOM-0002.nii.gz")))
    assert mask.geometry.matches(phantom.truth.geometry)
    np.testing.assert_array_equal(mask.labels, phantom.truth.labels)
    assert not list(tmp_path.rglob("*part*"))


def test_existing_files_are_not_overwritten(tmp_path):
    patients = list(random_patients(1))
    (tmp_path / "PHANTOM-0001").mkdir()
    (tmp_path / "PHANTOM-0001" / "mine.dcm").write_bytes(b"x")
    with pytest.raises(GlutsegError, match="output-exists"):
        write_studies(tmp_path, patients, SCAN)


def test_random_patients_are_reproducible_and_different():
    first, again = (list(random_patients(5, seed=9)) for _ in range(2))
    assert first == again
    assert len({p.seed for p in first}) == 5
    assert first[:3] == list(random_patients(3, seed=9))


def test_the_sample_patients_have_heights_in_range():
    assert [p.patient_id for p in SAMPLE_PATIENTS] == ["PHANTOM-0001", "PHANTOM-0002"]
    assert all(1.4 < p.height_m < 2.1 for p in SAMPLE_PATIENTS)


def test_the_example_in_the_documentation_runs():
    assert doctest.testmod(glutseg.phantom).failed == 0
