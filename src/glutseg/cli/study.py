"""The command that compares two groups of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glutseg.cli.examples import examples
from glutseg.cli.frame import JsonOption, app, print_record, user_errors
from glutseg.cli.runs import AcceptOption
from glutseg.errors import require_extra

STUDY_FOLDER = "study"


@app.command(epilog=examples("study"))
def study(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The output folder of a run.")],
    participants: Annotated[
        Path, typer.Option(metavar="FILE", help="CSV, TSV or XLSX: patient_id, the group, and more.")
    ],
    group: Annotated[str, typer.Option(metavar="COLUMN", help="The column with the two groups.")],
    groups: Annotated[
        str, typer.Option(metavar="FIRST,SECOND", help="The two groups, in the order of subtraction.")
    ] = "",
    value: Annotated[
        str, typer.Option(metavar="COLUMN", help="The column of measurements.csv to compare.")
    ] = "area_mean_per_height_mm2_per_m",
    covariate: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Covariate of the model; may be repeated.")
    ] = None,
    correlate: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Column to correlate with; may be repeated.")
    ] = None,
    participants_columns: Annotated[
        str, typer.Option(metavar="patient_id=COLUMN", help="The column with the patient ids.")
    ] = "",
    accept_unmatched: AcceptOption = False,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--pseudonymise", metavar="KEYFILE", help="Key file of the run's --pseudonymise, for patient ids."
        ),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="The folder to write [OUT/study].")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier study's files.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare two groups of a run: tables, figures and sensitivity to the method."""
    with user_errors():
        require_extra("study", "statsmodels", "pandas", "matplotlib")
        from glutseg import terminal
        from glutseg.measurement import parse_columns
        from glutseg.output.pseudonym import pseudonymiser
        from glutseg.study.analysis import study_run
        from glutseg.study.record import STUDY_JSON, check_study_folder, write_study
        from glutseg.study.sample import Question
        from glutseg.study.words import summary

        target = out / STUDY_FOLDER if folder is None else folder
        check_study_folder(target, overwrite=overwrite)
        group_order = tuple(part.strip() for part in groups.split(",") if part.strip())
        question = Question(group, value, tuple(covariate or ()), tuple(correlate or ()), group_order)
        ids = parse_columns(participants_columns)
        pseudonyms = None if key_file is None else pseudonymiser(key_file, out, is_known=True)
        found = study_run(
            out,
            participants,
            question,
            ids=ids,
            pseudonyms=pseudonyms,
            accept_unmatched=accept_unmatched,
        )
        write_study(target, found, overwrite=overwrite)
        if as_json:
            print_record(target / STUDY_JSON)
        else:
            terminal.print_lines(summary(found), f"tables and figures: {target}")
