"""Read the header of one file.

The images of a series share nearly all of their elements. `HeaderReader` converts these once and recognises
them by their bytes; only what tells one image from the next is converted for each.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import BinaryIO
from zipfile import BadZipFile

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from glutseg.dicom.archive import ZIP_START, other_archive
from glutseg.dicom.elements import DuplicateElementError
from glutseg.dicom.files import PREAMBLE_BYTES
from glutseg.dicom.model import CT_CLASSES, FileHeader, FileProblem, SeriesTags, SliceHeader
from glutseg.dicom.nifti_header import is_named_nifti, is_nifti_file, read_nifti_header
from glutseg.dicom.parse import (
    CHARACTER_SET,
    FIRST_BYTES,
    HEADER_BUDGET_BYTES,
    ParsedFile,
    PlainFile,
    find_plain,
    parse,
)
from glutseg.dicom.source import Opener, Source
from glutseg.dicom.text import (
    BAD_FILE,
    all_numbers,
    clean_text,
    integer,
    items,
    number,
    numbers,
    raw_text,
    raw_value,
    text,
    texts,
)

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
ALWAYS_LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)
"""JPEG 2000 may be either, which its codestream says when it is decoded."""

# fmt: off
KEYWORDS = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID", "PatientSize",
    "StudyDate", "Modality", "SeriesDescription", "ConvolutionKernel", "ImageType", "SliceThickness", "KVP",
    "ContrastBolusAgent", "BodyPartExamined", "PatientPosition", "Manufacturer", "InstanceNumber",
    "AcquisitionNumber", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows",
    "Columns", "SamplesPerPixel", "RescaleSlope", "RescaleIntercept", "RescaleType", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "NumberOfFrames", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "LossyImageCompression", "LossyImageCompressionRatio",
    "ReconstructionDiameter", "PixelAspectRatio", "GantryDetectorTilt", "ManufacturerModelName",
    "VolumeBasedCalculationTechnique", "AnatomicalOrientationType",
)
# fmt: on
TAGS = [tag for tag in map(tag_for_keyword, KEYWORDS) if tag is not None]
"""Only these are read, so the patient's name never enters memory."""

MAX_FRAMES = 20_000
"""Limit of frames per file: three times the longest series that memory would hold (`limits.MAX_VOXELS`)."""

MAX_ITEMS_PER_FRAME = 50
"""Limit of items per frame; an enhanced CT frame has about a dozen one-item groups (PS3.3, A.38.1.4)."""

ITEM_START = b"\xfe\xff\x00\xe0"

MAX_COORDINATE_MM = 100_000.0
"""Limit of coordinates; a position more than 100 m from the scanner's centre is treated as missing."""


PER_IMAGE = ("SOPInstanceUID", "InstanceNumber", "ImagePositionPatient")
"""What differs between the images of a series."""
PER_IMAGE_TAGS = frozenset(int(tag) for tag in map(tag_for_keyword, PER_IMAGE) if tag is not None)
READ_PER_IMAGE = PER_IMAGE_TAGS | {CHARACTER_SET}
FUNCTIONAL_GROUPS = frozenset((0x52009229, 0x52009230))
MAX_SHARED = 10_000
"""Sets of shared elements that a reader remembers; a series has one, or a few."""


class HeaderReader:
    """Reads headers one after the other; equal values of different files become one object."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._shared: dict[Shared, FileHeader] = {}

    def read(self, source: Source) -> FileHeader | FileProblem | None:
        """Read the header of a file; return the problem if it cannot be read, None if it is neither DICOM nor
        a NIfTI image."""
        try:
            with self._opener.open(source) as file:
                start = file.read(FIRST_BYTES)
                if not _looks_like_dicom(start, source, self._opener):
                    if is_nifti_file(start):
                        return read_nifti_header(source, file, self._opener.size(source))
                    if is_named_nifti(source) and start:
                        return _problem(source, "it is named as a NIfTI file but is none, or is damaged")
                    archive = _archive(source, start)
                    return _problem(source, f"{archive} is not opened: unpack it") if archive else None
                plain = find_plain(start, TAGS, is_whole=len(start) < FIRST_BYTES)
                if plain is not None:
                    return self._plain_header(source, plain, file)
                return _header(source, _parsed(file))
        except BadZipFile as error:
            return _problem(source, str(error) if source.position is not None else "it is a damaged archive")
        except DuplicateElementError as error:
            return _problem(source, str(error))
        except BAD_FILE as error:
            return _problem(source, f"the header cannot be read ({type(error).__name__})")

    def _plain_header(
        self, source: Source, plain: PlainFile, file: BinaryIO
    ) -> FileHeader | FileProblem | None:
        key = _shared_elements(plain)
        known = self._shared.get(key)
        if known is not None:
            own = replace(plain, elements={t: e for t, e in plain.elements.items() if t in READ_PER_IMAGE})
            parsed = own.parsed() or _parsed(file)
            slices = tuple(_same_but_for(parsed.dataset, one, source) for one in known.slices)
            return replace(known, source=source, slices=slices)
        header = _header(source, plain.parsed() or _parsed(file))
        if isinstance(header, FileHeader) and not FUNCTIONAL_GROUPS & plain.elements.keys():
            if len(self._shared) >= MAX_SHARED:
                self._shared.clear()
            self._shared[key] = header
        return header


Shared = tuple[object, ...]
"""The bytes of the elements that the images of a series share."""


def _parsed(file: BinaryIO) -> ParsedFile:
    file.seek(0)
    return parse(file, TAGS, HEADER_BUDGET_BYTES)


def _shared_elements(plain: PlainFile) -> Shared:
    elements = (*plain.meta.values(), *plain.elements.values())
    own = tuple((int(e.tag), e.VR, e.value) for e in elements if int(e.tag) not in PER_IMAGE_TAGS)
    return plain.is_implicit, own


def _same_but_for(dataset: Dataset, one: SliceHeader, source: Source) -> SliceHeader:
    """The slice of another file that shares all elements but those of ``dataset``."""
    return replace(
        one,
        source=source,
        sop_uid=text(dataset, "SOPInstanceUID"),
        instance_number=integer(dataset, "InstanceNumber"),
        position_mm=_position_mm((dataset,)),
    )


COMPRESSED_MASKS = (".nrrd.gz",)
"""Compressed files often found beside the images, which contain no DICOM."""


def _problem(source: Source, message: str) -> FileProblem:
    return FileProblem(source, "file-unreadable", message)


def _archive(source: Source, start: bytes) -> str:
    """Describe an archive that is not opened; "" for any other file."""
    if source.name.lower().endswith(COMPRESSED_MASKS):
        return ""
    if kind := other_archive(start):
        return f"a {kind} archive"
    is_nested = source.position is not None and source.member.lower().endswith(".zip")
    return "an archive within an archive" if is_nested and start.startswith(ZIP_START) else ""


def _looks_like_dicom(start: bytes, source: Source, opener: Opener) -> bool:
    """Whether there is a preamble with ``DICM``, or a first element of group 2 or 8 as in every data set.

    Without preamble the element must also have a VR of two capitals or, in implicit VR, a length that fits
    into the file, so that text and pictures are not mistaken for DICOM.
    """
    if start[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] == b"DICM":
        return True
    if len(start) < 12 or start[:2] not in (b"\x08\x00", b"\x02\x00", b"\x00\x08"):
        return False
    if re.fullmatch(rb"[A-Z]{2}", start[4:6]):
        return True
    return int.from_bytes(start[4:8], "little") <= opener.size(source)


def _class_of(parsed: ParsedFile) -> str:
    return text(parsed.dataset, "SOPClassUID") or text(parsed.meta, "MediaStorageSOPClassUID")


def _header(source: Source, parsed: ParsedFile) -> FileHeader | FileProblem | None:
    dataset, sop_class = parsed.dataset, _class_of(parsed)
    if sop_class == MEDIA_DIRECTORY:
        return None
    slices = _slices(source, dataset, sop_class)
    is_truncated = not sop_class or (sop_class in CT_CLASSES and not slices)
    if is_truncated and not text(dataset, "SeriesInstanceUID"):
        return _problem(source, "the header ends before the elements that say what the file is")
    return FileHeader(
        source=source,
        patient_id=text(dataset, "PatientID"),
        study_uid=text(dataset, "StudyInstanceUID"),
        study_date=text(dataset, "StudyDate"),
        patient_size_m_raw=raw_text(dataset, "PatientSize"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        tags=_series_tags(dataset, sop_class, parsed.syntax),
        slices=slices,
        lossy=_lossy(dataset, parsed.syntax),
    )


def _lossy(dataset: Dataset, syntax: UID) -> str:
    """Describe lossy compression; it is permanent, whatever the present transfer syntax."""
    if text(dataset, "LossyImageCompression") != "01" and syntax not in ALWAYS_LOSSY:
        return ""
    ratios = [f"{number:g}:1" for number in all_numbers(dataset, "LossyImageCompressionRatio")]
    return f"ratio {', '.join(ratios)}" if ratios else "by an unknown ratio"


def _series_tags(dataset: Dataset, sop_class: str, syntax: UID) -> SeriesTags:
    shared = _functional_groups(dataset, "SharedFunctionalGroupsSequence")
    kvp = number(dataset, "KVP") or number(_first(shared, "CTXRayDetailsSequence"), "KVP")
    reconstruction = _first(shared, "CTReconstructionSequence")
    return SeriesTags(
        modality=text(dataset, "Modality"),
        sop_class_uid=sop_class,
        description=text(dataset, "SeriesDescription"),
        kernel=text(dataset, "ConvolutionKernel") or text(reconstruction, "ConvolutionKernel"),
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
        transfer_syntax_uid=clean_text(syntax),
        reconstruction_diameter_mm=number(dataset, "ReconstructionDiameter")
        or number(reconstruction, "ReconstructionDiameter"),
        aspect_ratio=numbers(dataset, "PixelAspectRatio", 2),
        gantry_tilt_degrees=number(dataset, "GantryDetectorTilt")
        or number(_first(shared, "CTAcquisitionDetailsSequence"), "GantryDetectorTilt"),
        model_name=text(dataset, "ManufacturerModelName"),
        calculation_technique=text(dataset, "VolumeBasedCalculationTechnique"),
        orientation_type=text(dataset, "AnatomicalOrientationType").upper(),
    )


def _slices(source: Source, dataset: Dataset, sop_class: str) -> tuple[SliceHeader, ...]:
    """Return one slice per frame; none for a file without an image."""
    if not integer(dataset, "Rows") or not integer(dataset, "Columns"):
        return ()
    n_frames = integer(dataset, "NumberOfFrames") or 1
    if not _has_few_items(dataset, n_frames):
        return ()
    frames = items(dataset, "PerFrameFunctionalGroupsSequence")
    shared = _functional_groups(dataset, "SharedFunctionalGroupsSequence")
    if n_frames != (len(frames) or 1):
        return ()  # the positions of the frames are unknown
    if not frames:
        return (_slice(source, 0, dataset, sop_class, (dataset,)),)
    return tuple(
        _slice(source, n, dataset, sop_class, (frame, shared, dataset)) for n, frame in enumerate(frames)
    )


def _has_few_items(dataset: Dataset, n_frames: int) -> bool:
    """Whether the functional groups have a plausible number of items: each costs time to read."""
    return n_frames <= MAX_FRAMES and all(
        raw_value(dataset, keyword).count(ITEM_START) <= MAX_ITEMS_PER_FRAME * (n_frames + 1)
        for keyword in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")
    )


def _slice(
    source: Source, frame: int, dataset: Dataset, sop_class: str, levels: tuple[Dataset, ...]
) -> SliceHeader:
    """``levels`` are searched in this order: the frame, the shared functional groups, the file."""
    slope = _lookup(levels, "PixelValueTransformationSequence", "RescaleSlope", 1)
    intercept = _lookup(levels, "PixelValueTransformationSequence", "RescaleIntercept", 1)
    acquisition = _lookup(levels, "FrameContentSequence", "FrameAcquisitionNumber", 1)
    return SliceHeader(
        source=source,
        frame=frame,
        sop_uid=text(dataset, "SOPInstanceUID"),
        sop_class_uid=sop_class,
        instance_number=integer(dataset, "InstanceNumber"),
        acquisition_number=int(acquisition[0]) if acquisition else integer(dataset, "AcquisitionNumber"),
        position_mm=_position_mm(levels),
        orientation=_lookup(levels, "PlaneOrientationSequence", "ImageOrientationPatient", 6),
        pixel_spacing_mm=_lookup(levels, "PixelMeasuresSequence", "PixelSpacing", 2),
        rows=integer(dataset, "Rows") or 0,
        columns=integer(dataset, "Columns") or 0,
        samples=integer(dataset, "SamplesPerPixel") or 1,
        rescale=(slope[0], intercept[0]) if slope and intercept and slope[0] else None,
        padding=_padding(dataset),
    )


def _position_mm(levels: tuple[Dataset, ...]) -> tuple[float, ...] | None:
    position = _lookup(levels, "PlanePositionSequence", "ImagePositionPatient", 3)
    return position if position and max(map(abs, position)) <= MAX_COORDINATE_MM else None


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
    """Return the numbers from the first level that has them, in its functional group or directly."""
    for level in levels:
        found = numbers(_first(level, sequence), keyword, count) or numbers(level, keyword, count)
        if found:
            return found
    return None
