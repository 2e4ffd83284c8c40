"""Settings of the search for the two femoral heads."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from glutseg.settings.base import (
    Angle,
    Area,
    Count,
    Hu,
    Length,
    Offset,
    Range,
    Settings,
    Share,
    Slope,
    Volume,
    Weight,
)


class GridSettings(Settings):
    """The grids on which bones are searched."""

    slice_mm: Length = 3.0
    """Thinner slices are averaged to about this. Chosen: 12 or more of them cut a femoral head."""
    pixel_mm: Length = 1.2
    """Smaller pixels are averaged to about this for the surface of a head and for landmarks. Chosen."""
    coarse_pixel_mm: Length = 1.6
    """Smaller pixels are averaged to about this for the first search of the heads. Chosen: enough to see
    which places look like hips."""
    max_pixel_mm: Length = 1.9
    """Larger pixels are split, interpolated. Chosen: ten or more of what is left lie across a head."""
    copy_pixel_mm: Length = 0.8
    """Least pixel of the axial copy of an oblique series. Chosen: finer than the bones are searched on."""
    dense_hu: Hu = 160
    """Rows and columns without a value above this are left out of the search. Chosen."""
    margin_mm: Length = 30.0
    """Rows and columns kept around the outermost dense ones. Chosen."""


class CircleSettings(Settings):
    """The Hough transform that proposes femoral heads: circles of neighbouring slices that make up a ball."""

    head_radius_mm: Range = (18.0, 30.0)
    """Radii searched. Femoral head diameters of adults are 38 to 58 mm (women 43, men 49 on average)."""
    circle_radius_mm: Range = (9.0, 30.0)
    """Radii of the circles in single slices: from the caps to the equator of a head."""
    radius_step_mm: Length = 1.5
    """Between neighbouring radii. Chosen."""
    reach_mm: Length = 18.0
    """How far from a given point the centre of a head is searched, along each axis. Chosen."""
    margin_mm: Length = 34.0
    """Image read beyond that: the largest circle, and half of the cylinder."""
    cell_mm: Length = 3.0
    """Votes are counted in cells of this size. Chosen."""
    smoothing_mm: Length = 1.0
    """Standard deviation of the Gaussian before the slope is taken. Chosen."""
    soft_hu: Hu = 80
    """Values are clipped to this from below: edges between fat, muscle and air must not vote."""
    saturation_hu: Hu = 600
    """Values are clipped to this from above: metal must not outvote bone."""
    edge_hu_per_mm: Slope = 25.0
    """Least slope of an edge that votes. Chosen."""
    full_edge_hu_per_mm: Slope = 60.0
    """Slope from which an edge has a full vote. Chosen."""
    max_edge_share: Share = 0.6
    """A slice with edges in a larger share of its pixels is noise and does not vote. Chosen."""
    blur_cells: Weight = 0.8
    """Standard deviation, in cells, of the Gaussian over the votes. Chosen."""
    peak_cells: Annotated[int, Field(ge=3, le=99)] = 5
    """Width of the neighbourhood, in cells and slices, in which a candidate has the highest score. Chosen."""
    min_score: Share = 0.01
    """Least score of a candidate: share of a ball's circles that shows, less that of a cylinder. Chosen low:
    the surroundings decide."""
    sphere_share: Share = 0.85
    """Share of the radius, above and below the centre, whose circles count: the caps are too small to
    show."""
    cylinder_mm: Length = 64.0
    """Length of the cylinder whose votes are subtracted, so that a shaft is no candidate. Chosen."""

    @model_validator(mode="after")
    def _heads_have_circles(self) -> Self:
        low, high = self.circle_radius_mm
        if not low < self.head_radius_mm[0] < self.head_radius_mm[1] <= high:
            msg = f"head_radius_mm must lie within circle_radius_mm, got {list(self.head_radius_mm)}"
            raise ValueError(msg)
        return self


class Region(Settings):
    """A box beside the centre of a femoral head, and the share of bone that hips have in it."""

    lateral_mm: Range
    back_mm: Range
    up_mm: Range
    bone_share: Share
    """About the least share in true hips; 0 asks for soft tissue."""


def _region(
    lateral: tuple[float, float], back: tuple[float, float], up: tuple[float, float], bone: float
) -> Region:
    return Region(lateral_mm=lateral, back_mm=back, up_mm=up, bone_share=bone)


class Regions(Settings):
    """Boxes around the head. Boxes and shares were chosen on 34 hips with known bones (one real patient,
    sixteen renderings from the bones of two others), at the default ``bone_hu``."""

    head: Region = _region((-9, 9), (-9, 9), (-9, 9), 0.7)
    """The head itself."""
    roof: Region = _region((-20, 6), (-12, 12), (24, 38), 0.6)
    """Roof of the socket."""
    ilium: Region = _region((-25, 25), (-30, 30), (45, 70), 0.25)
    """Ilium above it."""
    neck: Region = _region((5, 45), (-10, 25), (-30, -8), 0.5)
    """Neck of the femur."""
    pubis: Region = _region((-42, -20), (-30, 8), (-25, 0), 0.17)
    """Upper branch of the pubis."""
    ischium: Region = _region((-30, 0), (20, 45), (-25, 5), 0.4)
    """Ischium."""
    shaft: Region = _region((15, 70), (-15, 35), (-60, -40), 0.19)
    """Shaft of the femur."""
    below: Region = _region((-36, -4), (-22, 12), (-46, -32), 0.0)
    """Soft tissue below the head."""
    above: Region = _region((20, 36), (0, 24), (26, 40), 0.0)
    """Soft tissue lateral to the roof."""
    beside: Region = _region((34, 65), (-20, 20), (8, 45), 0.0)
    """Soft tissue lateral to the head."""
    inside: Region = _region((-85, -48), (-20, 20), (0, 30), 0.0)
    """Pelvic cavity."""
    front: Region = _region((-10, 40), (-60, -34), (-10, 20), 0.0)
    """Soft tissue in front of the head."""
    behind: Region = _region((-10, 40), (48, 80), (-10, 20), 0.0)
    """Soft tissue behind the head."""


class SurroundingsSettings(Settings):
    """What must lie around a femoral head: bone and soft tissue alternate there as nowhere else."""

    bone_hu: Hu = 130
    """Mean of a cell from which it counts as bone: spongy bone lies above, muscle and most organs below."""
    cell_mm: Length = 3.0
    """Bone is judged in cells of about this size. Chosen."""
    regions: Regions = Regions()
    pelvic_regions: tuple[str, ...] = ("roof", "ilium", "pubis", "inside", "front", "behind")
    """Regions that look as they should also where the femoral head is missing."""
    min_regions: Count = 8
    """Least number of regions within the series: with fewer a hip cannot be told from other structures.
    Chosen."""
    empty_share: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Share of bone from which a region of soft tissue does not fit at all. Chosen."""
    min_region_share: Share = 0.5
    """Least share of a region, along each axis, that lies within the series; else it does not count.
    Chosen."""
    step_mm: Length = 6.0
    """Between the points at which surroundings are compared. Chosen."""
    min_head_fit: Share = 0.5
    """Least fit of the region ``head`` of a point that is looked at further. Chosen."""

    @model_validator(mode="after")
    def _regions_are_known(self) -> Self:
        unknown = [name for name in self.pelvic_regions if name not in Regions.model_fields]
        if unknown:
            msg = f"there are no regions {unknown}"
            raise ValueError(msg)
        return self


class HeadFitSettings(Settings):
    """The ball fitted to the surface of a femoral head."""

    max_shift_mm: Length = 16.0
    """A fit that ends further from its start has moved to another structure. Chosen."""
    radius_mm: Range = (16.0, 31.0)
    """Radii of a fit that is accepted: those of adults (`circles.head_radius_mm`) with some room."""
    reach_mm: Length = 42.0
    """Edges are read within this distance of the start. Chosen."""
    min_voxels: Count = 8
    """Least size of the image around the start, along each axis. Chosen."""
    thick_slice_mm: Length = 4.0
    """Between thicker slices the joint space is lost and head and socket merge: only edges within the slices
    count then, which are those around the equator of the ball."""
    soft_hu: Hu = 80
    """Values are clipped to this from below, as in `circles.soft_hu`."""
    saturation_hu: Hu = 600
    """Values are clipped to this from above, as in `circles.saturation_hu`."""
    smoothing_mm: Length = 0.8
    """Standard deviation of the Gaussian within slices before the slope is taken. Chosen."""
    stronger_smoothing_mm: Annotated[tuple[Length, ...], Field(max_length=50)] = (1.2, 1.6)
    """Tried in turn where the image is noisier than ``max_grain_hu_per_mm``. Chosen."""
    soft_tissue_hu: tuple[Hu, Hu] = (0, 100)
    """Density of the soft tissue in which noise is measured."""
    max_grain_hu_per_mm: Slope = 16.0
    """Largest median slope within soft tissue that is not smoothed further: less than half
    of ``min_slope_hu_per_mm``. Series of two scanners have 7 to 12, with 25 HU of noise added 14 to 15."""
    steepest_percentile: Annotated[float, Field(gt=0, le=100)] = 99.0
    """Percentile of the slopes around a head that stands for its steepest edges. Chosen: noise hardly moves
    it."""
    steepest_hu_per_mm: Slope = 120.0
    """Steepest edges for which the threshold below was chosen: series of two scanners have 147 to 182.
    Where they are less steep, the threshold below is lowered in proportion."""
    min_slope_grains: Weight = 2.0
    """Least slope of an edge in medians of the slopes within soft tissue, however low that is. Chosen."""
    min_slope_hu_per_mm: Slope = 35.0
    """Least slope of an edge. Chosen."""
    full_slope_hu_per_mm: Slope = 100.0
    """Slope from which an edge has its full weight. Chosen."""
    strong_slope_hu_per_mm: Slope = 80.0
    """An edge as steep as this hides what lies behind it: the outer side of a thin socket is not the head.
    Chosen."""
    edge_width_mm: Length = 3.0
    """How far behind such an edge others still belong to it. Chosen."""
    rind_slope_hu_per_mm: Slope = 60.0
    """Slope of the inner side of a dense rind of bone. Chosen."""
    rind_mm: Length = 5.0
    """Thickest rind of a head: it is 1 to 3 mm thick, that of the socket's roof is thicker."""
    metal_hu: Hu = 2000
    """Denser than any bone."""
    metal_mm3: Volume = 1000.0
    """With more metal near the head its edges are those of an implant. Chosen."""
    min_alignment: Share = 0.65
    """Least cosine between the slope of an edge and the radius of the ball. Chosen."""
    inside_share: Share = 0.7
    """Edges nearer to the centre than this share of the radius are those of spongy bone and hide nothing.
    Chosen."""
    tolerances_mm: Annotated[tuple[Length, ...], Field(min_length=1, max_length=50)] = (
        7.0,
        6.0,
        5.0,
        4.0,
        3.0,
        3.0,
        3.0,
    )
    """Largest distance of an edge from the ball, in each round of the fit. Chosen."""
    min_points: Count = 60
    """Least number of edges on the ball in each round. Chosen."""
    start_up_mm: Annotated[tuple[Offset, ...], Field(min_length=1, max_length=50)] = (-12.0, -4.0, 4.0, 12.0)
    """Heights of the starts above the candidate: slices show the height of a ball least. Chosen."""
    start_radius_mm: Length = 22.0
    """Radius at the start. Chosen: near the mean of adults."""
    usual_radius_mm: Length = 23.0
    """Mean radius of adults: the diameter is 43 mm in women and 49 mm in men on average."""
    usual_spread_mm: Length = 3.5
    """A radius that differs by no more costs nothing. Chosen."""
    unusual_radius_cost_per_mm: Weight = 0.08
    """Share of the surface that a further millimetre costs. Chosen: small balls fit into the spongy bone of
    noisy and of blurred heads."""
    free_shift_mm: Length = 8.0
    """A shift up to this costs nothing: candidates are no more exact. Chosen."""
    shift_cost_per_mm: Weight = 0.003
    """Share of the surface that a further millimetre of shift costs. Chosen."""
    roughness_cost_per_mm: Weight = 0.03
    """Share of the surface that a millimetre of roughness costs: decides between fits that show as much.
    Chosen."""
    shown_mm: Length = 1.5
    """Edges this near to the ball show its surface. Chosen."""
    bands: Count = 8
    """Bands of latitude into which the surface is divided. Chosen."""
    sectors: Count = 16
    """Sectors of longitude into which the surface is divided. Chosen."""
    polish_up_mm: Annotated[tuple[Offset, ...], Field(min_length=1, max_length=50)] = (-4.0, -1.0, 1.0, 4.0)
    """Heights of the starts of the second fit above the end of the first. Chosen."""
    polish_shift_mm: Length = 5.0
    """A second fit that ends further from the first is not used. Chosen."""
    polish_max_slice_mm: Length = 5.5
    """No second fit in thicker slices, of which few cut a head: with 6 mm a phantom's head came out worse."""


class HipSettings(Settings):
    """Two femoral heads that lie as those of one pelvis do."""

    head_distance_mm: Range = (120.0, 235.0)
    """Between the centres of the two heads: 150 to 200 mm in adults, with room for extremes."""
    max_skew_share: Share = 0.35
    """Largest height or depth of one head against the other, as a share of their distance. Patients turned by
    15 degrees were tried."""
    min_candidate_fit: Share = 0.7
    """Least fit of the surroundings of a candidate. Chosen below ``min_fit``, before its place is exact."""
    min_fit: Share = 0.8
    """Least fit of the surroundings of each head of a pair; true hips have 0.95 to 1."""
    fit_per_hidden_region: Share = 0.09
    """Added to ``min_fit`` for each region outside the series. In series that begin in the middle of the
    heads (five hidden) true hips have 0.98 to 1; of those taken for hips above them one side has 0.80 to
    0.97."""
    max_fit_asked: Share = 0.975
    """Most fit that is asked for, however many regions lie outside the series."""
    min_shown_share: Share = 0.3
    """Least share of the surface of each head that shows; true heads show 0.45 to 0.9."""
    min_single_fit: Share = 0.95
    """Least fit of a head without its pair, which must be unmistakable."""
    min_single_shown_share: Share = 0.5
    """Least share of its surface that shows."""
    max_single_hidden_regions: Count = 1
    """Most regions around it that lie outside the series: vertebrae at the lower end look much like one
    hip."""
    min_mirrored_fit: Share = 0.7
    """Least fit of the pelvic regions around its mirror image. Chosen."""
    symmetry_mm: Range = (-60.0, 80.0)
    """Heights around it in which the plane of symmetry of the pelvis is found. Chosen."""
    certain_fit: Share = 0.92
    """A pair with this fit ends the search; else it goes on with the patient turned. Hips that fit less well
    in a few slices are searched in all slices. Chosen: true hips have 0.94 or more as they are."""
    places: Count = 6
    """Places with the best surroundings that are searched on each side. Chosen."""
    places_apart_mm: Length = 20.0
    """Least distance of two such places. Chosen."""
    candidates: Count = 5
    """Candidates that are fitted on each side. Chosen."""
    candidates_apart_mm: Length = 10.0
    """Candidates nearer than this are one head. Chosen: less than the least radius."""
    max_fit_loss: Share = 0.15
    """A candidate whose fit is lower than the best by more is dropped: a fit of the ball hardly adds more.
    Chosen."""
    rolls_degrees: tuple[tuple[Angle, ...], ...] = ((0.0,), (-13.0, 13.0))
    """Turns of the patient about the long axis that are tried, those of one group together. Chosen."""
    far_rolls_degrees: tuple[Angle, ...] = (-26.0, 26.0)
    """Turns of the patient for which the search is repeated on a turned copy, where it has found no pair:
    with those above it then reaches to some 35 degrees. Chosen."""
    max_roll_degrees: Angle = 5.0
    """Hips rolled farther are searched in all slices, and once more on a copy on which they lie straight.
    Chosen: without it a real patient's head was taken 20 mm beside its place at rolls of 9 and 20 degrees."""
    surroundings_mm: Range = (-75.0, 95.0)
    """Below and above the lower one of the two heads: all regions, also of a head that lies higher."""
    surface_weight: Weight = 0.4
    """Weight of the share of the surface against the fit of the surroundings, which near candidates share.
    Chosen."""
    skew_cost: Weight = 0.02
    """What a skew of ``skew_mm``, or a difference of ``size_difference_mm``, takes from the score. Chosen."""
    skew_mm: Length = 20.0
    """Scale of the difference in height and in depth of the two heads. Chosen."""
    size_difference_mm: Length = 3.0
    """Scale of the difference of the two radii. Chosen."""


class SingleSliceSettings(Settings):
    """Whether a single slice is one of the pelvis, and about where the hips lie in it.

    Read off slices of four bodies, real and rendered, from the upper abdomen to the thighs.
    """

    pixel_mm: Length = 2.0
    """The slice is averaged to about this."""
    tissue_hu: Hu = -300
    """Above lies the body, below the air around it."""
    table_mm: Length = 16.0
    """What is thinner is table, blanket or arm rest. Chosen."""
    min_body_mm: Length = 230.0
    """Narrower is a leg (up to 205 mm), a head or a neck; pelves have 340 mm or more."""
    air_hu: Hu = -400
    """Below lies air within the body."""
    max_air_share: Share = 0.15
    """More is lung; bowel makes 0.04. Chosen."""
    bone_hu: Hu = 180
    """Above lies bone, metal or contrast medium."""
    min_piece_mm2: Area = 60.0
    """Smaller pieces are none. Chosen."""
    smoothing_mm: Length = 4.0
    """Of the bone before it is compared with its mirror image. Chosen."""
    symmetry_reach_mm: Length = 30.0
    """The plane of symmetry lies so near to the middle of the body. Chosen."""
    beside_mm: Length = 35.0
    """Farther from that plane lie hips and femora, nearer sacrum, spine and symphysis."""
    min_bone_mm2: Area = 900.0
    """Of one side; a shaft has 580 to 860, a hip 1,060 or more."""
    min_extent_mm: Length = 42.0
    """Across all bone of one side, to the side or to the back; a shaft has up to 37, a hip 54 or more."""
    head_offset_mm: Length = 88.0
    """Of a femoral head from the plane of symmetry: 80 to 102."""
    before_bone_mm: Length = 8.0
    """Of a femoral head before the centroid of the bone beside the plane, up to 40 mm above and below the
    heads; the segmentation is the same 15 mm away."""
    head_radius_mm: Length = 24.0
    """Of an adult."""
