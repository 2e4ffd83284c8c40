import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.output.case_id import case_id


@pytest.mark.parametrize(
    ("patient_id", "start"),
    [
        ("PHANTOM-0001", "PHANTOM-0001-"),
        ("../../etc/passwd", "etc_passwd-"),
        ("", "unknown-"),
        ("<script>", "script-"),
        ("=HYPERLINK(1)", "HYPERLINK_1-"),
        ("Müller Ä", "M_ller-"),
        ("CON", "CON-"),
        ("x" * 300, "x" * 40 + "-"),
    ],
)
def test_readable_start_and_hash(patient_id, start):
    found = case_id(patient_id, "1.2.3")
    assert re.fullmatch(re.escape(start) + "[0-9a-f]{10}", found)


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_is_a_safe_folder_name(patient_id, study_uid):
    found = case_id(patient_id, study_uid)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}", found)
    assert found == case_id(patient_id, study_uid)


def test_ids_that_look_alike_stay_apart():
    ids = {
        case_id(p, u).casefold() for p in ("a/b", "a b", "A_B", "a_b", "\ud800") for u in ("1.2", "1.3", "")
    }
    assert len(ids) == 15
