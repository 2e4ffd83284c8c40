"""A whole study: from a run and a participants table to every figure and table's content."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from glutseg.output.pseudonym import Pseudonymiser
from glutseg.study.checks import Adjusted, Check, check_normal, check_spread, holm
from glutseg.study.compare import Comparison, Floats, Paired, Summary, compare, compare_sides, summarise
from glutseg.study.context import Published, context_for
from glutseg.study.correlate import ADJUSTED, Correlation, correlate, correlate_within
from glutseg.study.flow import Flow, flow_of
from glutseg.study.join import Join, as_decided, as_found, check_ids, join, pseudonymised
from glutseg.study.measurement_error import WithoutError, error_sd_of, without_error
from glutseg.study.model import LinearModel, fit, fit_sides
from glutseg.study.power import Power, power_of
from glutseg.study.profiles import ProfileBand, profiles
from glutseg.study.resample import Bootstrap, bootstrap
from glutseg.study.run_rows import RunRows, read_run
from glutseg.study.sample import Question, Sample, enough, make_sample
from glutseg.study.sensitivity import Sensitivity, sensitivity
from glutseg.study.table import StudyTable, read_study_table
from glutseg.study.values import Area, value_named

AUTOMATIC = "automatic values only"


@dataclass(frozen=True)
class Study:
    """Everything a study found; see docs/how-to/study.md.

    Attributes
    ----------
    flow : how many came, and how many were left out on the way and why
    summaries : value, sides, numbers of the table, by group
    counts : {category: {group: {word: patients}}}
    bootstrap : intervals of the difference and the effect by resampling, beside those of ``comparison``
    without_error : the effect size corrected for measurement error, beside that of ``comparison``
    correlations : per column over all, adjusted for group, and within each group
    models : without and with covariates, and of both sides; adjusted ones only where there are covariates
    family : the study's tests with Holm's adjustment
    """

    run: RunRows = field(repr=False)
    table: StudyTable = field(repr=False)
    question: Question
    join: Join
    sample: Sample
    flow: Flow
    summaries: tuple[Summary, ...]
    counts: Mapping[str, Mapping[str, Mapping[str, int]]]
    comparison: Comparison
    bootstrap: Bootstrap
    without_error: WithoutError
    correlations: tuple[Correlation, ...]
    models: tuple[LinearModel, ...]
    sides: Paired | None
    checks: tuple[Check, ...]
    family: tuple[Adjusted, ...]
    power: Power
    sensitivity: Sensitivity
    profile_unit: str
    profiles: tuple[ProfileBand, ...]
    context: tuple[Published, ...]

    @property
    def decimals(self) -> int:
        """Of means and differences in words, so that the groups' smaller SD has three digits."""
        spread = min(s.sd for s in self.summaries if s.name == self.sample.value.name)
        return max(0, 2 - math.floor(math.log10(spread))) if spread > 0 else 2


def study_run(
    out: Path,
    participants: Path,
    question: Question,
    *,
    ids: Mapping[str, str] | None = None,
    pseudonyms: Pseudonymiser | None = None,
    accept_unmatched: bool = False,
) -> Study:
    """Join a run with a participants table and do the statistics; nothing is written.

    Parameters
    ----------
    out : the output folder of ``glutseg run``
    participants : CSV, TSV or XLSX, a row per patient
    ids : {patient_id, pseudonym or case_id: name of the column} where it has a name of its own
    pseudonyms : of the run, where the table has the patients' own ids
    accept_unmatched : go on where the ids of run and table do not fit

    Raises
    ------
    GlutsegError
        For what cannot be used, with file, row and column: ``input-missing``, ``participants-invalid``,
        ``participants-mismatch``, ``patient-repeated``, ``groups-invalid``, ``value-unknown``,
        ``value-constant``, ``study-too-small``, ``model-singular``, ``key-invalid``.
    """
    automatic = read_run(out)
    run = as_decided(automatic)
    needed = (question.group, *question.covariates, *question.correlates)
    table = read_study_table(participants, ids, needed)
    if pseudonyms is not None:
        table = pseudonymised(table, pseudonyms, run)
    if not accept_unmatched:
        check_ids(run, table)
    value = value_named(run, question.value)
    joined = join(run, table)
    sample = make_sample(joined, table, question, value)
    enough(sample, f"{participants}, column {question.group!r}")
    alternatives = {}
    if (found := as_found(automatic, run)) is not None:
        same = replace(question, groups=sample.groups)
        alternatives[AUTOMATIC] = make_sample(join(found, table), table, same, value)
    return analyse(run, table, question, joined, sample, alternatives)


def analyse(
    run: RunRows,
    table: StudyTable,
    question: Question,
    joined: Join,
    sample: Sample,
    alternatives: Mapping[str, Sample] | None = None,
) -> Study:
    """The statistics of a sample."""
    first, second = (_known(sample, group) for group in sample.groups)
    comparison = compare(first, second)
    effect = comparison.effect
    correlations = _correlations(sample)
    sides = compare_sides(*(sample.frame[side].to_numpy(float) for side in ("left", "right")))
    models = _models(sample)
    unit, bands = profiles(sample)
    return Study(
        run=run,
        table=table,
        question=question,
        join=joined,
        sample=sample,
        flow=flow_of(run, joined, sample),
        summaries=_summaries(sample),
        counts=_counts(sample),
        comparison=comparison,
        bootstrap=bootstrap(first, second),
        without_error=without_error(effect, first, second, _error_sds(sample)),
        correlations=correlations,
        models=models,
        sides=sides,
        checks=_checks(sample, first, second),
        family=_family(comparison, correlations, sides),
        power=power_of(
            effect.hedges_g, len(first), len(second), effect.hedges_g_ci.low, effect.hedges_g_ci.high
        ),
        sensitivity=sensitivity(sample, alternatives),
        profile_unit=unit,
        profiles=bands,
        context=context_for(sample.value.unit),
    )


def _known(sample: Sample, group: str) -> Floats:
    return sample.frame.loc[sample.frame["group"] == group, "value"].dropna().to_numpy(np.float64)


def _error_sds(sample: Sample) -> Floats:
    """Of every patient with a value."""
    there = sample.frame["value"].notna()
    cases = [p.case for p, known in zip(sample.patients, there, strict=True) if known]
    return np.array([error_sd_of(sample.value, case) for case in cases], dtype=float)


def _summaries(sample: Sample) -> tuple[Summary, ...]:
    names = {"value": sample.value.name}
    for side in ("left", "right"):
        if (on_side := sample.value.on_side(side)) is not None:
            names[side] = on_side.name
    columns = names | {c: c for c in (*sample.numbers, *sample.correlates)}
    frame = sample.frame
    summaries = [
        summarise(name, group, frame.loc[frame["group"] == group, column].to_numpy(float))
        for column, name in columns.items()
        for group in sample.groups
    ]
    return (*summaries, *_in_mm2(sample))


def _in_mm2(sample: Sample) -> tuple[Summary, ...]:
    """An area that is studied by height as it is, for whoever wants to see how large these muscles are."""
    value = sample.value
    if not isinstance(value, Area) or value.height_power == 0:
        return ()
    area = replace(value, height_power=0)
    figures = np.array([area.of(p.case) for p in sample.patients], dtype=float)
    return tuple(
        summarise(area.name, group, figures[(sample.frame["group"] == group).to_numpy()])
        for group in sample.groups
    )


def _counts(sample: Sample) -> dict[str, dict[str, dict[str, int]]]:
    frame = sample.frame
    return {
        column: {
            group: {
                str(word): int(n)
                for word, n in frame.loc[frame["group"] == group, column].value_counts().sort_index().items()
            }
            for group in sample.groups
        }
        for column in sample.categories
    }


def _correlations(sample: Sample) -> tuple[Correlation, ...]:
    y = sample.frame["value"].to_numpy(float)
    codes = (sample.frame["group"] == sample.groups[0]).to_numpy().astype(np.float64)
    found = []
    for column in dict.fromkeys((*sample.correlates, *sample.numbers)):
        x = sample.frame[column].to_numpy(float)
        found += [correlate(column, "all", x, y), correlate_within(column, x, y, codes)]
        for group, code in zip(sample.groups, (1.0, 0.0), strict=True):
            found.append(correlate(column, group, x[codes == code], y[codes == code]))
    return tuple(found)


def _models(sample: Sample) -> tuple[LinearModel, ...]:
    models = [fit(sample, adjusted=False)]
    if sample.numbers or sample.categories:
        models.append(fit(sample))
    sides = fit_sides(sample)
    return (*models, sides) if sides is not None else tuple(models)


def _checks(sample: Sample, first: Floats, second: Floats) -> tuple[Check, ...]:
    normal = [check_normal(repr(g), v) for g, v in zip(sample.groups, (first, second), strict=True)]
    return (*normal, check_spread(first, second))


def _family(
    comparison: Comparison, correlations: tuple[Correlation, ...], sides: Paired | None
) -> tuple[Adjusted, ...]:
    """The questions a study asks: the groups' difference, each column's correlation, left against right.

    A correlation counts adjusted for group: over all patients it largely asks again how the groups differ.
    """
    tests = [("groups (Welch)", comparison.welch.p)]
    tests += [
        (f"{c.column} (Pearson, adjusted for group)", c.r_p)
        for c in correlations
        if c.who == ADJUSTED and not math.isnan(c.r_p)
    ]
    if sides is not None:
        tests.append(("left against right (paired t)", sides.test.p))
    return holm(tests)
