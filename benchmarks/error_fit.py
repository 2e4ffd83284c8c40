"""The fit of the expected error to what was measured, and how well it foretells bodies that it did not see.

`error_model.py fit` calls it. Images are changed copies of few bodies, so every body counts as much as any
other, and whatever is promised is counted on bodies that the fit did not see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from glutseg.image import Muscle
from glutseg.quality.error_model import LONG_PLANE_MM, UNITS, ErrorModel
from glutseg.segmentation.evidence import Evidence
from glutseg.segmentation.gluteus import ALL_MUSCLES
from glutseg.settings import METHOD

Rows = list[dict[str, str]]
"""Of the stored table, one for each image, muscle and side."""
QUANTILE = 0.9
"""Of outlines whose error is to lie within the bound."""
SPARSITY = 0.01
"""How much a term has to reduce the loss for one standard deviation of its logarithm: keeps few terms."""
LEAST_PERCENT = 1.0
"""Smaller errors count as this one: nobody could tell."""
FOLDS = 6


@dataclass(frozen=True)
class Judgement:
    """When an image is wrong for a muscle: one of its two bounds is then to be above the limit.

    Attributes
    ----------
    wrong_percent, wrong_dice : the mean area of both sides is off by more, or one Dice is below
    limit_percent : of the bounds
    """

    wrong_percent: float
    wrong_dice: float
    limit_percent: float


_LIMITS = METHOD.quality
JUDGEMENTS: dict[Muscle, Judgement] = {
    "maximus": Judgement(6.0, 0.90, _LIMITS.max_error_bound_percent),
    "medius": Judgement(12.0, 0.80, _LIMITS.max_error_bound_other_muscles_percent),
    "minimus": Judgement(12.0, 0.65, _LIMITS.max_error_bound_other_muscles_percent),
}
"""The first is what glutseg promises; the others have twice its error, as their limit is twice its limit."""
MEASURES = tuple(UNITS)
"""What a term may be of. The other measures foretell nothing beyond these on bodies held out."""

FloatVector = npt.NDArray[np.float64]


def evidence_of(row: dict[str, str]) -> Evidence:
    """As it was when the row was written."""
    figures = {f.name: float(row[f.name]) for f in fields(Evidence)[1:]}
    return Evidence(row["muscle"], **figures)  # type: ignore[arg-type]


def error_percent(row: dict[str, str]) -> float:
    """By how much of the measured area the true one is off."""
    return 100 * abs(1 / (1 + float(row["area_error"])) - 1)


def weights_of(rows: Rows) -> FloatVector:
    """Every body counts as much, however many changed copies there are of it."""
    bodies = [row["body"] for row in rows]
    return np.array([1 / bodies.count(body) for body in bodies])


def quantile_of(values: FloatVector, weights: FloatVector, share: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(int(np.searchsorted(reached, share)), len(values) - 1)])


def fit_unscaled(rows: Rows) -> ErrorModel:
    """Quantile regression with weights that must not be negative, as a linear programme."""
    from scipy.optimize import linprog

    error = np.log([max(error_percent(row), LEAST_PERCENT) for row in rows])
    weights = weights_of(rows)
    weights /= weights.sum()
    columns = np.array([[np.log1p(float(row[name]) / UNITS[name]) for row in rows] for name in MEASURES]).T
    spread = np.sqrt(weights @ (columns - weights @ columns) ** 2)
    n, k = columns.shape
    matrix = np.column_stack([np.ones(n), columns, np.eye(n), -np.eye(n)])
    cost = np.concatenate([[0], SPARSITY * spread, QUANTILE * weights, (1 - QUANTILE) * weights])
    bounds = [(None, None)] + [(0, None)] * (k + 2 * n)
    found = linprog(cost, A_eq=matrix, b_eq=error, bounds=bounds, method="highs")
    if not found.success:
        raise ArithmeticError(found.message)
    found_weights = zip(MEASURES, found.x[1 : k + 1], strict=True)
    return ErrorModel(
        float(np.exp(found.x[0])), {name: float(weight) for name, weight in found_weights if weight > 1e-6}
    )


def folds_of(rows: Rows, n_folds: int) -> list[set[str]]:
    """Bodies in groups of about one size, alternating between the patients."""
    bodies = sorted({(row["patient"], row["body"]) for row in rows})
    return [{body for _, body in bodies[i::n_folds]} for i in range(min(n_folds, len(bodies)))]


def fit(rows: Rows) -> ErrorModel:
    """The regression, scaled to bodies that it did not see; and the least that a long plane means."""
    ratios = np.zeros(len(rows))
    for held_out in folds_of(rows, FOLDS):
        seen = fit_unscaled([row for row in rows if row["body"] not in held_out])
        for i, row in enumerate(rows):
            if row["body"] in held_out:
                ratios[i] = error_percent(row) / seen.bound_percent(evidence_of(row))
    factor = quantile_of(ratios, weights_of(rows), QUANTILE)
    model = fit_unscaled(rows)
    long = [row for row in rows if float(row["plane_inside_medius_mm"]) > LONG_PLANE_MM]
    least = 0.0
    if long and rows[0]["muscle"] == "maximus":
        least = quantile_of(np.array([error_percent(row) for row in long]), weights_of(long), QUANTILE)
    return replace(model, base_percent=model.base_percent * factor, long_plane_percent=least)


def held_out_bounds(rows: Rows, groups: list[set[str]]) -> FloatVector:
    """The bound of every row from a model that saw no row of its group of bodies."""
    bounds = np.zeros(len(rows))
    for held_out in groups:
        model = fit([row for row in rows if row["body"] not in held_out])
        for i, row in enumerate(rows):
            if row["body"] in held_out:
                bounds[i] = model.bound_percent(evidence_of(row))
    return bounds


@dataclass(frozen=True)
class Calibration:
    """How well bodies that the fit did not see are foretold, of one muscle.

    Attributes
    ----------
    n_areas, n_images, n_bodies : what it was counted on; ``n_wrong`` images are wrong
    coverage : share of areas whose error lies within the bound, bodies counted alike
    coverage_worst_patient : the same with a whole patient held out, for the one where it is least
    median_error_percent, median_bound_percent : of areas
    auc : chance that the larger bound of an image that is wrong by its mean area is above that of another
    right_above_limit : share of right images with a bound above the limit
    wrong_below_limit : names of wrong images with both bounds within it
    """

    n_areas: int
    n_images: int
    n_bodies: int
    n_wrong: int
    coverage: float
    coverage_worst_patient: float
    median_error_percent: float
    median_bound_percent: float
    auc: float | None
    right_above_limit: float
    wrong_below_limit: tuple[str, ...]


def area_under_curve(scores: FloatVector, positive: npt.NDArray[np.bool_]) -> float | None:
    """Chance that a positive has the higher score; None where there is none, or none else."""
    if positive.all() or not positive.any():
        return None
    above = scores[positive][:, None] - scores[~positive][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))


def calibrate(rows: Rows, judgement: Judgement) -> Calibration:
    """Of the rows of one muscle."""
    bounds = held_out_bounds(rows, folds_of(rows, FOLDS))
    patients = sorted({row["patient"] for row in rows})
    by_patient = held_out_bounds(rows, [{r["body"] for r in rows if r["patient"] == p} for p in patients])
    error = np.array([error_percent(row) for row in rows])
    weights = weights_of(rows)
    of_patient = [np.array([row["patient"] == patient for row in rows]) for patient in patients]
    images: dict[tuple[str, str], list[int]] = {}
    for i, row in enumerate(rows):
        images.setdefault((row["body"], row["change"]), []).append(i)
    names, largest, by_mean, wrong = [], [], [], []
    for (body, change), places in images.items():
        true = np.array([float(rows[i]["true_mm2"]) for i in places])
        found = true * [1 + float(rows[i]["area_error"]) for i in places]
        off = 100 * abs(found.sum() / true.sum() - 1)
        names.append(f"{body}, {change}")
        largest.append(bounds[places].max())
        by_mean.append(off > judgement.wrong_percent)
        least_dice = min(float(rows[i]["dice"]) for i in places)
        wrong.append(by_mean[-1] or least_dice < judgement.wrong_dice)
    is_wrong, above = np.array(wrong), np.array(largest) > judgement.limit_percent
    return Calibration(
        n_areas=len(rows),
        n_images=len(images),
        n_bodies=len({row["body"] for row in rows}),
        n_wrong=int(is_wrong.sum()),
        coverage=float(weights @ (error <= bounds) / weights.sum()),
        coverage_worst_patient=min(
            float(weights[p] @ (error <= by_patient)[p] / weights[p].sum()) for p in of_patient
        ),
        median_error_percent=float(np.median(error)),
        median_bound_percent=float(np.median(bounds)),
        auc=area_under_curve(np.array(largest), np.array(by_mean)),
        right_above_limit=float(np.mean(above[~is_wrong])),
        wrong_below_limit=tuple(
            name for name, w, a in zip(names, is_wrong, above, strict=True) if w and not a
        ),
    )


def of_muscle(rows: Rows, muscle: Muscle) -> Rows:
    return [row for row in rows if row["muscle"] == muscle]


def coefficients(rows: Rows) -> dict[str, Any]:
    """What stands in the package's file, rounded so that every machine writes the same."""
    models = {muscle: fit(of_muscle(rows, muscle)) for muscle in ALL_MUSCLES}
    return {
        "n_bodies": len({row["body"] for row in rows}),
        "n_images": len({(row["body"], row["change"]) for row in rows}),
        "muscles": {
            muscle: {
                "base_percent": round(model.base_percent, 3),
                "powers": {name: float(f"{power:.4g}") for name, power in model.powers.items()},
                "long_plane_percent": round(model.long_plane_percent, 1),
            }
            for muscle, model in models.items()
        },
    }


def calibration_table(found: dict[Muscle, Calibration]) -> str:
    """For docs/explanation/accuracy.md."""
    lines = ["| | " + " | ".join(found) + " |", "|---|" + "---|" * len(found)]
    rows: dict[str, Callable[[Calibration], str]] = {
        "bodies, images, areas": lambda c: f"{c.n_bodies}, {c.n_images}, {c.n_areas}",
        "error of an area, median": lambda c: f"{c.median_error_percent:.1f} %",
        "its bound, median": lambda c: f"{c.median_bound_percent:.1f} %",
        "errors within their bound": lambda c: f"{c.coverage:.0%}",
        "the same, a whole patient held out, worst patient": lambda c: f"{c.coverage_worst_patient:.0%}",
        "area under the curve": lambda c: "–" if c.auc is None else f"{c.auc:.2f}",
        "right images with a bound above the limit": lambda c: (
            f"{c.right_above_limit:.0%} of {c.n_images - c.n_wrong}"
        ),
        "wrong images with both bounds within it": lambda c: f"{len(c.wrong_below_limit)} of {c.n_wrong}",
    }
    for name, cell in rows.items():
        lines.append(f"| {name} | " + " | ".join(cell(c) for c in found.values()) + " |")
    missed = "; ".join(found["maximus"].wrong_below_limit) or "none"
    return "\n".join([*lines, "", f"Wrong for the maximus and within the limit: {missed}."])


def terms_table(fitted: dict[str, Any]) -> str:
    """What the bounds are made of, for docs/explanation/accuracy.md."""
    steps = [f"`{name}` {4 * unit:g}" for name, unit in UNITS.items()]
    lines = [
        "| | base | " + " | ".join(steps) + " | least with a long plane in the medius |",
        "|---|---|" + "---|" * (len(steps) + 1),
    ]
    for muscle, model in fitted["muscles"].items():
        factors = [(1 + 4) ** model["powers"].get(name, 0.0) for name in UNITS]
        least = f"{model['long_plane_percent']:.0f} %" if model["long_plane_percent"] else "–"
        cells = [f"{model['base_percent']:.1f} %", *(f"x {factor:.2f}" for factor in factors), least]
        lines.append(f"| {muscle} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
