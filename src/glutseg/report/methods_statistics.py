"""Sentences of the methods paragraph about statistics and agreement, from what these commands recorded."""

from __future__ import annotations

from pathlib import PurePath

from glutseg.output.text import plain
from glutseg.report.citations import STUDY_METHODS
from glutseg.report.counted import counted, joined
from glutseg.report.records import AgreementRecord, AgreementRow, StudyRecord

NOT_INDEPENDENT = "agree-not-independent"
MOST_PAIRS = 3
"""Pairs of raters whose figures are given; the table of the report has all of them."""
MAX_NAME = 60
LIBRARIES = {"scipy": "SciPy", "statsmodels": "statsmodels"}


def study_sentences(study: StudyRecord | None) -> list[str]:
    """Which comparisons, tests, adjustments and software; nothing of what they found."""
    if study is None:
        return []
    sentences = [*_compared(study), *_modelled(study)]
    n_tests = len(study.multiple_testing.tests)
    text = "Tests were two-sided with a significance level of 0.05"
    if n_tests > 1:
        text += (
            f"; p values adjusted by Holm’s method (Holm, 1979) for the {n_tests} tests are given in addition"
        )
    sentences.append(f"{text}.")
    n_others = len(study.sensitivity.outcomes) - 1
    if n_others > 0:
        sentences.append(
            "As a sensitivity analysis the comparison of the groups was repeated with "
            f"{counted(n_others, 'other choice')} of area, side, height index, level or cases."
        )
    software = [
        f"{name} {plain(study.libraries[key], 20)}"
        for key, name in LIBRARIES.items()
        if key in study.libraries
    ]
    sentences.append(
        f"Statistics were calculated with glutseg{f' ({joined(software)})' if software else ''}."
    )
    return sentences


def _compared(study: StudyRecord) -> list[str]:
    first, second = (f"“{plain(group, MAX_NAME)}”" for group in study.groups)
    method = plain(study.comparison.mann_whitney.method, MAX_NAME)
    resampled = ""
    if study.bootstrap is not None and "BCa" in methods_used(study):
        resampled = (
            f"; bootstrap intervals ({_cited('BCa')}) from {study.bootstrap.resamples} resamples within the "
            "groups are given in addition"
        )
    sentences = [
        f"The groups {first} (n = {study.comparison.n_first}) and {second} (n = {study.comparison.n_second}) "
        f"were compared for {_value(study.value.words)} with Welch’s t test; Student’s t test and the "
        f"Mann–Whitney test{f' ({method})' if method else ''} were calculated in addition. The effect size "
        f"is Hedges g (Hedges, 1981); intervals are 95% confidence intervals{resampled}."
    ]
    if study.question.correlates:
        columns = joined([plain(name, MAX_NAME) for name in study.question.correlates])
        sentences.append(
            f"Correlations with {columns} were calculated as Pearson’s r and Spearman’s ρ over all patients "
            "and within each group, and as Pearson’s r adjusted for group."
        )
    return sentences


def _modelled(study: StudyRecord) -> list[str]:
    used, sentences = methods_used(study), []
    if study.question.covariates:
        columns = joined([plain(name, MAX_NAME) for name in study.question.covariates])
        hc3 = f"; standard errors that allow for unequal variances ({_cited('HC3')}) are given in addition"
        sentences.append(
            f"The difference between the groups was adjusted for {columns} in a linear model (ordinary least "
            f"squares){hc3 if 'HC3' in used else ''}."
        )
    if study.sides is not None:
        sentences.append("The left and the right side were compared with a paired t test.")
    if "CR2" in used:
        sentences.append(
            "A linear model of both sides has standard errors that allow for two values of each patient "
            f"({_cited('CR2')})."
        )
    return sentences


def _cited(name: str) -> str:
    return f"{name}; {STUDY_METHODS[name][0]}"


def methods_used(study: StudyRecord | None) -> tuple[str, ...]:
    """Which of `STUDY_METHODS` a study used; one of an earlier version only what it says itself."""
    if study is None:
        return ()
    errors = {model.name: model.errors for model in study.models}
    used = {
        "BCa": study.bootstrap is not None and not study.bootstrap.note,
        "HC3": "HC3" in errors.get("group and covariates", ""),
        "CR2": "CR2" in errors.get("sides", ""),
    }
    return tuple(name for name, is_used in used.items() if is_used)


def _value(words: str) -> str:
    """The figure compared as part of a sentence: "gluteus maximus area / height, mean of both sides"."""
    return plain(words, 120).replace(" / height", " divided by height", 1).replace(", mean", " (mean", 1) + (
        ")" if ", mean" in words else ""
    )


def agreement_sentences(record: AgreementRecord | None) -> list[str]:
    """How agreement was assessed and, for up to three pairs of raters, how far they agree."""
    pairs = [] if record is None else _pairs(record)
    if record is None or not pairs:
        return []
    outlines = any(row.n_outlines for row in pairs)
    dice = ", and of outlines as the Dice coefficient and the 95th percentile of the Hausdorff distance"
    names = joined(list(dict.fromkeys(_rater(name) for row in pairs for name in row.raters.split(" | "))))
    sentences = [
        f"Agreement between {names} was assessed as bias with 95% limits of agreement (Bland and Altman, "
        "1999) and the intraclass correlation coefficient for absolute agreement of single readings, "
        f"ICC(2,1) (McGraw and Wong, 1996){dice if outlines else ''}."
    ]
    sentences += [_figures(row, is_only=len(pairs) == 1) for row in pairs[:MOST_PAIRS]]
    if any(note.code == NOT_INDEPENDENT for note in record.notes):
        sentences.append(
            "The reviewers worked on the automatic outlines, so their readings are not independent of these."
        )
    return sentences


def _pairs(record: AgreementRecord) -> list[AgreementRow]:
    """One row per pair of raters that share cases: of the mean of both sides where there is one."""
    rows = [row for row in record.agreement if row.n_raters == 2 and row.n and row.bias_mm2 is not None]
    found: dict[str, AgreementRow] = {}
    for row in rows:
        if row.raters not in found or row.quantity == "area_mean_mm2":
            found[row.raters] = row
    return list(found.values())


def _rater(name: str) -> str:
    if name == "automatic":
        return "the automatic measurement"
    if name.startswith("reviewer:"):
        return f"reviewer {plain(name.removeprefix('reviewer:'), MAX_NAME)}"
    return f"“{plain(PurePath(name).name, MAX_NAME)}”"


def _figures(row: AgreementRow, *, is_only: bool) -> str:
    side = row.quantity.removeprefix("area_").removesuffix("_mm2")
    what = "the mean of both sides" if side == "mean" else f"the {side} side"
    text = f"For {what}"
    if not is_only:
        first, second = (_rater(name) for name in row.raters.split(" | ", 1))
        text += f", {second} against {first}"
    text += f" (n = {row.n}), the bias was {_signed(row.bias_mm2)} mm²"
    if row.limit_lower_mm2 is not None and row.limit_upper_mm2 is not None:
        ends = f"{_signed(row.limit_lower_mm2)} to {_signed(row.limit_upper_mm2)}"
        text += f" (95% limits of agreement, {ends} mm²)"
    if row.icc_agreement is not None:
        text += f" and ICC(2,1) was {row.icc_agreement:.3f}"
        if row.icc_agreement_low is not None and row.icc_agreement_high is not None:
            text += f" (95% CI, {_signed(row.icc_agreement_low, 3)} to {_signed(row.icc_agreement_high, 3)})"
    if row.n_outlines and row.dice_median is not None and row.dice_min is not None:
        text += f"; the median Dice coefficient was {row.dice_median:.3f} (lowest, {row.dice_min:.3f})"
    return f"{text}."


def _signed(value: float | None, decimals: int = 0) -> str:
    return "" if value is None else f"{value:.{decimals}f}".replace("-", "−")
