"""Write sample_dicom/participants.xlsx: a table as people keep them, of the two synthetic patients.

A title, a merged cell and a blank row above the header, a unit in a cell, a decimal comma, a patient without
images, an unknown height, a mean below the table, a second sheet and a hidden one.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import openpyxl
from openpyxl.styles import Font

FILE = Path(__file__).resolve().parents[1] / "sample_dicom" / "participants.xlsx"
HEADER = ("No.", "Patient ID", "Sex", "Age (years)", "Height (cm)", "Group", "Visits", "Remark")
ROWS = (
    (1, "PHANTOM-0001", "F", 54, "163,0 cm", "back-pain", 4, None),
    (2, "PHANTOM-0002", "M", 71, 176, "control", 0, "measured twice"),
    (3, "PHANTOM-0003", "F", 49, "n/a", "control", "-", "CT is to follow"),
)
LEGEND = (("Sex", "F female, M male"), ("Visits", "for back pain, in the year before the CT"))
OLD = (("Patient ID", "Height (cm)"), ("PHANTOM-0001", 159))
WRITTEN = datetime(2024, 1, 1)  # noqa: DTZ001 - a workbook keeps no time zone


def workbook() -> openpyxl.Workbook:
    """The workbook, with nothing in it that differs between two calls."""
    book = openpyxl.Workbook()
    book.properties.created = book.properties.modified = WRITTEN
    sheet = book.active
    sheet.title = "Patients"
    sheet.append(("Gluteus study: participants (synthetic)",))
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(HEADER))
    sheet.append(("as of", WRITTEN.date()))
    sheet.append(())
    for row in (HEADER, *ROWS):
        sheet.append(row)
    sheet.append((None, None, None, "Mean", 169.5))
    for name, rows in (("Legend", LEGEND), ("Old", OLD)):
        other = book.create_sheet(name)
        for row in rows:
            other.append(row)
    book["Old"].sheet_state = "hidden"
    return book


if __name__ == "__main__":
    workbook().save(FILE)
