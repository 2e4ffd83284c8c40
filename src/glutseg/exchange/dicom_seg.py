"""Outlines as DICOM Segmentation (PS3.3, A.51): one binary segment per muscle and side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from glutseg.dicom.model import CT_IMAGE
from glutseg.errors import GlutsegError
from glutseg.exchange.job import PROGRAM, SERIES_NUMBERS, Job
from glutseg.exchange.stamp import PLACEHOLDER, stamped, uid_of
from glutseg.exchange.terms import ANATOMICAL_STRUCTURE, MUSCLE_CODES, SCHEME, SIDE_CODES, Term
from glutseg.installation import install_command

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

"""Region growing, in DICOM's list of families of algorithms (CID 7162)."""


def segmentation(job: Job) -> Dataset:
    """A case's mask as a DICOM Segmentation of the series it was measured on.

    Raises
    ------
    GlutsegError
        ``export-unsupported`` when the images cannot be referred to; ``exchange-missing``.
    """
    hd = highdicom_or_error()
    first = job.sources[0]
    pixels, sources = _frames(job)
    dataset = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=pixels,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _segment(hd, job, number, term) for number, term in enumerate(job.terms, start=1)
        ],
        series_instance_uid=uid_of("seg", str(first.SeriesInstanceUID), job.values),
        series_number=SERIES_NUMBERS["seg"],
        sop_instance_uid=PLACEHOLDER,
        instance_number=1,
        manufacturer=PROGRAM,
        manufacturer_model_name=PROGRAM,
        software_versions=job.version,
        device_serial_number="1",
        content_label="GLUTEI",
        content_description=f"gluteal muscles, {job.values}",
        series_description=f"glutseg outlines ({job.values}, {job.row.result.status})",
    )
    return stamped(dataset, job.when, first, uid_of("dimensions", str(first.SeriesInstanceUID)))


def highdicom_or_error() -> Any:
    try:
        import highdicom
        import highdicom.seg
        import highdicom.sr
    except ImportError as error:
        message = f"highdicom cannot be imported; the command is: {install_command('dicom')}"
        raise GlutsegError("exchange-missing", message, str(error.name)) from error
    return highdicom


def _frames(job: Job) -> tuple[npt.NDArray[np.uint8], list[Dataset]]:
    """(frames, rows, columns) with segment numbers, in the order of the images."""
    images, sources = job.case_images, job.sources
    numbers = np.zeros(256, np.uint8)
    for number, term in enumerate(job.terms, start=1):
        numbers[term.label] = number
    used = images.used
    if all(source.SOPClassUID == CT_IMAGE for source in sources):
        return numbers[images.labels[used]], sources
    if len(sources) > 1:
        raise GlutsegError("export-unsupported", "the series is spread over several multi-frame files")
    n_frames, (_, rows, columns) = int(sources[0].NumberOfFrames), images.labels.shape
    frames = np.zeros((n_frames, rows, columns), np.uint8)
    for stored_slice in used:
        frames[images.headers[stored_slice].frame] = numbers[images.labels[stored_slice]]
    return frames, sources


def _segment(hd: Any, job: Job, number: int, term: Term) -> Any:
    code = hd.sr.CodedConcept
    value, meaning = MUSCLE_CODES[term.muscle]
    side_value, side_meaning = SIDE_CODES[term.side]
    algorithm = hd.AlgorithmIdentificationSequence(
        name=job.algorithm.name,
        version=job.algorithm.version,
        family=code(*job.algorithm.family),
        parameters=job.parameters,
    )
    description = hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=term.name,
        segmented_property_category=code(ANATOMICAL_STRUCTURE[0], SCHEME, ANATOMICAL_STRUCTURE[1]),
        segmented_property_type=code(value, SCHEME, meaning),
        algorithm_type=job.algorithm_type,
        algorithm_identification=algorithm,
        tracking_id=f"{job.row.result.case_id} {term.muscle} {term.side}",
        tracking_uid=uid_of("region", str(job.sources[0].SeriesInstanceUID), term.name),
        display_color=hd.color.CIELabColor.from_rgb(*term.colour),
    )
    side = code(side_value, SCHEME, side_meaning)
    description.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [side]
    return description
