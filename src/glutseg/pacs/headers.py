"""Write headers from a server to files without pixels, which are then read like any other DICOM files.

File names are numbers, so that nothing from the server becomes a path.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from glutseg.dicom.header import KEYWORDS
from glutseg.dicom.model import Series, SeriesTags
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.text import BAD_FILE, BAD_VALUE
from glutseg.errors import GlutsegError
from glutseg.exchange.images import KEYWORDS as EXPORT_KEYWORDS
from glutseg.pacs.dicom_json import Item, tag_of, uid_of
from glutseg.pacs.model import RemoteSeries, RemoteStudy

UTF_8 = "ISO_IR 192"
MAX_IMAGES = 20_000
"""Limit of images per series: three times the longest CT series that memory would hold."""


def placeholder_series(series: RemoteSeries) -> Series:
    """Return a series known only from the search result, which cannot be measured."""
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


def check_items(remote_study: RemoteStudy, series_uid: str, items: Sequence[Item]) -> None:
    """Refuse headers of another series, none, and too many.

    Raises
    ------
    GlutsegError
        ``pacs-answer-invalid``.
    """
    if not 0 < len(items) <= MAX_IMAGES:
        raise GlutsegError("pacs-answer-invalid", f"a series has {len(items)} images")
    for item in items:
        if (
            uid_of(item, "StudyInstanceUID") != remote_study.study_uid
            or uid_of(item, "SeriesInstanceUID") != series_uid
        ):
            raise GlutsegError("pacs-answer-invalid", "it sent headers of another series than requested")


def write_headers(folder: Path, items: Sequence[Item]) -> None:
    """Write headers as files without pixels, ordered by UID.

    Raises
    ------
    GlutsegError
        ``pacs-answer-invalid``, ``output-unwritable``.
    """
    ordered = sorted(items, key=lambda item: uid_of(item, "SOPInstanceUID"))
    with quiet_pydicom():
        contents = [_header_file(item) for item in ordered]
    write_files(folder, contents)


def write_files(folder: Path, contents: Sequence[bytes]) -> None:
    """Write numbered files to a new folder that only its owner can read.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for number, content in enumerate(contents):
            (folder / f"{number:05d}.dcm").write_bytes(content)
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(folder)) from error


def _header_file(item: Item) -> bytes:
    """Return a DICOM file with the needed elements; unreadable ones are left out."""
    dataset = Dataset()
    for tag in header_tags():
        if tag in item:
            try:
                dataset.update(Dataset.from_json({tag: item[tag]}))
            except (*BAD_VALUE, RecursionError):  # left out, as in a damaged file
                continue
    dataset.SpecificCharacterSet = UTF_8
    try:
        dataset.ensure_file_meta()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        content = io.BytesIO()
        dataset.save_as(content, enforce_file_format=True)
    except (*BAD_FILE, RecursionError):
        raise GlutsegError("pacs-answer-invalid", "a header holds values that DICOM does not allow") from None
    return content.getvalue()


def header_tags() -> tuple[str, ...]:
    """The elements that are needed, as eight hex digits each."""
    return tuple(sorted({tag_of(keyword) for keyword in (*KEYWORDS, *EXPORT_KEYWORDS)}))
