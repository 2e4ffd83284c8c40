"""The level of a protocol in an image."""

from __future__ import annotations

from dataclasses import replace

from glutseg import anatomy, segmentation
from glutseg.anatomy import Anatomy, Hips
from glutseg.errors import Flag, GlutsegError
from glutseg.image import CtImage, Mask
from glutseg.protocol import NAMED_LEVELS, LevelRule
from glutseg.result import Level
from glutseg.settings import METHOD, Method

SINGLE_SLICE = "one slice: its level is as given, and nothing of the muscle above and below was seen"


def locate(
    image: CtImage,
    rule: LevelRule,
    method: Method = METHOD,
    *,
    needs_hips: bool = True,
    hips: Hips | None = None,
    known: Anatomy | None = None,
) -> tuple[Anatomy | None, Level]:
    """The hips and the level that a rule asks for.

    Parameters
    ----------
    image : axial
    rule : its ``slice_index`` counts in the order of the files, as whoever wrote it read it there
    needs_hips : find the hips also for a level that was given by hand
    hips : what `glutseg.anatomy.localised_hips` gives for this image, where it is known already
    known : what `glutseg.anatomy.find_anatomy` gives for this image and method, where it is known already

    Raises
    ------
    GlutsegError
        ``hips-not-found``, ``landmark-not-found``, ``level-outside``, ``level-in-gap``,
        ``level-not-given``.
    """
    if image.geometry.shape[0] == 1 or rule.is_given:
        return _on_single_slice(image, rule, method, needs_hips=needs_hips)
    if not needs_hips and (by_hand := _by_hand(image, rule)) is not None:
        return None, by_hand
    found = known or anatomy.find_anatomy(image, hips, method)
    level = _find_level(image, found, _canonical_rule(rule, image), method)
    return found, anatomy.on_an_image(level, image.geometry, image.missing_slices, method.level)


def _on_single_slice(
    image: CtImage, rule: LevelRule, method: Method, *, needs_hips: bool
) -> tuple[Anatomy | None, Level]:
    n_slices = image.geometry.shape[0]
    if n_slices > 1:
        raise GlutsegError("level-not-given", f"the series has {n_slices} slices")
    level = _by_hand(image, rule)
    if level is None:
        raise GlutsegError("landmark-not-found", f"a single slice does not show where {rule.landmark} lies")
    found = anatomy.find_anatomy_on_slice(image, method) if needs_hips else None
    return found, replace(level, flags=(Flag("single-slice", SINGLE_SLICE),))


def named_levels(
    image: CtImage, found: Anatomy, mask: Mask
) -> tuple[tuple[Level, ...], tuple[tuple[str, str], ...]]:
    """Every named level of an image, and (name, reason) of those that are not there.

    ``mask`` holds the whole muscles.
    """
    levels: list[Level] = []
    missing: list[tuple[str, str]] = []
    for name in NAMED_LEVELS:
        try:
            level = _find_level(image, found, LevelRule(landmark=name), mask=mask)
        except GlutsegError as error:
            missing.append((name, f"{error.code}: {error.message}"))
        else:
            if level.slice_index in image.missing_slices:
                missing.append((name, f"level-in-gap: there is no image at z = {level.z_mm:.1f} mm"))
            else:
                levels.append(level)
    return tuple(levels), tuple(missing)


def _by_hand(image: CtImage, rule: LevelRule) -> Level | None:
    """A level that is given as a slice or a height, which no landmark has a part in."""
    geometry = image.geometry
    if rule.slice_index is not None:
        slice_index = _canonical_slice(image, rule.slice_index)
    elif rule.is_given:
        slice_index = 0
    elif rule.z_mm is not None:
        slice_index = geometry.nearest_slice(rule.z_mm) if geometry.shape[0] > 1 else 0
    else:
        return None
    image.check_slice(slice_index)
    return Level(rule.landmark, slice_index, geometry.slice_z_mm(slice_index))


def _find_level(
    image: CtImage, found: Anatomy, rule: LevelRule, method: Method = METHOD, mask: Mask | None = None
) -> Level:
    """By the bones; ``peak-area`` is the one level that only the areas can tell."""
    if rule.landmark == "peak-area":
        return segmentation.peak_level(image, found, rule, method.segmentation, mask=mask)
    return anatomy.find_level(found, rule)


def _canonical_rule(rule: LevelRule, image: CtImage) -> LevelRule:
    """The rule with a slice in the order of the files turned to canonical order."""
    if rule.slice_index is None:
        return rule
    return rule.model_copy(update={"slice_index": _canonical_slice(image, rule.slice_index)})


def _canonical_slice(image: CtImage, stored_slice: int) -> int:
    n_slices = image.geometry.shape[0]
    if stored_slice >= n_slices:
        raise GlutsegError(
            "level-outside", f"slice {stored_slice} asked for, there are slices 0 to {n_slices - 1}"
        )
    return image.stored_slice(stored_slice)
