"""An agreement in a few lines of plain words."""

from __future__ import annotations

from collections.abc import Iterator

from glutseg.agreement.model import Agreement, Comparison
from glutseg.agreement.statistics import Interval
from glutseg.agreement.write import summary_row


def in_words(agreement: Agreement) -> list[str]:
    """Lines for a terminal, of the mean of both sides where it is known; rater names are plain text."""
    lines: list[str] = []
    for group in dict.fromkeys(c.raters for c in agreement.comparisons):
        ours = [c for c in agreement.comparisons if c.raters == group and c.n]
        if ours:
            shown = next((c for c in ours if c.quantity == "mean"), ours[0])
            lines += _comparison(shown, agreement)
    mentioned = {flag.code for comparison in agreement.comparisons for flag in comparison.notes}
    rest = [flag for flag in agreement.notes if flag.code not in mentioned]
    lines += [f"note: {flag.message}: {flag.meaning}" for flag in rest]
    per_pair = {str(flag) for pair in agreement.pairs for flag in pair.notes}
    if per_pair:
        lines.append(f"note: more in pairs.csv: {', '.join(sorted(per_pair))}")
    return lines


def _comparison(comparison: Comparison, agreement: Agreement) -> Iterator[str]:
    which = "mean of both sides" if comparison.quantity == "mean" else f"{comparison.quantity} side"
    cases = "1 case" if comparison.n == 1 else f"{comparison.n} cases"
    yield f"{' | '.join(comparison.raters)}: {cases}, {which}"
    row = summary_row(comparison, agreement.pairs)
    if row["n_outlines"]:
        yield (
            f"  outlines: Dice median {row['dice_median']:.3f}, worst {row['dice_min']:.3f}; "
            f"95 % Hausdorff median {row['hd95_median_mm']:.1f} mm; "
            f"mean surface distance median {row['mean_distance_median_mm']:.2f} mm"
        )
    limits, reliable = comparison.limits, comparison.reliability
    if limits is not None:
        yield (
            f"  areas: bias {_signed(limits.bias)} mm²; "
            f"limits of agreement {_signed(limits.lower)} and {_signed(limits.upper)} mm²"
        )
    if row["n_bounds"]:
        yield (
            f"  {row['within_bound_percent']:.0f} % of {row['n_bounds']} sides differ by no more than "
            "the expected error (90 % bound)"
        )
    if reliable is not None:
        icc = [_icc(i) for i in (reliable.icc_agreement, reliable.icc_consistency)]
        yield (
            f"  ICC(2,1) {icc[0]}, ICC(3,1) {icc[1]}; SEM {reliable.sem_agreement:.0f} mm², "
            f"minimal detectable change {reliable.mdc_agreement:.0f} mm²"
        )
    for flag in comparison.notes:
        yield f"  {flag}{': ' + flag.message if flag.message else ''}. {flag.meaning}"


def _signed(interval: Interval) -> str:
    return f"{interval.value:+.0f} ({interval.low:+.0f} to {interval.high:+.0f})".replace("-", "−")


def _icc(interval: Interval) -> str:
    if interval.value != interval.value:  # NaN: not defined
        return "-"
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"
