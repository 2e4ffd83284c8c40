"""Commands that exchange data with other programs: export, measure, import-osirix."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glutseg.cli.examples import examples
from glutseg.cli.frame import (
    NOTHING_DONE,
    SOME_DONE,
    JsonOption,
    ProtocolOption,
    StrictOption,
    app,
    user_errors,
)
from glutseg.cli.pacs import CaOption, InsecureOption

if TYPE_CHECKING:
    from glutseg.exchange.given_run import GivenRun
    from glutseg.measurement import Participants
    from glutseg.result import Status


FORMATS = ("seg", "sr", "rtstruct", "nifti", "nrrd", "parquet")


def _formats(texts: list[str]) -> list[str]:
    """Of one option with commas, or of several."""
    names = [part.strip().lower() for text in texts for part in text.split(",") if part.strip()]
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise typer.BadParameter(f"{', '.join(unknown) or 'nothing'} is not one of {', '.join(FORMATS)}")
    return list(dict.fromkeys(names))


def _complete_format(incomplete: str) -> list[str]:
    done, comma, last = incomplete.rpartition(",")
    return [f"{done}{comma}{name}" for name in FORMATS if name.startswith(last)]


class ValuesOption(StrEnum):
    """Outlines to export: with corrections, or automatic only."""

    CORRECTED = "corrected"
    AUTOMATIC = "automatic"


class Labels(StrEnum):
    """Programs with known label numbers."""

    TOTALSEGMENTATOR = "totalsegmentator"
    MUSCLEMAP = "musclemap"
    GLUTSEG = "glutseg"


SeriesArgument = Annotated[Path, typer.Argument(metavar="SERIES", help="A folder, zip or file with the CT.")]
UidOption = Annotated[
    str | None, typer.Option("--series-uid", metavar="UID", help="The series to use, if there are several.")
]
LabelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--label", metavar="NAME|NUMBER=left", help="Meaning of a label: left, right, medius-left, ..."
    ),
]
LabelsOption = Annotated[
    Labels | None,
    typer.Option(metavar="PROGRAM", help="Known label numbers: totalsegmentator, musclemap or glutseg."),
]
LevelOption = Annotated[
    str | None,
    typer.Option(
        metavar="LEVEL",
        help="A landmark, z=MM or slice=N; by default the protocol's level, or the mask's only slice.",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="OUT", help="Write tables, mask, overlay and case record."),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier output.")]
ParticipantsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Heights (CSV, TSV, XLSX), as for `glutseg run`.")
]


@app.command(epilog=examples("export"))
def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The output folder of a run.")],
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT,...",
            help="seg, sr, rtstruct, nifti, nrrd, parquet; several with commas.",
            callback=_formats,
            autocompletion=_complete_format,
        ),
    ],
    folder: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="The folder to write [OUT/export]."),
    ] = None,
    input_path: Annotated[
        Path | None,
        typer.Option("--input", metavar="FOLDER", help="Folder of the images, if they were moved."),
    ] = None,
    values: Annotated[
        ValuesOption,
        typer.Option(metavar="corrected|automatic", help="With reviewers' corrections, or automatic only."),
    ] = ValuesOption.CORRECTED,
    store: Annotated[
        str,
        typer.Option(metavar="dicomweb+https://HOST/ROOT", help="Send SEG and SR to this server as well."),
    ] = "",
    ca: CaOption = "",
    insecure_http: InsecureOption = False,
) -> None:
    """Write a run's masks and areas as DICOM SEG, SR, RTSTRUCT, NIfTI or NRRD, its table as Parquet."""
    with user_errors():
        from glutseg import terminal
        from glutseg.cli.exchange_shown import show_exported
        from glutseg.cli.pacs import Access, export_from, show_stored, store_export

        access = Access(ca, insecure_http)
        if store and (folder or not {*formats} <= {"seg", "sr"}):
            raise typer.BadParameter("--store needs the formats seg and sr, and OUT/export as folder")
        with terminal.progress() as bar:
            if store:
                stored = store_export(out, store, access, formats, input_path, values.value, bar)
            else:
                done = export_from(out, access, formats, folder, input_path, values.value, bar)
        if store:
            show_stored(stored)
            raise typer.Exit(0 if not stored.left_out else SOME_DONE if stored.stored else NOTHING_DONE)
        show_exported(done)
    if done.left_out:
        raise typer.Exit(SOME_DONE if done.files else NOTHING_DONE)


@app.command(epilog=examples("measure"))
def measure(
    input_path: SeriesArgument,
    mask: Annotated[
        Path, typer.Option(metavar="FILE", help="NIfTI, NRRD, MHA, DICOM SEG or RTSTRUCT of this patient.")
    ],
    label: LabelOption = None,
    labels: LabelsOption = None,
    level: LevelOption = None,
    protocol: ProtocolOption = "femoral-head-top",
    series: UidOption = None,
    participants: ParticipantsOption = None,
    out: OutOption = None,
    overwrite: OverwriteOption = False,
    strict: StrictOption = True,
    as_json: JsonOption = False,
) -> None:
    """Measure a mask from another program like glutseg's own; for many: `glutseg run --masks`."""
    with user_errors():
        from glutseg import dicom, terminal
        from glutseg.exchange.assign import parse_labels
        from glutseg.exchange.given_run import GivenRun
        from glutseg.exchange.measure_mask import load_series, measure_mask
        from glutseg.output.folder import check
        from glutseg.protocol import load_protocol

        label_terms, table = parse_labels(label or []), _participants(participants)
        rule = load_protocol(protocol)
        if out is not None:
            check(out, overwrite=overwrite)
        with terminal.progress() as bar:
            index = dicom.scan(input_path, progress=bar.scanning)
            measured = measure_mask(
                load_series(index, series),
                mask,
                label_terms,
                label_map=None if labels is None else labels.value,
                protocol=rule,
                level=level,
                participants=table,
            )
        run = GivenRun(input_path, measured, table)
        status = _finish(run, out, overwrite=overwrite, as_json=as_json)
    raise typer.Exit(_exit_code(status, strict=strict))


def _participants(file: Path | None) -> Participants | None:
    from glutseg.measurement import read_participants

    return None if file is None else read_participants(file, None)


def _finish(run: GivenRun, out: Path | None, *, overwrite: bool, as_json: bool) -> Status:
    """Write and print the measurements; return the status."""
    from glutseg.cli.exchange_shown import show_given
    from glutseg.exchange.given_run import result_json, write_given

    row = run.row if out is None else write_given(out, run, overwrite=overwrite)
    if as_json:
        typer.echo(result_json(row, run.measured))
    else:
        show_given(row, out)
    return row.result.status


def _exit_code(status: Status, *, strict: bool) -> int:
    """As of a run with this one study."""
    if status == "review":
        return SOME_DONE if strict else 0
    return 0 if status == "ok" else NOTHING_DONE


@app.command("import-osirix", epilog=examples("import-osirix"))
def import_osirix(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or XML file of the plug-in ExportROIs.")],
    input_path: SeriesArgument,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="NAME=left", help="Meaning of an ROI whose name does not say it."),
    ] = None,
    level: LevelOption = None,
    protocol: ProtocolOption = "femoral-head-top",
    series: UidOption = None,
    participants: ParticipantsOption = None,
    out: OutOption = None,
    overwrite: OverwriteOption = False,
    strict: StrictOption = True,
    as_json: JsonOption = False,
) -> None:
    """Import ROIs drawn in OsiriX or Horos onto their images, and measure them again."""
    with user_errors():
        from glutseg import dicom, terminal
        from glutseg.cli.exchange_shown import show_readings
        from glutseg.exchange.assign import parse_labels
        from glutseg.exchange.given_run import GivenRun
        from glutseg.exchange.measure_mask import load_series
        from glutseg.exchange.osirix import assign_readings, measure_readings, readings
        from glutseg.exchange.osirix_files import read_rois
        from glutseg.exchange.osirix_table import lines_of, readings_json, write_readings
        from glutseg.output.folder import check
        from glutseg.protocol import load_protocol

        label_terms = parse_labels(label or [])
        rule, table = load_protocol(protocol), _participants(participants)
        rois = read_rois(file)
        if out is not None:
            check(out, overwrite=overwrite)
        with terminal.progress() as bar:
            index = dicom.scan(input_path, progress=bar.scanning)
        loaded = load_series(index, series)
        found, n_left_out = readings(rois, loaded)
        terms = assign_readings(found, label_terms) if out is not None or label_terms else {}
        lines = lines_of(found, terms)
        if as_json:
            typer.echo(readings_json(lines))
        else:
            show_readings(lines, n_left_out)
        status: Status = "ok"
        if out is not None:
            measured = measure_readings(loaded, file, terms, protocol=rule, level=level, participants=table)
            run = GivenRun(input_path, measured, table)
            status = _finish(run, out, overwrite=overwrite, as_json=False)
            write_readings(out, lines)
    raise typer.Exit(_exit_code(status, strict=strict))
