"""Text from headers and file names on its way into files and terminals."""

from __future__ import annotations

import re

MAX_CELL = 2000
FORMULA_START = re.compile("(^|; *)(?=[=+@＝＋－＠-])")
"""Where spreadsheets begin a formula, also in the full-width forms (OWASP, CSV injection); after a semicolon,
since many countries' spreadsheets split cells there."""


def plain(text: str, limit: int = MAX_CELL) -> str:
    """One line without control and formatting characters (escape codes, direction overrides)."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    squeezed = kept.strip()
    return squeezed if len(squeezed) <= limit else squeezed[: limit - 1] + "…"


def safe_cell(text: str) -> str:
    """`plain`, and with an apostrophe in front of what a spreadsheet would run as a formula."""
    return FORMULA_START.sub(r"\1'", plain(text))
