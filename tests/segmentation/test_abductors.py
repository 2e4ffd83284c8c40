"""Gluteus medius and minimus: on a made scene, and on a coarse phantom whose muscles are known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glutseg import anatomy
from glutseg.image import CtImage, Geometry
from glutseg.phantom import PhantomPatient, PhantomScan, body, muscles, render
from glutseg.phantom.shapes import PlaneGrid, fill
from glutseg.segmentation import Settings
from glutseg.segmentation.abductors import Abductors, _outline, find_abductors
from glutseg.segmentation.abductors_layers import find_surfaces
from glutseg.segmentation.abductors_scene import TURN, TURNED_DEGREES, DeepScene, look_deeper, turned
from glutseg.segmentation.abductors_usual import Belief, usual_medius
from glutseg.segmentation.layer import find_layer
from glutseg.segmentation.outline import draw
from glutseg.segmentation.sheet import ANGLES_DEGREES, Fan

SCAN = PhantomScan(matrix=250, pixel_mm=1.5, slice_mm=5.0, z_range_mm=(-40.0, 60.0))
SETTINGS = Settings(context_mm=15.0)
MIRROR_SCAN = replace(SCAN, z_range_mm=(-25.0, 40.0))
N = len(TURNED_DEGREES)
GRID = Geometry(shape=(6, 250, 250), spacing_mm=(3.0, 1.0, 1.0), origin_mm=(-100.0, -100.0, 0.0))
FAN = turned(Fan((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), GRID))
MEDIUS_MM, BONE_MM, OUTER_MM = 62, 49, 90


def _scene(*, wall_mm: float | None = MEDIUS_MM, on_bone: bool = False) -> DeepScene:
    """Rings: bone to 49 mm (with a plane of fat on it), minimus, a plane of fat, medius to 90 mm."""
    shape = (6, N, len(FAN.radii_mm))
    radius = np.broadcast_to(FAN.radii_mm, shape)
    there = np.broadcast_to(((TURNED_DEGREES > 20) & (TURNED_DEGREES < 120))[:, None], shape)
    fill_ = np.where((radius <= OUTER_MM) & there, 1.0, 0.0).astype(np.float32)
    wall = np.zeros(shape, np.float32)
    if on_bone:
        wall[np.abs(radius - BONE_MM - 1) <= 1] = 0.15
    if wall_mm is not None:
        wall[np.abs(radius - wall_mm) <= 1] = 0.15
    beside = np.broadcast_to(((TURNED_DEGREES > 10) & (TURNED_DEGREES < 130))[:, None], shape)
    return DeepScene(
        fan=FAN,
        slab_mm=3.0,
        fill=fill_,
        wall=wall,
        bone=(radius <= BONE_MM) & beside,
        outer=np.full(shape[:2], OUTER_MM, np.int64),
        above_mm=30 + 3.0 * np.arange(6),
        muscle_hu=55.0,
    )


MIDDLE = (TURNED_DEGREES > 60) & (TURNED_DEGREES < 90)


@pytest.mark.parametrize("wall_mm", [58, 60, 62, 64])
def test_the_two_muscles_meet_at_a_wall_that_shows(wall_mm):
    found = find_surfaces(_scene(wall_mm=wall_mm), Settings(), Belief())
    assert np.abs(found.medius_mm[:, MIDDLE] - wall_mm).max() <= 1.5


def test_the_minimus_goes_down_to_the_bone():
    found = find_surfaces(_scene(on_bone=True), Settings(), Belief())
    forward = TURNED_DEGREES > 72  # further back the medius takes the plane on the bone for its own
    assert np.abs(found.minimus_mm[:, MIDDLE & forward] - BONE_MM).max() <= 1.5
    assert np.abs(found.medius_mm[:, MIDDLE & forward] - MEDIUS_MM).max() <= 1.5


def test_where_no_wall_shows_the_medius_is_about_as_thick_as_usual():
    scene = _scene(wall_mm=None)
    found = find_surfaces(scene, Settings(), Belief())
    usual = usual_medius(scene, Belief()).thickness_mm[2:4, MIDDLE]
    assert (OUTER_MM - found.medius_mm)[2:4, MIDDLE].mean() == pytest.approx(usual.mean(), rel=0.15)


def test_a_larger_belief_moves_only_what_is_not_seen():
    larger = Belief(1.3, 0.0)
    seen, bare = _scene(), _scene(wall_mm=None)

    def move(scene):
        both = [find_surfaces(scene, Settings(), b).medius_mm[:, MIDDLE] for b in (Belief(), larger)]
        return float(np.abs(both[0] - both[1]).max())

    assert move(seen) <= 1
    assert move(bare) >= 3


def test_a_pocket_of_fat_between_the_two_hides_no_minimus():
    scene = _scene(on_bone=True)
    radius = np.broadcast_to(FAN.radii_mm, scene.fill.shape)
    pocket = replace(scene, fill=np.where((radius > 57) & (radius < 66), 0.0, scene.fill).astype(np.float32))
    found = find_surfaces(pocket, Settings(), Belief())
    assert found.medius_mm[:, MIDDLE].min() > 57
    assert np.abs(found.minimus_mm[:, MIDDLE] - BONE_MM).max() <= 1.5


def test_surfaces_lie_in_order():
    found = find_surfaces(_scene(), Settings(), Belief())
    assert (found.minimus_mm <= found.roof_mm).all()
    assert (found.medius_mm <= OUTER_MM + 0.5).all()


@settings(max_examples=10, deadline=None)
@given(st.floats(-np.pi, np.pi), st.booleans())
def test_the_turned_fan_has_the_same_rays_further_on(roll, mirrored):
    """Ray ``i`` of the turned fan is ray ``i + TURN`` of the fan that it was turned from."""
    lateral = (np.cos(roll), np.sin(roll))
    posterior = (-np.sin(roll), np.cos(roll)) if not mirrored else (np.sin(roll), -np.cos(roll))
    fan = Fan((3.0, -2.0), lateral, posterior, GRID)
    for own, other in zip(fan._rays, turned(fan)._rays, strict=True):
        assert own[TURN:] == pytest.approx(other[: N - TURN], abs=1e-9)


def test_the_turned_fans_angles_are_those_of_the_maximus():
    assert TURNED_DEGREES[0] == ANGLES_DEGREES[TURN]


def test_the_outline_closes_streaks_and_drops_crumbs():
    between = np.zeros((60, 60), bool)
    between[10:50, 10:50] = True
    flesh = between.copy()
    flesh[28:31, 10:50] = False
    assert _outline(between, flesh, (1.0, 1.0))[29, 20:40].all()
    crumb = np.zeros_like(flesh)
    crumb[20:25, 20:25] = True
    assert not _outline(between, crumb, (1.0, 1.0)).any()
    assert not (_outline(between, np.ones_like(flesh), (1.0, 1.0)) & ~between).any()


def _truth(patient: PhantomPatient, geometry: Geometry, k: int, name: str, side: str):
    """One muscle of the phantom on a slice, as far as no other is painted over it."""
    plane = PlaneGrid(geometry.shape[1:], geometry.spacing_mm[1:], geometry.origin_mm[:2])
    canvas = np.zeros(geometry.shape[1:], np.int64)
    z_mm = geometry.slice_z_mm(k)
    wanted = 1 + 2 * list(muscles.MUSCLES).index(name) + list(body.SIGNS).index(side)
    flesh = [c.shape for c in body.muscle_layers(patient) if c.tissue == body.Tissue.MUSCLE]
    over = [c.shape for c in body.bone_layers(patient)] + list(body.gluteus_maximus(patient).values())
    for label, solid in [*enumerate(flesh, 1), *((0, s) for s in over)]:
        low, high = solid.z_range_mm
        for polygon in solid.cross_sections(z_mm) if low <= z_mm <= high else ():
            hit = fill(polygon, plane)
            if hit is not None:
                canvas[hit[0]][hit[1]] = label
    return canvas == wanted


def _find(volume: CtImage, hips: anatomy.Hips, side: str, slices: range, measured: int | None = None):
    found = anatomy.Anatomy(volume, hips)
    layer = find_layer(volume, found, side, slices, SETTINGS)
    maximus = np.zeros(volume.geometry.shape, bool)
    rows, columns = layer.scene.fan.window
    for k in slices:
        maximus[k, rows, columns] = draw(volume, layer, k).mask
    out = find_abductors(volume, layer, maximus, slices, measured=measured)
    return out, maximus, layer


@pytest.fixture(scope="module")
def coarse():
    patient = PhantomPatient(seed=2)
    made = render(patient, SCAN)
    hips = anatomy.find_anatomy(made.volume).hips
    k = made.volume.geometry.nearest_slice(hips.top_mm)
    slices = range(k, k + 5)
    return patient, made, k, slices, _find(made.volume, hips, "left", slices, measured=k)


def _dice(a, b) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.mark.parametrize("above", [0, 4])
def test_both_muscles_of_a_phantom_are_found(coarse, above):
    """A body drawn by hand that no table of the usual was read from, on slices of 5 mm."""
    patient, made, k, _, (out, *_) = coarse
    g = made.volume.geometry
    truth = {n: _truth(patient, g, k + above, f"gluteus-{n}", "left") for n in ("medius", "minimus")}
    assert min(t.sum() for t in truth.values()) > 50
    assert _dice(out.medius[k + above], truth["medius"]) > 0.8
    assert _dice(out.minimus[k + above], truth["minimus"]) > 0.75


def test_masks_do_not_overlap_and_keep_to_their_slices(coarse):
    _, _, _, slices, (out, maximus, *_) = coarse
    assert not (out.medius & out.minimus).any()
    assert not ((out.medius | out.minimus) & maximus).any()
    for mask in (out.medius, out.minimus):
        filled = [k for k in range(len(mask)) if mask[k].any()]
        assert filled == list(slices)


def test_the_measured_slice_is_doubted_only_when_asked(coarse):
    _, made, _, slices, (out, maximus, layer) = coarse
    assert set(out.confidence) == {"minimus"}
    assert 0 < out.confidence["minimus"] <= 1
    again = find_abductors(made.volume, layer, maximus, slices[:1])
    assert again.confidence == {}
    assert isinstance(again, Abductors)


def test_mirroring_the_patient_swaps_left_and_right_exactly():
    made = render(PhantomPatient(seed=2, roll_degrees=3.0, asymmetry_mm=1.5), MIRROR_SCAN)
    hips = anatomy.find_anatomy(made.volume).hips
    k = made.volume.geometry.nearest_slice(hips.top_mm)
    mirror = CtImage(np.ascontiguousarray(made.volume.hu[..., ::-1]), made.volume.geometry)
    left, right = (replace(h, centre_mm=(-h.centre_mm[0], *h.centre_mm[1:])) for h in (hips.right, hips.left))
    own, *_ = _find(made.volume, hips, "left", range(k, k + 3))
    other, *_ = _find(mirror, replace(hips, left=left, right=right), "right", range(k, k + 3))
    assert own.medius.any()
    assert own.minimus.any()
    assert np.array_equal(own.medius, other.medius[..., ::-1])
    assert np.array_equal(own.minimus, other.minimus[..., ::-1])


def test_nothing_is_found_in_air(coarse):
    _, made, k, slices, (_, _, layer) = coarse
    air = CtImage(np.full_like(made.volume.hu, -1000), made.volume.geometry)
    out = find_abductors(air, layer, np.zeros(air.hu.shape, bool), slices, measured=k)
    assert not out.medius.any()
    assert not out.minimus.any()
    assert out.confidence == {"minimus": 0.0}


def test_the_medius_own_density_is_the_measure(coarse):
    _, made, _, _, (_, _, layer) = coarse
    scene = look_deeper(made.volume, layer)
    brighter = CtImage(made.volume.hu + np.int16(20), made.volume.geometry)
    assert look_deeper(brighter, layer).muscle_hu == pytest.approx(scene.muscle_hu + 20, abs=1)
