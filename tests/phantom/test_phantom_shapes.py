import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glutseg.phantom.shapes import (
    Ellipsoid,
    PlaneGrid,
    SphereChain,
    SweptSurface,
    area_mm2,
    fill,
    from_support,
    offset,
    smooth_closed,
    support_mm,
)


def circle(radius: float, n: int = 360) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return radius * np.column_stack([np.cos(angle), np.sin(angle)])


def grid(spacing: float, half: float = 40.0) -> PlaneGrid:
    n = int(2 * half / spacing) + 1
    return PlaneGrid((n, n), (spacing, spacing), (-half, -half))


def test_the_area_of_a_circle():
    assert area_mm2(circle(20)) == pytest.approx(np.pi * 400, rel=1e-3)


def test_the_filled_points_are_those_inside_a_square():
    square = np.array([[0.5, 0.5], [3.5, 0.5], [3.5, 2.5], [0.5, 2.5]])
    box, inside = fill(square, PlaneGrid((5, 6), (1.0, 1.0), (0.0, 0.0)))
    canvas = np.zeros((5, 6), bool)
    canvas[box] = inside
    expected = np.zeros((5, 6), bool)
    expected[1:3, 1:4] = True
    np.testing.assert_array_equal(canvas, expected)


@given(
    x=st.floats(-15, 15),
    y=st.floats(-15, 15),
    radius=st.floats(3, 22),
    spacing=st.sampled_from([0.3, 0.5]),
)
@settings(max_examples=40, deadline=None)
def test_counted_points_approach_the_area(x, y, radius, spacing):
    polygon = circle(radius) + np.array([x, y])
    _, inside = fill(polygon, grid(spacing))
    boundary = 2 * np.pi * radius * spacing
    assert abs(inside.sum() * spacing**2 - area_mm2(polygon)) < 0.25 * boundary


def test_a_polygon_beside_the_grid_fills_nothing():
    assert fill(circle(5) + 100, grid(1.0)) is None


def test_a_polygon_across_the_edge_is_cut_there():
    _, inside = fill(circle(10) + np.array([40.0, 0.0]), grid(0.25))
    assert inside.sum() * 0.25**2 == pytest.approx(np.pi * 50, rel=0.03)


def test_a_part_turned_inside_out_is_empty():
    assert area_mm2(offset(circle(10), 2)) == pytest.approx(np.pi * 144, rel=1e-3)
    thin = np.array([[-20, -1], [20, -1], [20, 1], [-20, 1]], dtype=float)
    hit = fill(offset(thin[::-1], 0.0), grid(0.5))
    assert hit is not None
    assert not hit[1].any()


def test_cross_sections_of_a_sphere_are_circles():
    sphere = SphereChain(np.array([[5.0, 6.0, 7.0, 24.0]]))
    (section,) = sphere.cross_sections(7.0 + 12.0)
    assert area_mm2(section) == pytest.approx(np.pi * (24**2 - 12**2), rel=2e-3)
    np.testing.assert_allclose(section.mean(axis=0), [5, 6], atol=1e-9)
    assert sphere.cross_sections(32.0) == []


def test_a_chain_is_as_thick_as_its_spheres():
    chain = SphereChain(np.array([[0.0, 0.0, 0.0, 10.0], [0.0, 0.0, 100.0, 10.0]]))
    (section,) = chain.cross_sections(50.0)
    assert area_mm2(section) == pytest.approx(np.pi * 100, rel=0.01)


def test_an_ellipsoid_in_its_middle():
    (section,) = Ellipsoid((1, 2, 3), (10, 5, 7)).cross_sections(3.0)
    assert area_mm2(section) == pytest.approx(np.pi * 50, rel=2e-3)


@pytest.mark.parametrize("mirror", [1, -1])
def test_a_swept_surface_passes_through_its_contours_with_positive_area(mirror):
    controls = np.stack([circle(10, 8), circle(20, 8)]) * np.array([mirror, 1])
    surface = SweptSurface(np.array([0.0, 30.0]), controls)
    assert area_mm2(surface.cross_sections(0.0)[0]) == pytest.approx(np.pi * 100, rel=0.01)
    assert area_mm2(surface.cross_sections(30.0)[0]) == pytest.approx(np.pi * 400, rel=0.01)
    assert np.pi * 100 < area_mm2(surface.cross_sections(15.0)[0]) < np.pi * 400
    assert surface.cross_sections(30.1) == []


def test_a_smooth_curve_passes_through_its_controls():
    controls = np.array([[0, 0], [50, 2], [52, 4], [20, 30], [0, 20]], dtype=float)
    curve = smooth_closed(controls)
    for point in controls:
        assert np.hypot(*(curve - point).T).min() < 1e-6


def test_a_convex_outline_comes_back_from_its_support():
    outline = from_support(support_mm(circle(30, 720)))
    np.testing.assert_allclose(np.hypot(*outline.T), 30, atol=0.01)
