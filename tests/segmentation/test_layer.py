"""The layer and the outline that is drawn from it, on made scenes and on a coarse phantom."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage as ndi

from glutseg import anatomy, segmentation
from glutseg.errors import GlutsegError
from glutseg.image import LABELS, LEFT, RIGHT, SIDES, CtImage, Geometry
from glutseg.phantom import PhantomPatient, PhantomScan, render
from glutseg.protocol import LevelRule
from glutseg.segmentation import evidence, gluteus, layer, outline, scene
from glutseg.segmentation.settings import other_beliefs
from glutseg.segmentation.sheet import ANGLES_DEGREES, Fan
from glutseg.settings import METHOD

N = len(ANGLES_DEGREES)
GRID = Geometry(shape=(12, 200, 200), spacing_mm=(3.0, 1.0, 1.0), origin_mm=(-60.0, -60.0, 0.0))
FAN = Fan((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), GRID)
SLABS = tuple(range(k, k + 2) for k in range(0, 12, 2))


def _layer(deep_mm, outer_mm=100.0, others_mm=(), visible=True, muscle_hu=55.0) -> layer.Layer:
    """Six slabs of two slices; scalars hold for every ray."""
    shape = (len(SLABS), N)

    def surface(value):
        return np.broadcast_to(np.asarray(value, np.float32), shape)

    empty = np.zeros((*shape, 1), np.float32)
    seen = scene.Scene(
        fan=FAN,
        slabs=SLABS,
        slab_mm=6.0,
        fill=empty,
        wall=empty,
        bone=empty > 0,
        outer=np.zeros(shape, np.int64),
        above_mm=np.zeros(len(SLABS)),
        muscle_hu=muscle_hu,
    )
    others = tuple(surface(o) for o in others_mm)
    return layer.Layer(seen, surface(deep_mm), surface(outer_mm), others, np.broadcast_to(visible, shape))


def test_surfaces_are_interpolated_between_the_slabs_middles():
    steps = _layer(10.0 * np.arange(6)[:, None])
    assert steps.at_slice(steps.deep_mm, 2)[0] == pytest.approx(7.5)  # a quarter slab below slab 1
    assert steps.at_slice(steps.deep_mm, 3)[0] == pytest.approx(12.5)
    assert steps.at_slice(steps.deep_mm, 0)[0] == pytest.approx(0.0)  # no extrapolation
    assert steps.at_slice(steps.deep_mm, 11)[0] == pytest.approx(50.0)


def test_agreement_is_the_least_dice():
    own, larger, smaller = 100**2 - 80**2, 100**2 - 60**2, 100**2 - 90**2
    found = _layer(80.0, others_mm=(60.0, 90.0)).agreement(5)
    assert found == pytest.approx(min(2 * own / (own + larger), 2 * smaller / (own + smaller)), rel=1e-5)
    assert _layer(80.0, others_mm=(80.0, 80.0)).agreement(5) == pytest.approx(1.0)


def test_agreement_with_nothing_is_none():
    assert _layer(80.0, others_mm=(101.0,)).agreement(5) == 0.0
    assert _layer(101.0, others_mm=(101.0,)).agreement(5) == 0.0


def test_the_visible_share_counts_length_and_only_where_there_is_muscle():
    half = np.arange(N) < N // 2
    assert _layer(80.0, visible=half).visible_share(5) == pytest.approx((N // 2) / N, abs=0.01)
    assert _layer(np.where(half, 80.0, 101.0), visible=half).visible_share(5) == pytest.approx(1.0, abs=0.02)
    assert _layer(101.0).visible_share(5) == 0.0


def _outline(hu, found: layer.Layer):
    volume = CtImage(np.broadcast_to(hu, GRID.shape).astype(np.int16), GRID)
    out = np.zeros(GRID.shape[1:], bool)
    out[FAN.window] = outline.draw(volume, found, 5).mask
    return out


@pytest.fixture
def ring():
    """A muscle between 80 and 100 mm from the fan's centre, fat around, another muscle within 78 mm."""
    x = y = np.arange(200) - 60.0
    radius = np.hypot(y[:, None], x[None])
    angle = np.rad2deg(np.arctan2(x[None], y[:, None]))
    hu = np.where((radius <= 100) & ~((radius > 78) & (radius < 80)), 55, -105)
    where = (radius >= 80) & (radius <= 100) & (angle > ANGLES_DEGREES[0]) & (angle < ANGLES_DEGREES[-1])
    return hu, where, radius, angle


def test_the_outline_is_the_muscle_between_the_surfaces(ring):
    hu, where, *_ = ring
    out = _outline(hu, _layer(79.0))
    assert np.count_nonzero(out ^ where) <= 0.05 * np.count_nonzero(where)  # the ends are rounded


def test_the_outline_goes_over_streaks_and_takes_the_air_around_for_nothing(ring):
    hu, where, radius, angle = ring
    streak = where & (np.abs(radius - 90) < 2) & (angle > 10) & (angle < 40)
    open_streak = where & (np.abs(angle - 50) * np.deg2rad(1) * radius < 2) & (radius > 92)
    streaky = np.where(streak | open_streak, -90, hu)
    out = _outline(streaky, _layer(79.0))
    assert out[streak].all()
    assert out[open_streak & (radius < 98)].all()
    assert not _outline(np.full_like(hu, -1000), _layer(79.0)).any()


@pytest.fixture
def streaky(ring):
    """The ring with a streak inside, and one 4 mm deep and 17 mm long on its outer fascia."""
    hu, where, radius, angle = ring
    on_fascia = where & (radius > 96) & (angle > 25) & (angle < 35)
    inside = where & (np.abs(radius - 88) < 3)
    return hu, on_fascia, inside


def test_fat_on_the_fascia_of_a_fatty_muscle_belongs_to_it(streaky):
    hu, on_fascia, inside = streaky
    out = _outline(np.where(on_fascia | inside, -90, hu), _layer(79.0))
    assert np.count_nonzero(out & on_fascia) > 0.5 * np.count_nonzero(on_fascia)


def test_a_dent_in_a_lean_muscle_is_none_of_it(streaky):
    hu, on_fascia, _ = streaky
    out = _outline(np.where(on_fascia, -90, hu), _layer(79.0))
    assert np.count_nonzero(out & on_fascia) < 0.25 * np.count_nonzero(on_fascia)


def test_what_is_repaired_is_told(ring):
    hu, _, radius, angle = ring
    notch = (np.abs(angle - 50) * np.deg2rad(1) * radius < 7) & (radius > 84)
    whole, notched = (
        outline.draw(CtImage(np.broadcast_to(h, GRID.shape).astype(np.int16), GRID), _layer(79.0), 5)
        for h in (hu, np.where(notch, -90, hu))
    )
    share = np.count_nonzero(notch & (radius < 100)) / np.count_nonzero(whole.mask)
    assert whole.repaired_share < 0.005
    assert notched.repaired_share == pytest.approx(share, rel=0.4)


def test_a_small_piece_off_the_muscle_is_dropped(ring):
    hu, _, radius, angle = ring
    parted = np.where((np.abs(angle - 80) * np.deg2rad(1) * radius < 18) & (radius > 78), -105, hu)
    small = (radius > 81) & (radius < 99) & (angle > 92) & (angle < 100)
    gone = np.where((angle >= 100) & (radius > 78), -105, parted)
    assert (hu[small] == 55).all()
    assert not _outline(gone, _layer(79.0))[small].any()


def test_large_parts_keeps_what_is_more_than_a_tenth():
    mask = np.zeros((3, 40), bool)
    mask[1, :20] = mask[1, 22:24] = mask[1, 30:33] = True
    kept = outline._large_parts(mask)
    assert kept[1, :20].all()
    assert not kept[1, 22:24].any()  # exactly a tenth
    assert kept[1, 30:33].all()


def test_other_beliefs_are_a_smaller_a_larger_and_an_otherwise_streaky_muscle():
    default = segmentation.Settings()
    for plain, other in ((1.0, 0.0), (0.6, 0.0), (0.4, 1.0), (0.0, 1.0)):
        smaller, larger, streaks = other_beliefs(default, plain)
        assert smaller.belief < default.belief == streaks.belief < larger.belief
        assert (smaller.plain, larger.plain, streaks.plain) == (plain, plain, other)
        assert replace(streaks, plain=None) == default


@pytest.mark.parametrize(("walls", "plain"), [(0.0, 1.0), (0.14, 1.0), (0.19, 0.5), (0.24, 0.0), (0.5, 0.0)])
def test_a_muscle_is_as_plain_as_its_seeds_have_no_walls(walls, plain):
    default, seen = segmentation.Settings(), _layer(80.0).scene
    depth = np.zeros((*seen.outer.shape, 20), np.float32)
    seen = replace(seen, outer=np.full(seen.outer.shape, 19), fill=depth, bone=depth > 0)
    cost = np.full(depth.shape, 0.5, np.float32)
    cost[layer._seeds(seen, default)] = 1 - walls
    assert layer._plainness(seen, cost, default) == pytest.approx(plain, abs=1e-5)
    assert layer._plainness(seen, cost, replace(default, plain=0.25)) == 0.25
    nothing = replace(seen, bone=~seen.bone)
    assert layer._plainness(nothing, cost, default) == 1.0


@pytest.fixture(scope="module")
def coarse():
    """A quick phantom, found; its slices around the heads' tops."""
    scan = PhantomScan(matrix=250, pixel_mm=1.5, slice_mm=5.0, z_range_mm=(-40.0, 60.0))
    phantom = render(PhantomPatient(seed=2), scan)
    found = anatomy.find_anatomy(phantom.volume)
    return phantom, found, anatomy.find_level(found, LevelRule()).slice_index


QUICK = segmentation.Settings(context_mm=15.0)


def test_only_the_slices_asked_for_are_filled_on_the_right_sides(coarse):
    phantom, found, k = coarse
    out = segmentation.segment(phantom.volume, found, range(k - 1, k + 2), QUICK)
    labels = out.mask.labels
    assert [i for i in range(len(labels)) if labels[i].any()] == [k - 1, k, k + 1]
    assert out.quality == {}
    for label in SIDES.values():
        mine, truth = labels[k] == label, phantom.truth.labels[k] == label
        assert 2 * (mine & truth).sum() / (mine.sum() + truth.sum()) > 0.9
    x = np.nonzero(labels == LEFT)[2], np.nonzero(labels == RIGHT)[2]
    assert x[0].min() > x[1].max()  # canonical: x grows to the left


def test_the_whole_muscle_goes_on_from_the_slices_asked_for(coarse):
    phantom, found, k = coarse
    around = range(k - 1, k + 2)
    part = segmentation.segment(phantom.volume, found, around, QUICK).mask.labels
    whole = segmentation.segment(phantom.volume, found, around, QUICK, whole_muscle=True).mask.labels
    assert np.array_equal(whole[k - 1 : k + 2], part[k - 1 : k + 2])
    for label in SIDES.values():
        truth = phantom.truth.labels == label
        mine = whole == label
        assert 2 * (mine & truth).sum() / (mine.sum() + truth.sum()) > 0.85
        assert ndi.label(mine)[1] == 1


def test_other_muscles_take_nothing_from_the_maximus(coarse):
    phantom, found, k = coarse
    around = range(k - 1, k + 2)
    alone = segmentation.segment(phantom.volume, found, around, QUICK).mask.labels
    muscles = ("maximus", "medius", "minimus")
    out = segmentation.segment(phantom.volume, found, around, QUICK, slice_index=k, muscles=muscles)
    labels = out.mask.labels
    for label in SIDES.values():
        assert np.array_equal(labels == label, alone == label)
    assert {muscle for muscle, _ in out.quality} == {"maximus", "minimus"}  # none is known for the medius
    x = [np.nonzero(labels == label)[2] for label in LABELS["medius"].values()]
    assert min(len(side) for side in x) > 500
    assert x[0].min() > x[1].max()  # canonical: x grows to the left
    assert [i for i in range(len(labels)) if labels[i].any()] == list(around)


def test_ends_keep_only_what_lies_on_the_muscle_before():
    labels = np.zeros((7, 10, 20), np.uint8)
    labels[2:5, 2:8, 0:10] = 3
    labels[5, 2:8, 0:6] = 3  # goes on
    labels[5, 2:8, 14:20] = 3  # lies beside
    labels[6, 2:8, 3:12] = 3  # only a third of it lies on what went on
    labels[1, 2:8, 4:10] = 3
    labels[0, 2:8, 0:3] = 3  # lies on what is not there in slice 1
    expected = labels.copy()
    expected[5, :, 14:] = 0
    expected[[0, 6]] = 0
    gluteus._trim_ends(labels, 3, range(2, 5))
    assert np.array_equal(labels, expected)


@pytest.fixture(scope="module")
def measured(coarse):
    phantom, found, k = coarse
    return segmentation.segment(phantom.volume, found, range(k, k + 1), QUICK, slice_index=k)


def test_the_measured_slice_has_its_quality(measured):
    assert set(measured.quality) == {("maximus", "left"), ("maximus", "right")}
    for known in measured.quality.values():
        assert 0 <= known.repaired_share < METHOD.quality.max_repaired_share
        assert 0 < known.confidence <= 1
        assert 0 < known.edge_support <= 1


def test_without_any_fat_plane_confidence_is_low(coarse, measured):
    """With all planes filled in, the image does not decide the border."""
    phantom, found, k = coarse
    hu = phantom.volume.hu.copy()
    for image in hu:
        flesh = evidence.flesh(evidence.smooth(image[None], (1.5, 1.5))[0], (1.5, 1.5))
        image[flesh & (image < 55)] = 55
    volume = CtImage(hu, phantom.volume.geometry)
    bare = segmentation.segment(volume, replace(found, volume=volume), range(k, k + 1), QUICK, slice_index=k)
    uncertain, certain = (
        [known.confidence for known in found.quality.values()] for found in (bare, measured)
    )
    assert max(uncertain) < min(*certain, METHOD.quality.min_confidence)


def test_air_has_no_muscle(coarse):
    phantom, found, k = coarse
    air = CtImage(np.full_like(phantom.volume.hu, -1000), phantom.volume.geometry)
    with pytest.raises(GlutsegError) as caught:
        segmentation.segment(air, replace(found, volume=air), range(k, k + 1), QUICK)
    assert caught.value.code == "muscle-not-found"


def test_peak_level_must_lie_within_the_series(coarse):
    phantom, found, _ = coarse
    cut = phantom.volume.crop((slice(12, None), slice(None), slice(None)))  # above the heads' tops
    with pytest.raises(GlutsegError) as caught:
        segmentation.peak_level(cut, replace(found, volume=cut), LevelRule(landmark="peak-area"), QUICK)
    assert caught.value.code == "level-outside"
