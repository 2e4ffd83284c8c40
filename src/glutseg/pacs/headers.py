"""Metadata (WADO-RS) as files without pixels, so that they are read and judged like any others.

Their names are numbers: nothing that a server says becomes a path.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from glutseg.dicom.header import KEYWORDS
from glutseg.dicom.model import Series, SeriesTags
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.text import BAD_FILE, BAD_VALUE
from glutseg.errors import GlutsegError
from glutseg.exchange.images import KEYWORDS as EXPORTED
from glutseg.pacs.answers import Item, items_of, tag_of, uid_of
from glutseg.pacs.model import Origin, RemoteSeries

UTF_8 = "ISO_IR 192"
MAX_IMAGES = 20_000
"""Of a series: three times the longest CT series that memory would hold."""


def stand_in(series: RemoteSeries) -> Series:
    """A series of which only the search's answer is known; it cannot be measured."""
    tags = SeriesTags(
        modality=series.modality,
        sop_class_uid="",
        description=series.description,
        kernel="",
        image_type=(),
        slice_thickness_mm=None,
        kvp="",
        contrast="",
        body_part="",
        patient_position="",
        manufacturer="",
        rescale_type="",
        transfer_syntax_uid="",
    )
    return Series(series.series_uid, tags, series.n_images, series.n_images, (), (), None, ())


def fetch_headers(origin: Origin, series_uid: str, folder: Path, client: Any) -> None:
    """Write the headers of a series' images to ``folder``, in the order of their UIDs.

    Raises
    ------
    GlutsegError
        ``pacs-answer-invalid`` where they are not of that series, ``output-unwritable``, and those of `Line`.
    """
    items = items_of(client.retrieve_series_metadata(origin.study_uid, series_uid))
    if not 0 < len(items) <= MAX_IMAGES:
        raise GlutsegError("pacs-answer-invalid", f"a series of {len(items)} images")
    for item in items:
        if (
            uid_of(item, "StudyInstanceUID") != origin.study_uid
            or uid_of(item, "SeriesInstanceUID") != series_uid
        ):
            raise GlutsegError("pacs-answer-invalid", "it sent headers of another series than asked for")
    ordered = sorted(items, key=lambda item: uid_of(item, "SOPInstanceUID"))
    with quiet_pydicom():
        contents = [_as_file(item) for item in ordered]
    write_files(folder, contents)


def write_files(folder: Path, contents: Sequence[bytes]) -> None:
    """Numbered files in a new folder of the owner's only.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for k, content in enumerate(contents):
            (folder / f"{k:05d}.dcm").write_bytes(content)
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(folder)) from error


def _as_file(item: Item) -> bytes:
    """A DICOM file of the elements that are needed; those that cannot be read are left out."""
    dataset = Dataset()
    for tag in _tags():
        if tag in item:
            try:
                dataset.update(Dataset.from_json({tag: item[tag]}))
            except (*BAD_VALUE, RecursionError):  # the study goes on without it, as with a broken file
                continue
    dataset.SpecificCharacterSet = UTF_8
    try:
        dataset.ensure_file_meta()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        content = io.BytesIO()
        dataset.save_as(content, enforce_file_format=True)
    except (*BAD_FILE, RecursionError):
        raise GlutsegError("pacs-answer-invalid", "a header holds values that DICOM does not") from None
    return content.getvalue()


def _tags() -> tuple[str, ...]:
    return tuple(sorted({tag_of(keyword) for keyword in (*KEYWORDS, *EXPORTED)}))
