"""Whether the body lies as the header says: a wrongly entered patient position swaps the sides.

Beside the hips' midline there is bone behind (sacrum) and above (sacrum, spine), and none between the
thighs. Where the picture shows the opposite, the header's directions are wrong, and with them left and
right, and where the gluteus maximus is looked for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from glutseg.anatomy.hips import Hips
from glutseg.errors import GlutsegError
from glutseg.image import CtImage
from glutseg.settings import METHOD, OrientationSettings

BoolArray = npt.NDArray[np.bool_]


def check_orientation(
    volume: CtImage, hips: Hips, settings: OrientationSettings = METHOD.orientation
) -> None:
    """Compare the bones around the midline with what the directions of the grid promise.

    Parameters
    ----------
    volume : canonical, axial
    hips : of the same volume

    Raises
    ------
    GlutsegError
        ``orientation-contradicted``. Where the series shows too little of the body nothing is said.
    """
    g = volume.geometry
    sacrum = _strip(volume, hips, settings.sacrum_mm, settings)
    if sacrum.sum() * g.pixel_area_mm2 > settings.min_spine_mm2 * len(sacrum):
        middle_y_mm = (hips.left.centre_mm[1] + hips.right.centre_mm[1]) / 2
        y_mm = g.origin_mm[1] + np.arange(g.shape[1]) * g.spacing_mm[1]
        behind = float(sacrum[:, y_mm > middle_y_mm].sum() / sacrum.sum())
        if behind < settings.min_behind_share:
            message = (
                f"{behind:.0%} of the bone in the midline lies behind the hips, where the sacrum should be"
            )
            raise GlutsegError("orientation-contradicted", message)
    spine_mm2 = _median_area_mm2(volume, hips, settings.spine_mm, settings)
    thighs_mm2 = _median_area_mm2(volume, hips, settings.thighs_mm, settings)
    if (spine_mm2 is not None and spine_mm2 < settings.min_spine_mm2) or (
        thighs_mm2 is not None and thighs_mm2 > settings.max_between_thighs_mm2
    ):
        seen = " and ".join(
            f"{mm2:.0f} mm² {where}"
            for mm2, where in ((spine_mm2, "above"), (thighs_mm2, "below"))
            if mm2 is not None
        )
        message = f"the midline shows {seen} the hips: the spine lies at their lower side"
        raise GlutsegError("orientation-contradicted", message)


def _strip(
    volume: CtImage, hips: Hips, reach_mm: tuple[float, float], settings: OrientationSettings
) -> BoolArray:
    """Bone (z, y, x) beside the midline, at heights above the heads' tops."""
    g = volume.geometry
    low, high = (g.nearest_slice(hips.top_mm + mm) for mm in reach_mm)
    x_mm = g.origin_mm[0] + np.arange(g.shape[2]) * g.spacing_mm[2]
    columns = np.flatnonzero(np.abs(x_mm - hips.midline_x_mm) < settings.half_width_mm)
    part = volume.hu[max(0, low) : max(0, high + 1), :, columns[0] : columns[-1] + 1]
    return np.asarray(part > settings.bone_hu, dtype=bool)


def _median_area_mm2(
    volume: CtImage, hips: Hips, reach_mm: tuple[float, float], settings: OrientationSettings
) -> float | None:
    """Bone per slice; None where the series shows too little of the range."""
    bone = _strip(volume, hips, reach_mm, settings)
    if len(bone) * volume.geometry.spacing_mm[0] < settings.min_shown_mm:
        return None
    return float(np.median(bone.sum(axis=(1, 2)))) * volume.geometry.pixel_area_mm2
