import unicodedata

import pytest

from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError
from glutseg.measurement import Participant, Unmatched, parse_columns, read_participants, unmatched


@pytest.fixture
def table(tmp_path):
    def write(content, encoding="utf-8"):
        path = tmp_path / "participants.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        "patient_id,height_m\n0012,1.73\n",
        "patient_id;height_m\n0012;1,73\n",
        "patient_id\theight_m\r\n0012\t1.73\r\n",
        "sex,Height_M , Patient_ID\nF,1.73, 0012 \n\n",
        'patient_id,height_m\n0012,"1,73"\n',
        "patient_id,height_cm\n0012,173\n",
    ],
)
def test_usual_forms_are_read(table, content):
    rows = read_participants(table(content))
    assert rows.of(" 0012 ") == Participant("0012", 1.73, 2)
    assert rows.of("12") is None


def test_byte_order_mark_and_empty_heights(table):
    rows = read_participants(table("patient_id,height_m\nä,\n", "utf-8-sig"))
    assert rows.of("ä") == Participant("ä", None, 2)


def test_heights_that_were_computed_have_many_digits(table):
    assert 1.60 + 0.03 == 1.6300000000000001
    rows = read_participants(table("patient_id,height_m\na,1.6300000000000001\n"))
    assert rows.of("a") == Participant("a", 1.63, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("name,height_m\na,1.7\n", "patient_id"),
        ("patient_id\na\n", "height_m"),
        ("patient_id,height_m,height_cm\na,1.7,170\n", "only one"),
        ("patient_id,height_m,height_m\na,1.7,1.7\n", "only one"),
        ("patient_id,patient_id,height_m\na,a,1.7\n", "each could name the patient"),
        ("patient_id,height_m\n", "no row below"),
        ("patient_id,height_m\n,n/a\n", "no row below"),
        ("patient_id,height_m\na,1.7\nb,1.6\na,1.8\n", "rows 2 and 4"),
        ("patient_id,height_m\na,\na,1.7\na,1.8\n", "rows 3 and 4"),
        ("patient_id,height_m\na,tall\n", "row 2"),
        ("patient_id,height_m\na,1.7,extra\n", "row 2"),
        ("patient_id,height_m\n,1.7\n", "row 2"),
        ('patient_id,height_m\n"a,1.7\n', "not valid CSV"),
        (b"patient_id,height_m\n\x81,1.7\n", "UTF-8"),
        (b"patient_id,height_m\na\0,1.7\n", "UTF-8"),
        ("<html><table><tr><td>patient_id</td></tr></table></html>", "web page"),
    ],
)
def test_bad_tables_name_the_row(table, content, message):
    with pytest.raises(GlutsegError, match="participants-invalid") as caught:
        read_participants(table(content))
    assert message in caught.value.message


def test_missing_file_is_a_user_error(tmp_path):
    with pytest.raises(GlutsegError, match="participants-invalid"):
        read_participants(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("unit", "value"),
    [("height_m", "1.778"), ("height_cm", "177.8"), ("height_mm", "1778"), ("height_in", "70")],
)
def test_every_unit_is_stated_by_its_column(table, unit, value):
    assert read_participants(table(f"patient_id,{unit}\na,{value}\n")).of("a").height_m == 1.778


def test_columns_of_other_names_are_named_by_a_mapping(table):
    content = "Fallnummer;Größe;height_m\na;173;9\n"
    columns = parse_columns("patient_id=fallnummer, height_cm = Größe")
    assert columns == {"patient_id": "fallnummer", "height_cm": "Größe"}
    assert read_participants(table(content), columns).of("a") == Participant("a", 1.73, 2)


def test_a_mapping_of_one_column_leaves_the_other_to_its_name(table):
    found = read_participants(table("patient_id,Size\na,173\n"), {"height_cm": "Size"})
    assert found.of("a").height_m == 1.73


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("height_cm", "NAME=COLUMN"),
        ("height_cm=", "NAME=COLUMN"),
        ("size=Größe", "'size' is none of the names"),
        ("height_cm=a,height_cm=b", "twice"),
        ("height_cm=Größe", "none of the columns 'Größe'"),
        ("height_cm=height_m,height_m=height_m", "only one"),
    ],
)
def test_bad_mappings_say_what_is_known(table, columns, message):
    with pytest.raises(GlutsegError, match="participants-invalid") as caught:
        read_participants(table("patient_id,height_m\na,1.7\n"), parse_columns(columns))
    assert message in caught.value.message


def test_pseudonyms_and_case_ids_name_patients_too(table):
    by_pseudonym = read_participants(table("pseudonym,height_m\nps-1,1.7\n"))
    assert by_pseudonym.of("ps-1", "ps-1-abc").height_m == 1.7
    by_case = read_participants(table("case_id,height_m\nps-1-abc,1.7\n"))
    assert by_case.of("ps-1", "ps-1-abc").height_m == 1.7
    assert by_case.of("ps-1-abc", "other") is None
    both = read_participants(table("case_id,patient_id,height_m\nx,a,1.7\n"))
    assert both.named_by == "patient_id"


def test_ids_are_cleaned_as_those_of_the_images(table):
    rows = read_participants(table("patient_id,height_m\nA  1,1.7\n"))
    assert rows.of(clean_text("A\u200b \t1")).height_m == 1.7


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_umlaut_of_one_character_or_of_two_is_the_same(table, form):
    rows = read_participants(table(unicodedata.normalize(form, "patient_id,height_m\nMüller-1,1.7\n")))
    for other in ("NFC", "NFD"):
        assert rows.of(clean_text(unicodedata.normalize(other, "Müller-1")), "").height_m == 1.7


def test_who_is_missing_where(table):
    rows = read_participants(table("patient_id,height_m\nb,1.7\nd,\na,1.7\n"))
    assert unmatched(rows, [("a", "1"), ("c", "2"), ("c", "3"), ("", "4")]) == Unmatched(
        ("b", "d"), ("", "c")
    )
