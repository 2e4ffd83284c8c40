"""The source's side of a minimum cut of a directed graph, by OR-tools (Apache-2.0).

The smallest source side is the same for every maximum flow, so the answer does not depend on how the
solver goes about it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]


def source_side(tail: IntArray, head: IntArray, capacity: IntArray, source: int, sink: int) -> BoolArray:
    """Nodes that the source still reaches when a maximum flow runs: (nodes,) bool, from 0 to the last named.

    Parameters
    ----------
    tail, head, capacity : of every arc, (arcs,); capacities of parallel arcs add up
    """
    from ortools.graph.python.max_flow import SimpleMaxFlow

    flow = SimpleMaxFlow()
    flow.add_arc_with_capacity(source, sink, 0)  # it solves nothing without an arc at either
    flow.add_arcs_with_capacity(tail, head, capacity)
    status = flow.solve(source, sink)
    if status != flow.OPTIMAL:
        msg = f"the maximum flow was not found: {status}"
        raise ArithmeticError(msg)
    out = np.zeros(1 + max(source, sink, *(int(ends.max()) for ends in (tail, head) if len(ends))), bool)
    out[np.asarray(flow.get_source_side_min_cut())] = True
    return out
