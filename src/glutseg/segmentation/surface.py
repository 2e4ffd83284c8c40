"""The deep surface of the gluteus maximus as a minimum cut.

Two regions grow at once in the fan of rays: the muscle from its outer layer inwards, everything else
from the bones and the deep muscles outwards. They meet where keeping them apart costs least: on dark
walls of fat, bridged by the smallest surface where a wall is invisible. Arcs of infinite capacity
along each ray make the muscle one layer that reaches its outer surface (Li, Wu, Chen, Sonka 2006,
IEEE TPAMI 28:119), so no fat streak can split it and no plane deeper than the first is mistaken for
its own as long as the first shows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

_INFINITE = 1_000_000
_UNITS_PER_MM2 = 200.0  # capacities are integers


def minimum_cut(
    inside: BoolArray,
    cost: FloatArray,
    preference: FloatArray,
    muscle: BoolArray,
    other: BoolArray,
    *,
    across_rays: float = 1.0,
    radii_mm: npt.NDArray[np.float64],
    angle_step_rad: float,
    slice_mm: float,
) -> BoolArray:
    """Label every node of ``inside`` as muscle (True) or not.

    Parameters
    ----------
    inside : (slice, angle, radius) bool, the nodes; one unbroken run along every ray
    cost : per mm² of border at each node: small on a wall, 1 within even tissue
    preference : per mm³, negative where a node is rather muscle, positive where rather not
    muscle, other : seeds of the two regions; where they overlap ``other`` wins
    radii_mm : radius of each sample; its step is the grid's
    angle_step_rad, slice_mm : the grid's other steps
    """
    step = float(radii_mm[1] - radii_mm[0])
    # rays crowd at the centre, where nothing is sought
    width = np.maximum(radii_mm, 20.0) * angle_step_rad
    face_mm2 = (step * width, np.full(len(radii_mm), step * slice_mm * across_rays), width * slice_mm)
    voxel_mm3 = width * slice_mm * step

    nodes = int(inside.sum())
    index = np.full(inside.shape, -1, np.int32)
    index[inside] = np.arange(nodes, dtype=np.int32)
    source, sink = nodes, nodes + 1
    arcs = [_neighbours(axis, index, inside, cost, face_mm2[axis]) for axis in range(3)]
    pull = (preference * voxel_mm3 * _UNITS_PER_MM2)[inside]
    to_muscle = np.where((muscle & ~other)[inside], _INFINITE, np.maximum(-pull, 0))
    to_other = np.where(other[inside], _INFINITE, np.maximum(pull, 0))
    every = np.arange(nodes, dtype=np.int32)
    arcs.append((np.full(nodes, source, np.int32), every, to_muscle))
    arcs.append((every, np.full(nodes, sink, np.int32), to_other))

    tail, head, capacity = (np.concatenate(part) for part in zip(*arcs, strict=True))
    used = capacity >= 1
    graph = csr_matrix(
        (capacity[used].astype(np.int32), (tail[used], head[used])), shape=(nodes + 2, nodes + 2)
    )
    residual = graph - maximum_flow(graph, source, sink).flow
    residual.data = np.maximum(residual.data, 0)
    residual.eliminate_zeros()
    reached = np.zeros(nodes + 2, bool)
    reached[breadth_first_order(residual, source, return_predecessors=False)] = True
    out = np.zeros(inside.shape, bool)
    out[inside] = reached[:nodes]
    return out


def _neighbours(
    axis: int,
    index: npt.NDArray[np.int32],
    inside: BoolArray,
    cost: FloatArray,
    face_mm2: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Both arcs (tail, head, capacity) between neighbours along one axis."""
    low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
    high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
    both = inside[low] & inside[high]
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
