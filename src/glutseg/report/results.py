"""What was made of the run beside it: a study's and an agreement's tables and figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glutseg.agreement import AGREEMENT, rests_on
from glutseg.agreement.write import RECORD as AGREEMENT_JSON
from glutseg.errors import catalogue
from glutseg.output.folder import PROGRAM
from glutseg.output.json_file import read_json
from glutseg.output.text import plain
from glutseg.report.model import FigureView, Section, TableView
from glutseg.report.pictures import figure_picture
from glutseg.study.files import WRITING
from glutseg.study.run_rows import RunRows

MAX_FIGURES = 30
FIGURE_NAME = re.compile(r"(?P<stem>(figures/)?[A-Za-z0-9][A-Za-z0-9_-]{0,80})\.(png|svg)", re.ASCII)
STUDY, STUDY_JSON = "study", "study.json"
"""Where `glutseg study` writes by default."""
STUDY_TITLES = {
    "flow": "Who was compared",
    "groups": "The groups",
    "correlation": "Correlation",
    "sides": "Left against right",
    "profile": "Area around the measured slice",
    "sensitivity": "The comparison under other choices of method",
}
AGREEMENT_TITLES = {
    "bland-altman": "Bland-Altman plot",
    "identity": "One rater against the other",
}
AGREEMENT_CAPTIONS = {
    "bland-altman": "Points: cases; solid line: bias; dashed lines: limits of agreement; bars: 95 % CI.",
    "identity": "Points: sides of cases; dashed line: equality.",
}
AUTOMATIC_STUDY = "This study uses the automatic values: it does not contain the decisions of reviewers."
OLDER_AGREEMENT = "The run or its reviews have changed since: run glutseg agree again."
OLDER_STUDY = "The table has changed since this study was made: run glutseg study again."


def read_record(path: Path) -> dict[str, Any] | None:
    """A JSON record of glutseg, or None where there is none."""
    try:
        if path.is_symlink():
            return None
        content = read_json(path)
    except (OSError, ValueError):
        return None
    is_ours = isinstance(content, dict) and content.get("program") == PROGRAM
    return content if is_ours and content.get("state") != WRITING else None


def agreement_section(out: Path, run: RunRows) -> Section | None:
    """The agreement in ``OUT/agreement``, or None."""
    folder = out / AGREEMENT
    record = read_record(folder / AGREEMENT_JSON)
    if record is None:
        return None
    rows = [row for row in record.get("agreement", []) if isinstance(row, dict) and row.get("n")]
    raters = [plain(str(name)) for name in record.get("raters", [])]
    return Section(
        title="Agreement between raters",
        lines=(f"Raters: {', '.join(raters)}.",),
        warnings=(*_older_agreement(record, run), *_notes(record)),
        tables=tuple(table for table in (_areas(rows), _outlines(rows)) if table.rows),
        figures=figures(folder, record, AGREEMENT_TITLES),
    )


def _older_agreement(record: Mapping[str, Any], run: RunRows) -> tuple[str, ...]:
    rested_on = record.get("run")
    basis = rested_on if isinstance(rested_on, dict) else {}
    fits = basis.get("sha256") == rests_on(run, with_reviewers=bool(basis.get("with_reviewers")))
    return () if fits else (OLDER_AGREEMENT,)


def figures(folder: Path, record: Mapping[str, Any], titles: Mapping[str, str]) -> tuple[FigureView, ...]:
    """The PNG figures that a record names, in its order; ``titles`` by the beginning of their names."""
    listed = record.get("figures") or record.get("files") or []
    names = [str(name) for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    stems = dict.fromkeys(match["stem"] for name in names if (match := FIGURE_NAME.fullmatch(name)))
    order = list(titles)
    ranked = sorted(
        stems, key=lambda stem: order.index(start) if (start := _start(stem, titles)) else len(order)
    )
    found = []
    for stem in ranked[:MAX_FIGURES]:
        title = titles.get(_start(stem, titles)) or stem.rsplit("/", 1)[-1].replace("-", " ").capitalize()
        picture = figure_picture(folder / f"{stem}.png", title)
        if picture is not None:
            found.append(FigureView(title, picture, _caption(record, stem)))
    return tuple(found)


def _caption(record: Mapping[str, Any], stem: str) -> str:
    """What the record says below a figure; empty where it says nothing."""
    captions = record.get("captions")
    text = captions.get(stem.rsplit("/", 1)[-1]) if isinstance(captions, dict) else None
    return (
        plain(text) if isinstance(text, str) else AGREEMENT_CAPTIONS.get(_start(stem, AGREEMENT_CAPTIONS), "")
    )


def _start(stem: str, titles: Mapping[str, str]) -> str:
    """Which of the known kinds a figure is."""
    return next((key for key in titles if stem.rsplit("/", 1)[-1].startswith(key)), "")


def study_section(out: Path, decided_sha256: str, automatic_sha256: str) -> Section | None:
    """The study in ``OUT/study``, or None.

    Parameters
    ----------
    decided_sha256, automatic_sha256 : of what the run's table says now, as reviewers decided and as
        measured: what a study rests on that fits this page
    """
    folder = out / STUDY
    record = read_record(folder / STUDY_JSON)
    if record is None:
        return None
    summary = record.get("summary", [])
    lines = tuple(plain(str(line)) for line in summary) if isinstance(summary, list) else ()
    rested_on = record.get("run")
    sha256 = rested_on.get("sha256") if isinstance(rested_on, dict) else None
    warnings: tuple[str, ...] = ()
    if sha256 != decided_sha256:
        warnings = (AUTOMATIC_STUDY if sha256 == automatic_sha256 else OLDER_STUDY,)
    return Section("Study", lines, warnings, (), figures(folder, record, STUDY_TITLES))


def _areas(rows: Sequence[Mapping[str, Any]]) -> TableView:
    header = ("raters", "quantity", "n", "bias, mm²", "limits of agreement, mm²", "ICC(2,1)", "ICC(3,1)",
              "SEM, mm²", "MDC, mm²")  # fmt: skip
    return TableView(
        "Areas", header, tuple(_area_row(row) for row in rows if row.get("sem_agreement_mm2") is not None)
    )


def _area_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    limits = [figure(row.get(f"limit_{end}_mm2"), "+.0f") for end in ("lower", "upper")]
    return (
        plain(str(row.get("raters", ""))),
        _quantity(row),
        str(row.get("n", "")),
        with_interval(row, "bias", "_mm2", "+.0f"),
        " to ".join(limits) if all(limits) else "",
        with_interval(row, "icc_agreement", "", ".3f"),
        with_interval(row, "icc_consistency", "", ".3f"),
        figure(row.get("sem_agreement_mm2"), ".0f"),
        figure(row.get("mdc_agreement_mm2"), ".0f"),
    )


def _outlines(rows: Sequence[Mapping[str, Any]]) -> TableView:
    header = ("raters", "side", "outlines", "Dice, median (worst)", "95 % Hausdorff, mm", "mean distance, mm")
    return TableView("Outlines on the measured slice", header, tuple(
        (
            plain(str(row.get("raters", ""))),
            _quantity(row),
            str(row["n_outlines"]),
            f"{figure(row.get('dice_median'), '.3f')} ({figure(row.get('dice_min'), '.3f')})",
            figure(row.get("hd95_median_mm"), ".1f"),
            figure(row.get("mean_distance_median_mm"), ".2f"),
        )
        for row in rows if row.get("n_outlines")
    ))  # fmt: skip


def _quantity(row: Mapping[str, Any]) -> str:
    name = plain(str(row.get("quantity", ""))).removeprefix("area_").removesuffix("_mm2")
    return {"mean": "both"}.get(name, name)


def _notes(record: Mapping[str, Any]) -> list[str]:
    notes = record.get("notes", [])
    codes = (
        [str(note.get("code")) for note in notes if isinstance(note, dict)] if isinstance(notes, list) else []
    )
    return [catalogue()[code].meaning for code in dict.fromkeys(codes) if code in catalogue()]


def figure(value: object, form: str) -> str:
    """A number in words, with a true minus; empty where unknown."""
    return format(value, form).replace("-", "−") if isinstance(value, (int, float)) else ""


def with_interval(row: Mapping[str, Any], name: str, unit: str, form: str) -> str:
    """ "value (low to high)"."""
    parts = [figure(row.get(f"{name}{end}{unit}"), form) for end in ("", "_low", "_high")]
    if not parts[0]:
        return ""
    return f"{parts[0]} ({parts[1]} to {parts[2]})" if parts[1] and parts[2] else parts[0]
