"""Fetch a study: first the headers of its CT series, then the images that are needed."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from glutseg import dicom
from glutseg.dicom.header import HeaderReader
from glutseg.dicom.limits import MAX_VOXELS
from glutseg.dicom.model import FileHeader, SliceHeader
from glutseg.dicom.parse import HEADER_BUDGET_BYTES
from glutseg.dicom.slices import MAX_BYTES_PER_VOXEL
from glutseg.dicom.source import Opener
from glutseg.errors import GlutsegError
from glutseg.output.atomic import TEMP_PREFIX
from glutseg.pacs.headers import placeholder_series
from glutseg.pacs.instances import ACCEPT, MEDIA_TYPES, fetch_headers, image_url
from glutseg.pacs.model import RemoteStudy
from glutseg.pacs.multipart import single_part
from glutseg.pacs.search import client_of, list_series
from glutseg.pacs.transfer import Connection
from glutseg.result import CaseResult

FETCHED = f"{TEMP_PREFIX}fetched"
"""Folder below a run's output that holds images only while they are measured."""
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE_MM = 1e-5, 1e-5
"""Allowed difference between a number in the metadata and in the file: rounding when it is printed."""


@dataclass
class FetchedStudy:
    """A study whose images are fetched when they are needed.

    Attributes
    ----------
    study : its sources are files in a private folder, without pixels until `fetch` has been called
    n_images, n_bytes : fetched so far
    """

    study: dicom.Study
    remote_study: RemoteStudy
    connection: Connection
    n_images: int = 0
    n_bytes: int = 0
    _fetched_paths: set[Path] = field(default_factory=set)

    def fetch(self, slices: Iterable[SliceHeader]) -> None:
        """Fetch the images of these slices that have not been fetched yet.

        Raises
        ------
        GlutsegError
            ``pacs-answer-invalid`` if an image differs from its metadata, and those of
            `glutseg.pacs.transfer.Connection`.
        """
        with Opener() as opener:
            for path in dict.fromkeys(one.source.path for one in slices):
                if path not in self._fetched_paths:
                    self._fetch(path, opener)
                    self._fetched_paths.add(path)

    def _fetch(self, path: Path, opener: Opener) -> None:
        source = dicom.Source(path)
        expected = HeaderReader(opener).read(source)
        if not isinstance(expected, FileHeader) or not expected.slices:
            raise GlutsegError("pacs-answer-invalid", "the metadata of an image cannot be read")
        first = expected.slices[0]
        n_voxels = min(MAX_VOXELS, first.rows * first.columns * len(expected.slices))
        url = image_url(self.remote_study, expected.series_uid, first.sop_uid)
        limit_bytes = HEADER_BUDGET_BYTES + MAX_BYTES_PER_VOXEL * n_voxels
        response = self.connection.fetch(url, ACCEPT, MEDIA_TYPES, limit_bytes)
        content = single_part(response.headers.get("Content-Type", ""), response.content)
        try:
            path.write_bytes(content)
        except OSError as error:
            raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(path)) from error
        difference = difference_from_metadata(expected, HeaderReader(opener).read(source))
        if difference:
            raise GlutsegError("pacs-answer-invalid", f"an image differs from its metadata: {difference}")
        self.n_images += 1
        self.n_bytes += len(content)


@contextmanager
def fetched_study(remote_study: RemoteStudy, out: Path, case_id: str) -> Iterator[FetchedStudy]:
    """Fetch the headers of the CT series of a study into a folder that is removed at the end of the block.

    Parameters
    ----------
    out : the run's output folder, which holds the images while they are needed
    case_id : of the study

    Raises
    ------
    GlutsegError
        ``output-unwritable`` and those of `glutseg.pacs.transfer.Connection`.
    """
    connection = Connection(remote_study.server)
    client = client_of(remote_study.server, connection)
    with private_folder(out, case_id) as folder:
        series = remote_study.series
        if series is None:
            series = list_series(remote_study, client, connection)
        for number, one in enumerate(series):
            if one.may_be_ct:
                fetch_headers(remote_study, one.series_uid, folder / f"{number:04d}", client, connection)
        others = tuple(placeholder_series(one) for one in series if not one.may_be_ct)
        yield FetchedStudy(_study(remote_study, folder, others), remote_study, connection)


@contextmanager
def private_folder(out: Path, name: str) -> Iterator[Path]:
    """Create an empty folder that only its owner can read; it is removed at the end of the block."""
    folder = out / FETCHED / name
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(folder)) from error
    try:
        yield folder
    finally:
        remove_fetched(out, name)


def remove_fetched(out: Path, name: str) -> None:
    """Remove the fetched images of a case, and their parent folder after the last case."""
    shutil.rmtree(out / FETCHED / name, ignore_errors=True)
    with suppress(OSError):
        (out / FETCHED).rmdir()


def with_uids_in_messages(result: CaseResult, study: dicom.Study) -> CaseResult:
    """Name images in the messages of a result by UID instead of file, because the files are removed."""
    names = {str(one.source): f"image {one.sop_uid}" for series in study.series for one in series.slices}

    def renamed(text: str) -> str:
        for path, name in names.items() if FETCHED in text else ():
            text = text.replace(path, name)
        return text

    return replace(
        result.with_flags(lambda flag: replace(flag, message=renamed(flag.message))),
        error_message=renamed(result.error_message),
        rejected_series=tuple((uid, renamed(reason)) for uid, reason in result.rejected_series),
    )


def _study(remote_study: RemoteStudy, folder: Path, others: Sequence[dicom.Series]) -> dicom.Study:
    found = dicom.scan(folder).studies
    if any((s.patient_id, s.study_uid) != (remote_study.patient_id, remote_study.study_uid) for s in found):
        raise GlutsegError("pacs-answer-invalid", "the headers name another patient than the search result")
    empty = dicom.Study(remote_study.study_uid, remote_study.patient_id, remote_study.study_date, "", ())
    study = found[0] if found else empty
    series = sorted((*study.series, *others), key=lambda s: (s.series_uid, s.part))
    return replace(study, series=tuple(series))


def difference_from_metadata(expected: FileHeader, found: object) -> str:
    """Describe the first difference of a file from its metadata; "" if there is none."""
    if not isinstance(found, FileHeader):
        return "it is not a DICOM file"
    for name in ("patient_id", "study_uid", "series_uid"):
        if getattr(expected, name) != getattr(found, name):
            return f"another {name.replace('_', ' ')}"
    if len(expected.slices) != len(found.slices):
        return "another number of frames"
    for one, other in zip(expected.slices, found.slices, strict=True):
        for name in COMPARED_FIELDS:
            if not _is_close(getattr(one, name), getattr(other, name)):
                return f"another {name.replace('_', ' ')}"
    return ""


COMPARED_FIELDS = (
    *("sop_uid", "sop_class_uid", "frame", "rows", "columns", "samples", "padding"),
    *("position_mm", "orientation", "pixel_spacing_mm", "rescale"),
)
"""Fields that determine the position and the HU of a pixel."""


def _is_close(a: object, b: object) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(
            math.isclose(x, y, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE_MM)
            for x, y in zip(a, b, strict=True)
        )
    return a == b
