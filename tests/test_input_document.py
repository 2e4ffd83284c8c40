"""docs/reference/input.md promises; this checks that each promise has its test and its code exists."""

import ast
import re
from pathlib import Path

import pytest

from glutseg.errors import catalogue

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "reference" / "input.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| situation")
]
TESTS = {
    node.name
    for path in (ROOT / "tests").rglob("test_*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef)
}


def test_there_are_rows():
    assert len(ROWS) > 2


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_every_row_names_tests_that_exist_and_codes_that_are_known(row):
    assert len(row) == 4
    named = re.findall(r"`(\w+)`", row[3])
    assert named, "no test is named"
    assert set(named) <= TESTS
    assert set(re.findall(r"`([\w-]+)`", row[2])) <= set(catalogue())
