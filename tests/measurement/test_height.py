import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.measurement import Participant, believe_height
from glutseg.result import Height


def codes(flags):
    return [flag.code for flag in flags]


@pytest.mark.parametrize("raw", ["1.73", " 1.73 ", "1.730", "+1.73", "173e-2"])
def test_header_in_metres_is_believed(raw):
    assert believe_height(None, raw) == (Height(1.73, "dicom"), ())


@pytest.mark.parametrize(
    ("raw", "reading"),
    [
        ("173", "1.73 m if it is in cm"),
        ("1730", "1.73 m if it is in mm"),
        ("68", "1.73 m if it is in inches"),
        ("5.7", "1.74 m if it is in feet"),
    ],
)
def test_other_units_are_named_and_refused(raw, reading):
    height, flags = believe_height(None, raw)
    assert height == Height(None, "none")
    assert codes(flags) == ["height-implausible"]
    assert reading in flags[0].message


@pytest.mark.parametrize("raw", ["0", "-1.7", "17.3", "1e9", "2.31", "0.89"])
def test_nonsense_is_refused_without_a_reading_in_metres(raw):
    height, flags = believe_height(None, raw)
    assert height.height_m is None
    assert codes(flags) == ["height-implausible"]


@pytest.mark.parametrize("raw", ["nan", "inf", "1,73", "1.73 m", "1.7\\1.8", "=1+1", "１.73"])
def test_what_is_no_decimal_string_is_refused(raw):
    height, flags = believe_height(None, raw)
    assert height.height_m is None
    assert codes(flags) == ["height-implausible"]
    assert raw not in flags[0].message  # header text stays out of messages


def test_nothing_known_is_a_note():
    height, flags = believe_height(None, "  ")
    assert height == Height(None, "none")
    assert [(f.code, f.severity) for f in flags] == [("height-missing", "note")]


def test_the_table_goes_first_and_a_refused_value_does_not_fall_back():
    assert believe_height(Participant("a", 1.6, 2), "1.73")[0] == Height(1.6, "participants")
    assert believe_height(Participant("a", None, 2), "1.73")[0] == Height(1.73, "dicom")
    height, flags = believe_height(Participant("a", 160.0, 2), "1.73")
    assert height.height_m is None
    assert "row 2" in flags[0].message


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_only_the_believed_range_comes_through(value):
    height, flags = believe_height(Participant("a", value, 2), "")
    assert (height.height_m == value) == (0.9 <= value <= 2.3)
    assert bool(flags) == (height.height_m is None)


@pytest.mark.parametrize(
    ("table_m", "header", "conflict"),
    [
        (1.60, "1.64", True),
        (1.60, "1.63", False),
        (1.60, "1.57", False),
        (1.60, "164", False),
        (1.6, "", False),
    ],
)
def test_table_and_header_that_differ_are_a_note(table_m, header, conflict):
    height, flags = believe_height(Participant("a", table_m, 2), header)
    assert height == Height(table_m, "participants")
    assert codes(flags) == (["height-conflict"] if conflict else [])
    if conflict:
        assert "row 2 says 1.60 m, the header 1.64 m" in flags[0].message
        assert flags[0].severity == "note"


@pytest.mark.parametrize("value_m", [0.9, 2.3])
def test_the_ends_of_the_range_are_believed(value_m):
    assert believe_height(Participant("a", value_m, 2), "") == (Height(value_m, "participants"), ())


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (90.0, "it would be 0.90 m if it is in cm or 2.29 m if it is in inches"),
        (2290.0, "it would be 2.29 m if it is in mm"),
        (300.0, ""),
        (float("inf"), ""),
    ],
)
def test_only_units_that_give_a_height_are_named(value, hint):
    _, (flag,) = believe_height(Participant("a", value, 2), "")
    assert flag.message.partition("; ")[2] == hint
