"""The source's side of a minimum cut of a directed graph, by SciPy's maximum flow.

The smallest source side is the same for every maximum flow, so the answer does not depend on how the
solver goes about it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]


def source_side(tail: IntArray, head: IntArray, capacity: IntArray, source: int, sink: int) -> BoolArray:
    """Nodes that the source still reaches when a maximum flow runs: (nodes,) bool, from 0 to the last named.

    Parameters
    ----------
    tail, head, capacity : of every arc, (arcs,); capacities of parallel arcs add up
    """
    n = 1 + max(source, sink, *(int(ends.max()) for ends in (tail, head) if len(ends)))
    graph = coo_array((capacity, (tail, head)), shape=(n, n)).tocsr()
    left = graph - maximum_flow(graph, source, sink).flow
    left.eliminate_zeros()
    out = np.zeros(n, bool)
    out[breadth_first_order(left, source, return_predecessors=False)] = True
    return out
