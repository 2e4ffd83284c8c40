"""The group's difference with other things held equal: linear models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from glutseg.errors import GlutsegError
from glutseg.study.collinear import Collinear, collinear, inflation
from glutseg.study.compare import Floats
from glutseg.study.effects import LEVEL, Interval
from glutseg.study.robust import Robust, cr2, hc3
from glutseg.study.sample import Sample

if TYPE_CHECKING:
    import pandas as pd

INTERCEPT = "intercept"
SIDE_TERM = "left − right"
ONE_PATIENT = "rests on one patient alone: no robust error"


@dataclass(frozen=True)
class Term:
    """One term of a model: its coefficient in the value's unit per unit of the column.

    Attributes
    ----------
    error, t, df, p, ci : standard error, t test and interval with the model's ``errors``
    robust_error, robust_p, robust_ci : with errors that need no equal spreads; NaN where ``note`` says why
    vif : variance inflation of the term's column (`glutseg.study.collinear.inflation`)
    """

    name: str
    estimate: float
    error: float
    t: float
    df: float
    p: float
    ci: Interval
    robust_error: float
    robust_p: float
    robust_ci: Interval
    vif: float
    note: str = ""


@dataclass(frozen=True)
class LinearModel:
    """An ordinary least squares fit.

    Attributes
    ----------
    name : "group", "group and covariates", or "sides"
    n, n_patients : rows and patients; patients with an unknown cell are left out (``left_out``)
    r_squared, adjusted_r_squared : share of the variance that is explained
    terms : the coefficient of the group is first group − second group
    residuals_p : Shapiro-Wilk's p for the residuals
    errors : how the standard errors were made
    collinear : the columns that nearly repeat each other
    """

    name: str
    n: int
    n_patients: int
    left_out: int
    r_squared: float
    adjusted_r_squared: float
    terms: tuple[Term, ...]
    residuals_p: float
    errors: str
    collinear: tuple[Collinear, ...]

    def term(self, name: str) -> Term:
        """The term of this name."""
        return next(t for t in self.terms if t.name == name)


def group_term(sample: Sample) -> str:
    """Name of the coefficient that says how the groups differ."""
    return f"{sample.groups[0]} − {sample.groups[1]}"


@dataclass(frozen=True)
class _Design:
    """Terms by name, a row per value, and the column that each is of."""

    terms: pd.DataFrame
    columns: tuple[str, ...]


def fit(sample: Sample, *, adjusted: bool = True) -> LinearModel:
    """The value by group, with or without the covariates; what is robust is with HC3 errors.

    Raises
    ------
    GlutsegError
        ``model-singular``.
    """
    columns = [*sample.numbers, *sample.categories] if adjusted else []
    frame = sample.frame.dropna(subset=["value", *columns])
    design = _design(frame, sample, columns)
    fitted = _fit(frame["value"], design.terms)
    robust = hc3(design.terms.to_numpy(), fitted.resid)
    terms = _terms(
        design, fitted.params, Robust(fitted.bse, np.full(len(fitted.bse), fitted.df_resid)), robust
    )
    name = "group and covariates" if columns else "group"
    left_out = len(sample.frame) - len(frame)
    return _linear_model(name, fitted, design, terms, left_out, "classical; robust: HC3")


def fit_sides(sample: Sample) -> LinearModel | None:
    """Both sides of every patient, by group, covariates and side; errors clustered by patient (CR2).

    None where the value has no sides.

    Raises
    ------
    GlutsegError
        ``model-singular``.
    """
    import pandas as pd

    columns = [*sample.numbers, *sample.categories]
    known = sample.frame.dropna(subset=["left", "right", *columns])
    if known.empty:
        return None
    n = len(known)
    long = pd.concat([known.assign(value=known[side]) for side in ("left", "right")])
    design = _design(long, sample, columns, left=np.repeat([1.0, 0.0], n))
    fitted = _fit(long["value"], design.terms)
    clustered = cr2(design.terms.to_numpy(), fitted.resid, np.tile(np.arange(n), 2))
    terms = _terms(design, fitted.params, clustered, clustered)
    left_out = len(sample.frame) - n
    return _linear_model("sides", fitted, design, terms, left_out, "clustered by patient: CR2", sides=2)


def _design(frame: pd.DataFrame, sample: Sample, columns: list[str], left: Floats | None = None) -> _Design:
    """Numbers as they are, categories against their first word, the group as 1 for the first."""
    import pandas as pd

    group = group_term(sample)
    first = (frame["group"] == sample.groups[0]).to_numpy().astype(np.float64)
    terms = [(INTERCEPT, INTERCEPT, np.ones(len(frame))), (group, group, first)]
    if left is not None:
        terms.append((SIDE_TERM, SIDE_TERM, left))
    for column in columns:
        if column in sample.numbers:
            terms.append((column, column, frame[column].to_numpy(np.float64)))
            continue
        words = sorted(set(frame[column]))
        for word in words[1:]:
            is_word = (frame[column] == word).to_numpy().astype(np.float64)
            terms.append((f"{column}: {word} − {words[0]}", column, is_word))
    parts = {name: values for name, _, values in terms}
    if len(parts) < len(terms):
        names = ", ".join(repr(name) for name, *_ in terms)
        raise GlutsegError("model-singular", f"two terms have the same name: {names}; rename the column")
    return _Design(pd.DataFrame(parts), tuple(column for _, column, _ in terms))


def _fit(values: pd.Series, design: pd.DataFrame) -> Any:
    from statsmodels.regression.linear_model import OLS

    n, k = design.shape
    scaled = design / design.abs().max().replace(0, 1)  # units must not decide whether a model is singular
    if n <= k or np.linalg.matrix_rank(scaled.to_numpy(), tol=1e-7 * np.sqrt(n)) < k:
        terms = ", ".join(repr(name) for name in design.columns)
        raise GlutsegError("model-singular", f"{n} values for the terms {terms}")
    return OLS(values.to_numpy(float), design.to_numpy()).fit()


def _terms(design: _Design, estimates: Floats, own: Robust, robust: Robust) -> tuple[Term, ...]:
    vif = inflation(design.terms.to_numpy()[:, 1:], design.columns[1:]) | {INTERCEPT: np.nan}
    found = []
    for i, name in enumerate(design.terms.columns):
        estimate = float(estimates[i])
        t, p, ci = _t_test(estimate, own, i)
        _, robust_p, robust_ci = _t_test(estimate, robust, i)
        error, robust_error = float(own.errors[i]), float(robust.errors[i])
        found.append(Term(
            str(name), estimate, error, t, float(own.df[i]), p, ci, robust_error, robust_p, robust_ci,
            vif[design.columns[i]], ONE_PATIENT if np.isnan(robust_error) else "",
        ))  # fmt: skip
    return tuple(found)


def _t_test(estimate: float, errors: Robust, i: int) -> tuple[float, float, Interval]:
    error, df = float(errors.errors[i]), float(errors.df[i])
    with np.errstate(divide="ignore", invalid="ignore"):  # of a value that the terms say exactly
        t = float(np.divide(estimate, error))
    half = float(stats.t.ppf((1 + LEVEL) / 2, df)) * error
    return t, float(2 * stats.t.sf(abs(t), df)), Interval(estimate - half, estimate + half)


def _linear_model(
    name: str,
    fitted: Any,
    design: _Design,
    terms: tuple[Term, ...],
    left_out: int,
    errors: str,
    *,
    sides: int = 1,
) -> LinearModel:
    return LinearModel(
        name=name,
        n=len(design.terms),
        n_patients=len(design.terms) // sides,
        left_out=left_out,
        r_squared=float(fitted.rsquared),
        adjusted_r_squared=float(fitted.rsquared_adj),
        terms=terms,
        residuals_p=float(stats.shapiro(fitted.resid).pvalue),
        errors=errors,
        collinear=collinear(design.terms.to_numpy()[:, 1:], design.columns[1:]),
    )
