import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicom_builder import header
from hypothesis import given
from hypothesis import strategies as st

from glutseg.dicom.source import Source
from glutseg.dicom.stack import build_stacks


def build_stack(slices):
    return build_stacks([slices])[0]


def codes(stack):
    return [f.code for f in stack.flags]


def zs(stack):
    return [s.position_mm[2] for s in stack.slices]


def test_spacing_comes_from_positions_ascending_along_the_normal():
    stack = build_stack([header(z, n) for n, z in enumerate([9, 6, 3, 0])])
    assert zs(stack) == [0, 3, 6, 9]
    assert stack.geometry.spacing_mm == (3.0, 0.8, 0.7)
    assert stack.geometry.origin_mm == (0, 0, 0)
    assert stack.flags == ()


def test_pixel_spacing_is_rows_first_and_iop_columns_first():
    s = [header(z, orientation=(0, 1, 0, -1, 0, 0)) for z in (0, 3)]
    geometry = build_stack(s).geometry
    assert geometry.point_mm(0, 0, 1) == pytest.approx((0, 0.7, 0))  # next column: to the back
    assert geometry.point_mm(0, 1, 0) == pytest.approx((-0.8, 0, 0))  # next row: to the right


@given(st.permutations(range(12)), st.sampled_from(["plain", "duplicates", "gap", "acquisitions"]))
def test_order_of_files_never_matters(order, kind):
    slices = [header(3 * k, k) for k in range(12)]
    if kind == "duplicates":
        slices = [header(3 * (k // 2), k) for k in range(12)]
    elif kind == "gap":
        slices = [header(3 * k + 3 * (k > 7), k) for k in range(12)]
    elif kind == "acquisitions":
        slices = [header(3 * (k % 6), None, acquisition_number=k // 6, sop_uid=f"1.{k}") for k in range(12)]
    assert build_stack([slices[i] for i in order]) == build_stack(slices)


def test_of_two_images_at_one_position_the_lowest_instance_number_is_kept():
    stack = build_stack([header(0, 5), header(0, 2), header(0, None), header(3, 7)])
    assert [s.instance_number for s in stack.slices] == [2, 7]
    assert codes(stack) == ["slice-duplicate"]


@pytest.mark.parametrize("missing", [[5], [1], [18], [5, 12], [5, 6, 7, 8], [3, 8, 13]])
def test_a_short_gap_does_not_shift_the_other_slices(missing):
    stack = build_stack([header(3 * k, k) for k in range(20) if k not in missing])
    assert stack.geometry.shape[0] == 20
    assert stack.geometry.spacing_mm[0] == 3
    assert stack.grid_indices == tuple(k for k in range(20) if k not in missing)
    for grid_index, s in zip(stack.grid_indices, stack.slices, strict=True):
        assert stack.geometry.slice_z_mm(grid_index) == pytest.approx(s.position_mm[2])
    assert codes(stack) == ["series-gap"]
    assert f"{len(missing)} slices are missing" in stack.flags[0].message
    assert f"z {3 * missing[0] - 3:.1f} and" in stack.flags[0].message


def test_a_long_gap_divides_a_series_into_two_stacks():
    slices = [header(3 * k, k) for k in range(60) if not 25 <= k < 31]  # 18 mm without an image
    first, second = build_stacks([slices])
    assert zs(first) == [3 * k for k in range(31, 60)]
    assert zs(second) == [3 * k for k in range(25)]
    assert codes(first) == codes(second) == ["series-gap"]
    assert "29 of 54" in first.flags[0].message
    assert first.flags[0].message.startswith("no image shows what lies between z 72.0 and 93.0 mm;")
    assert first.goes_on_at == (-7, None)
    assert second.goes_on_at == (None, 31)


def test_a_spacing_that_changes_is_no_gap():
    thin = [header(1.25 * k, k) for k in range(100)]
    thick = [header(125 + 5 * k, 200 + k) for k in range(30)]
    first, second = build_stacks([thin + thick])
    assert first.geometry.spacing_mm[0] == pytest.approx(1.25)
    assert second.geometry.spacing_mm[0] == pytest.approx(5)
    assert first.grid_indices[-1] + 1 == len(first.slices)
    assert second.grid_indices[-1] + 1 == len(second.slices)


def test_a_very_incomplete_series_is_not_bridged():
    stack = build_stack([header(3 * k, k) for k in range(60) if k % 4 not in (2, 3)])
    assert stack.grid_indices == (0, 1)


def test_positions_rounded_to_a_tenth_of_a_millimetre_are_no_gap():
    stack = build_stack([header(round(1.25 * k, 1), k) for k in range(101)])
    assert len(stack.slices) == 101
    assert stack.geometry.spacing_mm[0] == pytest.approx(1.25)
    assert codes(stack) == []


def test_a_thin_series_with_a_missing_slice_is_a_gap():
    stack = build_stack([header(0.4 * k, k) for k in range(20) if k != 15])
    assert stack.grid_indices == tuple(k for k in range(20) if k != 15)
    assert codes(stack) == ["series-gap"]


def test_a_slowly_changing_step_is_refused():
    z, slices = 0.0, []
    for k in range(60):
        slices.append(header(z, k))
        z += 1.0 + 0.14 * (k >= 30)  # each step within tolerance, the positions half a slice off
    stack = build_stack(slices)
    assert stack.geometry is None
    assert (codes(stack), stack.problem.code) == ([], "geometry-irregular")


def test_all_at_one_position_is_refused():
    stack = build_stack([header(61.5, k, acquisition_number=k) for k in range(4)])
    assert stack.geometry is None
    assert stack.problem.code == "geometry-irregular"


@pytest.mark.parametrize(
    "other",
    [
        {"orientation": (0, 1, 0, 0, 0, -1)},
        {"rows": 9},
        {"pixel_spacing_mm": (0.9, 0.9)},
        {"sop_class_uid": "1.2.840.10008.5.1.4.1.1.7"},
        {"samples": 3},
        {"position_mm": None},
        {"orientation": None},
        {"orientation": (1, 0, 0, 1, 0, 0)},
        {"orientation": (0, 0, 0, 0, 0, 0)},
        {"pixel_spacing_mm": (0.0, 0.7)},
        {"pixel_spacing_mm": None},
    ],
)
def test_images_of_another_kind_are_split_off(other):
    stack = build_stack(
        [header(3 * k, k) for k in range(5)] + [header(100 + k, 10 + k, **other) for k in (1, 2)]
    )
    assert zs(stack) == [0, 3, 6, 9, 12]
    assert codes(stack) == ["series-mixed"]
    assert "2 of 7" in stack.flags[0].message


@pytest.mark.parametrize("field", ["position_mm", "orientation", "pixel_spacing_mm"])
def test_without_geometry_the_reason_names_what_is_missing(field):
    stack = build_stack([header(3 * k, k, **{field: None}) for k in range(5)])
    assert stack.geometry is None
    assert (codes(stack), stack.problem.code) == ([], "geometry-missing")
    assert field.removesuffix("_mm").replace("_", " ") in stack.problem.message


def test_nothing_at_all():
    assert build_stack([]).problem.code == "geometry-missing"


@pytest.mark.parametrize("degrees", [-18.5, 3.2, 15.5])
def test_gantry_tilt_is_measured_and_kept_in_the_geometry(degrees):
    angle = math.radians(degrees)
    tilted = (1, 0, 0, 0, math.cos(angle), math.sin(angle))
    stack = build_stack([header(4.0 * k, k, orientation=tilted) for k in range(20)])
    assert codes(stack) == ["gantry-tilt"]
    assert f"tilted by {abs(degrees):.1f} degrees" in stack.flags[0].message
    assert f"sheared by {abs(degrees):.1f} degrees" in stack.flags[0].message
    assert stack.geometry.tilt_degrees == pytest.approx(abs(degrees))
    assert stack.geometry.is_sheared
    assert stack.geometry.canonical().tilt_degrees == pytest.approx(abs(degrees))
    assert stack.geometry.spacing_mm[0] == pytest.approx(4)
    for k in (0, 19):
        assert stack.geometry.point_mm(k, 0, 0) == pytest.approx((0, 0, 4 * k))


@pytest.mark.parametrize(("degrees", "flagged"), [(10, True), (1, False)])
def test_an_oblique_stack_is_tilted_without_shear(degrees, flagged):
    angle = math.radians(degrees)
    tilted = (1, 0, 0, 0, math.cos(angle), math.sin(angle))
    normal = (0, -math.sin(angle), math.cos(angle))
    slices = [
        header(k, k, orientation=tilted, position_mm=tuple(2 * k * v for v in normal)) for k in range(9)
    ]
    stack = build_stack(slices)
    assert codes(stack) == ["gantry-tilt"] * flagged
    assert not stack.geometry.is_sheared
    assert stack.geometry.tilt_degrees == pytest.approx(degrees)


def test_axial_slices_that_shift_sideways_are_flagged():
    slices = [header(0, k, position_mm=(0.0, 0.6 * k, 3.0 * k)) for k in range(20)]
    stack = build_stack(slices)
    assert codes(stack) == ["gantry-tilt"]
    assert "tilted by 0.0 degrees" in stack.flags[0].message
    assert stack.geometry.is_sheared


def test_a_copied_file_is_distinguished_from_another_image_at_the_position():
    slices = [header(3 * k, k) for k in range(10)]
    copy = replace(slices[4], source=Source(Path("/nowhere/copy")))
    other = header(15, 40)
    stack = build_stack([*slices, copy, other])
    assert len(stack.slices) == 10
    assert stack.flags[0].message == "2 images have the position of another one, 1 of them with its UID"


def test_two_reconstructions_of_one_series_are_two_stacks():
    soft = [header(3 * k, 2 * k) for k in range(30)]
    sharp = [header(3 * k + 1.5, 2 * k + 1, sop_uid=f"1.8.{k}") for k in range(25)]
    stacks = build_stacks([soft, sharp])
    assert [{s.sop_uid[:3] for s in stack.slices} for stack in stacks] == [{"1.9"}, {"1.8"}]
    assert codes(stacks[0]) == ["series-mixed"]
    assert "25 of 55" in stacks[0].flags[0].message


def test_two_regions_that_overlap_a_little_are_two_stacks():
    chest = [header(200 + 3 * k, k, acquisition_number=1) for k in range(60)]
    pelvis = [header(1.7 + 3 * k, 100 + k, acquisition_number=2) for k in range(75)]
    stacks = build_stacks([chest + pelvis])
    assert [min(zs(s)) for s in stacks] == pytest.approx([1.7, 200])
    assert [len(s.slices) for s in stacks] == [75, 60]


def test_two_phases_at_the_same_positions_are_not_mixed():
    first = [header(3 * k, 2 * k, acquisition_number=1) for k in range(10)]
    second = [header(3 * k, 2 * k + (-1) ** k, acquisition_number=2) for k in range(10)]
    stack = build_stack(first + second)
    assert {s.acquisition_number for s in stack.slices} == {1}
    assert codes(stack) == ["series-mixed"]


def test_two_phases_at_alternating_positions_are_not_interleaved():
    first = [header(3 * k, k, acquisition_number=1) for k in range(10)]
    second = [header(3 * k + 1.5, 50 + k, acquisition_number=2) for k in range(10)]
    stack = build_stack(first + second)
    assert stack.geometry.spacing_mm[0] == 3
    assert len({s.acquisition_number for s in stack.slices}) == 1


def test_a_sequential_scan_of_many_acquisitions_is_one_stack():
    stack = build_stack([header(3 * k, k, acquisition_number=k // 2) for k in range(30)])
    assert len(stack.slices) == 30
    assert codes(stack) == []


def test_a_repeated_part_does_not_hide_the_rest():
    scan = [header(3 * k, k, acquisition_number=1) for k in range(20)]
    more = [header(3 * k, 100 + k, acquisition_number=2) for k in range(15, 40)]
    stack = build_stack(scan + more)
    assert len(stack.slices) == 40
    assert codes(stack) == ["slice-duplicate"]


@given(
    st.floats(-500, 500), st.floats(0.3, 10), st.integers(2, 30), st.floats(-0.02, 0.02), st.floats(0.3, 1.5)
)
def test_every_slice_is_where_its_header_says(z0, step, n, noise, pixel):
    rng = np.random.default_rng(n)
    slices = [
        header(z0, k, position_mm=tuple(np.array([5.0, -7.0, z0 + step * k]) + noise * rng.random(3)))
        for k in range(n)
    ]
    stack = build_stack([replace(s, pixel_spacing_mm=(pixel, pixel)) for s in slices])
    assert len(stack.slices) == n
    for k, s in enumerate(stack.slices):
        assert np.abs(np.subtract(stack.geometry.point_mm(k, 0, 0), s.position_mm)).max() < 0.2


def test_a_gap_of_exactly_the_longest_kind_is_bridged():
    slices = [header(3 * k, k) for k in range(40) if not 20 <= k < 25]  # 15 mm are missing
    assert build_stack(slices).geometry.shape[0] == 40
    assert len(build_stack([s for s in slices if s.instance_number != 25]).slices) < len(slices) - 1


def test_the_grid_begins_at_the_first_slice_of_a_stack_that_drifts():
    """Also if rows and columns shift differently."""
    stack = build_stack(
        [header(0, k, position_mm=(7.0 + 0.4 * k, -5.0 + 0.6 * k, 3.0 * k)) for k in range(20)]
    )
    for k in (0, 19):
        assert stack.geometry.point_mm(k, 0, 0) == pytest.approx((7.0 + 0.4 * k, -5.0 + 0.6 * k, 3.0 * k))


@pytest.mark.parametrize(("degrees", "is_sheared"), [(0.08, False), (0.12, True)])
def test_a_shear_of_more_than_a_tenth_of_a_degree_is_kept(degrees, is_sheared):
    side = math.tan(math.radians(degrees))
    stack = build_stack([header(0, k, position_mm=(0.0, 3 * k * side, 3.0 * k)) for k in range(60)])
    assert stack.geometry.is_sheared == is_sheared


@pytest.mark.parametrize(("drift_mm", "is_sheared"), [(0.149, False), (0.151, True)])
def test_a_shift_from_rounding_is_no_shear(drift_mm, is_sheared):
    """Five slices, sheared by a fifth of a degree and more."""
    slices = [header(0, k, position_mm=(0.0, drift_mm * k / 4, 3.0 * k)) for k in range(5)]
    assert build_stack(slices).geometry.is_sheared == is_sheared


def test_an_oblique_stack_is_not_sheared():
    angle = math.radians(10)
    tilted, normal = (1, 0, 0, 0, math.cos(angle), math.sin(angle)), (0, -math.sin(angle), math.cos(angle))
    positions = [tuple(2 * k * v for v in normal) for k in range(9)]
    stack = build_stack([header(k, k, orientation=tilted, position_mm=p) for k, p in enumerate(positions)])
    assert "sheared" not in stack.flags[0].message


@pytest.mark.parametrize(
    ("spacing_mm", "is_usable"), [(0.0099, False), (0.01, True), (10.0, True), (10.1, False)]
)
def test_pixels_of_a_plausible_size(spacing_mm, is_usable):
    stack = build_stack([header(3 * k, k, pixel_spacing_mm=(spacing_mm, spacing_mm)) for k in range(3)])
    assert (stack.geometry is not None) == is_usable


def test_messages_distinguish_other_kinds_of_image_from_other_acquisitions():
    phases = [header(3 * k, 10 * n + k, acquisition_number=n) for n in (1, 2) for k in range(10)]
    assert build_stack(phases).flags[0].message == (
        "2 acquisitions cover the same region, one is used: 10 of 20 images"
    )
    wide = [header(3 * k, 30 + k, columns=9) for k in range(4)]
    assert (
        build_stack([header(3 * k, k) for k in range(10)] + wide)
        .flags[0]
        .message.startswith("4 of 14 images")
    )


@pytest.mark.parametrize(("n_gaps", "ends_with"), [(5, " mm"), (6, " … mm")])
def test_a_message_lists_at_most_five_gaps(n_gaps, ends_with):
    missing = {5 * n + 3 for n in range(n_gaps)}
    stack = build_stack([header(3 * k, k) for k in range(60) if k not in missing])
    message = stack.flags[0].message
    assert message.startswith(f"{n_gaps} slices are missing, between z 6.0 and 12.0, ")
    assert message.endswith(ends_with)
    assert message.count(" and ") == 5


def test_acquisitions_that_share_one_position_are_not_combined():
    """The second begins 0.04 mm from the last slice of the first, which counts as the same position."""
    first = [header(3 * k, k, acquisition_number=1) for k in range(20)]
    second = [header(57.04 + 3 * k, 50 + k, acquisition_number=2) for k in range(3)]
    assert {s.acquisition_number for s in build_stack(first + second).slices} == {1}


def test_acquisitions_that_touch_at_the_lower_end_too():
    first = [header(3 * k, k, acquisition_number=1) for k in range(20)]
    second = [header(-0.04 - 3 * k, 50 + k, acquisition_number=2) for k in range(3)]
    assert {s.acquisition_number for s in build_stack(first + second).slices} == {1}


@pytest.mark.parametrize(("deviation", "is_usable"), [(0.01, True), (-0.01, True), (0.011, False)])
def test_rows_and_columns_at_right_angles_but_for_rounding(deviation, is_usable):
    stack = build_stack([header(3 * k, k, orientation=(1, 0, 0, deviation, 1, 0)) for k in range(3)])
    assert (stack.geometry is not None) == is_usable


def test_a_slice_belongs_to_one_stack_only():
    slices = [header(3 * k, k) for k in range(30) if k != 20]
    (stack,) = build_stacks([slices])
    assert len(stack.slices) == 29


@pytest.mark.parametrize(("every", "n_missing", "is_bridged"), [(5, 6, True), (4, 7, False)])
def test_a_fifth_may_be_missing(every, n_missing, is_bridged):
    slices = [header(3 * k, k) for k in range(30) if k % every != 2]
    assert len(slices) == 30 - n_missing
    assert (build_stack(slices).geometry.shape[0] == 30) == is_bridged
