"""The two femoral heads: a pair of bony balls in the surroundings of hips that lie as two hips do.

`circles` proposes balls, `surroundings` tells which have a hip joint around them, and `refine` fits
the chosen ones to their surface. Where one head is missing (a metal-free resection, a destroyed or
cut off joint) the other one stands for both: the pelvis' plane of symmetry gives its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
MIN_CANDIDATE_FIT = 0.7
MIN_FIT = 0.8
"""Least fit of the surroundings of each head of a pair; true hips have 0.95 to 1."""
MIN_SHOWN = 0.3
"""Least share of each head's surface to be seen; true heads show 0.45 to 0.9 of it."""
MIN_SINGLE_FIT, MIN_SINGLE_SHOWN = 0.95, 0.5
"""A head without its pair must be unmistakable."""
MIN_MIRRORED_FIT = 0.7

_CANDIDATES = 5
_SURFACE_WEIGHT = 0.4  # against the fit of the surroundings, which near candidates share
_SIDES: tuple[Side, Side] = ("left", "right")


@dataclass(frozen=True)
class Hips:
    """Both femoral heads and how sure the pair is (0.9 to 1.4).

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
    heads = {side: _heads(small, bones, spheres, side) for side in _SIDES}
    found = max(_pairs(heads), key=lambda hips: hips.score, default=None) or _single(bones, heads)
    if found is None:
        raise GlutsegError(
            "hips-not-found",
            f"{len(spheres)} bony balls were looked at ({len(heads['left'])} and {len(heads['right'])} "
            "closely), but no two lie as two hips do",
        )
    return found


@dataclass(frozen=True)
class _Head:
    ball: Sphere
    fit: float

    @property
    def score(self) -> float:
        return self.fit + _SURFACE_WEIGHT * self.ball.score


Heads = dict[Side, list[_Head]]


def _heads(volume: Volume, bones: BoneMap, spheres: list[Sphere], side: Side) -> list[_Head]:
    """The candidates with the best surroundings for this side, fitted to their surface."""
    rough = [_Head(sphere, bones.fit(sphere.centre_mm, side)) for sphere in spheres]
    likely = [head for head in rough if head.fit >= MIN_CANDIDATE_FIT]
    likely.sort(key=lambda head: -head.score)
    fitted = [refine(volume, head.ball) for head in likely[:_CANDIDATES]]
    heads = [_Head(ball, bones.fit(ball.centre_mm, side)) for ball in fitted]
    return [head for head in heads if head.fit >= MIN_FIT and head.ball.score >= MIN_SHOWN]


def _pairs(heads: Heads) -> list[Hips]:
    """Pairs that lie as two hips do; unlikely arrangements cost a little."""
    found = []
    for left in heads["left"]:
        for right in heads["right"]:
            dx, dy, dz = (a - b for a, b in zip(left.ball.centre_mm, right.ball.centre_mm, strict=True))
            if not HEAD_DISTANCE_MM[0] < dx < HEAD_DISTANCE_MM[1]:
                continue
            if max(abs(dz), abs(dy)) > MAX_HEIGHT_DIFFERENCE_MM:
                continue
            size = left.ball.radius_mm - right.ball.radius_mm
            cost = 0.05 * ((dz / 20) ** 2 + (dy / 20) ** 2) + 0.02 * (size / 3) ** 2
            found.append(Hips(left.ball, right.ball, (left.score + right.score) / 2 - cost))
    return found


def _single(bones: BoneMap, heads: Heads) -> Hips | None:
    """One head and its mirror image in the plane about which the pelvis is symmetrical."""
    sure = [
        (head, side)
        for side in _SIDES
        for head in heads[side]
        if head.fit >= MIN_SINGLE_FIT and head.ball.score >= MIN_SINGLE_SHOWN
    ]
    if not sure:
        return None
    head, side = max(sure, key=lambda item: item[0].score)
    x, y, z = head.ball.centre_mm
    medial = -1 if side == "left" else 1
    reach = sorted(x + medial * d / 2 for d in HEAD_DISTANCE_MM)
    plane = bones.symmetry_x_mm((z - 60, z + 80), (reach[0], reach[1]))
    other: Side = "right" if side == "left" else "left"
    mirrored = replace(head.ball, centre_mm=(2 * plane - x, y, z), score=0.0)
    if bones.fit(mirrored.centre_mm, other, PELVIC) < MIN_MIRRORED_FIT:
        return None
    left, right = (head.ball, mirrored) if side == "left" else (mirrored, head.ball)
    return Hips(left, right, head.score, assumed=other)
