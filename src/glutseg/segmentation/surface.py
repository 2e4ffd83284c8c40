"""The deep surface of the gluteus maximus as a minimum cut.

Two regions grow at once in the fan of rays: the muscle from its outer layer inwards, everything else
from the bones and the deep muscles outwards. They meet where keeping them apart costs least: on dark
walls of fat, bridged by the smallest surface where a wall is invisible. Arcs of infinite capacity
along each ray make the muscle one layer that reaches its outer surface (Li, Wu, Chen, Sonka 2006,
IEEE TPAMI 28:119), so no fat streak can split it and no plane deeper than the first is mistaken for
its own as long as the first shows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from glutseg.segmentation.flow import source_side

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

_INFINITE = 1_000_000
_UNITS_PER_MM2 = 200.0  # capacities are integers
_NOT_THERE = -1
Arcs = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float64]]
"""Tails, heads and capacities."""


@dataclass(frozen=True)
class Problem:
    """What a cut is to be made in; arrays are (slice, angle, radius).

    Attributes
    ----------
    inside : bool, the nodes; one unbroken run along every ray
    cost : per mm² of border at each node: small on a wall, 1 within even tissue
    preference : per mm³, negative where a node is rather muscle, positive where rather not
    muscle, other : seeds of the two regions; where they overlap ``other`` wins
    radii_mm : radius of each sample; its step is the grid's
    angle_step_rad, slice_mm : the grid's other steps
    across_rays : how much more a border costs that runs along a ray
    """

    inside: BoolArray
    cost: FloatArray
    preference: FloatArray
    muscle: BoolArray
    other: BoolArray
    radii_mm: npt.NDArray[np.float64]
    angle_step_rad: float
    slice_mm: float
    across_rays: float = 1.0

    @property
    def step_mm(self) -> float:
        """Between the samples of a ray."""
        return float(self.radii_mm[1] - self.radii_mm[0])

    @property
    def width_mm(self) -> npt.NDArray[np.float64]:
        """Between neighbouring rays, per radius; they crowd at the centre, where nothing is sought."""
        return np.maximum(self.radii_mm, 20.0) * self.angle_step_rad

    @property
    def faces_mm2(self) -> tuple[npt.NDArray[np.float64], ...]:
        """Between neighbours along each axis, per radius."""
        along = np.full(len(self.radii_mm), self.step_mm * self.slice_mm * self.across_rays)
        return self.step_mm * self.width_mm, along, self.width_mm * self.slice_mm

    def between(self, low: npt.NDArray[Any], high: npt.NDArray[Any]) -> Problem:
        """The same with the border sought between two indices of each ray (slice, angle) only."""
        at = np.arange(self.inside.shape[2])
        return replace(
            self,
            muscle=self.muscle | (at >= high[..., None]),
            other=self.other | ((at < low[..., None]) & ~self.muscle),
        )


def minimum_cut(problem: Problem) -> BoolArray:
    """Label every node as muscle (True) or not, at the least cost."""
    inside = problem.inside
    free = inside & ~problem.muscle & ~problem.other
    nodes = int(free.sum())
    source, sink = nodes, nodes + 1  # all seeds of a kind are one node: the cut cannot part them
    index = np.full(inside.shape, _NOT_THERE, np.int32)
    index[inside & problem.muscle] = source
    index[inside & problem.other] = sink
    index[free] = np.arange(nodes, dtype=np.int32)
    arcs = [_neighbours(axis, index, nodes, problem) for axis in range(3)]
    voxel_mm3 = problem.width_mm * problem.slice_mm * problem.step_mm
    pull = (problem.preference * voxel_mm3 * _UNITS_PER_MM2)[free]
    every = np.arange(nodes, dtype=np.int32)
    arcs.append((np.full(nodes, source, np.int32), every, np.maximum(-pull, 0)))
    arcs.append((every, np.full(nodes, sink, np.int32), np.maximum(pull, 0)))

    tail, head, capacity = (np.concatenate(part) for part in zip(*arcs, strict=True))
    used = (capacity >= 1) & (head != source) & (tail != sink)
    reached = source_side(tail[used], head[used], capacity[used].astype(np.int32), source, sink)
    out = index == source
    out[free] = reached[:nodes]
    return np.asarray(out, dtype=bool)


def _neighbours(axis: int, index: npt.NDArray[np.int32], n_free: int, problem: Problem) -> Arcs:
    """Both arcs between neighbours along one axis, unless both are decided already."""
    cost, face_mm2 = problem.cost, problem.faces_mm2[axis]
    low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
    high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
    both = (index[low] != _NOT_THERE) & (index[high] != _NOT_THERE)
    both &= (index[low] < n_free) | (index[high] < n_free)
    near, far = index[low][both], index[high][both]
    price = (cost[low] + cost[high]) / 2 * (face_mm2[1:] if axis == 2 else face_mm2)
    capacity = np.maximum(price[both] * _UNITS_PER_MM2, 1.0)
    # along a ray: where the inner node is muscle the outer one must be too
    inner_to_outer = np.full(len(capacity), float(_INFINITE)) if axis == 2 else capacity
    return (
        np.concatenate([near, far]),
        np.concatenate([far, near]),
        np.concatenate([inner_to_outer, capacity]),
    )
