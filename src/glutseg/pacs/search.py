"""QIDO-RS: which studies there are, and their series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from glutseg.dicom import FileProblem, Index, Source, Study
from glutseg.errors import GlutsegError
from glutseg.pacs.answers import Item, is_uid, items_of, number_of, text_of, uid_of
from glutseg.pacs.headers import stand_in
from glutseg.pacs.model import (
    Found,
    NoAccessError,
    NotFoundError,
    Origin,
    RemoteSeries,
    Server,
    UnreachableError,
)
from glutseg.pacs.query import belied
from glutseg.pacs.transfer import Line

PAGE = 200
"""Results asked for at once."""
MAX_RESULTS = 100_000
STUDY_FIELDS = ("StudyInstanceUID", "PatientID", "StudyDate", "ModalitiesInStudy")
SERIES_FIELDS = ("Modality", "SeriesDescription", "NumberOfSeriesRelatedInstances")

Progress = Callable[[int, int], None]
Ask = Callable[[int], list[Item]]


def find(server: Server, query: Mapping[str, str], progress: Progress | None = None) -> Found:
    """The studies that match a query, with their series.

    Parameters
    ----------
    query : keyword to value, as `glutseg.pacs.query.parse_query` gives it; CT studies only, unless it
        names ModalitiesInStudy itself
    progress : called with (studies listed, studies in all)

    Raises
    ------
    GlutsegError
        ``input-empty``, ``pacs-incomplete`` and those of `glutseg.pacs.transfer.Line`.
    """
    line = Line(server)
    client = client_of(server, line)
    asked = {"ModalitiesInStudy": "CT", **query}

    def studies(offset: int) -> list[Item]:
        fields = sorted({*STUDY_FIELDS, *query})
        return items_of(
            client.search_for_studies(limit=PAGE, offset=offset, fields=fields, search_filters=asked)
        )

    listed = _all_pages(studies, line, "StudyInstanceUID")
    named = [item for item in listed if is_uid(text_of(item, "StudyInstanceUID"))]
    kept = [item for item in named if not belied(item, query)]
    if not kept:
        raise GlutsegError("input-empty", "no study on the server matches the query", server.address)
    origins = []
    for k, item in enumerate(kept, start=1):
        origins.append(_with_series(_origin(server, item), client, line))
        if progress:
            progress(k, len(kept))
    index = Index(
        root=Path(server.address),
        studies=tuple(sorted((_planned(one) for one in origins), key=lambda s: (s.patient_id, s.study_uid))),
        problems=(
            *_left_out(server, "pacs-query-ignored", len(named) - len(kept), "that do not match the query"),
            *_left_out(server, "pacs-answer-invalid", len(listed) - len(named), "without a proper UID"),
        ),
        n_files=sum(series.n_images for one in origins for series in one.series or ()),
    )
    return Found(server, index, {one.study_uid: one for one in origins})


def list_series(origin: Origin, client: Any, line: Line) -> tuple[RemoteSeries, ...]:
    """The series of a study, as the server lists them.

    Raises
    ------
    GlutsegError
        As `find`.
    """

    def ask(offset: int) -> list[Item]:
        return items_of(
            client.search_for_series(origin.study_uid, limit=PAGE, offset=offset, fields=list(SERIES_FIELDS))
        )

    found = _all_pages(ask, line, "SeriesInstanceUID")
    return tuple(
        RemoteSeries(
            uid_of(item, "SeriesInstanceUID"),
            text_of(item, "Modality"),
            text_of(item, "SeriesDescription"),
            number_of(item, "NumberOfSeriesRelatedInstances"),
        )
        for item in sorted(found, key=lambda item: text_of(item, "SeriesInstanceUID"))
    )


def client_of(server: Server, line: Line) -> Any:
    """dicomweb-client, which asks nothing but through ``line``."""
    from dicomweb_client import DICOMwebClient

    client = DICOMwebClient(server.url, session=line, permissive_uid=True)  # type: ignore[arg-type]
    client.set_http_retry_params(retry=False)  # the line has its own
    return client


def _all_pages(ask: Ask, line: Line, keyword: str) -> list[Item]:
    """Every result once, whatever a server makes of limit and offset.

    One that gives what it has with every page is heard only once; one that always gives a first page and
    has more is refused, for nobody would see what is missing.
    """
    known: dict[str, Item] = {}
    while len(known) < MAX_RESULTS:
        try:
            page = ask(len(known))
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
            if line.is_more_announced or len(page) == PAGE:
                raise GlutsegError("pacs-incomplete", f"it gives {len(page)} results again and again")
            break
    else:
        raise GlutsegError("pacs-incomplete", f"there are more than {MAX_RESULTS} results")
    return list(known.values())


def _origin(server: Server, item: Item) -> Origin:
    return Origin(
        server=server,
        study_uid=uid_of(item, "StudyInstanceUID"),
        patient_id=text_of(item, "PatientID"),
        study_date=text_of(item, "StudyDate"),
    )


def _with_series(origin: Origin, client: Any, line: Line) -> Origin:
    try:
        return replace(origin, series=list_series(origin, client, line))
    except (NoAccessError, UnreachableError):  # so would be the series of every other study
        raise
    except GlutsegError:
        return origin  # asked again when the study is measured, whose failure it then is


def _planned(origin: Origin) -> Study:
    """A study of which nothing but the search's answer is known.

    Its other series, to which our own results may come, do not make it another study for a resume.
    """
    series = tuple(stand_in(one) for one in origin.series or () if one.may_be_ct)
    return Study(origin.study_uid, origin.patient_id, origin.study_date, "", series)


def _left_out(server: Server, code: str, n: int, words: str) -> tuple[FileProblem, ...]:
    message = f"{n} studies were sent {words}; they were left out"
    return (FileProblem(Source(Path(server.address)), code, message),) if n else ()
