"""Tables as people keep them: other names, units in cells, titles above, several sheets, other programs."""

import datetime as dt
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.errors import GlutsegError
from glutseg.measurement import parse_columns, read_participants
from glutseg.measurement.spreadsheet import ZERO_PADDED
from glutseg.measurement.table_columns import (
    HEIGHTS_IN_M,
    find_height,
    find_id,
    height_columns,
    mapping_option,
)
from glutseg.measurement.table_model import UNKNOWN


@pytest.fixture
def table(tmp_path):
    def write(content):
        path = tmp_path / "p.csv"
        path.write_text(content, encoding="utf-8")
        return path

    return write


def refused(path, columns=None):
    with pytest.raises(GlutsegError, match="participants-invalid") as caught:
        read_participants(path, columns)
    return caught.value.message


def result_of(function, *what):
    try:
        return function(*what), None
    except GlutsegError as error:
        return None, error


def workbook(path, sheets, hidden=(), merged=()):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name in hidden:
            sheet.sheet_state = "hidden"
        for cells in merged:
            sheet.merge_cells(cells)
    book.save(path)
    return path


@pytest.mark.parametrize(
    "name", ["Patient ID", "PatientID", "ID", " patient-id ", "PATIENT_ID", "Patient No."]
)
@pytest.mark.parametrize(
    "height",
    [
        "Height (cm)",
        "Größe [cm]",
        "GRÖSSE in cm",
        "Körpergröße, cm",
        "Body height (centimetres)",
        "Patient size cm",
    ],
)
def test_names_that_people_write(table, name, height):
    rows = read_participants(table(f"Nr;Age;{name};{height};Size (mm)\n1;50;A-1;176;12\n"))
    assert (rows.named_by, rows.unit, rows.of("A-1").height_m) == ("patient_id", "height_cm", 1.76)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Height (in)", "height_in"),
        ("Height [m]", "height_m"),
        ("Stature/mm", "height_mm"),
        ("Taille (cm)", "height_cm"),
        ("Height", "height"),
        ("Height of the table (cm)", None),
        ("Height (cm or m)", None),
        ("Tumor size (mm)", None),
        ("Size (cm)", None),
        ("Heights", None),
    ],
)
def test_the_unit_is_read_from_the_name_or_not_at_all(name, unit):
    assert next(iter(height_columns([name], {})), None) == unit


def test_the_message_has_a_mapping_to_copy(table):
    message = refused(table("Fallnummer;Länge\nA;176\n"))
    assert "the table has 'Fallnummer', 'Länge'" in message
    assert "--participants-columns patient_id=Fallnummer,height_cm=Länge" in message.replace("'", "")
    message = refused(table("Code;Länge (cm)\nA;176\n"), {"patient_id": "Code"})
    assert "'patient_id=Code,height_cm=Länge (cm)'" in message
    message = refused(table("Patient ID;Height\nA;176\nB;181,5\n"))
    assert "'Height' does not say its unit; 176 looks like cm" in message
    assert "height_cm=Height" in message
    message = refused(table("ID;Patient;height_m\nA;A;1.76\n"))
    assert "'ID', 'Patient': each could name the patient" in message
    assert "patient_id=ID" in message


def test_what_the_message_suggests_works(table):
    path = table('"Case, number";Height (cm);Height (m)\nA;176;1,76\n')
    message = refused(path)
    assert mapping_option({"patient_id": "Case, number"}) in message
    message = refused(path, parse_columns("patient_id=Case, number"))
    assert "'Height (cm)', 'Height (m)': only one" in message
    mapping = "patient_id=Case, number,height_m=Height (m)"
    assert mapping_option(parse_columns(mapping)) in message
    assert read_participants(path, parse_columns(mapping)).of("A").height_m == 1.76


@pytest.mark.parametrize("word", sorted(UNKNOWN | {"NA", "N/A", "#N/A", "NaN"}))
def test_words_for_unknown(table, word):
    assert read_participants(table(f"patient_id;height_m\nA;{word}\nB;1,7\n")).of("A").height_m is None


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("height_cm", "176,0 cm"),
        ("height_cm", "176 cm"),
        ("height_cm", "176cm"),
        ("height_m", "1.76 m"),
        ("Height", "1.76 m"),
        ("Height", "176,0 cm"),
        ("Height", "1760 mm"),
        ("Height", '69.29134 "'),
    ],
)
def test_units_in_cells(tmp_path, column, cell):
    path = workbook(tmp_path / "p.xlsx", {"a": [["ID", column], ["A", cell]]})
    assert read_participants(path).of("A").height_m == pytest.approx(1.76)


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("height_cm", "1.76 m", "row 2, column 'height_cm' says '1.76 m', but the column is in cm"),
        ("height_m", "176 cm", "says '176 cm', but the column is in m"),
        ("height_cm", "176 kg", "is not a number: '176 kg'"),
        ("height_cm", "5'9", "is not a number"),
        ("height_cm", "1 m 76", "is not a number"),
        ("height_cm", "about 176", "is not a number"),
        ("Height", "176", "does not say its unit"),
    ],
)
def test_units_that_disagree(table, column, cell, message):
    assert message in refused(table(f"ID;{column}\nA;{cell}\n"))


def test_one_cell_without_a_unit_is_enough_to_ask(table):
    assert "does not say its unit; 181 looks like cm" in refused(table("ID;Height\nA;176 cm\nB;181\n"))


def test_a_title_merged_cells_and_blank_rows_above_the_header(tmp_path):
    rows = [["Participants of the study", None, None], [], ["as of", dt.date(2024, 5, 3)], []]
    rows += [["Patient ID", "Sex", "Height (cm)"], ["A", "F", 163], [], ["B", "M", "n/a"], [None, "mean"]]
    path = workbook(tmp_path / "p.xlsx", {"a": rows}, merged=["A1:C1"])
    found = read_participants(path)
    assert [(r.key, r.height_m, r.row) for r in found.rows.values()] == [("A", 1.63, 6), ("B", None, 8)]


@pytest.mark.parametrize(
    "content", ["Clinic, ward 3, 2024\n\nID;Height (cm)\nA;163,5\n", "sep=;\nID;height_cm\nA;163,5\n"]
)
def test_a_title_above_a_csv_table_does_not_choose_the_separator(table, content):
    assert read_participants(table(content)).of("A").height_m == 1.635


def test_empty_cells_beyond_the_header_are_no_columns(table):
    assert read_participants(table("ID;height_m;;\nA;1,7;;\n")).of("A").height_m == 1.7
    assert "row 2 has 3 cells, the header has 2" in refused(table("ID,height_m\nA,1,70\n"))


def test_of_several_sheets_the_one_with_ids_and_heights_is_read(tmp_path):
    sheets = {
        "Legend": [["F", "female"], ["M", "male"]],
        "Visits": [["Patient ID", "visits"], ["A", 3]],
        "Patients": [["Patient ID", "Height (cm)"], ["A", 163]],
        "Old": [["Patient ID", "Height (cm)"], ["A", 171]],
        "Empty": [["Patient ID", "Height (cm)"]],
    }
    path = workbook(tmp_path / "p.xlsx", sheets, hidden=["Old"])
    found = read_participants(path)
    assert (found.of("A").height_m, found.source) == (1.63, f"{path}#Patients")
    assert read_participants(tmp_path / "p.xlsx#Old").of("A").height_m == 1.71


def test_two_sheets_that_fit_are_named(tmp_path):
    rows = [["Patient ID", "Height (cm)"], ["A", 163]]
    path = workbook(tmp_path / "p.xlsx", {"Women": rows, "Men": rows})
    message = refused(path)
    assert "'Women', 'Men'" in message
    assert "'p.xlsx#Women'" in message
    assert read_participants(tmp_path / "p.xlsx#Men").of("A").height_m == 1.63
    assert "no sheet 'Children'" in refused(tmp_path / "p.xlsx#Children")
    assert "no row below" in refused(workbook(path, {"Women": rows[:1], "Men": rows[:1]}))
    assert "the file is empty" in refused(workbook(path, {"Women": []}))


def test_no_sheet_fits(tmp_path):
    path = workbook(tmp_path / "p.xlsx", {"One": [["Name", "Age"], ["A", 5]], "Two": [["x"], [1]]})
    assert "the table has 'Name', 'Age'" in refused(path)


def test_a_column_whose_name_is_a_mark_is_no_other_mark(table):
    assert "none of the columns '%'" in refused(table("#;height_m\nA;1,7\n"), {"patient_id": "%"})


def test_a_file_may_have_a_cross_in_its_name(tmp_path):
    path = tmp_path / "p#1.csv"
    path.write_text("patient_id,height_m\nA,1.7\n")
    assert read_participants(path).of("A").height_m == 1.7
    assert "only a workbook has sheets" in refused(tmp_path / "p#1.csv#Sheet1")
    assert "cannot be read" in refused(tmp_path / "none.xlsx#Sheet1")
    assert "folder" in refused(tmp_path)


@pytest.mark.parametrize(
    ("number_format", "shown"),
    [
        ("00000", "00123"),
        ('"P-"0000', "P-0123"),
        ('0000"/A"', "0123/A"),
        ("00000;-00000", "00123"),
        ("0", "123"),
        ("General", "123"),
        ("#,##0", "123"),
    ],
)
def test_numbers_are_read_as_the_sheet_shows_them(tmp_path, number_format, shown):
    path = workbook(tmp_path / "p.xlsx", {"a": [["ID", "height_m"], [123, 1.7]]})
    book = openpyxl.load_workbook(path)
    book.active["A2"].number_format = number_format
    book.save(path)
    assert list(read_participants(path).rows) == [shown]


@pytest.mark.parametrize(
    ("member", "word"),
    [
        ("Index/Document.iwa", "Numbers"),
        ("content.xml", "OpenDocument"),
        ("xl/workbook.bin", ".xlsb"),
        ("word/document.xml", "text document"),
    ],
)
def test_documents_of_other_programs_are_named(tmp_path, member, word):
    path = tmp_path / "p.numbers"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "x")
    assert word in refused(path)


def test_old_and_encrypted_workbooks_are_told_apart(tmp_path):
    path = tmp_path / "p.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0 an old workbook")
    assert ".xls file of an old version" in refused(path)
    path.write_bytes(b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"))
    assert "password" in refused(path)


def test_a_patient_with_several_rows_of_one_height(table):
    found = read_participants(table("ID;height_m;visit\nA;;1\nA;1,7;2\nA;1,7;3\n"))
    assert (found.of("A").height_m, found.of("A").row) == (1.7, 3)


names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)


@given(
    st.text(min_size=0, max_size=300) | st.lists(st.text(';,\t"\n ab1.7'), max_size=6).map("\n".join),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_text_is_a_table_or_a_user_error(tmp_path_factory, content, encoding):
    path = tmp_path_factory.mktemp("any") / "p.csv"
    path.write_bytes(("patient_id;height_m\n" + content).encode(encoding, "surrogatepass"))
    found, error = result_of(read_participants, path)
    assert error is None or error.code == "participants-invalid"
    assert found is None or all(key and row.key == key for key, row in found.rows.items())


@given(
    st.integers(500, 2500), st.sampled_from(sorted(HEIGHTS_IN_M)), st.booleans(), st.sampled_from(["", " "])
)
def test_a_height_is_the_same_however_it_is_written(tmp_path_factory, height_mm, name, comma, blank):
    factor = HEIGHTS_IN_M[name]
    text = f"{height_mm / 1000 / factor:.9f}"
    unit = {"height_m": "m", "height_cm": "cm", "height_mm": "mm", "height_in": "inches"}[name]
    path = tmp_path_factory.mktemp("one") / "p.csv"
    cell = text.replace(".", ",") if comma else text
    for header, value in ((name, cell), (f"Height ({unit})", cell), ("Height", f"{cell}{blank}{unit}")):
        path.write_text(f"ID;{header}\nA;{value}\n", encoding="utf-8")
        assert read_participants(path).of("A").height_m == pytest.approx(height_mm / 1000, abs=1e-8)


@given(st.dictionaries(st.sampled_from(("patient_id", "height_cm")), names, min_size=1))
def test_a_suggested_mapping_is_read_back(columns):
    mapping = ",".join(f"{name}={column}" for name, column in columns.items())
    if "=" not in "".join(columns.values()) and not any(c.endswith(",") for c in columns.values()):
        assert parse_columns(mapping) == columns


@given(st.lists(names, max_size=6))
def test_columns_are_found_or_refused(header):
    for find in (find_id, find_height):
        found, error = result_of(find, header, {}, "p.csv")
        assert error is None or "--participants-columns" in error.message
        assert found is None or 0 <= found[1] < len(header)


def test_the_format_of_dates_and_percents_pads_nothing():
    assert not any(ZERO_PADDED.fullmatch(text) for text in ("0.00", "0%", "dd/mm/yyyy", "0 0"))
