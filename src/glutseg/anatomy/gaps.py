"""Where images are missing: a level there is that of the nearest one or nowhere, hips there are not found."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise

from glutseg.errors import Flag, GlutsegError
from glutseg.image import CtImage, Geometry
from glutseg.result import Level
from glutseg.settings import METHOD, LevelSettings


def on_an_image(
    level: Level, geometry: Geometry, missing: Collection[int], settings: LevelSettings = METHOD.level
) -> Level:
    """The level, moved to the nearest slice that has an image where its own has none.

    Parameters
    ----------
    geometry, missing : of the canonical volume that ``level`` was found on; slices without an image

    Returns
    -------
    Level
        Unchanged, or moved with a flag ``level-moved``.

    Raises
    ------
    GlutsegError
        ``level-in-gap`` where no image lies within ``max_move_mm`` of the settings.
    """
    if level.slice_index not in missing:
        return level
    shown = [k for k in range(geometry.shape[0]) if k not in missing]
    nearest = min(shown, key=lambda k: abs(k - level.slice_index))
    moved_mm = geometry.slice_z_mm(nearest) - level.z_mm
    if abs(moved_mm) > settings.max_move_mm:
        raise GlutsegError(
            "level-in-gap",
            f"the level lies at z = {level.z_mm:.1f} mm, the nearest image {abs(moved_mm):.1f} mm from it",
        )
    words = f"no image at z = {level.z_mm:.1f} mm; the one {moved_mm:+.1f} mm from it was measured"
    flags = (*level.flags, Flag("level-moved", words))
    return replace(level, slice_index=nearest, z_mm=geometry.slice_z_mm(nearest), flags=flags)


def beyond(volume: CtImage, z_mm: float) -> GlutsegError:
    """The error for a level beyond the ends of a volume.

    ``level-in-gap`` where images are missing there and the series goes on beyond, else ``level-outside``.
    """
    where = f"the level lies at z = {z_mm:.0f} mm"
    for gap in volume.gaps_mm:
        if gap[0] < z_mm < gap[1]:
            return GlutsegError("level-in-gap", f"{where}, {_no_image(gap)}")
    ends = sorted(volume.geometry.slice_z_mm(k) for k in (0, volume.geometry.shape[0] - 1))
    return GlutsegError("level-outside", f"{where}, the series covers {ends[0]:.0f} to {ends[1]:.0f} mm")


def told_of_gaps(error: GlutsegError, volume: CtImage) -> GlutsegError:
    """The error, and where images are missing that might show what was not found."""
    gaps = [*volume.gaps_mm, *_within(volume)]
    if not gaps:
        return error
    return GlutsegError(error.code, f"{error.message}; {', '.join(map(_no_image, gaps))}", error.where)


def _no_image(gap: tuple[float, float]) -> str:
    return f"no image shows what lies between z = {gap[0]:.0f} and {gap[1]:.0f} mm"


def _within(volume: CtImage) -> list[tuple[float, float]]:
    """From the slice before to the one after each gap."""
    g, shown = volume.geometry, sorted(set(range(volume.geometry.shape[0])) - volume.missing_slices)
    return [(g.slice_z_mm(a), g.slice_z_mm(b)) for a, b in pairwise(shown) if b - a > 1]
