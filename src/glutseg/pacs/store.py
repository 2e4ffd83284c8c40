"""Store segmentations and reports of a run on a server, each once (STOW-RS)."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from glutseg import review
from glutseg.errors import GlutsegError
from glutseg.exchange.export import SUFFIXES, export
from glutseg.output.atomic import write_text
from glutseg.output.folder import PROGRAM, run_record
from glutseg.output.json_file import read_json
from glutseg.output.schema import CaseRow
from glutseg.pacs.address import is_address
from glutseg.pacs.dicom_json import Item, text_of, values_of
from glutseg.pacs.fetch import private_folder
from glutseg.pacs.instances import fetch_headers
from glutseg.pacs.model import NoAccessError, RemoteStudy, Server
from glutseg.pacs.multipart import join_parts
from glutseg.pacs.search import client_of
from glutseg.pacs.transfer import Connection
from glutseg.review.collate import Values

STORED_JSON = "stored.json"
"""File in the run's folder with what each server confirmed; a new run keeps it, to store nothing twice."""
HEADERS = "headers"
FAILED, REFERENCED = "FailedSOPSequence", "ReferencedSOPSequence"
"""Sequences of the response (PS3.18, 10.5)."""

StoredFormat = Literal["seg", "sr"]
Progress = Callable[[int, int], None]
LeftOut = tuple[str, str, str]


@dataclass(frozen=True)
class StoreResult:
    """Result of storing.

    Attributes
    ----------
    stored : ids of the cases whose objects the server has confirmed now
    kept : ids of cases that it had confirmed before and that have not changed since
    left_out : (case id, code, reason) of every other case
    """

    stored: tuple[str, ...]
    kept: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def store(
    out: Path,
    server: Server,
    formats: Sequence[StoredFormat] = ("seg", "sr"),
    *,
    source: Server | None = None,
    input_path: Path | None = None,
    values: Values = "corrected",
    progress: Progress | None = None,
) -> StoreResult:
    """Write the objects of every measured case to ``OUT/export`` and store them on a server.

    Parameters
    ----------
    formats : a report (``sr``) includes its segmentation
    source : the server from which the run's images came, if they did
    input_path : folder of the images, if they were moved
    progress : called with (number of cases stored, total number)

    Raises
    ------
    GlutsegError
        Those of `glutseg.exchange.export`, and those that would stop every case: ``pacs-refused``,
        ``pacs-untrusted``, ``pacs-redirected``. Errors of one case are in `StoreResult.left_out`.
    """
    rows = {row.result.case_id: row for row in review.final_rows(out, values)}
    confirmed = _read(out)
    done = confirmed.setdefault(server.address, {})
    keys = {name: _content_key(out, row, formats) for name, row in rows.items()}
    kept = tuple(name for name in rows if rows[name].mask and done.get(name, {}).get("key") == keys[name])
    changed = [row for name, row in rows.items() if name not in kept]
    with headers_of(out, source, changed, input_path) as (folder, missing):
        names = [row.result.case_id for row in changed if row.result.case_id not in missing]
        exported = export(out, formats, input_path=folder, values=values, cases=names)
    left = [*((name, e.code, e.message) for name, e in missing.items()), *exported.left_out]
    ready = [name for name in names if name not in {one for one, _, _ in left}]
    connection, stored = Connection(server), []
    for n_done, name in enumerate(ready, start=1):
        files = [
            p for p in exported.files if p.name in {f"{name}{SUFFIXES['seg']}", f"{name}{SUFFIXES['sr']}"}
        ]
        try:
            uids = send(connection, server, [path.read_bytes() for path in files])
        except NoAccessError:
            raise
        except GlutsegError as error:
            if error.scope == "run":
                raise
            left.append((name, error.code, error.message))
        else:
            done[name] = {"key": keys[name], "objects": uids}
            _write(out, confirmed)
            stored.append(name)
        if progress:
            progress(n_done, len(ready))
    return StoreResult(tuple(stored), kept, tuple(left))


@contextmanager
def headers_of(
    out: Path, source: Server | None, rows: Sequence[CaseRow], input_path: Path | None = None
) -> Iterator[tuple[Path | None, dict[str, GlutsegError]]]:
    """Return the folder with the headers of a run's images, and the errors of cases without, for an export.

    For a run from a server the headers (no pixels) are fetched into a folder that is removed at the end.

    Raises
    ------
    GlutsegError
        ``pacs-address-invalid`` if a run's images are on a server and ``source`` is None.
    """
    recorded = str(run_record(out).get("input", ""))
    if input_path is not None or not is_address(recorded):
        yield input_path, {}
        return
    if source is None:
        raise GlutsegError("pacs-address-invalid", "the run's images are on a server, give its address")
    missing: dict[str, GlutsegError] = {}
    connection = Connection(source)
    client = client_of(source, connection)
    with private_folder(out, HEADERS) as folder:
        for number, row in enumerate(row for row in rows if row.mask and row.result.series):
            result = row.result
            remote_study = RemoteStudy(source, result.study_uid, result.patient_id)
            try:
                uid = result.series.series_uid if result.series else ""
                fetch_headers(remote_study, uid, folder / f"{number:05d}", client, connection)
            except NoAccessError:
                raise
            except GlutsegError as error:
                if error.scope == "run":
                    raise
                missing[result.case_id] = error
        yield folder, missing


def send(connection: Connection, server: Server, files: Sequence[bytes]) -> list[str]:
    """Store DICOM files; return their UIDs, which the server has all confirmed.

    Raises
    ------
    GlutsegError
        ``pacs-store-failed`` if it does not confirm every one, and those of `Connection`.
    """
    content_type, body = join_parts(files)
    response = connection.post(f"{server.url}/studies", body, content_type)
    content = response.json() if response.content else {}
    item: Any = content[0] if isinstance(content, list) and content else content
    failed, referenced = _objects(item, FAILED), _objects(item, REFERENCED)
    confirmed = {text_of(one, "ReferencedSOPInstanceUID") for one in referenced}
    uids = [_uid(file) for file in files]
    n_confirmed = len(confirmed.intersection(uids))
    if failed or n_confirmed < len(files):
        reasons = sorted({text_of(one, "FailureReason") or "no reason" for one in failed})
        cause = f", failure reason {', '.join(reasons)}" if reasons else ""
        raise GlutsegError("pacs-store-failed", f"{n_confirmed} of {len(files)} objects confirmed{cause}")
    return uids


def _uid(content: bytes) -> str:
    from pydicom import dcmread

    return str(dcmread(io.BytesIO(content), specific_tags=["SOPInstanceUID"]).SOPInstanceUID)


def _objects(item: Any, keyword: str) -> list[Item]:
    values = values_of(item, keyword) if isinstance(item, dict) else ()
    return [one for one in values if isinstance(one, dict)]


def _content_key(out: Path, row: CaseRow, formats: Sequence[StoredFormat]) -> str:
    """Digest of mask and measurements, without the date of the run, which a resume changes."""
    mask = out / row.mask if row.mask else None
    content = mask.read_bytes() if mask and mask.is_file() else b""
    figures = repr((sorted(formats), row.result, row.is_corrected)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(hashlib.sha256(content).digest() + figures).hexdigest()


def _read(out: Path) -> dict[str, dict[str, Any]]:
    try:
        content = read_json(out / STORED_JSON)
        servers = content["servers"]
        return {str(name): dict(cases) for name, cases in servers.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # missing or damaged: start again
        return {}


def _write(out: Path, servers: dict[str, dict[str, Any]]) -> None:
    content = {"program": PROGRAM, "servers": servers}
    write_text(out / STORED_JSON, json.dumps(content, indent=1, sort_keys=True) + "\n")
