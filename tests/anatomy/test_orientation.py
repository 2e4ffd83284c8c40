"""Wrongly entered patient positions: the voxels are turned, the grid is not."""

from pathlib import Path

import numpy as np
import pytest

from glutseg import anatomy
from glutseg.anatomy.orientation import check_orientation
from glutseg.api import stages as api
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry
from glutseg.phantom import PhantomPatient, PhantomScan, render

REAL = Path(__file__).parents[3] / "shared" / "cases" / "real-002" / "dicom"
TURNS = {
    "prone entered as supine": (1, -1, -1),
    "feet first entered as head first": (-1, 1, -1),
    "both": (-1, -1, 1),
}


def turned(volume: CtImage, way: tuple[int, int, int]) -> CtImage:
    return CtImage(np.ascontiguousarray(volume.hu[:: way[0], :: way[1], :: way[2]]), volume.geometry)


@pytest.fixture(scope="module")
def volume() -> CtImage:
    scan = PhantomScan(matrix=300, pixel_mm=1.5, slice_mm=5.0, z_range_mm=(-60.0, 80.0))
    return render(PhantomPatient(seed=2), scan).volume


@pytest.mark.parametrize("way", TURNS.values(), ids=TURNS.keys())
def test_a_body_that_lies_otherwise_than_the_header_says_is_refused(volume, way):
    with pytest.raises(GlutsegError) as caught:
        anatomy.find_anatomy(turned(volume, way))
    assert caught.value.code in ("orientation-contradicted", "hips-not-found")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the shared cases beside the project")
@pytest.mark.parametrize("way", TURNS.values(), ids=TURNS.keys())
def test_a_real_body_the_wrong_way_round_is_refused(way):
    with pytest.raises(GlutsegError) as caught:
        anatomy.find_anatomy(turned(api.load(REAL), way))
    assert caught.value.code in ("orientation-contradicted", "hips-not-found")


HEADS = {"left": (80.0, 0.0, 0.0), "right": (-80.0, 0.0, 0.0)}
GRID = Geometry((80, 30, 40), (5.0, 8.0, 8.0), (-156.0, -116.0, -200.0))


def hips() -> anatomy.Hips:
    left, right = (anatomy.Sphere(centre, 24.0, 0.2) for centre in HEADS.values())
    return anatomy.Hips(left, right, score=1.0)


def body(*, spine_from_mm: float, spine_to_mm: float, y_mm: float = 60.0) -> CtImage:
    """Water with a column of bone in the midline."""
    hu = np.zeros(GRID.shape, np.int16)
    _, y, x = (round(i) for i in GRID.index((0.0, y_mm, 24.0)))
    low, high = (round(GRID.index((0.0, 0.0, 24.0 + mm))[0]) for mm in (spine_from_mm, spine_to_mm))
    hu[low:high, y - 2 : y + 3, x - 3 : x + 4] = 400
    return CtImage(hu, GRID)


def test_a_spine_behind_and_above_is_as_it_should_be():
    check_orientation(body(spine_from_mm=10, spine_to_mm=170), hips())


@pytest.mark.parametrize(
    "wrong",
    [
        {"spine_from_mm": 10, "spine_to_mm": 170, "y_mm": -60.0},
        {"spine_from_mm": -170, "spine_to_mm": -60},
        {"spine_from_mm": -170, "spine_to_mm": 170},
    ],
    ids=["in front", "below", "on both sides"],
)
def test_a_spine_elsewhere_is_refused(wrong):
    with pytest.raises(GlutsegError) as caught:
        check_orientation(body(**wrong), hips())
    assert caught.value.code == "orientation-contradicted"


def test_too_short_a_series_says_nothing():
    whole = body(spine_from_mm=10, spine_to_mm=20)
    k = GRID.nearest_slice(24.0)
    check_orientation(whole.crop((slice(k - 8, k + 4), slice(None), slice(None))), hips())
