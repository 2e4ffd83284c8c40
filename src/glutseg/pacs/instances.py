"""Headers of a series: as metadata (WADO-RS) or, where a server has none, out of the images themselves."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from glutseg.dicom.parse import HEADER_BUDGET_BYTES, parse
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.text import BAD_FILE
from glutseg.errors import GlutsegError
from glutseg.pacs.dicom_json import Item, items_of, uid_of
from glutseg.pacs.headers import check_items, header_tags, write_headers
from glutseg.pacs.model import NotFoundError, NotOfferedError, RemoteStudy
from glutseg.pacs.multipart import single_part
from glutseg.pacs.search import PAGE, all_pages
from glutseg.pacs.transfer import Connection

ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
"""Images as they are stored: transcoding by the server may be lossy."""
MEDIA_TYPES = ("multipart/related", "application/dicom")
MAX_IMAGE_BYTES = 2**29
"""Limit of an image of which only the header is needed: 1000 slices of 512 x 512 in one file."""


def image_url(remote_study: RemoteStudy, series_uid: str, sop_uid: str) -> str:
    """Where an image of a study is fetched."""
    parts = (remote_study.server.url, "studies", remote_study.study_uid, "series", series_uid)
    return "/".join((*parts, "instances", sop_uid))


def fetch_headers(
    remote_study: RemoteStudy, series_uid: str, folder: Path, client: Any, connection: Connection
) -> None:
    """Write the headers of the images of a series to ``folder``, ordered by UID.

    A server without metadata sends every image; only what is needed of its header is kept.

    Raises
    ------
    GlutsegError
        ``pacs-answer-invalid`` if they belong to another series, ``output-unwritable``, and those of
        `Connection`.
    """
    try:
        items = items_of(client.retrieve_series_metadata(remote_study.study_uid, series_uid))
    except (NotFoundError, NotOfferedError):
        items = _of_images(remote_study, series_uid, client, connection)
        if not items:
            raise
    check_items(remote_study, series_uid, items)
    write_headers(folder, items)


def _of_images(remote_study: RemoteStudy, series_uid: str, client: Any, connection: Connection) -> list[Item]:
    def get_page(offset: int) -> list[Item]:
        found = client.search_for_instances(remote_study.study_uid, series_uid, limit=PAGE, offset=offset)
        return items_of(found)

    listed = all_pages(get_page, connection, "SOPInstanceUID")
    urls = [image_url(remote_study, series_uid, uid_of(one, "SOPInstanceUID")) for one in listed]
    return [_header(url, connection) for url in urls]


def _header(url: str, connection: Connection) -> Item:
    response = connection.fetch(url, ACCEPT, MEDIA_TYPES, MAX_IMAGE_BYTES)
    content = single_part(response.headers.get("Content-Type", ""), response.content)
    tags = [int(tag, 16) for tag in header_tags()]
    try:
        with quiet_pydicom():
            parsed = parse(io.BytesIO(content), tags, HEADER_BUDGET_BYTES)
            item: Item = parsed.dataset.to_json_dict(suppress_invalid_tags=True)
    except (*BAD_FILE, RecursionError):
        raise GlutsegError("pacs-answer-invalid", "an image that it sent cannot be read") from None
    return item
