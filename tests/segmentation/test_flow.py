"""Both solvers against each other and against every cut of small graphs."""

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.segmentation import flow

NODES = 6
ARCS = st.lists(
    st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1), st.integers(1, 9)).filter(
        lambda arc: arc[0] != arc[1]
    ),
    max_size=20,
)
needs_ortools = pytest.mark.skipif(
    not flow.find_spec("ortools"), reason="the extra 'fast' (OR-tools) is not installed"
)
SOLVERS = ["by_scipy", pytest.param("by_ortools", marks=needs_ortools)]


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


@pytest.mark.parametrize("solver", SOLVERS)
@given(arcs=ARCS)
def test_the_smallest_source_side_of_the_cheapest_cut(solver, arcs):
    found = getattr(flow, solver)(*arrays(arcs), NODES - 2, NODES - 1)
    assert set(np.flatnonzero(found)) == smallest_cheapest(arcs, NODES - 2, NODES - 1)


@needs_ortools
@given(seed=st.integers(0, 10_000))
def test_both_solvers_agree_on_larger_graphs(seed):
    rng = np.random.default_rng(seed)
    tail, head = rng.integers(0, 200, (2, 1500)).astype(np.int32)
    tail, head = tail[tail != head], head[tail != head]
    capacity = rng.integers(1, 50, len(tail)).astype(np.int32)
    capacity[rng.random(len(tail)) < 0.1] = 1_000_000
    one, other = (solve(tail, head, capacity, 0, 1) for solve in (flow.by_scipy, flow.by_ortools))
    np.testing.assert_array_equal(one, other)


def test_scipy_is_taken_where_ortools_is_not_installed(monkeypatch):
    asked = []
    monkeypatch.setattr(flow, "find_spec", asked.append)
    monkeypatch.setitem(sys.modules, "ortools", None)
    arcs = np.array([0], np.int32), np.array([1], np.int32), np.array([1], np.int32)
    assert flow.source_side(*arcs, 0, 1).tolist() == [True, False]
    assert asked == ["ortools"]
