"""Positions that an archive rounded are even; those of an uneven series are not."""

import math

import pytest
from dicom_builder import header
from hypothesis import given
from hypothesis import strategies as st

from glutseg.dicom.stack import build_stacks


def stack_of(zs, sideways=None):
    sideways = sideways or [0.0] * len(zs)
    slices = [header(z, k) for k, z in enumerate(zs)]
    moved = [
        type(s)(**{f: getattr(s, f) for f in s.__slots__} | {"position_mm": (-180.25, y, s.position_mm[2])})
        for s, y in zip(slices, sideways, strict=True)
    ]
    return build_stacks([moved])[0]


def codes(stack):
    return [f.code for f in stack.flags]


@pytest.mark.parametrize(
    ("spacing_mm", "rounding_mm", "rounded"),
    [
        (2.5, 1.0, round),  # to even: 0, 2, 5, 8, 10
        (2.5, 1.0, lambda z: math.floor(z + 0.5)),  # up: 0, 3, 5, 8, 10
        (2.5, 1.0, math.floor),
        (1.25, 1.0, round),
        (1.25, 0.5, lambda z: round(2 * z) / 2),
        (0.25, 0.1, lambda z: round(z, 1)),
    ],
)
def test_a_rounded_series_is_even(spacing_mm, rounding_mm, rounded):
    zs = [rounded(spacing_mm * k) - 734 for k in range(80)]
    stack = stack_of(zs)
    assert stack.grid_indices == tuple(range(80))
    assert stack.geometry.spacing_mm[0] == pytest.approx(spacing_mm)
    assert codes(stack) == ["positions-rounded"]
    assert f"rounded to {rounding_mm:g} mm" in stack.flags[0].message
    assert f"every {spacing_mm:.4g} mm" in stack.flags[0].message
    for k, z in enumerate(zs):
        assert abs(stack.geometry.slice_z_mm(k) - z) <= rounding_mm / 2 + 0.002


@given(
    spacing_mm=st.floats(1.1, 8),
    z0=st.floats(-900, 900),
    n=st.integers(25, 90),
)
def test_any_rounded_series_keeps_every_slice_at_its_place(spacing_mm, z0, n):
    true = [z0 + spacing_mm * k for k in range(n)]
    stack = stack_of([round(z) for z in true])
    assert len(stack.slices) >= 0.75 * n  # as a grid of another spacing with gaps, at the worst
    if len(stack.slices) == n and stack.geometry.shape[0] == n:
        assert max(abs(stack.geometry.slice_z_mm(k) - z) for k, z in enumerate(true)) <= 1.0


@pytest.mark.parametrize("missing", [[10], [10, 11], [7, 30, 31]])
def test_slices_missing_from_a_rounded_series_are_missing(missing):
    kept = [k for k in range(80) if k not in missing]
    stack = stack_of([round(2.5 * k) for k in kept])
    assert stack.grid_indices == tuple(kept)
    assert stack.geometry.spacing_mm[0] == pytest.approx(2.5)
    assert codes(stack) == ["series-gap", "positions-rounded"]


def test_a_rounded_series_with_a_tilted_gantry_is_even():
    zs = [round(2.5 * k) for k in range(60)]
    stack = stack_of(zs, sideways=[round(0.3 * z) for z in zs])
    assert len(stack.slices) == 60
    assert stack.geometry.tilt_degrees == 0  # of the slices themselves
    assert stack.geometry.is_sheared


@pytest.mark.parametrize(
    "zs",
    [
        [*range(0, 120, 3), *range(120, 320, 5)],  # the spacing changes
        [*range(0, 100, 4), *range(102, 200, 4)],  # one step and a half between two halves
        [k + (k * k) // 100 for k in range(0, 150, 2)],  # ever longer steps
        [0, 40, 81, 120, 161],  # a few slices, chosen by hand
        [2.53 * k + 0.4 * (k % 2) for k in range(60)],  # not on a grid of whole millimetres
    ],
)
def test_an_uneven_series_is_not_called_rounded(zs):
    stack = stack_of(zs)
    assert "positions-rounded" not in codes(stack)
    assert stack.geometry is None or len(stack.slices) < len(zs)


@pytest.mark.parametrize("missing", [[20], [20, 40], [20, 21]])
def test_a_slice_missing_from_whole_millimetres_is_not_rounding(missing):
    kept = [k for k in range(80) if k not in missing]
    stack = stack_of([float(k) for k in kept])
    assert stack.grid_indices == tuple(kept)
    assert codes(stack) == ["series-gap"]
