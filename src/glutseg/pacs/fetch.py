"""A study on its way here: headers of its CT series first, then the images that are asked for."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from glutseg import dicom
from glutseg.dicom.header import read_header
from glutseg.dicom.model import FileHeader, SliceHeader
from glutseg.dicom.parse import HEADER_BUDGET_BYTES
from glutseg.dicom.slices import MAX_BYTES_PER_VOXEL, MAX_VOXELS
from glutseg.dicom.source import Opener
from glutseg.errors import GlutsegError
from glutseg.output.atomic import TEMP_PREFIX
from glutseg.pacs.headers import fetch_headers, stand_in
from glutseg.pacs.model import Origin
from glutseg.pacs.multipart import one_part
from glutseg.pacs.search import client_of, list_series
from glutseg.pacs.transfer import Line
from glutseg.result import CaseResult

FETCHED = f"{TEMP_PREFIX}fetched"
"""Folder below a run's output that holds images only as long as they are measured."""
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
"""As they are stored: a server that recodes images may lose something."""
KINDS = ("multipart/related", "application/dicom")
RELATIVE, ABSOLUTE = 1e-5, 1e-5
"""Between a number of the metadata and the same in the file: what printing it costs, and no more."""


@dataclass
class Fetched:
    """A study whose images come when they are asked for.

    Attributes
    ----------
    study : its sources are files in a private folder, without pixels until `fetch` has been called
    n_images, n_bytes : what was fetched so far
    """

    study: dicom.Study
    origin: Origin
    line: Line
    n_images: int = 0
    n_bytes: int = 0
    _here: set[Path] = field(default_factory=set)

    def fetch(self, slices: Iterable[SliceHeader]) -> None:
        """Fetch the images of these slices that are not here yet.

        Raises
        ------
        GlutsegError
            ``pacs-answer-invalid`` where an image is not the one that its header announced, and those of
            `glutseg.pacs.transfer.Line`.
        """
        with Opener() as opener:
            for path in dict.fromkeys(one.source.path for one in slices):
                if path not in self._here:
                    self._fetch(path, opener)
                    self._here.add(path)

    def _fetch(self, path: Path, opener: Opener) -> None:
        source = dicom.Source(path)
        announced = read_header(source, opener)
        if not isinstance(announced, FileHeader) or not announced.slices:
            raise GlutsegError("pacs-answer-invalid", "the header of an image was lost")
        first = announced.slices[0]
        voxels = min(MAX_VOXELS, first.rows * first.columns * len(announced.slices))
        url = "/".join(
            (
                *(self.origin.server.url, "studies", announced.study_uid, "series", announced.series_uid),
                *("instances", first.sop_uid),
            )
        )
        answer = self.line.fetch(url, ACCEPT, KINDS, HEADER_BUDGET_BYTES + MAX_BYTES_PER_VOXEL * voxels)
        content = one_part(answer.headers.get("Content-Type", ""), answer.content)
        try:
            path.write_bytes(content)
        except OSError as error:
            raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(path)) from error
        difference = contradiction(announced, read_header(source, opener))
        if difference:
            raise GlutsegError("pacs-answer-invalid", f"an image is not what its header said: {difference}")
        self.n_images += 1
        self.n_bytes += len(content)


@contextmanager
def fetched(origin: Origin, out: Path, case_id: str) -> Iterator[Fetched]:
    """A study with the headers of its CT series, in a folder that is gone when the block ends.

    Parameters
    ----------
    out : the run's folder, below which the images are for as long as they are needed
    case_id : of the study

    Raises
    ------
    GlutsegError
        ``output-unwritable`` and those of `glutseg.pacs.transfer.Line`.
    """
    line = Line(origin.server)
    client = client_of(origin.server, line)
    with private_folder(out, case_id) as folder:
        series = origin.series if origin.series is not None else list_series(origin, client, line)
        for k, one in enumerate(series):
            if one.may_be_ct:
                fetch_headers(origin, one.series_uid, folder / f"{k:04d}", client)
        others = tuple(stand_in(one) for one in series if not one.may_be_ct)
        yield Fetched(_study(origin, folder, others), origin, line)


@contextmanager
def private_folder(out: Path, name: str) -> Iterator[Path]:
    """A new empty folder that only its owner can look into, and which is removed at the end."""
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
        discard(out, name)


def discard(out: Path, name: str) -> None:
    """Remove what was fetched of a case, and the folder around it after the last."""
    shutil.rmtree(out / FETCHED / name, ignore_errors=True)
    with suppress(OSError):
        (out / FETCHED).rmdir()


def named_by_uid(result: CaseResult, study: dicom.Study) -> CaseResult:
    """A result whose messages name images by their UIDs: the files they name will be gone."""
    names = {str(one.source): f"image {one.sop_uid}" for series in study.series for one in series.slices}

    def words(text: str) -> str:
        for path, name in names.items() if FETCHED in text else ():
            text = text.replace(path, name)
        return text

    return replace(
        result.with_flags(lambda flag: replace(flag, message=words(flag.message))),
        error_message=words(result.error_message),
        rejected_series=tuple((uid, words(why)) for uid, why in result.rejected_series),
    )


def _study(origin: Origin, folder: Path, others: Sequence[dicom.Series]) -> dicom.Study:
    found = dicom.scan(folder).studies
    if any((s.patient_id, s.study_uid) != (origin.patient_id, origin.study_uid) for s in found):
        raise GlutsegError("pacs-answer-invalid", "the headers name another patient than the search")
    study = found[0] if found else dicom.Study(origin.study_uid, origin.patient_id, origin.study_date, "", ())
    series = sorted((*study.series, *others), key=lambda s: (s.series_uid, s.part))
    return replace(study, series=tuple(series))


def contradiction(announced: FileHeader, found: object) -> str:
    """In what a file differs from its metadata, in words; "" where it does not."""
    if not isinstance(found, FileHeader):
        return "it is no DICOM file"
    for name in ("patient_id", "study_uid", "series_uid"):
        if getattr(announced, name) != getattr(found, name):
            return f"another {name.replace('_', ' ')}"
    if len(announced.slices) != len(found.slices):
        return "another number of frames"
    for one, other in zip(announced.slices, found.slices, strict=True):
        for name in COMPARED:
            if not _same(getattr(one, name), getattr(other, name)):
                return f"another {name.replace('_', ' ')}"
    return ""


COMPARED = (
    *("sop_uid", "sop_class_uid", "frame", "rows", "columns", "samples", "padding"),
    *("position_mm", "orientation", "pixel_spacing_mm", "rescale"),
)
"""All that decides where a pixel lies and what it is worth."""


def _same(a: object, b: object) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(
            math.isclose(x, y, rel_tol=RELATIVE, abs_tol=ABSOLUTE) for x, y in zip(a, b, strict=True)
        )
    return a == b
