"""Constants of the segmentation, in one place."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Settings:
    """Lengths in mm, angles in degrees of the fan.

    Chosen on rendered and real cases; docs/explanation/experiments.md tells how, and how much depends on
    them.
    """

    slab_mm: float = 3.0
    """Thinner slices are averaged to about this for the cut: less noise, same anatomy."""
    context_mm: float = 45.0
    """The cut looks this far above and below the femoral heads' tops, whatever is asked for: a wall
    that is invisible in one slice shows in its neighbours."""
    depth_mm: float = 75.0
    """No gluteus maximus is thicker than this along a ray."""

    wall_contrast: float = 0.06
    """Strength of a wall, as a share of the muscle-to-fat difference, that counts as one. Noise makes
    walls of 0.01 to 0.04, fat planes of 1 mm make 0.1 to 0.25."""
    wall_darkness: float = 0.45
    """Darkness, as a share of the same difference, that counts as fat."""
    wall_sharpness: float = 4.0
    """How suddenly a wall begins to count: low values let noise cheapen even tissue."""
    wall_floor: float = 0.03
    """Cost of the border on a perfect wall; in even tissue it is 1 per mm²."""
    across_rays: tuple[float, float] = (2.0, 4.0)
    """A border that runs along a ray costs so much more than one across it, in a plain and in a streaky
    muscle: the deep surface does so only at the muscle's ends, but a border that changes from the plane
    to a streak does so in the middle."""

    seed_mm: float = 6.0
    """The outermost layer of the muscle that is a seed, between the angles of `USUAL`."""
    beyond_degrees: float = 112.0
    """No gluteus maximus reaches so far forward."""

    fat_price: float = 0.02
    """Cost per mm³ of fat taken in."""
    wall_price: float = 0.05
    """Cost per mm³ of wall taken into a plain muscle, beyond what it has inside: the first plane is its
    border, not the second. In a streaky muscle another wall tells nothing."""
    streaky_share: tuple[float, float] = (0.14, 0.24)
    """How much of the seeds is walls in a plain and in a streaky muscle. Noise alone makes 0.05 to
    0.14, 15 to 40 % of fat 0.2 to 0.4."""
    plain: float | None = None
    """1: believed to be plain, 0: streaky; None: as its seeds show it to be."""
    thickness_weight: float = 0.05
    """Cost per mm³ of muscle deeper than `USUAL`, and gain where it is shallower: decides where no wall is
    seen."""
    belief: float = 1.0
    """How large the muscle is believed to be where it cannot be seen, against `USUAL`."""


@dataclass(frozen=True)
class Usual:
    """The muscle as it usually is at one height above the femoral heads' tops.

    Thickness in mm along the rays, zero or less where there is none any more; angles in degrees of the
    fan: ``medial`` from nothing over half to full thickness, ``lateral`` from full to nothing; ``seed``
    where every muscle lies (none where first > last).
    """

    above_mm: float
    thickness_mm: float
    medial: tuple[float, float, float]
    lateral: tuple[float, float]
    seed: tuple[float, float]


USUAL = (
    Usual(-175, -10, (10, 25, 35), (50, 75), (45, 44)),
    Usual(-145, 10, (10, 25, 35), (50, 75), (45, 44)),
    Usual(-120, 20, (-10, 10, 25), (55, 85), (45, 44)),
    Usual(-105, 25, (-25, 0, 15), (55, 88), (35, 40)),
    Usual(-95, 28, (-35, -10, 10), (57, 92), (25, 40)),
    Usual(-70, 32, (-50, -20, 0), (60, 105), (15, 35)),
    Usual(-40, 32, (-60, -25, 0), (63, 115), (-3, 32)),
    Usual(0, 32, (-60, -25, 0), (45, 97), (-3, 32)),
    Usual(40, 21, (-60, -25, 0), (28, 80), (-3, 32)),
    Usual(60, 16, (-60, -25, 0), (28, 80), (-3, 25)),
    Usual(75, 4, (-60, -25, 0), (25, 75), (45, 44)),
    Usual(90, -6, (-60, -25, 0), (22, 70), (45, 44)),
    Usual(120, -20, (-60, -25, 0), (22, 70), (45, 44)),
)
"""Read off four patients (two of them rendered) and rounded; between the rows it is interpolated."""


def other_beliefs(settings: Settings, plain: float) -> tuple[Settings, ...]:
    """A smaller and a larger muscle, and a streaky one where this one is rather ``plain`` (or the other
    way round). Where such a belief moves the border, the picture does not show it, and a person should
    look."""
    return (
        replace(settings, belief=0.85, plain=plain),
        replace(settings, belief=1.15, plain=plain),
        replace(settings, plain=0.0 if plain > 0.5 else 1.0),
    )
