"""Levels between the canonical order of the algorithms and the order of the series."""

from __future__ import annotations

from collections.abc import Collection

from glutseg import anatomy, segmentation
from glutseg.anatomy import Anatomy
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry, Mask
from glutseg.protocol import NAMED_LEVELS, LevelRule
from glutseg.result import Level


def locate(volume: CtImage, rule: LevelRule) -> Level:
    """The level of a volume in its own slice order.

    Raises
    ------
    GlutsegError
        ``hips-not-found``, ``landmark-not-found``, ``level-outside``.
    """
    canonical = volume.canonical()
    found = anatomy.find_anatomy(canonical)
    return own_level(find_level(canonical, found, canonical_rule(rule, volume.geometry)), volume.geometry)


def own_level(level: Level, own: Geometry) -> Level:
    """A canonical level in the slice order of the series."""
    k = own.canonical_slice(level.slice_index)
    return Level(level.name, k, own.slice_z_mm(k), dict(level.landmarks_mm))


def canonical_rule(rule: LevelRule, geometry: Geometry) -> LevelRule:
    """The rule with a slice given by hand (in the order of the series) turned to canonical order."""
    if rule.slice_index is None:
        return rule
    n = geometry.shape[0]
    if rule.slice_index >= n:
        raise GlutsegError(
            "level-outside", f"slice {rule.slice_index} asked for, there are slices 0 to {n - 1}"
        )
    return rule.model_copy(update={"slice_index": geometry.canonical_slice(rule.slice_index)})


def find_level(volume: CtImage, found: Anatomy, rule: LevelRule, mask: Mask | None = None) -> Level:
    """The level on a canonical volume; ``peak-area`` is the one that only the areas can tell."""
    if rule.landmark == "peak-area":
        return segmentation.peak_level(volume, found, rule, mask=mask)
    return anatomy.find_level(found, rule)


def named_levels(
    volume: CtImage, found: Anatomy, mask: Mask, own: Geometry, gaps: Collection[int] = ()
) -> tuple[tuple[Level, ...], tuple[tuple[str, str], ...]]:
    """Every named level of a canonical volume, and (name, reason) of those that are not there.

    Parameters
    ----------
    mask : canonical, of the whole muscles
    own : the grid of the series, in whose order the levels are given
    gaps : canonical slices without an image
    """
    levels: list[Level] = []
    missing: list[tuple[str, str]] = []
    for name in NAMED_LEVELS:
        try:
            level = find_level(volume, found, LevelRule(landmark=name), mask)
        except GlutsegError as error:
            missing.append((name, f"{error.code}: {error.message}"))
        else:
            if level.slice_index in gaps:
                missing.append((name, f"level-in-gap: there is no image at z = {level.z_mm:.1f} mm"))
            else:
                levels.append(own_level(level, own))
    return tuple(levels), tuple(missing)
