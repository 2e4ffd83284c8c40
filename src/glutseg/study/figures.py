"""How the figures of studies look, and how they become files: the same figure gives the same bytes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glutseg.output.text import plain

BLUE, ORANGE, GREEN, PURPLE, VERMILION = "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00"
"""Okabe and Ito (2008): distinguishable with every kind of colour blindness."""
GROUP_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE)
GROUP_MARKERS = ("o", "^", "s", "D", "v")
"""Groups differ in shape as well, for print without colour."""
INK, QUIET_INK, GRID = "#1b1f23", "#57606a", "#d8dee4"

MM_PER_INCH = 25.4
PNG_DPI = 200
MAX_LABEL = 40

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine draws the same
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.edgecolor": QUIET_INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": QUIET_INK,
    "ytick.color": QUIET_INK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "glutseg",
    "svg.fonttype": "path",
    "text.parse_math": False,  # "$" of a column's name must not start a formula
}


@contextmanager
def style() -> Iterator[None]:
    """Draw and save within this; the settings of the caller's matplotlib stay as they were."""
    with mpl.rc_context(STYLE):
        yield


def new_axes(width_mm: float = 120.0, height_mm: float = 90.0) -> tuple[Figure, Axes]:
    """A figure with one axes, laid out so that no label is cut; call within `style`."""
    figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), layout="constrained")
    return figure, figure.add_subplot()


def files_of(figure: Figure, name: str) -> dict[str, bytes]:
    """``NAME.svg`` and ``NAME.png`` (200 dpi) with their bytes; call within `style`."""
    files = {}
    for suffix, metadata in (("svg", {"Date": None, "Creator": None}), ("png", {"Software": None})):
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of glyphs that the font lacks: boxes say so
            figure.savefig(buffer, format=suffix, dpi=PNG_DPI, metadata=metadata)
        files[f"{name}.{suffix}"] = buffer.getvalue()
    return files


def label(text: str) -> str:
    """A text from a table or header as one short line for a figure."""
    return plain(text, MAX_LABEL)
