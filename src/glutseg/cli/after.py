"""The commands after a run: agree, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glutseg.cli.frame import app, user_errors

OutArgument = Annotated[Path, typer.Argument(metavar="OUT", help="The output folder of a run.")]


@app.command()
def agree(
    out: OutArgument,
    reference: Annotated[
        list[str],
        typer.Option(
            metavar="OTHER",
            help="A run, reviewer:NAME, a folder of masks, or a table of areas; may be repeated.",
        ),
    ],
    folder: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="The folder to write [OUT/agreement].")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier comparison.")] = False,
) -> None:
    """Compare outlines and areas of the run in OUT with other raters."""
    with user_errors():
        from glutseg import agreement

        found = agreement.agree(out, reference, folder, overwrite=overwrite)
        for line in agreement.in_words(found):
            typer.echo(line)
        typer.echo(f"tables and figures: {folder or out / agreement.AGREEMENT}")


@app.command()
def report(
    out: OutArgument,
    file: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The page to write [OUT/report.html]."),
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the page.")] = "",
) -> None:
    """Write the run in OUT with overlays, quality flags and methods as one HTML page."""
    with user_errors():
        from glutseg.report import write_report

        typer.echo(f"report: {write_report(out, file, title)}")
