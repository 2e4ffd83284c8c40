"""The commands of a run: scan, run, status, collate."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glutseg.cli.examples import examples
from glutseg.cli.exchange import LabelOption, Labels, LabelsOption
from glutseg.cli.frame import (
    NOTHING_DONE,
    SOME_DONE,
    InputArgument,
    JsonOption,
    ProtocolOption,
    SeriesOption,
    StrictOption,
    app,
    print_json,
    user_errors,
)
from glutseg.cli.pacs import CaOption, InsecureOption, QueryOption, SourceArgument

if TYPE_CHECKING:
    from glutseg.batch import Measurer

DECISIONS = ("accepted", "corrected", "rejected")
MAX_NAMED = 5
"""Cases listed by name in a line."""


class Retry(StrEnum):
    """Cases that ``--retry`` measures again."""

    FAILED = "failed"


LevelOption = Annotated[
    str | None,
    typer.Option(metavar="LEVEL", help="Another level: a landmark, z=MM or slice=N (from 0)."),
]
ParticipantsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Heights (CSV, TSV, XLSX): patient_id and height_m, _cm, ...; FILE.xlsx#SHEET."
    ),
]
ColumnsOption = Annotated[
    str,
    typer.Option(
        metavar="NAME=COLUMN,...", help="Names of its columns: patient_id=Fallnummer,height_cm=Größe"
    ),
]
AcceptOption = Annotated[
    bool,
    typer.Option("--accept-unmatched", help="Go on where the participants table does not fit the studies."),
]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        metavar="KEYFILE",
        help="Write pseudonyms for ids, UIDs and paths; a new key file is written if needed.",
    ),
]
JobsOption = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        min=0,
        max=256,
        envvar="GLUTSEG_JOBS",
        help="Number of processes: studies measured, or headers read, at the same time.",
    ),
]
SchedulerOption = Annotated[
    str,
    typer.Option(
        metavar="tcp://HOST:PORT",
        help="Measure on a Dask cluster, which must be trusted with code; docs/how-to/cluster.md.",
    ),
]
OutlinerOption = Annotated[
    str,
    typer.Option(metavar="NAME", help="Outliner: glutseg, or totalsegmentator if it is installed."),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        metavar="gpu|cpu|...",
        help="Device of another outliner: gpu, gpu:N, cpu or mps [gpu if there is one].",
    ),
]
MasksOption = Annotated[
    str,
    typer.Option(
        metavar="PATTERN",
        help="Measure given masks: DIR/{patient_id}.nii.gz; also {case_id}, {study_date}, {study_uid}.",
    ),
]


@app.command(epilog=examples("run"))
def run(
    source: SourceArgument,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="The folder to write.")],
    protocol: ProtocolOption = "femoral-head-top",
    level: LevelOption = None,
    series: SeriesOption = None,
    participants: ParticipantsOption = None,
    participants_columns: ColumnsOption = "",
    accept_unmatched: AcceptOption = False,
    pseudonymise: KeyOption = None,
    muscles: Annotated[
        bool, typer.Option("--muscles", help="Measure gluteus medius and minimus as well.")
    ] = False,
    volume: Annotated[
        bool, typer.Option("--whole-muscle", help="Whole muscles: volumes, full profile, every named level.")
    ] = False,
    outliner: OutlinerOption = "glutseg",
    device: DeviceOption = "",
    masks: MasksOption = "",
    label: LabelOption = None,
    labels: LabelsOption = None,
    jobs: JobsOption = 1,
    scheduler: SchedulerOption = "",
    timeout_minutes: Annotated[
        float, typer.Option(min=0.01, help="Time limit for a study, which then fails.")
    ] = 30.0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in OUT: measure missing and new studies.")
    ] = False,
    retry: Annotated[
        Retry | None, typer.Option(metavar="failed", help="Go on, and measure failed studies again.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run's output.")] = False,
    keep_reviews: Annotated[
        bool, typer.Option("--keep-reviews", help="With --overwrite: keep the reviewers' decisions.")
    ] = False,
    query: QueryOption = None,
    store: Annotated[
        bool, typer.Option("--store", help="Store SEG and SR of each measured study on the server.")
    ] = False,
    ca: CaOption = "",
    insecure_http: InsecureOption = False,
    strict: StrictOption = True,
    as_json: JsonOption = False,
) -> None:
    """Measure every study in INPUT and write tables, masks and overlays to OUT."""
    with user_errors():
        from glutseg import batch, pacs, terminal
        from glutseg.batch.summary_json import summary_json
        from glutseg.cli import pacs as server_options
        from glutseg.measurement import parse_columns, read_participants
        from glutseg.protocol import load_protocol

        if overwrite and (resume or retry):
            raise typer.BadParameter("--overwrite cannot be combined with --resume or --retry")
        server_options.refuse_options(
            remote=pacs.is_address(source),
            query=bool(query),
            store=store,
            scheduler=bool(scheduler),
            pseudonyms=pseudonymise is not None,
            masks=bool(masks),
        )
        server = server_options.Access(ca, insecure_http).server(source) if pacs.is_address(source) else None
        rule = load_protocol(protocol, level=level, series=series or (), muscles=muscles, whole_muscle=volume)
        measurer = _measurer(outliner, device, masks, label or [], labels, level)
        columns = parse_columns(participants_columns)
        table = None if participants is None else read_participants(participants, columns)
        options = batch.RunOptions(
            jobs=jobs,
            scheduler=scheduler,
            timeout_s=timeout_minutes * 60,
            overwrite=overwrite,
            resume=resume or bool(retry),
            retry_failed=bool(retry),
            keep_reviews=keep_reviews,
            accept_unmatched=accept_unmatched,
        )
        with terminal.progress() as bar:
            summary = batch.run_folder(
                Path(source) if server is None else server_options.server_query(server, query),
                out,
                rule,
                table,
                options=options,
                key_file=pseudonymise,
                scan_progress=bar.scanning,
                progress=bar.measuring,
                on_start=bar.started,
                measurer=measurer,
            )
            stored = server_options.store_run(out, server, bar) if server and store else None
        if as_json:
            print_json(
                summary_json(summary, rule.extent)
                | ({} if stored is None else server_options.stored_json(stored))
            )
        else:
            terminal.print_summary(summary)
            server_options.show_stored(stored)
    code = summary.exit_code if strict else summary.lenient_exit_code
    raise typer.Exit(code or (SOME_DONE if stored and stored.left_out else 0))


def _measurer(
    outliner: str, device: str, masks: str, label: list[str], labels: Labels | None, level: str | None
) -> Measurer:
    """Return the measurer for the options."""
    from glutseg import batch
    from glutseg.segmentation import named_outliner

    if masks:
        from glutseg.exchange import GivenMasks, parse_labels

        if outliner != "glutseg" or device:
            raise typer.BadParameter("--masks cannot be combined with --outliner or --device")
        masks = str(Path(masks).absolute())  # workers on other machines have another current folder
        return GivenMasks(masks, parse_labels(label), None if labels is None else labels.value, level)
    if label or labels:
        raise typer.BadParameter("--label and --labels need --masks")
    return batch.Automatic(named_outliner(outliner, device))


@app.command(epilog=examples("status"))
def status(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The output folder of a run.")],
    as_json: JsonOption = False,
) -> None:
    """Show the progress of the run in OUT, the remaining time, and failures with reasons."""
    with user_errors():
        from glutseg import terminal
        from glutseg.batch.status import read_status

        found = read_status(out)
        if as_json:
            print_json(found.to_json())
        else:
            terminal.print_status(found)


@app.command(epilog=examples("collate"))
def collate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The output folder of a run.")],
    reviewer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help='Use only the decisions of this reviewer from now on; "" for all.'),
    ] = None,
) -> None:
    """Write the tables of the run in OUT again, with the reviewers' decisions."""
    with user_errors():
        from glutseg import review

        if reviewer is not None:
            review.choose(out, reviewer)
        tally = review.Collator(out).collate()
        counts = {word: tally.decisions.get(word, 0) for word in DECISIONS}
    decisions = ", ".join(f"{n} {word}" for word, n in counts.items())
    n_open = len(tally.case_ids) - sum(counts.values())
    typer.echo(
        f"{len(tally.case_ids)} cases: {decisions}, {n_open} without a decision; the tables are written"
    )
    if tally.damaged:
        named = ", ".join(tally.damaged[:MAX_NAMED]) + (" ..." if len(tally.damaged) > MAX_NAMED else "")
        typer.echo(
            f"records are damaged or were changed: {named}; "
            "`glutseg run ... --resume` measures these studies again"
        )
        raise typer.Exit(SOME_DONE)


@app.command(epilog=examples("scan"))
def scan(
    input_path: InputArgument,
    protocol: ProtocolOption = "femoral-head-top",
    series: SeriesOption = None,
    index: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep the headers there: the next scan reads only new and changed files."
        ),
    ] = None,
    jobs: JobsOption = 1,
    strict: StrictOption = True,
    as_json: JsonOption = False,
) -> None:
    """List the series in INPUT with geometry, and which would be measured and why."""
    with user_errors():
        from glutseg import dicom, terminal
        from glutseg.listing import list_series
        from glutseg.protocol import load_protocol

        rule = load_protocol(protocol, series=series or ())
        with dicom.temporary_index() as temporary:
            with terminal.progress() as bar:
                found = dicom.scan(
                    input_path, progress=bar.scanning, index_file=index or temporary, jobs=jobs
                )
            found.check_not_empty()
            dicom.check_requested_series(found, rule.series)
            listing = list_series(found, rule.series)
        if as_json:
            print_json(listing)
        else:
            terminal.print_listing(listing)
    n_usable = len({row["case_id"] for row in listing["series"] if row["rank"]})
    if n_usable < len(found.studies) or (strict and listing["problems"]):
        raise typer.Exit(SOME_DONE if n_usable else NOTHING_DONE)
