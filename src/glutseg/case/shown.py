"""A case in a line of text and as a small HTML table, for terminals and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from glutseg.errors import Flag
from glutseg.output.text import plain
from glutseg.result import CaseResult, Level, MuscleResult

UNKNOWN = "–"
HEADINGS = ("muscle", "side", "area mm²", "lean mm²", "fat mm²", "mean HU", "90 % bound", "flags")
MAX_TEXT = 200


def case_line(result: CaseResult) -> str:
    """Case, status, areas at the level, flags; one line."""
    parts = [result.case_id or "image", result.status]
    if result.error_code:
        parts.append(f"{result.error_code}: {result.error_message}")
    parts += [areas_line(result.muscles, result.level), flags_line(result.all_flags)]
    return plain("; ".join(part for part in parts if part), 2 * MAX_TEXT)


def areas_line(muscles: Sequence[MuscleResult], level: Level | None) -> str:
    """The areas of every muscle and side at the level."""
    areas = [
        f"{record.muscle} {record.side} "
        f"{figure(None if record.measurement is None else record.measurement.area_mm2)} mm²"
        for record in muscles
    ]
    where = f" at {level.name} (z = {level.z_mm:.1f} mm)" if level and areas else ""
    return ", ".join(areas) + where


def flags_line(flags: Sequence[Flag]) -> str:
    """The codes of the flags."""
    return "flags: " + ", ".join(dict.fromkeys(map(str, flags))) if flags else "no flags"


def case_html(result: CaseResult) -> str:
    """The same with a row per muscle and side; texts from DICOM are escaped."""
    return f"<p>{cell(case_line(result))}</p>{muscles_html(result.muscles)}"


def muscles_html(muscles: Sequence[MuscleResult]) -> str:
    """A table with a row per muscle and side; nothing where there is none."""
    return table_html(HEADINGS, [_cells(record) for record in muscles]) if muscles else ""


def table_html(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; every text is escaped."""
    head = "".join(f"<th>{cell(text)}</th>" for text in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell(text)}</td>' for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def cell(text: str) -> str:
    """A text without control characters, escaped for HTML."""
    return escape(plain(text, 2 * MAX_TEXT))


def figure(value: float | None, decimals: int = 0) -> str:
    """A number, or a dash where it is unknown."""
    return UNKNOWN if value is None else f"{value:.{decimals}f}"


def _cells(record: MuscleResult) -> list[str]:
    m = record.measurement
    figures = (None,) * 4 if m is None else (m.area_mm2, m.lean_area_mm2, m.imat_area_mm2, m.mean_hu)
    flags = ", ".join(flag.code for flag in record.flags)
    return [record.muscle, record.side, *map(figure, figures), _bound(record), flags]


def _bound(record: MuscleResult) -> str:
    bound = record.error_bound_percent
    return UNKNOWN if bound is None else f"± {bound:.0f} %"
