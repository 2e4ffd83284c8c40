"""The level where images are missing: on the nearest one, or nowhere."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from glutseg.errors import Flag, GlutsegError
from glutseg.image import Geometry
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
