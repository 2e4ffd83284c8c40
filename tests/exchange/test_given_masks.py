"""Other people's masks: measured where they lie, or refused with a reason."""

import gzip
import math
import struct
import tracemalloc
from dataclasses import replace
from typing import get_args

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_series import FRAMES, write_ct
from export_runs import figures, make_export_run

from glutseg import dicom
from glutseg.errors import GlutsegError
from glutseg.exchange.assign import LABEL_MAPS, LabelMap, assign, parse_labels
from glutseg.exchange.export import export
from glutseg.exchange.foreign import GridMask, Region, read_foreign
from glutseg.exchange.measure_mask import load_series, measure_mask, merged
from glutseg.exchange.place import place
from glutseg.exchange.terms import TERMS, Term, term_of_name
from glutseg.image import Mask


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_export_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def loaded(run):
    return load_series(dicom.scan(run.images))


def nifti(folder, mask, name="mask.nii.gz"):
    path = folder / name
    sitk.WriteImage(mask.to_sitk(), str(path))
    return path


def refused(call, *args, **how):
    with pytest.raises(GlutsegError) as caught:
        call(*args, **how)
    return caught.value.code


def renumbered(mask, numbers):
    labels = mask.stored_labels()
    values = np.zeros(labels.shape, np.uint16)
    for term, number in numbers.items():
        values[labels == term.label] = number
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(mask.to_sitk())
    return image


@pytest.mark.parametrize("program", get_args(LabelMap))
def test_labels_of_known_programs(run, loaded, tmp_path, program):
    numbers = {term: number for number, term in LABEL_MAPS[program].items()}
    path = tmp_path / "other.nii.gz"
    sitk.WriteImage(renumbered(run.mask, numbers), str(path))
    measured = measure_mask(loaded, path, label_map=program, level="slice=3")
    assert figures(measured.result) == figures(run.result)
    assert measured.protocol.name == "femoral-head-top.given-mask"


def test_the_label_maps_are_those_of_the_programs():
    """TotalSegmentator's class map of the task total (v2), MuscleMap's docs/anatomy.md."""
    told = {n: f"{t.muscle} {t.side}" for n, t in LABEL_MAPS["totalsegmentator"].items()}
    assert (told[80], told[81], told[85]) == ("maximus left", "maximus right", "minimus right")
    told = {n: f"{t.muscle} {t.side}" for n, t in LABEL_MAPS["musclemap"].items()}
    assert (told[6121], told[6122], told[6111], told[6101]) == (
        "maximus left",
        "maximus right",
        "medius left",
        "minimus left",
    )


def test_labels_by_number_and_by_name(run, loaded, tmp_path):
    path = tmp_path / "other.nii"
    sitk.WriteImage(renumbered(run.mask, {TERMS[0]: 7, TERMS[1]: 300}), str(path))
    measured = measure_mask(loaded, path, parse_labels(["7=left", "300=right"]), level="slice=3")
    of_run = figures(run.result)
    assert figures(measured.result) == {key: of_run[key] for key in of_run if key[0] == "maximus"}
    only_left = measure_mask(loaded, path, parse_labels(["7=left"]), level="slice=3").result
    assert list(figures(only_left)) == [("maximus", "left")]
    assert "muscle-missing:right" in [str(flag) for flag in only_left.all_flags]
    named = next(p for p in export(run.out, ("nrrd",)).files)
    asked = parse_labels(["Gluteus maximus left=right", "Gluteus maximus right=left"])
    assert refused(measure_mask, loaded, named, asked, level="slice=3") == "mask-sides-contradicted"


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["9=left"], "0 regions"),
        (["left"], "expected"),
        (["1=leftish"], "expected"),
        (["1=left", "2=left"], "same"),
    ],
)
def test_labels_that_cannot_be_told(run, loaded, tmp_path, labels, words):
    path = nifti(tmp_path, run.mask)
    with pytest.raises(GlutsegError, match=words) as caught:
        measure_mask(loaded, path, parse_labels(labels), level="slice=3")
    assert caught.value.code == "labels-unknown"


def test_a_nameless_number_is_not_guessed(run, loaded, tmp_path):
    alone = Mask(np.where(run.mask.labels == 1, 1, 0).astype(np.uint8), run.mask.geometry)
    assert refused(measure_mask, loaded, nifti(tmp_path, alone), level="slice=3") == "labels-unknown"
    path = tmp_path / "total.nii.gz"
    sitk.WriteImage(renumbered(run.mask, {TERMS[0]: 80, TERMS[1]: 81}), str(path))
    assert refused(measure_mask, loaded, path, level="slice=3") == "labels-unknown"


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("gluteus_maximus_left", Term("maximus", "left")),
        ("Right gluteus medius muscle", Term("medius", "right")),
        ("GLUTEUS MINIMUS, LEFT", Term("minimus", "left")),
        ("left", None),
        ("gluteus maximus", None),
        ("gluteus maximus left or right", None),
        ("pectoralis maximus left", None),
    ],
)
def test_names_in_words(name, term):
    assert term_of_name(name) == term


def test_a_mask_in_any_order_of_axes_is_not_interpolated(run, loaded, tmp_path):
    image = sitk.DICOMOrient(run.mask.to_sitk(), "SAR")
    path = tmp_path / "turned.nrrd"
    sitk.WriteImage(image, str(path))
    measured = measure_mask(loaded, path, level="slice=3")
    assert np.array_equal(measured.mask.labels, run.mask.labels)
    assert "mask-resampled" not in [flag.code for flag in measured.result.all_flags]


def test_a_mask_of_part_of_the_series_is_put_where_it_lies(run, loaded, tmp_path):
    box = (slice(1, 6), slice(5, 38), slice(2, 44))
    cut = Mask(run.mask.labels[box], run.mask.geometry.crop(box))
    measured = measure_mask(loaded, nifti(tmp_path, cut), level="slice=3")
    assert np.array_equal(measured.mask.labels, run.mask.labels)


def test_another_grid_is_told(run, loaded, tmp_path):
    """Voxels of a third of the size: the nearest to every pixel's centre is the one in its middle."""
    geometry = run.mask.geometry
    labels = run.mask.labels.repeat(3, axis=1).repeat(3, axis=2)
    fine = replace(
        geometry,
        shape=labels.shape,
        spacing_mm=(geometry.spacing_mm[0], geometry.spacing_mm[1] / 3, geometry.spacing_mm[2] / 3),
        origin_mm=geometry.point_mm(0, -1 / 3, -1 / 3),
    )
    measured = measure_mask(loaded, nifti(tmp_path, Mask(labels, fine)), level="slice=3")
    assert np.array_equal(measured.mask.labels, run.mask.labels)
    assert "mask-resampled" in [flag.code for flag in measured.result.all_flags]


def test_a_mask_on_one_slice_is_measured_there(run, loaded, tmp_path):
    labels = np.zeros_like(run.mask.labels)
    labels[4] = run.mask.labels[4]
    result = measure_mask(loaded, nifti(tmp_path, Mask(labels, run.mask.geometry))).result
    assert (result.level.name, result.level.slice_index) == ("slice", 4)


def shifted(geometry, mm):
    return replace(geometry, origin_mm=tuple(o + d for o, d in zip(geometry.origin_mm, mm, strict=True)))


def test_masks_elsewhere_or_partly_so(run, loaded, tmp_path):
    away = Mask(run.mask.labels, shifted(run.mask.geometry, (0, 0, 500)))
    assert refused(measure_mask, loaded, nifti(tmp_path, away), level="slice=3") == "mask-elsewhere"
    partly = Mask(run.mask.labels, shifted(run.mask.geometry, (0, 0, 15)))
    result = measure_mask(loaded, nifti(tmp_path, partly), level="slice=5").result
    assert "mask-cut" in [flag.code for flag in result.all_flags]
    assert result.status == "review"


@pytest.mark.parametrize("fmt", ["seg", "rtstruct"])
def test_another_frame_of_reference_is_refused(run, tmp_path, fmt):
    other = tmp_path / "other"
    write_ct(other, FRAMES["HFS"], uid="another")
    file = next(p for p in export(run.out, (fmt,)).files)
    assert refused(measure_mask, load_series(dicom.scan(other)), file, level="slice=3") == "mask-elsewhere"


def test_an_empty_mask(run, loaded, tmp_path):
    empty = Mask(np.zeros_like(run.mask.labels), run.mask.geometry)
    assert refused(measure_mask, loaded, nifti(tmp_path, empty)) == "mask-empty"
    ds = pydicom.dcmread(next(p for p in export(run.out, ("rtstruct",)).files))
    for roi in ds.ROIContourSequence:
        roi.ContourSequence = []
    ds.save_as(tmp_path / "empty.dcm")
    assert refused(measure_mask, loaded, tmp_path / "empty.dcm", level="slice=3") == "mask-empty"


def patched(content, offset, form, *values):
    changed = bytearray(content)
    struct.pack_into(form, changed, offset, *values)
    return bytes(changed)


def test_nifti_without_a_place_or_with_two(run, tmp_path):
    path = nifti(tmp_path, run.mask, "mask.nii")
    good = path.read_bytes()
    path.write_bytes(patched(good, 252, "<2h", 0, 0))
    assert refused(read_foreign, path) == "mask-unplaceable"
    path.write_bytes(patched(good, 268, "<f", 77.0))
    assert refused(read_foreign, path) == "mask-unplaceable"
    path.write_bytes(patched(good, 252, "<2h", 1, 0))  # qform alone
    assert read_foreign(path).geometry.matches(run.mask.geometry, 0.01)


def test_nrrd_without_a_place(run, tmp_path):
    path = tmp_path / "mask.nrrd"
    sitk.WriteImage(run.mask.to_sitk(), str(path))
    header, _, data = path.read_bytes().partition(b"\n\n")
    kept = b"\n".join(line for line in header.split(b"\n") if not line.startswith(b"space"))
    path.write_bytes(kept + b"\n\n" + data)
    assert refused(read_foreign, path) in ("mask-unplaceable", "mask-unreadable")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        gzip.compress(b"hello", mtime=0),
        b"\x1f\x8b broken",
        b"NRRD0005\nnonsense\n\n",
        bytes(128) + b"DICM" + b"\xff" * 300,
        struct.pack("<i", 348) + bytes(344),
        struct.pack("<i", 348)
        + bytes(36)
        + struct.pack("<8h", 3, 32767, 32767, 32767, 1, 1, 1, 1)
        + bytes(400),
    ],
    ids=range(8),
)
def test_files_that_are_no_masks(tmp_path, content):
    path = tmp_path / "mask.nii.gz"
    path.write_bytes(content)
    assert refused(read_foreign, path) == "mask-unreadable"


@pytest.mark.parametrize(
    ("offset", "form", "values", "code", "words"),
    [
        (40, "<4h", (3, 32767, 32767, 32767), "mask-unreadable", "absurd sizes"),
        (40, "<4h", (3, 48, 40, -1), "mask-unreadable", "absurd sizes"),
        (40, "<4h", (3, 48, 40, 0), "mask-unreadable", "absurd sizes"),
        (40, "<5h", (4, 48, 40, 1, 8), "mask-unreadable", "three dimensions"),
        (40, "<4h", (3, 2000, 2000, 400), "mask-unreadable", "cut short"),
        (70, "<h", (32,), "mask-unreadable", "voxels are numbers"),
        (70, "<h", (999,), "mask-unreadable", "header is invalid"),
        (108, "<f", (0.0,), "mask-unreadable", "start"),
        (108, "<f", (1e30,), "mask-unreadable", "start"),
        (108, "<f", (math.nan,), "mask-unreadable", "start"),
        (112, "<2f", (1.0, math.inf), "mask-unreadable", "header is invalid"),
        (280, "<f", (math.nan,), "mask-unplaceable", "contradict"),
        (252, "<2h24x4f", (0, 1, *[math.nan] * 4), "mask-unplaceable", "no size"),
        (252, "<2h24x12f", (0, 1, *[0.0] * 12), "mask-unplaceable", "no size"),
        (252, "<2h3f", (1, 0, 1.0, 1.0, 1.0), "mask-unplaceable", "rotation"),
        (80, "<f", (-1.0,), "mask-unreadable", "header is invalid"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_hostile_nifti_headers(run, tmp_path, pack, offset, form, values, code, words):
    path = nifti(tmp_path, run.mask, "mask.nii")
    path.write_bytes(pack(patched(path.read_bytes(), offset, form, *values)))
    with pytest.raises(GlutsegError, match=words) as caught:
        read_foreign(path)
    assert caught.value.code == code


def test_a_small_compressed_file_that_inflates_without_end(run, tmp_path):
    path = nifti(tmp_path, run.mask, "mask.nii")
    whole = path.read_bytes()
    tracemalloc.start()
    try:
        path.write_bytes(gzip.compress(whole + bytes(100_000_000), compresslevel=1))
        tracemalloc.reset_peak()
        assert read_foreign(path).geometry.matches(run.mask.geometry, 0.01)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
        path.write_bytes(gzip.compress(patched(whole, 108, "<f", 9e7) + bytes(100_000_000), compresslevel=1))
        tracemalloc.reset_peak()
        assert refused(read_foreign, path) == "mask-unreadable"
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("order", ["<", ">"])
def test_nifti_of_either_version_and_byte_order_in_metres(run, tmp_path, kind, order):
    """A qfac of 0, which many writers leave, means 1."""
    own = nib.load(nifti(tmp_path, run.mask, "mask.nii"))
    affine = np.diag([1e-3, 1e-3, 1e-3, 1.0]) @ own.affine
    image = kind(np.asarray(own.dataobj).astype("i2"), affine, kind.header_class(endianness=order))
    image.header.set_xyzt_units("meter")
    image.set_qform(None, 0)
    image.header["pixdim"][0] = 0
    path = tmp_path / "other.bin"
    path.write_bytes(gzip.compress(image.to_bytes()))
    assert image.header.endianness == order
    mask = read_foreign(path)
    assert mask.geometry.matches(run.mask.geometry, 0.01)
    assert np.array_equal(mask.pick(2), run.mask.labels == 2)


def test_a_mask_cut_short_and_one_that_is_an_image(run, tmp_path):
    path = nifti(tmp_path, run.mask, "mask.nii")
    path.write_bytes(path.read_bytes()[:-100])
    assert refused(read_foreign, path) == "mask-unreadable"
    image = sitk.GetImageFromArray(np.random.default_rng(1).normal(size=(3, 4, 5)))
    sitk.WriteImage(image, str(path))
    assert refused(read_foreign, path) == "mask-unreadable"
    assert refused(read_foreign, tmp_path / "absent") == "input-missing"


def test_lines_across_the_slices_are_refused(run, loaded, tmp_path):
    ds = pydicom.dcmread(next(p for p in export(run.out, ("rtstruct",)).files))
    contour = ds.ROIContourSequence[0].ContourSequence[0]
    points = np.reshape([float(v) for v in contour.ContourData], (-1, 3))
    points[:, 2] += 0.3 * (points[:, 0] - points[:, 0].mean())
    contour.ContourData = [f"{v:.3f}" for v in points.ravel()]
    ds.save_as(tmp_path / "oblique.dcm")
    assert refused(measure_mask, loaded, tmp_path / "oblique.dcm", level="slice=3") == "mask-unplaceable"


def test_fractional_segments_count_from_one_half(run, loaded, tmp_path):
    ds = pydicom.dcmread(next(p for p in export(run.out, ("seg",)).files))
    pixels = ds.pixel_array.astype(np.uint8)
    ds.SegmentationType, ds.MaximumFractionalValue = "FRACTIONAL", 200
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit = 7
    ds.PixelData = np.where(pixels > 0, 101, 99).astype(np.uint8).tobytes()
    ds.save_as(tmp_path / "fractional.dcm")
    measured = measure_mask(loaded, tmp_path / "fractional.dcm", level="slice=3")
    assert np.array_equal(measured.mask.labels, run.mask.labels)


def test_overlapping_labels_are_refused(run, loaded):
    regions = (Region(1, "gluteus maximus left"), Region(2, "gluteus maximus right"))
    both = GridMask(regions, run.mask.geometry, lambda _: run.mask.labels == 1)
    terms = assign(both)
    placed = {term: place(both, r.number, run.mask.geometry).inside for term, r in terms.items()}
    assert refused(merged, placed, run.image) == "labels-unknown"


def test_lines_through_the_centres_of_pixels_lose_no_border(tmp_path):
    """As rt-utils writes them, and through it TotalSegmentator."""
    rt_utils = pytest.importorskip("rt_utils")
    made = make_export_run(tmp_path, is_square=True)
    structures = rt_utils.RTStructBuilder.create_new(str(made.images))
    own = {uid: k for k, uid in enumerate(made.stored_uids)}
    order = [own[ds.SOPInstanceUID] for ds in structures.series_data]
    for term in TERMS[:2]:
        inside = np.moveaxis(made.stored_labels[order] == term.label, 0, 2)
        structures.add_roi(mask=inside, name=term.name, approximate_contours=False)
    structures.save(str(tmp_path / "rt"))
    measured = measure_mask(load_series(dicom.scan(made.images)), tmp_path / "rt.dcm", level="slice=3")
    assert np.array_equal(measured.mask.labels == 2, made.mask.labels == 2)
    assert measured.result.measurement("right") == made.result.measurement("right")
    assert "contour-on-pixel-centres" in [flag.code for flag in measured.result.all_flags]


def test_a_label_map_segmentation_in_run_length_coding(run, loaded, tmp_path):
    hd = pytest.importorskip("highdicom")
    ds = pydicom.dcmread(next(p for p in export(run.out, ("seg",)).files))
    labels = run.stored_labels
    used = [k for k in range(len(labels)) if labels[k].any()]
    files = {d.SOPInstanceUID: d for d in map(pydicom.dcmread, sorted(run.images.glob("*.dcm")))}
    segments = [hd.seg.SegmentDescription.from_dataset(s) for s in ds.SegmentSequence]
    made = hd.seg.Segmentation(
        [files[run.stored_uids[k]] for k in used], labels[used], "LABELMAP", segments,
        hd.UID(), 1, hd.UID(), 1, "test", "test", "1", "1", transfer_syntax_uid=pydicom.uid.RLELossless,
    )  # fmt: skip
    made.save_as(tmp_path / "map.dcm")
    measured = measure_mask(loaded, tmp_path / "map.dcm", level="slice=3")
    assert np.array_equal(measured.mask.labels, run.mask.labels)


@pytest.mark.parametrize("called", ["left", "right"])
def test_a_single_side_beyond_the_bodys_middle_is_doubted(run, loaded, tmp_path, called):
    path = nifti(tmp_path, Mask(np.where(run.mask.labels == 1, 1, 0).astype(np.uint8), run.mask.geometry))
    measured = measure_mask(loaded, path, parse_labels([f"1={called}"]), level="slice=3")
    flags = [str(flag) for flag in measured.result.all_flags]
    assert ("mask-side-uncertain:right" in flags) == (called == "right")
    assert "mask-side-uncertain:left" not in flags
