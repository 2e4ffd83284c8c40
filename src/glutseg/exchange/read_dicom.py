"""DICOM objects that outline something: Segmentation and RT Structure Set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydicom.datadict import tag_for_keyword

from glutseg.dicom.parse import parse
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.text import BAD_FILE, text
from glutseg.errors import GlutsegError
from glutseg.exchange import read_rtstruct, read_seg
from glutseg.exchange.foreign import MAX_FILE_BYTES, ForeignMask
from glutseg.exchange.owner import owner_of_mask

# fmt: off
KEYWORDS = (
    "SOPClassUID", "Modality", "FrameOfReferenceUID", "Rows", "Columns", "NumberOfFrames", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation",
    "SegmentationType", "MaximumFractionalValue", "SegmentSequence", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "PixelData", "StructureSetROISequence", "ROIContourSequence",
    "RTROIObservationsSequence", "ReferencedFrameOfReferenceSequence", "SpecificCharacterSet", "PatientID",
    "StudyInstanceUID", "ReferencedSeriesSequence",
)
# fmt: on
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.7"
RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
READS_OF_A_BYTE = 2
"""Limit of what is read, in sizes of the file: where a sequence has no stated length, as most programs write
it, its tags are looked at before they are read (0.3 % more in what dcmqi, dcmjs and DCMTK write)."""


def read(path: Path) -> ForeignMask:
    """A Segmentation or an RT Structure Set.

    Raises
    ------
    GlutsegError
        ``mask-unreadable``, ``mask-unplaceable``.
    """
    tags = [tag for tag in map(tag_for_keyword, KEYWORDS) if tag is not None]
    try:
        with quiet_pydicom(), path.open("rb") as file:
            budget = min(MAX_FILE_BYTES, READS_OF_A_BYTE * path.stat().st_size)
            parsed = parse(file, tags, budget, with_pixels=True)
            kind = text(parsed.dataset, "SOPClassUID")
            if kind in (SEGMENTATION, LABEL_MAP_SEGMENTATION):
                return replace(read_seg.read(parsed, path), owner=owner_of_mask(parsed.dataset))
            if kind == RT_STRUCTURE_SET:
                found = read_rtstruct.read(parsed.dataset, path)
                return replace(found, owner=owner_of_mask(parsed.dataset))
    except BAD_FILE as error:
        raise GlutsegError(
            "mask-unreadable", f"the file is broken ({type(error).__name__})", str(path)
        ) from error
    raise GlutsegError("mask-unreadable", "it is neither a Segmentation nor an RT Structure Set", str(path))
