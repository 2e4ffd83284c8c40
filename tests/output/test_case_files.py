import gzip
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image, ImageColor

from glutseg.errors import Flag
from glutseg.image import LABELS, Geometry, Mask
from glutseg.output.case_files import nifti_gz, write_case
from glutseg.output.gzipped import gzip_slices
from glutseg.output.overlay import draw_overlay
from glutseg.output.style import SIDE_COLOURS
from glutseg.output.view import case_view
from glutseg.protocol import Protocol
from glutseg.result import CaseResult

PROTOCOL = Protocol(name="test")
MIRRORED = (-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=float)


def columns_of_colour(picture, hexadecimal):
    colour = np.array(ImageColor.getrgb(hexadecimal))
    axial = picture[: int(0.74 * picture.shape[0]), : int(0.65 * picture.shape[1])]
    return np.nonzero((np.abs(axial - colour) < 5).all(-1))[1]


def test_files_and_paths(example, tmp_path):
    row = write_case(tmp_path, example.result, PROTOCOL, example.volume, example.mask)
    folder = tmp_path / "cases" / "P-1-0000000000"
    assert sorted(p.name for p in folder.iterdir()) == ["case.json", "mask.nii.gz", "overlay.png"]
    assert (tmp_path / row.mask).samefile(folder / "mask.nii.gz")
    assert (tmp_path / row.overlay).samefile(folder / "overlay.png")


def test_mask_comes_back_on_the_grid_of_the_series(example, tmp_path):
    row = write_case(tmp_path, example.result, PROTOCOL, example.volume, example.mask)
    back = Mask.from_sitk(sitk.ReadImage(str(tmp_path / row.mask)))
    assert np.array_equal(back.labels, example.mask.labels)
    assert back.stored.matches(example.mask.stored, tolerance_mm=1e-4)


def test_equal_cases_are_equal_bytes(example, tmp_path):
    for name in ("a", "b"):
        seconds = {"read": 1.0} if name == "a" else {"read": 2.0}
        write_case(
            tmp_path / name, replace(example.result, seconds=seconds), PROTOCOL, example.volume, example.mask
        )
    for path in (tmp_path / "a").rglob("*.*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), (
                path.name
            )


def test_record_tells_everything_and_is_strict_json(example, tmp_path):
    write_case(tmp_path, example.result, PROTOCOL, example.volume, example.mask)
    text = (tmp_path / "cases/P-1-0000000000/case.json").read_text(encoding="utf-8")
    record = json.loads(text, parse_constant=pytest.fail)  # NaN is no JSON
    assert record["protocol"]["level"]["landmark"] == "femoral-head-top"
    assert record["rejected_series"] == [{"series_uid": "1.2.9", "reason": "a localizer"}]
    assert record["all_flags"][1]["side"] == "left"
    assert record["all_flags"][1]["remedy"]
    assert record["table_row"]["area_left_mm2"] == 510.0
    assert "seconds" not in record


def test_failed_case_has_a_record_only(tmp_path):
    result = CaseResult("x-1", "x", "1.2", "", "failed", error_code="no-ct", error_message="only\x1b[2J MR")
    row = write_case(tmp_path, result, PROTOCOL)
    assert (row.mask, row.overlay) == ("", "")
    assert [p.name for p in (tmp_path / "cases/x-1").iterdir()] == ["case.json"]
    record = json.loads((tmp_path / "cases/x-1/case.json").read_text(encoding="utf-8"))
    assert record["error"]["message"] == "only [2J MR"


def test_level_without_mask_still_gets_a_picture(example, tmp_path):
    result = replace(example.result, status="failed", muscles=(), profile=(), error_code="muscle-not-found")
    row = write_case(tmp_path, result, PROTOCOL, example.volume)
    assert (tmp_path / row.overlay).is_file()
    assert row.mask == ""


@pytest.mark.parametrize("direction", [None, MIRRORED])
def test_right_is_on_the_viewers_left_however_it_is_stored(make, direction):
    example = make(direction=direction)
    if direction is not None:  # mirrored columns: the sides swap places in the array
        swapped = np.array([0, 2, 1], np.uint8)[example.mask.labels]
        example = replace(example, mask=Mask.on(example.volume, swapped))
    picture = pixels(draw_overlay(example.volume, example.mask, example.result))
    right, left = (columns_of_colour(picture, SIDE_COLOURS[s]) for s in ("right", "left"))
    assert right.size > 50
    assert left.size > 50
    assert right.max() < left.min()


def test_view_is_cropped_to_the_body_on_the_measured_slice(example):
    view = case_view(example.volume, example.mask, example.result)
    assert view.slice_index == 7 - 1 - 3
    assert view.hu.shape[0] == 7
    assert view.hu.shape[1] < 40 + 1
    assert (view.hu[view.slice_index] > -200).sum() == 30 * 50
    assert (view.labels[view.slice_index] == 1).sum() == 170


def test_formula_signs_and_foreign_letters_draw(example):
    result = replace(example.result, flags=(Flag("metal", "$\\frac{1}{0}$ 漢字 " * 30),))
    assert draw_overlay(example.volume, example.mask, result).startswith(b"\x89PNG")


UNUSED_BYTES = (38, *range(92, 108))
"""``regular`` and ``pixdim[4:8]`` of three dimensions: NIfTI-1 does not use them."""


def test_a_mask_is_written_as_itk_does(tmp_path):
    rng = np.random.default_rng(0)
    turned = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, -1.0)
    grid = Geometry((5, 7, 9), (3.0, 0.7, 0.8), (-12.5, 30.0, 411.0), turned)
    mask = Mask.from_array(rng.integers(0, 7, grid.shape).astype(np.uint8), grid)
    sitk.WriteImage(mask.to_sitk(), str(tmp_path / "mask.nii"))
    own = bytearray(gzip.decompress(nifti_gz(mask)))
    itk = bytearray((tmp_path / "mask.nii").read_bytes())
    for place in UNUSED_BYTES:
        own[place] = itk[place] = 0
    assert np.array_equal(*(np.frombuffer(c[256:328], "<f4") for c in (own, itk)))  # -0.0 is 0.0
    assert own[:256] == itk[:256]
    assert own[328:] == itk[328:]


@pytest.mark.parametrize("filled", [[], [0], [2, 3], [4], range(5)])
def test_gzipped_slices_are_the_bytes_behind_their_header(filled):
    labels = np.zeros((5, 7, 9), np.uint8)
    labels[list(filled)] = np.random.default_rng(1).integers(0, 3, (7, 9))
    header = b"header" * 50
    packed = gzip_slices(header, labels[::-1])
    assert gzip.decompress(packed) == header + labels[::-1].tobytes()
    assert packed == gzip_slices(header, labels[::-1].copy())


def test_the_other_outlines_are_kept_on_the_measured_slice(example, tmp_path):
    level = example.result.level.slice_index
    left = example.mask.labels[level] == LABELS["maximus"]["left"]
    right = example.mask.labels[level] == LABELS["maximus"]["right"]
    others = {("maximus", "left"): left, ("maximus", "right"): right, ("medius", "left"): left}
    write_case(tmp_path, example.result, PROTOCOL, example.volume, example.mask, other_outlines=others)
    (file,) = tmp_path.rglob("other_outlines.nii.gz")
    back = Mask.from_sitk(sitk.ReadImage(str(file)))
    assert back.labels.shape[0] == 1
    assert back.geometry.slice_z_mm(0) == pytest.approx(example.result.level.z_mm, abs=1e-3)
    assert np.array_equal(back.labels[0] == LABELS["maximus"]["left"], left)  # the maximus is on top
    assert np.array_equal(back.labels[0] == LABELS["maximus"]["right"], right)
    assert file.stat().st_size < 20_000
