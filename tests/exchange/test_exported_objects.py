"""What the exported DICOM objects say, and when nothing may be exported."""

import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from dicom_series import FRAMES, write_ct
from export_runs import LEVEL, make_export_run

from glutseg import dicom, review
from glutseg.errors import GlutsegError
from glutseg.exchange.export import CASE_FORMATS, export
from glutseg.exchange.measure_mask import load_series, measure_mask
from glutseg.image import Mask
from glutseg.output.folder import read_run_record
from glutseg.output.run_record import CaseState, RunRecord, write_run_record


def exported(run, formats=CASE_FORMATS, **how):
    done = export(run.out, formats, **how)
    assert not done.left_out
    return {path.name.split(".", 1)[1]: path for path in done.files}


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools' dciodvfy is not installed")
@pytest.mark.parametrize("frame", ["HFS", "FFDR", "tilted", "oblique", "enhanced"])
def test_a_validator_finds_no_error(tmp_path, frame):
    run = make_export_run(tmp_path, frame)
    for name, path in exported(run, ("seg", "sr", "rtstruct")).items():
        told = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
        errors = [line for line in (told.stdout + told.stderr).splitlines() if line.startswith("Error")]
        assert not errors, (name, errors)


def test_segments_carry_codes_sides_and_the_algorithm(export_run):
    ds = pydicom.dcmread(exported(export_run, ("seg",))["seg.dcm"])
    assert ds.SegmentationType == "BINARY"
    told = [
        (
            s.SegmentLabel,
            s.SegmentedPropertyTypeCodeSequence[0].CodeValue,
            s.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence[0].CodeValue,
        )
        for s in ds.SegmentSequence
    ]
    assert told == [
        ("Gluteus maximus left", "181674001", "7771000"),
        ("Gluteus maximus right", "181674001", "24028007"),
        ("Gluteus medius left", "78333006", "7771000"),
        ("Gluteus medius right", "78333006", "24028007"),
        ("Gluteus minimus left", "75297007", "7771000"),
        ("Gluteus minimus right", "75297007", "24028007"),
    ]
    assert {s.SegmentAlgorithmType for s in ds.SegmentSequence} == {"AUTOMATIC"}
    assert ds.SegmentSequence[0].SegmentAlgorithmName == "glutseg"


def test_the_report_tells_areas_and_densities_of_frames_of_the_segmentation(export_run):
    files = exported(export_run, ("sr",))
    seg, sr = pydicom.dcmread(files["seg.dcm"]), pydicom.dcmread(files["sr.dcm"])
    told = {}
    for group in walk(sr, "Measurement Group"):
        items = {(i.ConceptNameCodeSequence[0].CodeMeaning, derivation(i)): i for i in group.ContentSequence}
        name = items["Tracking Identifier", ""].TextValue.rpartition(":")[2]
        numbers = [items[key].MeasuredValueSequence[0] for key in FIGURES]
        told[name] = [(float(n.NumericValue), n.MeasurementUnitsCodeSequence[0].CodeValue) for n in numbers]
        reference = items["Referenced Segmentation Frame", ""].ReferencedSOPSequence[0]
        assert reference.ReferencedSOPInstanceUID == seg.SOPInstanceUID
        frame = seg.PerFrameFunctionalGroupsSequence[int(reference.ReferencedFrameNumber) - 1]
        number = frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        assert seg.SegmentSequence[number - 1].SegmentLabel == name
        source = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        assert source == export_run.image.sop_uids[LEVEL]
    left = export_run.result.measurement("left")
    assert told["Gluteus maximus left"] == [
        (pytest.approx(left.area_mm2), "mm2"),
        (pytest.approx(left.mean_hu, abs=1e-5), "[hnsf'U]"),
    ]
    assert len(told) == 6


FIGURES = [("Area", ""), ("Attenuation Coefficient", "Mean")]


def derivation(item):
    for modifier in item.get("ContentSequence", ()):
        if modifier.ConceptNameCodeSequence[0].CodeMeaning == "Derivation":
            return modifier.ConceptCodeSequence[0].CodeMeaning
    return ""


def walk(item, meaning):
    for child in item.get("ContentSequence", ()):
        names = child.get("ConceptNameCodeSequence")
        if names and names[0].CodeMeaning == meaning:
            yield child
        yield from walk(child, meaning)


def test_the_same_run_gives_the_same_bytes_and_no_name(export_run, tmp_path):
    first = exported(export_run)
    second = exported(export_run, folder=tmp_path / "again")
    for name, path in first.items():
        assert path.read_bytes() == second[name].read_bytes(), name
        assert b"SECRET" not in path.read_bytes()
    seg = pydicom.dcmread(first["seg.dcm"])
    assert (seg.ContentDate, seg.ContentTime) == ("20260131", "123045")
    assert seg.SOPInstanceUID.startswith("2.25.")


def test_what_differs_has_another_identifier(export_run, tmp_path):
    before = pydicom.dcmread(exported(export_run, ("seg",))["seg.dcm"])
    case, mask = export_run.result.case_id, export_run.mask
    labels = mask.labels.copy()
    labels[LEVEL, 2:4, 30:34] = 1
    remeasured = review.remeasure(
        export_run.result,
        mask,
        export_run.image,
        Mask.on(export_run.image, labels),
        LEVEL,
        review.collate.run_protocol(export_run.out),
    )
    review.correct(
        export_run.out, case, "anna", remeasured, Mask.on(export_run.image, labels), reason="too narrow"
    )
    after = pydicom.dcmread(exported(export_run, ("seg",))["seg.dcm"])
    assert after.SOPInstanceUID != before.SOPInstanceUID
    assert after.SegmentSequence[0].SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert int(after.pixel_array.sum()) == int(before.pixel_array.sum()) + 8
    automatic = exported(export_run, ("seg",), values="automatic", folder=tmp_path / "automatic")
    assert pydicom.dcmread(automatic["seg.dcm"]).SOPInstanceUID == before.SOPInstanceUID


def test_a_missing_image_is_no_frame(tmp_path):
    run = make_export_run(tmp_path, drop=(4,))
    assert run.image.missing_slices == {4}
    files = exported(run)
    loaded = load_series(dicom.scan(run.images))
    for name in ("seg.dcm", "rtstruct.dcm", "nii.gz", "seg.nrrd"):
        assert np.array_equal(measure_mask(loaded, files[name], level="slice=3").mask.labels, run.mask.labels)


def test_a_multi_frame_series_is_referred_to_by_its_frames(tmp_path):
    run = make_export_run(tmp_path, "enhanced")
    files = exported(run)
    seg = pydicom.dcmread(files["seg.dcm"])
    source = seg.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
    assert source.ReferencedFrameNumber is not None
    loaded = load_series(dicom.scan(run.images))
    for name in ("seg.dcm", "rtstruct.dcm"):
        assert np.array_equal(measure_mask(loaded, files[name], level="slice=3").mask.labels, run.mask.labels)


def test_a_run_with_pseudonyms_names_nobody_again(export_run):
    record = read_run_record(export_run.out)
    protocol = review.collate.run_protocol(export_run.out)
    again = RunRecord(record["input"], protocol, "", "", record["started"], key_check="abc")
    write_run_record(export_run.out, again, [CaseState(export_run.result.case_id, "ok")], state="finished")
    with pytest.raises(GlutsegError) as caught:
        export(export_run.out, ("seg",))
    assert caught.value.code == "export-pseudonymised"
    assert export(export_run.out, ("nifti",)).files


@pytest.mark.parametrize("gone", ["folder", "study"])
def test_images_that_are_gone(export_run, tmp_path, gone):
    (tmp_path / "nothing").mkdir()
    where = tmp_path / ("absent" if gone == "folder" else "nothing")
    if gone == "folder":
        with pytest.raises(GlutsegError) as caught:
            export(export_run.out, ("rtstruct",), input_path=where)
        assert caught.value.code == "images-not-found"
    else:
        done = export(export_run.out, ("rtstruct",), input_path=where)
        assert not done.files
        assert done.left_out[0][1] == "images-not-found"


def test_images_without_a_frame_of_reference_are_unsuited(tmp_path):
    run = make_export_run(tmp_path, FrameOfReferenceUID=None)
    done = export(run.out, ("rtstruct",))
    assert [code for _, code, _ in done.left_out] == ["export-unsupported"]
    assert not list((run.out / "export").glob("*"))  # nothing, whether or not there is a folder


def test_a_mask_of_other_images_is_not_exported(export_run, tmp_path):
    other = tmp_path / "other"
    write_ct(other, FRAMES["HFS"], PixelSpacing=[1.4, 2.0])
    done = export(export_run.out, ("seg",), input_path=other)
    assert [code for _, code, _ in done.left_out] == ["geometry-mismatch"]


def test_slicer_and_nifti_readers_see_the_names(export_run):
    import gzip

    import SimpleITK as sitk

    files = exported(export_run, ("nifti", "nrrd"))
    image = sitk.ReadImage(str(files["seg.nrrd"]))
    assert image.GetMetaData("Segment0_Name") == "Gluteus maximus left"
    assert "SCT^7771000^Left" in image.GetMetaData("Segment0_Tags")
    assert b"CDATA[Gluteus minimus right]" in gzip.decompress(files["nii.gz"].read_bytes())
    table = (files["nii.gz"].parent / "labels.ctbl").read_text().splitlines()
    assert table[2].startswith("1 Gluteus_maximus_left ")


def test_a_case_without_a_number_is_left_out_with_its_reason(export_run):
    from glutseg.output.case_files import write_case

    protocol = review.collate.run_protocol(export_run.out)
    failed = replace(
        export_run.result,
        status="failed",
        error_code="hips-not-found",
        muscles=(),
        profile=(),
    )
    write_case(export_run.out, failed, protocol)
    assert export(export_run.out, ("nifti",)).left_out[0][1] == "hips-not-found"


def test_without_highdicom_the_export_stops_at_once(export_run, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(GlutsegError) as caught:
        export(export_run.out, ("seg",))
    assert caught.value.code == "exchange-missing"
