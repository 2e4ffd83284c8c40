"""Real and rendered series beside the checkout, against SimpleITK's reader."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from glutseg import dicom
from glutseg.case import measure_study
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.single import single_series
from glutseg.dicom.slices import decode_all
from glutseg.errors import GlutsegError
from glutseg.protocol import SeriesRule, load_protocol

SHARED = Path(__file__).resolve().parents[3] / "shared"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="no shared test data beside the checkout"),
]
CASES = sorted(p.parent.name for p in SHARED.glob("cases/*/dicom"))
SYNTAXES = SHARED / "dicom_zoo" / "transfer_syntaxes"


@pytest.mark.parametrize("case", CASES)
def test_same_voxels_and_grid_as_simpleitk(case):
    folder = SHARED / "cases" / case / "dicom"
    (study,) = dicom.scan(folder).studies
    loaded = dicom.read(dicom.choose(study, SeriesRule()).candidates[0])
    image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    geometry = loaded.geometry
    assert np.array_equal(loaded.hu, np.clip(sitk.GetArrayViewFromImage(image), -1024, 32767))
    assert geometry.spacing_mm[::-1] == pytest.approx(image.GetSpacing(), abs=1e-6)
    assert geometry.origin_mm == pytest.approx(image.GetOrigin(), abs=1e-6)
    assert geometry.direction == pytest.approx(image.GetDirection(), abs=1e-6)
    assert loaded.flags == ()


REASONS = ("hips-not-found", "no-usable-series", "no-ct", "values-not-hu")


def test_nothing_in_the_zoo_is_measurable_and_each_has_a_reason():
    index = dicom.scan(SHARED / "dicom_zoo")
    assert len(index.studies) >= 10
    for study in index.studies:
        result = measure_study(study, load_protocol()).result
        assert (result.status, result.muscles) == ("failed", ())
        assert result.error_code in REASONS, result.error_message
        assert result.rejected_series
        assert all(reason for _, reason in result.rejected_series)
        for series in study.series:
            try:
                dicom.read(series)
            except GlutsegError as error:
                assert error.message  # noqa: PT017 - any named error will do


def test_gantry_tilt_of_the_head():
    (study,) = dicom.scan(SHARED / "dicom_zoo" / "gantry_tilt_head").studies
    (series,) = study.series  # 7.4 mm steps above; the 4.2 mm steps below are too short for hips
    flags = {f.code: f.message for f in series.flags}
    assert "sheared by 18.5 degrees" in flags["gantry-tilt"]
    assert "14 of 28" in flags["series-mixed"]
    assert series.geometry.spacing_mm[0] == pytest.approx(7.38, abs=0.01)


UID = "1.2.840.10008.1.2"
EXACT = ["", ".2", ".1.99", ".4.57", ".4.70", ".4.80", ".4.90", ".5"]
# ".4.50" has 8 bits, 32 HU apart
LOSSY = {".4.50": 64, ".4.51": 70, ".4.81": 8, ".4.91": 60}
REFUSED = [".4.53", ".4.55"]
"""Retired in 2001; no scanner writes them."""


def _decode(ending):
    (path,) = SYNTAXES.glob(f"CTImage.dcm_*_{UID}{ending}.dcm")
    header = dicom.scan(path).studies[0].series[0].slices[0]
    with quiet_pydicom():
        decoded = next(decode_all((header,)))
    return decoded if isinstance(decoded, GlutsegError) else decoded.hu


@pytest.mark.parametrize("ending", EXACT)
def test_lossless_syntaxes_are_exact(ending):
    assert np.array_equal(_decode(ending), _decode(".1"))


@pytest.mark.parametrize(("ending", "worst_hu"), LOSSY.items())
def test_lossy_syntaxes_are_close(ending, worst_hu):
    difference = np.abs(_decode(ending).astype(int) - _decode(".1"))
    assert np.percentile(difference, 99) <= worst_hu


@pytest.mark.parametrize("ending", REFUSED)
def test_syntaxes_that_are_not_decoded_are_named(ending):
    error = _decode(ending)
    assert isinstance(error, GlutsegError)
    assert error.code == "pixel-data-undecodable"
    assert "JPEG" in error.message or "Spectral" in error.message or "Progression" in error.message


def test_jpeg_extended_is_the_same_as_by_another_codec():
    """Pixels above air, their sum and the highest, as libjpeg-turbo 3 decodes this file."""
    hu = _decode(".4.51").astype(int)
    inside = hu[hu > -1024]
    assert (inside.size, inside.sum(), inside.max()) == (206330, -80380789, 1370)


@pytest.mark.parametrize("ending", [*LOSSY, *EXACT])
def test_loss_is_flagged(ending):
    (path,) = SYNTAXES.glob(f"CTImage.dcm_*_{UID}{ending}.dcm")
    series = single_series(dicom.scan(path))
    assert ("lossy-compressed" in [f.code for f in dicom.read(series).flags]) == (ending in LOSSY)
