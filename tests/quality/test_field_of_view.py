"""A muscle that the picture cuts is found, whatever fills the rest; an intact one is left alone."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from drawn_slice import Drawn
from glutseg.image import LEFT, RIGHT
from glutseg.quality import Picture
from glutseg.quality.field_of_view import check_field_of_view
from glutseg.settings import METHOD

LIMITS = METHOD.quality
SHAPE = (80, 120)
BOTH = ["muscle-cut-by-fov:left", "muscle-cut-by-fov:right"]
FILLS = {
    "air": (-1000, 10),
    "noisy air": (-1000, 40),
    "padding": (-1024, 0),
    "low": (-2000, 0),
    "lower": (-3024, 0),
    "water": (0, 0),
}
FIELDS = {
    "right": lambda y, x: -x,
    "left": lambda y, x: x,
    "back": lambda y, x: y,
    "round": np.hypot,
}


def _scene():
    """Fat everywhere, up to the edge of the image, and both muscles."""
    hu = np.full(SHAPE, -100, np.int16)
    hu += np.random.default_rng(1).integers(-8, 9, SHAPE, dtype=np.int16)
    labels = np.zeros(SHAPE, np.uint8)
    labels[40:60, 20:40], labels[40:60, 80:100] = RIGHT, LEFT
    hu[labels > 0] += 150
    return hu, labels


def _cut(hu, labels):
    return [str(f) for f in check_field_of_view(Picture(hu, labels, (1.0, 1.0)))]


def _flags(picture):
    return [str(f) for f in check_field_of_view(picture)]


def test_a_muscle_inside_the_picture_is_whole():
    assert _cut(*_scene()) == []


@pytest.mark.parametrize(("column", "flags"), [(2, ["muscle-cut-by-fov:right"]), (3, [])])
def test_a_muscle_within_three_millimetres_of_the_picture_is_cut(column, flags):
    """The first pixel outside lies 1 mm from the first column, so column 2 is 3 mm away."""
    hu, labels = _scene()
    labels[50, column:20] = RIGHT
    assert _cut(hu, labels) == flags


@pytest.mark.parametrize(("column", "flags"), [(15, ["muscle-cut-by-fov:right"]), (16, [])])
def test_an_outline_near_to_lean_tissue_that_ends_with_the_picture_is_of_a_cut_muscle(column, flags):
    hu, labels = _scene()
    hu[40:60, :20] += 150
    labels[:, :column] = 0
    labels[40:60, column:40] = RIGHT
    assert LIMITS.cut_reach_mm == 15
    assert _cut(hu, labels) == flags


def test_each_edge_counts():
    hu, labels = _scene()
    labels[60:, 90] = LEFT
    labels[:40, 30] = RIGHT
    assert _cut(hu, labels) == BOTH


@pytest.mark.parametrize("columns", [12, 13])
def test_padding_is_more_than_a_hundredth_of_the_picture(columns):
    hu, labels = _scene()
    hu[:8, :columns] = -1000  # 96 or 104 of 9600 pixels
    labels[9:40, 9] = RIGHT
    assert _cut(hu, labels) == (["muscle-cut-by-fov:right"] if columns > 12 else [])


def _filled(drawn, field, into_mm, fill):
    """The picture ends ``into_mm`` within the outermost muscle; beyond is what a scanner may write."""
    outward_mm = FIELDS[field](*drawn.grid_mm())
    value, noise_hu = FILLS[fill]
    labels = drawn.labels()
    gone = outward_mm > outward_mm[labels > 0].max() - into_mm
    noise = np.random.default_rng(8).normal(0, noise_hu, gone.shape) if noise_hu else 0.0
    hu = np.where(gone, np.maximum(value + noise, min(value, -1024)), drawn.hu())
    return hu, np.where(gone, 0, labels).astype(np.uint8)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("short_mm", [0, 6])
def test_a_cut_muscle_is_found_also_where_its_outline_ends_before_the_picture(field, fill, short_mm):
    drawn = Drawn()
    hu, labels = _filled(drawn, field, 10.0, fill)
    inside = ndi.distance_transform_edt(labels > 0, sampling=drawn.pixel_mm)
    flags = _flags(drawn.picture(hu, np.where(inside > short_mm, labels, 0).astype(np.uint8)))
    assert flags == {"left": BOTH[:1], "right": BOTH[1:]}.get(field, BOTH)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("field", FIELDS)
def test_a_cut_through_the_fat_beside_the_muscle_does_not_matter(field, fill):
    drawn = Drawn()
    assert _flags(drawn.picture(*_filled(drawn, field, -8.0, fill))) == []


@pytest.mark.parametrize("pixel_mm", [0.7, 1.5, 3.0])
@pytest.mark.parametrize("noise_hu", [0.0, 10.0, 45.0])
@pytest.mark.parametrize("has_table", [False, True])
@pytest.mark.parametrize("back_mm", [1000.0, 80.0])
def test_a_patient_is_whole_also_with_a_flat_back_and_the_muscle_near_to_the_skin(
    pixel_mm, noise_hu, has_table, back_mm
):
    """The muscle ends at 72 mm."""
    drawn = Drawn(pixel_mm=pixel_mm, noise_hu=noise_hu, has_table=has_table, back_mm=back_mm)
    assert _flags(drawn.picture()) == []


@pytest.mark.parametrize("pixel_mm", [0.7, 1.0, 1.5, 2.0, 3.0])
def test_air_of_one_value_next_to_a_flat_back_is_no_edge_of_the_picture(pixel_mm):
    drawn = Drawn(pixel_mm=pixel_mm, noise_hu=8.0, back_mm=81.3)
    hu = drawn.hu()
    assert _flags(drawn.picture(np.where(hu < -950, -1000, hu))) == []


@pytest.mark.parametrize("noise_hu", [0, 10, 20, 40])
@pytest.mark.parametrize(("row_mm", "column_mm"), [(-15.0, 0.0), (10.0, 40.0), (-25.0, -60.0)])
@pytest.mark.parametrize("short_mm", [0, 6])
def test_a_round_field_around_any_point_cuts(noise_hu, row_mm, column_mm, short_mm):
    """Its middle is that of the body or of what was asked for, not that of the image."""
    drawn = Drawn(pixel_mm=1.0)
    y, x = drawn.grid_mm()
    outward_mm, labels = np.hypot(y - row_mm, x - column_mm), drawn.labels()
    gone = outward_mm > outward_mm[labels > 0].max() - 15
    air = np.maximum(-1000 + np.random.default_rng(8).normal(0, noise_hu, gone.shape), -1024)
    inside = ndi.distance_transform_edt((labels > 0) & ~gone, sampling=drawn.pixel_mm)
    flags = _flags(drawn.picture(np.where(gone, air, drawn.hu()), np.where(inside > short_mm, labels, 0)))
    assert set(flags) >= {str(BOTH[0] if gone[labels == LEFT].any() else BOTH[1])}
    assert set(flags) <= set(BOTH)


def test_a_cut_along_one_row_alone_is_a_line_and_no_circle():
    hu, labels = _scene()
    hu[55:], labels[55:] = -1000, 0
    assert _cut(hu, labels) == BOTH


@pytest.mark.parametrize("value", [-1024, -1000, -24, 0])
@pytest.mark.parametrize(("row_mm", "column_mm"), [(72.0, 70.0), (50.0, 120.0), (28.0, 60.0)])
@pytest.mark.parametrize("pixel_mm", [0.7, 1.5])
def test_a_box_over_the_edge_of_a_muscle_cuts_it(value, row_mm, column_mm, pixel_mm):
    """As an anonymiser blacks out burnt-in text."""
    drawn = Drawn(pixel_mm=pixel_mm)
    y, x = drawn.grid_mm()
    box = (np.abs(y - row_mm) < 12) & (np.abs(x - column_mm) < 20)
    labels = np.where(box, 0, drawn.labels())
    assert _flags(drawn.picture(np.where(box, value, drawn.hu()), labels)) == BOTH[:1]


@pytest.mark.parametrize("value", [-1024, 0])
def test_a_box_away_from_the_muscles_does_not_matter(value):
    drawn = Drawn()
    y, x = drawn.grid_mm()
    box = (np.abs(y + 80) < 15) & (np.abs(x) < 40)
    assert _flags(drawn.picture(np.where(box, value, drawn.hu()))) == []


@pytest.mark.parametrize("metal_hu", [3071, 2976])
def test_metal_with_a_flat_side_is_no_box(metal_hu):
    drawn = Drawn()
    y, x = drawn.grid_mm()
    plate = (np.abs(y - 20) < 4) & (np.abs(x - 70) < 20)
    assert _flags(drawn.picture(np.where(plate, metal_hu, drawn.hu()))) == []


def test_nothing_outlined_is_nothing_cut():
    drawn = Drawn()
    hu, labels = _filled(drawn, "round", 20.0, "padding")
    assert _flags(drawn.picture(hu, np.zeros_like(labels))) == []
