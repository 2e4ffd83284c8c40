"""The images that a run's cases were measured on, as far as an export needs them: headers, no pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glutseg import dicom, review
from glutseg.dicom.model import NIFTI_IMAGE, SliceHeader
from glutseg.dicom.parse import HEADER_BUDGET_BYTES, ParsedFile, parse
from glutseg.dicom.source import Opener, Source
from glutseg.dicom.text import BAD_FILE
from glutseg.errors import GlutsegError
from glutseg.exchange.stamp import CARRIED
from glutseg.image import Geometry, LabelArray, Mask
from glutseg.output.case_id import case_id
from glutseg.result import CaseResult
from glutseg.review.masks import nrrd_beside

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# fmt: off
KEYWORDS = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "StudyDate", "StudyTime", "AccessionNumber",
    "Modality", "ImageType", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge",
    "PatientSize", "PatientWeight", "StudyInstanceUID", "SeriesInstanceUID", "StudyID", "SeriesNumber",
    "InstanceNumber", "FrameOfReferenceUID", "PositionReferenceIndicator", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices", "Rows", "Columns",
    "NumberOfFrames", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "DimensionOrganizationSequence", "DimensionIndexSequence", "DimensionOrganizationType", *CARRIED,
)
# fmt: on
"""Only these are read and copied: the patient's name never enters memory."""
REQUIRED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")


@dataclass(frozen=True)
class CaseImages:
    """A mask on the grid of its series, and the image behind each of its slices.

    Attributes
    ----------
    headers : of the slices that an image shows, by their place in the order of the files
    """

    mask: Mask
    headers: dict[int, SliceHeader]

    @cached_property
    def labels(self) -> LabelArray:
        """The mask in the order of the files."""
        return self.mask.stored_labels()

    @property
    def used(self) -> list[int]:
        """Slices with a label on them, in the order of the files."""
        return np.flatnonzero(self.labels.any(axis=(1, 2))).tolist()


def find_studies(folder: Path, progress: Callable[[int, int], None] | None = None) -> dict[str, dicom.Study]:
    """The studies below a folder, by case id.

    Raises
    ------
    GlutsegError
        ``images-not-found`` where the folder is not there.
    """
    if not folder.exists():
        raise GlutsegError("images-not-found", "the run's input is not there", str(folder))
    studies = dicom.scan(folder, progress=progress).studies
    return {case_id(study.patient_id, study.study_uid): study for study in studies}


def case_images(study: dicom.Study, result: CaseResult, mask_file: Path) -> CaseImages:
    """The mask of a case beside its images.

    Raises
    ------
    GlutsegError
        ``images-not-found``; ``geometry-mismatch`` when no stack of the series has the mask's grid, or a
        slice of the mask has no image.
    """
    record = result.series
    uid, is_single = ("", False) if record is None else (record.series_uid, record.grid_slices == 1)
    stacks = dicom.stacks_of(study, uid, single_slice=is_single)
    if not stacks:
        raise GlutsegError("images-not-found", "the series is not there any more", result.case_id)
    errors = []
    for series in stacks:
        try:
            return _on_stack(series, mask_file)
        except GlutsegError as error:
            errors.append(error)
    raise errors[0]


def _on_stack(series: dicom.Series, mask_file: Path) -> CaseImages:
    if series.geometry is None:
        raise GlutsegError("geometry-mismatch", "the series has no grid", series.series_uid)
    start, n = _reach(mask_file, series.geometry)
    grid = series.geometry.crop((slice(start, start + n), slice(None), slice(None)))
    mask = review.read_mask(mask_file, grid)
    headers = {
        p - start: h
        for p, h in zip(series.grid_indices, series.slices, strict=True)
        if start <= p < start + n
    }
    found = CaseImages(mask, headers)
    if not set(found.used) <= set(headers):
        raise GlutsegError("geometry-mismatch", "a slice of the mask has no image", mask_file.name)
    return found


def _reach(mask_file: Path, geometry: Geometry) -> tuple[int, int]:
    """(first slice, slices) of the series that a mask file covers: reading may have left out some."""
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    file = nrrd_beside(mask_file) if geometry.is_sheared else mask_file
    reader.SetFileName(str(file))
    try:
        reader.ReadImageInformation()
        start = round(geometry.index(tuple(reader.GetOrigin()))[0])
        n = int(reader.GetSize()[2])
    except (RuntimeError, ValueError, IndexError) as error:
        raise GlutsegError("geometry-mismatch", "the mask cannot be read", file.name) from error
    if start < 0 or start + n > geometry.shape[0]:
        raise GlutsegError("geometry-mismatch", "the mask is not on the grid of the series", file.name)
    return start, n


def source_datasets(headers: Sequence[SliceHeader]) -> list[Dataset]:
    """The headers of image files without names of people, one per file, in the order of the slices.

    Raises
    ------
    GlutsegError
        ``images-not-found`` for a file that cannot be read, ``export-unsupported`` when it lacks what every
        DICOM object about it must repeat.
    """
    if any(header.sop_class_uid == NIFTI_IMAGE for header in headers):
        message = "it was measured on a NIfTI file, and a DICOM object must name DICOM images"
        raise GlutsegError("export-unsupported", message, str(headers[0].source))
    datasets = []
    with Opener() as opener:
        for source in dict.fromkeys(header.source for header in headers):
            try:
                parsed = _parsed(source, opener)
            except BAD_FILE as error:
                raise GlutsegError("images-not-found", "an image cannot be read", str(source)) from error
            datasets.append(_checked(parsed.dataset, parsed.meta, str(source)))
    return datasets


def image_header(header: SliceHeader) -> Dataset:
    """What the file of a slice says, as far as objects about it need it; empty without a DICOM header."""
    from pydicom.dataset import Dataset

    if header.sop_class_uid == NIFTI_IMAGE:
        return Dataset()
    with Opener() as opener:
        try:
            return _parsed(header.source, opener).dataset
        except BAD_FILE:  # reading the pixels says why
            return Dataset()


def _parsed(source: Source, opener: Opener) -> ParsedFile:
    with opener.open(source) as file:
        return parse(file, _tags(), HEADER_BUDGET_BYTES)


def _tags() -> list[int]:
    from pydicom.datadict import tag_for_keyword

    return [tag for tag in map(tag_for_keyword, KEYWORDS) if tag is not None]


def _checked(dataset: Any, meta: Any, where: str) -> Dataset:
    missing = [keyword for keyword in REQUIRED if not dataset.get(keyword)]
    if missing:
        raise GlutsegError("export-unsupported", f"the images lack {', '.join(missing)}", where)
    for keyword in ("PatientName", "ReferringPhysicianName", "StudyID", "AccessionNumber", "StudyTime"):
        if keyword not in dataset:
            setattr(dataset, keyword, "")
    dataset.file_meta = meta
    return dataset  # type: ignore[no-any-return]
