"""A rater that is a table of areas, as read off in another program."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from glutseg.agreement.model import QUANTITIES, Case, Quantity, Rater, Reading, missing_cases
from glutseg.agreement.names import case_of
from glutseg.errors import Flag, GlutsegError
from glutseg.measurement import mean_of_sides
from glutseg.measurement.participants import NUMBER
from glutseg.measurement.spreadsheet import read_table
from glutseg.measurement.table_model import Cell, Line

UNITS_MM2 = {"mm2": 1.0, "cm2": 100.0}
"""A unit is part of the column's name; it is never guessed."""
PLAUSIBLE_MM2 = (100.0, 20_000.0)
"""Far beyond any gluteus maximus: outside of it the column's unit is not what its name says."""
ID_COLUMNS = ("case_id", "patient_id", "pseudonym")


def table_rater(name: str, path: Path, cases: Sequence[Case]) -> Rater:
    """Areas from a CSV, TSV or XLSX table.

    Columns: ``case_id`` or ``patient_id`` (or ``pseudonym``), and one or more of ``area_left_mm2``,
    ``area_right_mm2``, ``area_mean_mm2``, or the same with ``_cm2``. Others are left alone.

    Raises
    ------
    GlutsegError
        ``reference-invalid``, with row and column.
    """
    lines = _lines(path)
    header = [cell.text.casefold() for cell in lines[0].cells]
    id_column = next((header.index(c) for c in ID_COLUMNS if c in header), None)
    columns = _area_columns(header, path)
    if id_column is None or not columns:
        wanted = "case_id or patient_id, and area_left_mm2, area_right_mm2 or area_mean_mm2 (or _cm2)"
        raise GlutsegError("reference-invalid", f"the columns are {wanted}", str(path))
    readings: dict[str, Reading] = {}
    rows: dict[str, int] = {}
    strangers = 0
    for line in lines[1:]:
        case = case_of(line.cells[id_column].text, cases, f"{path}, row {line.row}")
        if case is None:
            strangers += 1
            continue
        if case.case_id in rows:
            message = f"rows {rows[case.case_id]} and {line.row} are of the same case"
            raise GlutsegError("reference-invalid", message, str(path))
        rows[case.case_id] = line.row
        areas = _areas_mm2(line, columns, path)
        if areas:
            readings[case.case_id] = Reading(areas)
    if not readings:
        raise GlutsegError("reference-invalid", "no row is of a case of the run", str(path))
    notes = [Flag("agree-case-unknown", f"{name}: {strangers} rows")] if strangers else []
    return Rater(name, readings, notes=(*notes, *missing_cases(name, cases, readings)))


def _lines(path: Path) -> tuple[Line, ...]:
    def is_header(cells: Sequence[str]) -> bool:
        names = [cell.casefold() for cell in cells]
        return not {*ID_COLUMNS}.isdisjoint(names) and bool(_area_columns(names, path))

    try:
        return read_table(path, is_header).lines
    except GlutsegError as error:  # that room speaks of participants
        raise GlutsegError("reference-invalid", error.message, error.where) from error


def _area_columns(header: list[str], path: Path) -> list[tuple[int, Quantity, float, str]]:
    """(column, quantity, factor to mm², name)."""
    found = []
    for quantity in QUANTITIES:
        names = {f"area_{quantity}_{unit}": factor for unit, factor in UNITS_MM2.items()}
        there = [(header.index(n), quantity, factor, n) for n, factor in names.items() if n in header]
        if len(there) > 1 or any(header.count(n) > 1 for n in names):
            raise GlutsegError("reference-invalid", f"area_{quantity} stands twice", str(path))
        found += there
    return found


def _areas_mm2(
    line: Line, columns: list[tuple[int, Quantity, float, str]], path: Path
) -> dict[Quantity, float]:
    areas: dict[Quantity, float] = {}
    for column, quantity, factor, name in columns:
        value = _area_mm2(line.cells[column], factor, f"row {line.row}, column {name!r}", path)
        if value is not None:
            areas[quantity] = value
    mean = mean_of_sides(areas.get("left"), areas.get("right"))
    stated = areas.get("mean")
    if mean is not None and stated is not None and not math.isclose(mean, stated, rel_tol=0.01):
        message = f"row {line.row}: area_mean is {stated:.0f} mm², the sides have a mean of {mean:.0f}"
        raise GlutsegError("reference-invalid", message, str(path))
    return areas if mean is None else areas | {"mean": mean}


def _area_mm2(cell: Cell, factor: float, place: str, path: Path) -> float | None:
    if cell.problem:
        raise GlutsegError("reference-invalid", f"{place} {cell.problem}", str(path))
    if cell.is_unknown:
        return None
    if not NUMBER.fullmatch(cell.text):
        raise GlutsegError("reference-invalid", f"{place} is not a number: {cell.text[:20]!r}", str(path))
    area_mm2 = float(cell.text.replace(",", ".")) * factor
    if not PLAUSIBLE_MM2[0] <= area_mm2 <= PLAUSIBLE_MM2[1]:
        message = f"{place} is {area_mm2:g} mm², no gluteus maximus: is the unit another?"
        raise GlutsegError("reference-invalid", message, str(path))
    return area_mm2
