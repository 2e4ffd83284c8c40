"""The group's difference with other things held equal: linear models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glutseg.errors import GlutsegError
from glutseg.study.compare import Floats
from glutseg.study.effects import LEVEL, Interval
from glutseg.study.sample import Sample

if TYPE_CHECKING:
    import pandas as pd

INTERCEPT = "intercept"
SIDE_TERM = "left − right"


@dataclass(frozen=True)
class Term:
    """One term of a model: its coefficient in the value's unit per unit of the column."""

    name: str
    estimate: float
    error: float
    t: float
    p: float
    ci: Interval
    robust_p: float


@dataclass(frozen=True)
class LinearModel:
    """An ordinary least squares fit.

    Attributes
    ----------
    name : "group", "group and covariates", or "sides"
    n, n_patients : rows and patients; patients with an unknown cell are left out (``left_out``)
    df : of the t tests
    r_squared, adjusted_r_squared : share of the variance that is explained
    terms : the coefficient of the group is first group − second group
    residuals_p : Shapiro-Wilk's p for the residuals
    errors : how the standard errors were made
    """

    name: str
    n: int
    n_patients: int
    left_out: int
    df: float
    r_squared: float
    adjusted_r_squared: float
    terms: tuple[Term, ...]
    residuals_p: float
    errors: str

    def term(self, name: str) -> Term:
        """The term of this name."""
        return next(t for t in self.terms if t.name == name)


def group_term(sample: Sample) -> str:
    """Name of the coefficient that says how the groups differ."""
    return f"{sample.groups[0]} − {sample.groups[1]}"


def fit(sample: Sample, *, adjusted: bool = True) -> LinearModel:
    """The value by group, with or without the covariates; ``robust_p`` is with HC3 errors.

    Raises
    ------
    GlutsegError
        ``model-singular``.
    """
    columns = [*sample.numbers, *sample.categories] if adjusted else []
    frame = sample.frame.dropna(subset=["value", *columns])
    design = _design(frame, sample, columns)
    fitted = _fit(frame["value"], design)
    robust = fitted.get_robustcov_results("HC3", use_t=True)
    name = "group and covariates" if columns else "group"
    left_out = len(sample.frame) - len(frame)
    return _linear_model(name, fitted, design, len(frame), left_out, robust.pvalues, "classical; robust: HC3")


def fit_sides(sample: Sample) -> LinearModel | None:
    """Both sides of every patient, by group, covariates and side; errors clustered by patient.

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
    long = pd.concat([known.assign(value=known[side]) for side in ("left", "right")])
    design = _design(long, sample, columns, left=np.repeat([1.0, 0.0], len(known)))
    fitted = _fit(long["value"], design)
    codes = pd.factorize(long["case_id"])[0]
    clustered = fitted.get_robustcov_results("cluster", groups=codes, use_t=True)
    left_out = len(sample.frame) - len(known)
    errors = "clustered by patient"
    return _linear_model("sides", clustered, design, len(known), left_out, clustered.pvalues, errors)


def _design(
    frame: pd.DataFrame, sample: Sample, columns: list[str], left: Floats | None = None
) -> pd.DataFrame:
    """Numbers as they are, categories against their first word, the group as 1 for the first."""
    import pandas as pd

    first = (frame["group"] == sample.groups[0]).to_numpy().astype(np.float64)
    terms = [(INTERCEPT, np.ones(len(frame))), (group_term(sample), first)]
    if left is not None:
        terms.append((SIDE_TERM, left))
    for column in columns:
        if column in sample.numbers:
            terms.append((column, frame[column].to_numpy(np.float64)))
            continue
        words = sorted(set(frame[column]))
        for word in words[1:]:
            is_word = (frame[column] == word).to_numpy().astype(np.float64)
            terms.append((f"{column}: {word} − {words[0]}", is_word))
    parts = dict(terms)
    if len(parts) < len(terms):
        names = ", ".join(repr(name) for name, _ in terms)
        raise GlutsegError("model-singular", f"two terms have the same name: {names}; rename the column")
    return pd.DataFrame(parts)


def _fit(values: pd.Series, design: pd.DataFrame) -> Any:
    from statsmodels.regression.linear_model import OLS

    n, k = design.shape
    scaled = design / design.abs().max().replace(0, 1)  # units must not decide whether a model is singular
    if n <= k or np.linalg.matrix_rank(scaled.to_numpy(), tol=1e-7 * np.sqrt(n)) < k:
        terms = ", ".join(repr(name) for name in design.columns)
        raise GlutsegError("model-singular", f"{n} values for the terms {terms}")
    return OLS(values.to_numpy(float), design.to_numpy()).fit()


def _linear_model(
    name: str, fitted: Any, design: pd.DataFrame, n_patients: int, left_out: int, robust: Any, errors: str
) -> LinearModel:
    from scipy import stats

    intervals = np.asarray(fitted.conf_int(1 - LEVEL))
    terms = tuple(
        Term(
            str(term),
            float(fitted.params[i]),
            float(fitted.bse[i]),
            float(fitted.tvalues[i]),
            float(fitted.pvalues[i]),
            Interval(float(intervals[i, 0]), float(intervals[i, 1])),
            float(robust[i]),
        )
        for i, term in enumerate(design.columns)
    )
    return LinearModel(
        name=name,
        n=len(design),
        n_patients=n_patients,
        left_out=left_out,
        df=float(getattr(fitted, "df_resid_inference", None) or fitted.df_resid),
        r_squared=float(fitted.rsquared),
        adjusted_r_squared=float(fitted.rsquared_adj),
        terms=terms,
        residuals_p=float(stats.shapiro(fitted.resid).pvalue),
        errors=errors,
    )
