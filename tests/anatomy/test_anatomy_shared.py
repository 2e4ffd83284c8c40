"""On real and rendered patients with known bones, where their data lie beside the checkout."""

from pathlib import Path

import numpy as np
import pytest

from glutseg import dicom
from glutseg.anatomy import find_anatomy, find_hips, find_level
from glutseg.errors import GlutsegError
from glutseg.image import Mask
from glutseg.protocol import LevelRule

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
CASES = ("real-002", "dev-a", "dev-b", "dev-c", "dev-d")
FEMUR = 7

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        not (SHARED / "cases").is_dir(), reason="the shared cases are not beside the checkout"
    ),
]


def _true_top_mm(truth: Mask) -> float:
    """Mean height of the highest slices that show each femur."""
    femur = truth.labels == FEMUR
    middle = femur.shape[2] // 2
    tops = [
        int(np.flatnonzero(half.any((1, 2))).max()) for half in (femur[..., :middle], femur[..., middle:])
    ]
    return float(np.mean([truth.geometry.slice_z_mm(k) for k in tops]))


@pytest.mark.parametrize("case", CASES)
def test_the_head_top_level_is_within_6_mm(case):
    import SimpleITK as sitk

    (study,) = dicom.scan(SHARED / "cases" / case / "dicom").studies
    volume = dicom.read(study.series[0])
    truth = Mask.from_sitk(sitk.ReadImage(str(SHARED / "cases" / case / "truth.nii.gz")))
    anatomy = find_anatomy(volume)
    assert anatomy.hips.assumed is None
    assert find_level(anatomy, LevelRule()).z_mm == pytest.approx(_true_top_mm(truth), abs=6.0)


@pytest.mark.parametrize("folder", ["gantry_tilt_head", "geometry", "transfer_syntaxes"])
def test_no_hips_in_heads_and_chests(folder):
    read = 0
    for study in dicom.scan(SHARED / "dicom_zoo" / folder).studies:
        for series in study.series:
            try:
                volume = dicom.read(series)
            except GlutsegError:
                continue  # unreadable on purpose
            read += 1
            with pytest.raises(GlutsegError, match="hips-not-found"):
                find_hips(volume)
    if not read:
        pytest.skip("nothing in this folder can be read as a volume")
