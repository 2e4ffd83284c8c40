"""Slices of one patient in their order belong together; a break near the level asks for a look."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage as ndi

from glutseg.image import CtImage, Geometry
from glutseg.quality import check_continuity

LEVEL = 26
SLICE_MM = 3.0


def _drawn(seed):
    """A body whose inside changes from slice to slice as anatomy does: within 12 mm hardly anything stays."""
    rng = np.random.default_rng(seed)
    inside = ndi.gaussian_filter(rng.standard_normal((53, 48, 64)), (4.0, 3.0, 3.0))
    y, x = np.mgrid[-1:1:48j, -1:1:64j]
    width = 0.7 + 0.05 * rng.random() + 0.002 * np.arange(53)[:, None, None]
    body = (x / width) ** 2 + (y / 0.7) ** 2 < 1
    hu = np.where(body, 60 * inside / inside.std(), -1000) + rng.normal(0, 5, body.shape)
    return CtImage(np.rint(hu).astype(np.int16), Geometry(hu.shape, (SLICE_MM, 4.0, 4.0)))


@pytest.fixture(scope="module")
def patient():
    return _drawn(5)


@pytest.fixture(scope="module")
def somebody_else():
    return _drawn(8).hu


def _flags(image, **known):
    return check_continuity(replace(image, **known), [image.geometry.slice_z_mm(LEVEL)])


def _with(image, hu):
    return CtImage(hu, replace(image.geometry, shape=hu.shape))


@pytest.mark.parametrize("noise_hu", [0, 12, 40])
def test_the_slices_of_a_patient_belong_together(patient, noise_hu):
    noise = np.random.default_rng(1).normal(0, noise_hu, patient.hu.shape)
    assert _flags(replace(patient, hu=np.clip(patient.hu + noise, -1024, 3071).astype(np.int16))) == ()


@pytest.mark.parametrize("every", [2, 3])
def test_thick_slices_belong_together(patient, every):
    z_mm, y_mm, x_mm = patient.geometry.spacing_mm
    hu = patient.hu[::every].copy()
    geometry = replace(patient.geometry, shape=hu.shape, spacing_mm=(every * z_mm, y_mm, x_mm))
    thick = CtImage(hu, geometry)
    assert check_continuity(thick, [patient.geometry.slice_z_mm(LEVEL)]) == ()


def test_thin_slices_with_a_small_movement_belong_together(patient):
    _, y_mm, x_mm = patient.geometry.spacing_mm
    hu = np.repeat(patient.hu, 3, axis=0)  # of 1 mm, each shown three times
    hu[3 * LEVEL + 1 :] = ndi.shift(
        hu[3 * LEVEL + 1 :].astype(float), (0, 0, 2.0 / x_mm), order=1, cval=-1000
    )
    thin = CtImage(hu, replace(patient.geometry, shape=hu.shape, spacing_mm=(1.0, y_mm, x_mm)))
    assert check_continuity(thin, [patient.geometry.slice_z_mm(LEVEL)]) == ()


FOREIGN = {
    "two slices": slice(LEVEL, LEVEL + 2),
    "three slices": slice(LEVEL - 1, LEVEL + 2),
    "eleven slices": slice(LEVEL - 5, LEVEL + 6),
    "all from the level upwards": slice(LEVEL, None),
    "all below the level": slice(None, LEVEL),
}


@pytest.mark.parametrize("which", FOREIGN)
def test_slices_of_somebody_else_are_found(patient, somebody_else, which):
    hu = patient.hu.copy()
    hu[FOREIGN[which]] = somebody_else[FOREIGN[which]]
    (flag,) = _flags(replace(patient, hu=hu))
    assert flag.code == "slices-discontinuous"


@pytest.mark.parametrize("first", [LEVEL - 12, LEVEL - 6, LEVEL])
def test_slices_in_reverse_order_are_found(patient, first):
    hu = patient.hu.copy()
    hu[first : first + 12] = hu[first : first + 12][::-1]
    (flag,) = _flags(replace(patient, hu=hu))
    assert f"{patient.geometry.slice_z_mm(first - 1):.1f}" in flag.message


@pytest.mark.parametrize("first", [LEVEL - 9, LEVEL - 4, LEVEL])
def test_slices_taken_out_and_closed_up_are_found(patient, first):
    hu = np.concatenate([patient.hu[:first], patient.hu[first + 9 :]])
    (flag,) = _flags(_with(patient, hu))
    low_mm, high_mm = (patient.geometry.slice_z_mm(k) for k in (first - 1, first))
    assert f"at z {low_mm:.1f} and {high_mm:.1f} mm differ up to" in flag.message


def test_a_gap_that_is_known_is_no_break(patient):
    hu = patient.hu.copy()
    gone = range(LEVEL - 4, LEVEL + 1)
    hu[gone.start : gone.stop] = hu[gone.start - 1]
    assert _flags(replace(patient, hu=hu)) != ()
    assert _flags(replace(patient, hu=hu), missing_slices=frozenset(gone)) == ()


def test_slices_that_were_not_read_do_not_count(patient, somebody_else):
    hu = patient.hu.copy()
    hu[: LEVEL - 8] = somebody_else[: LEVEL - 8]
    assert _flags(replace(patient, hu=hu)) != ()
    assert _flags(replace(patient, hu=hu), unread_slices=frozenset(range(LEVEL - 8))) == ()


def test_what_lies_far_from_level_and_heads_does_not_matter(patient, somebody_else):
    hu = patient.hu.copy()
    hu[-6:] = somebody_else[-6:]
    changed, z_mm = replace(patient, hu=hu), patient.geometry.slice_z_mm
    assert check_continuity(changed, [z_mm(LEVEL)]) == ()
    assert check_continuity(changed, [z_mm(LEVEL), z_mm(LEVEL + 6)]) != ()


@pytest.mark.parametrize("n", [1, 2, 4])
def test_too_few_slices_show_no_break(patient, n):
    assert check_continuity(_with(patient, patient.hu[:n].copy()), [0.0]) == ()
