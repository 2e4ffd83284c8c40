"""The small charts of the page, as coordinates; the page draws and colours them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from glutseg.image import Side
from glutseg.report.model import Chart, Dot, ErrorBar, Line, Overview, Tick
from glutseg.result import CaseResult

WIDTH, HEIGHT = 360.0, 210.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 30.0, 12.0, 36.0
CM2 = 100.0
SIDES: tuple[Side, Side] = ("right", "left")
BAR_GAP = 5.0
"""The two sides' error bars stand beside the level's line, so that neither hides the other."""
OVERVIEW_WIDTH = 900.0
MARGIN = 24.0
STACK = 14
"""Dots upon each other before they become smaller."""


@dataclass(frozen=True)
class Point:
    """A case in the overview."""

    area_mm2: float
    status: str
    anchor: str
    name: str


def profile_chart(result: CaseResult) -> Chart | None:
    """Area of both sides over the slices around the level, with error bars on it; None without two slices."""
    points = {
        side: sorted(
            (p.offset_mm, p.measurement.area_mm2 / CM2)
            for p in result.profile
            if p.side == side and p.muscle == "maximus" and math.isfinite(p.measurement.area_mm2)
        )
        for side in SIDES
    }
    offsets = [offset for one in points.values() for offset, _ in one]
    if len(set(offsets)) < 2:
        return None
    low, high = min(offsets), max(offsets)
    step = tick_step(max(area for one in points.values() for _, area in one), 4)
    bounds = _bounds_cm2(result)
    highest = max(
        [area for one in points.values() for _, area in one] + [high for _, high in bounds.values()]
    )
    top_cm2 = step * math.ceil(highest * 1.05 / step)

    def place(offset_mm: float, area_cm2: float) -> tuple[float, float]:
        x = LEFT + (offset_mm - low) / (high - low) * (WIDTH - LEFT - RIGHT)
        return round(x, 1), round(HEIGHT - BOTTOM - area_cm2 / top_cm2 * (HEIGHT - TOP - BOTTOM), 1)

    level_x = place(0, 0)[0]
    bars = [
        ErrorBar(
            side, level_x + (-BAR_GAP if side == "right" else BAR_GAP), place(0, top)[1], place(0, base)[1]
        )
        for side, (base, top) in bounds.items()
    ]
    lines = []
    for side, one in points.items():
        if one:
            placed = [place(*point) for point in one]
            text = " ".join(f"{x:g},{y:g}" for x, y in placed)
            lines.append(Line(side[0].upper(), side, text, *placed[-1]))
    across = tick_step(high - low, 6)
    first = math.ceil(low / across)
    x_ticks = [k * across for k in range(first, math.floor(high / across) + 1)]
    y_ticks = [k * step for k in range(round(top_cm2 / step) + 1)]
    return Chart(
        *(WIDTH, HEIGHT, LEFT, HEIGHT - BOTTOM, TOP, WIDTH - RIGHT),
        x_ticks=tuple(Tick(place(x, 0)[0], f"{x:+g}" if x else "0") for x in x_ticks),
        y_ticks=tuple(Tick(place(low, y)[1], f"{y:g}") for y in y_ticks),
        lines=_apart(lines),
        level_x=level_x,
        words=_profile_words(points, low, high),
        error_bars=tuple(bars),
    )


def _bounds_cm2(result: CaseResult) -> dict[Side, tuple[float, float]]:
    """From where to where the area on the level may lie, with 90 % certainty; sides where that is known."""
    found: dict[Side, tuple[float, float]] = {}
    for side in SIDES:
        area_mm2, bound_mm2 = result.area_mm2(side), result.error_bound_mm2(side)
        if area_mm2 is not None and bound_mm2 is not None:
            found[side] = (max(0.0, area_mm2 - bound_mm2) / CM2, (area_mm2 + bound_mm2) / CM2)
    return found


def _apart(lines: Sequence[Line], gap: float = 13.0) -> tuple[Line, ...]:
    """Names at the lines' ends that do not lie upon each other."""
    if len(lines) == 2 and abs(lines[0].end_y - lines[1].end_y) < gap:
        upper = min(lines, key=lambda line: line.end_y)
        middle = (lines[0].end_y + lines[1].end_y) / 2
        moved = [
            Line(one.name, one.side, one.points, one.end_x, middle + (-gap if one is upper else gap) / 2)
            for one in lines
        ]
        return tuple(moved)
    return tuple(lines)


def _profile_words(points: dict[Side, list[tuple[float, float]]], low: float, high: float) -> str:
    sentences = [f"Area from {low:+.0f} to {high:+.0f} mm of the level."]
    for side, one in points.items():
        if one:
            areas = [area for _, area in one]
            sentences.append(f"{side.capitalize()}: {min(areas):.1f} to {max(areas):.1f} cm².")
    return " ".join(sentences)


def overview(points: Sequence[Point]) -> Overview | None:
    """Every case's mean area as a dot on one axis, stacked where they meet; None for fewer than two."""
    if len(points) < 2:
        return None
    areas = [point.area_mm2 / CM2 for point in points]
    step = tick_step((max(areas) - min(areas)) or 1.0, 7)
    low, high = step * math.floor(min(areas) / step), step * math.ceil(max(areas) / step)
    high = high if high > low else low + step
    radius = 6.0
    while True:
        columns = _stacked(points, low, high, radius)
        tallest = max(len(column) for column in columns.values())
        if tallest <= STACK * 6.0 / radius or radius <= 2:
            break
        radius -= 1
    base = 2 * radius * tallest + 14
    dots = [
        Dot(
            x=x,
            y=round(base - radius - 2 - 2 * radius * k, 1),
            status=point.status,
            anchor=point.anchor,
            words=f"{point.name}: {point.area_mm2 / CM2:.1f} cm²",
        )
        for x, column in sorted(columns.items())
        for k, point in enumerate(column)
    ]
    ordered = sorted(areas)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    ticks = [low + k * step for k in range(round((high - low) / step) + 1)]
    return Overview(
        *(OVERVIEW_WIDTH, base + 40, base, radius),
        ticks=tuple(Tick(_x(t, low, high), f"{t:g}") for t in ticks),
        dots=tuple(dots),
        median_x=_x(middle, low, high),
        words=f"Mean area of both sides of {len(points)} cases: median {middle:.1f} cm², "
        f"from {ordered[0]:.1f} to {ordered[-1]:.1f} cm².",
    )


def _x(area_cm2: float, low: float, high: float) -> float:
    return round(MARGIN + (area_cm2 - low) / (high - low) * (OVERVIEW_WIDTH - 2 * MARGIN), 1)


def _stacked(points: Sequence[Point], low: float, high: float, radius: float) -> dict[float, list[Point]]:
    columns: dict[float, list[Point]] = {}
    for point in sorted(points, key=lambda p: (p.area_mm2, p.anchor)):
        x = _x(point.area_mm2 / CM2, low, high)
        columns.setdefault(round(x / (2 * radius)) * 2 * radius, []).append(point)
    return columns


def tick_step(span: float, n: int) -> float:
    """A step of 1, 2 or 5 times a power of ten with which ``span`` has about ``n`` of them."""
    raw = max(span, 1e-9) / n
    power = 10.0 ** math.floor(math.log10(raw))
    return next(float(power * m) for m in (1, 2, 5, 10) if power * m >= raw * 0.999)
