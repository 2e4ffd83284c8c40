import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.output.columns import Column
from glutseg.output.tables import to_csv
from glutseg.output.text import plain, safe_cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", "  =1", "＝1", "\u200b=1"]
)
def test_formulas_are_neutralised(text):
    assert safe_cell(text).startswith("'")


@pytest.mark.parametrize(
    ("text", "cell"), [("a;=1+1;b", "a;'=1+1;b"), ("a\t;  @x", "a ;  '@x"), ("=a;-b", "'=a;'-b")]
)
def test_formulas_are_neutralised_where_cells_are_split_at_semicolons(text, cell):
    assert safe_cell(text) == cell


@pytest.mark.parametrize("text", ["PHANTOM-0001", "1.2.840", "Müller", "a=b", "a;b"])
def test_ordinary_text_stays(text):
    assert safe_cell(text) == text


def test_escape_codes_and_direction_overrides_are_gone():
    assert plain("a\x1b[31mb\u202ec\x00\nd") == "a [31mb c  d"


@given(st.text(st.characters()))
def test_a_cell_is_one_printable_line_that_survives_csv(text):
    cell = safe_cell(text)
    assert cell.isprintable()
    assert len(cell) <= 3001
    assert not any(part.lstrip(" ").startswith(("=", "+", "-", "@")) for part in cell.split(";"))
    columns = [Column("id", "", "", lambda _: "x"), Column("text", "", "", lambda row: row)]
    rows = list(csv.reader(io.StringIO(to_csv(columns, [text]), newline="")))
    assert rows == [["id", "text"], ["x", cell]]
