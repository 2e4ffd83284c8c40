"""Results in plain words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from glutseg.study.correlate import ADJUSTED
from glutseg.study.model import INTERCEPT

if TYPE_CHECKING:
    from glutseg.study.analysis import Study
    from glutseg.study.effects import Interval
    from glutseg.study.model import LinearModel, Term
    from glutseg.study.values import Value

SMALLEST_P = 0.001


def p_words(p: float) -> str:
    """``p = 0.017``, ``p < 0.001``, ``p > 0.999``: three decimals, wherever a person reads a p value."""
    if p < SMALLEST_P:
        return f"p < {SMALLEST_P}"
    return f"p > {1 - SMALLEST_P}" if p > 1 - SMALLEST_P else f"p = {p:.3f}"


def number(value: float, decimals: int = 2) -> str:
    """With a typographic minus; a dash where unknown."""
    return f"{value:.{decimals}f}".replace("-", "−") if math.isfinite(value) else "–"


HOLM_NOTE = (
    "Several hypotheses are tested in the same patients, and each test gives a false positive one time in "
    "twenty. Holm's adjusted p keeps the chance of any false positive among these tests below 5 %. If one "
    "hypothesis was fixed before the data were seen, use its unadjusted p. The sensitivity table repeats the "
    "same comparison and is not counted."
)


def summary(study: Study) -> tuple[str, ...]:
    """What the study found, as sentences of plain text."""
    found = (*_who(study), *_difference(study), *_correlated(study), *_sides(study))
    return (*found, study.sensitivity.verdict, *_context(study))


def _who(study: Study) -> tuple[str, ...]:
    c, (first, second) = study.comparison, study.sample.groups
    missing = len(study.sample.frame) - c.n_first - c.n_second
    lacking = {
        "in the table without a study in the run": len(study.join.only_table),
        "in the run without a row in the table": len(study.join.only_run),
        "not measured": len(study.join.failed),
        "excluded by a reviewer": len(study.join.excluded),
        "without a group": len(study.sample.no_group),
        f"without {study.sample.value.name}": missing,
        "of the run not done yet": len(study.join.waiting),
        "of other groups": sum(n for _, n in study.sample.other_groups),
    }
    missing_words = [f"{n} {why}" for why, n in lacking.items() if n]
    compared = f"{c.n_first + c.n_second} patients: {c.n_first} {first}, {c.n_second} {second}."
    lost = f"Not compared: {'; '.join(missing_words)}." if missing_words else ""
    return tuple(sentence for sentence in (compared, lost, study.join.exclusion_words) if sentence)


def _difference(study: Study) -> tuple[str, ...]:
    c, value = study.comparison, study.sample.value
    first, second = study.sample.groups
    by_group = {s.group: s for s in study.summaries if s.name == value.name}
    digits = study.decimals
    means = " and ".join(
        f"{number(by_group[g].mean, digits)} ± {number(by_group[g].sd, digits)} {value.unit} ({g})"
        for g in (first, second)
    )
    effect = c.effect
    sentences = [
        f"{titled(value)}: {means}, mean ± SD; {first} − {second}: "
        f"{number(c.welch.difference, digits)} {value.unit} ({number(c.percent, 1)} %), "
        f"95 % CI {ends(c.welch.ci, digits)}; Welch t({c.welch.df:.1f}) = {number(c.welch.statistic)}, "
        f"{p_words(c.welch.p)}; Student t({c.student.df:.0f}) = {number(c.student.statistic)}, "
        f"{p_words(c.student.p)}; Mann-Whitney {p_words(c.mann_whitney.p)} "
        f"({c.mann_whitney.method}); Hedges g "
        f"{number(effect.hedges_g)} (95 % CI {ends(effect.hedges_g_ci)})."
    ]
    sentences += [*_resampled(study, digits), *_corrected(study, digits)]
    adjusted = next((m for m in study.models if m.name == "group and covariates"), None)
    if adjusted is not None:
        term = adjusted.terms[1]
        columns = ", ".join((*study.sample.numbers, *study.sample.categories))
        sentences.append(
            f"Adjusted for {columns}, {first} − {second}: {number(term.estimate, digits)} {value.unit} "
            f"(95 % CI {ends(term.ci, digits)}), {p_words(term.p)}, n = {adjusted.n_patients}"
            f"{_robust(term, digits)}."
        )
        sentences += _uncertain(adjusted)
    return tuple(sentences)


def _robust(term: Term, digits: int) -> str:
    """The same with errors that need no equal spreads; nothing where there are none."""
    if term.note:
        return ""
    ci = ends(term.robust_ci, digits)
    return f"; with robust errors (HC3) 95 % CI {ci}, {p_words(term.robust_p)}"


def _uncertain(model: LinearModel) -> tuple[str, ...]:
    """What in a model cannot be told apart, or rests on one patient."""
    together: dict[frozenset[str], str] = {}  # a pair is found from both sides
    for c in model.collinear:
        names = (c.column, *c.others)
        together.setdefault(frozenset(names), f"{' and '.join(names)} ({c.vif:.0f})")
    lone = [term.name for term in model.terms if term.note and term.name != INTERCEPT]
    told = []
    if together:
        told.append(
            "Columns of the model that nearly say the same (variance inflation): "
            f"{'; '.join(together.values())}. What each does alone is uncertain: leave out what repeats "
            "another."
        )
    if lone:
        told.append(f"Rests on one patient alone, so without a robust error: {', '.join(lone)}.")
    return tuple(told)


def _resampled(study: Study, digits: int) -> tuple[str, ...]:
    """Beside the intervals of the t tests; nothing where there are none."""
    b, unit = study.bootstrap, study.sample.value.unit
    if b.note:
        return ()
    return (
        f"By bootstrap (BCa, {b.resamples} resamples, seed {b.seed}): difference, 95 % CI "
        f"{ends(b.difference_ci, digits)} {unit}; Hedges g, 95 % CI {ends(b.hedges_g_ci)}.",
    )


def _corrected(study: Study, digits: int) -> tuple[str, ...]:
    """Beside the plain effect; nothing where no error is known."""
    e, unit = study.without_error, study.sample.value.unit
    if not e.n_known:
        return ()
    lacking = f", unknown in {e.n_unknown} of {e.n_known + e.n_unknown} patients" if e.n_unknown else ""
    known = f"The expected error of measurement has an SD of {number(e.error_sd, digits)} {unit}{lacking}"
    if not math.isfinite(e.reliability):
        return (f"{known}; g cannot be corrected for it: {e.note}.",)
    return (
        f"{known} (reliability {number(e.reliability)}); corrected for it, Hedges g would be "
        f"{number(e.hedges_g)} (95 % CI {ends(e.hedges_g_ci)}).",
    )


def titled(value: Value) -> str:
    """What was compared, at the beginning of a sentence; the name of a column stays as it is."""
    words = value.words
    return words if words == value.name else f"{words[:1].upper()}{words[1:]}"


def ends(interval: Interval, decimals: int = 2) -> str:
    """Both ends of an interval: ``161 to 570``."""
    return f"{number(interval.low, decimals)} to {number(interval.high, decimals)}"


def _correlated(study: Study) -> tuple[str, ...]:
    sentences = []
    for column in study.sample.correlates:
        every = [c for c in study.correlations if c.column == column and not math.isnan(c.r)]
        found = [
            f"r = {number(c.r)} (95 % CI {ends(c.r_ci)}, {p_words(c.r_p)}, n = {c.n}) in {_who_words(c.who)}"
            for c in every
        ]
        sentences.append(f"Correlation with {column}: {'; '.join(found) or 'cannot be computed'}.")
    return tuple(sentences)


def _who_words(who: str) -> str:
    """Whom a correlation is of: a group's name stays as it is."""
    return {"all": "all patients", ADJUSTED: "all patients, adjusted for group"}.get(who, who)


def _context(study: Study) -> tuple[str, ...]:
    """How large the muscles are, beside what others published: no judgement of anybody."""
    areas = [s for s in study.summaries if s.name.endswith("_mm2") and s.name.startswith("area_mean")]
    published = [p for p in study.context if p.quantity == "area" and p.sd is not None]
    if not areas or not published:
        return ()
    ours = ", ".join(f"{s.mean:.0f} ± {s.sd:.0f} mm² ({s.group})" for s in areas)
    theirs = "; ".join(f"{p.mean:.0f} ± {p.sd:.0f} mm² in {p.who}, {p.how} ({p.source})" for p in published)
    return (
        f"For context only, never to judge a patient: mean area of both sides {ours}; published: {theirs}. "
        "Level and method differ; more in context.csv.",
    )


def _sides(study: Study) -> tuple[str, ...]:
    if study.sides is None:
        return ()
    s = study.sides
    return (
        f"Left − right: {number(s.percent, 1)} % of the mean (paired t test, {p_words(s.test.p)}); within "
        f"a patient the sides differ by {s.absolute_percent:.1f} % on average.",
    )
