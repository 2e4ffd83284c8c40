"""The two femoral heads: a pair of bony balls in the surroundings of hips that lie as two hips do.

`circles` proposes balls, `surroundings` tells which have a hip joint around them, and `refine` fits
the chosen ones to their surface. Where one head is missing (a metal-free resection, a destroyed or
cut off joint) the other one stands for both: the pelvis' plane of symmetry gives its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from glutseg.anatomy.circles import find_spheres
from glutseg.anatomy.refine import polish, refine
from glutseg.anatomy.rolled import turned, turned_back
from glutseg.anatomy.sphere import Sphere, bony_part, distance_mm, fine_enough, slabs
from glutseg.anatomy.surroundings import BoneMap
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Side
from glutseg.settings import METHOD, HipSettings, Method

FloatArray = npt.NDArray[np.float64]
_SIDES: tuple[Side, Side] = ("left", "right")
Rolls = tuple[tuple[float, ...], ...]


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
    def roll_degrees(self) -> float:
        """How far the line through both heads is turned about the long axis, positive where the left one lies
        further back."""
        x_mm, y_mm, _ = np.subtract(self.left.centre_mm, self.right.centre_mm)
        return float(np.degrees(np.arctan2(y_mm, x_mm)))

    @property
    def lowest_mm(self) -> float:
        """Height of the lower one of the two centres."""
        return min(self.left.centre_mm[2], self.right.centre_mm[2])

    @property
    def top_mm(self) -> float:
        """Mean height of the two tops."""
        return (self.left.top_mm + self.right.top_mm) / 2


def find_hips(volume: CtImage, near: Hips | None = None, method: Method = METHOD) -> Hips:
    """Both femoral heads of a canonical axial volume.

    Parameters
    ----------
    near : hips as a few slices of the same volume show them; if they are not there, all is searched

    Raises
    ------
    GlutsegError
        ``hips-not-found`` when no bony ball lies in the surroundings of a hip.
    """
    volume = fine_enough(volume, method.grid)
    if near is not None and (seen := _seen_near(volume, near, method)):
        return seen
    volume = bony_part(volume, method.grid)
    small = slabs(volume, method.grid.slice_mm, method.grid.coarse_pixel_mm)
    bones = BoneMap.of(small, method.surroundings)
    heads, pairs = _search(volume, small, bones, method.hips.rolls_degrees, method)
    best = _best(pairs) or _on_turned(volume, small, method.hips.far_rolls_degrees, method)
    if best and abs(best.roll_degrees) > method.hips.max_roll_degrees:
        best = _best([best, *filter(None, [_on_turned(volume, small, (best.roll_degrees,), method)])])
    # fitted once more from where the first fit ended, so that little depends on where that began
    found = _polished(volume, best, method) if best else _single(bones, heads, method.hips)
    if found is None:
        raise GlutsegError(
            "hips-not-found",
            f"{len(heads['left'])} bony balls look like a left hip and {len(heads['right'])} like a right "
            "one, but no two lie as two hips do",
        )
    return found


def _search(
    volume: CtImage, small: CtImage, bones: BoneMap, rolls_degrees: Rolls, method: Method
) -> tuple[Heads, list[Hips]]:
    """Heads of both sides and the pairs they make, with one group of rolls after the other."""
    heads: Heads = {"left": [], "right": []}
    pairs: list[Hips] = []
    for rolls in rolls_degrees:
        for side in _SIDES:
            for roll in rolls:
                heads[side] += _heads(volume, small, bones, side, _rolled(roll), method)
        pairs = _pairs(bones, heads, method.hips)
        if any(hips.fit >= method.hips.certain_fit for hips in pairs):
            break
    return heads, pairs


def _best(pairs: list[Hips]) -> Hips | None:
    return max(pairs, key=lambda hips: hips.score, default=None)


def _on_turned(
    volume: CtImage, small: CtImage, rolls_degrees: tuple[float, ...], method: Method
) -> Hips | None:
    """The best pair on copies turned about the long axis, where a patient far on his side lies straight.

    What lies around a head is judged better there: the boxes of `BoneMap` move with a roll, but stay upright.
    Only one that is certain: in noise a head was once seen 23 mm away by half of its surroundings.
    """
    for degrees in rolls_degrees:
        copy = turned(small, degrees)
        _, pairs = _search(copy, copy, BoneMap.of(copy, method.surroundings), ((0.0,),), method)
        found: list[Hips] = []
        for hips in (pair for pair in pairs if pair.fit >= method.hips.certain_fit):
            left, right = (
                refine(volume, turned_back(ball, small.geometry, degrees), method.head_fit, method.grid)
                for ball in (hips.left, hips.right)
            )
            if min(left.score, right.score) >= method.hips.min_shown_share:
                found.append(replace(hips, left=left, right=right))
        if found:
            return _best(found)
    return None


def _polished(volume: CtImage, hips: Hips, method: Method) -> Hips:
    left, right = (polish(volume, ball, method.head_fit, method.grid) for ball in (hips.left, hips.right))
    return replace(hips, left=left, right=right)


def _seen_near(volume: CtImage, near: Hips, method: Method) -> Hips | None:
    """The hips fitted anew from where they were seen, if they are still as sure."""
    low, high = (volume.geometry.nearest_slice(near.lowest_mm + mm) for mm in method.hips.surroundings_mm)
    part = volume.crop((slice(max(0, low), max(0, high)), slice(None), slice(None)))
    bones = BoneMap.of(
        slabs(bony_part(part, method.grid), method.grid.slice_mm, method.grid.coarse_pixel_mm),
        method.surroundings,
    )
    balls: dict[Side, Sphere] = {
        "left": refine(volume, near.left, method.head_fit, method.grid),
        "right": refine(volume, near.right, method.head_fit, method.grid),
    }
    limits = method.hips
    heads: Heads = {
        s: [_Head(ball, bones.fit(ball.centre_mm, s), limits.surface_weight)] for s, ball in balls.items()
    }
    found = [hips for hips in _pairs(bones, heads, limits) if hips.fit >= limits.certain_fit]
    if not found or min(ball.score for ball in balls.values()) < limits.min_shown_share:
        return None
    return _polished(volume, found[0], method)


@dataclass(frozen=True)
class _Head:
    ball: Sphere
    fit: float
    surface_weight: float

    @property
    def score(self) -> float:
        return self.fit + self.surface_weight * self.ball.score


Heads = dict[Side, list[_Head]]


def _places(bones: BoneMap, side: Side, frame: FloatArray, settings: HipSettings) -> FloatArray:
    """The places (n, 3) whose surroundings look most like this side's hip, some way apart."""
    centres, fits = bones.likely(side, frame, settings.min_candidate_fit)
    chosen: list[FloatArray] = []
    for i in np.argsort(-fits, kind="stable"):
        if fits[i] < settings.min_candidate_fit or len(chosen) == settings.places:
            break
        if all(np.linalg.norm(centres[i] - other) > settings.places_apart_mm for other in chosen):
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


def _heads(
    volume: CtImage, small: CtImage, bones: BoneMap, side: Side, frame: FloatArray, method: Method
) -> list[_Head]:
    """The balls with the best surroundings for this side, fitted to their surface."""
    settings = method.hips

    def judged(balls: Iterable[Sphere]) -> list[_Head]:
        balls = list(balls)
        centres = np.array([ball.centre_mm for ball in balls]).reshape(-1, 3)
        fits = bones.fits(centres, side, frame=frame)
        return [
            _Head(ball, float(fit), settings.surface_weight) for ball, fit in zip(balls, fits, strict=True)
        ]

    places = _places(bones, side, frame, settings)
    rough = judged(
        {s.centre_mm: s for place in places for s in find_spheres(small, place, method.circles)}.values()
    )
    likely: list[_Head] = []
    for head in sorted(rough, key=lambda head: -head.score):
        apart = all(distance_mm(head.ball, other.ball) > settings.candidates_apart_mm for other in likely)
        best = likely[0].fit if likely else head.fit
        if head.fit >= max(settings.min_candidate_fit, best - settings.max_fit_loss) and apart:
            likely.append(head)
    likely = likely[: settings.candidates]
    heads = judged(refine(volume, head.ball, method.head_fit, method.grid) for head in likely)
    return [
        head for head in heads if head.fit >= settings.min_fit and head.ball.score >= settings.min_shown_share
    ]


def _pairs(bones: BoneMap, heads: Heads, settings: HipSettings) -> list[Hips]:
    """Pairs that lie as two hips do, judged in their own frame; unlikely arrangements cost a little."""
    nearest_mm, furthest_mm = settings.head_distance_mm
    found = []
    for left, right in product(heads["left"], heads["right"]):
        line = np.array(left.ball.centre_mm) - np.array(right.ball.centre_mm)
        dx, dy, dz = (float(d) for d in line)
        length = float(np.linalg.norm(line))
        if dx <= 0 or not nearest_mm < length < furthest_mm:
            continue
        if max(abs(dz), abs(dy)) > settings.max_skew_share * length:
            continue
        frame = _frame(line)
        fit_left = bones.fit(left.ball.centre_mm, "left", frame=frame)
        fit_right = bones.fit(right.ball.centre_mm, "right", frame=frame)
        if not (
            fit_left >= _least_fit(bones.hidden(left.ball.centre_mm, "left", frame), settings)
            and fit_right >= _least_fit(bones.hidden(right.ball.centre_mm, "right", frame), settings)
        ):
            continue
        size = left.ball.radius_mm - right.ball.radius_mm
        skew_mm = settings.skew_mm
        cost = settings.skew_cost * (
            (dz / skew_mm) ** 2 + (dy / skew_mm) ** 2 + (size / settings.size_difference_mm) ** 2
        )
        shown = (left.ball.score + right.ball.score) / 2
        score = (fit_left + fit_right) / 2 + settings.surface_weight * shown - cost
        found.append(Hips(left.ball, right.ball, score, fit=min(fit_left, fit_right)))
    return found


def _least_fit(hidden: int, settings: HipSettings) -> float:
    """The less of the surroundings the series shows, the better must be what it shows."""
    return min(settings.min_fit + settings.fit_per_hidden_region * hidden, settings.max_fit_asked)


def _single(bones: BoneMap, heads: Heads, settings: HipSettings) -> Hips | None:
    """One head and its mirror image in the plane about which the pelvis is symmetrical."""
    sure = [
        (head, side)
        for side in _SIDES
        for head in heads[side]
        if head.fit >= settings.min_single_fit
        and head.ball.score >= settings.min_single_shown_share
        and bones.hidden(head.ball.centre_mm, side) <= settings.max_single_hidden_regions
    ]
    if not sure:
        return None
    head, side = max(sure, key=lambda item: item[0].score)
    x, y, z = head.ball.centre_mm
    low, high = settings.symmetry_mm
    medial = -1 if side == "left" else 1
    reach = sorted(x + medial * d / 2 for d in settings.head_distance_mm)
    plane = bones.symmetry_x_mm((z + low, z + high), (reach[0], reach[1]))
    other: Side = "right" if side == "left" else "left"
    mirrored = replace(head.ball, centre_mm=(2 * plane - x, y, z), score=0.0)
    if bones.fit(mirrored.centre_mm, other, bones.settings.pelvic_regions) < settings.min_mirrored_fit:
        return None
    left, right = (head.ball, mirrored) if side == "left" else (mirrored, head.ball)
    return Hips(left, right, head.score, assumed=other, fit=head.fit)
