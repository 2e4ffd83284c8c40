"""osirix.csv: every ROI with OsiriX's figures beside glutseg's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from glutseg.exchange.osirix import Reading
from glutseg.exchange.terms import Term
from glutseg.output.atomic import write_text
from glutseg.output.case_files import to_json
from glutseg.output.columns import Column
from glutseg.output.documents import Sections, columns_table
from glutseg.output.tables import to_csv

OSIRIX_CSV = "osirix.csv"
Line = tuple[Reading, Term | None]

READINGS: list[Column[Line]] = [
    Column("roi_name", "", "as it was called in OsiriX", lambda line: line[0].roi.name),
    Column(
        "roi_type", "", "closed polygon, pencil, brush, oval or rectangle", lambda line: line[0].roi.kind_name
    ),
    Column(
        "image_number", "", "position in OsiriX's viewer, from 0", lambda line: line[0].roi.image_number, int
    ),
    Column(
        "slice_index", "", "from 0 in the order of the mask's file", lambda line: line[0].slice_index, int
    ),
    Column("z_mm", "mm", "patient z of the slice", lambda line: line[0].z_mm, float),
    Column(
        "muscle",
        "",
        "muscle that it was assigned to; empty: it is not in the mask",
        lambda line: line[1].muscle if line[1] else "",
    ),
    Column("side", "", "the patient's", lambda line: line[1].side if line[1] else ""),
    Column("osirix_area_mm2", "mm²", "as OsiriX read it out", lambda line: line[0].osirix_area_mm2, float),
    Column(
        "line_area_mm2",
        "mm²",
        "within the outline through the ROI's points",
        lambda line: line[0].line_area_mm2,
        float,
    ),
    Column(
        "area_mm2",
        "mm²",
        "pixels with their centre inside, times the pixel area",
        lambda line: line[0].area_mm2,
        float,
    ),
    Column(
        "polygon_area_mm2",
        "mm²",
        "within the outline of those pixels",
        lambda line: line[0].polygon_area_mm2,
        float,
    ),
    Column(
        "outline",
        "",
        "`polygon`: straight between the points; `spline`: only a curve explains OsiriX's area",
        lambda line: line[0].outline,
    ),
    Column("osirix_mean_hu", "HU", "as OsiriX read it out", lambda line: line[0].osirix_mean_hu, float),
    Column("mean_hu", "HU", "of the pixels with their centre inside", lambda line: line[0].mean_hu, float),
    Column(
        "discrepancy",
        "",
        "where the figures of the two programs differ",
        lambda line: "; ".join(line[0].discrepancies),
    ),
]
"""Of osirix.csv."""

EXCHANGE_PAGES: dict[str, Sections] = {"how-to/osirix.md": {"readings": lambda: columns_table(READINGS)}}


def lines_of(found: Sequence[Reading], terms: dict[Term, list[Reading]]) -> list[Line]:
    """Each reading with what it was taken for."""
    taken = {id(reading): term for term, readings in terms.items() for reading in readings}
    return [(reading, taken.get(id(reading))) for reading in found]


def write_readings(out: Path, lines: Sequence[Line]) -> None:
    """Write osirix.csv.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    write_text(out / OSIRIX_CSV, to_csv(READINGS, list(lines)))


def readings_json(lines: Sequence[Line]) -> str:
    """The lines as ASCII JSON, unknown figures null: keys are the columns of osirix.csv."""
    cells = [{column.name: column.value(line) for column in READINGS} for line in lines]
    return json.dumps(to_json({"rois": cells}), indent=1, allow_nan=False)
