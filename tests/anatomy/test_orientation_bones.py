"""The bones beside the midline, pixel by pixel: what contradicts the header and what does not."""

from dataclasses import replace

import numpy as np
import pytest

from glutseg.anatomy import Hips, Sphere
from glutseg.anatomy.orientation import check_orientation
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry

GRID = Geometry((80, 30, 30), (5.0, 10.0, 10.0), (-145.0, -145.0, -200.0))
"""Pixels of 100 mm²; z from -200 to 195 mm."""
MIDDLE_X_MM, MIDDLE_Y_MM, TOP_MM = 10.0, -20.0, 25.0
HIPS = Hips(
    Sphere((MIDDLE_X_MM + 85.0, MIDDLE_Y_MM + 5, 0.0), 25.0, 0.2),
    Sphere((MIDDLE_X_MM - 85.0, MIDDLE_Y_MM - 5, 0.0), 25.0, 0.2),
    1.2,
)


def body(front=0, behind=6, spine=3, thighs=0, hu=300, beside_px=0):
    """Bone on every slice of its zone, in pixels of the strip; ``beside_px`` moves it to the left."""
    image = np.full(GRID.shape, 40, np.int16)
    z_mm = GRID.origin_mm[2] + 5.0 * np.arange(80) - TOP_MM
    middle = round((MIDDLE_X_MM - GRID.origin_mm[0]) / 10) + beside_px
    row = int((MIDDLE_Y_MM - GRID.origin_mm[1]) / 10)  # the last one in front of the middle

    def put(low_mm, high_mm, n_pixels, rows):
        places = [(y, x) for y in rows for x in range(middle - 3, middle + 3)][:n_pixels]
        for y, x in places:
            image[(z_mm >= low_mm) & (z_mm <= high_mm), y, x] = hu

    put(20, 80, front, range(row, 0, -1))
    put(20, 80, behind, range(row + 1, 29))
    put(80.1, 140, spine, range(row + 1, 29))
    put(-170, -125, thighs, range(row, 0, -1))
    return image


def is_refused(image, grid=GRID, hips=HIPS):
    try:
        check_orientation(CtImage(np.ascontiguousarray(image), grid), hips)
    except GlutsegError as error:
        return error.code == "orientation-contradicted"
    return False


@pytest.mark.parametrize(
    ("front", "behind", "expected"),
    [(0, 6, False), (13, 7, False), (14, 7, True), (6, 0, True), (1, 0, False), (2, 0, True)],
)
def test_the_sacrum_lies_behind(front, behind, expected):
    """A third is too little, 35 % is enough; a single pixel a slice is no sacrum."""
    assert is_refused(body(front, behind)) == expected


@pytest.mark.parametrize(("spine", "expected"), [(0, True), (1, False), (12, False)])
def test_the_spine_lies_above(spine, expected):
    """Of the zone above the sacrum the median counts; 100 mm² are enough."""
    image = body(spine=spine)
    image[(GRID.origin_mm[2] + 5.0 * np.arange(80) - TOP_MM) < 80, :, :] = 40  # no sacrum to judge by
    assert is_refused(image) == expected


@pytest.mark.parametrize(("thighs", "expected"), [(0, False), (3, False), (4, True)])
def test_no_bone_lies_between_the_thighs(thighs, expected):
    assert is_refused(body(thighs=thighs)) == expected


@pytest.mark.parametrize(("hu", "expected"), [(200, False), (201, True)])
def test_bone_is_denser_than_200_hu(hu, expected):
    image = body(thighs=6, hu=hu)
    image[50:, 20, 15] = 500  # a spine in any case
    assert is_refused(image) == expected


@pytest.mark.parametrize(("beside_px", "expected"), [(0, True), (3, True), (7, False), (-7, False)])
def test_only_the_strip_beside_the_midline_counts(beside_px, expected):
    image = body(behind=0, spine=0, thighs=6, beside_px=beside_px)
    image[50:, 20, 15] = 500
    assert is_refused(image) == expected


@pytest.mark.parametrize(("n_slices", "expected"), [(3, False), (4, True)])
def test_a_zone_is_judged_from_twenty_millimetres_on(n_slices, expected):
    """Slices at -145, -140, ... -100 mm are the thighs' zone; the series begins within it."""
    image = body(thighs=6)
    first = int((-100 - GRID.origin_mm[2]) / 5) + 1 - n_slices
    part = CtImage(image, GRID).crop((slice(first, None), slice(None), slice(None)))
    assert is_refused(part.hu, part.geometry) == expected


def test_a_series_of_the_heads_alone_says_nothing():
    image = body(front=20, behind=0, spine=0, thighs=6)
    part = CtImage(image, GRID).crop((slice(25, 48), slice(None), slice(None)))
    assert not is_refused(part.hu, part.geometry)


def test_the_message_names_what_was_seen():
    image = body(spine=0, thighs=5)
    image[(GRID.origin_mm[2] + 5.0 * np.arange(80) - TOP_MM) > 0] = 40
    with pytest.raises(GlutsegError, match="shows 0 mm² above and 500 mm² below the hips"):
        check_orientation(CtImage(image, GRID), HIPS)
    with pytest.raises(GlutsegError, match="30% of the bone in the midline lies behind"):
        check_orientation(CtImage(body(14, 6), GRID), HIPS)


def test_the_spine_is_looked_for_up_to_140_millimetres_above():
    image = body(spine=0)
    above_mm = GRID.origin_mm[2] + 5.0 * np.arange(80) - TOP_MM
    image[above_mm >= 60] = 40
    image[(above_mm >= 100) & (above_mm <= 140), 20, 15] = 300  # 9 of 17 slices
    assert not is_refused(image)
    image[above_mm == 140] = 40
    assert is_refused(image)


def test_neither_pixels_nor_the_picture_need_be_square():
    """Rows 10 mm apart, columns 8 mm; or two columns less."""
    part = CtImage(body(), GRID).crop((slice(None), slice(None), slice(2, None)))
    assert not is_refused(part.hu, part.geometry)
    grid = replace(GRID, spacing_mm=(5.0, 10.0, 8.0))
    assert not is_refused(body(spine=6), grid)
    assert is_refused(body(front=6, behind=0, spine=6), grid)


@pytest.mark.parametrize(("columns", "expected"), [((11, 19), False), ((12, 18), True)])
def test_the_strip_ends_forty_millimetres_beside_the_midline(columns, expected):
    middle = Hips(
        *(replace(h, centre_mm=(h.centre_mm[0] - 5, 0.0, 0.0)) for h in (HIPS.left, HIPS.right)), 1.2
    )
    image = np.full(GRID.shape, 40, np.int16)
    image[50:, 20, 15] = 500
    image[5:25, 3:9, list(columns)] = 300  # columns 11 and 19 lie 40 mm from it
    assert is_refused(image, hips=middle) == expected


@pytest.mark.parametrize(("low_mm", "high_mm"), [(20, 25), (75, 80)])
def test_the_sacrum_is_looked_for_from_20_to_80_millimetres_above(low_mm, high_mm):
    """Bone in front of the hips at either end of the zone alone, against as much behind in its midst."""
    image = body(behind=0)
    above_mm = GRID.origin_mm[2] + 5.0 * np.arange(80) - TOP_MM
    image[(above_mm >= low_mm) & (above_mm <= high_mm), 5:9, 13:19] = 300
    assert is_refused(image)
    image[(above_mm >= low_mm) & (above_mm <= high_mm)] = 40
    assert not is_refused(image)
