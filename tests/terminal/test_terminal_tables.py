"""Tables and lines of the terminal: at 80 columns, wide, narrow, and in a file."""

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.text import Text

from glutseg.batch import RunSummary
from glutseg.errors import Flag
from glutseg.output.schema import CaseRow
from glutseg.result import CaseResult
from glutseg.terminal import console, print_cells, print_lines, print_summary, summary
from glutseg.terminal.console import UNLIMITED, wrapped
from glutseg.terminal.shown import MAX_ROWS
from glutseg.terminal.table import cells, table_lines

LONG = "no femoral head was found in 39 slices; the series may show another part of the body, or none at all"
IDS = ("COHORT-0001-8c266eaee9", "日本語-患者-ÄÖÜ-8b1d7aa8fd", "X" * 70)


def lines_of(names, rows, width, right=()):
    return [line.plain for line in table_lines(names, [cells(row) for row in rows], width, right)]


@pytest.fixture
def columns(monkeypatch):
    return lambda n: monkeypatch.setenv("COLUMNS", str(n))


def test_a_table_that_fits_has_a_line_per_row_with_numbers_at_the_right():
    names, rows = ("case", "left\nmm²", "remarks"), [("a", "5", "one"), ("患者", "1234", "two words")]
    assert lines_of(names, rows, 80, ("left\nmm²",)) == [
        "case  left  remarks",
        "       mm²",
        "-------------------",
        "a        5  one",
        "患者  1234  two words",
    ]


def test_remarks_go_below_their_row_and_no_line_is_too_long():
    rows = [(IDS[0], "ok", ""), (IDS[1], "failed", LONG)]
    shown = lines_of(("case", "status", "remarks"), rows, 80)
    assert shown[:2] == ["case                        status", "-" * 34]
    assert shown[2].split() == [IDS[0], "ok"]
    assert shown[3].split() == [IDS[1], "failed"]
    assert " ".join(part.strip() for part in shown[4:]) == LONG
    assert all(part.startswith("    ") and cell_len(part) <= 80 for part in shown[4:])


def test_a_table_too_wide_for_the_terminal_becomes_a_block_per_row():
    rows = [(IDS[2], "failed", "12345", LONG)]
    shown = lines_of(("case", "status", "area\nmm²", "remarks"), rows, 40)
    assert shown[0] == IDS[2]
    assert shown[1] == "    status failed  area mm² 12345"
    assert all(cell_len(line) <= 40 for line in shown[1:])


def test_an_empty_column_of_remarks_and_an_empty_table_are_not_shown():
    assert lines_of(("case", "remarks"), [("a", ""), ("b", "")], 80) == ["case", "----", "a", "b"]
    assert lines_of(("case", "remarks"), [], 80) == []


@pytest.mark.parametrize("width", [1, 7, 80])
def test_words_are_wrapped_and_never_cut(width):
    parts = [part.plain for part in wrapped(Text(f"{LONG} {IDS[2]}"), width, 2, 0)]
    assert " ".join(parts).split() == [*LONG.split(), IDS[2]]
    assert all(cell_len(part) <= width or len(part.split()) == 1 for part in parts)


def test_a_file_has_no_width_but_that_of_the_variable(monkeypatch, capsys, columns):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console.width_of(io.StringIO()) == UNLIMITED
    print_lines([f"  {LONG} {LONG}"], "end")
    assert capsys.readouterr().out == f"  {LONG} {LONG}\nend\n"
    columns(60)
    print_lines([f"  {LONG}"], "end")
    first, second, end = capsys.readouterr().out.splitlines()
    assert first.startswith("  no femoral")
    assert second.startswith("    ")
    assert end == "end"
    for nonsense in ("0", "-5", "wide", ""):
        columns(nonsense)
        assert console.width_of(io.StringIO()) == UNLIMITED


def test_text_of_headers_stays_text(capsys, columns):
    columns(80)
    print_cells(("a", "b"), [("[red]x[/] :smile:", "\x1b]0;owned\x07\u202e")])
    shown = capsys.readouterr().out
    assert "[red]x[/] :smile:" in shown
    assert not set("\x1b\x07\u202e") & set(shown)


def made_summary(n, *, failed=(), review=(), out=Path("my out")):
    def row(number):
        result = CaseResult(f"CASE-{number:04d}-8c266eaee9", "P", "1", "", "ok")
        status = "failed" if number in failed else "review" if number in review else "ok"
        if status == "failed":
            result = replace(result, error_code="hips-not-found", error_message=LONG)
        flags = (Flag("series-gap", "2"),) if status == "review" else ()
        return CaseRow(replace(result, status=status, flags=flags), "p")

    rows = [row(number) for number in range(n)]
    return RunSummary(out, rows, Counter(row.result.status for row in rows), seconds=12.3)


def test_the_summary_fits_and_ends_with_what_to_do_next(capsys, columns, monkeypatch):
    monkeypatch.setattr(summary, "find_spec", lambda name: None)
    monkeypatch.setattr(summary, "install_command", lambda extra: f"pip install '.[{extra}]'")
    columns(80)
    print_summary(made_summary(3, failed={1}, review={2}))
    shown = capsys.readouterr().out
    assert all(cell_len(line) <= 80 for line in shown.splitlines())
    for number in range(3):
        assert f"CASE-{number:04d}-8c266eaee9" in shown
    assert "3 studies: 1 ok, 1 review, 1 failed, 0 excluded; 12 s" in shown
    commands = [line[6:].partition("   (")[0].rstrip() for line in shown.splitlines()[-4:]]
    assert commands == [
        "glutseg status 'my out'",
        "pip install '.[viewer]'",
        "glutseg review 'my out'",
        "glutseg report 'my out'",
    ]
    assert shown.splitlines()[-4].startswith("next: ")
    monkeypatch.setattr(summary, "find_spec", lambda name: object())
    print_summary(made_summary(1, failed={0}))
    shown = capsys.readouterr().out
    assert "review" not in shown.partition("next: ")[2], "there is nothing to look at"
    assert "1 study: 0 ok" in shown


def test_of_hundreds_of_studies_those_in_question_are_shown(capsys, columns):
    columns(80)
    print_summary(made_summary(300, failed={250}, review={299}))
    shown = capsys.readouterr().out
    assert "CASE-0250" in shown
    assert "CASE-0299" in shown
    assert "CASE-0000" not in shown
    assert "shown: 2 studies that failed or ask for review; all 300 are in measurements.csv" in shown
    print_summary(made_summary(MAX_ROWS + 1))
    shown = capsys.readouterr().out
    assert shown.count("CASE-") == MAX_ROWS
    assert f"shown: the first {MAX_ROWS} studies" in shown
