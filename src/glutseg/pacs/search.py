"""Search a server for studies and their series (QIDO-RS)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from glutseg.dicom import FileProblem, Index, Source, Study
from glutseg.errors import GlutsegError
from glutseg.pacs.dicom_json import Item, is_uid, items_of, number_of, text_of, uid_of
from glutseg.pacs.headers import placeholder_series
from glutseg.pacs.model import (
    NoAccessError,
    NotFoundError,
    RemoteSeries,
    RemoteStudy,
    SearchResult,
    Server,
    UnreachableError,
)
from glutseg.pacs.query import mismatched_key
from glutseg.pacs.transfer import Connection

PAGE = 200
"""Number of results per request."""
MAX_RESULTS = 100_000
"""Limit of results of one search."""
STUDY_FIELDS = ("StudyInstanceUID", "PatientID", "StudyDate", "ModalitiesInStudy")
SERIES_FIELDS = ("Modality", "SeriesDescription", "NumberOfSeriesRelatedInstances")

Progress = Callable[[int, int], None]
GetPage = Callable[[int], list[Item]]
"""Returns the results from an offset on."""


def find(server: Server, query: Mapping[str, str], progress: Progress | None = None) -> SearchResult:
    """Search for studies that match a query, and list their series.

    Parameters
    ----------
    query : keyword to value, as from `glutseg.pacs.query.parse_query`; restricted to CT studies unless it
        contains ModalitiesInStudy
    progress : called with (number of studies listed, total number)

    Raises
    ------
    GlutsegError
        ``input-empty``, ``pacs-incomplete`` and those of `glutseg.pacs.transfer.Connection`.
    """
    connection = Connection(server)
    client = client_of(server, connection)
    filters = {"ModalitiesInStudy": "CT", **query}

    def studies(offset: int) -> list[Item]:
        fields = sorted({*STUDY_FIELDS, *query})
        return items_of(
            client.search_for_studies(limit=PAGE, offset=offset, fields=fields, search_filters=filters)
        )

    listed = all_pages(studies, connection, "StudyInstanceUID")
    valid = [item for item in listed if is_uid(text_of(item, "StudyInstanceUID"))]
    matching = [item for item in valid if not mismatched_key(item, query)]
    if not matching:
        raise GlutsegError("input-empty", "no study on the server matches the query", server.address)
    remote_studies = []
    for n_listed, item in enumerate(matching, start=1):
        remote_studies.append(_with_series(_remote_study(server, item), client, connection))
        if progress:
            progress(n_listed, len(matching))
    index = Index(
        root=Path(server.address),
        studies=tuple(
            sorted((_index_study(one) for one in remote_studies), key=lambda s: (s.patient_id, s.study_uid))
        ),
        problems=(
            *_problem(server, "pacs-query-ignored", len(valid) - len(matching), "do not match the query"),
            *_problem(server, "pacs-answer-invalid", len(listed) - len(valid), "have no valid UID"),
        ),
        n_files=sum(series.n_images for one in remote_studies for series in one.series or ()),
    )
    return SearchResult(server, index, {one.study_uid: one for one in remote_studies})


def list_series(remote_study: RemoteStudy, client: Any, connection: Connection) -> tuple[RemoteSeries, ...]:
    """Return the series of a study as listed by the server.

    Raises
    ------
    GlutsegError
        As `find`.
    """

    def get_page(offset: int) -> list[Item]:
        return items_of(
            client.search_for_series(
                remote_study.study_uid, limit=PAGE, offset=offset, fields=list(SERIES_FIELDS)
            )
        )

    found = all_pages(get_page, connection, "SeriesInstanceUID")
    return tuple(
        RemoteSeries(
            uid_of(item, "SeriesInstanceUID"),
            text_of(item, "Modality"),
            text_of(item, "SeriesDescription"),
            number_of(item, "NumberOfSeriesRelatedInstances"),
        )
        for item in sorted(found, key=lambda item: text_of(item, "SeriesInstanceUID"))
    )


def client_of(server: Server, connection: Connection) -> Any:
    """Return a dicomweb-client that sends all requests through ``connection``."""
    from dicomweb_client import DICOMwebClient

    client = DICOMwebClient(server.url, session=connection, permissive_uid=True)  # type: ignore[arg-type]
    client.set_http_retry_params(retry=False)  # `Connection` retries itself
    return client


def all_pages(get_page: GetPage, connection: Connection, keyword: str) -> list[Item]:
    """Return every result once, also from a server that ignores limit and offset.

    If a server returns all its results with every page, they are used once. If it returns the same page again
    and has more results, that is an error, because some would be missing unnoticed.
    """
    known: dict[str, Item] = {}
    while len(known) < MAX_RESULTS:
        try:
            page = get_page(len(known))
        except NotFoundError:
            if known:  # there is no such page
                break
            raise
        n_before = len(known)
        for item in page:
            known.setdefault(text_of(item, keyword), item)
        if not page:
            break
        if len(known) == n_before:
            if connection.has_more_results or len(page) == PAGE:
                raise GlutsegError(
                    "pacs-incomplete", f"it returns the same {len(page)} results for every page"
                )
            break
    else:
        raise GlutsegError("pacs-incomplete", f"there are more than {MAX_RESULTS} results")
    return list(known.values())


def _remote_study(server: Server, item: Item) -> RemoteStudy:
    return RemoteStudy(
        server=server,
        study_uid=uid_of(item, "StudyInstanceUID"),
        patient_id=text_of(item, "PatientID"),
        study_date=text_of(item, "StudyDate"),
    )


def _with_series(remote_study: RemoteStudy, client: Any, connection: Connection) -> RemoteStudy:
    try:
        return replace(remote_study, series=list_series(remote_study, client, connection))
    except (NoAccessError, UnreachableError):  # every other study would fail as well
        raise
    except GlutsegError:
        return remote_study  # tried again when the study is measured, and then its failure


def _index_study(remote_study: RemoteStudy) -> Study:
    """Return a study known only from the search result.

    Only its CT series are included: results stored by an earlier run must not change the study for a resume.
    """
    series = tuple(placeholder_series(one) for one in remote_study.series or () if one.may_be_ct)
    return Study(remote_study.study_uid, remote_study.patient_id, remote_study.study_date, "", series)


def _problem(server: Server, code: str, n: int, reason: str) -> tuple[FileProblem, ...]:
    message = f"{n} studies {reason}; they were left out"
    return (FileProblem(Source(Path(server.address)), code, message),) if n else ()
