"""The files of an agreement: tables for people, JSON for programs, figures."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from glutseg.agreement.model import Agreement, Comparison, Pair
from glutseg.agreement.statistics import Interval
from glutseg.errors import Flag
from glutseg.output.folder import PROGRAM
from glutseg.output.text import plain
from glutseg.study.files import check_folder, csv_bytes, json_bytes, write_files
from glutseg.version import __version__

RECORD = "agreement.json"
PAIRS_CSV = "pairs.csv"
SUMMARY_CSV = "agreement.csv"
NAMES = (PAIRS_CSV, SUMMARY_CSV)
DEFINITIONS = {
    "dice": "twice the shared pixels / the sum of both, on the first rater's measured slice",
    "hd95_mm": "larger of the two directed 95th percentiles of the distances between surface pixels' middles",
    "mean_distance_mm": "mean of the two directed mean distances between surface pixels' middles",
    "volume": "the same in three dimensions, over the slices that both raters worked on (n_slices)",
    "limits": "bias -/+ 1.96 SD of the differences, second rater minus first; exact intervals (Carkeet 2015)",
    "icc_agreement": "ICC(2,1), two-way random, absolute agreement, single reading (McGraw and Wong 1996)",
    "icc_consistency": "ICC(3,1), two-way mixed, consistency, single reading (McGraw and Wong 1996)",
    "sem": "standard error of measurement: root of the variance between raters and of the rest (agreement), "
    "or of the rest alone (consistency)",
    "mdc": "minimal detectable change of one patient, 1.96 x sqrt(2) x SEM",
    "bound": "90 % bound of the difference: root of the sum of the squares of the raters' expected errors; a "
    "person's reading and a table have none",
    "within_bound_percent": "of the n_bounds sides with a bound, those that differ by no more than it; 90 is "
    "expected where the expected errors are right and the other rater makes none",
    "intervals": "95 % confidence",
}
"""What the figures are; also part of agreement.json."""


def check(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that must not be written to: `glutseg.study.files.check_folder`."""
    check_folder(folder, RECORD, NAMES, overwrite=overwrite)


def write(folder: Path, agreement: Agreement, run: Mapping[str, Any]) -> tuple[str, ...]:
    """Write everything, the record last; the names of the files.

    Parameters
    ----------
    run : what of the run it rests on

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    from glutseg.agreement.figures import figure_files  # what an agreement says must not need what draws it

    figures = figure_files(agreement)
    pairs = [pair_row(pair) for pair in agreement.pairs]
    summary = [summary_row(comparison, agreement.pairs) for comparison in agreement.comparisons]
    files = {PAIRS_CSV: csv_bytes(pairs, tuple(pairs[0])), SUMMARY_CSV: csv_bytes(summary), **figures}
    files[RECORD] = json_bytes(
        {
            "program": PROGRAM,
            "glutseg_version": __version__,
            "run": run,
            "raters": [plain(name) for name in agreement.raters],
            "cases": agreement.n_cases,
            "definitions": DEFINITIONS,
            "agreement": summary,
            "notes": [_note(flag) for flag in agreement.notes],
            "figures": sorted(name for name in figures if name.endswith(".svg")),
            "files": sorted(files),
        }
    )
    write_files(folder, RECORD, files)
    return tuple(sorted(files))


def pair_row(pair: Pair) -> dict[str, object]:
    """A row of pairs.csv."""
    within = pair.is_within_bound
    row: dict[str, object] = {
        "first": pair.first,
        "second": pair.second,
        "case_id": pair.case.case_id,
        "patient_id": pair.case.patient_id,
        "side": pair.side,
        "area_first_mm2": pair.area_first_mm2,
        "area_second_mm2": pair.area_second_mm2,
        "difference_mm2": pair.difference_mm2,
        "bound_mm2": pair.bound_mm2,
        "within_bound": None if within is None else "yes" if within else "no",
        "level_difference_mm": pair.level_difference_mm,
    }
    for suffix, found in (("", pair.on_slice), ("_volume", pair.in_volume)):
        row[f"dice{suffix}"] = None if found is None else found.dice
        row[f"hd95{suffix}_mm"] = None if found is None else found.hd95_mm
        row[f"mean_distance{suffix}_mm"] = None if found is None else found.mean_distance_mm
    row["n_slices"] = pair.n_slices
    row["notes"] = " ".join(dict.fromkeys(str(flag) for flag in pair.notes))
    return row


def summary_row(comparison: Comparison, pairs: Sequence[Pair]) -> dict[str, object]:
    """A row of agreement.csv."""
    limits, reliable = comparison.limits, comparison.reliability
    row: dict[str, object] = {
        "raters": " | ".join(plain(name) for name in comparison.raters),
        "n_raters": len(comparison.raters),
        "quantity": f"area_{comparison.quantity}_mm2",
        "n": comparison.n,
        "mean_mm2": comparison.mean_mm2,
    }
    for name in ("bias", "lower", "upper"):
        interval = None if limits is None else getattr(limits, name)
        row |= _interval(name if name == "bias" else f"limit_{name}", interval, "_mm2")
    row["sd_of_differences_mm2"] = None if limits is None else limits.sd
    row["slope_of_differences"] = None if limits is None else limits.slope
    row["slope_p"] = None if limits is None else limits.slope_p
    for name in ("icc_agreement", "icc_consistency"):
        row |= _interval(name, None if reliable is None else getattr(reliable, name))
    for name in ("sem_agreement", "sem_consistency", "mdc_agreement", "mdc_consistency"):
        value = None if reliable is None else float(getattr(reliable, name))
        row[f"{name}_mm2"] = value
        row[f"{name}_percent"] = _percent(value, comparison.mean_mm2)
    row |= _within_bounds(comparison, pairs)
    row |= _overlaps(comparison, pairs)
    row["notes"] = " ".join(dict.fromkeys(str(flag) for flag in comparison.notes))
    return row


def _within_bounds(comparison: Comparison, pairs: Sequence[Pair]) -> dict[str, object]:
    """How often the areas differ by no more than the expected errors say; of both sides beside the mean."""
    known = [within for pair in _ours(comparison, pairs) if (within := pair.is_within_bound) is not None]
    share = _percent(float(sum(known)), float(len(known)))
    return {"n_bounds": len(known), "within_bound_percent": share}


def _ours(comparison: Comparison, pairs: Sequence[Pair]) -> list[Pair]:
    """Of these two raters; of both sides beside the mean."""
    wanted = ("left", "right") if comparison.quantity == "mean" else (comparison.quantity,)
    return [p for p in pairs if (p.first, p.second) == comparison.raters and p.side in wanted]


def _overlaps(comparison: Comparison, pairs: Sequence[Pair]) -> dict[str, object]:
    """Median and worst over the cases of a pair of raters; of both sides together beside the mean."""
    ours = _ours(comparison, pairs)
    kinds: tuple[tuple[str, Callable[[Pair], Any]], ...] = (
        ("", lambda p: p.on_slice),
        ("_volume", lambda p: p.in_volume),
    )
    row: dict[str, object] = {}
    for suffix, get in kinds:
        found = [one for pair in ours if (one := get(pair)) is not None]
        row[f"n_outlines{suffix}"] = len(found)
        dice = [one.dice for one in found]
        row |= {f"dice{suffix}_median": _median(dice), f"dice{suffix}_min": min(dice, default=None)}
        for name in ("hd95_mm", "mean_distance_mm"):
            values = [v for one in found if (v := getattr(one, name)) is not None]
            stem = f"{name.removesuffix('_mm')}{suffix}"
            row |= {f"{stem}_median_mm": _median(values), f"{stem}_max_mm": max(values, default=None)}
    return row


def _percent(value: float | None, of: float | None) -> float | None:
    return None if value is None or not of else 100 * value / of


def _median(values: Iterable[float]) -> float | None:
    known = list(values)
    return statistics.median(known) if known else None


def _interval(name: str, interval: Interval | None, unit: str = "") -> dict[str, object]:
    parts = {"": "value", "_low": "low", "_high": "high"}
    return {f"{name}{end}{unit}": interval and getattr(interval, attr) for end, attr in parts.items()}


def _note(flag: Flag) -> dict[str, str]:
    return {"code": flag.code, "message": plain(flag.message), "meaning": flag.meaning}
