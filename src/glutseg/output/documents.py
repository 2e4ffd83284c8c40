"""The parts of the documentation that are written from the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from glutseg.errors import CODES
from glutseg.output.columns import Column
from glutseg.output.protocol_tables import protocol_tables
from glutseg.output.schema import MEASUREMENTS, muscle_columns, whole_columns
from glutseg.output.slice_tables import LEVELS, PROFILE

SEVERITIES = {
    "error": "There is no number; the study's status is `failed`, or the program stops with exit code 1.",
    "review": "There is a number, and a person should look at the picture before it is used.",
    "note": "A fact worth knowing; the number stands.",
}


def columns_table(columns: Sequence[Column[Any]]) -> str:
    """The columns as a Markdown table."""
    rows = [f"| `{c.name}` | {c.unit} | {c.meaning} |" for c in columns]
    return "\n".join(["| column | unit | meaning |", "|---|---|---|", *rows])


def codes_tables() -> str:
    """All codes, by severity, as Markdown tables."""
    parts = []
    for severity, words in SEVERITIES.items():
        rows = [
            f"| `{name}` | {c.meaning} | {c.remedy} |" for name, c in CODES.items() if c.severity == severity
        ]
        parts += [
            f"## {severity}\n",
            f"{words}\n",
            "| code | meaning | what to do |",
            "|---|---|---|",
            *rows,
            "",
        ]
    return "\n".join(parts).rstrip()


Sections = dict[str, Callable[[], str]]

GENERATED: dict[str, Sections] = {
    "reference/output.md": {
        "measurements": lambda: columns_table(MEASUREMENTS),
        "muscles": lambda: columns_table(muscle_columns("minimus")),
        "volume": lambda: columns_table(whole_columns("maximus")),
        "profile": lambda: columns_table(PROFILE),
        "levels": lambda: columns_table(LEVELS),
    },
    "reference/flags.md": {"codes": codes_tables},
    "reference/protocol.md": {"keys": protocol_tables},
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
