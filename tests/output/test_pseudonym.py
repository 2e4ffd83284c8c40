import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg import dicom
from glutseg.errors import GlutsegError
from glutseg.measurement import Participant, Participants, believe_height, read_participants
from glutseg.output.case_id import case_id
from glutseg.output.pseudonym import Pseudonymiser, pseudonymiser
from glutseg.result import CaseResult

ONE, OTHER = Pseudonymiser(bytes(32)), Pseudonymiser(bytes([1] * 32))


@given(st.text(min_size=1))
def test_a_patient_is_one_word_per_key(patient_id):
    word = ONE.patient(patient_id)
    assert re.fullmatch("ps-[0-9a-f]{16}", word)
    assert word == Pseudonymiser(bytes(32)).patient(patient_id)
    assert word != OTHER.patient(patient_id)


@given(st.text(min_size=1, max_size=64))
def test_uids_are_valid_and_apart(uid):
    assert re.fullmatch(r"2\.25\.[1-9][0-9]{20,38}", ONE.uid(uid))
    assert ONE.uid(uid) != ONE.uid(uid + "1")
    assert ONE.uid(uid) != OTHER.uid(uid)


def test_pseudonyms_never_change_between_versions():
    assert ONE.patient("a") == "ps-5374fbf479007ad2"
    assert ONE.uid("1.2.3") == "2.25.234032717547690472970576977991635673441"


def test_what_is_not_there_stays_so_and_the_key_is_not_shown():
    assert (ONE.patient(""), ONE.uid("")) == ("", "")
    assert "00" not in repr(ONE)
    assert ONE.check != OTHER.check


def test_tables_of_ids_and_of_pseudonyms_both_match():
    word = ONE.patient("a")
    by_id = ONE.participants(Participants({"a": Participant("a", 1.7, 2)}, source="/jane/p.csv"))
    by_word = ONE.participants(Participants({word: Participant(word, 1.7, 2)}, "pseudonym"))
    case = case_id(word, ONE.uid("1.2"))
    by_case = ONE.participants(Participants({case: Participant(case, 1.7, 2)}, "case_id"))
    assert by_id.of(word).height_m == by_word.of(word).height_m == by_case.of(word, case).height_m == 1.7
    assert "jane" not in by_id.source
    foreign = ONE.participants(Participants({"DOE": Participant("DOE", 1.7, 2)}, "pseudonym"))
    assert "DOE" not in str(foreign)


def test_a_table_is_not_found_again_by_guessing_its_rows(tmp_path):
    """Its digest was that of the file, and one of ids and heights is tried in no time."""
    path = tmp_path / "p.csv"
    path.write_text("patient_id,height_m\nMRN4711,1.75\n", encoding="utf-8")
    table = read_participants(path)
    written, again, other = (one.participants(table).sha256 for one in (ONE, ONE, OTHER))
    assert written == again
    assert len({written, other, table.sha256, ONE.digest(table.sha256)}) == 4


@pytest.mark.parametrize(("height_m", "code"), [(1.75, "height-conflict"), (175.0, "height-implausible")])
def test_messages_about_a_height_do_not_name_its_row(height_m, code):
    row = Participant("MRN4711", height_m, row=4711)
    (flag,) = believe_height(
        ONE.participants(Participants({"MRN4711": row})).of(ONE.patient("MRN4711")), "1.60"
    )[1]
    assert flag.code == code
    assert "row" not in flag.message
    assert "row 4711" in believe_height(row, "1.60")[1][0].message


def test_what_a_message_quotes_is_not_shown():
    study = dicom.Study("", "", "", "", ())
    result = CaseResult("c", "p", "", "", "failed", error_code="labels-unknown")
    message = """the file has 1 'Jane\\'s "left"', 2 "Doe's", 3 ''; the patient's own"""
    shown = ONE.reworded(replace(result, error_message=message), study).error_message
    assert shown == "the file has 1 (not shown), 2 (not shown), 3 (not shown); the patient's own"


def test_the_key_is_written_once_and_for_its_owner_only(tmp_path):
    path = tmp_path / "new" / "key"
    first = pseudonymiser(path, tmp_path / "out")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert re.fullmatch("[0-9a-f]{64}\n", path.read_text())
    assert pseudonymiser(path, tmp_path / "out") == first
    assert pseudonymiser(tmp_path / "second", tmp_path / "out") != first


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 64, b"0" * 63, b"0" * 65, b"a,b\n"])
def test_what_is_no_key_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(GlutsegError, match="key-invalid"):
        pseudonymiser(path, tmp_path / "out")
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["out/key", "out/deep/key", "other/../out/key", "link/key"])
def test_the_key_never_lies_beside_what_it_protects(tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "out")
    with pytest.raises(GlutsegError, match="key-invalid"):
        pseudonymiser(tmp_path / name, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
    with pytest.raises(GlutsegError, match="key-invalid"):
        pseudonymiser(Path("/dev/null/key"), tmp_path / "out")
