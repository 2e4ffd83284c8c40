"""The two femoral heads: a pair of bony balls in the surroundings of hips that lie as two hips do.

`circles` proposes balls, `surroundings` tells which have a hip joint around them, and `refine` fits
the chosen ones to their surface. Where one head is missing (a metal-free resection, a destroyed or
cut off joint) the other one stands for both: the pelvis' plane of symmetry gives its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from glutseg.anatomy.circles import find_spheres
from glutseg.anatomy.refine import polish, refine
from glutseg.anatomy.sphere import Sphere, bony_part, distance_mm, slabs
from glutseg.anatomy.surroundings import PELVIC, BoneMap
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Side

HEAD_DISTANCE_MM = (120.0, 235.0)
"""Between the centres of the two heads: 150 to 200 mm in adults, with room for extremes."""
MAX_SKEW = 0.35
"""Of that distance: one head above the other, or behind it. Patients turned by 15 degrees were tried."""
MIN_CANDIDATE_FIT = 0.7
MIN_FIT = 0.8
"""Least fit of the surroundings of each head of a pair; true hips have 0.95 to 1."""
FIT_PER_HIDDEN, MOST_FIT_ASKED = 0.09, 0.975
"""More fit is asked for each region that lies outside the series. In series that begin in the middle of the
heads (five hidden) true hips have 0.98 to 1; of those taken for hips above them one side has 0.80 to 0.97."""
MIN_SHOWN = 0.3
"""Least share of each head's surface to be seen; true heads show 0.45 to 0.9 of it."""
MIN_SINGLE_FIT, MIN_SINGLE_SHOWN = 0.95, 0.5
"""A head without its pair must be unmistakable,"""
MAX_SINGLE_HIDDEN = 1
"""and the thigh below it in view: vertebrae at the lower end of a series look much like one hip."""
MIN_MIRRORED_FIT = 0.7
SURE_FIT = 0.92
"""A pair that fits so well ends the search; else it goes on with the patient turned."""

SURROUNDINGS_MM = (-75.0, 95.0)
"""Below and above the lower one of the two heads: all of `REGIONS`, also of a head that lies higher."""

_COARSE_MM = 1.6  # pixels are enough to see which places look like hips
_PLACES, _APART_MM, _SAME_MM = 6, 20.0, 10.0
_CANDIDATES = 5
_ROLLS_DEGREES = ((0.0,), (-13.0, 13.0))
_WORSE_FIT = 0.15  # a refined ball's surroundings hardly gain more
_SURFACE_WEIGHT = 0.4  # against the fit of the surroundings, which near candidates share

FloatArray = npt.NDArray[np.float64]
_SIDES: tuple[Side, Side] = ("left", "right")


@dataclass(frozen=True)
class Hips:
    """Both femoral heads and how sure the pair is (0.9 to 1.4).

    ``fit`` tells how far the surroundings of the worse of both are those of a hip (0.8 to 1).
    ``assumed`` names the side whose head was not found: its ball is the other one's mirror image.
    """

    left: Sphere
    right: Sphere
    score: float
    assumed: Side | None = None
    fit: float = 1.0

    @property
    def midline_x_mm(self) -> float:
        return (self.left.centre_mm[0] + self.right.centre_mm[0]) / 2

    @property
    def lowest_mm(self) -> float:
        """Height of the lower one of the two centres."""
        return min(self.left.centre_mm[2], self.right.centre_mm[2])

    @property
    def top_mm(self) -> float:
        """Mean height of the two tops."""
        return (self.left.top_mm + self.right.top_mm) / 2


def find_hips(volume: CtImage, near: Hips | None = None) -> Hips:
    """Both femoral heads of a canonical axial volume.

    Parameters
    ----------
    near : hips as a few slices of the same volume show them; if they are not there, all is searched

    Raises
    ------
    GlutsegError
        ``hips-not-found`` when no bony ball lies in the surroundings of a hip.
    """
    if near is not None and (seen := _seen_near(volume, near)):
        return seen
    volume = bony_part(volume)
    small = slabs(volume, pixel_mm=_COARSE_MM)
    bones = BoneMap.of(small)
    heads: Heads = {"left": [], "right": []}
    pairs: list[Hips] = []
    for rolls in _ROLLS_DEGREES:
        for side in _SIDES:
            for roll in rolls:
                heads[side] += _heads(volume, small, bones, side, _rolled(roll))
        pairs = _pairs(bones, heads)
        if any(hips.fit >= SURE_FIT for hips in pairs):
            break
    best = max(pairs, key=lambda hips: hips.score, default=None)
    # fitted once more from where the first fit ended, so that little depends on where that began
    found = (
        replace(best, left=polish(volume, best.left), right=polish(volume, best.right))
        if best
        else _single(bones, heads)
    )
    if found is None:
        raise GlutsegError(
            "hips-not-found",
            f"{len(heads['left'])} bony balls look like a left hip and {len(heads['right'])} like a right "
            "one, but no two lie as two hips do",
        )
    return found


def _seen_near(volume: CtImage, near: Hips) -> Hips | None:
    """The hips fitted anew from where they were seen, if they are still as sure."""
    low, high = (volume.geometry.nearest_slice(near.lowest_mm + mm) for mm in SURROUNDINGS_MM)
    part = volume.crop((slice(max(0, low), max(0, high)), slice(None), slice(None)))
    bones = BoneMap.of(slabs(bony_part(part), pixel_mm=_COARSE_MM))
    balls: dict[Side, Sphere] = {"left": refine(volume, near.left), "right": refine(volume, near.right)}
    heads: Heads = {s: [_Head(ball, bones.fit(ball.centre_mm, s))] for s, ball in balls.items()}
    found = [hips for hips in _pairs(bones, heads) if hips.fit >= SURE_FIT]
    if not found or min(ball.score for ball in balls.values()) < MIN_SHOWN:
        return None
    return replace(found[0], left=polish(volume, found[0].left), right=polish(volume, found[0].right))


@dataclass(frozen=True)
class _Head:
    ball: Sphere
    fit: float

    @property
    def score(self) -> float:
        return self.fit + _SURFACE_WEIGHT * self.ball.score


Heads = dict[Side, list[_Head]]


def _places(bones: BoneMap, side: Side, frame: FloatArray) -> FloatArray:
    """The places (n, 3) whose surroundings look most like this side's hip, some way apart."""
    centres, fits = bones.likely(side, frame, MIN_CANDIDATE_FIT)
    chosen: list[FloatArray] = []
    for i in np.argsort(-fits, kind="stable"):
        if fits[i] < MIN_CANDIDATE_FIT or len(chosen) == _PLACES:
            break
        if all(np.linalg.norm(centres[i] - other) > _APART_MM for other in chosen):
            chosen.append(centres[i])
    return np.array(chosen).reshape(-1, 3)


def _rolled(degrees: float) -> FloatArray:
    """The frame of a patient turned about the long axis."""
    return _frame(np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0.0]))


def _frame(to_the_left: FloatArray) -> FloatArray:
    """The patient's left, back and up as columns, from the line through both heads."""
    left = to_the_left / np.linalg.norm(to_the_left)
    up = np.array([0.0, 0.0, 1.0]) - left[2] * left
    up /= np.linalg.norm(up)
    return np.column_stack([left, np.cross(up, left), up])


def _heads(volume: CtImage, small: CtImage, bones: BoneMap, side: Side, frame: FloatArray) -> list[_Head]:
    """The balls with the best surroundings for this side, fitted to their surface."""
    spheres = {s.centre_mm: s for place in _places(bones, side, frame) for s in find_spheres(small, place)}
    rough = [_Head(sphere, bones.fit(sphere.centre_mm, side, frame=frame)) for sphere in spheres.values()]
    likely: list[_Head] = []
    for head in sorted(rough, key=lambda head: -head.score):
        apart = all(distance_mm(head.ball, other.ball) > _SAME_MM for other in likely)
        best = likely[0].fit if likely else head.fit
        if head.fit >= max(MIN_CANDIDATE_FIT, best - _WORSE_FIT) and apart:
            likely.append(head)
    fitted = [refine(volume, head.ball) for head in likely[:_CANDIDATES]]
    heads = [_Head(ball, bones.fit(ball.centre_mm, side, frame=frame)) for ball in fitted]
    return [head for head in heads if head.fit >= MIN_FIT and head.ball.score >= MIN_SHOWN]


def _pairs(bones: BoneMap, heads: Heads) -> list[Hips]:
    """Pairs that lie as two hips do, judged in their own frame; unlikely arrangements cost a little."""
    found = []
    for left, right in product(heads["left"], heads["right"]):
        line = np.array(left.ball.centre_mm) - np.array(right.ball.centre_mm)
        dx, dy, dz = (float(d) for d in line)
        length = float(np.linalg.norm(line))
        if dx <= 0 or not HEAD_DISTANCE_MM[0] < length < HEAD_DISTANCE_MM[1]:
            continue
        if max(abs(dz), abs(dy)) > MAX_SKEW * length:
            continue
        frame = _frame(line)
        fit_left = bones.fit(left.ball.centre_mm, "left", frame=frame)
        fit_right = bones.fit(right.ball.centre_mm, "right", frame=frame)
        if not (
            fit_left >= _least_fit(bones.hidden(left.ball.centre_mm, "left", frame))
            and fit_right >= _least_fit(bones.hidden(right.ball.centre_mm, "right", frame))
        ):
            continue
        size = left.ball.radius_mm - right.ball.radius_mm
        cost = 0.02 * ((dz / 20) ** 2 + (dy / 20) ** 2 + (size / 3) ** 2)
        shown = (left.ball.score + right.ball.score) / 2
        score = (fit_left + fit_right) / 2 + _SURFACE_WEIGHT * shown - cost
        found.append(Hips(left.ball, right.ball, score, fit=min(fit_left, fit_right)))
    return found


def _least_fit(hidden: int) -> float:
    """The less of the surroundings the series shows, the better must be what it shows."""
    return min(MIN_FIT + FIT_PER_HIDDEN * hidden, MOST_FIT_ASKED)


def _single(bones: BoneMap, heads: Heads) -> Hips | None:
    """One head and its mirror image in the plane about which the pelvis is symmetrical."""
    sure = [
        (head, side)
        for side in _SIDES
        for head in heads[side]
        if head.fit >= MIN_SINGLE_FIT
        and head.ball.score >= MIN_SINGLE_SHOWN
        and bones.hidden(head.ball.centre_mm, side) <= MAX_SINGLE_HIDDEN
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
    return Hips(left, right, head.score, assumed=other, fit=head.fit)
