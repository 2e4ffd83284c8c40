"""What is drawn lies where it should, with smooth edges, in letters that are there."""

import numpy as np
import pytest
from fontTools.ttLib import TTFont

from glutseg.output.canvas import FONT, Box, Canvas, Pen, wrapped

WHITE = "#ffffff"


def drawn(canvas):
    return np.asarray(canvas.picture.convert("L"), dtype=float) / 255


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((10, 10), (50, 0, 100, 100)), ((400, 100), (0, 25, 200, 50)), ((1000, 1), (0, 50, 200, 1))],
)
def test_a_box_holds_the_largest_of_a_shape(shape, expected):
    assert Box(0, 0, 200, 100).fitted(*shape) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("zoom", [1, 3])
def test_a_grey_image_fills_its_box(zoom):
    canvas = Canvas((20, 10), "black", zoom)
    canvas.grey(np.full((3, 4), 255, np.uint8), Box(5, 2, 8, 6))
    rows, columns = np.nonzero(drawn(canvas))
    assert (columns.min() / zoom, rows.min() / zoom) == (5, 2)
    assert ((columns.max() + 1) / zoom, (rows.max() + 1) / zoom) == (13, 8)


@pytest.mark.parametrize("y", [10.0, 10.25, 10.5, 10.75])
@pytest.mark.parametrize("width", [1.5, 2.0, 4.0])
def test_a_line_lies_between_pixels_where_it_should(y, width):
    canvas = Canvas((60, 20), "black")
    canvas.lines([np.array([(5.0, y), (55.0, y)])], Pen(WHITE, width))
    across = drawn(canvas)[:, 30]
    assert across.sum() == pytest.approx(width, abs=0.26)
    assert (across * (np.arange(20) + 0.5)).sum() / across.sum() == pytest.approx(y, abs=0.14)


def test_a_slanted_line_has_smooth_edges_and_its_width_everywhere():
    canvas = Canvas((120, 60), "black")
    slope = 0.4
    canvas.lines([np.array([(2.0, 5.0), (118.0, 5.0 + slope * 116)])], Pen(WHITE, 2.0))
    picture = drawn(canvas)[:, 10:110]
    assert len(np.unique(picture)) > 8
    assert picture.sum(axis=0) == pytest.approx(2.0 * np.hypot(1, slope), abs=0.4)


def test_a_halo_lies_under_its_line():
    canvas = Canvas((60, 20), "#808080")
    canvas.lines([np.array([(5.0, 10.0), (55.0, 10.0)])], Pen(WHITE, 2.0, halo=6.0))
    across = drawn(canvas)[:, 30]
    assert across[9:11].min() == 1
    assert across[[7, 8, 11, 12]].max() == 0
    assert across[[5, 14]] == pytest.approx(0.5, abs=0.01)


def test_dashes_leave_gaps_round_corners_too():
    canvas = Canvas((100, 100), "black")
    path = np.array([(10.0, 10.0), (90.0, 10.0), (90.0, 90.0)])
    canvas.lines([path], Pen(WHITE, 2.0, dashes=(6.0, 4.0)))
    picture = drawn(canvas)
    assert picture.sum() == pytest.approx(2.0 * 160 * 0.6, rel=0.1)
    along = picture[10, 10:90] > 0.5
    starts = np.flatnonzero(along[1:] & ~along[:-1])
    assert np.diff(starts) == pytest.approx(10, abs=1)
    assert len(starts) == 8


def test_nothing_to_draw_is_nothing():
    canvas = Canvas((10, 10), "black")
    canvas.lines([], Pen(WHITE, 2.0))
    assert not drawn(canvas).any()


def test_what_is_too_long_ends_before_its_end():
    canvas = Canvas((300, 30), "black")
    canvas.text((10, 15), "W" * 100, 20, WHITE, max_width=200)
    columns = np.flatnonzero(drawn(canvas).any(axis=0))
    assert 190 < columns.max() <= 210


def test_lines_are_as_long_as_they_may_be():
    words = "outlines of the same muscle that rest on different things differ " * 4
    lines = wrapped(words, 13, 300)
    assert " ".join(lines) == words.strip()
    assert 3 < len(lines) < 10
    canvas = Canvas((400, 400), "black")
    for row, line in enumerate(lines):
        canvas.text((0, 10 + 20 * row), line, 13, WHITE)
    assert 270 < np.flatnonzero(drawn(canvas).any(axis=0)).max() <= 300
    assert wrapped("W" * 100 + " on", 13, 300) == ["W" * 100, "on"]
    assert wrapped("", 13, 300) == [""]


LETTERS = "azAZ09 ²³°±−·×µ≤≥–—…“” äöüßÄÖÜéñçøåłžőșğİ ΑΩαωσάέ АЯаяёїЁЄґ Nguyễn"


def test_the_font_has_the_letters_of_europe_and_the_signs_of_measurement():
    known = TTFont(FONT).getBestCmap()
    assert not [letter for letter in LETTERS if ord(letter) not in known]
    assert FONT.with_name("DejaVuSans.LICENSE.txt").is_file()


@pytest.mark.parametrize("text", ["漢字", "\ud800", "e\u0301", "שלום", ""])
def test_other_letters_draw_as_well(text):
    canvas = Canvas((100, 30), "black")
    canvas.text((5, 15), text, 13, WHITE, max_width=50)
    assert drawn(canvas).any() == bool(text)


def test_equal_drawings_are_equal_bytes():
    files = []
    for _ in range(2):
        canvas = Canvas((60, 40), "#101418")
        canvas.grey(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20, Box(0, 0, 40, 30))
        canvas.lines([np.array([(1.0, 2.0), (50.0, 33.0)])], Pen("#e69f00", 2.0, 3.6, (4.0, 2.0)))
        canvas.text((5, 20), "área", 13, WHITE, halo=1)
        files.append(canvas.png())
    assert files[0] == files[1]
