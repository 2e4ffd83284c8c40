"""Oblique series: hips and level are found where they are, whatever the slices do."""

import math

import numpy as np
import pytest
from scipy import ndimage as ndi

from glutseg.anatomy import Sphere, as_it_lies, find_anatomy, find_level
from glutseg.anatomy.hips import Hips
from glutseg.anatomy.upright import is_upright, upright
from glutseg.image import CtImage, Geometry
from glutseg.protocol import LevelRule


def grid(degrees, *, sheared, roll=0.0, step_mm=4.0):
    """60 tilted slices around the origin; sheared as by the gantry, or stacked along their normal."""
    angle, turn = math.radians(degrees), math.radians(roll)
    row = np.array([math.cos(turn), math.sin(turn), 0])
    column = np.array([-math.sin(turn) * math.cos(angle), math.cos(turn) * math.cos(angle), math.sin(angle)])
    normal = np.array([0.0, 0.0, 1.0]) if sheared else np.cross(row, column)
    n, size, pixel_mm = 44, 280, 1.5
    origin = -(row + column) * pixel_mm * (size - 1) / 2 - normal * step_mm * (n - 1) / 2 + (0, 20, 0)
    direction = np.stack([row, column, normal], axis=1)
    return Geometry((n, size, size), (step_mm, pixel_mm, pixel_mm), tuple(origin), tuple(direction.ravel()))


def resampled(volume, geometry):
    to_index = np.linalg.solve(volume.geometry.matrix, geometry.matrix)[[2, 1, 0]][:, [2, 1, 0, 3]]
    hu = ndi.affine_transform(
        volume.hu, to_index[:, :3], to_index[:, 3], output_shape=geometry.shape, order=1, cval=-1000
    )
    return CtImage(hu, geometry)


def test_a_small_turn_is_left_alone():
    geometry = grid(0.8, sheared=False)
    assert is_upright(geometry)
    volume = CtImage(np.zeros(geometry.shape, np.int16), geometry)
    assert upright(volume) is volume


@pytest.mark.parametrize("sheared", [True, False])
def test_the_copy_shows_each_point_where_it_is(sheared):
    geometry = grid(17, sheared=sheared, roll=9)
    assert not is_upright(geometry)
    spot = (30.0, -22.0, 11.0)
    z, y, x = np.indices(geometry.shape)
    x_mm, y_mm, z_mm = (geometry.matrix @ np.stack([i.ravel() for i in (x, y, z, np.ones_like(x))]))[:3]
    far = np.hypot(np.hypot(x_mm - spot[0], y_mm - spot[1]), z_mm - spot[2]).reshape(geometry.shape)
    copy = upright(CtImage((1000 * np.exp(-((far / 8) ** 2))).astype(np.int16), geometry))
    peak = np.unravel_index(int(copy.hu.argmax()), copy.hu.shape)
    assert copy.geometry.point_mm(*peak) == pytest.approx(spot, abs=3)
    assert is_upright(copy.geometry)


@pytest.mark.parametrize("sheared", [True, False])
def test_hips_are_carried_to_the_slices(sheared):
    geometry = grid(17, sheared=sheared)
    head = Sphere((80.0, 5.0, -4.0), 24.0, 0.3)
    k = round(geometry.index((80.0, 5.0, 20.0))[0])
    flat, hips = as_it_lies(CtImage(np.zeros(geometry.shape, np.int16), geometry), Hips(head, head, 1.0), k)
    z, y, x = flat.geometry.index((*hips.left.centre_mm[:2], hips.left.top_mm))
    assert geometry.point_mm(k, y, x)[:2] == pytest.approx((80, 5), abs=1e-6)  # its column, on slice k
    top = geometry.index((80.0, 5.0, 20.0))[0]
    assert z == pytest.approx(top)


@pytest.mark.parametrize(("degrees", "sheared", "roll"), [(15, True, 0), (-12, False, 0), (0, False, 15)])
def test_hips_and_level_of_an_oblique_series(pelvis, degrees, sheared, roll):
    volume = resampled(pelvis.volume, grid(degrees, sheared=sheared, roll=roll))
    found = find_anatomy(volume)
    truth = pelvis.true_landmarks_mm
    for side in ("left", "right"):
        centre = getattr(found.hips, side).centre_mm
        # interpolating this coarse phantom alone, without any turn, costs 4 mm
        assert centre == pytest.approx(truth[f"femoral-head-centre:{side}"], abs=5.0)
    tops = [truth[f"femoral-head-top:{side}"] for side in ("left", "right")]
    wanted = np.mean([volume.geometry.index(p)[0] for p in tops])
    assert abs(find_level(found, LevelRule()).slice_index - wanted) <= 1.5  # the heads' 4 mm are a slice
