"""The sensitivity figure: the effect under every choice, one below the other."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from glutseg.study.analysis import Study
from glutseg.study.figures import BLUE, INK, QUIET_INK, VERMILION, label, new_axes
from glutseg.study.sensitivity import ALPHA, OWN, Outcome
from glutseg.study.words import number, p_words

ROW_MM = 6.5
ABOUT_WORDS = {
    OWN: "",
    "area": "what is counted",
    "side": "which side",
    "height": "height",
    "level": "level",
    "cases": "which cases",
    "values": "which values",
}


def draw_forest(study: Study) -> Figure:
    """Hedges g with its interval: the study's own choice on top, below it one choice changed at a time."""
    outcomes = study.sensitivity.outcomes
    figure, axes = new_axes(175, 38 + ROW_MM * len(outcomes))
    own = outcomes[0]
    axes.axvline(0, color=INK, linewidth=0.9)
    axes.axvline(own.hedges_g, color=BLUE, linewidth=0.8, linestyle=":")
    names, about = [], ""
    for row, outcome in enumerate(outcomes):
        names.append(_name(outcome))
        if outcome.choice.about != about and row:
            axes.axhline(row - 0.5, color=QUIET_INK, linewidth=0.3)
        about = outcome.choice.about
        if math.isnan(outcome.hedges_g):
            axes.text(0, row, f" {outcome.note}", va="center", fontsize=7.5, color=QUIET_INK)
            continue
        sure = outcome.welch_p < ALPHA
        colour = BLUE if outcome.hedges_g * own.hedges_g > 0 else VERMILION
        ci = outcome.hedges_g_ci
        axes.errorbar(
            outcome.hedges_g, row, xerr=[[outcome.hedges_g - ci.low], [ci.high - outcome.hedges_g]], fmt="o",
            color=colour, markerfacecolor=colour if sure else "white", markersize=6,
            capsize=2.5, elinewidth=1.3,
        )  # fmt: skip
    axes.set_yticks(range(len(outcomes)), names)
    axes.set_ylim(len(outcomes) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    side = axes.secondary_yaxis("right")
    side.set_yticks(range(len(outcomes)), [_result(o) for o in outcomes])
    side.tick_params(length=0, labelsize=7.5)
    side.spines["right"].set_visible(False)
    first, second = (label(g) for g in study.sample.groups)
    axes.set_xlabel(f"Hedges g with 95 % CI; right of 0: larger in {first} than in {second}")
    figure.supxlabel(
        "filled: Welch p < 0.05; open: p ≥ 0.05; dotted: as asked", fontsize=7.5, color=QUIET_INK
    )
    return figure


def _name(outcome: Outcome) -> str:
    about = ABOUT_WORDS[outcome.choice.about]
    return f"{about}: {label(outcome.choice.words)}" if about else "as asked"


def _result(outcome: Outcome) -> str:
    n = f"n = {outcome.n_first} + {outcome.n_second}"
    if math.isnan(outcome.hedges_g):
        return n
    return f"{number(outcome.percent, 1)} %, {p_words(outcome.welch_p)}, {n}"
