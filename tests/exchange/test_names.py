"""How people name muscles and sides."""

import pytest
import SimpleITK as sitk

from glutseg import dicom
from glutseg.errors import GlutsegError
from glutseg.exchange.foreign import read_foreign
from glutseg.exchange.measure_mask import load_series, measure_mask
from glutseg.exchange.osirix import assign_readings, readings
from glutseg.exchange.osirix_files import read_rois
from glutseg.exchange.terms import MUSCLE_CODES, SIDE_CODES, Term, side_of_name, term_of_codes, term_of_name
from osirix_drawn import Drawn

LEFT, RIGHT = Term("maximus", "left"), Term("maximus", "right")
CODE = MUSCLE_CODES["maximus"][0]


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("gluteus_maximus_left", LEFT),
        ("Left glut max", LEFT),
        ("M. gluteus maximus rechts", RIGHT),
        ("Glut. max. R", RIGHT),
        ("GLUTEUS MEDIUS LT", Term("medius", "left")),
        ("glut min links", Term("minimus", "left")),
        ("grand glutéal gauche", None),
        ("gluteus maximus", None),
        ("gluteus maximus left right", None),
        ("gluteus maximus medius left", None),
        ("psoas left", None),
        ("right", None),
        ("", None),
    ],
)
def test_names_in_words(name, term):
    assert term_of_name(name) == term


@pytest.mark.parametrize(
    ("name", "side"),
    [("L", "left"), ("links", "left"), ("ROI rechts 2", "right"), ("L/R", None), ("leg", None)],
)
def test_sides_in_words(name, side):
    assert side_of_name(name) == side


def test_a_code_without_a_side_takes_the_side_of_the_name():
    codes = {side: code for side, (code, _) in SIDE_CODES.items()}
    assert term_of_codes(CODE, (), "outline links") == LEFT
    assert term_of_codes(CODE, (codes["right"],), "") == RIGHT
    assert term_of_codes(CODE, (codes["right"],), "Segment_2 left") == RIGHT  # codes were meant for this
    assert term_of_codes(CODE, tuple(codes.values()), "left") is None
    assert term_of_codes(CODE, (), "outline") is None


@pytest.mark.parametrize(
    "names",
    [
        ("links", "rechts"),
        ("L", "R"),
        ('glut "max" left', 'glut "max" right'),
        ('left "', 'right "'),
        ('"left', '"right'),
    ],
)
def test_rois_with_such_names_are_read(export_run, tmp_path, names):
    drawn = Drawn(export_run.images, export_run.mask, labels=names)
    found, _ = readings(read_rois(drawn.csv(tmp_path / "rois.csv")), drawn.loaded)
    terms = assign_readings(found)
    assert set(terms) == {LEFT, RIGHT}
    plain = Drawn(export_run.images, export_run.mask)
    same, _ = readings(read_rois(plain.csv(tmp_path / "plain.csv")), plain.loaded)
    assert [one.area_mm2 for one in found] == [one.area_mm2 for one in same]


def test_a_metaimage_has_the_same_pixels(export_run, tmp_path):
    file = tmp_path / "mask.mha"
    sitk.WriteImage(export_run.mask.to_sitk(), str(file), True)
    measured = measure_mask(load_series(dicom.scan(export_run.images)), file, level="slice=3")
    assert (measured.mask.labels == export_run.mask.labels).all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"ElementDataFile = LOCAL", b"ElementDataFile = /etc/hostname", "another file"),
        (b"ElementDataFile = LOCAL", b"ElementDataFile = LIST", "another file"),
        (b"Offset", b"Nothing", "no offset"),
        (b"DimSize = ", b"DimSize = 99999 99999 ", ""),
    ],
)
def test_a_metaimage_that_is_none(export_run, tmp_path, old, new, message):
    file = tmp_path / "mask.mha"
    sitk.WriteImage(export_run.mask.to_sitk(), str(file), False)
    content = file.read_bytes()
    assert old in content
    file.write_bytes(content.replace(old, new, 1))
    with pytest.raises(GlutsegError, match=message):
        read_foreign(file)
