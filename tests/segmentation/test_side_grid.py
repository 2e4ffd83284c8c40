"""The network's grid: HU and fields are carried to it and back without moving."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glutseg.image import CtImage, Geometry
from glutseg.segmentation.side_grid import AIR_HU, CONTEXT_MM, SHAPE, SPACING_MM, SideGrid

HEAD_MM = (95.0, 10.0, -40.0)


def ramp(shape=(40, 60, 70), spacing=(3.0, 2.0, 2.5), origin=(0.0, -50.0, -100.0)):
    """HU that grow linearly along every axis: 1 per mm to the head, 0.5 to the back, 0.25 to the left."""
    g = Geometry(shape, spacing, origin)
    z, y, x = (np.arange(n) * s for n, s in zip(shape, spacing, strict=True))
    values = z[:, None, None] + 0.5 * y[:, None] + 0.25 * x
    return CtImage(np.round(values).astype(np.int16), g)


def expected(image, grid):
    dz, dy, dx = image.geometry.spacing_mm
    return grid.planes[:, None, None] * dz + 0.5 * grid.rows[:, None] * dy + 0.25 * grid.columns * dx


def shown(image, grid):
    inside = [
        (at >= 0) & (at <= n - 1)
        for at, n in zip((grid.planes, grid.rows, grid.columns), image.hu.shape, strict=True)
    ]
    return inside[0][:, None, None] & inside[1][:, None] & inside[2]


@pytest.mark.parametrize("side", ["left", "right"])
def test_samples_lie_where_the_grid_says(side):
    image = ramp()
    grid = SideGrid.around(image.geometry, HEAD_MM, side, range(20, 20 + 1))
    where = shown(image, grid)
    assert where.any()
    np.testing.assert_allclose(
        grid.sample(image)[where], expected(image, grid)[where], atol=0.75
    )  # rounded HU


def test_what_no_slice_shows_is_air():
    image = ramp()
    grid = SideGrid.around(image.geometry, HEAD_MM, "left", range(20, 20 + 1))
    assert (grid.sample(image)[(grid.planes < -0.5)] == AIR_HU).all()


def test_thin_slices_are_averaged():
    """Slices of 1 mm that alternate between 0 and 90 HU: a plane is the mean of three."""
    hu = np.zeros((90, 40, 40), np.int16)
    hu[::3] = 90
    image = CtImage(hu, Geometry(hu.shape, (1.0, 3.0, 3.0), (0.0, 0.0, 0.0)))
    grid = SideGrid.around(image.geometry, (60.0, 60.0, 45.0), "left", range(45, 45 + 1))
    near = grid.near(10, 80)
    inside = grid.sample(image)[near][:, 60:80, 70:80]
    np.testing.assert_allclose(inside, 30.0, atol=1e-3)


def test_sides_are_mirror_images():
    """What lies mirrored about the midline gives the same samples."""
    image = ramp(shape=(40, 60, 81), spacing=(3.0, 2.0, 2.5), origin=(-100.0, -50.0, -100.0))
    mirrored = CtImage(np.ascontiguousarray(image.hu[:, :, ::-1]), image.geometry)
    x, y, z = HEAD_MM
    left = SideGrid.around(image.geometry, (x, y, z), "left", range(20, 20 + 1)).sample(image)
    right = SideGrid.around(image.geometry, (-x, y, z), "right", range(20, 20 + 1)).sample(mirrored)
    np.testing.assert_allclose(left, right, atol=1e-3)


@pytest.mark.parametrize("side", ["left", "right"])
@settings(max_examples=20, deadline=None)
@given(
    st.floats(1.0, 6.0),
    st.floats(0.5, 3.0),
    st.tuples(st.floats(-20, 20), st.floats(-20, 20), st.floats(-20, 20)),
)
def test_a_linear_field_comes_back_unchanged(side, slice_mm, pixel_mm, shift):
    geometry = Geometry((60, 80, 80), (slice_mm, pixel_mm, pixel_mm), (0.0, 0.0, 0.0))
    head = tuple(c + s for c, s in zip((60.0, 60.0, 90.0), shift, strict=True))
    grid = SideGrid.around(geometry, head, side, range(25, 30))
    box = grid.box(geometry)
    rows, columns = (np.arange(b.start, b.stop) for b in box)
    field = (grid.rows[:, None] + 2 * grid.columns + 0 * grid.planes[:, None, None]).astype(np.float32)
    back = grid.on_slices(field, range(25, 30), box)
    planes = grid.planes_of(range(25, 30))
    few = grid.on_slices(field[planes], range(25, 30), box, first=planes.start)
    np.testing.assert_array_equal(few, back)
    np.testing.assert_allclose(back, np.broadcast_to(rows[:, None] + 2 * columns, back.shape), atol=0.05)


@pytest.mark.parametrize(
    ("slices", "n_planes"), [(range(55, 66), 32), (range(60, 61), 32), (range(40, 80), 64)]
)
def test_planes_lie_on_slices_and_reach_beyond_those_asked_for(slices, n_planes):
    geometry = Geometry((100, 8, 8), (3.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    grid = SideGrid.around(geometry, (4.0, 4.0, 150.3), "left", slices)
    assert len(grid.planes) == n_planes
    np.testing.assert_allclose(grid.planes, np.round(grid.planes), atol=1e-6)
    for beyond in (slices[0] - grid.planes[0], grid.planes[-1] - slices[-1]):
        assert 9 <= beyond <= CONTEXT_MM / 3
    assert len(SideGrid.around(geometry, (4.0, 4.0, 150.3), "left", range(100)).planes) == SHAPE[0]
    assert len(SideGrid.around(geometry, (4.0, 4.0, 150.3), "left", None).planes) == SHAPE[0]


def test_few_planes_are_among_all():
    geometry = Geometry((60, 8, 8), (5.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    every = SideGrid.around(geometry, (4.0, 4.0, 150.0), "right", None)
    for middle in (0, 30, 59):
        few = SideGrid.around(geometry, (4.0, 4.0, 150.0), "right", range(middle, middle + 1))
        assert np.isin(np.round(few.planes, 6), np.round(every.planes, 6)).all()


def test_columns_point_away_from_the_midline():
    geometry = Geometry((10, 8, 8), SPACING_MM, (0.0, 0.0, 0.0))
    left, right = (SideGrid.around(geometry, (5.0, 5.0, 5.0), side, None) for side in ("left", "right"))
    assert left.columns[1] > left.columns[0]
    assert right.columns[1] < right.columns[0]


def hill(degrees, side, shape=(12, 200, 260), spacing=(3.0, 1.5, 1.0), origin=(-130.0, -150.0, 0.0)):
    """The same smooth body around the head, of a patient who lies rolled by so much."""
    g = Geometry(shape, spacing, origin)
    _, y, x = np.meshgrid(*(np.arange(n) * s for n, s in zip(shape, spacing, strict=True)), indexing="ij")
    y, x = y + origin[1] - TURNED_HEAD_MM[1], x + origin[0] - TURNED_HEAD_MM[0]
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    back, left = y * c - x * s, y * s + x * c
    outwards = left if side == "left" else -left
    values = 900 * np.exp(-(((back - 25) / 30) ** 2) - ((outwards + 10) / 22) ** 2)
    return CtImage(np.round(values - 1000).astype(np.int16), g)


TURNED_HEAD_MM = (5.0, 2.0, 16.0)


@pytest.mark.parametrize("degrees", [-40.0, 12.0, 33.0])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_turned_grid_sees_a_rolled_patient_straight_and_draws_him_as_he_lies(side, degrees):
    slices = range(4, 7)
    straight = hill(0.0, side)
    rolled = hill(degrees, side)
    grid = SideGrid.around(rolled.geometry, TURNED_HEAD_MM, side, slices, degrees)
    seen = grid.sample(rolled)
    as_straight = SideGrid.around(straight.geometry, TURNED_HEAD_MM, side, slices).sample(straight)
    inside = np.s_[:, 20:130, 30:120]  # far enough from the ends of the slices
    assert as_straight[inside].max() > -110
    np.testing.assert_allclose(seen[inside], as_straight[inside], atol=6)
    box = grid.box(rolled.geometry)
    drawn = grid.on_slices(seen, slices, box)
    body = rolled.hu[slices.start : slices.stop, *box] > -950
    assert body.any()
    np.testing.assert_allclose(drawn[body], rolled.hu[slices.start : slices.stop, *box][body], atol=6)
