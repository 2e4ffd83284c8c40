"""The axial slice that a protocol asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glutseg.anatomy.gaps import beyond, told_of_gaps
from glutseg.anatomy.head_shape import measure_heads, spacing_flags
from glutseg.anatomy.hips import Hips, find_hips
from glutseg.anatomy.landmarks import SEARCHES, Point, bone_of
from glutseg.anatomy.localiser import localised_hips
from glutseg.anatomy.orientation import check_orientation
from glutseg.anatomy.sphere import Sphere, slabs
from glutseg.anatomy.upright import slice_at, upright
from glutseg.errors import Flag, GlutsegError
from glutseg.image import CtImage, Side
from glutseg.protocol import LevelRule
from glutseg.result import Level
from glutseg.settings import METHOD, LevelSettings, Method


@dataclass(frozen=True)
class Anatomy:
    """A canonical axial volume, the hips found in it, and the settings that they were found with.

    ``copy`` is the volume on axes along the patient's, where its own are not (see `upright`).
    """

    volume: CtImage
    hips: Hips
    copy: CtImage | None = None
    method: Method = METHOD

    @property
    def upright(self) -> CtImage:
        return self.volume if self.copy is None else self.copy


def find_anatomy(volume: CtImage, near: Hips | None = None, method: Method = METHOD) -> Anatomy:
    """The hips of an axial volume.

    In a long volume they are first looked for in every n-th slice, which is quick and, because a run reads
    no more than these slices at first, makes them the same however much of the series was read.

    Parameters
    ----------
    near : what `localised_hips` gives for this volume, where it is known already

    Raises
    ------
    GlutsegError
        ``hips-not-found``; ``orientation-contradicted`` when the body lies otherwise than the grid says.
    """
    straight = upright(volume, method.grid)
    try:
        hips = find_hips(straight, near or localised_hips(volume, method), method)
    except GlutsegError as error:
        raise told_of_gaps(error, volume) from None
    check_orientation(straight, hips, method.orientation)
    return Anatomy(volume, hips, None if straight is volume else straight, method)


def find_level(anatomy: Anatomy, rule: LevelRule) -> Level:
    """The slice nearest to the landmark (both sides' mean) plus the rule's offset.

    The top of a femoral head is, to a reader of slices, the highest slice in which the head shows:
    on average half a slice below the ball's geometric top (`Hips.top_mm`), and so it is here. The
    other landmarks are read from slices in the first place.

    Raises
    ------
    GlutsegError
        ``landmark-not-found`` when neither side shows the landmark, ``level-outside`` when the series
        ends before it, ``level-in-gap`` where it goes on beyond a gap in which the level lies.
        ``peak-area`` is not a bony landmark: see `glutseg.segmentation.peak_level`.
    """
    geometry = anatomy.volume.geometry
    marks: dict[str, Point] = {
        "femoral-head-centre-left": anatomy.hips.left.centre_mm,
        "femoral-head-centre-right": anatomy.hips.right.centre_mm,
    }
    flags: list[Flag] = []
    found: dict[Side, Point] = {}
    if rule.slice_index is not None:
        if rule.slice_index >= geometry.shape[0]:
            raise GlutsegError("level-outside", f"slice {rule.slice_index} of {geometry.shape[0]}")
        target = geometry.slice_z_mm(rule.slice_index)
    elif rule.z_mm is not None:
        target = rule.z_mm
    else:
        found = _landmark(anatomy, rule.landmark)
        marks |= {f"{rule.landmark}-{side}": point for side, point in found.items()}
        target = float(np.mean([point[2] for point in found.values()]))
        flags += _level_flags(anatomy.hips, rule.landmark, found, anatomy.method.level)
    target += rule.offset_mm
    k = geometry.nearest_slice(target)
    if found and anatomy.copy is not None:
        k = slice_at(geometry, found.values(), rule.offset_mm)
    if not 0 <= k < geometry.shape[0]:
        raise beyond(anatomy.volume, target)
    return Level(rule.landmark, k, geometry.slice_z_mm(k), marks, tuple(flags))


def _landmark(anatomy: Anatomy, name: str) -> dict[Side, Point]:
    heads: dict[Side, Sphere] = {"left": anatomy.hips.left, "right": anatomy.hips.right}
    if anatomy.hips.assumed:
        del heads[anatomy.hips.assumed]
    if name == "femoral-head-centre":
        return {side: head.centre_mm for side, head in heads.items()}
    if name == "femoral-head-top":
        half_slice_mm = anatomy.upright.geometry.spacing_mm[0] / 2
        return {side: (*head.centre_mm[:2], head.top_mm - half_slice_mm) for side, head in heads.items()}
    method = anatomy.method
    volume = slabs(anatomy.upright, method.grid.slice_mm, method.grid.pixel_mm)
    found: dict[Side, Point] = {}
    for side in heads:
        point = SEARCHES[name](bone_of(volume, anatomy.hips, side, method.landmarks))
        if point is not None:
            found[side] = point
    if not found:
        raise GlutsegError("landmark-not-found", f"{name} is not in the picture or was not recognised")
    return found


def hip_flags(anatomy: Anatomy) -> tuple[Flag, ...]:
    """Flags of the hips themselves, whatever the level."""
    if anatomy.volume.geometry.shape[0] == 1:
        return ()  # of heights nothing is known
    hips, settings, flags = anatomy.hips, anatomy.method.level, []
    tilt = hips.left.top_mm - hips.right.top_mm
    if hips.assumed:
        message = f"the {hips.assumed} hip was not seen; its place is taken from the other one's mirror image"
        flags.append(Flag("hip-assumed", message, hips.assumed))
    elif abs(tilt) > settings.tilt_review_mm:
        flags.append(Flag("pelvis-tilted", f"the left hip lies {tilt:+.0f} mm above the right"))
    if hips.fit < settings.uncertain_fit:
        flags.append(Flag("hips-uncertain", f"of what lies around a hip only {hips.fit:.0%} was recognised"))
    shown_mm = hips.lowest_mm - anatomy.upright.geometry.slice_z_mm(0)
    if shown_mm < settings.heads_shown_mm:
        message = f"the series begins {shown_mm:.0f} mm below the heads' centres, so their necks are not seen"
        flags.append(Flag("hips-uncertain", message))
    sizes = measure_heads(anatomy.upright, hips, anatomy.method)
    return (*flags, *spacing_flags(sizes, anatomy.method.head_shape))


def _level_flags(hips: Hips, name: str, found: dict[Side, Point], settings: LevelSettings) -> list[Flag]:
    if len(found) == 1:
        side = next(iter(found))
        return [Flag("level-one-sided", f"{name} was found on the {side} side only", side)]
    tilt = hips.left.top_mm - hips.right.top_mm
    gap = found["left"][2] - found["right"][2]
    if abs(gap - tilt) <= settings.side_difference_mm:
        return []
    message = f"{name}: left lies {gap:+.0f} mm above right, the hips {tilt:+.0f} mm"
    return [Flag("level-uncertain", message)]
