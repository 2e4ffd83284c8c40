"""The command line: a door to the rooms, holding no science.

Slow libraries are imported inside the commands, so that ``glutseg --help`` answers at once.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from glutseg.errors import GlutsegError

NOTHING_DONE = 1
"""Exit code when nothing could be done; 0 is all measured, 2 is some to review or failed."""

STOPPED = 130
"""Exit code after Ctrl-C or a request to end, as shells have it (128 + SIGINT)."""


class Retry(StrEnum):
    """What ``--retry`` measures again."""

    FAILED = "failed"


app = typer.Typer(
    help="Gluteus maximus area on pelvic CT, from a DICOM folder to a table. Research use only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

InputArgument = Annotated[Path, typer.Argument(metavar="INPUT", help="A folder of DICOM files, or a zip.")]
SeriesOption = Annotated[
    list[str] | None,
    typer.Option("--series", metavar="UID", help="Measure this series of its study; may be repeated."),
]
ProtocolOption = Annotated[
    str, typer.Option("--protocol", "-p", metavar="NAME|FILE.toml", help="What to measure and how.")
]


def main() -> None:
    """Entry point: user errors and wrong options end with one line and exit code 1."""
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        error.show()  # type: ignore[attr-defined]
        code = NOTHING_DONE
    except typer.Abort:
        code = NOTHING_DONE
    sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def _user_errors() -> Iterator[None]:
    """A `GlutsegError` as one line on stderr instead of a traceback."""
    from glutseg.terminal import print_error

    # header text that a library warns about would reach the terminal as it is
    warnings.simplefilter("ignore")
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    try:
        yield
    except GlutsegError as error:
        print_error(error)
        raise typer.Exit(NOTHING_DONE) from error
    except KeyboardInterrupt as stop:
        typer.echo("glutseg: stopped; what is done is kept, `glutseg run ... --resume` goes on", err=True)
        raise typer.Exit(STOPPED) from stop


@app.command()
def run(
    input_path: InputArgument,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="The folder to write.")],
    protocol: ProtocolOption = "femoral-head-top",
    level: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", help="Another level: a landmark, z=MM or slice=N (from 0)."),
    ] = None,
    series: SeriesOption = None,
    participants: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Heights (CSV, TSV, XLSX): patient_id and height_m, _cm, ..."),
    ] = None,
    participants_columns: Annotated[
        str,
        typer.Option(metavar="NAME=COLUMN,...", help="Its columns: patient_id=Fallnummer,height_cm=Größe"),
    ] = "",
    pseudonymise: Annotated[
        Path | None,
        typer.Option(
            metavar="KEYFILE", help="Pseudonyms for ids, UIDs and paths; a new key is written if needed."
        ),
    ] = None,
    muscles: Annotated[bool, typer.Option("--muscles", help="Gluteus medius and minimus as well.")] = False,
    volume: Annotated[
        bool, typer.Option("--volume", help="Whole muscles: volumes, full profile, every named level.")
    ] = False,
    jobs: Annotated[
        int,
        typer.Option("--jobs", "-j", min=0, max=256, envvar="GLUTSEG_JOBS", help="Processes, a study each."),
    ] = 1,
    timeout_minutes: Annotated[float, typer.Option(min=0.01, help="After which a study is given up.")] = 30.0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in OUT: what is missing, and new studies.")
    ] = False,
    retry: Annotated[
        Retry | None, typer.Option(metavar="failed", help="Go on, and measure again what failed.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run's output.")] = False,
) -> None:
    """Measure every study below INPUT and write tables, masks and pictures to OUT."""
    with _user_errors():
        from glutseg import batch, dicom, terminal
        from glutseg.measurement import parse_columns, read_participants
        from glutseg.output.folder import check
        from glutseg.output.pseudonym import pseudonymiser
        from glutseg.protocol import load_protocol, with_extent, with_level, with_series

        rule = with_extent(load_protocol(protocol), muscles=muscles, whole_muscle=volume)
        if series:
            rule = with_series(rule, series)
        if level is not None:
            rule = with_level(rule, level)
        columns = parse_columns(participants_columns)
        table = None if participants is None else read_participants(participants, columns)
        if overwrite and (resume or retry):
            raise typer.BadParameter("an earlier run is either replaced or gone on with")
        manner = batch.Manner(jobs, timeout_minutes * 60, overwrite, resume or bool(retry), bool(retry))
        check(out, overwrite=overwrite, resume=manner.resume)
        pseudonyms = None if pseudonymise is None else pseudonymiser(pseudonymise, out)
        with terminal.progress() as bar:
            index = dicom.scan(input_path, progress=bar.scanning)
            summary = batch.run(
                index, rule, table, out, manner=manner, pseudonyms=pseudonyms, progress=bar.measuring
            )
        terminal.print_summary(summary)
    raise typer.Exit(summary.exit_code)


@app.command()
def status(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The output folder of a run.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how far the run in OUT is, how long it may take, and what failed and why."""
    with _user_errors():
        from glutseg import terminal
        from glutseg.batch.status import read_status

        found = read_status(out)
        if as_json:
            typer.echo(json.dumps(found.to_json(), indent=1))
        else:
            terminal.print_status(found)


@app.command()
def scan(
    input_path: InputArgument,
    protocol: ProtocolOption = "femoral-head-top",
    series: SeriesOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the series below INPUT, their geometry, and which would be measured and why."""
    with _user_errors():
        from glutseg import dicom, terminal
        from glutseg.listing import list_series
        from glutseg.protocol import load_protocol, with_series

        rule = load_protocol(protocol)
        if series:
            rule = with_series(rule, series)
        with terminal.progress() as bar:
            index = dicom.scan(input_path, progress=bar.scanning)
        if not index.studies:
            raise GlutsegError("input-empty", "no DICOM image was found", str(input_path))
        dicom.check_asked(index, rule.series)
        listing = list_series(index, rule.series)
        if as_json:
            typer.echo(json.dumps(listing, indent=1))  # ASCII only: every control character is escaped
        else:
            terminal.print_listing(listing)
    if not any(row["rank"] for row in listing["series"]):
        raise typer.Exit(NOTHING_DONE)


@app.command()
def protocols(
    name: Annotated[str | None, typer.Argument(help="Show this one in full (a name or a file).")] = None,
) -> None:
    """List the protocols, or show one."""
    with _user_errors():
        from glutseg import terminal
        from glutseg.protocol import builtin_protocols, load_protocol

        if name is None:
            terminal.print_protocols([load_protocol(known) for known in builtin_protocols()])
        else:
            typer.echo(load_protocol(name).model_dump_json(indent=1))


@app.command()
def phantom(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write.")],
    sample: Annotated[
        bool, typer.Option("--sample", help="The two small patients of sample_dicom/; ignores the rest.")
    ] = False,
    patients: Annotated[int, typer.Option(min=1, max=1000, help="How many patients.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other patients.")] = 1,
    pixel_mm: Annotated[float, typer.Option(min=0.2, max=5, help="Pixel size.")] = 0.8,
    slice_mm: Annotated[float, typer.Option(min=0.3, max=20, help="Slice thickness and spacing.")] = 3.0,
    matrix: Annotated[int, typer.Option(min=8, max=2048, help="Rows and columns.")] = 512,
    noise_hu: Annotated[float, typer.Option(min=0, max=200, help="Standard deviation of the noise.")] = 12.0,
) -> None:
    """Write synthetic pelvis CT studies with known areas (truth.json) to OUT."""
    with _user_errors():
        from glutseg.phantom import PhantomScan, random_patients, write_sample, write_studies

        if sample:
            folders = write_sample(out)
        else:
            scan = PhantomScan(matrix=matrix, pixel_mm=pixel_mm, slice_mm=slice_mm, noise_hu=noise_hu)
            folders = write_studies(out, list(random_patients(patients, seed)), scan, masks=True)
    typer.echo(f"{len(folders)} studies in {out}; their true areas are in truth.json")


@app.command()
def grow(
    input_path: Annotated[Path, typer.Argument(metavar="SERIES", help="A folder or file of one CT series.")],
    seed: Annotated[
        str,
        typer.Option(
            metavar="X,Y[,Z]",
            help="Column, row, slice of the stored image, from 0; slices in the order of the mask files.",
        ),
    ],
    method: Annotated[
        str, typer.Option(metavar="METHOD", help="interval, bounds, neighborhood or confidence.")
    ] = "interval",
    is_3d: Annotated[bool, typer.Option("--3d", help="Through all slices, not the seed's alone.")] = False,
    z_mm: Annotated[float | None, typer.Option(help="The seed's slice by its LPS height.")] = None,
    interval: Annotated[float | None, typer.Option(help="interval: full width in HU [100].")] = None,
    lower: Annotated[float | None, typer.Option(help="bounds, neighborhood: lowest HU.")] = None,
    upper: Annotated[float | None, typer.Option(help="bounds, neighborhood: highest HU.")] = None,
    radius: Annotated[int | None, typer.Option(help="neighborhood: radius in pixels [2].")] = None,
    multiplier: Annotated[float | None, typer.Option(help="confidence: of the SD [2.5].")] = None,
    iterations: Annotated[int | None, typer.Option(help="confidence: iterations [5].")] = None,
    initial_radius: Annotated[int | None, typer.Option(help="confidence: radius at the seed [2].")] = None,
    series: Annotated[str | None, typer.Option(metavar="UID", help="This series of several.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.nii.gz", help="Write the mask, 1 inside.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.nii.gz.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Grow a region from one seed and read it out, as OsiriX does."""
    with _user_errors():
        from glutseg import api, dicom, terminal
        from glutseg.dicom.single import single_series
        from glutseg.output.grown import check_mask_file, grown_json, write_mask
        from glutseg.segmentation.growing import parse_seed, parse_settings

        settings = parse_settings(
            method,
            interval_hu=interval,
            lower_hu=lower,
            upper_hu=upper,
            radius_px=radius,
            multiplier=multiplier,
            iterations=iterations,
            initial_radius_px=initial_radius,
        )
        xyz = parse_seed(seed)
        check_mask_file(out, overwrite=overwrite)
        with terminal.progress() as bar:
            chosen = single_series(dicom.scan(input_path, progress=bar.scanning), series)
        loaded = dicom.read(chosen)
        region = api.grow(loaded.volume, xyz, z_mm=z_mm, is_3d=is_3d, **settings.model_dump())
        if out is not None:
            write_mask(out, region)
        if as_json:
            typer.echo(grown_json(region, chosen.series_uid, loaded.flags, out))
        else:
            terminal.print_region(region, loaded.flags, out)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"glutseg {version('glutseg')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


if __name__ == "__main__":
    main()
