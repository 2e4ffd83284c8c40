"""The commands after a run: agree, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glutseg.cli.examples import examples
from glutseg.cli.frame import JsonOption, app, print_record, user_errors

OutArgument = Annotated[Path, typer.Argument(metavar="OUT", help="The output folder of a run.")]


@app.command(epilog=examples("agree"))
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
    as_json: JsonOption = False,
) -> None:
    """Compare outlines and areas of the run in OUT with other raters."""
    with user_errors():
        from glutseg import agreement, terminal
        from glutseg.agreement.write import RECORD

        found = agreement.agree(out, reference, folder, overwrite=overwrite)
        target = folder or out / agreement.AGREEMENT
        if as_json:
            print_record(target / RECORD)
        else:
            terminal.print_lines(agreement.in_words(found), f"tables and figures: {target}")


@app.command(epilog=examples("report"))
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
