"""The source's side of a minimum cut of a directed graph, by one of two solvers.

The smallest source side is the same for every maximum flow, so both solvers give the same answer. OR-tools
(Apache-2.0, the extra ``fast``) needs a third of SciPy's time (docs/explanation/performance.md).
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]


def source_side(tail: IntArray, head: IntArray, capacity: IntArray, source: int, sink: int) -> BoolArray:
    """Nodes that the source still reaches when a maximum flow runs: (nodes,) bool, from 0 to the last named.

    Parameters
    ----------
    tail, head, capacity : of every arc, (arcs,); capacities of parallel arcs add up
    """
    solve = by_ortools if find_spec("ortools") else by_scipy
    return solve(tail, head, capacity, source, sink)


def by_scipy(tail: IntArray, head: IntArray, capacity: IntArray, source: int, sink: int) -> BoolArray:
    """`source_side` by Dinic's algorithm."""
    n_nodes = _count(tail, head, source, sink)
    graph = csr_matrix((capacity, (tail, head)), shape=(n_nodes, n_nodes))
    residual = graph - maximum_flow(graph, source, sink).flow
    residual.data = np.maximum(residual.data, 0)
    residual.eliminate_zeros()
    return _marked(breadth_first_order(residual, source, return_predecessors=False), n_nodes)


def by_ortools(tail: IntArray, head: IntArray, capacity: IntArray, source: int, sink: int) -> BoolArray:
    """`source_side` by pushing and relabelling."""
    from ortools.graph.python.max_flow import SimpleMaxFlow

    n_nodes = _count(tail, head, source, sink)
    flow = SimpleMaxFlow()
    flow.add_arc_with_capacity(source, sink, 0)  # it solves nothing without an arc at either
    flow.add_arcs_with_capacity(tail, head, capacity)
    status = flow.solve(source, sink)
    if status != flow.OPTIMAL:
        msg = f"the maximum flow was not found: {status}"
        raise ArithmeticError(msg)
    return _marked(flow.get_source_side_min_cut(), n_nodes)


def _count(tail: IntArray, head: IntArray, source: int, sink: int) -> int:
    return 1 + max(source, sink, *(int(ends.max()) for ends in (tail, head) if len(ends)))


def _marked(nodes: npt.ArrayLike, n_nodes: int) -> BoolArray:
    out = np.zeros(n_nodes, bool)
    out[np.asarray(nodes)] = True
    return out
