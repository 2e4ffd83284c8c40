"""Further commands: protocols, phantom, review, grow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glutseg.cli.examples import examples
from glutseg.cli.frame import app, user_errors
from glutseg.errors import GlutsegError
from glutseg.installation import install_command


@app.command(epilog=examples("protocols"))
def protocols(
    name: Annotated[str | None, typer.Argument(help="Print this protocol as a file to start from.")] = None,
) -> None:
    """List the protocols, or print one."""
    with user_errors():
        from glutseg import terminal
        from glutseg.protocol import builtin_protocols, load_protocol, to_toml

        if name is None:
            terminal.print_protocols([load_protocol(known) for known in builtin_protocols()])
        else:
            typer.echo(to_toml(load_protocol(name)), nl=False)


@app.command(epilog=examples("phantom"))
def phantom(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write.")],
    sample: Annotated[
        bool,
        typer.Option(
            "--sample", help="Write the two small patients of sample_dicom/; other options are ignored."
        ),
    ] = False,
    cohort: Annotated[
        bool,
        typer.Option(
            "--cohort",
            help="Write 24 patients in two groups, with participants.csv; other options are ignored.",
        ),
    ] = False,
    patients: Annotated[int, typer.Option(min=1, max=1000, help="Number of patients.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random patients.")] = 1,
    pixel_mm: Annotated[float, typer.Option(min=0.2, max=5, help="Pixel size.")] = 0.8,
    slice_mm: Annotated[float, typer.Option(min=0.3, max=20, help="Slice thickness and spacing.")] = 3.0,
    matrix: Annotated[int, typer.Option(min=8, max=2048, help="Rows and columns.")] = 512,
    noise_hu: Annotated[float, typer.Option(min=0, max=200, help="Standard deviation of the noise.")] = 12.0,
) -> None:
    """Write synthetic pelvis CT studies with known areas (truth.json) to OUT."""
    with user_errors():
        from glutseg import terminal
        from glutseg.phantom import PhantomScan, random_patients, write_cohort, write_sample, write_studies

        scan = PhantomScan(matrix=matrix, pixel_mm=pixel_mm, slice_mm=slice_mm, noise_hu=noise_hu)
        with terminal.progress() as bar:
            if sample:
                folders = write_sample(out, bar.rendering)
            elif cohort:
                folders = write_cohort(out, progress=bar.rendering)
            else:
                chosen = list(random_patients(patients, seed))
                folders = write_studies(out, chosen, scan, masks=True, progress=bar.rendering)
    typer.echo(f"{len(folders)} studies in {out}; their true areas are in truth.json")


@app.command(epilog=examples("review"))
def review(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The output folder of a run.")],
    reviewer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the reviewer, by default the user name.")
    ] = None,
    input_path: Annotated[
        Path | None, typer.Option("--input", metavar="DIR", help="Folder of the images, if they were moved.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--pseudonymise", metavar="KEYFILE", help="Key file of a run with pseudonyms."),
    ] = None,
) -> None:
    """Open the run in OUT in the viewer, to check and correct outlines and record decisions."""
    with user_errors():
        try:
            from glutseg.viewer.review_launcher import login_name, open_review
            from glutseg.viewer.review_widget import RunPlace
        except ImportError as error:  # napari, or a library of the system that Qt needs
            message = (
                f"its libraries are not installed ({error}); the command is: {install_command('viewer')}"
            )
            raise GlutsegError("viewer-missing", message) from error
        open_review(RunPlace(out, login_name() if reviewer is None else reviewer, input_path, key))


@app.command(epilog=examples("grow"))
def grow(
    input_path: Annotated[Path, typer.Argument(metavar="SERIES", help="A folder or file of one CT series.")],
    seed: Annotated[
        str,
        typer.Option(
            metavar="X,Y[,Z]",
            help="Column, row, slice of the stored image, counted from 0; slices in the order of mask files.",
        ),
    ],
    method: Annotated[
        str, typer.Option(metavar="METHOD", help="interval, bounds, neighborhood or confidence.")
    ] = "interval",
    is_3d: Annotated[
        bool, typer.Option("--3d", help="Grow through all slices, not only in the seed's.")
    ] = False,
    z_mm: Annotated[float | None, typer.Option(help="LPS height of the seed's slice, instead of Z.")] = None,
    interval: Annotated[float | None, typer.Option(help="interval: full width in HU [100].")] = None,
    lower: Annotated[float | None, typer.Option(help="bounds, neighborhood: lowest HU.")] = None,
    upper: Annotated[float | None, typer.Option(help="bounds, neighborhood: highest HU.")] = None,
    radius: Annotated[int | None, typer.Option(help="neighborhood: radius in pixels [2].")] = None,
    multiplier: Annotated[float | None, typer.Option(help="confidence: multiplier of the SD [2.5].")] = None,
    iterations: Annotated[int | None, typer.Option(help="confidence: iterations [5].")] = None,
    initial_radius: Annotated[int | None, typer.Option(help="confidence: radius at the seed [2].")] = None,
    series_uid: Annotated[
        str | None, typer.Option(metavar="UID", help="The series to use, if there are several.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.nii.gz", help="Write the mask (1 inside).")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.nii.gz.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Grow a region from a seed and print its measurements, like OsiriX."""
    with user_errors():
        from glutseg import dicom, terminal
        from glutseg.dicom.single import single_series
        from glutseg.measurement.grown import grow_and_read_out, stored_seed
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
            chosen = single_series(dicom.scan(input_path, progress=bar.scanning), series_uid)
        image = dicom.read(chosen, bridge=False)
        region = grow_and_read_out(image, stored_seed(xyz, image, z_mm), settings, is_3d=is_3d)
        if out is not None:
            write_mask(out, region)
        if as_json:
            typer.echo(grown_json(region, chosen.series_uid, image.flags, out))
        else:
            terminal.print_region(region, image.flags, out)
