"""The coarse part of the search: small volumes, and what lies around a place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.anatomy.sphere import CEILING_HU, around, slabs
from glutseg.anatomy.surroundings import UPRIGHT, BoneMap
from glutseg.image import CtImage, Geometry

SIDES = ("left", "right")


@pytest.fixture(scope="module")
def bones(pelvis):
    return BoneMap.of(slabs(pelvis.volume, pixel_mm=1.6))


@given(
    seed=st.integers(0, 99), pixel_mm=st.sampled_from([0.4, 0.6, 0.8]), slice_mm=st.sampled_from([0.7, 1.5])
)
def test_slabs_are_means(seed, pixel_mm, slice_mm):
    hu = np.random.default_rng(seed).integers(-1024, 3071, (8, 12, 12)).astype(np.int16)
    small = slabs(CtImage(hu, Geometry(hu.shape, (slice_mm, pixel_mm, pixel_mm))))
    nz, ny, nx = (a // b for a, b in zip(hu.shape, small.hu.shape, strict=True))
    first = hu[:nz, :ny, :nx].mean()
    assert small.hu[0, 0, 0] == pytest.approx(first, abs=1)
    assert small.geometry.spacing_mm == pytest.approx((nz * slice_mm, ny * pixel_mm, nx * pixel_mm))


def test_metal_on_an_extended_scale_does_not_wrap_around():
    hu = np.full((4, 8, 8), 30_000, np.int16)
    assert (slabs(CtImage(hu, Geometry(hu.shape, (1.5, 0.6, 0.6)))).hu == CEILING_HU).all()


def test_slabs_leave_what_is_coarse_enough_as_it_is(pelvis):
    assert slabs(pelvis.volume) is pelvis.volume


def test_around_keeps_places(pelvis):
    centre_mm = pelvis.true_landmarks_mm["femoral-head-centre:left"]
    part = around(pelvis.volume, centre_mm, 30.0)
    z, y, x = (round(i) for i in pelvis.volume.geometry.index(centre_mm))
    k, j, i = (round(i) for i in part.geometry.index(centre_mm))
    assert part.hu[k, j, i] == pelvis.volume.hu[z, y, x]
    assert max(n * s for n, s in zip(part.hu.shape, part.geometry.spacing_mm, strict=True)) < 70


def test_around_a_place_outside_is_empty(pelvis):
    assert 0 in around(pelvis.volume, (0.0, 0.0, 9000.0), 30.0).hu.shape


@pytest.mark.parametrize("side", SIDES)
def test_a_hip_fits_its_own_side_only(bones, pelvis, side):
    centre_mm = pelvis.true_landmarks_mm[f"femoral-head-centre:{side}"]
    (other,) = set(SIDES) - {side}
    own = bones.fit(centre_mm, side)
    assert own > 0.9
    assert bones.fit(centre_mm, other) < own - 0.1


@given(seed=st.integers(0, 999), at_least=st.floats(0.3, 0.95))
def test_giving_up_early_loses_no_good_place(bones, seed, at_least):
    centres = np.random.default_rng(seed).uniform((-200, -120, -120), (200, 120, 130), (60, 3))
    full = bones.fits(centres, "left")
    quick = bones.fits(centres, "left", at_least=at_least)
    good = full >= at_least
    assert quick[good] == pytest.approx(full[good])
    assert (quick[~good] <= full[~good] + 1e-9).all()


def test_the_best_places_lie_at_the_heads(bones, pelvis):
    for side in SIDES:
        centres, fits = bones.likely(side, UPRIGHT, 0.7)
        truth = np.array(pelvis.true_landmarks_mm[f"femoral-head-centre:{side}"])
        assert np.linalg.norm(centres[fits.argmax()] - truth) < 20
