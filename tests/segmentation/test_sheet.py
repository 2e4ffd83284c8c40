"""The fan of rays in which the muscle is a layer."""

import numpy as np
import pytest

from glutseg.anatomy import Hips, Sphere
from glutseg.image import Geometry
from glutseg.segmentation.sheet import ANGLES_DEGREES, CENTRE_SHARE, REACH_MM, STEP_MM, Fan

GRID = Geometry(shape=(1, 400, 450), spacing_mm=(3.0, 1.0, 1.0), origin_mm=(-224.5, -199.5, 0.0))


def _hips(roll_degrees: float = 0.0, half_mm: float = 85.0) -> Hips:
    """Two heads about the origin; a positive roll moves the left one to the back."""
    roll = np.deg2rad(roll_degrees)
    x, y = half_mm * np.cos(roll), half_mm * np.sin(roll)
    left, right = (
        Sphere(centre_mm=(float(s * x), float(s * y), 0.0), radius_mm=24.0, score=1.0) for s in (1, -1)
    )
    return Hips(left, right, 1.0)


def _at(fan: Fan, degrees: float, radius_mm: float):
    """LPS (x, y) on a ray, from the definition."""
    angle = np.deg2rad(degrees)
    return np.array(fan.centre_mm) + radius_mm * (
        np.sin(angle) * np.array(fan.lateral) + np.cos(angle) * np.array(fan.posterior)
    )


def test_centre_and_axes_of_a_straight_patient():
    left, right = (Fan.of(_hips(), side, GRID) for side in ("left", "right"))
    assert left.centre_mm == pytest.approx((CENTRE_SHARE * 85, 0))
    assert left.lateral == pytest.approx((1, 0))
    assert right.lateral == pytest.approx((-1, 0))
    assert left.posterior == right.posterior == pytest.approx((0, 1))


@pytest.mark.parametrize("roll_degrees", [0, 7, -12])
def test_right_is_the_mirror_image_of_left(roll_degrees):
    mirrored = Fan.of(_hips(-roll_degrees), "left", GRID)
    right = Fan.of(_hips(roll_degrees), "right", GRID)
    assert right.centre_mm == pytest.approx((-mirrored.centre_mm[0], mirrored.centre_mm[1]))
    assert right.lateral == pytest.approx((-mirrored.lateral[0], mirrored.lateral[1]))
    assert right.posterior == pytest.approx((-mirrored.posterior[0], mirrored.posterior[1]))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("roll_degrees", [-15, 4, 20])
def test_the_fan_turns_with_the_patient(side, roll_degrees):
    straight, rolled = Fan.of(_hips(), side, GRID), Fan.of(_hips(roll_degrees), side, GRID)
    a = np.deg2rad(roll_degrees)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    for degrees, radius in ((0, 0), (0, 100), (90, 50), (-40, 70), (140, 160)):
        assert _at(rolled, degrees, radius) == pytest.approx(turn @ _at(straight, degrees, radius))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("roll_degrees", [0, 10])
def test_to_rays_samples_where_the_ray_points(side, roll_degrees):
    fan = Fan.of(_hips(roll_degrees), side, GRID)
    rows, columns = fan.window
    y, x = np.mgrid[rows, columns]
    images = np.stack([x - 224.5, y - 199.5])  # LPS x and y: linear, so sampling is exact
    sampled = fan.to_rays(images, outside=0)
    for degrees, radius in ((0, 90), (45, 120), (-30, 60), (110, 100)):
        i, r = int(degrees - ANGLES_DEGREES[0]), int(radius / STEP_MM)
        assert sampled[:, i, r] == pytest.approx(_at(fan, degrees, radius), abs=1e-3)


def test_beyond_the_picture_rays_see_what_they_are_told():
    narrow = Geometry(shape=(1, 200, 200), spacing_mm=(3.0, 1.0, 1.0), origin_mm=(-99.5, -99.5, 0.0))
    fan = Fan.of(_hips(half_mm=60.0), "left", narrow)
    rows, columns = fan.window
    sampled = fan.to_rays(np.ones((1, 200, 200))[:, rows, columns], outside=-1000)
    assert sampled[0, -int(ANGLES_DEGREES[0]), -1] == -1000  # straight back, where the fan ends
    assert sampled[0, -int(ANGLES_DEGREES[0]), 20] == 1


def test_the_window_holds_every_ray_and_stays_in_the_picture():
    for side in ("left", "right"):
        rows, columns = Fan.of(_hips(), side, GRID).window
        assert 0 <= rows.start < rows.stop <= 400
        assert 0 <= columns.start < columns.stop <= 450


def test_a_window_exists_even_where_the_fan_misses_the_picture():
    far = Geometry(shape=(1, 50, 50), spacing_mm=(3.0, 1.0, 1.0), origin_mm=(900.0, 900.0, 0.0))
    rows, columns = Fan.of(_hips(), "left", far).window
    assert rows.stop > rows.start
    assert columns.stop > columns.start


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pixel_mm", [0.7, 1.0, 1.3])
def test_round_trip_of_a_disc(side, pixel_mm):
    """A disc about a point of the fan, found on the rays, comes back with its area and place."""
    n = 520
    grid = Geometry(
        shape=(1, n, n),
        spacing_mm=(3.0, pixel_mm, pixel_mm),
        origin_mm=(-(n - 1) / 2 * pixel_mm, -(n - 1) / 2 * pixel_mm, 0.0),
    )
    fan = Fan.of(_hips(5), side, grid)
    centre, radius_mm = _at(fan, 20.0, 90.0), 30.0
    x = grid.origin_mm[0] + np.arange(n) * pixel_mm - centre[0]
    y = grid.origin_mm[1] + np.arange(n) * pixel_mm - centre[1]
    disc = np.hypot(y[:, None], x[None]) <= radius_mm

    offset = np.deg2rad(ANGLES_DEGREES - 20.0)
    half = np.sqrt(np.clip(radius_mm**2 - (90.0 * np.sin(offset)) ** 2, 0, None))
    middle = 90.0 * np.cos(offset)
    hit = (half > 0) & (middle > 0)
    deep, outer = np.where(hit, middle - half, 1.0), np.where(hit, middle + half, 0.0)
    back = np.zeros((n, n), bool)
    back[fan.window] = fan.between(deep, outer)
    assert np.count_nonzero(back ^ disc) <= 0.02 * np.count_nonzero(disc)

    along = fan.to_rays(disc[fan.window][None].astype(float), outside=0)[0] > 0.5
    steep = half > 10  # where a ray grazes the disc, pixels decide
    assert np.abs(along.sum(1) * STEP_MM - 2 * half)[steep].max() <= 2 * (STEP_MM + pixel_mm / 2)
    assert not along[ANGLES_DEGREES < -5].any()


def test_between_is_empty_where_the_surfaces_are_crossed():
    n = len(ANGLES_DEGREES)
    assert not Fan.of(_hips(), "left", GRID).between(np.full(n, 50.0), np.full(n, 49.0)).any()


@pytest.mark.parametrize("side", ["left", "right"])
def test_nothing_lies_between_the_surfaces_off_the_fan(side):
    fan, n = Fan.of(_hips(), side, GRID), len(ANGLES_DEGREES)
    whole = np.zeros(GRID.shape[1:], bool)
    whole[fan.window] = fan.between(np.zeros(n), np.full(n, 1000.0))

    def seen(degrees, radius_mm):
        x, y = _at(fan, degrees, radius_mm)
        return bool(whole[round(y + 199.5), round(x + 224.5)])

    first, last = ANGLES_DEGREES[0], ANGLES_DEGREES[-1]
    assert seen(first + 1.5, 60)
    assert seen(last - 1.5, 60)
    assert seen(0, REACH_MM - 2)
    assert not seen(first - 1.5, 60)
    assert not seen(last + 1.5, 60)
    assert not seen(0, REACH_MM + 2)
    assert not seen(180, 60)
