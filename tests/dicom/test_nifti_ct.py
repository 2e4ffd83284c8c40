"""NIfTI CT is a series like any other; what is no CT in HU, or has no place, is never measured."""

import gzip
import io
import struct
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glutseg import dicom
from glutseg.dicom.nifti_header import patient_id_of
from glutseg.dicom.source import Source
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry
from glutseg.protocol import SeriesRule
from nifti_writer import ORDERS, nifti_of, write_nifti

RULE = SeriesRule()
GRID = Geometry((24, 20, 30), (4.0, 1.1, 0.7), (-10.3, -7.7, 15.1))


def body(geometry=GRID, seed=3):
    """Air around soft tissue with some bone; no axis looks like another, or like itself reversed."""
    rng = np.random.default_rng(seed)
    plane = rng.normal(-1000, 8, geometry.shape[1:])
    plane[3:-3, 4:-4] = rng.normal(40, 30, plane[3:-3, 4:-4].shape)
    plane[8:10, 8:10] = 700
    hu = plane + rng.normal(0, 2, geometry.shape) + np.arange(geometry.shape[0])[:, None, None]
    return CtImage(np.rint(hu).astype(np.int16).clip(-1024, 3071), geometry)


@pytest.fixture(scope="module")
def image():
    return body()


def only_series(path):
    (study,) = dicom.scan(path).studies
    (series,) = study.series
    return study, series


def code_of(path):
    """Why the one study below a path cannot be measured."""
    (study,) = dicom.scan(path).studies
    choice = dicom.choose(study, RULE)
    assert not choice.candidates
    assert choice.rejected[0][1]
    return dicom.why_none(study, choice.rejected_series)


def file_problem(path):
    index = dicom.scan(path)
    assert not index.studies
    (problem,) = index.problems
    assert problem.code == "file-unreadable"
    return problem.message


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_of_storage_is_the_same_image(image, tmp_path, order):
    path = write_nifti(tmp_path / f"P-1_{order}.nii", image, order)
    _, series = only_series(path)
    found = dicom.read(series)
    np.testing.assert_array_equal(found.hu, image.hu)
    assert found.geometry.matches(image.geometry, 1e-4)
    assert found.geometry.spacing_mm == pytest.approx((4.0, 1.1, 0.7), abs=1e-12)
    assert [str(flag) for flag in found.flags] == ["nifti-input"]


def test_an_axial_file_keeps_its_own_grid(image, tmp_path):
    for order in ("LAS", "RAS", "LPS", "LPI"):
        path = write_nifti(tmp_path / f"{order}.nii.gz", image, order)
        found = dicom.read(only_series(path)[1])
        stored = nib.load(path)
        np.testing.assert_array_equal(found.stored_hu(), np.asarray(stored.dataobj).T)
        lps = np.diag([-1, -1, 1, 1]) @ stored.affine
        np.testing.assert_allclose(found.stored.matrix, lps, atol=1e-5)


@settings(max_examples=25)
@given(
    order=st.sampled_from(ORDERS),
    dtype=st.sampled_from([np.int16, np.int32, np.float32, np.float64, ">i2"]),
    kind=st.sampled_from([nib.Nifti1Image, nib.Nifti2Image]),
    is_compressed=st.booleans(),
)
def test_any_type_and_version_gives_the_same_hu(order, dtype, kind, is_compressed, tmp_path_factory):
    image = body()
    made = nifti_of(image, order)
    header = made.header.copy()
    header.set_data_dtype(dtype)
    made = kind(np.asarray(made.dataobj).astype(dtype), made.affine, kind.header_class.from_header(header))
    path = tmp_path_factory.mktemp("n") / ("x.nii.gz" if is_compressed else "x.nii")
    nib.save(made, path)
    np.testing.assert_array_equal(dicom.read(only_series(path)[1]).hu, image.hu)


def test_slope_and_intercept_of_the_header_count(image, tmp_path):
    made = nifti_of(image)
    stored = (np.asarray(made.dataobj).astype(np.int32) + 1024).astype(np.uint16)
    raw = nib.Nifti1Image(stored, made.affine, made.header)
    raw.header.set_data_dtype(np.uint16)
    path = tmp_path / "x.nii"
    nib.save(raw, path)
    content = bytearray(path.read_bytes())
    content[112:120] = struct.pack("<ff", 1.0, -1024.0)  # scl_slope, scl_inter
    path.write_bytes(bytes(content))
    np.testing.assert_array_equal(dicom.read(only_series(path)[1]).hu, image.hu)


def test_values_that_are_no_number_are_air(image, tmp_path):
    values = image.hu.astype(np.float32)
    values[:, :, :2] = np.nan
    values[0, 0, 5] = np.inf
    found = dicom.read(only_series(write_nifti(tmp_path / "x.nii", image, values=values))[1])
    assert (found.hu[:, :, :2] == -1024).all()
    assert found.hu[0, 0, 5] == 32767


def test_the_same_image_has_the_same_uids_wherever_it_lies(image, tmp_path):
    first = write_nifti(tmp_path / "a" / "P-1.nii.gz", image)
    second = tmp_path / "b" / "P-1.nii"
    second.parent.mkdir()
    second.write_bytes(gzip.decompress(first.read_bytes()))
    uids = {only_series(p)[0].study_uid for p in (first, second)}
    assert len(uids) == 1
    assert next(iter(uids)).startswith("2.25.")
    assert len(next(iter(uids))) <= 64
    other = write_nifti(tmp_path / "c" / "P-1.nii", body(seed=4))
    assert only_series(other)[0].study_uid not in uids


def test_two_files_of_one_patient_are_two_studies_and_copies_are_one(image, tmp_path):
    write_nifti(tmp_path / "a" / "P-1.nii.gz", image)
    write_nifti(tmp_path / "b" / "P-1.nii.gz", body(seed=4))
    write_nifti(tmp_path / "c" / "P-1.nii.gz", image)
    studies = dicom.scan(tmp_path).studies
    assert [s.patient_id for s in studies] == ["P-1", "P-1"]
    flags = [[str(f) for f in s.series[0].flags] for s in studies]
    assert sorted(flags) == [["nifti-input"], ["nifti-input", "slice-duplicate"]]


@pytest.mark.parametrize(
    ("name", "patient_id"),
    [
        ("PATIENT-1.nii.gz", "PATIENT-1"),
        ("00123.NII", "00123"),
        ("sub-07_ses-2_ct.nii.gz", "sub-07"),
        ("CASE_012_0000.nii.gz", "CASE_012"),
        ("s0011/ct.nii.gz", "s0011"),
        ("a.b.nii", "a.b"),
        ("x\u202e\x1b[31m.nii", "x[31m"),
    ],
)
def test_the_patient_is_named_by_the_file(tmp_path, name, patient_id):
    assert patient_id_of(Source(tmp_path / name)) == patient_id
    assert patient_id_of(Source(tmp_path / "e.zip", 0, name)) == patient_id


def test_in_a_zip(image, tmp_path):
    write_nifti(tmp_path / "P-1.nii.gz", image)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(tmp_path / "P-1.nii.gz", "deep/P-9.nii.gz")
    study, series = only_series(tmp_path / "all.zip")
    assert study.patient_id == "P-9"
    np.testing.assert_array_equal(dicom.read(series).hu, image.hu)


def test_an_index_on_disk_gives_the_same_study(image, tmp_path):
    write_nifti(tmp_path / "in" / "P-1.nii.gz", image, "PIR")
    in_memory = dicom.scan(tmp_path / "in").studies[0]
    for _ in range(2):
        index = dicom.scan(tmp_path / "in", index_file=tmp_path / "index.sqlite")
        assert index.studies[0] == in_memory


def test_a_sheared_grid_is_read_and_said(image, tmp_path):
    made = nifti_of(image)
    affine = made.affine.copy()
    affine[1, 2] = 4.0 * np.tan(np.radians(12))
    path = tmp_path / "x.nii"
    nib.save(nib.Nifti1Image(np.asarray(made.dataobj), affine), path)
    found = dicom.read(only_series(path)[1])
    assert found.geometry.is_sheared
    assert "gantry-tilt" in [str(flag) for flag in found.flags]
    np.testing.assert_array_equal(found.hu, image.hu)


def masks(image):
    labels = np.zeros(image.hu.shape, np.uint8)
    labels[3:9, 4:9, 5:12] = 1
    many = labels.astype(np.int16)
    many[:, :, :] = np.arange(24)[:, None, None] * 5
    yield "labels", labels
    yield "117 labels", many
    yield "as float", labels.astype(np.float32)
    yield "empty", np.zeros(image.hu.shape, np.uint8)
    yield "-1 and 1", labels.astype(np.int16) - 1


@pytest.mark.parametrize("n", range(5))
def test_a_mask_beside_the_image_is_not_measured(image, tmp_path, n):
    name, values = list(masks(image))[n]
    write_nifti(tmp_path / "P-1.nii.gz", image)
    write_nifti(tmp_path / f"{name}.nii.gz", image, values=values)
    index = dicom.scan(tmp_path)
    assert [s.patient_id for s in index.studies] == ["P-1"]
    assert (index.problems, index.n_other_files) == ((), 1)


def test_a_folder_of_masks_is_empty(image, tmp_path):
    write_nifti(tmp_path / "mask.nii.gz", image, values=next(masks(image))[1])
    with pytest.raises(GlutsegError, match="1 files are something else, such as masks") as caught:
        dicom.scan(tmp_path).check_not_empty()
    assert caught.value.code == "input-empty"


def not_hu(image):
    rng = np.random.default_rng(1)
    hu = image.hu.astype(np.int32)
    yield "MR", rng.integers(0, 1400, hu.shape).astype(np.int16), "without air"
    yield "MR of 8 bits", rng.integers(0, 255, hu.shape).astype(np.uint8), "without air"
    yield "offset", (hu + 1024).clip(0).astype(np.uint16), "HU with 1024 added"
    padded = hu + 1024
    padded[:, :1] = -2000
    yield "offset with padding", padded.astype(np.int16), "perhaps 1024 too high"
    yield "0 to 1", ((hu + 1024) / 4095).astype(np.float32), "without air"
    yield "standardised", ((hu - hu.mean()) / hu.std()).astype(np.float32), "without air"
    yield "probabilities", rng.random(hu.shape).astype(np.float32), "without air"
    yield "nothing", np.full(hu.shape, np.nan, np.float32), "no value is a number"
    filled = hu.copy()
    filled[:, :, :5] = 0
    yield "filled with 0", filled.astype(np.int16), "17% of the values are exactly 0"
    yield "air only", rng.integers(-1020, -980, hu.shape).astype(np.int16), "without tissue"


@pytest.mark.parametrize("n", range(10))
def test_values_that_are_not_hu_are_refused(image, tmp_path, n):
    name, values, says = list(not_hu(image))[n]
    code, message = code_of(write_nifti(tmp_path / f"{name}.nii.gz", image, values=values))
    assert code == "values-not-hu"
    assert says in message


def test_colours_and_times_are_refused(image, tmp_path):
    made = nifti_of(image)
    times = np.stack([np.asarray(made.dataobj)] * 3, axis=3)
    nib.save(nib.Nifti1Image(times, made.affine), tmp_path / "times.nii")
    code, message = code_of(tmp_path / "times.nii")
    assert (code, "30 x 20 x 24 x 3" in message) == ("geometry-irregular", True)
    colours = np.zeros(made.shape, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(colours, made.affine), tmp_path / "colours.nii")
    assert code_of(tmp_path / "colours.nii")[0] == "geometry-irregular"


def places(image):
    made = nifti_of(image)

    def changed(change):
        one = nib.Nifti1Image(np.asarray(made.dataobj), made.affine, made.header)
        change(one)
        return one

    def shear_within(one):
        affine = one.affine.copy()
        affine[0, 1] = 0.2
        one.set_sform(affine, 1)
        one.set_qform(None, 0)

    def two_places(one):
        one.set_qform(np.diag([1.0, 1.0, 4.0, 1.0]), 1)

    def nowhere(one):
        one.set_sform(None, 0)
        one.set_qform(None, 0)

    def tiny(one):
        one.set_sform(one.affine / 1000, 1)
        one.set_qform(None, 0)

    yield changed(nowhere), "neither sform nor qform"
    yield changed(two_places), "contradict"
    yield changed(shear_within), "right angles"
    yield changed(tiny), "mm"
    for signs in ((1, 1, 1), (-1, -1, 1)):  # nibabel's and ITK's
        yield nib.Nifti1Image(np.asarray(made.dataobj), np.diag([*signs, 1.0])), "saved without one"
    flat = np.diag([1.0, 1.0, 0.0, 1.0])
    yield changed(lambda one: (one.set_sform(flat, 1), one.set_qform(None, 0))), "no size"


@pytest.mark.parametrize("n", range(7))
def test_without_a_place_nothing_is_measured(image, tmp_path, n):
    made, says = list(places(image))[n]
    nib.save(made, tmp_path / "x.nii.gz")
    code, message = code_of(tmp_path / "x.nii.gz")
    assert code == "geometry-missing"
    assert says in message


def test_an_unknown_unit_is_mm_and_metres_are_converted(image, tmp_path):
    made = nifti_of(image)
    scaled = np.diag([0.001, 0.001, 0.001, 1.0]) @ made.affine
    metres = nib.Nifti1Image(np.asarray(made.dataobj), scaled)
    metres.header.set_xyzt_units("meter")
    nib.save(metres, tmp_path / "x.nii")
    assert dicom.read(only_series(tmp_path / "x.nii")[1]).geometry.matches(image.geometry, 1e-4)


def test_a_truncated_or_damaged_file_is_reported(image, tmp_path):
    whole = write_nifti(tmp_path / "whole.nii", image).read_bytes()
    packed = bytearray(gzip.compress(whole))
    (tmp_path / "whole.nii").unlink()
    path = tmp_path / "P-1.nii.gz"
    for content in (packed[:-9], packed[: len(packed) // 2], packed[:30]):
        path.write_bytes(bytes(content))
        assert "damaged" in file_problem(path)
    packed[len(packed) // 2] ^= 0x55
    path.write_bytes(bytes(packed))
    assert "damaged" in file_problem(path)
    path.unlink()
    path = tmp_path / "P-1.nii"
    for content in (whole[:-1], whole[:400], whole[:352]):
        path.write_bytes(content)
        assert "cut short" in file_problem(path)
    path.write_bytes(b"no nifti at all")
    assert "named as a NIfTI file" in file_problem(path)


def test_a_pair_of_files_and_absurd_sizes_are_reported(image, tmp_path):
    pair = nib.Nifti1Pair(image.hu.T, np.diag([0.7, 1.1, 4.0, 1.0]))
    nib.save(pair, tmp_path / "x.hdr")
    index = dicom.scan(tmp_path)
    assert ["second file" in p.message for p in index.problems] == [True]
    for sizes in ((5000, 2, 2), (4000, 4000, 4000), (-3, 2, 2), (0, 2, 2)):
        header = nib.Nifti1Header()
        header.set_data_dtype(np.int16)
        content = bytearray(header.binaryblock.ljust(400, b"\0"))
        content[40:48] = struct.pack("<4h", 3, *sizes)
        content[344:348] = b"n+1\0"
        content[108:112] = struct.pack("<f", 352)
        path = tmp_path / "huge.nii"
        path.write_bytes(bytes(content))
        (problem,) = dicom.scan(path).problems
        assert "absurd" in problem.message


def test_a_bomb_is_not_inflated(tmp_path, monkeypatch):
    header = nib.Nifti1Header()
    header.set_data_dtype(np.int16)
    header.set_data_shape((2048, 2048, 256))
    header["vox_offset"], header["magic"] = 352, b"n+1"
    content = io.BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb", mtime=0) as packed:
        packed.write(header.binaryblock + bytes(2**20))
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(content.getvalue() + bytes(2**20))
    monkeypatch.setattr("glutseg.dicom.nifti_header.summarise", None)
    assert "compressed ones are no image" in file_problem(path)


@settings(max_examples=60)
@given(data=st.data())
def test_no_damage_crashes(data, tmp_path_factory):
    content = bytearray(nifti_of(body(replace(GRID, shape=(6, 8, 10)))).to_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, 351))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("n") / "x.nii"
    path.write_bytes(bytes(content[: data.draw(st.sampled_from([len(content), 350, 700]))]))
    index = dicom.scan(path)
    assert len(index.studies) + len(index.problems) + index.n_other_files == 1
    for series in (series for study in index.studies for series in study.series):
        if series.geometry is not None:
            with suppress(GlutsegError):
                dicom.read(series)


def test_a_file_that_changed_since_is_not_mixed_up(image, tmp_path):
    path = write_nifti(tmp_path / "x.nii", image)
    _, series = only_series(path)
    write_nifti(path, body(replace(GRID, shape=(24, 22, 30))))
    with pytest.raises(GlutsegError) as caught:
        dicom.read(series)
    assert caught.value.code == "pixel-data-undecodable"
    Path(path).unlink()
    with pytest.raises(GlutsegError) as caught:
        dicom.read(series)
    assert caught.value.code == "pixel-data-undecodable"
