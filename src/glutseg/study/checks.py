"""What the tests take for granted, whether it holds here, and what many tests mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from glutseg.study.compare import Floats

ALPHA = 0.05
MAX_SHAPIRO = 5000
"""scipy's p is not exact above."""


@dataclass(frozen=True)
class Check:
    """A test of an assumption, and its meaning in plain words."""

    name: str
    about: str
    statistic: float
    p: float
    holds: bool
    meaning: str


@dataclass(frozen=True)
class Adjusted:
    """One of several tests of a study, with Holm's adjusted p."""

    name: str
    p: float
    holm_p: float


def check_normal(about: str, values: Floats) -> Check:
    """Shapiro and Wilk's test of one sample."""
    done = stats.shapiro(values[:MAX_SHAPIRO])
    p = float(done.pvalue)
    if p < ALPHA:
        meaning = (
            f"The values of {about} depart from a normal distribution. With few patients trust "
            "Mann-Whitney's test and Spearman's correlation rather than the t tests and Pearson's; "
            "look for outliers in the figure."
        )
    else:
        meaning = (
            f"No sign that the values of {about} are not normally distributed. "
            "With few patients that is weak evidence: look at the figure."
        )
    return Check("Shapiro-Wilk", about, float(done.statistic), p, p >= ALPHA, meaning)


def check_spread(first: Floats, second: Floats) -> Check:
    """Levene's test about the medians (Brown and Forsythe)."""
    done = stats.levene(first, second, center="median")
    p = float(done.pvalue)
    if p < ALPHA:
        meaning = "The groups differ in spread: read Welch's t test, not Student's."
    else:
        meaning = "No sign that the groups differ in spread. Welch's t test is right either way."
    return Check("Levene (Brown-Forsythe)", "both groups", float(done.statistic), p, p >= ALPHA, meaning)


def holm(tests: Sequence[tuple[str, float]]) -> tuple[Adjusted, ...]:
    """Holm's step-down adjustment of (name, p), in the order given."""
    from statsmodels.stats.multitest import multipletests

    if not tests:
        return ()
    adjusted = multipletests([p for _, p in tests], method="holm")[1]
    return tuple(Adjusted(name, p, float(a)) for (name, p), a in zip(tests, adjusted, strict=True))
