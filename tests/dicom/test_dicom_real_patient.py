"""A real patient, stored in every position, mirrored along every axis and in every transfer syntax: the same
areas to the pixel."""

from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_encodings import LOSSLESS
from pydicom import dcmread

from glutseg import dicom
from glutseg.case import measure_study
from glutseg.image import Mask
from glutseg.measurement import measure_slice
from glutseg.protocol import load_protocol

REAL = Path(__file__).resolve().parents[3] / "shared" / "cases" / "real-002"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not REAL.is_dir(), reason="no shared test data beside the checkout"),
]
PROTOCOL = load_protocol()
ROWS_ALONG = {"x": 0, "y": 1}
SIGNS = (1, -1)
ORIENTATIONS = [(first, a, b) for first, a, b in product("xy", SIGNS, SIGNS)]
"""Axis and sign of the rows, sign of the columns: all orientations of CT in any patient position."""
REACH_MM = (130.0, 110.0)
SOME = slice(30, 52)
"""Only the files near the level, because compressing all of them takes long."""


def nearby(files, truth):
    """The files around the truth's gluteus maximus, and its middle."""
    z = [float(f.ImagePositionPatient[2]) for f in files]
    k = np.flatnonzero((truth.labels == 1).any(axis=(1, 2)))
    middle = np.mean([truth.geometry.slice_z_mm(int(i)) for i in (k[0], k[-1])])
    low, high = middle - REACH_MM[0], middle + REACH_MM[1]
    return [f for f, at in zip(files, z, strict=True) if low <= at <= high]


@pytest.fixture(scope="module")
def truth():
    return Mask.from_sitk(sitk.ReadImage(str(REAL / "truth.nii.gz")))


@pytest.fixture(scope="module")
def files(truth):
    read = [dcmread(p) for p in sorted((REAL / "dicom").iterdir())]
    return nearby(sorted(read, key=lambda ds: float(ds.ImagePositionPatient[2])), truth)


def rewrite(files, folder, orientation, syntax=None):
    """The same patient with other rows and columns; nothing is interpolated."""
    first, a, b = orientation
    folder.mkdir()
    for n, source in enumerate(files):
        ds = dcmread(source.filename)
        image = ds.pixel_array
        y_mm, x_mm = (float(v) for v in ds.PixelSpacing)
        corner = [float(v) for v in ds.ImagePositionPatient]
        rows, columns = image.shape
        sign = dict(zip((first, "y" if first == "x" else "x"), (a, b), strict=True))
        if sign["x"] < 0:
            image, corner[0] = image[:, ::-1], corner[0] + (columns - 1) * x_mm
        if sign["y"] < 0:
            image, corner[1] = image[::-1], corner[1] + (rows - 1) * y_mm
        axes = {"x": [sign["x"], 0, 0], "y": [0, sign["y"], 0]}
        if first == "y":
            image = image.T
        ds.ImageOrientationPatient = [*axes[first], *axes["y" if first == "x" else "x"]]
        ds.PixelSpacing = [y_mm, x_mm] if first == "x" else [x_mm, y_mm]
        ds.ImagePositionPatient = [f"{v:.6f}" for v in corner]
        ds.Rows, ds.Columns = image.shape
        ds.PixelData = np.ascontiguousarray(image).tobytes()
        ds.save_as(folder / f"{n:04d}")
        if syntax:
            LOSSLESS[syntax](folder / f"{n:04d}")
    (study,) = dicom.scan(folder).studies
    return study


def areas(image, mask):
    """Measure the true muscles on every slice, from foot to head."""
    starts = [round(v) for v in mask.geometry.index(image.geometry.origin_mm)]
    box = tuple(slice(s, s + n) for s, n in zip(starts, image.geometry.shape, strict=True))
    labels = np.where(np.isin(mask.labels, (1, 2)), mask.labels, 0)[box]
    true_mask = Mask.on(image, np.ascontiguousarray(labels))
    return [measure_slice(image, true_mask, n, PROTOCOL.tissue) for n in range(image.geometry.shape[0])]


@pytest.fixture(scope="module")
def as_scanned(files, truth, tmp_path_factory):
    """Image and areas of a few slices, as they came from the scanner."""
    study = rewrite(files[SOME], tmp_path_factory.mktemp("as_scanned") / "dicom", ("x", 1, 1))
    volume, found = read(study, truth)
    assert max(both["left"].area_mm2 for both in found) > 1000
    return volume, found


def read(study, truth):
    loaded = dicom.read(dicom.choose(study, PROTOCOL.series).candidates[0])
    return loaded, areas(loaded, truth)


@pytest.mark.parametrize(
    ("orientation", "syntax"),
    [(o, None) for o in ORIENTATIONS]
    + [(ORIENTATIONS[n % len(ORIENTATIONS)], name) for n, name in enumerate(LOSSLESS)],
)
def test_every_way_of_storing_a_real_patient_has_the_same_areas(
    files, truth, as_scanned, tmp_path, orientation, syntax
):
    volume, found = read(rewrite(files[SOME], tmp_path / "dicom", orientation, syntax), truth)
    assert np.array_equal(volume.hu, as_scanned[0].hu)
    assert volume.geometry.matches(as_scanned[0].geometry)
    for mine, first in zip(found, as_scanned[1], strict=True):
        for side in ("left", "right"):
            assert mine[side].area_mm2 == first[side].area_mm2
            assert mine[side].mean_hu == pytest.approx(first[side].mean_hu, nan_ok=True)


@pytest.fixture(scope="module")
def measured_as_scanned(files, tmp_path_factory):
    study = rewrite(files, tmp_path_factory.mktemp("measured_as_scanned") / "dicom", ("x", 1, 1))
    return measure_study(study, PROTOCOL)


@pytest.mark.parametrize(
    "orientation", [("y", -1, -1), ("x", -1, 1)], ids=["on the right side", "feet first"]
)
def test_a_real_patient_is_measured_the_same(files, measured_as_scanned, tmp_path, orientation):
    other = measure_study(rewrite(files, tmp_path / "other", orientation), PROTOCOL)
    assert other.result.level.z_mm == pytest.approx(measured_as_scanned.result.level.z_mm)
    for mine, first in zip(other.result.muscles, measured_as_scanned.result.muscles, strict=True):
        assert mine.measurement.area_mm2 == first.measurement.area_mm2
        assert mine == replace(first, measurement=mine.measurement)
        assert asdict(mine.measurement) == pytest.approx(asdict(first.measurement))
    assert np.array_equal(other.mask.labels, measured_as_scanned.mask.labels)
