"""Output in the terminal: progress and errors on stderr, results on stdout, all text escaped."""

from glutseg.terminal.console import print_error
from glutseg.terminal.progress import Bar, progress
from glutseg.terminal.shown import (
    MAX_ROWS,
    STATUS_STYLES,
    print_cells,
    print_lines,
    print_listing,
    print_protocols,
    print_region,
    print_status,
)
from glutseg.terminal.summary import print_summary

__all__ = [
    "MAX_ROWS",
    "STATUS_STYLES",
    "Bar",
    "print_cells",
    "print_error",
    "print_lines",
    "print_listing",
    "print_protocols",
    "print_region",
    "print_status",
    "print_summary",
    "progress",
]
