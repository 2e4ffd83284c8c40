"""A run as one page to read, filter, print and hand on."""

from __future__ import annotations

from pathlib import Path

from glutseg.errors import GlutsegError
from glutseg.output.atomic import write_text
from glutseg.output.folder import is_page
from glutseg.output.layout import REPORT_HTML
from glutseg.report.gather import gather
from glutseg.report.page import render

__all__ = ["REPORT_HTML", "gather", "render", "write_report"]


def write_report(out: str | Path, file: str | Path | None = None, title: str = "") -> Path:
    """Write the page of a run; an earlier page of glutseg is replaced, any other file is not.

    Parameters
    ----------
    out : the output folder of ``glutseg run``
    file : ``OUT/report.html`` by default
    title : of the page

    Raises
    ------
    GlutsegError
        ``input-missing``, ``output-foreign``, ``output-unwritable``.
    """
    out = Path(out)
    target = out / REPORT_HTML if file is None else Path(file)
    if target.is_dir() or (target.exists() and not is_page(target)):
        raise GlutsegError("output-foreign", "there is already something that is no report", str(target))
    write_text(target, render(gather(out, title)))
    return target
