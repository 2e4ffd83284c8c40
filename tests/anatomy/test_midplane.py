"""Which side a pixel lies on: exact answers on made-up hips, muscles and bodies, upright and rolled."""

import numpy as np
import pytest

from glutseg.anatomy import midplane_of_body, midplane_of_hips, midplane_of_muscles
from glutseg.image import LEFT, RIGHT, Geometry

GRID = Geometry((3, 101, 201), (5.0, 2.0, 2.0), (-200.0, -100.0, 0.0))
"""Its middle (y 50, x 100) is the patient's origin."""


def heads(left, right):
    return {"femoral-head-centre-left": left, "femoral-head-centre-right": right, "other": (0.0, 0.0, 0.0)}


def test_half_way_between_two_heads():
    plane = midplane_of_hips(heads((110.0, 0.0, 5.0), (-90.0, 0.0, 5.0)))
    assert plane.point_mm == (10.0, 0.0, 5.0)
    assert plane.left == (1.0, 0.0, 0.0)
    left_of_mm = plane.left_of_mm(GRID, 1)
    assert left_of_mm.shape == (101, 201)
    assert left_of_mm[0, 105] == pytest.approx(0.0, abs=1e-9)
    assert left_of_mm[100, 200] == pytest.approx(190.0)
    assert left_of_mm[50, 0] == pytest.approx(-210.0)


def test_a_rolled_patient():
    """The left hip lies 60 mm behind the right one and 80 mm beside it: a roll of 36.9 degrees."""
    plane = midplane_of_hips(heads((40.0, 30.0, 0.0), (-40.0, -30.0, 0.0)))
    assert plane.left == pytest.approx((0.8, 0.6, 0.0))
    left_of_mm = plane.left_of_mm(GRID, 0)
    assert left_of_mm[50, 100] == pytest.approx(0.0, abs=1e-9)
    assert left_of_mm[50 + 40, 100 - 30] == pytest.approx(0.0, abs=1e-9)  # along the plane
    assert left_of_mm[50, 110] == pytest.approx(16.0)
    assert left_of_mm[90, 95] > 0  # left of the patient, though left of the image's middle column


def test_a_tilted_pelvis_moves_the_line_from_slice_to_slice():
    plane = midplane_of_hips(heads((96.0, 0.0, 28.0), (-96.0, 0.0, -28.0)))
    assert plane.left_of_mm(GRID, 0)[50, 100] == pytest.approx(0.0, abs=1e-9)
    assert plane.left_of_mm(GRID, 2)[50, 100] == pytest.approx(2.8)


@pytest.mark.parametrize(
    "landmarks",
    [
        {},
        {"femoral-head-centre-left": (90.0, 0.0, 0.0)},
        heads((10.0, 0, 0), (0.0, 0, 0)),
        heads((-90.0, 0, 0), (90.0, 0, 0)),
    ],
    ids=["none", "one head", "too near", "sides exchanged"],
)
def test_no_plane_without_two_heads_that_lie_as_two(landmarks):
    assert midplane_of_hips(landmarks) is None


def test_half_way_between_two_muscles():
    labels = np.zeros(GRID.shape, np.uint8)
    labels[1, 70:81, 20:61] = RIGHT
    labels[1, 70:81, 120:161] = LEFT
    labels[2, 70:81, 120:161] = LEFT
    plane = midplane_of_muscles(labels, GRID)
    assert plane.point_mm == pytest.approx((-20.0, 50.0, 5.0))
    assert plane.left == (1.0, 0.0, 0.0)
    labels[1][labels[1] == RIGHT] = 0
    assert midplane_of_muscles(labels, GRID) is None


def test_through_the_middle_of_a_body_that_lies_rolled():
    y, x = np.indices((101, 201))
    angle = np.radians(30)
    u, v = (
        (x - 90) * np.cos(angle) + (y - 50) * np.sin(angle),
        (y - 50) * np.cos(angle) - (x - 90) * np.sin(angle),
    )
    plane = midplane_of_body((u / 45) ** 2 + (v / 30) ** 2 <= 1, GRID, 0)
    assert plane.point_mm == pytest.approx((-20.0, 0.0, 0.0), abs=0.2)
    assert plane.left == pytest.approx((np.cos(angle), np.sin(angle), 0.0), abs=0.01)


def test_a_round_or_deep_body_does_not_tell_its_roll_and_an_empty_slice_has_a_middle():
    y, x = np.indices((101, 201))
    round_body = (x - 90) ** 2 + (y - 50) ** 2 <= 900
    assert midplane_of_body(round_body, GRID, 0).left == (1.0, 0.0, 0.0)
    deep = ((x - 90) / 20) ** 2 + ((y - 50) / 45) ** 2 <= 1
    assert midplane_of_body(deep, GRID, 0).left == (1.0, 0.0, 0.0)
    nothing = midplane_of_body(np.zeros((101, 201), bool), GRID, 0)
    assert nothing.left_of_mm(GRID, 0)[50, 100] == 0.0
