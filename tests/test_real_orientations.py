"""A real patient, stored in every position and as the mirror of every axis: the same areas to the pixel."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.uid import RLELossless

from glutseg import dicom
from glutseg.measurement import measure_slice
from glutseg.pipeline import measure_study
from glutseg.protocol import load_protocol
from glutseg.volume import Mask

REAL = Path(__file__).resolve().parents[2] / "shared" / "cases" / "real-002"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not REAL.is_dir(), reason="no shared test data beside the checkout"),
]
PROTOCOL = load_protocol()
ROWS_ALONG = {"x": 0, "y": 1}
SIGNS = (1, -1)
ORIENTATIONS = [(first, a, b) for first, a, b in product("xy", SIGNS, SIGNS)]
"""Axis and sign of the rows, sign of the columns: all that CT in any position can be stored as."""
REACH_MM = (130.0, 110.0)


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


def rewrite(files, folder, orientation, *, rle=False):
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
        if rle:
            ds.compress(RLELossless, generate_instance_uid=False)
        ds.save_as(folder / f"{n:04d}")
    (study,) = dicom.scan(folder).studies
    return study


def areas(volume, mask):
    """Pixels of the true muscles on every slice, from foot to head, in the series' own order."""
    canonical = volume.geometry.canonical()
    starts = [round(v) for v in mask.canonical().geometry.index(canonical.origin_mm)]
    box = tuple(slice(s, s + n) for s, n in zip(starts, canonical.shape, strict=True))
    labels = np.where(np.isin(mask.canonical().labels, (1, 2)), mask.canonical().labels, 0)[box]
    own = Mask(np.ascontiguousarray(labels), canonical).restored(volume.geometry)
    tissue = PROTOCOL.tissue
    slices = [volume.geometry.canonical_slice(k) for k in range(canonical.shape[0])]
    return [measure_slice(volume, own, k, tissue) for k in slices]


def test_every_way_of_storing_a_real_patient_has_the_same_areas(files, truth, tmp_path):
    expected = None
    for n, orientation in enumerate(ORIENTATIONS):
        study = rewrite(files[20:60], tmp_path / str(n), orientation, rle=n % 2 == 1)
        loaded = dicom.read(dicom.choose(study, PROTOCOL.series).candidates[0])
        found = loaded.volume.canonical(), areas(loaded.volume, truth)
        if expected is None:
            expected = found
            assert max(both["left"].area_mm2 for both in found[1]) > 1000
        assert np.array_equal(found[0].hu, expected[0].hu)
        assert found[0].geometry.matches(expected[0].geometry)
        for mine, first in zip(found[1], expected[1], strict=True):
            for side in ("left", "right"):
                assert mine[side].area_mm2 == first[side].area_mm2
                assert mine[side].mean_hu == pytest.approx(first[side].mean_hu, nan_ok=True)


@pytest.fixture(scope="module")
def usual(files, tmp_path_factory):
    study = rewrite(files, tmp_path_factory.mktemp("usual") / "dicom", ("x", 1, 1))
    return measure_study(study, PROTOCOL)


@pytest.mark.parametrize(
    "orientation", [("y", -1, -1), ("x", -1, 1)], ids=["on the right side", "feet first"]
)
def test_a_real_patient_is_measured_alike(files, usual, tmp_path, orientation):
    other = measure_study(rewrite(files, tmp_path / "other", orientation), PROTOCOL)
    assert other.result.level.z_mm == pytest.approx(usual.result.level.z_mm)
    assert other.result.measurements == usual.result.measurements
    assert other.result.confidence == usual.result.confidence
    assert np.array_equal(other.mask.canonical().labels, usual.mask.canonical().labels)
