"""Reading one file's header."""

from __future__ import annotations

import re
from pathlib import Path

from pydicom import dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileDataset

from glutseg.dicom.model import FileHeader, FileProblem, SeriesTags, SliceHeader
from glutseg.dicom.text import (
    BAD_FILE,
    integer,
    items,
    number,
    numbers,
    raw_text,
    text,
    texts,
)

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"

# fmt: off
KEYWORDS = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID", "PatientSize",
    "StudyDate", "Modality", "SeriesDescription", "ConvolutionKernel", "ImageType", "SliceThickness", "KVP",
    "ContrastBolusAgent", "BodyPartExamined", "PatientPosition", "Manufacturer", "InstanceNumber",
    "AcquisitionNumber", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows",
    "Columns", "SamplesPerPixel", "RescaleSlope", "RescaleIntercept", "RescaleType", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "NumberOfFrames", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
# fmt: on
TAGS = [tag for tag in map(tag_for_keyword, KEYWORDS) if tag is not None]
"""Only these are read: the patient's name never enters memory."""

MAX_COORDINATE_MM = 100_000.0
"""A position further than 100 m from the scanner's centre is not a position."""


def read_header(path: Path) -> FileHeader | FileProblem | None:
    """Header of a file, the reason why it cannot be read, or None for one that is not DICOM."""
    try:
        if not _looks_like_dicom(path):
            return None
        # `force` only lets files without preamble pass, whose first bytes were checked above
        dataset = dcmread(path, stop_before_pixels=True, force=True, specific_tags=TAGS)
        if _class_of(dataset) == MEDIA_DIRECTORY:
            return None
        return _header(path, dataset)
    except BAD_FILE as error:
        return FileProblem(path, "file-unreadable", f"the header cannot be read ({type(error).__name__})")


def _looks_like_dicom(path: Path) -> bool:
    """A preamble with its mark, or a first element of group 2 or 8, which every data set begins with.

    Without preamble the element must also have a VR of two capitals or, in implicit VR, a length
    that the file can hold; text and pictures do not pass by chance.
    """
    with path.open("rb") as file:
        start = file.read(132)
    if start[128:132] == b"DICM":
        return True
    if len(start) < 12 or start[:2] not in (b"\x08\x00", b"\x02\x00", b"\x00\x08"):
        return False
    if re.fullmatch(rb"[A-Z]{2}", start[4:6]):
        return True
    return int.from_bytes(start[4:8], "little") <= path.stat().st_size


def _class_of(dataset: FileDataset) -> str:
    return text(dataset, "SOPClassUID") or text(dataset.file_meta, "MediaStorageSOPClassUID")


def _header(path: Path, dataset: FileDataset) -> FileHeader | FileProblem:
    sop_class = _class_of(dataset)
    if not sop_class and not text(dataset, "SeriesInstanceUID"):
        return FileProblem(path, "file-unreadable", "the header ends before it says what the file is")
    return FileHeader(
        path=path,
        patient_id=text(dataset, "PatientID"),
        study_uid=text(dataset, "StudyInstanceUID"),
        study_date=text(dataset, "StudyDate"),
        patient_size_m_raw=raw_text(dataset, "PatientSize"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        tags=_series_tags(dataset, sop_class),
        slices=_slices(path, dataset, sop_class),
    )


def _series_tags(dataset: FileDataset, sop_class: str) -> SeriesTags:
    shared = _functional_groups(dataset, "SharedFunctionalGroupsSequence")
    kvp = number(dataset, "KVP") or number(_first(shared, "CTXRayDetailsSequence"), "KVP")
    return SeriesTags(
        modality=text(dataset, "Modality"),
        sop_class_uid=sop_class,
        description=text(dataset, "SeriesDescription"),
        kernel=text(dataset, "ConvolutionKernel")
        or text(_first(shared, "CTReconstructionSequence"), "ConvolutionKernel"),
        image_type=tuple(t.upper() for t in texts(dataset, "ImageType")),
        slice_thickness_mm=number(dataset, "SliceThickness")
        or number(_first(shared, "PixelMeasuresSequence"), "SliceThickness"),
        kvp="" if kvp is None else f"{kvp:g}",
        contrast=text(dataset, "ContrastBolusAgent"),
        body_part=text(dataset, "BodyPartExamined").upper(),
        patient_position=text(dataset, "PatientPosition"),
        manufacturer=text(dataset, "Manufacturer"),
        rescale_type=(
            text(dataset, "RescaleType")
            or text(_first(shared, "PixelValueTransformationSequence"), "RescaleType")
        ).upper(),
        transfer_syntax_uid=text(dataset.file_meta, "TransferSyntaxUID"),
    )


def _slices(path: Path, dataset: FileDataset, sop_class: str) -> tuple[SliceHeader, ...]:
    """One per frame; none for a file without an image."""
    if not integer(dataset, "Rows") or not integer(dataset, "Columns"):
        return ()
    frames = items(dataset, "PerFrameFunctionalGroupsSequence")
    shared = _functional_groups(dataset, "SharedFunctionalGroupsSequence")
    if not frames:
        return (_slice(path, 0, dataset, sop_class, (dataset,)),)
    return tuple(
        _slice(path, k, dataset, sop_class, (frame, shared, dataset)) for k, frame in enumerate(frames)
    )


def _slice(
    path: Path, frame: int, dataset: Dataset, sop_class: str, levels: tuple[Dataset, ...]
) -> SliceHeader:
    """``levels`` are asked one after the other: the frame, what all frames share, the file."""
    slope = _lookup(levels, "PixelValueTransformationSequence", "RescaleSlope", 1)
    intercept = _lookup(levels, "PixelValueTransformationSequence", "RescaleIntercept", 1)
    acquisition = _lookup(levels, "FrameContentSequence", "FrameAcquisitionNumber", 1)
    position = _lookup(levels, "PlanePositionSequence", "ImagePositionPatient", 3)
    return SliceHeader(
        path=path,
        frame=frame,
        sop_uid=text(dataset, "SOPInstanceUID"),
        sop_class_uid=sop_class,
        instance_number=integer(dataset, "InstanceNumber"),
        acquisition_number=int(acquisition[0]) if acquisition else integer(dataset, "AcquisitionNumber"),
        position_mm=position if position and max(map(abs, position)) <= MAX_COORDINATE_MM else None,
        orientation=_lookup(levels, "PlaneOrientationSequence", "ImageOrientationPatient", 6),
        pixel_spacing_mm=_lookup(levels, "PixelMeasuresSequence", "PixelSpacing", 2),
        rows=integer(dataset, "Rows") or 0,
        columns=integer(dataset, "Columns") or 0,
        samples=integer(dataset, "SamplesPerPixel") or 1,
        rescale=(slope[0], intercept[0]) if slope and intercept and slope[0] else None,
        padding=_padding(dataset),
    )


def _padding(dataset: Dataset) -> tuple[int, int] | None:
    value = integer(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = integer(dataset, "PixelPaddingRangeLimit")
    return (value, value) if limit is None else (min(value, limit), max(value, limit))


def _functional_groups(dataset: Dataset, keyword: str) -> Dataset:
    found = items(dataset, keyword)
    return found[0] if found else Dataset()


def _first(group: Dataset, sequence: str) -> Dataset:
    found = items(group, sequence)
    return found[0] if found else Dataset()


def _lookup(levels: tuple[Dataset, ...], sequence: str, keyword: str, count: int) -> tuple[float, ...] | None:
    """Numbers from the first level that has them, in its functional group or by themselves."""
    for level in levels:
        found = numbers(_first(level, sequence), keyword, count) or numbers(level, keyword, count)
        if found:
            return found
    return None
