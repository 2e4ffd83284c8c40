"""The two femoral heads: a pair of bony balls in the surroundings of hips that lie as two hips do.

`circles` proposes balls, `surroundings` tells which have a hip joint around them, and `refine` fits
the chosen ones to their surface. Where one head is missing (a metal-free resection, a destroyed or
cut off joint) the other one stands for both: the pelvis' plane of symmetry gives its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from glutseg.anatomy.circles import find_spheres
from glutseg.anatomy.refine import refine
from glutseg.anatomy.sphere import Sphere, slabs
from glutseg.anatomy.surroundings import PELVIC, BoneMap
from glutseg.errors import GlutsegError
from glutseg.result import Side
from glutseg.volume import Volume

HEAD_DISTANCE_MM = (120.0, 235.0)
"""Between the centres of the two heads: 150 to 200 mm in adults, with room for extremes."""
MAX_HEIGHT_DIFFERENCE_MM = 40.0
MIN_SIDE_FIT = 0.6
"""Least fit of the surroundings of each head of a pair."""
MIN_PAIR_SCORE = 0.7
MIN_SINGLE_FIT = 0.85
"""A head without its pair must have unmistakable surroundings."""
MIN_MIRRORED_FIT = 0.6

_BALL_WEIGHT = 0.6  # against the fit of the surroundings: which of several near candidates is taken
_SIDES: tuple[Side, Side] = ("left", "right")


@dataclass(frozen=True)
class Hips:
    """Both femoral heads and how sure the pair is (0 to about 1.1).

    ``assumed`` names the side whose head was not found: its ball is the other one's mirror image.
    """

    left: Sphere
    right: Sphere
    score: float
    assumed: Side | None = None

    @property
    def midline_x_mm(self) -> float:
        return (self.left.centre_mm[0] + self.right.centre_mm[0]) / 2

    @property
    def top_mm(self) -> float:
        """Mean height of the two tops."""
        return (self.left.top_mm + self.right.top_mm) / 2


def find_hips(volume: Volume) -> Hips:
    """Both femoral heads of a canonical axial volume.

    Raises
    ------
    GlutsegError
        ``hips-not-found`` when no bony ball lies in the surroundings of a hip.
    """
    small = slabs(volume)
    bones = BoneMap.of(small)
    spheres = find_spheres(small)
    fits = {side: np.array([bones.fit(s.centre_mm, side) for s in spheres]) for side in _SIDES}
    pairs = _pairs(spheres, fits)
    if pairs and pairs[0].score >= MIN_PAIR_SCORE:
        best = pairs[0]
        return replace(best, left=refine(small, best.left), right=refine(small, best.right))
    single = _single(small, bones, spheres, fits)
    if single is None:
        raise GlutsegError(
            "hips-not-found",
            f"no two bony balls lie as two hips do (best pair {pairs[0].score if pairs else 0:.2f}, "
            f"{MIN_PAIR_SCORE} is needed)",
        )
    return single


def _pairs(spheres: list[Sphere], fits: dict[Side, np.ndarray]) -> list[Hips]:
    """Pairs that lie as two hips do, best first; unlikely arrangements cost a little."""
    found = []
    candidates = {side: np.flatnonzero(fits[side] >= MIN_SIDE_FIT) for side in _SIDES}
    for i in candidates["left"]:
        for j in candidates["right"]:
            left, right = spheres[i], spheres[j]
            dx, dy, dz = (a - b for a, b in zip(left.centre_mm, right.centre_mm, strict=True))
            if not HEAD_DISTANCE_MM[0] < dx < HEAD_DISTANCE_MM[1]:
                continue
            if max(abs(dz), abs(dy)) > MAX_HEIGHT_DIFFERENCE_MM:
                continue
            size = left.radius_mm - right.radius_mm
            cost = 0.05 * ((dz / 20) ** 2 + (dy / 20) ** 2) + 0.02 * (size / 3) ** 2
            fit = (fits["left"][i] + fits["right"][j]) / 2
            found.append(Hips(left, right, float(fit + _BALL_WEIGHT * (left.score + right.score) - cost)))
    return sorted(found, key=lambda pair: -pair.score)


def _single(
    volume: Volume, bones: BoneMap, spheres: list[Sphere], fits: dict[Side, np.ndarray]
) -> Hips | None:
    """One head and its mirror image in the plane about which the pelvis is symmetrical."""
    best: tuple[float, Side, Sphere] | None = None
    for side in _SIDES:
        for sphere, fit in zip(spheres, fits[side], strict=True):
            score = float(fit + 2 * _BALL_WEIGHT * sphere.score)
            if fit >= MIN_SINGLE_FIT and (best is None or score > best[0]):
                best = score, side, sphere
    if best is None:
        return None
    score, side, sphere = best
    head = refine(volume, sphere)
    x, y, z = head.centre_mm
    medial = -1 if side == "left" else 1
    reach = sorted(x + medial * d / 2 for d in HEAD_DISTANCE_MM)
    plane = bones.symmetry_x_mm((z - 60, z + 80), (reach[0], reach[1]))
    other: Side = "right" if side == "left" else "left"
    mirrored = replace(head, centre_mm=(2 * plane - x, y, z), score=0.0)
    if bones.fit(mirrored.centre_mm, other, PELVIC) < MIN_MIRRORED_FIT:
        return None
    pair = (head, mirrored) if side == "left" else (mirrored, head)
    return Hips(*pair, score, assumed=other)
