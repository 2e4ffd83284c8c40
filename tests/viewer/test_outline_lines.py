"""The lines of a slice: where they run, and which of them are shown."""

import numpy as np
import pytest

from glutseg.image import LEFT, RIGHT, Geometry

pytest.importorskip("napari")

GEOMETRY = Geometry((3, 40, 60), (5.0, 0.5, 2.0), (100.0, -50.0, 7.0))


def labels(rows=(10, 20), columns=(30, 50), label=LEFT):
    drawn = np.zeros((40, 60), np.uint8)
    drawn[slice(*rows), slice(*columns)] = label
    return drawn


def lines(drawn, **comparison):
    from glutseg.viewer.outline_lines import Comparison, lines_on_slice

    return list(lines_on_slice(drawn, 1, GEOMETRY, Comparison(**comparison)))


def kinds(drawn, **comparison):
    return [line.kind for line in lines(drawn, **comparison) if line.paths]


def test_an_outline_runs_half_way_between_the_pixels_in_mm():
    (line,) = lines(labels())
    (path,) = line.paths
    assert np.array_equal(path[0], path[-1])
    x, y = path.T
    assert (x.min(), x.max()) == (100 + 2.0 * 29.5, 100 + 2.0 * 49.5)
    assert (y.min(), y.max()) == (-50 + 0.5 * 9.5, -50 + 0.5 * 19.5)


def test_an_outline_is_closed_at_the_edge_of_the_image():
    (line,) = lines(labels(rows=(0, 40), columns=(0, 60)))
    assert len(line.paths) == 1
    assert np.array_equal(line.paths[0][0], line.paths[0][-1])


def test_sides_have_the_colours_of_the_overlays():
    from glutseg.output.style import SIDE_COLOURS

    drawn = labels() + labels(columns=(5, 15), label=RIGHT)
    assert {line.colour for line in lines(drawn)} == set(SIDE_COLOURS.values())


def test_the_second_method_is_shown_where_it_runs_apart_and_on_its_slice_only():
    drawn, other = labels(), labels(columns=(30, 55))
    assert kinds(drawn, other=drawn, slice_index=1) == ["outline"]
    assert kinds(drawn, other=other, slice_index=0) == ["outline"]
    assert kinds(drawn, other=other, slice_index=1) == ["other method", "outline"]
    thin = lines(drawn, other=other, slice_index=1)[0]
    assert min(path[:, 0].min() for path in thin.paths) > 100 + 2.0 * 45  # not along the common border


def test_the_automatic_outline_is_shown_where_it_was_changed():
    volume = np.stack([labels()] * 3)
    assert kinds(labels(), automatic=volume) == ["outline"]
    assert kinds(labels(columns=(30, 49)), automatic=volume) == ["automatic", "outline"]
    assert kinds(np.zeros((40, 60), np.uint8), automatic=volume) == ["automatic"]
