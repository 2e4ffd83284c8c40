import pytest

from glutseg.errors import GlutsegError
from glutseg.measurement import Participant, read_participants


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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("id,height_m\na,1.7\n", "patient_id"),
        ("patient_id\na\n", "height_m"),
        ("patient_id,height_m,height_cm\na,1.7,170\n", "one of"),
        ("patient_id,height_m,height_m\na,1.7,1.7\n", "twice"),
        ("patient_id,height_m\na,1.7\nb,1.6\na,1.8\n", "rows 2 and 4"),
        ("patient_id,height_m\na,1.7\na,1.7\n", "rows 2 and 3"),
        ("patient_id,height_m\na,tall\n", "row 2"),
        ("patient_id,height_m\na,nan\n", "row 2"),
        ("patient_id,height_m\na,1.7,extra\n", "row 2"),
        ("patient_id,height_m\n,1.7\n", "row 2"),
        ('patient_id,height_m\n"a,1.7\n', "not valid CSV"),
        (b"patient_id,height_m\n\xff,1.7\n", "UTF-8"),
    ],
)
def test_bad_tables_name_the_row(table, content, message):
    with pytest.raises(GlutsegError, match="participants-invalid") as caught:
        read_participants(table(content))
    assert message in caught.value.message


def test_missing_file_is_a_user_error(tmp_path):
    with pytest.raises(GlutsegError, match="participants-invalid"):
        read_participants(tmp_path / "none.csv")
