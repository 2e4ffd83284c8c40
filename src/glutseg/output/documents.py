"""The parts of the documentation that are written from the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from glutseg.errors import catalogue
from glutseg.output.columns import Column
from glutseg.output.protocol_tables import protocol_tables, settings_tables
from glutseg.output.schema import MEASUREMENTS, muscle_columns, whole_columns
from glutseg.output.slice_tables import LEVELS, PROFILE

SEVERITIES = {
    "review": "There is a number, and a person should look at the overlay before it is used.",
    "note": "A fact worth knowing; the number stands.",
    "error": "There is no number: the study has the status `failed` (with `case-rejected`: `excluded`), or "
    "the program ends with exit code 1.",
}


def columns_table(columns: Sequence[Column[Any]]) -> str:
    """The columns as a Markdown table."""
    rows = [f"| `{c.name}` | {c.unit} | {c.meaning} |" for c in columns]
    return "\n".join(["| column | unit | meaning |", "|---|---|---|", *rows])


def codes_tables() -> str:
    """All codes, by severity and section, as Markdown tables."""
    parts = []
    for severity, words in SEVERITIES.items():
        parts += [f"## {severity}\n", f"{words}\n"]
        shown = [(name, code) for name, code in catalogue().items() if code.severity == severity]
        for section, group in groupby(shown, key=lambda pair: pair[1].section):
            parts += [f"### {section}\n", "| code | meaning | what to do |", "|---|---|---|"]
            parts += [f"| `{name}` | {code.meaning} | {code.remedy} |" for name, code in group]
            parts.append("")
    return "\n".join(parts).rstrip()


Sections = dict[str, Callable[[], str]]

GENERATED: dict[str, Sections] = {
    "reference/output.md": {
        "measurements": lambda: columns_table(MEASUREMENTS),
        "muscles": lambda: columns_table(muscle_columns("minimus")),
        "whole-muscle": lambda: columns_table(whole_columns("maximus")),
        "profile": lambda: columns_table(PROFILE),
        "levels": lambda: columns_table(LEVELS),
    },
    "reference/flags.md": {"codes": codes_tables},
    "reference/protocol.md": {"keys": protocol_tables},
    "reference/settings.md": {"settings": settings_tables},
}
"""Documents, their generated sections, and who writes each."""


def refresh(
    name: str,
    text: str,
    generated: Mapping[str, Sections] = GENERATED,
    writer: str = "scripts/write_docs.py",
) -> str:
    """The document with its generated sections written anew.

    A section stands between ``<!-- NAME: written by WRITER -->`` and ``<!-- /NAME -->``.

    Raises
    ------
    ValueError
        When a section's marks are missing.
    """
    for section, write in generated[name].items():
        start, end = f"<!-- {section}: written by {writer} -->", f"<!-- /{section} -->"
        before, found_start, rest = text.partition(start)
        _, found_end, after = rest.partition(end)
        if not (found_start and found_end):
            msg = f"{name} lacks the marks of its section {section}"
            raise ValueError(msg)
        text = f"{before}{start}\n\n{write()}\n\n{end}{after}"
    return text
