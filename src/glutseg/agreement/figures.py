"""Figures of agreement: Bland-Altman, and one rater against the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from glutseg.agreement.model import QUANTITIES, Agreement, Comparison
from glutseg.agreement.statistics import FloatArray, Interval
from glutseg.study.figures import BLUE, INK, QUIET_INK, VERMILION, files_of, label, new_axes, style

MAX_PAIRS = 15
"""Six raters; beyond it figures are no help."""
SIDE_STYLES = {"left": (BLUE, "o"), "right": (VERMILION, "^")}
CM2 = 100.0
Points = Mapping[str, tuple[FloatArray, FloatArray]]
"""Areas of both raters in cm², by quantity."""


def figure_files(agreement: Agreement) -> dict[str, bytes]:
    """Two figures per pair of raters, as SVG and PNG, by file name; none where a pair shares no side."""
    pairs = dict.fromkeys((pair.first, pair.second) for pair in agreement.pairs)
    files: dict[str, bytes] = {}
    with style():
        for number, (first, second) in enumerate(list(pairs)[:MAX_PAIRS], start=1):
            points = _points(agreement, first, second)
            if points:
                files |= _bland_altman(agreement, first, second, points, f"bland-altman-{number}")
                files |= _identity(first, second, points, f"identity-{number}")
    return files


def _points(agreement: Agreement, first: str, second: str) -> Points:
    """Of the cases that both have read."""
    found: dict[str, tuple[FloatArray, FloatArray]] = {}
    for quantity in QUANTITIES:
        a, b = agreement.areas_mm2[first, quantity], agreement.areas_mm2[second, quantity]
        shared = sorted(set(a) & set(b))
        if shared:
            found[quantity] = (np.array([a[c] for c in shared]) / CM2, np.array([b[c] for c in shared]) / CM2)
    return found


def _bland_altman(
    agreement: Agreement, first: str, second: str, points: Points, name: str
) -> dict[str, bytes]:
    """Of the means of both sides where these are known: what the lines are of is what the points are of."""
    shown = "mean" if "mean" in points else next(iter(points))
    a, b = points[shown]
    figure, axes = new_axes(130, 90)
    axes.axhline(0, color=QUIET_INK, linewidth=0.8)
    axes.scatter((a + b) / 2, b - a, s=28, color=BLUE, alpha=0.85, linewidths=0, zorder=3)
    comparison = _of(agreement, first, second, shown)
    limits = None if comparison is None else comparison.limits
    if limits is not None:
        _line(axes, "bias", limits.bias, "solid")
        _line(axes, "bias + 1.96 SD", limits.upper, (0, (5, 3)))
        _line(axes, "bias − 1.96 SD", limits.lower, (0, (5, 3)))
    which = "mean of both sides" if shown == "mean" else f"{shown} side"
    axes.set_xlabel(f"mean of both raters, cm² ({which})")
    figure.supxlabel("bars: 95 % CI of the lines", fontsize=7.5, color=QUIET_INK)
    axes.set_ylabel(f"{label(second)} − {label(first)}, cm²")
    axes.margins(x=0.08, y=0.12)
    return files_of(figure, name)


def _line(axes: Axes, what: str, interval: Interval, dashes: Any) -> None:
    """A line through the picture, with its interval as a bar at the right edge."""
    value, low, high = (v / CM2 for v in (interval.value, interval.low, interval.high))
    axes.axhline(value, color=INK, linewidth=1.1, linestyle=dashes)
    edge = axes.get_yaxis_transform()
    place = 0.985 if what == "bias" else 0.965
    bar: dict[str, Any] = {
        "yerr": [[value - low], [high - value]],
        "capsize": 3,
        "color": INK,
        "linewidth": 1.1,
    }
    axes.errorbar([place], [value], transform=edge, fmt="none", **bar)
    axes.annotate(
        f"{what}\n{value:+.2f}".replace("-", "−"),
        (1.0, value),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        annotation_clip=False,
    )


def _identity(first: str, second: str, points: Points, name: str) -> dict[str, bytes]:
    figure, axes = new_axes(100, 95)
    sides = {q: points[q] for q in SIDE_STYLES if q in points} or points
    for quantity, (x, y) in sides.items():
        colour, marker = SIDE_STYLES.get(quantity, (INK, "s"))
        axes.scatter(x, y, s=26, color=colour, marker=marker, label=quantity, alpha=0.85, linewidths=0)
    values = np.concatenate([v for pair in sides.values() for v in pair])
    margin = 0.06 * max(float(np.ptp(values)), 1.0)
    ends = (float(values.min()) - margin, float(values.max()) + margin)
    axes.plot(ends, ends, color=QUIET_INK, linewidth=0.9, linestyle=(0, (4, 3)), label="equal", zorder=1)
    axes.set_xlim(ends)
    axes.set_ylim(ends)
    axes.set_aspect("equal")
    axes.set_xlabel(f"{label(first)}, cm²")
    axes.set_ylabel(f"{label(second)}, cm²")
    axes.legend(loc="upper left")
    return files_of(figure, name)


def _of(agreement: Agreement, first: str, second: str, quantity: str) -> Comparison | None:
    wanted = ((first, second), quantity)
    return next((c for c in agreement.comparisons if (c.raters, c.quantity) == wanted), None)
