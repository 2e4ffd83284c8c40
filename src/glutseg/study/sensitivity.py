"""The same comparison under other choices of method: a result that rests on one of them is seen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import get_args

import numpy as np

from glutseg.protocol import NAMED_LEVELS
from glutseg.study.compare import Floats, compare
from glutseg.study.effects import UNKNOWN, Interval
from glutseg.study.sample import LEAST_PER_GROUP, Sample
from glutseg.study.values import Area, Kind, Power, Value, Which

NO_REVIEW = "without cases to review"
NO_UNCERTAIN = "without the most uncertain fifth"
OWN = "as asked"
ALPHA = 0.05


@dataclass(frozen=True)
class Choice:
    """One way to do it.

    Attributes
    ----------
    about : what is chosen differently: "area", "side", "height", "level", "cases", "values"
    words : how
    value : the figure compared
    only_ok : cases that ask for a look are left out
    left_out : case ids of others that are left out
    note : what is to be known of those who are left
    values : which values: "" those of the study, or a key of the alternatives
    """

    about: str
    words: str
    value: Value
    only_ok: bool = False
    values: str = ""
    left_out: frozenset[str] = frozenset()
    note: str = ""


@dataclass(frozen=True)
class Outcome:
    """The comparison under a choice; NaN and a note why where too few patients are left."""

    choice: Choice
    n_first: int
    n_second: int
    difference: float = math.nan
    percent: float = math.nan
    hedges_g: float = math.nan
    hedges_g_ci: Interval = UNKNOWN
    welch_p: float = math.nan
    mann_whitney_p: float = math.nan
    note: str = ""


@dataclass(frozen=True)
class Sensitivity:
    """The study's own comparison first, then one choice changed at a time, then all combinations.

    Attributes
    ----------
    grid : every combination of the choices that could be compared, the study's own among them
    same_sign, significant : how many of them agree with the study's sign, have Welch's p below 0.05
    verdict : the same in words
    """

    outcomes: tuple[Outcome, ...]
    grid: tuple[Outcome, ...]
    same_sign: int
    significant: int
    verdict: str


def sensitivity(sample: Sample, alternatives: Mapping[str, Sample] | None = None) -> Sensitivity:
    """Repeat a sample's comparison.

    Parameters
    ----------
    alternatives : {words: sample} of other values of the same studies, such as the automatic ones
        where reviewers have decided
    """
    other = alternatives or {}
    main = Choice(OWN, OWN, sample.value)
    outcomes = [_outcome(sample, c, other) for c in (main, *_one_at_a_time(main, sample, other))]
    grid = [_outcome(sample, c, other) for c in _combined(main, sample, other)]
    known = tuple(o for o in grid if not math.isnan(o.hedges_g))
    own = outcomes[0]
    same = sum(o.hedges_g * own.hedges_g > 0 for o in known)
    significant = sum(o.welch_p < ALPHA and o.hedges_g * own.hedges_g > 0 for o in known)
    return Sensitivity(
        tuple(outcomes), known, same, significant, _verdict(own, outcomes[1:], len(known), same, significant)
    )


def _verdict(own: Outcome, others: Sequence[Outcome], n: int, same: int, significant: int) -> str:
    counted = (
        f"Of {n} combinations of choices, {same} give a difference in the same direction as the study's own, "
        f"{significant} of them with p < {ALPHA}."
    )
    known = [o for o in others if not math.isnan(o.hedges_g)]
    blank = [f"{o.choice.words} ({o.note})" for o in others if math.isnan(o.hedges_g)]
    if blank:
        counted = f"{counted} Not compared: {', '.join(blank)}."
    turned = [o.choice.words for o in known if o.hedges_g * own.hedges_g < 0]
    crossed = [
        o.choice.words
        for o in known
        if (o.welch_p < ALPHA) != (own.welch_p < ALPHA) and o.choice.words not in turned
    ]
    if turned:
        return f"The difference changes its direction with: {', '.join(turned)}. {counted}"
    if crossed:
        return f"Whether p is below {ALPHA} changes with: {', '.join(crossed)}. {counted}"
    return (
        f"No single other choice changes the direction of the difference or moves p across {ALPHA}. {counted}"
    )


def _one_at_a_time(main: Choice, sample: Sample, other: Mapping[str, object]) -> Iterator[Choice]:
    area = main.value
    if isinstance(area, Area):
        for kind in get_args(Kind):
            if kind != area.kind:
                words = "lean area" if kind == "lean" else "total area"
                yield replace(main, about="area", words=words, value=replace(area, kind=kind))
        for which in get_args(Which):
            if which != area.which:
                words = "mean of both sides" if which == "mean" else f"{which} side"
                yield replace(main, about="side", words=words, value=replace(area, which=which))
        powers: tuple[tuple[Power, str], ...] = (
            (0, "not divided by height"),
            (1, "area / height"),
            (2, "area / height²"),
        )
        for power, words in powers:
            if power != area.height_power:
                yield replace(main, about="height", words=words, value=replace(area, height_power=power))
        for level in _levels(sample):
            yield replace(main, about="level", words=level, value=replace(area, level=level))
    if (sample.frame["status"] == "review").any():
        yield replace(main, about="cases", words=NO_REVIEW, only_ok=True)
    uncertain, n_unknown = _most_uncertain(sample)
    if uncertain:
        kept = f"{n_unknown} of unknown error kept" if n_unknown else ""
        yield replace(main, about="cases", words=NO_UNCERTAIN, left_out=uncertain, note=kept)
    for words in other:
        yield replace(main, about="values", words=words, values=words)


def _most_uncertain(sample: Sample) -> tuple[frozenset[str], int]:
    """The fifth of the patients whose areas may be off the most, and how many are of unknown error.

    Patients with a value are counted. Those of unknown error stay; of equally uncertain ones those whose case
    id comes first are left out; none where all are equally uncertain.
    """
    there = sample.frame["value"].notna()
    results = [p.case.result for p, known in zip(sample.patients, there, strict=True) if known]
    bounds = {r.case_id: r.largest_error_bound_percent for r in results}
    known = {name: bound for name, bound in bounds.items() if bound is not None}
    if len(set(known.values())) < 2:
        return frozenset(), 0
    ordered = sorted(known, key=lambda name: (-known[name], name))
    return frozenset(ordered[: len(results) // 5]), len(results) - len(known)


def _combined(main: Choice, sample: Sample, other: Mapping[str, object]) -> Iterator[Choice]:
    values: list[Value] = [main.value]
    if isinstance(main.value, Area):
        every = product(get_args(Kind), get_args(Which), get_args(Power), ("", *_levels(sample)))
        values = [Area(*one) for one in every]
    reviews = (False, True) if (sample.frame["status"] == "review").any() else (False,)
    for value, only_ok, which in product(values, reviews, ("", *other)):
        words = ", ".join(filter(None, (value.words, NO_REVIEW if only_ok else "", which)))
        yield Choice("combined", words, value, only_ok, which)


def _levels(sample: Sample) -> tuple[str, ...]:
    """The named levels that somebody's series shows, but for the study's own."""
    results = [p.case.result for p in sample.patients]
    there = {level.name for result in results for level in result.levels}
    own = {result.level.name for result in results if result.level is not None}
    return tuple(name for name in NAMED_LEVELS if name in there and own != {name})


def _outcome(sample: Sample, choice: Choice, other: Mapping[str, Sample]) -> Outcome:
    theirs = other[choice.values] if choice.values else sample
    first, second = (_values(theirs, group, choice) for group in sample.groups)
    n_first, n_second = len(first), len(second)
    if min(n_first, n_second) < LEAST_PER_GROUP:
        return Outcome(choice, n_first, n_second, note="too few patients")
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return Outcome(choice, n_first, n_second, note="the same in all of a group")
    done = compare(first, second)
    return Outcome(
        choice=choice,
        n_first=n_first,
        n_second=n_second,
        difference=done.welch.difference,
        percent=done.percent,
        hedges_g=done.effect.hedges_g,
        hedges_g_ci=done.effect.hedges_g_ci,
        welch_p=done.welch.p,
        mann_whitney_p=done.mann_whitney.p,
        note=choice.note,
    )


def _values(sample: Sample, group: str, choice: Choice) -> Floats:
    values = [
        choice.value.of(patient.case)
        for patient, theirs in zip(sample.patients, sample.frame["group"], strict=True)
        if theirs == group
        and not (choice.only_ok and patient.case.result.status != "ok")
        and patient.case.result.case_id not in choice.left_out
    ]
    return np.array([v for v in values if v is not None and not math.isnan(v)], dtype=float)
