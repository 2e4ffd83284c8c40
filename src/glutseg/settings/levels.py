"""Settings of the landmarks, of the level, and of what has to be read for them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from glutseg.settings.base import Area, Count, Hu, Length, Range, Settings, Share, Slope


class OrientationSettings(Settings):
    """Whether the bones lie as the header says: a wrong patient position exchanges left and right."""

    bone_hu: Hu = 200
    """Above lies bone. Chosen."""
    half_width_mm: Length = 40.0
    """Of the strip around the midline: the femoral shafts lie 60 mm and more beside it."""
    sacrum_mm: Range = (20.0, 80.0)
    """Above the tops of the heads; 79 to 100 % of the bone of the strip lies behind the heads there, in real
    and rendered patients."""
    min_behind_share: Share = 0.35
    """Least share of that bone behind the heads. Chosen well below."""
    spine_mm: Range = (60.0, 140.0)
    """Above the tops of the heads; the strip holds 850 to 2,100 mm² of bone per slice there."""
    thighs_mm: Range = (-170.0, -125.0)
    """Above the tops of the heads (negative: below); the strip holds no bone there."""
    min_spine_mm2: Area = 100.0
    """Least bone per slice at the height of the spine. Chosen well below."""
    max_between_thighs_mm2: Area = 300.0
    """Most bone per slice between the thighs. Chosen well above none."""
    min_shown_mm: Length = 20.0
    """Where the series shows less of a range nothing is concluded from it. Chosen."""


class SearchBox(Settings):
    """Where a landmark is searched, in mm in the patient's frame around a femoral head."""

    lateral_mm: Range
    back_mm: Range
    up_mm: Range
    start_up_mm: Range | None = None
    """Heights at which the bone that is followed begins."""


def _box(
    lateral: tuple[float, float],
    back: tuple[float, float],
    up: tuple[float, float],
    start: tuple[float, float] | None = None,
) -> SearchBox:
    return SearchBox(lateral_mm=lateral, back_mm=back, up_mm=up, start_up_mm=start)


class LandmarkSettings(Settings):
    """Bony landmarks, each searched where the femoral heads say that it lies. Boxes are those of adult pelves
    with room for extremes; docs/explanation/method.md has the truth that the search was checked against."""

    bone_hu: Hu = 180
    """Closed shells of bone lie above, muscle with contrast and most vessels below."""
    spongy_hu: Hu = 150
    """Above lies the sacrum, which is mostly spongy bone under a thin shell."""
    min_pixels: Count = 3
    """Fewer pixels of bone in a slice are not the tip of a landmark. Chosen."""
    greater_trochanter: SearchBox = _box((6.0, 66.0), (-25.0, 60.0), (-45.0, 40.0), (-45.0, -25.0))
    """``lateral_mm`` counts from the lateral surface of the head."""
    lesser_trochanter: SearchBox = _box((-10.0, 75.0), (-50.0, 60.0), (-95.0, -30.0), (-95.0, -75.0))
    """``lateral_mm`` counts from the centre of the head."""
    lesser_min_pixels: Count = 20
    """Fewer pixels of bone in a slice are not the femur. Chosen."""
    lesser_up_mm: Annotated[float, Field(ge=-300, le=300)] = -38.0
    """The tip lies lower than this. Chosen: below the neck."""
    lesser_percentile: Annotated[float, Field(ge=0, le=100)] = 10.0
    """Of the positions within the femur: its front lateral edge, from which the tip stands off. Chosen."""
    roof_half_width_mm: Length = 6.0
    """Of the column above the head, to either side, to front and back. Chosen."""
    roof_mm: Length = 8.0
    """Joint space and roof of the socket together, above the top of the head."""
    joint_mm: Length = 2.5
    """The joint space alone."""
    roof_hu_per_mm: Slope = 25.0
    """A slice that lies further from there must be so much brighter: sclerotic roofs are by 200 HU or
    more."""
    soft_bone_hu: Hu = 100
    """Spongy bone of old patients lies above."""
    si_joint: SearchBox = _box((-30.0, 130.0), (-20.0, 130.0), (15.0, 130.0))
    """``lateral_mm`` counts from the midline."""
    joint_reach_mm: Length = 1.5
    """Bones grown by this meet where the joint space between them is at most twice as wide."""
    sacrum_half_width_mm: Length = 25.0
    """The body of the sacrum reaches at least this far to either side of the midline."""
    ilium_lateral_mm: Length = 70.0
    """Bone further from the midline is the ilium. Chosen."""
    si_contact_mm: Length = 45.0
    """Distance of the joint from the midline, for the position of the landmark. Chosen."""
    si_min_width_mm: Length = 100.0
    """A narrower image does not show the joint. Chosen."""
    ischium: SearchBox = _box((15.0, 300.0), (-15.0, 90.0), (-120.0, -25.0), (-45.0, -25.0))
    """``lateral_mm`` counts from the midline; ``ischium_beyond_head_mm`` bounds it as well."""
    ischium_beyond_head_mm: Length = 4.0
    """The ischium is searched no further from the midline than the centre of the head and this. Chosen."""
    symphysis: SearchBox = _box((3.0, 16.0), (-90.0, 5.0), (-75.0, 30.0), (-60.0, -30.0))
    """``lateral_mm`` counts from the midline."""


class LevelSettings(Settings):
    """When a level is moved to another slice, and when hips and level are uncertain."""

    max_move_mm: Length = 5.0
    """A level without an image is moved to the nearest one up to this far. Chosen: the area changes by a few
    per cent over this distance (the profile of every case tells by how much)."""
    tilt_review_mm: Length = 12.0
    """Heads further apart in height: one slice cuts the two sides at different places. Chosen."""
    side_difference_mm: Length = 20.0
    """Landmarks of the two sides further apart in height, beyond the tilt of the hips, are uncertain.
    Chosen."""
    uncertain_fit: Share = 0.9
    """Hips that fit less are uncertain. True hips have 0.94 or more as they are; turned, short or destroyed
    ones may have less."""
    heads_shown_mm: Length = 27.0
    """Where a series begins less below the centres of the heads, the roofs of their sockets look much like
    them."""


class LocaliserSettings(Settings):
    """Which slices of a long series are read, once a pass over every n-th slice has shown the hips."""

    around_hips_mm: Range = (-50.0, 70.0)
    """Below and above the centres of the heads: the heads themselves, with room for the fit of their
    surface."""
    landmarks_mm: Range = (-130.0, 140.0)
    """The same where bony landmarks are needed: all boxes of `landmarks`."""
    margin_mm: Length = 8.0
    """Read beyond that. The hips in all slices lie no further from those in a few; where they do, all are
    read."""
