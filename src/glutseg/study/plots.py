"""The study's figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from glutseg.study.analysis import Study
from glutseg.study.captions import PER
from glutseg.study.compare import Floats
from glutseg.study.correlate import Correlation
from glutseg.study.effects import LEVEL
from glutseg.study.figures import (
    GROUP_COLOURS,
    GROUP_MARKERS,
    INK,
    QUIET_INK,
    files_of,
    label,
    new_axes,
    style,
)
from glutseg.study.flow_chart import draw_flow
from glutseg.study.forest import draw_forest

JITTER = 0.13
BOX_PARTS = ("box", "whisker", "cap", "median")
POINT: dict[str, Any] = {"s": 26, "linewidths": 0.6, "edgecolors": "white", "alpha": 0.9}


def figure_files(figures: Mapping[str, Figure]) -> dict[str, bytes]:
    """Figures as SVG and PNG, named ``figures/NAME``; the same study gives the same bytes."""
    files: dict[str, bytes] = {}
    with style():
        for name, figure in figures.items():
            files |= files_of(figure, f"figures/{name}")
    return files


def draw(study: Study) -> dict[str, Figure]:
    """Every figure by its name, for a notebook; ``draw(study)["groups"]`` is the paper's."""
    with style():
        return dict(_figures(study))


def _figures(study: Study) -> Iterator[tuple[str, Figure]]:
    yield "flow", draw_flow(study.flow)
    yield "groups", _groups(study)
    for k, column in enumerate(study.sample.correlates, start=1):
        whole = next(c for c in study.correlations if c.column == column and c.who == "all")
        if not math.isnan(whole.r):
            yield f"correlation-{k}", _scatter(study, whole)
    if study.sides is not None:
        yield "sides", _sides(study)
    if any(len(band.offset_mm) > 1 for band in study.profiles):
        yield "profile", _profile(study)
    yield "sensitivity", draw_forest(study)


def _axis_words(study: Study) -> str:
    value = study.sample.value
    words = value.words.replace(", ", ",\n", 1)
    return f"{words} ({value.unit})" if value.unit else words


def _of_group(study: Study, group: str, column: str) -> Floats:
    frame = study.sample.frame
    return np.asarray(frame.loc[frame["group"] == group, column], dtype=float)


def _groups(study: Study) -> Figure:
    """Each patient is a point; the mean with its interval, the quartiles as a thin box."""
    figure, axes = new_axes(120, 100)
    for at, group in enumerate(study.sample.groups):
        values = _of_group(study, group, "value")
        values = values[~np.isnan(values)]
        shift = np.random.default_rng(at).uniform(-JITTER, JITTER, len(values))
        axes.scatter(at + shift, values, color=GROUP_COLOURS[at], marker=GROUP_MARKERS[at], zorder=3, **POINT)
        thin: dict[str, Any] = {f"{part}props": {"color": QUIET_INK, "linewidth": 0.8} for part in BOX_PARTS}
        axes.boxplot([values], positions=[at], widths=0.5, showfliers=False, manage_ticks=False, **thin)
        half = stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * stats.sem(values)
        axes.errorbar(
            at + 0.36, values.mean(), yerr=half, fmt="D", color=INK, markersize=5, capsize=4, zorder=4
        )
    axes.set_xlim(-0.6, 1.7)
    known = [int((~np.isnan(_of_group(study, g, "value"))).sum()) for g in study.sample.groups]
    axes.set_xticks([0, 1], [f"{label(g)}\nn = {n}" for g, n in zip(study.sample.groups, known, strict=True)])
    axes.grid(axis="x", visible=False)
    axes.set_ylabel(_axis_words(study))
    figure.supxlabel(
        "points: patients; box: quartiles; diamond: mean with 95 % CI", fontsize=7.5, color=QUIET_INK
    )
    return figure


def _scatter(study: Study, whole: Correlation) -> Figure:
    """Each patient is a point; one line through all of them with the band of its mean."""
    figure, axes = new_axes(120, 95)
    frame = study.sample.frame.dropna(subset=["value", whole.column])
    for i, group in enumerate(study.sample.groups):
        part = frame[frame["group"] == group]
        axes.scatter(
            part[whole.column], part["value"], color=GROUP_COLOURS[i], marker=GROUP_MARKERS[i],
            label=label(group), zorder=3, **POINT,
        )  # fmt: skip
    x, y = (np.asarray(frame[c], dtype=float) for c in (whole.column, "value"))
    _fit_and_band(axes, x, y)
    axes.set_xlabel(label(whole.column))
    axes.set_ylabel(_axis_words(study))
    axes.legend()
    return figure


def _fit_and_band(axes: Axes, x: Floats, y: Floats) -> None:
    """Least squares through all points, and the 95 % interval of its mean (statsmodels)."""
    from statsmodels.regression.linear_model import OLS

    fitted = OLS(y, np.column_stack([np.ones_like(x), x])).fit()
    at = np.linspace(x.min(), x.max(), 60)
    prediction = fitted.get_prediction(np.column_stack([np.ones_like(at), at]))
    low, high = prediction.conf_int(alpha=1 - LEVEL).T
    axes.fill_between(at, low, high, color=QUIET_INK, alpha=0.15, linewidth=0)
    axes.plot(at, prediction.predicted_mean, color=INK, label="all patients, 95 % band of the mean")


def _sides(study: Study) -> Figure:
    """Left over right with the line of equality."""
    figure, axes = new_axes(105, 105)
    for i, group in enumerate(study.sample.groups):
        left, right = (_of_group(study, group, side) for side in ("left", "right"))
        axes.scatter(
            right, left, color=GROUP_COLOURS[i], marker=GROUP_MARKERS[i], label=label(group), **POINT
        )
    every = study.sample.frame[["left", "right"]].to_numpy(float)
    low, high = np.nanmin(every), np.nanmax(every)
    pad = 0.05 * (high - low)
    limits = (low - pad, high + pad)
    axes.plot(limits, limits, color=QUIET_INK, linewidth=1, linestyle="--", label="equal", zorder=1)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    unit = study.sample.value.unit
    axes.set_xlabel(f"right ({unit})" if unit else "right")
    axes.set_ylabel(f"left ({unit})" if unit else "left")
    axes.legend()
    return figure


def _profile(study: Study) -> Figure:
    """Mean area around the level by group, with its interval."""
    figure, axes = new_axes(120, 90)
    for i, band in enumerate(study.profiles):
        if not band.offset_mm:
            continue
        axes.fill_between(
            band.offset_mm, band.low, band.high, color=GROUP_COLOURS[i], alpha=0.18, linewidth=0
        )
        dashes = ("-", "--")[i]
        axes.plot(band.offset_mm, band.mean, dashes, color=GROUP_COLOURS[i], label=label(band.group))
    axes.axvline(0, color=QUIET_INK, linewidth=0.8, linestyle=":")
    axes.set_xlabel("mm from the measured slice (negative: towards the feet)")
    axes.set_ylabel(f"{PER[study.profile_unit]}, mean of both sides ({study.profile_unit})")
    figure.supxlabel("bands: 95 % CI", fontsize=7.5, color=QUIET_INK)
    axes.legend()
    return figure
