from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from glutseg.image import LEFT, RIGHT
from glutseg.phantom import PhantomPatient, PhantomScan, random_patients, render
from glutseg.phantom.body import bone_layers
from glutseg.phantom.model import Model
from glutseg.phantom.shapes import PlaneGrid, area_mm2, fill

SCAN = PhantomScan(matrix=210, pixel_mm=2.0, slice_mm=6.0, z_range_mm=(0.0, 36.0), noise_hu=0.0)
IN_PLANE = ndimage.generate_binary_structure(2, 1)[None]


@pytest.fixture(scope="module")
def phantom():
    return render(PhantomPatient(seed=4), SCAN)


def test_the_same_patient_and_scan_give_the_same_voxels(phantom):
    again = render(PhantomPatient(seed=4), SCAN)
    np.testing.assert_array_equal(again.volume.hu, phantom.volume.hu)
    np.testing.assert_array_equal(again.truth.labels, phantom.truth.labels)


def test_another_seed_gives_another_body(phantom):
    other = render(PhantomPatient(seed=5), SCAN)
    assert (other.truth.labels != phantom.truth.labels).any()
    assert other.true_landmarks_mm != phantom.true_landmarks_mm


@pytest.mark.parametrize("pixel_mm", [0.5, 1.0])
def test_the_pixel_count_approaches_the_outline_area(pixel_mm):
    one_slice = PhantomScan(
        matrix=int(420 / pixel_mm), pixel_mm=pixel_mm, slice_mm=1, z_range_mm=(24.0, 24.5), noise_hu=0
    )
    small = render(PhantomPatient(seed=4), one_slice)
    for side, label in (("left", LEFT), ("right", RIGHT)):
        counted = (small.truth.labels == label).sum() * pixel_mm**2
        assert counted == pytest.approx(small.area_mm2(side, 24.0), rel=0.006 * pixel_mm)


def test_the_outline_area_does_not_depend_on_the_scan(phantom):
    moved = replace(SCAN, centre_mm=(11.0, -7.0, 500.0), matrix=100)
    shifted = render(PhantomPatient(seed=4), moved)
    assert shifted.area_mm2("left", 524.0) == pytest.approx(phantom.area_mm2("left", 24.0))
    assert shifted.area_mm2("left", 24.0) == 0
    top = "femoral-head-top:left"
    np.testing.assert_allclose(
        np.subtract(shifted.true_landmarks_mm[top], phantom.true_landmarks_mm[top]), moved.centre_mm
    )


def test_rolling_keeps_the_area_and_lifts_the_left_side(phantom):
    straight = phantom
    rolled = render(replace(straight.patient, roll_degrees=8.0), SCAN)
    assert rolled.area_mm2("left", 24.0) == pytest.approx(straight.area_mm2("left", 24.0))
    name = "femoral-head-centre:left"
    assert rolled.true_landmarks_mm[name][1] < straight.true_landmarks_mm[name][1] - 5
    counted = [(p.truth.labels == LEFT).sum() for p in (rolled, straight)]
    assert counted[0] == pytest.approx(counted[1], rel=0.01)


def test_swapping_the_sides_mirrors_the_muscles():
    base = PhantomPatient(seed=4, asymmetry_mm=0, shape_mm=2, muscle_scale_left=1.2, muscle_scale_right=0.9)
    swapped = replace(base, muscle_scale_left=0.9, muscle_scale_right=1.2)
    one, two = render(base, SCAN).truth.labels, render(swapped, SCAN).truth.labels
    mirrored = np.array([0, RIGHT, LEFT], np.uint8)[two[:, :, ::-1]]
    assert (one != mirrored).sum() <= 0.001 * (one > 0).sum()  # points that lie on an outline


def test_left_is_at_larger_x(phantom):
    x = phantom.volume.geometry.spacing_mm[2] * np.arange(210) + phantom.volume.geometry.origin_mm[0]
    assert np.average(x, weights=(phantom.truth.labels == LEFT).sum(axis=(0, 1))) > 50
    assert np.average(x, weights=(phantom.truth.labels == RIGHT).sum(axis=(0, 1))) < -50
    assert phantom.true_landmarks_mm["femoral-head-centre:left"][0] > 0


def test_a_thicker_muscle_is_larger_in_proportion():
    areas = [
        render(
            PhantomPatient(seed=4, muscle_scale_left=s), replace(SCAN, matrix=8, z_range_mm=(24.0, 25.0))
        ).area_mm2("left", 24.0)
        for s in (0.8, 1.0, 1.2)
    ]
    assert areas[2] - areas[1] == pytest.approx(areas[1] - areas[0], rel=0.15)
    assert areas[2] > 1.3 * areas[0]


@pytest.mark.parametrize("patient", list(random_patients(6, seed=11)), ids=lambda p: p.patient_id)
def test_every_patient_is_plausible(patient):
    model = Model.of(patient)
    for shape in model.gluteus_maximus.values():
        assert 1800 < area_mm2(shape.cross_sections(24.0)[0]) < 6500


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_gluteus_maximus_does_not_overlap_bones(seed):
    patient = PhantomPatient(seed=seed)
    model = Model.of(patient)
    grid = PlaneGrid((700, 900), (0.5, 0.5), (-225.0, -175.0))
    bones = [c for c in bone_layers(patient) if c.tissue.name == "BONE"]
    shared = total = 0
    for z in np.arange(-120.0, 110.0, 6.0):
        muscle, bone = (np.zeros(grid.shape, bool) for _ in range(2))
        for canvas, polygons in (
            (muscle, [p for s in model.gluteus_maximus.values() for p in s.cross_sections(float(z))]),
            (bone, [p for c in bones for p in c.cross_sections(float(z))]),
        ):
            for polygon in polygons:
                box, inside = fill(polygon, grid)
                canvas[box] |= inside
        shared += (muscle & bone).sum()
        total += muscle.sum()
    assert shared < 0.004 * total


def test_densities_inside_the_muscle_are_as_specified():
    scan = replace(SCAN, slice_mm=12.0, z_range_mm=(-60.0, 48.0))
    for fat in (0.0, 0.2):
        phantom = render(PhantomPatient(seed=4, muscle_fat_fraction=fat, muscle_hu=50), scan)
        inside = ndimage.binary_erosion(phantom.truth.labels > 0, IN_PLANE, iterations=2)
        expected = 50 * (1 - fat) - 75 * fat
        assert phantom.volume.hu[inside].mean() == pytest.approx(expected, abs=5)


def test_femoral_heads_are_dense_spheres_at_the_landmarks(phantom):
    for side in ("left", "right"):
        centre = phantom.true_landmarks_mm[f"femoral-head-centre:{side}"]
        top = phantom.true_landmarks_mm[f"femoral-head-top:{side}"]
        assert 20 < top[2] - centre[2] < 28
        k, y, x = (round(v) for v in phantom.volume.geometry.index(centre))
        assert phantom.volume.hu[k : k + 2, y - 4 : y + 5, x - 4 : x + 5].mean() > 150


def test_thresholding_alone_leaks_into_neighbouring_muscles():
    scan = PhantomScan(matrix=420, pixel_mm=1.0, slice_mm=3.0, z_range_mm=(18.0, 40.0))
    phantom = render(PhantomPatient(seed=4), scan)
    muscle = (phantom.volume.hu >= -29) & (phantom.volume.hu <= 150)
    components, _ = ndimage.label(muscle)
    grown = components == np.bincount(components[(phantom.truth.labels == LEFT) & muscle]).argmax()
    leaked = grown & (phantom.truth.labels == 0)
    assert leaked.sum() > 1.0 * (phantom.truth.labels == LEFT).sum()


def test_noise_is_as_specified():
    scan = PhantomScan(matrix=420, pixel_mm=1.0, slice_mm=2.0, z_range_mm=(20.0, 24.0))
    noisy = render(PhantomPatient(), replace(scan, noise_hu=15)).volume.hu.astype(float)
    clean = render(PhantomPatient(), replace(scan, noise_hu=0)).volume.hu
    body = ndimage.binary_erosion(clean > -200, IN_PLANE, iterations=3)
    assert (noisy - clean)[body].std() == pytest.approx(15, rel=0.05)


@pytest.mark.parametrize(
    "wrong",
    [{"patient_id": "../x"}, {"patient_id": ""}, {"height_m": 165.0}, {"muscle_fat_fraction": 0.9}],
)
def test_impossible_patients_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PhantomPatient(**wrong)


def test_an_impossible_scan_is_refused():
    with pytest.raises(ValueError, match="z_range_mm"):
        PhantomScan(z_range_mm=(50.0, -50.0))
