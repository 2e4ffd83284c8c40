"""The caption of every figure of a study: what it shows, and the statistics, which are not in the figure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from glutseg.study.correlate import ADJUSTED, Correlation
from glutseg.study.figures import label
from glutseg.study.words import ends, number, p_words, titled

if TYPE_CHECKING:
    from glutseg.study.analysis import Study

CI = "95 % CI"
PER = {"mm²": "area", "mm²/m": "area / height", "cm²/m²": "area / height²"}
"""What a profile of this unit is of."""


def captions(study: Study, names: Mapping[str, object]) -> dict[str, str]:
    """The caption of every figure that was drawn, by its name.

    Parameters
    ----------
    names : of the figures, as `glutseg.study.plots.draw` names them
    """
    known = {"groups": _groups(study), "profile": _profile(study), "sensitivity": _sensitivity(study)}
    known["flow"] = _flow(study)
    if study.sides is not None:
        known["sides"] = _sides(study)
    for k, column in enumerate(study.sample.correlates, start=1):
        known[f"correlation-{k}"] = _correlation(study, column)
    return {name: known[name] for name in names}


def as_page(found: Mapping[str, str]) -> bytes:
    """All captions as one page of Markdown."""
    return "\n\n".join(["# Captions", *(f"**{name}**: {text}" for name, text in found.items()), ""]).encode()


def _groups(study: Study) -> str:
    comparison, sample = study.comparison, study.sample
    welch, effect = comparison.welch, comparison.effect
    first, second = (label(group) for group in sample.groups)
    difference = number(welch.difference, study.decimals)
    unit = f" {sample.value.unit}" if sample.value.unit else ""
    return (
        f"{titled(sample.value)} in {first} (n = {comparison.n_first}) and {second} "
        f"(n = {comparison.n_second}). Points: patients; boxes: median and quartiles; diamonds: means with "
        f"{CI}. Difference {difference}{unit} ({CI} {ends(welch.ci, study.decimals)}); "
        f"Welch's t test, {p_words(welch.p)}; Hedges g = {number(effect.hedges_g)} "
        f"({CI} {ends(effect.hedges_g_ci)})."
    )


def _correlation(study: Study, column: str) -> str:
    found = {c.who: c for c in study.correlations if c.column == column}
    text = (
        f"{titled(study.sample.value)} against {label(column)}. Points: patients; line: least squares over "
        f"all patients, with the {CI} of the mean. {_pearson(found['all'])}"
    )
    adjusted = found.get(ADJUSTED)
    if adjusted is not None and not math.isnan(adjusted.r):
        text += f"; adjusted for group, {_r(adjusted)}"
    return f"{text}."


def _pearson(found: Correlation) -> str:
    return f"Pearson's {_r(found)}, n = {found.n}"


def _r(found: Correlation) -> str:
    return f"r = {number(found.r)} ({CI} {ends(found.r_ci)}), {p_words(found.r_p)}"


def _sides(study: Study) -> str:
    text = f"{titled(study.sample.value)}: left against right. Points: patients; dashed: equality."
    if study.sides is None:
        return text
    return (
        f"{text} Left − right: {number(study.sides.percent, 1)} % of the mean; paired t test, "
        f"{p_words(study.sides.test.p)}."
    )


def _profile(study: Study) -> str:
    return (
        f"Gluteus maximus {PER[study.profile_unit]}, mean of both sides, on the slices around the measured "
        f"one (0 mm): means of the groups with {CI}."
    )


def _sensitivity(study: Study) -> str:
    first, second = (label(group) for group in study.sample.groups)
    return (
        f"The comparison of {first} and {second} under other choices of method: Hedges g with {CI}, the "
        "difference in percent and Welch's p. First row and dotted line: the study's own choices; filled: "
        f"p < 0.05; open: p ≥ 0.05. {study.sensitivity.verdict}"
    )


def _flow(study: Study) -> str:
    flow = study.flow
    return (
        f"From the {flow.studies} studies of the run to the {flow.compared} patients who were compared. "
        "Right: those who were left out, and why."
    )
