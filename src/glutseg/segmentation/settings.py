"""Constants of the segmentation, in one place."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Settings:
    """Lengths in mm, angles in degrees of the fan.

    Chosen on rendered and real cases; docs/method.md tells how, and how the result depends on them.
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
    across_rays: float = 2.0
    """A border that runs along a ray costs this much more than one across it, because the deep
    surface does so only at the muscle's ends."""

    seed_mm: float = 6.0
    """The outermost layer of the muscle that is a seed..."""
    seed_degrees: tuple[float, float] = (-3.0, 32.0)
    """...between these angles, where every gluteus maximus lies."""
    beyond_degrees: float = 112.0
    """No gluteus maximus reaches so far forward."""

    fat_price: float = 0.02
    """Cost per mm³ of fat taken in."""
    wall_price: float = 0.05
    """Cost per mm³ of wall taken in, beyond what this patient's muscle has inside: the first plane
    is its border, not the second."""
    thickness_weight: float = 0.05
    """Cost per mm³ of muscle deeper than expected, and gain where it is shallower: decides where
    no wall is seen."""
    thickness_mm: tuple[float, float] = (32.0, 16.0)
    """Expected at and below the heads' tops, and 60 mm above."""
    lateral_degrees: tuple[float, float] = (53.0, 105.0)
    """The muscle is expected to thin out between these angles..."""
    retreat_degrees: float = 25.0
    """...which lie so much further back 40 mm above the heads."""
    medial_degrees: float = -25.0
    """The muscle is expected to have half its thickness here, towards the sacrum."""


def other_beliefs(settings: Settings) -> tuple[Settings, Settings]:
    """A smaller and a larger muscle. Where such a belief moves the border, the picture does not show
    it, and a person should look."""

    def scaled(share: float) -> Settings:
        first, last = settings.lateral_degrees
        at, above = settings.thickness_mm
        shift = 60 * (share - 1)
        return replace(
            settings,
            lateral_degrees=(first + shift * 2 / 3, last + shift),
            thickness_mm=(at * share, above * share),
        )

    return scaled(0.85), scaled(1.15)
