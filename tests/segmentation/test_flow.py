"""The cut against every cut of small graphs, and against NetworkX's in larger ones."""

import itertools

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from glutseg.segmentation.flow import source_side

NODES = 6
ARCS = st.lists(
    st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1), st.integers(1, 9)).filter(
        lambda arc: arc[0] != arc[1]
    ),
    max_size=20,
)


def arrays(arcs):
    return tuple(np.array([arc[i] for arc in arcs], dtype=np.int32) for i in range(3))


def smallest_cheapest(arcs, source, sink):
    """By trying all of them."""
    best = None
    others = [n for n in range(NODES) if n not in (source, sink)]
    for size in range(len(others) + 1):
        for chosen in itertools.combinations(others, size):
            side = {source, *chosen}
            price = sum(c for a, b, c in arcs if a in side and b not in side)
            if best is None or price < best[0]:
                best = price, side
    return best[1]


@given(arcs=ARCS)
def test_the_smallest_source_side_of_the_cheapest_cut(arcs):
    found = source_side(*arrays(arcs), NODES - 2, NODES - 1)
    assert set(np.flatnonzero(found)) == smallest_cheapest(arcs, NODES - 2, NODES - 1)


def by_networkx(tail, head, capacity, source, sink):
    """The same by another program (preflow-push): the largest side of the turned graph's source."""
    turned = nx.DiGraph()
    turned.add_nodes_from(range(200))
    for a, b, c in zip(tail.tolist(), head.tolist(), capacity.tolist(), strict=True):
        before = turned.edges[b, a]["capacity"] if turned.has_edge(b, a) else 0
        turned.add_edge(b, a, capacity=before + c)
    _, (_, side) = nx.minimum_cut(turned, sink, source)
    return side


@given(seed=st.integers(0, 10_000))
def test_another_solver_finds_the_same_in_larger_graphs(seed):
    rng = np.random.default_rng(seed)
    tail, head = rng.integers(0, 200, (2, 1500)).astype(np.int32)
    tail, head = tail[tail != head], head[tail != head]
    capacity = rng.integers(1, 50, len(tail)).astype(np.int32)
    capacity[rng.random(len(tail)) < 0.1] = 1_000_000
    found = source_side(tail, head, capacity, 0, 1)
    assert set(np.flatnonzero(found)) == by_networkx(tail, head, capacity, 0, 1)
