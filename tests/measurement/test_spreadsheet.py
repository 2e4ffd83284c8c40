import datetime as dt
import io
import zipfile

import openpyxl
import pytest

from glutseg.errors import GlutsegError
from glutseg.measurement import Participant, read_participants


@pytest.fixture
def workbook(tmp_path):
    """Write rows to the first sheet; formats by cell name."""

    def write(rows, formats=None, name="p.xlsx"):
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        for cell, number_format in (formats or {}).items():
            book.active[cell].number_format = number_format
        book.create_sheet("other").append(["patient_id", "height_m"])  # no row below: never meant
        book.save(tmp_path / name)
        return tmp_path / name

    return write


def zipped(path, edit):
    """The archive with every member's bytes passed through ``edit(name, content)``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, edit(member, old.read(member)))
    path.write_bytes(buffer.getvalue())
    return path


def test_numbers_and_texts_are_read_as_the_sheet_shows_them(workbook):
    rows = [["Patient_ID", "sex", "height_m"], ["0012", "F", 1.73], [7, "M", "1,80"], [12, None, 2]]
    table = read_participants(workbook(rows, {"A3": "0000"}))
    assert table.rows == {
        "0012": Participant("0012", 1.73, 2),
        "0007": Participant("0007", 1.8, 3),
        "12": Participant("12", 2.0, 4),
    }


def test_blank_rows_and_short_rows_and_notes_beside_the_table(workbook):
    rows = [[], ["patient_id", "height_cm"], ["a", 173], [], ["b"], ["c", 180, "a note"], [None, None]]
    table = read_participants(workbook(rows))
    assert [(r.key, r.height_m, r.row) for r in table.rows.values()] == [
        ("a", 1.73, 3),
        ("b", None, 5),
        ("c", 1.8, 6),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["a", dt.date(1905, 6, 24)], "row 2, column 'height_m' is a date"),
        ([dt.datetime(2020, 1, 2), 1.7], "row 2, column 'patient_id' is a date"),
        (["a", True], "row 2, column 'height_m' is true or false"),
        (["a", "#REF!"], "row 2, column 'height_m' holds a spreadsheet's error"),
        (["#N/A", 1.7], "row 2, column 'patient_id' is empty"),
        (["a", "=B1*2"], "row 2, column 'height_m' is a formula without a stored result"),
        ([1234567890123456789, 1.7], "more than 15 digits"),
        (["a", "tall"], "row 2, column 'height_m' is not a number"),
        ([None, 1.7], "row 2, column 'patient_id' is empty"),
    ],
)
def test_cells_that_mean_something_else_are_refused(workbook, row, message):
    with pytest.raises(GlutsegError, match="participants-invalid") as caught:
        read_participants(workbook([["patient_id", "height_m"], row]))
    assert message in caught.value.message


def test_a_formulas_stored_result_counts(workbook):
    path = workbook([["patient_id", "height_m"], ["a", "=1.5+0.2"]])
    stored = lambda _, content: content.replace(b"<v></v>", b"<v>1.7</v>").replace(b"<v />", b"<v>1.7</v>")  # noqa: E731
    assert read_participants(zipped(path, stored)).of("a").height_m == 1.7


def test_workbooks_that_unpack_to_too_much_are_refused(workbook, monkeypatch):
    path = workbook([["patient_id", "height_m"], ["a", 1.7]])
    monkeypatch.setattr("glutseg.measurement.spreadsheet.MAX_UNZIPPED_BYTES", 1000)
    with pytest.raises(GlutsegError, match="unpacks"):
        read_participants(path)


def test_a_sheet_that_lies_about_its_size_costs_nothing(workbook):
    path = workbook([["patient_id", "height_m"], ["a", 1.7]])

    def lie(name, content):
        if not name.endswith("sheet1.xml"):
            return content
        content = content.replace(b'ref="A1:B2"', b'ref="A1:XFD1048576"')
        return content.replace(b"</sheetData>", b'<row r="99999999999"/></sheetData>')

    with pytest.raises(GlutsegError, match="more than 200000 rows"):
        read_participants(zipped(path, lie))


@pytest.mark.parametrize("broken", [b"PK\x03\x04 nonsense", b"\xd0\xcf\x11\xe0 old", b"\x00\x01\x02"])
def test_what_is_no_workbook_is_a_user_error(tmp_path, broken):
    (tmp_path / "p.xlsx").write_bytes(broken)
    with pytest.raises(GlutsegError, match="participants-invalid"):
        read_participants(tmp_path / "p.xlsx")


@pytest.mark.parametrize("member", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"])
@pytest.mark.parametrize("content", [b"", b"<x>", b"\xff\xff", b"<a/>"])
def test_broken_parts_are_a_user_error(workbook, member, content):
    path = workbook([["patient_id", "height_m"], ["a", 1.7]])
    with pytest.raises(GlutsegError, match="participants-invalid"):
        read_participants(zipped(path, lambda name, old: content if name == member else old))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_with_and_without_its_mark(tmp_path, encoding):
    path = tmp_path / "p.csv"
    path.write_bytes("patient_id;height_m\nÄ;1,73\n".encode(encoding))
    assert read_participants(path).of("Ä") == Participant("Ä", 1.73, 2)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_what_is_not_unicode_is_of_windows(tmp_path, encoding):
    path = tmp_path / "p.csv"
    path.write_bytes("patient_id;Größe [cm]\nÄ;173\n".encode(encoding))
    assert read_participants(path).of("Ä") == Participant("Ä", 1.73, 2)


def test_utf_16_needs_its_mark(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes("patient_id;height_m\nA;1,73\n".encode("utf-16-le"))
    with pytest.raises(GlutsegError, match="known encoding"):
        read_participants(path)
