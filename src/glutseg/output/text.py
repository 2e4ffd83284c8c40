"""Text from headers and file names on its way into files and terminals."""

from __future__ import annotations

MAX_CELL = 2000
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What spreadsheets take for a formula, also in the full-width forms (OWASP, CSV injection)."""


def plain(text: str, limit: int = MAX_CELL) -> str:
    """One line without control and formatting characters (escape codes, direction overrides)."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    squeezed = kept.strip()
    return squeezed if len(squeezed) <= limit else squeezed[: limit - 1] + "…"


def safe_cell(text: str) -> str:
    """`plain`, and with an apostrophe in front where a spreadsheet would run it as a formula."""
    cell = plain(text)
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
