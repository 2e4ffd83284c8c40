"""Settings of the quality checks."""

from __future__ import annotations

from glutseg.settings.base import (
    Area,
    AreaRange,
    Count,
    Hu,
    HuRange,
    Length,
    MeanHuRange,
    Percent,
    Ratio,
    Settings,
    Share,
    Volume,
)


class QualitySettings(Settings):
    """From where a measurement is flagged for review."""

    max_error_bound_percent: Percent = 16.0
    """Most that the area of a gluteus maximus may be off: a 90 % bound in percent of it. Of images that the
    error model was not fitted on it asks for review of one in five right ones and passes over one in 24 wrong
    ones; 12 would ask for every second (docs/explanation/accuracy.md)."""
    max_error_bound_other_muscles_percent: Percent = 20.0
    """The same for gluteus medius and minimus: smaller muscles whose borders show fewer edges. Chosen."""
    max_jump_share: Share = 0.12
    """Largest difference of the area from the mean of the neighbouring slices; anatomy changes 1 % per mm at
    most."""
    continuity_reach_mm: Length = 60.0
    """Neighbouring slices are compared this far around level and femoral heads. Chosen: the outlines rest on
    these."""
    continuity_hu: HuRange = (-200, 150)
    """HU are clipped to this for it: neither bone, contrast, metal nor noise in air decides. Chosen."""
    continuity_pixel_mm: Length = 4.0
    """Pixels are averaged over squares of this width for it: what is left of noise is small. Chosen."""
    continuity_step_mm: Length = 3.0
    """What two slices differ by is compared with what slices this far apart do, or as far as they are
    themselves. Chosen: in thin slices small movements would stand out."""
    max_step_ratio: Ratio = 2.0
    """Most that two neighbouring slices differ by, relative to others. In five series, also with noise and in
    slices of 1 to 16 mm, 1.1; with a movement of 4 mm in between 1.7; with 27 mm missing or reversed 2.2 to
    3.6; where another patient's begin 2.9 to 6.6."""
    max_side_difference_share: Share = 0.30
    """Largest difference of the sides, as a share of their mean over the profile. Single slices differ by 5
    to 12 % in health."""
    area_mm2: AreaRange = (700.0, 9000.0)
    """Per side at any level of the hips: 1,100 (older women, sacroiliac) to 7,000 (athletes) are known."""
    mean_hu: MeanHuRange = (-60.0, 110.0)
    """From severe fatty change to a young muscle with contrast."""
    max_fat_share: Share = 0.45
    """Most of the area that is not lean. The outline is closed over fat up to 40 %; beyond, the fascia cannot
    be recognised."""
    metal_hu: Hu = 2500
    """Above lies metal: dense cortical bone ends near 2000 HU, scanners clip metal at 3071 or above."""
    metal_mm3: Volume = 300.0
    """Less is a clip, a marker or a dense spot of bone. Chosen."""
    metal_reach_mm: Length = 60.0
    """Metal is looked for this far above and below the level. Chosen."""
    impossible_hu: HuRange = (-250, 220)
    """Outside lies neither fat nor muscle, also with contrast. Chosen."""
    max_impossible_share: Share = 0.02
    """Most of the inner pixels of a muscle outside of ``impossible_hu``; with more, streaks cross it.
    Chosen."""
    border_pixels: Count = 2
    """Pixels at the border of the muscle that do not count as inner ones: partial volume. Chosen."""
    field_of_view_mm: Length = 3.0
    """A muscle this near to the edge of the field of view is cut off. Chosen."""
    cut_reach_mm: Length = 15.0
    """A muscle this near to an edge of the picture at which lean tissue ends is cut off: an outline may end
    before the picture does. Chosen."""
    end_smoothing_mm: Length = 3.0
    """Sigma for that tissue, without what the picture does not show. Chosen: muscle with streaks and noise is
    lean."""
    thicker_than_skin_mm: Length = 3.0
    """Lean tissue that a disc of this radius fits into is no skin, which is 2 to 3 mm thick. Chosen."""
    min_padding_share: Share = 0.01
    """Least share of the image of one constant value at a corner: measured air is never constant over such an
    area."""
    body_hu: Hu = -900
    """The edge of the array above this is body. Chosen: air with noise lies below."""
    fill_hu: Hu = 100
    """What lies less above the air or padding at the edge of the picture is noise. Chosen: clothes, cushions
    and table stand out."""
    sharp_hu: Hu = -250
    """Above, a pixel holds hardly any air. Chosen: fat with noise lies above, half a pixel of skin below."""
    min_sharp_share: Share = 0.8
    """Least share of such pixels along a line that cuts the body: skin gives a quarter to a half, since it
    lies anywhere within its pixels. Chosen."""
    min_cut_mm: Length = 30.0
    """Least length of such a line. Chosen."""
    only_air_hu: Hu = -850
    """Below, a pixel holds nothing but air, with noise. Chosen."""
    min_box_mm: Length = 15.0
    """Least side of an area that was blacked out. Chosen: flat sides of metal are hardly longer."""
    min_box_hu: Hu = 20
    """Least mean difference of what lies beside it. Chosen: in smooth images a row may be even, but the next
    one differs little."""
    air_hu: Hu = -1000
    """Of air, by definition."""
    max_air_hu: Hu = -750
    """Highest air around the body without a look. Chosen: neither scatter nor cushions nor calibration come
    near, HU times 0.7 do."""
    lean_hu: Hu = -29
    """Above lies lean tissue (Aubrey et al. 2014, Acta Physiol 210: 489)."""
    surface_hu: Hu = -500
    """Half way between air and tissue lies the surface of the body."""
    table_mm: Length = 5.0
    """Twice this is the least width of a part of the body; a table's shell and a blanket are thinner.
    Chosen."""
    smoothing_mm: Length = 1.5
    """Sigma of the smoothing for what noise must not change: surface, levels of fat and muscle. Chosen."""
    skin_mm: Length = 4.0
    """Deeper lies fat: skin of the buttocks is 2 to 3 mm thick, and smoothing blurs it."""
    usual_fat_hu: HuRange = (-115, -85)
    """Subcutaneous fat: adipose tissue of ICRU 44 at 120 kV; 80 kV gives up to 15 less."""
    max_shift_hu: Hu = 20
    """Largest distance of the fat from its usual range without a look. Chosen: from there on mean HU and lean
    area say more about the scanner than about the patient."""
    min_tissue_mm2: Area = 500.0
    """Least area of subcutaneous fat, or of muscle, in which a level is measured: 1.5 to 2.5 cm³ in slices of
    3 to 5 mm. Chosen."""
    max_equal_share: Share = 0.3
    """Largest share of a muscle's pixels that have exactly the value of the next slice. Chosen: 0.01 to 0.04
    in eight series, to 0.13 in averages of five overlapping slices; 0.48 or more in maximum intensity."""
    max_equal_share_within_slice: Share = 0.2
    """With a larger share of pixels that equal their neighbour in the same slice that tells nothing. Chosen:
    0.02 to 0.12 in these."""
    noise_smoothing_mm: Length = 3.0
    """Noise is the standard deviation of what a smoothing by this (two pixels at least) takes away. Chosen:
    its grain is 1 to 2 mm wide."""
    usual_noise_hu: Hu = 30
    """Highest noise that is not worth a word: of muscle at 50 HU one pixel in 200 falls below -29."""
    max_noise_hu: Hu = 55
    """Highest noise without a look: one pixel of lean muscle in 13 counts as fat."""
    at_skin_mm: Length = 3.0
    """Pixels this near to the surface of the body are skin, which is 2 to 3 mm thick there. Chosen."""
    max_skin_share: Share = 0.01
    """Most of an outline's pixels that are skin. Chosen: 0 in all reference outlines."""
    fat_lobe_mm: Length = 2.0
    """Fat that a disc of this radius fits into, at the border of an outline, is subcutaneous and no streak.
    Chosen."""
    fat_lobe_share: Share = 0.25
    """On the way from fat to muscle, below which a smoothed pixel is such fat. Chosen: streaks within muscle
    lie above."""
    max_fat_lobe_share: Share = 0.05
    """Most of an outline's area that is such fat. Chosen: reference outlines have below 0.01; with 6 mm of
    the fat behind the muscle they have 0.04 to 0.19."""
    max_islands_share: Share = 0.03
    """Most of an outline's area apart from its largest piece. Chosen."""
    facing_skin_cosine: Share = 0.7
    """Of the angle between the border of an outline and the way to the skin: 45 degrees at most. Chosen."""
    border_reach_mm: Length = 6.0
    """Subcutaneous fat lies this near beyond the border of a given outline towards the skin, and muscle this
    near within it. Chosen: outlines that are 3 mm too small or too large on all sides still fit."""
    min_fat_outside_share: Share = 0.8
    """Least share of that border with fat beyond it. Reference outlines, also those 3 mm off, have 0.99 or
    more; on the images of another patient 0.15 to 1."""
    min_muscle_inside_share: Share = 0.6
    """Least share of that border with muscle within it. Reference outlines have 0.87 or more, also in a
    muscle replaced by fat to a fifth; 3 mm too large 0.7."""
