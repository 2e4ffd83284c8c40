"""Draw docs/images/accuracy.svg from benchmarks/results/accuracy.json: python scripts/plot_accuracy.py"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glutseg.study import figures as look

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "accuracy.json"
PICTURE = ROOT / "docs" / "images" / "accuracy.svg"
AIMED_END_TO_END = 6.0
REAL = "real"
"""How names of real patients begin."""
KINDS = (
    ("rendered, ok", look.BLUE, "o"),
    ("rendered, flagged", look.ORANGE, "^"),
    ("real patient", look.VERMILION, "s"),
)


def kind_of(case: dict[str, Any]) -> int:
    """Which of `KINDS` a case is."""
    if case["case"].startswith(REAL):
        return 2
    return int(case["status"] != "ok")


def draw_sides(axes: Axes, cases: list[dict[str, Any]]) -> None:
    """Every side: how well its outline overlaps, and how far its area is off."""
    for number, (name, colour, marker) in enumerate(KINDS):
        points = [
            (case[f"dice_{side}"], 100 * case[f"area_error_{side}"])
            for case in cases
            if kind_of(case) == number
            for side in ("left", "right")
        ]
        axes.scatter(*zip(*points, strict=True), s=22, color=colour, marker=marker, label=name, alpha=0.85)
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.set(xlabel="Dice on the measured slice", ylabel="error of the area, %", title="every side")
    axes.legend()


def draw_cases(axes: Axes, cases: list[dict[str, Any]]) -> None:
    """Every case: the error of the mean area, the level's own included."""
    ranked = sorted(cases, key=lambda case: case["end_to_end_error"])
    for number, (_, colour, marker) in enumerate(KINDS):
        points = [
            (place, 100 * case["end_to_end_error"])
            for place, case in enumerate(ranked, start=1)
            if kind_of(case) == number
        ]
        axes.scatter(*zip(*points, strict=True), s=22, color=colour, marker=marker, alpha=0.85)
    axes.axhline(0, color="0.6", linewidth=0.8)
    for limit in (-AIMED_END_TO_END, AIMED_END_TO_END):
        axes.axhline(limit, color="0.6", linewidth=0.8, linestyle="--")
    axes.set(xlabel="cases, by their error", ylabel="error of the mean area, %", title="end to end")


def main() -> None:
    cases = json.loads(RESULTS.read_text(encoding="utf-8"))["cases"]
    with look.style():
        figure = Figure(figsize=(8.4, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        draw_sides(left, cases)
        draw_cases(right, cases)
        (svg,) = (c for file, c in look.files_of(figure, "accuracy").items() if file.endswith(".svg"))
    PICTURE.write_bytes(svg)


if __name__ == "__main__":
    main()
