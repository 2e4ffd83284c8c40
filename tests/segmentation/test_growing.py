import math

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError
from scipy import ndimage

from glutseg.errors import GlutsegError
from glutseg.image import Geometry
from glutseg.segmentation.growing import (
    Bounds,
    Confidence,
    Interval,
    Neighborhood,
    Seed,
    grow_region,
    parse_seed,
    parse_settings,
    place_seed,
)
from small_volumes import GRID_MM, volume_of

ALL = (
    Interval(),
    Bounds(lower_hu=-29, upper_hu=150),
    Neighborhood(lower_hu=-190, upper_hu=200),
    Neighborhood(lower_hu=-190, upper_hu=200, radius_px=1),
    Confidence(),
    Confidence(multiplier=1.2, iterations=2, initial_radius_px=1),
)


def direct(pixels, seed, how):
    """The answer of ITK's filters, called here with their own arguments."""
    image = sitk.GetImageFromArray(np.asarray(pixels, np.float32))
    x, y, z = seed
    match how:
        case Interval():
            value = float(pixels[z, y, x])
            f = sitk.ConnectedThresholdImageFilter()
            f.SetConnectivity(sitk.ConnectedThresholdImageFilter.FaceConnectivity)
            f.SetLower(value - how.interval_hu / 2)
            f.SetUpper(value + how.interval_hu / 2)
        case Bounds():
            f = sitk.ConnectedThresholdImageFilter()
            f.SetLower(how.lower_hu)
            f.SetUpper(how.upper_hu)
        case Neighborhood():
            f = sitk.NeighborhoodConnectedImageFilter()
            f.SetLower(how.lower_hu)
            f.SetUpper(how.upper_hu)
            f.SetRadius([how.radius_px] * 3)
        case Confidence():
            f = sitk.ConfidenceConnectedImageFilter()
            f.SetMultiplier(how.multiplier)
            f.SetNumberOfIterations(how.iterations)
            f.SetInitialNeighborhoodRadius(how.initial_radius_px)
    f.SetReplaceValue(1)
    f.SetSeedList([[x, y, z]])
    return sitk.GetArrayFromImage(f.Execute(image))


volumes = hnp.arrays(
    np.int16,
    st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9)),
    elements=st.integers(-300, 300),
)


@given(volumes, st.sampled_from(ALL), st.data())
@settings(max_examples=150, deadline=None)
def test_every_pixel_is_itks(hu, how, data):
    z, y, x = (data.draw(st.integers(0, n - 1)) for n in hu.shape)
    volume = volume_of(hu)
    in_3d = grow_region(volume, Seed(x, y, z), how, is_3d=True)
    np.testing.assert_array_equal(in_3d.labels, direct(hu, (x, y, z), how))
    in_2d = grow_region(volume, Seed(x, y, z), how)
    np.testing.assert_array_equal(in_2d.labels[z], direct(hu[z : z + 1], (x, y, 0), how)[0])
    assert in_2d.labels.sum() == in_2d.labels[z].sum()


@pytest.mark.parametrize("how", ALL, ids=lambda s: repr(s)[:40])
def test_a_phantoms_muscle_is_itks(small_phantom, how):
    volume = small_phantom.volume
    z, y, x = (int(v) for v in np.argwhere(small_phantom.truth.labels == 1).mean(0).round())
    mask = grow_region(volume, Seed(x, y, z), how, is_3d=True)
    np.testing.assert_array_equal(mask.labels, direct(volume.hu, (x, y, z), how))
    assert mask.geometry == volume.geometry


@given(volumes, st.data())
@settings(max_examples=80, deadline=None)
def test_bounds_are_the_component_of_the_seed(hu, data):
    """Against another library, so that a mistake common to both calls of ITK would show."""
    z, y, x = (data.draw(st.integers(0, n - 1)) for n in hu.shape)
    mask = grow_region(volume_of(hu), Seed(x, y, z), Bounds(lower_hu=-50, upper_hu=120), is_3d=True)
    pieces, _ = ndimage.label((hu >= -50) & (hu <= 120))
    expected = (pieces == pieces[z, y, x]) & (pieces > 0)
    np.testing.assert_array_equal(mask.labels.astype(bool), expected)


def test_interval_includes_both_ends_and_joins_by_faces_only():
    hu = [
        [50, 100, 101, 0],
        [0, 99, 100, -1],
        [-1, 200, 0, 100],
        [60, 200, 200, 200],
    ]
    expected = [
        [1, 1, 0, 0],
        [1, 1, 1, 0],
        [0, 0, 1, 1],
        [0, 0, 0, 0],  # 60 would qualify and touches by no face
    ]
    mask = grow_region(volume_of(hu), Seed(0, 0, 0), Interval())
    np.testing.assert_array_equal(mask.labels[0], expected)


def test_the_seed_is_the_raw_pixel():
    """One noisy pixel moves the window, as in OsiriX: seed 80, so 30 to 130."""
    hu = [[20, 40, 20], [40, 80, 130], [20, 131, 30]]
    mask = grow_region(volume_of(hu), Seed(1, 1, 0), Interval())
    np.testing.assert_array_equal(mask.labels[0], [[0, 1, 0], [1, 1, 1], [0, 0, 1]])


def test_half_an_odd_interval_is_not_cut_to_whole_units():
    """60 ± 49.5 is 10.5 to 109.5; on integers ITK would take 10 for the lower end."""
    mask = grow_region(volume_of([[10, 60, 11], [110, 109, 60]]), Seed(1, 0, 0), Interval(interval_hu=99))
    np.testing.assert_array_equal(mask.labels[0], [[0, 1, 1], [0, 1, 1]])


def test_neighborhood_keeps_a_radius_away_from_what_does_not_qualify():
    hu = np.full((7, 7), 40)
    hu[3, 6] = 500
    how = Neighborhood(lower_hu=0, upper_hu=100, radius_px=1)
    mask = grow_region(volume_of(hu), Seed(0, 0, 0), how)
    expected = np.ones((7, 7))
    expected[2:5, 5:7] = 0
    np.testing.assert_array_equal(mask.labels[0], expected)


def test_neighborhood_has_its_radius_in_z_too():
    hu = np.full((7, 3, 3), 40)
    hu[6] = 500
    volume = volume_of(hu)
    how = Neighborhood(lower_hu=0, upper_hu=100)
    in_3d = grow_region(volume, Seed(1, 1, 0), how, is_3d=True)
    assert in_3d.labels.any((1, 2)).tolist() == [True] * 4 + [False] * 3
    in_2d = grow_region(volume, Seed(1, 1, 5), how)
    assert in_2d.labels[5].all()  # in its own slice nothing stands against it


def test_confidence_by_hand():
    """Around the seed nine values: mean 10, sum of squares 60, as one slice of 3D counted three times.

    Variance 180 / 26, so 10 ± 2.2 x 2.631 is 4.21 to 15.79; no iteration follows. A two-dimensional
    image would give 60 / 8, 3.97 to 16.03, and with it the 4 and the 16.
    """
    hu = [
        [12, 10, 8, 5],
        [15, 10, 5, 4],
        [9, 10, 11, 16],
    ]
    how = Confidence(multiplier=2.2, iterations=0, initial_radius_px=1)
    mask = grow_region(volume_of(hu), Seed(1, 1, 0), how)
    np.testing.assert_array_equal(mask.labels[0], [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 0]])


def test_2d_stays_in_its_slice_and_3d_goes_around():
    hu = np.full((3, 1, 3), 500)
    hu[0, 0, 0] = hu[1, 0, :] = hu[0, 0, 2] = 40  # a bridge in slice 1
    volume = volume_of(hu)
    flat = grow_region(volume, Seed(0, 0, 0), Interval())
    assert flat.labels.sum() == 1
    deep = grow_region(volume, Seed(0, 0, 0), Interval(), is_3d=True)
    assert deep.labels.sum() == 5
    np.testing.assert_array_equal(deep.labels.astype(bool), hu == 40)


def test_defaults_are_osirixs():
    assert Interval().interval_hu == 100
    assert Neighborhood(lower_hu=0, upper_hu=1).radius_px == 2
    how = Confidence()
    assert (how.multiplier, how.iterations, how.initial_radius_px) == (2.5, 5, 2)
    assert parse_settings("confidence", multiplier=None) == how


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Interval().interval_hu = 3


@pytest.mark.parametrize(
    ("method", "given", "code", "words"),
    [
        ("bounds", {}, "bounds-missing", "bounds needs lower_hu; bounds needs upper_hu"),
        ("neighborhood", {"lower_hu": 1}, "bounds-missing", "upper_hu"),
        ("bounds", {"lower_hu": 2, "upper_hu": 1}, "bounds-reversed", "lower 2.0 HU is above upper 1.0 HU"),
        ("neighborhood", {"lower_hu": 2, "upper_hu": 1}, "bounds-reversed", "above"),
        ("flood", {}, "growing-invalid", "no method 'flood'"),
        ("interval", {"radius_px": 2}, "growing-invalid", "interval has no radius_px"),
        ("interval", {"interval_hu": -1}, "growing-invalid", "interval_hu"),
        ("interval", {"interval_hu": math.nan}, "growing-invalid", "interval_hu"),
        ("bounds", {"lower_hu": -math.inf, "upper_hu": 1}, "growing-invalid", "lower_hu"),
        ("neighborhood", {"lower_hu": 0, "upper_hu": 1, "radius_px": 21}, "growing-invalid", "radius_px"),
        ("confidence", {"iterations": 2.5}, "growing-invalid", "iterations"),
        ("confidence", {"initial_radius_px": 0}, "growing-invalid", "initial_radius_px"),
    ],
)
def test_wrong_parameters_are_named(method, given, code, words):
    with pytest.raises(GlutsegError, match=words) as caught:
        parse_settings(method, **given)
    assert caught.value.code == code


def test_equal_bounds_are_allowed():
    mask = grow_region(volume_of([[7, 7, 8]]), Seed(0, 0, 0), Bounds(lower_hu=7, upper_hu=7))
    assert mask.labels[0].tolist() == [[1, 1, 0]]


@pytest.mark.parametrize("text", ["", "1", "1,2,3,4", "1,b", "1.5,2", "nan,1"])
def test_seed_texts_that_name_no_pixel(text):
    with pytest.raises(GlutsegError, match="seed-invalid"):
        parse_seed(text)


def test_seed_on_the_grid():
    grid = Geometry((4, 5, 6), GRID_MM, (0.0, 0.0, 100.0))
    assert parse_seed("5, 4,3") == (5, 4, 3)
    assert place_seed((5, 4, 3), grid) == Seed(x=5, y=4, z=3)
    assert place_seed((5, 4), grid, z_mm=111.0).z == 2
    assert place_seed((0, 0), Geometry((1, 5, 6), GRID_MM)).z == 0


@pytest.mark.parametrize(
    ("xyz", "z_mm", "code"),
    [
        ((6, 0, 0), None, "seed-outside"),
        ((0, 5, 0), None, "seed-outside"),
        ((0, 0, 4), None, "seed-outside"),
        ((-1, 0, 0), None, "seed-outside"),
        ((0, 0, -1), None, "seed-outside"),
        ((0, 0), 50.0, "seed-outside"),
        ((0, 0), None, "seed-invalid"),
        ((0, 0, 1), 100.0, "seed-invalid"),
        ((0, 0), math.nan, "seed-invalid"),
        ((0,), None, "seed-invalid"),
    ],
)
def test_seeds_outside_or_undecided(xyz, z_mm, code):
    grid = Geometry((4, 5, 6), GRID_MM, (0.0, 0.0, 100.0))
    with pytest.raises(GlutsegError) as caught:
        place_seed(xyz, grid, z_mm)
    assert caught.value.code == code


def test_a_height_names_no_coronal_slice():
    coronal = Geometry((4, 5, 6), GRID_MM, direction=(1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0))
    with pytest.raises(GlutsegError, match="not axial"):
        place_seed((0, 0), coronal, z_mm=0.0)


def test_a_seed_outside_never_reaches_itk():
    with pytest.raises(GlutsegError, match="seed-outside"):
        grow_region(volume_of([[1]]), Seed(1, 0, 0), Interval())
