"""Columns of a model that nearly repeat each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glutseg.study.compare import Floats

MUCH = 10.0
"""Variance inflation from which on columns are named; the usual limit (Marquardt 1970; Kutner et al.)."""


@dataclass(frozen=True)
class Collinear:
    """A column that others nearly repeat.

    Attributes
    ----------
    vif : how many times its coefficient's variance is that without the other columns
    others : the columns that do it: each of them alone, or all together
    """

    column: str
    vif: float
    others: tuple[str, ...]


def inflation(design: Floats, columns: Sequence[str]) -> dict[str, float]:
    """Variance inflation factor of each column, in the order of the columns.

    For a category of several words it is the generalised one (Fox and Monette 1992) per degree of freedom,
    which does not depend on the word that the others are compared with.

    Parameters
    ----------
    design : (rows, k), without intercept, of full rank
    columns : which column of the table each of the k is of
    """
    names = np.array(columns)
    correlation = np.atleast_2d(np.corrcoef(design, rowvar=False))
    whole = _log_det(correlation)
    found = {}
    for name in dict.fromkeys(columns):
        own = names == name
        parts = _log_det(correlation[np.ix_(own, own)]) + _log_det(correlation[np.ix_(~own, ~own)])
        found[name] = float(np.exp((parts - whole) / own.sum()))
    return found


def _log_det(matrix: Floats) -> float:
    return float(np.linalg.slogdet(matrix)[1])


def collinear(design: Floats, columns: Sequence[str]) -> tuple[Collinear, ...]:
    """The columns with a variance inflation of `MUCH` or more; parameters as for `inflation`."""
    every = inflation(design, columns)
    much = {name: vif for name, vif in every.items() if vif >= MUCH}
    names = np.array(columns)
    found = []
    for name, vif in much.items():
        alone = []
        for other in every:
            kept = names != other
            if other != name and inflation(design[:, kept], names[kept].tolist())[name] < MUCH:
                alone.append(other)
        found.append(Collinear(name, vif, tuple(alone or (other for other in much if other != name))))
    return tuple(found)
