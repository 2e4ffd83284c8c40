"""What of a participants table stops a run before it begins, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.errors import GlutsegError
from glutseg.measurement import Participant, Participants, StudyId, check_participants
from glutseg.measurement.table_check import match


def table(*ids, named_by="patient_id", **how):
    rows = {key: Participant(key, 1.7, row) for row, key in enumerate(ids, start=2)}
    return Participants(rows, named_by, "p.xlsx", **how)


def of_heights(*heights, unit="height_m", factor=1.0, **how):
    rows = {f"P{i}": Participant(f"P{i}", h and h * factor, i + 2) for i, h in enumerate(heights)}
    return Participants(rows, source="p.xlsx", unit=unit, height_column=unit, **how)


def studies(*ids):
    return [StudyId(patient_id, f"{patient_id}-abc{n}") for n, patient_id in enumerate(ids)]


def stopped(found, *images, **how):
    with pytest.raises(GlutsegError) as caught:
        check_participants(found, images, **how)
    assert (caught.value.code, caught.value.where) == ("participants-mismatch", "p.xlsx")
    assert "--accept-unmatched" in str(caught.value)
    return caught.value.message


@pytest.mark.parametrize(
    ("in_table", "in_images", "why"),
    [
        ("phantom-0001", "PHANTOM-0001", "capitals differ"),
        ("123", "00123", "leading zeros differ"),
        ("P-7", "P-0007", "leading zeros differ"),
        ("123.0", "123", "a decimal point was added"),
        ("123,0", "123", "a decimal point was added"),
        ("PHANTOM 0001", "PHANTOM-0001", "blanks, dashes or other marks differ"),
        ("12 34/5", "12345", "blanks, dashes or other marks differ"),
        ("O0123", "00123", "a letter stands for a digit"),
        ("PHANTON-0001", "PHANTOM-0001", "one letter differs"),
        ("PHNTOM-0001", "PHANTOM-0001", "one letter differs"),
        ("PHANTOMM-0001", "PHANTOM-0001", "one letter differs"),
        ("PHATNOM-0001", "PHANTOM-0001", "one letter differs"),
        ("Ａ-1", "A-1", "capitals differ"),
    ],
)
def test_an_id_that_is_written_differently_stops_and_is_named(in_table, in_images, why):
    message = stopped(table("SAME", in_table), *studies("SAME", in_images))
    assert f"row 3 {in_table!r} and {in_images!r} ({why})" in message
    assert ("00000" in message) == (why == "leading zeros differ")
    assert "written differently" in stopped(table(in_table), *studies(in_images))


@pytest.mark.parametrize(
    ("in_table", "in_images"),
    [
        ("COHORT-0011", "COHORT-0001"),
        ("12345", "12354"),
        ("100", "10"),
        ("CASA-01", "CASB-01"),
        ("A", "B"),
        ("+", "-"),
    ],
)
def test_another_number_is_another_patient(in_table, in_images):
    assert check_participants(table("SAME", "TOO", in_table), studies("SAME", "TOO", in_images)) is None


def test_the_table_of_a_larger_cohort_and_a_table_of_some_patients_go_on():
    cohort = [f"P-{n:03d}" for n in range(200)]
    assert check_participants(table(*cohort), studies("P-007", "P-003")) is None
    assert check_participants(table("P-007", "P-003"), studies(*cohort)) is None
    assert check_participants(table("P-007"), studies("P-007", "P-007")) is None


def test_next_to_no_matches_stop_and_are_counted():
    message = stopped(table("A", "B", "C", "D"), *studies("K", "L", "M", "N", "O", "A"))
    assert "only 1 of the 4 ids in the column 'patient_id' match one of the 6 in the images" in message
    assert "row 3 'B', row 4 'C', row 5 'D'; in the images: 'K', 'L', 'M' and 2 more" in message
    assert "the only id in the column 'patient_id' does not match one of the 1 in" in stopped(
        table("X"), *studies("K")
    )
    assert check_participants(table("A", "B"), studies("A", "L")) is None


def test_a_column_of_other_ids_is_named():
    images = studies("K", "L")
    message = stopped(table("K-abc0", "L-abc1", id_column="Case"), *images)
    assert "holds case ids: add --participants-columns case_id=Case" in message
    message = stopped(table("K", "L", named_by="case_id", id_column="Case"), *images)
    assert "holds patient ids: add --participants-columns patient_id=Case" in message
    assert "the images hold no patient ids: name the studies by case_id" in stopped(
        table("K"), StudyId("", "none-1")
    )
    assert "(no id)" in stopped(table("K"), StudyId("", "none-1"))


def test_case_ids_and_pseudonyms_match_as_patient_ids_do():
    image = StudyId("DOE", "ps-1-abc", "ps-1")
    for named_by, key in (
        ("case_id", "ps-1-abc"),
        ("pseudonym", "ps-1"),
        ("pseudonym", "DOE"),
        ("patient_id", "DOE"),
    ):
        assert check_participants(table(key, named_by=named_by), [image]) is None
    stopped(table("doe"), image)


def test_nobody_is_named_where_pseudonyms_are_written():
    images = [StudyId("DOE-0001", "ps-1-abc", "ps-1"), StudyId("ROE-0002", "ps-2-abc", "ps-2")]
    message = stopped(table("doe-0001", "MILLER"), *images, show_ids=False)
    assert "row 2 and ps-1 (capitals differ)" in message
    message += stopped(table("MILLER"), *images, show_ids=False)
    assert "in the table: row 2; in the images: ps-1, ps-2" in message
    assert not [name for name in ("doe-0001", "DOE", "ROE", "MILLER") if name in message]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            of_heights(165.0, 172.0),
            "2 of 2 heights in the column 'height_m' (read as m) are outside 0.9 to 2.3 m: row 2: 165, "
            "row 3: 172; are they cm? If so, name the column height_cm or add "
            "--participants-columns height_cm=height_m",
        ),
        (of_heights(1650.0), "are they mm? If so, name the column height_mm"),
        (of_heights(65.0), "are they inches? If so, name the column height_in"),
        (of_heights(1.65, 1.7, unit="height_cm", factor=0.01), "are they m? If so, name the column height_m"),
        (of_heights(165.0, unit="height_in", factor=0.0254), "row 2: 165; are they cm?"),
        (of_heights(1.65, 172.0), "1 of 2 heights in the column 'height_m' (read as m) is outside"),
        (of_heights(1.65, 172.0), "row 3: 172; are they cm? A column has one unit: correct these cells"),
        (of_heights(0.0, None), "1 of 1 height in the column"),
        (of_heights(0.0), "row 2: 0; correct them, or empty the cells"),
        (of_heights(165.0, unit="height"), "row 2: 165; correct them"),
        (of_heights(165.0, id_column="Fallnummer"), "patient_id=Fallnummer,height_cm=height_m"),
    ],
)
def test_heights_of_another_unit_stop_with_the_likely_one(found, words):
    assert words in stopped(found, *studies(*found.rows))


def test_only_heights_of_these_studies_are_judged():
    found = of_heights(1.7, 165.0, 0.9, 2.3)
    assert check_participants(found, studies("P0", "P2", "P3")) is None
    assert "row 3: 165" in stopped(found, *studies("p1", "P0"))
    both = stopped(found, *studies("K"))
    assert "none of the 4 ids" in both
    assert "row 3: 165" in both


ids = st.text(st.sampled_from("aAbB01o -_."), max_size=6)


@given(st.sets(ids), st.lists(ids))
def test_everybody_is_counted_once(keys, patients):
    keys = {" ".join(key.split()) for key in keys} - {""}
    found = match(keys, "patient_id", studies(*patients))
    assert set(found.only_table) | found.matched == keys
    assert not found.matched.intersection(found.only_table)
    cleaned = {" ".join(p.split()) for p in patients}
    assert found.matched == keys & cleaned
    assert found.n_patients == len(cleaned)
    assert len(found.only_images) == len(cleaned - keys)
    assert {near.key for near in found.near} <= set(found.only_table)


@given(st.sets(ids, min_size=1))
def test_a_table_with_the_ids_of_the_images_always_goes_on(patients):
    keys = {" ".join(p.split()) for p in patients} - {""}
    assert check_participants(table(*keys), studies(*patients)) is None
