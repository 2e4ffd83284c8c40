"""What a slice shows of borders: dark lines, flesh."""

import numpy as np
import pytest

from glutseg.segmentation import evidence

FAT, MUSCLE, AIR = -105.0, 55.0, -1000.0


def test_flesh_does_not_depend_on_the_pixels_shape(body):
    image, _ = body
    flat = evidence.flesh(np.repeat(image, 2, axis=1), (1.0, 0.5))
    square = np.repeat(evidence.flesh(image, (1.0, 1.0)), 2, axis=1)
    assert np.count_nonzero(flat ^ square) <= 0.01 * np.count_nonzero(square)


def _line(angle_degrees: float, pixel_mm: float, sigma_mm: float, depth_hu: float):
    """A dark line with a Gaussian profile through the middle of even muscle, and the distance to it."""
    at = (np.arange(61) - 30) * pixel_mm
    angle = np.deg2rad(angle_degrees)
    distance_mm = at[:, None] * np.cos(angle) - at[None] * np.sin(angle)
    return MUSCLE - depth_hu * np.exp(-((distance_mm / sigma_mm) ** 2) / 2), np.abs(distance_mm)


@pytest.mark.parametrize("pixel_mm", [0.7, 0.9])
@pytest.mark.parametrize("angle_degrees", range(0, 180, 15))
def test_walls_peak_on_a_dark_line_of_any_direction(angle_degrees, pixel_mm):
    image, distance_mm = _line(angle_degrees, pixel_mm, sigma_mm=1.0, depth_hu=80.0)
    wall = evidence.walls(image[None], (pixel_mm, pixel_mm))[0]
    middle = np.hypot(*np.mgrid[-30:31, -30:31]) < 20
    # a Gaussian line of sigma 1 mm under a filter of sigma 1 mm: 80 HU / 2**1.5
    assert wall[30, 30] == pytest.approx(80 / 2**1.5, rel=0.1)
    assert distance_mm[middle][wall[middle].argmax()] < pixel_mm
    assert wall[middle & (distance_mm > 5)].max() < 1


def test_walls_see_no_bright_line_and_no_even_tissue():
    image, distance_mm = _line(30, 0.8, sigma_mm=1.0, depth_hu=-80.0)
    wall = evidence.walls(np.stack([image, np.full_like(image, MUSCLE)]), (0.8, 0.8))
    assert wall[0][distance_mm < 0.5].max() < 2
    assert np.abs(wall[1]).max() < 0.01


def test_walls_take_the_pixels_shape_into_account():
    at_y, at_x = (np.arange(81) - 40) * 0.6, (np.arange(51) - 25) * 1.0
    across = MUSCLE - 80 * np.exp(-((at_y[:, None] + 0 * at_x) ** 2) / 2)
    along = MUSCLE - 80 * np.exp(-((0 * at_y[:, None] + at_x) ** 2) / 2)
    first, second = evidence.walls(np.stack([across, along]), (0.6, 1.0))[:, 40, 25]
    assert first == pytest.approx(second, rel=0.1)


def _disc(shape, centre, radius):
    y, x = np.indices(shape)
    return np.hypot(y - centre[0], x - centre[1]) <= radius


@pytest.fixture
def body():
    """1 mm pixels: a fat disc with skin, and within it a muscle, a vessel and a streak; a table below."""
    shape = (200, 200)
    muscle = _disc(shape, (90, 100), 40)
    parts = {
        "fat": _disc(shape, (90, 100), 80),
        "muscle": muscle,
        "vessel": _disc(shape, (150, 100), 2),
        "streak": muscle & (np.abs(np.indices(shape)[0] - 90) <= 2),
        "table": np.indices(shape)[0] >= 190,
    }
    parts["skin"] = parts["fat"] & ~_disc(shape, (90, 100), 78)
    image = np.full(shape, AIR, np.float32)
    for name, hu in (("fat", FAT), ("skin", 20), ("muscle", MUSCLE), ("vessel", 45), ("streak", -80)):
        image[parts[name]] = hu
    image[parts["table"]] = 30
    return image, parts


def test_flesh_is_the_muscle_with_its_streaks_and_nothing_else(body):
    image, parts = body
    flesh = evidence.flesh(image, (1.0, 1.0))
    inner = _disc(image.shape, (90, 100), 37)
    assert flesh[parts["streak"] & inner].all()
    assert not (flesh & (parts["skin"] | parts["vessel"] | parts["table"])).any()
    assert np.count_nonzero(flesh ^ parts["muscle"]) <= 0.01 * parts["muscle"].sum()


def test_a_vessel_wider_than_six_millimetres_is_flesh(body):
    image, _ = body
    thick = _disc(image.shape, (148, 100), 5)
    image[thick] = 45
    assert evidence.flesh(image, (1.0, 1.0))[thick].all()


def test_the_thin_end_of_a_muscle_is_flesh_and_fascia_in_the_fat_is_not(body):
    image, parts = body
    y, x = np.indices(image.shape)
    end = (np.abs(y - 90) <= 2) & (x > 135) & (x < 165) & ~parts["muscle"]
    line = (x == 100) & (y < 50) & (y > 20)  # fascia in the fat
    image[end | line] = MUSCLE
    flesh = evidence.flesh(image, (1.0, 1.0))
    assert np.count_nonzero(flesh & end) > 0.9 * np.count_nonzero(end)
    assert not flesh[line & (y < 44)].any()


def test_flesh_cut_by_the_pictures_edge_is_not_taken_for_skin(body):
    image, parts = body
    cut = image[60:170]  # through the muscle
    kept = evidence.flesh(cut, (1.0, 1.0))[0] & parts["muscle"][60]
    assert kept.sum() >= parts["muscle"][60].sum() - 4  # the corners are rounded


def test_flesh_of_air_is_empty():
    assert not evidence.flesh(np.full((30, 30), AIR, np.float32), (1.0, 1.0)).any()


def test_smoothing_keeps_slices_apart_and_clips():
    hu = np.full((2, 9, 9), MUSCLE)
    hu[1] = 3000
    out = evidence.smooth(hu, (0.8, 0.8))
    assert out[0] == pytest.approx(MUSCLE)
    assert out[1] == pytest.approx(260)
