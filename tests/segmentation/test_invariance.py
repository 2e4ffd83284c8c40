"""What must not change the answer: the patient's place and side, things beside them, storage order."""

from dataclasses import replace

import numpy as np
import pytest

from glutseg import anatomy, segmentation
from glutseg.api import stages as api
from glutseg.image import LEFT, RIGHT, CtImage, Geometry
from glutseg.phantom import PhantomPatient, PhantomScan, render
from glutseg.protocol import LevelRule

PIXEL_MM, SLICE_MM = 1.5, 5.0


@pytest.fixture(scope="module")
def volume() -> CtImage:
    """A patient who is neither symmetric nor straight, in a picture with room around."""
    patient = PhantomPatient(seed=2, roll_degrees=3.0, muscle_scale_left=1.1, asymmetry_mm=1.5)
    scan = PhantomScan(matrix=300, pixel_mm=PIXEL_MM, slice_mm=SLICE_MM, z_range_mm=(-55.0, 60.0))
    return render(patient, scan).volume


def _answer(volume: CtImage):
    """(slice, labels) by the rooms themselves."""
    found = anatomy.find_anatomy(volume)
    k = anatomy.find_level(found, LevelRule()).slice_index
    return k, segmentation.segment(volume, found, range(k, k + 2)).mask.labels


@pytest.fixture(scope="module")
def answer(volume):
    k, labels = _answer(volume)
    assert np.count_nonzero(labels[k] == LEFT) > 500
    assert np.count_nonzero(labels[k] == RIGHT) > 500
    labels.setflags(write=False)
    return k, labels


def assert_same(volume: CtImage, expected) -> None:
    k, labels = _answer(volume)
    assert k == expected[0]
    differ = np.count_nonzero(labels != expected[1])
    assert differ == 0, f"{differ} of {np.count_nonzero(expected[1])} pixels differ"


def _mirror(volume: CtImage) -> CtImage:
    return CtImage(np.ascontiguousarray(volume.hu[..., ::-1]), volume.geometry)


def _mirrored(labels):
    turned = labels[..., ::-1]
    return np.select([turned == LEFT, turned == RIGHT], [RIGHT, LEFT], 0).astype(np.uint8)


def _with_hips(volume: CtImage, heads, k: int):
    """The segmentation's own part: the answer for hips that are given."""
    found = anatomy.Anatomy(volume, replace(anatomy.find_anatomy(volume).hips, left=heads[0], right=heads[1]))
    return segmentation.segment(volume, found, range(k, k + 2)).mask.labels


def _heads(volume: CtImage, *, sign: float = 1.0, shift_mm: tuple[float, float] = (0.0, 0.0)):
    hips = anatomy.find_anatomy(volume).hips
    pair = (hips.left, hips.right) if sign > 0 else (hips.right, hips.left)
    return [
        replace(
            h, centre_mm=(sign * h.centre_mm[0] + shift_mm[0], h.centre_mm[1] + shift_mm[1], h.centre_mm[2])
        )
        for h in pair
    ]


def test_mirroring_the_patient_swaps_left_and_right(volume, answer):
    k, labels = answer
    assert_same(_mirror(volume), (k, _mirrored(labels)))


def test_mirroring_the_patient_and_the_hips_swaps_left_and_right(volume, answer):
    k, labels = answer
    again = _with_hips(_mirror(volume), _heads(volume, sign=-1.0), k)  # the grid's middle is x = 0
    assert (labels == LEFT).sum() != (labels == RIGHT).sum()  # or the test could not fail
    assert np.count_nonzero(again != _mirrored(labels)) == 0


SHIFTS = [(0, 0, 17), (0, -11, 0), (0, 5, -23)]


def _moved(volume: CtImage, shift) -> CtImage:
    return CtImage(np.roll(volume.hu, shift, (0, 1, 2)), volume.geometry)


@pytest.mark.parametrize("shift", SHIFTS)
def test_moving_the_patient_in_the_field_moves_the_mask(volume, answer, shift):
    k, labels = answer
    assert_same(_moved(volume, shift), (k, np.roll(labels, shift, (0, 1, 2))))


@pytest.mark.parametrize("shift", SHIFTS[2:])
def test_moving_the_patient_and_the_hips_moves_the_mask(volume, answer, shift):
    k, labels = answer
    heads = _heads(volume, shift_mm=(shift[2] * PIXEL_MM, shift[1] * PIXEL_MM))
    again = _with_hips(_moved(volume, shift), heads, k)
    assert np.count_nonzero(again != np.roll(labels, shift, (0, 1, 2))) == 0


def test_cutting_off_a_slice_at_the_end_moves_the_mask(volume, answer):
    k, labels = answer
    assert_same(volume.crop((slice(1, None), slice(None), slice(None))), (k - 1, labels[1:]))


@pytest.mark.parametrize("origin_mm", [(0.0, 0.0, 0.0), (-211.3, -198.7, -1043.25), (512.0, 77.7, 900.5)])
def test_the_scanners_origin_does_not_matter(volume, answer, origin_mm):
    assert_same(CtImage(volume.hu, replace(volume.geometry, origin_mm=origin_mm)), answer)


def _beside(volume: CtImage, what: str) -> tuple[np.ndarray, int]:
    """Where a thing lies in every slice, and its HU; it comes near the body and does not touch it."""
    n = volume.geometry.shape[1]
    at = (np.arange(n) - (n - 1) / 2) * PIXEL_MM
    y, x = at[:, None], at[None]
    solid = volume.hu > -400
    rows, columns = at[solid.any((0, 2))], at[solid.any((0, 1))]
    side = np.abs(columns).max()
    return {
        "cushion": ((np.abs(y - rows.max() - 14) < 3) & (np.abs(x) < 190), -120),
        "arms": (np.hypot(y, np.abs(x) - side - 24) < 20, 45),
        "bones of the arms": (np.hypot(y, np.abs(x) - side - 24) < 9, 900),
        "hands": (np.hypot((y - rows.min() + 16) / 12, (np.abs(x) - 40) / 35) < 1, 30),
    }[what]


@pytest.mark.parametrize("things", [["cushion"], ["arms", "bones of the arms"], ["hands"]])
def test_things_beside_the_patient_do_not_matter(volume, answer, things):
    hu = volume.hu.copy()
    for thing in things:
        where, value = _beside(volume, thing)
        assert where.any()
        assert not (volume.hu[:, where] > -400).any()
        hu[:, where] = value
    assert_same(CtImage(hu, volume.geometry), answer)


def _stored(volume: CtImage, flips: tuple[bool, bool, bool]) -> CtImage:
    """The same patient as a scanner might store him, some axes running the other way."""
    g = volume.geometry
    signs = [-1.0 if f else 1.0 for f in flips]
    corner = [(n - 1) if f else 0 for n, f in zip(g.shape, flips, strict=True)]
    direction = np.diag(signs[::-1])
    geometry = Geometry(g.shape, g.spacing_mm, g.point_mm(*corner), tuple(direction.ravel()))
    turned = volume.hu[tuple(slice(None, None, -1) if f else slice(None) for f in flips)]
    return CtImage.from_array(np.ascontiguousarray(turned), geometry)


@pytest.fixture(scope="module")
def mask_in_space(volume):
    level = api.find_level(volume)
    return level, api.segment(volume, level, profile_mm=0.0).mask


@pytest.mark.parametrize("flips", [(True, False, False), (True, True, True)])
def test_the_order_of_storage_does_not_matter(volume, mask_in_space, flips):
    level, mask = mask_in_space
    stored = _stored(volume, flips)
    found = api.find_level(stored)
    assert found.z_mm == pytest.approx(level.z_mm)
    again = api.segment(stored, found, profile_mm=0.0).mask
    assert again.stored == stored.stored
    assert np.array_equal(again.labels, mask.labels)
