"""A minimum cut within bounds that are found on a coarse grid: less than half of the work, the same border.

The coarse grid joins 2 x 2 x 2 samples. Which of two walls is the cheaper one it cannot be trusted to tell,
so it is asked twice, leaning to either side. A wall a sample wide would be lost in a mean, and with it the
border on it: costs are joined by their geometric mean, in which a dark line stays dark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.segmentation.surface import BoolArray, Problem, minimum_cut

REACH_MM = 10.0
"""The fine border is sought so far beyond the coarse ones, and those of the neighbouring rays. With 8 mm one
of 30 confidences rose from 0.83 to 0.99, because the other outline was out of reach."""

LEANING = np.float32(0.02)
"""Per mm³, as much as fat costs; a muscle believed to be 15 % larger leans by 0.0075. With less, wedges of
4 to 8 % are lost that the whole cut keeps (docs/explanation/experiments.md)."""

_BLOCK = 2
_SMALL = 10_000
"""So few nodes are not worth the detour."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Band:
    """Between which indices of each ray the border is sought, (slice, angle)."""

    low: FloatArray
    high: FloatArray

    def part(self, chosen: slice) -> Band:
        """That of some slices."""
        return Band(self.low[chosen], self.high[chosen])


def find_band(problem: Problem) -> Band | None:
    """Where the border may run: between those of a muscle much liked and little liked, on a coarse grid.

    Where a picture decides, the two are one; where two walls compete, both lie within. None for problems so
    small that they are not worth the detour.
    """
    if np.count_nonzero(problem.inside) < _SMALL:
        return None
    rough = _coarser(problem)
    liked, disliked = (
        _finer(border_of(minimum_cut(leaning), rough.inside), problem.inside.shape)
        for leaning in (replace(rough, preference=rough.preference + sign * LEANING) for sign in (-1, 1))
    )
    reach = REACH_MM / problem.step_mm
    low = ndi.minimum_filter(np.minimum(liked, disliked), 3) - reach
    return Band(low, ndi.maximum_filter(np.maximum(liked, disliked), 3) + reach)


def near_cut(problem: Problem, band: Band | None) -> BoolArray:
    """Label every node as muscle (True) or not, at the least cost of a border within the band."""
    return minimum_cut(problem if band is None else problem.between(band.low, band.high))


def border_of(muscle: BoolArray, inside: BoolArray) -> IntArray:
    """Index of the innermost muscle of each ray (slice, angle); just outside where there is none."""
    outermost = inside.shape[2] - 1 - inside[:, :, ::-1].argmax(2)
    beyond = np.where(inside.any(2), outermost + 1, 0)
    return np.asarray(np.where(muscle.any(2), muscle.argmax(2), beyond), dtype=np.int64)


def _coarser(problem: Problem) -> Problem:
    """Blocks of nodes as one."""
    inside: BoolArray = _blocks(problem.inside)
    n = np.maximum(inside.sum(-1), 1)
    other = np.asarray(_blocks(problem.other & problem.inside).any(-1), dtype=bool)
    log_cost = np.where(inside, np.log(_blocks(problem.cost, 1.0)), 0.0).sum(-1) / n
    preference = np.where(inside, _blocks(problem.preference), 0.0).mean(-1)
    n_radii = inside.shape[2]
    first_mm = problem.radii_mm[0] + (_BLOCK - 1) / 2 * problem.step_mm
    return Problem(
        inside=np.asarray(inside.any(-1), dtype=bool),
        cost=np.exp(log_cost).astype(np.float32),
        preference=preference.astype(np.float32),
        muscle=np.asarray(_blocks(problem.muscle & problem.inside).any(-1) & ~other, dtype=bool),
        other=other,
        radii_mm=first_mm + np.arange(n_radii) * _BLOCK * problem.step_mm,
        angle_step_rad=problem.angle_step_rad * _BLOCK,
        slice_mm=problem.slice_mm * _BLOCK,
        across_rays=problem.across_rays,
    )


def _blocks(array: npt.NDArray[Any], beyond: float = 0) -> npt.NDArray[Any]:
    """The values of each block on the last axis."""
    padded = np.pad(array, [(0, -n % _BLOCK) for n in array.shape], constant_values=beyond)
    a, b, c = (n // _BLOCK for n in padded.shape)
    split = padded.reshape(a, _BLOCK, b, _BLOCK, c, _BLOCK)
    return split.transpose(0, 2, 4, 1, 3, 5).reshape(a, b, c, _BLOCK**3)


def _finer(border: IntArray, shape: tuple[int, ...]) -> FloatArray:
    """A coarse border on the rays of the fine grid, interpolated between the middles of the blocks."""
    at = np.meshgrid(*((np.arange(n) - (_BLOCK - 1) / 2) / _BLOCK for n in shape[:2]), indexing="ij")
    fine = ndi.map_coordinates(border * float(_BLOCK), at, order=1, mode="nearest")
    return np.asarray(fine, dtype=np.float64)
