"""A study as files: study.json, tables as CSV, figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from glutseg.output.folder import PROGRAM
from glutseg.study.analysis import Study
from glutseg.study.captions import as_page, captions
from glutseg.study.context import DISCLAIMER
from glutseg.study.effects import Test
from glutseg.study.files import check_folder, csv_bytes, json_bytes, write_files
from glutseg.study.flow import Count, Flow
from glutseg.study.plots import draw, figure_files
from glutseg.study.power import CAVEAT
from glutseg.study.sensitivity import Outcome
from glutseg.study.words import HOLM_NOTE, summary
from glutseg.version import __version__

STUDY_JSON = "study.json"
TABLES = (
    "flow.csv", "summaries.csv", "counts.csv", "tests.csv", "correlations.csv", "models.csv",
    "sensitivity.csv", "combinations.csv", "profile_by_group.csv", "unmatched.csv", "patients.csv",
    "context.csv",
)  # fmt: skip
FIGURES = "figures"
CAPTIONS = f"{FIGURES}/captions.md"
LIBRARIES = ("numpy", "scipy", "statsmodels", "pandas", "matplotlib")

Line = dict[str, Any]


def check_study_folder(folder: Path, *, overwrite: bool = False) -> None:
    """Refuse a folder that a study must not be written to.

    Raises
    ------
    GlutsegError
        ``output-exists``, ``output-foreign``.
    """
    check_folder(folder, STUDY_JSON, (*TABLES, FIGURES), overwrite=overwrite)


def write_study(folder: Path, study: Study, *, overwrite: bool = False) -> tuple[str, ...]:
    """Write a study; everything is made before the first file is written.

    Returns
    -------
    tuple of str
        The files' names below ``folder``.

    Raises
    ------
    GlutsegError
        ``output-exists``, ``output-foreign``, ``output-unwritable``.
    """
    check_study_folder(folder, overwrite=overwrite)
    files = {name: csv_bytes(rows, columns) for name, (rows, columns) in _tables(study).items()}
    figures = draw(study)
    texts = captions(study, figures)
    files |= figure_files(figures) | {CAPTIONS: as_page(texts)}
    files[STUDY_JSON] = json_bytes(study_json(study) | {"captions": texts, "files": sorted(files)})
    write_files(folder, STUDY_JSON, files)
    return tuple(sorted(files))


def study_json(study: Study) -> dict[str, Any]:
    """Everything a study found as JSON values; differences are first group − second group."""
    value, run = study.sample.value, study.run
    return {
        "program": PROGRAM,
        "glutseg_version": __version__,
        "libraries": {name: version(name) for name in LIBRARIES},
        "run": {"version": run.version, "protocol": run.protocol.name, "sha256": run.sha256},
        "participants": {"named_by": study.table.named_by, "sha256": study.table.sha256},
        "question": asdict(study.question),
        "value": {"name": value.name, "unit": value.unit, "words": value.words},
        "groups": list(study.sample.groups),
        "summary": list(summary(study)),
        "joined": _joined(study),
        "flow": asdict(study.flow),
        "summaries": [asdict(s) for s in study.summaries],
        "counts": study.counts,
        "comparison": asdict(study.comparison),
        "bootstrap": asdict(study.bootstrap),
        "corrected_for_measurement_error": asdict(study.without_error),
        "correlations": [asdict(c) for c in study.correlations],
        "models": [asdict(m) for m in study.models],
        "sides": None if study.sides is None else asdict(study.sides),
        "checks": [asdict(c) for c in study.checks],
        "multiple_testing": {"note": HOLM_NOTE, "tests": [asdict(a) for a in study.family]},
        "power": {**asdict(study.power), "caveat": CAVEAT},
        "sensitivity": {
            "verdict": study.sensitivity.verdict,
            "same_sign": study.sensitivity.same_sign,
            "significant": study.sensitivity.significant,
            "combinations": len(study.sensitivity.grid),
            "outcomes": [_outcome(o) for o in study.sensitivity.outcomes],
        },
        "profiles": {"unit": study.profile_unit, "bands": [asdict(b) for b in study.profiles]},
        "context": {"note": DISCLAIMER, "published": [asdict(p) for p in study.context]},
    }


def _joined(study: Study) -> Line:
    j, sample = study.join, study.sample
    return {
        "compared": len(sample.frame),
        "without_value": [str(k) for k in sample.frame.loc[sample.frame["value"].isna(), "case_id"]],
        "only_in_table": list(j.only_table),
        "only_in_run": list(j.only_run),
        "failed": list(j.failed),
        "excluded": list(j.excluded),
        "not_done": list(j.waiting),
        "without_group": list(sample.no_group),
        "other_groups": dict(sample.other_groups),
        "exclusion_reasons": dict(j.exclusion_reasons),
    }


def _tables(study: Study) -> dict[str, tuple[Sequence[Mapping[str, object]], Sequence[str]]]:
    rows: dict[str, list[Line]] = {
        "flow.csv": _flow(study.flow),
        "summaries.csv": [asdict(s) for s in study.summaries],
        "counts.csv": _counts(study),
        "tests.csv": _tests(study),
        "correlations.csv": [_flat(asdict(c)) for c in study.correlations],
        "models.csv": [
            {"model": m.name, "errors": m.errors, "n": m.n, "patients": m.n_patients} | _flat(asdict(t))
            for m in study.models
            for t in m.terms
        ],
        "sensitivity.csv": [_outcome(o) for o in study.sensitivity.outcomes],
        "combinations.csv": [_outcome(o) for o in study.sensitivity.grid],
        "profile_by_group.csv": [
            {"group": b.group, "offset_mm": o, "n": n, "mean": m, "ci_low": low, "ci_high": high}
            for b in study.profiles
            for o, n, m, low, high in zip(b.offset_mm, b.n, b.mean, b.low, b.high, strict=True)
        ],
        "unmatched.csv": [
            {"why": why, "who": who}
            for why, people in _joined(study).items()
            if isinstance(people, list)
            for who in people
        ],
        "patients.csv": _patients(study),
        "context.csv": [asdict(p) for p in study.context],
    }
    empty = {
        "counts.csv": ("column", "group", "word", "n"),
        "correlations.csv": ("column", "who", "n"),
        "unmatched.csv": ("why", "who"),
        "profile_by_group.csv": ("group", "offset_mm", "n", "mean", "ci_low", "ci_high"),
    }
    return {name: (rows[name], empty.get(name, ()) if not rows[name] else ()) for name in TABLES}


def _flow(flow: Flow) -> list[Line]:
    """The flow diagram's numbers, from above to below; a reason belongs to the row above it."""

    def line(step: str, n: int, words: str = "", reason: str = "", group: str = "") -> Line:
        return {"step": step, "group": group, "words": words, "reason": reason, "n": n}

    def lines(step: str, counts: Sequence[Count], group: str = "") -> list[Line]:
        return [
            one
            for c in counts
            for one in (
                line(step, c.n, c.words, group=group),
                *(line(step, n, c.words, reason, group) for reason, n in c.reasons),
            )
        ]

    rows = [line("in the run", flow.studies), line("only in the participants table", flow.only_table)]
    rows += [*lines("left out", flow.not_measured), line("measured", flow.measured)]
    rows += lines("left out", flow.not_of_groups)
    for arm in flow.arms:
        rows += [line("in the group", arm.n, group=arm.group), *lines("left out", arm.left_out, arm.group)]
        rows += [
            line("compared", arm.compared, group=arm.group),
            *lines("reviewed", arm.reviews, arm.group),
        ]
    return rows


def _patients(study: Study) -> list[Line]:
    """The sample as it went into the statistics, so that anybody can do them again."""
    frame = study.sample.frame
    return [dict(zip(frame.columns, cells, strict=True)) for cells in frame.itertuples(index=False)]


def _counts(study: Study) -> list[Line]:
    return [
        {"column": column, "group": group, "word": word, "n": n}
        for column, groups in study.counts.items()
        for group, words in groups.items()
        for word, n in words.items()
    ]


def _tests(study: Study) -> list[Line]:
    """Every test in one table, with what it compares."""
    c, groups = study.comparison, " − ".join(study.sample.groups)
    holm = {a.name: a.holm_p for a in study.family}
    rows = [
        _test("Student's t", groups, c.student) | {"hedges_g": c.effect.hedges_g}
        | {"hedges_g_ci_low": c.effect.hedges_g_ci.low, "hedges_g_ci_high": c.effect.hedges_g_ci.high},
        _test("Welch's t", groups, c.welch) | {"holm_p": holm["groups (Welch)"]},
        {"test": "Mann-Whitney U", "compares": groups, "statistic": c.mann_whitney.u, "p": c.mann_whitney.p,
         "method": c.mann_whitney.method},
    ]  # fmt: skip
    corrected = study.without_error
    rows.insert(1, {
        "test": "Student's t, g corrected for measurement error", "compares": groups,
        "hedges_g": corrected.hedges_g, "hedges_g_ci_low": corrected.hedges_g_ci.low,
        "hedges_g_ci_high": corrected.hedges_g_ci.high, "reliability": corrected.reliability,
        "meaning": corrected.note,
    })  # fmt: skip
    resampled = study.bootstrap
    rows.append({
        "test": "bootstrap (BCa)", "compares": groups, "difference": c.welch.difference,
        "ci_low": resampled.difference_ci.low, "ci_high": resampled.difference_ci.high,
        "hedges_g": c.effect.hedges_g, "hedges_g_ci_low": resampled.hedges_g_ci.low,
        "hedges_g_ci_high": resampled.hedges_g_ci.high, "meaning": resampled.note,
        "method": f"{resampled.resamples} resamples, seed {resampled.seed}",
    })  # fmt: skip
    if study.sides is not None:
        paired = {"holm_p": holm["left against right (paired t)"]}
        rows.append(_test("paired t", "left − right", study.sides.test) | paired)
        rows.append({
            "test": "Wilcoxon signed rank", "compares": "left − right", "p": study.sides.wilcoxon_p,
            "method": study.sides.wilcoxon_method,
        })  # fmt: skip
    rows += [
        {"test": k.name, "compares": k.about, "statistic": k.statistic, "p": k.p, "meaning": k.meaning}
        for k in study.checks
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name) for name in names} for row in rows]


def _test(name: str, compares: str, test: Test) -> Line:
    return {
        "test": name,
        "compares": compares,
        "statistic": test.statistic,
        "df": test.df,
        "p": test.p,
        "difference": test.difference,
        "ci_low": test.ci.low,
        "ci_high": test.ci.high,
    }


def _outcome(outcome: Outcome) -> Line:
    choice = outcome.choice
    flat = _flat({k: v for k, v in asdict(outcome).items() if k != "choice"})
    columns = {"about": choice.about, "choice": choice.words, "value": choice.value.name}
    level = getattr(choice.value, "level", "")
    return columns | {"level": level, "unit": choice.value.unit, "only_ok": choice.only_ok} | flat


def _flat(line: Line) -> Line:
    """Intervals as two cells."""
    flat: Line = {}
    for name, cell in line.items():
        if isinstance(cell, dict):
            flat |= {f"{name}_{end}" if name != "ci" else f"ci_{end}": v for end, v in cell.items()}
        else:
            flat[name] = cell
    return flat
