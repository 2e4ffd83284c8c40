"""The checks of a slice never fail, whatever it shows, and say nothing about an ordinary one."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from drawn_slice import Drawn
from glutseg.errors import Flag, catalogue
from glutseg.image import CtImage, Geometry, Mask
from glutseg.quality import Picture, check_slice

SHAPES = nps.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)
PIXELS = st.tuples(st.floats(0.1, 60), st.floats(0.1, 60))


def test_an_ordinary_slice_has_no_flag():
    assert check_slice(Drawn(has_table=True).picture()) == ()


@given(SHAPES, PIXELS, st.integers(0, 2**32 - 1), st.integers(0, 3), st.sampled_from([1, 300, 4000, 32767]))
def test_noise_of_any_size_and_outlines_anywhere(shape, pixel_mm, seed, highest_label, range_hu):
    rng = np.random.default_rng(seed)
    hu = rng.integers(-range_hu, range_hu, shape, dtype=np.int16)
    labels = rng.integers(0, highest_label + 1, shape, dtype=np.uint8)
    flags = check_slice(Picture(hu, labels, pixel_mm))
    assert all(isinstance(f, Flag) and f.code in catalogue() and f.message for f in flags)


@given(st.integers(-32768, 32767), st.sampled_from([0, 1, 2]))
@example(-32768, 1)
@example(0, 0)
def test_constant_images(value, label):
    shape = (60, 80)
    labels = np.zeros(shape, np.uint8)
    labels[20:50, 10:40] = label
    picture = Picture(np.full(shape, value, np.int16), labels, (1.0, 1.0))
    assert {f.code for f in check_slice(picture)} <= {
        *("outline-beyond-muscle", "muscle-cut-by-fov"),
        "hu-shifted",  # where what lies around is no air
    }


def test_an_outline_in_air_is_beyond_the_muscle():
    drawn = Drawn()
    labels = np.zeros_like(drawn.labels())
    labels[5:20, 5:60] = 1
    assert "outline-beyond-muscle:left" in [str(f) for f in check_slice(drawn.picture(labels=labels))]


@pytest.mark.parametrize("offset", [0, 1])
def test_the_picture_is_that_of_the_slice(offset):
    drawn = Drawn()
    one = drawn.picture()
    hu = np.stack([np.zeros_like(one.hu), one.hu])
    labels = np.stack([np.zeros_like(one.labels), one.labels])
    grid = Geometry(shape=hu.shape, spacing_mm=(5.0, 1.5, 1.25))
    picture = Picture.of(CtImage(hu, grid), Mask(labels, grid), offset)
    assert picture.pixel_mm == (1.5, 1.25)
    assert picture.maximus.any() == bool(offset)
    np.testing.assert_array_equal(picture.hu, hu[offset])
