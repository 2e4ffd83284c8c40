import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from glutseg.dicom.text import MAX_TEXT, clean_text, integer, number, numbers, raw_text, texts


@given(st.text(max_size=300))
def test_cleaned_text_is_one_short_printable_line(value):
    cleaned = clean_text(value)
    assert len(cleaned) <= MAX_TEXT
    assert cleaned == "" or cleaned.isprintable()
    assert clean_text(cleaned) == cleaned


def test_control_and_direction_characters_are_removed():
    assert clean_text("a\x00b\x1b[31m\r\nc\u202ed") == "ab[31m cd"


def test_long_texts_stay_distinct():
    assert clean_text("x" * 10_000 + "a") != clean_text("x" * 10_000 + "b")


def test_junk_is_unknown_never_an_error():
    ds = Dataset()
    ds.PixelSpacing = ["0.7"]
    ds.ImageType = ["A"] * 100
    assert numbers(ds, "PixelSpacing", 2) is None
    assert number(ds, "SliceThickness") is None
    assert integer(ds, "InstanceNumber") is None
    assert len(texts(ds, "ImageType")) == 16
    assert raw_text(ds, "PatientSize") == ""


def test_infinite_and_broken_numbers_are_unknown():
    ds = Dataset()
    ds.add_new("ImagePositionPatient", "FD", [1.0, float("nan"), float("inf")])
    ds.add_new("InstanceNumber", "FD", 1.5)
    assert numbers(ds, "ImagePositionPatient", 3) is None
    assert integer(ds, "InstanceNumber") is None


def test_the_shortcut_for_printable_text_gives_the_same_result():
    import sys
    import unicodedata

    for code in range(0, sys.maxunicode + 1, 7):
        c = chr(code)
        kept = " " if c.isspace() else "" if unicodedata.category(c)[0] == "C" else c
        expected = unicodedata.normalize("NFC", " ".join(f"a{kept} b".split()))
        assert clean_text(f"a{c} b") == expected, hex(code)


@pytest.mark.parametrize("text", ["1_0", "1_000.5", "\u0661"])
def test_what_only_python_takes_for_a_number_is_none(text):
    content = text.encode("utf-8")
    element = RawDataElement(Tag("RescaleSlope"), "DS", len(content), content, 0, False, True)
    assert numbers(Dataset({element.tag: element}), "RescaleSlope", 1) is None
