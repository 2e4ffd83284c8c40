"""Standard errors of least squares that do not need equal spreads, or independent rows.

What one patient alone decides has no such error: that patient's residual is 0 whatever was measured, and the
formulas would return the noise of rounding. Such coefficients are NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glutseg.study.compare import Floats

ALONE = 1e-8
"""Leverages that miss 1 by less, and shares of a coefficient that are smaller, are those of rounding."""


@dataclass(frozen=True)
class Robust:
    """Per coefficient its standard error and the degrees of freedom of its t test; NaN where unknown."""

    errors: Floats
    df: Floats


@dataclass(frozen=True)
class _Fit:
    """Orthogonal base of the design (rows, k), and what each row adds to each coefficient (k, rows)."""

    base: Floats
    influence: Floats

    def decides(self, influence: Floats) -> npt.NDArray[np.bool_]:
        """Which coefficients depend on a direction of the rows, given as its influence (k)."""
        decided: npt.NDArray[np.bool_] = np.abs(influence) > ALONE * np.abs(self.influence).max(axis=1)
        return decided


def _fit(design: Floats) -> _Fit:
    scale = np.abs(design).max(axis=0)
    base, triangle = np.linalg.qr(design / scale)
    return _Fit(base, np.linalg.solve(triangle, base.T) / scale[:, None])


def hc3(design: Floats, residuals: Floats) -> Robust:
    """HC3 of MacKinnon and White (1985).

    Parameters
    ----------
    design : (rows, k), of full rank
    residuals : (rows,)
    """
    fit, (n, k) = _fit(design), design.shape
    slack = 1 - (fit.base**2).sum(axis=1)
    alone = slack < ALONE
    weights = np.where(alone, 0, residuals / np.where(alone, 1, slack))
    errors = np.sqrt(((fit.influence * weights) ** 2).sum(axis=1))
    for row in np.flatnonzero(alone):
        errors[fit.decides(fit.influence[:, row])] = np.nan
    return Robust(errors, np.where(np.isnan(errors), np.nan, float(n - k)))


def cr2(design: Floats, residuals: Floats, clusters: npt.NDArray[np.intp]) -> Robust:
    """CR2 of Bell and McCaffrey (2002) with Satterthwaite's degrees of freedom.

    As clubSandwich does it for `lm`: with the identity as the working covariance.

    Parameters
    ----------
    design, residuals : as in `hc3`
    clusters : (rows,), the number of the cluster that each row is of
    """
    fit, k = _fit(design), design.shape[1]
    rows_of = [np.flatnonzero(clusters == cluster) for cluster in np.unique(clusters)]
    variances, unknown = np.zeros(k), np.zeros(k, dtype=bool)
    sizes, shadows = np.zeros((len(rows_of), k)), np.zeros((len(rows_of), k, k))
    for at, rows in enumerate(rows_of):
        base = fit.base[rows]
        slack, directions = np.linalg.eigh(np.eye(len(rows)) - base @ base.T)
        alone = slack < ALONE
        for direction in directions[:, alone].T:
            unknown |= fit.decides(fit.influence[:, rows] @ direction)
        inverse_roots = np.where(alone, 0, 1 / np.sqrt(np.where(alone, 1, slack)))
        adjusted = fit.influence[:, rows] @ (directions * inverse_roots) @ directions.T
        variances += (adjusted @ residuals[rows]) ** 2
        sizes[at] = (adjusted**2).sum(axis=1)
        shadows[at] = adjusted @ base
    df = np.array([_satterthwaite(sizes[:, j], shadows[:, j]) for j in range(k)])
    return Robust(np.where(unknown, np.nan, np.sqrt(variances)), np.where(unknown, np.nan, df))


def _satterthwaite(sizes: Floats, shadows: Floats) -> float:
    """Of the quadratic form diag(sizes) − shadows · shadowsᵀ: its trace², by the trace of its square."""
    overlap = (shadows**2).sum(axis=1)
    trace = sizes.sum() - overlap.sum()
    square = (sizes**2).sum() - 2 * sizes @ overlap + ((shadows.T @ shadows) ** 2).sum()
    return float(trace**2 / square)
