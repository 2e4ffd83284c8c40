"""Gluteus medius and minimus as they usually are: decides where the picture does not.

All tables were read off three patients (one real, two rendered from other patients' outlines) and
rounded; between the rows and columns they are interpolated. Heights are mm above the femoral heads'
tops, angles degrees of the fan (0 straight back, 90 to the side), thicknesses mm along the rays, zero
or less where there is no muscle any more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glutseg.segmentation.abductors_scene import TURNED_DEGREES, DeepScene
from glutseg.segmentation.sheet import STEP_MM

FloatArray = npt.NDArray[np.float64]
Rows = tuple[tuple[float, ...], ...]

COLUMNS_DEGREES = (30.0, 45.0, 60.0, 75.0, 90.0, 105.0, 120.0, 135.0)

OVER_BONE_MM: Rows = (
    (8, 4, 7, 13, 17, 22, 29, 32, 30),
    (25, 7, 8, 10, 14, 18, 26, 31, 25),
    (35, 6, 8, 10, 14, 17, 20, 25, 18),
    (45, 3, 5, 8, 11, 14, 17, 20, 12),
    (55, 1, 3, 5, 7, 10, 13, 15, 10),
    (65, 1, 1, 2, 4, 5, 6, 8, 5),
    (80, 1, 1, 1, 1, 1, 2, 2, 1),
)
"""Height; how far the medius' deep surface lies above the ilium at `COLUMNS_DEGREES`: the minimus' room."""

MEDIUS_MM: Rows = (
    (-55, -20, -20, -20, -15, -10, -8, -10, -20),
    (-45, -15, -15, -10, -3, 2, 5, 0, -20),
    (-35, -10, -10, -3, 3, 8, 13, 8, -10),
    (-25, -8, -5, 0, 8, 13, 21, 17, 5),
    (-15, -5, 0, 4, 11, 17, 25, 25, 15),
    (0, 1, 8, 10, 18, 23, 27, 27, 20),
    (8, 3, 8, 10, 21, 26, 28, 28, 20),
    (25, 7, 10, 14, 25, 29, 28, 24, 15),
    (45, 7, 10, 14, 25, 29, 28, 24, 15),
    (75, -20, -20, -20, -20, -20, -20, -20, -20),
)
"""Height; the medius' thickness at `COLUMNS_DEGREES`, where no ilium lies beneath it."""

MINIMUS_MM: Rows = (
    (-30, -15, -15, -15, -15, -12, -10, -10, -15),
    (-18, -8, -8, -8, -4, 0, 2, 2, -5),
    (-8, -8, -6, -2, 5, 7, 7, 6, 0),
    (0, -5, -1, 5, 10, 12, 11, 9, 3),
    (8, -2, 4, 9, 12, 14, 16, 16, 8),
    (20, 4, 9, 12, 15, 17, 20, 20, 15),
)
"""Height; the minimus' thickness at `COLUMNS_DEGREES`, fat not counted, where no ilium lies beneath it."""

ENDS_DEGREES: Rows = (
    (-50, 75, 90, 100),
    (-25, 68, 85, 105),
    (-10, 63, 70, 110),
    (0, 58, 57, 114),
    (15, 30, 43, 123),
    (30, 14, 34, 125),
    (45, 11, 45, 120),
    (60, 6, 70, 118),
    (75, 5, 85, 110),
    (100, 8, 90, 90),
    (130, 15, 90, 90),
)
"""Height; back end of the medius; back and front end of the minimus."""

BEFORE_FRONT_DEGREES: Rows = (
    (-45, 28),
    (-35, 23),
    (-25, 18),
    (-15, 15),
    (0, 12),
    (15, 9),
    (25, 8),
    (35, 6),
    (45, 6),
)
"""Height; how far the medius ends behind the angle at which the ilium ends in front at `FRONT_AT_MM`."""

BEFORE_BONE_DEGREES: Rows = ((45, 10), (55, 12), (65, 13), (75, 19), (85, 23), (130, 21))
"""Height; how far the medius ends behind the angle at which the ilium ends in front there."""

FRONT_AT_MM = (20.0, 35.0)
"""The two spines of the ilium, between which the tensor fasciae latae and the sartorius begin."""
USUAL_FRONT_DEGREES = 130.0
OWN_FRONT_FROM_MM = (45.0, 60.0)
"""From the first to the second height the ilium's front end there takes over from that at the spines."""
BONE_FROM_MM = (8.0, 22.0)
"""From the first to the second height the outermost bone takes over as what the muscles lie on; lower down
it may be the trochanter."""

FRONT_DEGREES, BACK_DEGREES = 5.0, 20.0
"""So far from the front and the back end of a muscle, `Usual.ends` is 1."""


@dataclass(frozen=True)
class Belief:
    """How large the muscles are believed to be where they cannot be seen, and how far they reach."""

    size: float = 1.0
    reach_degrees: float = 0.0


OTHER_BELIEFS = (Belief(0.85, -4.0), Belief(1.15, 4.0))
"""Where such a belief moves a border, the picture does not show it."""


@dataclass(frozen=True)
class Usual:
    """What is expected of one muscle.

    Attributes
    ----------
    thickness_mm : along the rays, (slab, angle)
    ends : (slab, angle), 0 at the two ends of the muscle, positive between them
    """

    thickness_mm: FloatArray
    ends: FloatArray


def usual_medius(scene: DeepScene, belief: Belief) -> Usual:
    """The medius under its outer surface."""
    over_bone = (scene.outer - scene.floor) * STEP_MM - _table(scene, OVER_BONE_MM) / belief.size
    free = _table(scene, MEDIUS_MM) * belief.size
    first = _column(scene, ENDS_DEGREES, 1) - belief.reach_degrees
    last = _medius_front(scene) + belief.reach_degrees
    return Usual(_by_height(scene, over_bone, free), _ends(first, last))


def usual_minimus(scene: DeepScene, roof: npt.NDArray[np.int64], belief: Belief) -> Usual:
    """The minimus under the surface ``roof`` (index, (slab, angle)): down to the ilium where there is one."""
    over_bone = (roof - scene.floor) * STEP_MM
    free = _table(scene, MINIMUS_MM) * belief.size
    first = _column(scene, ENDS_DEGREES, 2) - belief.reach_degrees
    last = _column(scene, ENDS_DEGREES, 3) + belief.reach_degrees
    return Usual(_by_height(scene, over_bone, free), _ends(first, last))


def _column(scene: DeepScene, rows: Rows, column: int) -> FloatArray:
    """One column of a table at the height of every slab."""
    return np.interp(scene.above_mm, [row[0] for row in rows], [row[column] for row in rows])


def _table(scene: DeepScene, rows: Rows) -> FloatArray:
    """A table of `COLUMNS_DEGREES` at every slab and angle."""
    columns = np.stack([_column(scene, rows, i + 1) for i in range(len(COLUMNS_DEGREES))], axis=1)
    return np.stack([np.interp(TURNED_DEGREES, COLUMNS_DEGREES, row) for row in columns])


def _by_height(scene: DeepScene, over_bone: npt.NDArray[np.floating], free: FloatArray) -> FloatArray:
    """The thickness over the ilium, and below it, or beside it, the one from a table."""
    share = np.interp(scene.above_mm, BONE_FROM_MM, (0.0, 1.0))[:, None] * (scene.floor >= 0)
    return np.asarray(share * over_bone + (1 - share) * free)


def _ends(first: FloatArray, last: FloatArray) -> FloatArray:
    back = (TURNED_DEGREES - first[:, None]) / BACK_DEGREES
    front = (last[:, None] - TURNED_DEGREES) / FRONT_DEGREES
    return np.minimum(back, front)


def _medius_front(scene: DeepScene) -> FloatArray:
    """Angle at which the medius usually ends in front, per slab."""
    own = _bone_front(scene)
    low, high = FRONT_AT_MM
    near = own[(scene.above_mm >= low) & (scene.above_mm <= high) & ~np.isnan(own)]
    spines = float(np.median(near)) if len(near) else USUAL_FRONT_DEGREES
    below = spines - _column(scene, BEFORE_FRONT_DEGREES, 1)
    above = own - _column(scene, BEFORE_BONE_DEGREES, 1)
    share = np.where(np.isnan(own), 0.0, np.interp(scene.above_mm, OWN_FRONT_FROM_MM, (0.0, 1.0)))
    return np.asarray(share * np.nan_to_num(above) + (1 - share) * below)


def _bone_front(scene: DeepScene) -> FloatArray:
    """Angle at which the bone beside the hip ends in front, per slab; NaN where there is none."""
    beside = TURNED_DEGREES >= 60
    bone = scene.floor[:, beside] >= 0
    length = np.where(bone.all(1), bone.shape[1], (~bone).argmax(1))
    angles = TURNED_DEGREES[beside]
    return np.where(length > 0, angles[np.maximum(length, 1) - 1], np.nan)
