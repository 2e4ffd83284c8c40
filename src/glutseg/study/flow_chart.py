"""The flow diagram of a study, as STROBE and CONSORT ask for it: boxes from the run to the two groups."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Rectangle

from glutseg.output.text import plain
from glutseg.study.figures import GROUP_COLOURS, INK, MM_PER_INCH, QUIET_INK
from glutseg.study.flow import Arm, Count, Flow

FONT_PT = 8.0
LINE_MM = 4.0
PAD_MM = 2.2
GAP_MM = 7.0
WIDTH_MM = 175.0
COLUMN_MM = 84.0
"""Of a box: two stand side by side."""
EDGE_MM = 1.0
INDENT, NO_BREAK = "   ", "\N{NO-BREAK SPACE}"
MAX_WORDS = 120
FINE_DPI = 720
"""Letters are measured as large as this, so that they are not fitted to pixels."""
LEFT_MM, RIGHT_MM = EDGE_MM, WIDTH_MM - COLUMN_MM - EDGE_MM
Line = list[tuple[float, float]]
"""Corners (x, y) of an arrow."""


@dataclass(frozen=True)
class _Box:
    """Lines of text at a place; y grows downwards."""

    lines: tuple[str, ...]
    left: float
    top: float
    colour: str = QUIET_INK

    @property
    def height(self) -> float:
        return LINE_MM * len(self.lines) + 2 * PAD_MM

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> float:
        return self.left + COLUMN_MM / 2


def draw_flow(flow: Flow) -> Figure:
    """Those who go on in the left column, those left out beside them, the groups side by side below."""
    start = [_counted("Studies of the run", flow.studies)]
    if flow.only_table:
        start.append(_counted("besides: patients of the table without a study that is done", flow.only_table))
    both = sum(arm.n for arm in flow.arms)
    boxes, lines = [_Box(_wrapped(start), LEFT_MM, EDGE_MM)], []
    for counts, words, n in (
        (flow.not_measured, "Patients with a measured study", flow.measured),
        (flow.not_of_groups, "Patients of the two groups", both),
    ):
        before = boxes[-1]
        beside = _Box(_left_out(counts), RIGHT_MM, before.bottom + GAP_MM / 2)
        after = _Box(_wrapped([_counted(words, n)]), LEFT_MM, beside.bottom + GAP_MM / 2)
        level = beside.top + beside.height / 2
        lines.append([(before.middle, before.bottom), (after.middle, after.top)])
        lines.append([(before.middle, level), (beside.left, level)])
        boxes += [beside, after]
    arms, more = _arms(flow.arms, boxes[-1])
    return _drawn(boxes + arms, lines + more)


def _arms(arms: Sequence[Arm], last: _Box) -> tuple[list[_Box], list[Line]]:
    """The groups and who of them is compared, in rows below the last box."""
    groups = [_wrapped([_counted(arm.group, arm.n), *_lines(arm.left_out, "left out: ")]) for arm in arms]
    compared = [_wrapped([_counted("Compared", arm.compared), *_lines(arm.reviews)]) for arm in arms]
    fork, top = last.bottom + GAP_MM / 2, last.bottom + GAP_MM
    below = max(_Box(text, 0, top).bottom for text in groups) + GAP_MM
    boxes: list[_Box] = []
    lines: list[Line] = []
    for at, colour in zip(range(len(arms)), GROUP_COLOURS, strict=False):
        left = (LEFT_MM, RIGHT_MM)[at]
        group, end = _Box(groups[at], left, top, colour), _Box(compared[at], left, below, colour)
        corner = [(last.middle, last.bottom), (last.middle, fork), (group.middle, fork)]
        lines += [[*corner, (group.middle, top)], [(group.middle, group.bottom), (end.middle, below)]]
        boxes += [group, end]
    return boxes, lines


def _drawn(boxes: Sequence[_Box], lines: Sequence[Line]) -> Figure:
    height = max(box.bottom for box in boxes) + EDGE_MM
    figure = Figure(figsize=(WIDTH_MM / MM_PER_INCH, height / MM_PER_INCH))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH_MM), ylim=(height, 0))
    axes.axis("off")
    arrow = {"arrowstyle": "-|>", "color": QUIET_INK, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
    for line in lines:
        if len(line) > 2:
            axes.plot(*zip(*line[:-1], strict=True), color=QUIET_INK, linewidth=0.9)
        axes.annotate("", line[-1], line[-2], arrowprops=arrow)
    for box in boxes:
        axes.add_patch(
            Rectangle(
                (box.left, box.top), COLUMN_MM, box.height, fill=False, edgecolor=box.colour, linewidth=1.1
            )
        )
        for row, text in enumerate(box.lines):
            y = box.top + PAD_MM + LINE_MM * (row + 0.5)
            axes.text(box.left + PAD_MM, y, text, fontsize=FONT_PT, color=INK, va="center")
    return figure


def _left_out(counts: Sequence[Count]) -> tuple[str, ...]:
    return _wrapped([_counted("Left out", sum(count.n for count in counts)), *_lines(counts)])


def _lines(counts: Iterable[Count], before: str = "") -> list[str]:
    lines = []
    for count in counts:
        lines.append(f"{INDENT}{_counted(before + count.words, count.n)}")
        lines += [f"{2 * INDENT}{_counted(words, n)}" for words, n in count.reasons]
    return lines


def _counted(words: str, n: int) -> str:
    """The number stays on one line."""
    return f"{plain(words, MAX_WORDS)} (n{NO_BREAK}={NO_BREAK}{n})"


def _wrapped(lines: Sequence[str]) -> tuple[str, ...]:
    """Lines no wider than a box; what goes on is indented further, and what has no blanks is cut."""
    found = []
    for line in lines:
        text = line.lstrip(" ")
        row = indent = " " * (len(line) - len(text))
        for word in text.split(" "):
            longer = f"{row} {word}" if row.strip() else f"{row}{word}"
            if not row.strip() or _fits(longer):
                row = longer
            else:
                found.append(row)
                row = f"{indent}{INDENT}{word}"
            while not _fits(row):
                n = next(n for n in range(len(row), 0, -1) if _fits(row[:n]))
                found.append(row[:n])
                row = f"{indent}{INDENT}{row[n:]}"
        found.append(row)
    return tuple(found)


def _fits(text: str) -> bool:
    font = get_font(findfont(FontProperties(family="DejaVu Sans")))
    font.set_size(FONT_PT, FINE_DPI)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of glyphs that the font lacks: boxes say so
        font.set_text(text)
    width_64ths, _ = font.get_width_height()
    return float(width_64ths) / 64 / FINE_DPI <= (COLUMN_MM - 2 * PAD_MM) / MM_PER_INCH
