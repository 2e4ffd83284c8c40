"""Options and steps of the commands that use a server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glutseg.errors import GlutsegError, require_extra

if TYPE_CHECKING:
    from glutseg.exchange.export import Exported
    from glutseg.pacs import PacsQuery, Server
    from glutseg.pacs.store import StoreResult
    from glutseg.review.collate import Values
    from glutseg.terminal import Bar

SourceArgument = Annotated[
    str,
    typer.Argument(metavar="INPUT", help="A folder of DICOM files, a zip, or dicomweb+https://HOST/ROOT."),
]
QueryOption = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Search for studies: StudyDescription=*PELVIS*; may be repeated."),
]
CaOption = Annotated[
    str, typer.Option(metavar="FILE", help="File of trusted certificates, for a server of your hospital.")
]
InsecureOption = Annotated[
    bool,
    typer.Option("--insecure-http", help="Allow dicomweb+http:// to another host, unencrypted."),
]


@dataclass(frozen=True)
class Access:
    """Options for connecting to servers."""

    ca: str = ""
    insecure_http: bool = False

    def server(self, address: str) -> Server:
        """Return the server at an address, without connecting to it.

        Raises
        ------
        GlutsegError
            ``extra-missing`` and those of `glutseg.pacs.read_address`.
        """
        from glutseg.pacs import read_address

        require_extra("pacs", "requests", "dicomweb_client")
        return read_address(address, ca=self.ca, allow_http=self.insecure_http)


def server_query(server: Server, query: list[str] | None) -> PacsQuery:
    """Parse the query of a run."""
    from glutseg.pacs import PacsQuery
    from glutseg.pacs.query import parse_query

    return PacsQuery(server, parse_query(query or []))


def store_run(out: Path, server: Server, bar: Bar) -> StoreResult:
    """Store SEG and SR of every measured case of a run on the server of its images."""
    from glutseg.pacs.store import store

    return store(out, server, source=server, progress=bar.scanning)


def store_export(
    out: Path,
    address: str,
    access: Access,
    formats: list[str],
    input_path: Path | None,
    values: Values,
    bar: Bar,
) -> StoreResult:
    """Store SEG and SR of a run on the server at an address."""
    from glutseg.pacs.store import store

    server = access.server(address)
    source = None if input_path else _source(out, access)
    if source is not None and source.url == server.url:
        source = server
    return store(
        out,
        server,
        formats,  # type: ignore[arg-type]
        source=source,
        input_path=input_path,
        values=values,
        progress=bar.scanning,
    )


def export_from(
    out: Path,
    access: Access,
    formats: list[str],
    folder: Path | None,
    input_path: Path | None,
    values: Values,
    bar: Bar,
) -> Exported:
    """Export a run; if its images are on a server, their headers are fetched."""
    from glutseg import review
    from glutseg.exchange.export import Exported, export

    source = None if input_path else _source(out, access)
    if source is None or not {*formats} & {"seg", "sr", "rtstruct"}:
        return export(out, formats, folder, input_path=input_path, values=values, progress=bar.scanning)  # type: ignore[arg-type]

    from glutseg.pacs.store import headers_of

    with headers_of(out, source, review.final_rows(out, values)) as (headers, missing):
        done = export(out, formats, folder, input_path=headers, values=values, progress=bar.scanning)  # type: ignore[arg-type]
    errors = {name: (name, error.code, error.message) for name, error in missing.items()}
    return Exported(done.files, tuple(errors.get(one[0], one) for one in done.left_out))


def _source(out: Path, access: Access) -> Server | None:
    """Return the server of a run's images, if they came from one."""
    from glutseg.output.folder import run_record
    from glutseg.pacs import is_address

    recorded = str(run_record(out).get("input", ""))
    return access.server(recorded) if is_address(recorded) else None


def show_stored(stored: StoreResult | None) -> None:
    """Print the result of storing, if anything was to be stored."""
    from glutseg import terminal
    from glutseg.output.text import plain

    if stored is None:
        return
    summary = f"{len(stored.stored)} cases stored"
    if stored.kept:
        summary += f", {len(stored.kept)} were stored before"
    terminal.print_lines([f"not stored: {plain(n)}: {c}: {plain(m)}" for n, c, m in stored.left_out], summary)


def stored_json(stored: StoreResult) -> dict[str, Any]:
    """The result of storing, for the JSON object of a run."""
    left_out = [dict(zip(("case_id", "code", "message"), one, strict=True)) for one in stored.left_out]
    return {"stored": {"cases": list(stored.stored), "before": list(stored.kept), "left_out": left_out}}


def refuse_options(
    *, remote: bool, query: bool, store: bool, scheduler: bool, pseudonyms: bool, masks: bool
) -> None:
    """Raise an error for options that cannot be combined.

    Raises
    ------
    BadParameter
    GlutsegError
        ``export-pseudonymised``, ``extra-missing``.
    """
    if not remote and (query or store):
        raise typer.BadParameter("--query and --store need dicomweb+https://HOST/ROOT as INPUT")
    if remote and scheduler:
        raise typer.BadParameter("a cluster measures files that its workers see; download the studies first")
    if remote and masks:
        raise typer.BadParameter("given masks are measured on files; download the studies first")
    if store and pseudonyms:
        raise GlutsegError("export-pseudonymised", "a run with pseudonyms cannot be stored")
    if store:  # reported now, not after hours of measuring
        require_extra("dicom", "highdicom")
