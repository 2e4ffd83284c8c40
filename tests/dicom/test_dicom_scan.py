import os
import shutil
import warnings

import numpy as np
import pytest
from dicom_builder import ct_dataset, overwrite, pattern, save, write_series
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from glutseg.dicom import choose, scan
from glutseg.errors import GlutsegError
from glutseg.protocol import SeriesRule


def only_series(folder):
    (study,) = scan(folder).studies
    (series,) = study.series
    return series


def test_a_plain_series(tmp_path):
    write_series(tmp_path / "a" / "b")
    index = scan(tmp_path)
    (study,) = index.studies
    assert (study.patient_id, study.study_uid, study.study_date) == ("P1", "1.2.3", "20200102")
    assert study.patient_size_m_raw == "1.75"
    (series,) = study.series
    assert (series.modality, series.kernel, series.n_images, series.n_files) == ("CT", "B30f", 5, 5)
    assert series.geometry.spacing_mm == (3.0, 0.8, 0.7)
    assert series.geometry.shape == (5, 8, 6)
    assert (index.n_files, index.n_other_files, index.problems) == (5, 0, ())


def test_the_patients_name_is_nowhere(tmp_path):
    write_series(tmp_path)
    assert "SECRET" not in repr(scan(tmp_path))


def test_progress_counts_every_file(tmp_path):
    write_series(tmp_path)
    calls = []
    scan(tmp_path, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(k, 5) for k in range(1, 6)]


def test_one_file(tmp_path):
    path = write_series(tmp_path)[0]
    assert scan(path).studies[0].series[0].n_images == 1


def test_a_missing_path(tmp_path):
    with pytest.raises(GlutsegError, match="input-missing"):
        scan(tmp_path / "no")


def test_an_empty_folder(tmp_path):
    assert scan(tmp_path).studies == ()


def test_other_files_are_not_reported(tmp_path):
    write_series(tmp_path)
    (tmp_path / "readme.txt").write_text("hello " * 100)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG" + bytes(200))
    (tmp_path / "short").write_bytes(b"\x08")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(100))
    index = scan(tmp_path)
    assert len(index.studies) == 1
    assert index.problems == ()
    assert index.n_other_files == 4


def test_loops_pipes_and_duplicate_links_are_skipped(tmp_path):
    paths = write_series(tmp_path / "series")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "again").symlink_to(tmp_path / "series", target_is_directory=True)
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    os.link(paths[0], tmp_path / "hard")
    index = scan(tmp_path)
    assert index.studies[0].series[0].n_files == 5
    assert [p.source.path.name for p in index.problems] == ["dangling"]


def test_a_truncated_header_affects_no_other_file(tmp_path):
    paths = write_series(tmp_path, np.zeros((6, 8, 6), np.int16))
    paths[5].write_bytes(paths[5].read_bytes()[:160])
    index = scan(tmp_path)
    assert [(p.source.path, p.code) for p in index.problems] == [(paths[5], "file-unreadable")]
    assert only_series(tmp_path).geometry.shape[0] == 5


@pytest.mark.parametrize("size", range(132, 900, 7))
def test_no_truncation_crashes(tmp_path, size):
    path = write_series(tmp_path, np.zeros((1, 8, 6), np.int16))[0]
    path.write_bytes(path.read_bytes()[:size])
    assert scan(tmp_path).n_files == 1


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_encodings(tmp_path, syntax):
    for k in range(3):
        save(ct_dataset(np.zeros((8, 6), np.uint16), (0, 0, 2 * k), k), tmp_path / str(k), syntax)
    assert only_series(tmp_path).geometry.spacing_mm[0] == 2


@pytest.mark.parametrize("implicit", [True, False])
def test_without_preamble(tmp_path, implicit):
    for k in range(3):
        ds = ct_dataset(np.zeros((8, 6), np.uint16), (0, 0, 2 * k), k)
        ds.save_as(tmp_path / str(k), implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    assert only_series(tmp_path).geometry.shape == (3, 8, 6)


def test_two_patients_with_one_study_uid_are_two_studies(tmp_path):
    write_series(tmp_path / "a", PatientID="A")
    write_series(tmp_path / "b", PatientID="B")
    assert [(s.patient_id, s.series[0].n_images) for s in scan(tmp_path).studies] == [("A", 5), ("B", 5)]


@pytest.mark.parametrize("empty", ["", None])
def test_without_uids_folders_keep_studies_apart(tmp_path, empty):
    for name in "ab":
        write_series(tmp_path / name, StudyInstanceUID=empty, SeriesInstanceUID=empty)
    studies = scan(tmp_path).studies
    assert [s.series[0].geometry.shape[0] for s in studies] == [5, 5]
    assert all(s.flags[0].code == "uid-missing" and s.study_uid == "" for s in studies)


def test_two_series_and_a_report(tmp_path):
    write_series(tmp_path / "1")
    write_series(tmp_path / "2", SeriesInstanceUID="1.2.3.5", ConvolutionKernel="B70f")
    report = Dataset()
    report.SOPClassUID, report.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.67", "1.5"
    report.PatientID, report.StudyInstanceUID, report.SeriesInstanceUID = "P1", "1.2.3", "1.2.3.6"
    report.Modality = "SR"
    save(report, tmp_path / "report.dcm")
    (study,) = scan(tmp_path).studies
    assert [s.series_uid for s in study.series] == ["1.2.3.4", "1.2.3.5", "1.2.3.6"]
    reasons = dict(choose(study, SeriesRule()).rejected_series)
    assert reasons["1.2.3.6"] == "not CT images: X-Ray Radiation Dose SR Storage"


def test_a_localizer_within_the_series_is_split_off(tmp_path):
    write_series(tmp_path)
    scout = ct_dataset(
        np.zeros((20, 20), np.uint16), (0, 0, 0), 0, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]
    )
    scout.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    save(scout, tmp_path / "A0")
    series = only_series(tmp_path)
    assert series.image_type[2] == "AXIAL"
    assert (series.n_images, len(series.slices)) == (6, 5)
    assert [f.code for f in series.flags] == ["series-mixed"]


HOSTILE = "../../etc\x00\x1b[2J\n<script>alert(1)</script>" + "A" * 10_000


def test_hostile_text_is_cleaned_without_a_warning(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns while writing such values
        write_series(
            tmp_path,
            PatientID=HOSTILE,
            StudyInstanceUID=HOSTILE,
            SeriesInstanceUID=HOSTILE,
            SeriesDescription=HOSTILE,
            ConvolutionKernel=HOSTILE,
            ImageType=[HOSTILE] * 50,
            BodyPartExamined=HOSTILE,
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        index = scan(tmp_path)
        (study,) = index.studies
        choose(study, SeriesRule())
    (series,) = study.series
    shown = [study.patient_id, study.study_uid, series.series_uid, series.description, series.kernel]
    shown += [*series.image_type, series.tags.body_part]
    assert all(len(text) <= 64 and text.isprintable() for text in shown)
    assert series.geometry is not None


JUNK = {
    "ImagePositionPatient": b"a\\b\\c",
    "ImageOrientationPatient": b"1\\0\\0",
    "PixelSpacing": b"0,7\\0,7",
    "InstanceNumber": b"x",
    "KVP": b"high",
    "SliceThickness": b"3\\3\\3",
    "RescaleSlope": b"zero",
    "PatientSize": b"1,75 <b>",
}


@pytest.mark.parametrize("keyword", JUNK)
def test_junk_in_numbers(tmp_path, keyword):
    for path in write_series(tmp_path, KVP="120.000", SliceThickness="99.0000", PatientSize="1.750000"):
        overwrite(path, keyword, JUNK[keyword])
    (study,) = scan(tmp_path).studies
    choose(study, SeriesRule())
    (series,) = study.series
    if keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        assert series.problem.code == "geometry-missing"
    else:
        assert series.geometry is not None
    unknown = {"KVP": series.tags.kvp or None, "SliceThickness": series.tags.slice_thickness_mm}
    unknown["RescaleSlope"] = series.slices[0].rescale if series.slices else None
    assert unknown.get(keyword) is None
    assert study.patient_size_m_raw == ("1,75 <b>" if keyword == "PatientSize" else "1.750000")


def test_the_index_does_not_depend_on_names_or_folders_of_files(tmp_path):
    paths = write_series(tmp_path / "a")
    for k, path in enumerate(reversed(paths)):
        (tmp_path / "b" / str(k % 2)).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / "b" / str(k % 2) / f"{k}.x")
    first, second = only_series(tmp_path / "a"), only_series(tmp_path / "b")
    assert first.geometry == second.geometry
    assert [s.sop_uid for s in first.slices] == [s.sop_uid for s in second.slices]


def test_a_pattern_is_not_symmetric():
    hu = pattern()
    assert len(np.unique(hu)) == hu.size  # or the orientation tests could not fail
