"""Areas and densities as a Structured Report (PS3.16, TID 1500) that refers to segments and images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from glutseg.dicom.model import CT_IMAGE, SliceHeader
from glutseg.errors import GlutsegError
from glutseg.exchange.contours import outlines, signed_area
from glutseg.exchange.dicom_seg import highdicom_or_error
from glutseg.exchange.job import PROGRAM, SERIES_NUMBERS, Job
from glutseg.exchange.stamp import PLACEHOLDER, stamped, uid_of
from glutseg.exchange.terms import MUSCLE_CODES, SCHEME, SIDE_CODES, Term
from glutseg.result import SliceMeasurement

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MUSCLE = ("71616004", SCHEME, "Muscle")
"""Kind of the finding (SNOMED CT, Skeletal and/or smooth muscle structure)."""
CT_EXAMINATION = ("25045-6", "LN", "CT unspecified body region")
AREA = ("42798000", SCHEME, "Area")
MM2 = ("mm2", "UCUM", "square millimeter")
ATTENUATION = ("112031", "DCM", "Attenuation Coefficient")
HOUNSFIELD = ("[hnsf'U]", "UCUM", "Hounsfield unit")
MEAN = ("373098007", SCHEME, "Mean")
STANDARD_DEVIATION = ("386136009", SCHEME, "Standard Deviation")
DEVICE = ("121007", "DCM", "Device")
ENGLISH = ("en", "RFC5646", "English")
TITLE = ("126000", "DCM", "Imaging Measurement Report")
CORNERSTONE_TOOL = "Cornerstone3DTools@^0.1.0:PlanarFreehandROI"
"""How a tracking identifier begins that OHIF and others on Cornerstone take for a drawn outline; they show
nothing of a group without it (@cornerstonejs/adapters 5.14)."""
PIXEL_CENTRE = 0.5
"""Columns and rows count from the corner of an image (PS3.3, C.18.6.1.2)."""
DECIMALS = 6
"""Of a figure: a DS value has sixteen characters at most."""


def report(job: Job, segmentation: Dataset) -> Dataset:
    """What was measured at the level, per muscle and side, with where each figure comes from.

    Parameters
    ----------
    segmentation : of the same job; it is written beside the report

    Raises
    ------
    GlutsegError
        ``export-unsupported`` when nothing was measured; ``exchange-missing``.
    """
    hd = highdicom_or_error()
    code = hd.sr.CodedConcept
    first = job.sources[0]
    groups = [
        _group(hd, job, segmentation, number, term, measured)
        for number, term in enumerate(job.terms, start=1)
        if (measured := _measured(job, term)) is not None
    ]
    if not groups:
        raise GlutsegError("export-unsupported", "nothing was measured at the level", job.row.result.case_id)
    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=uid_of("device", PROGRAM, job.version),
        name=PROGRAM,
        manufacturer_name=PROGRAM,
        model_name=f"{PROGRAM} {job.version}",
    )
    observer = hd.sr.ObserverContext(observer_type=code(*DEVICE), observer_identifying_attributes=device)
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=observer),
        procedure_reported=code(*CT_EXAMINATION),
        imaging_measurements=groups,
        title=code(*TITLE),
        language_of_content_item_and_descendants=hd.sr.LanguageOfContentItemAndDescendants(code(*ENGLISH)),
    )
    dataset = hd.sr.ComprehensiveSR(
        evidence=[*job.sources, segmentation],
        content=content[0],
        series_instance_uid=uid_of("sr", str(first.SeriesInstanceUID), job.values),
        series_number=SERIES_NUMBERS["sr"],
        sop_instance_uid=PLACEHOLDER,
        instance_number=1,
        manufacturer=PROGRAM,
        is_complete=True,
        is_final=job.row.result.status == "ok",
        series_description=f"glutseg areas ({job.values}, {job.row.result.status})",
    )
    dataset.ManufacturerModelName = PROGRAM
    dataset.SoftwareVersions = job.version
    return stamped(dataset, job.when, first)


def _measured(job: Job, term: Term) -> SliceMeasurement | None:
    return job.row.result.measurement(term.side, term.muscle)


def _group(
    hd: Any, job: Job, segmentation: Dataset, number: int, term: Term, measured: SliceMeasurement
) -> Any:
    """TID 1410: one region on the measured slice."""
    code = hd.sr.CodedConcept
    source = _source_at_level(hd, job)
    region = hd.sr.ReferencedSegmentationFrame(
        sop_class_uid=segmentation.SOPClassUID,
        sop_instance_uid=segmentation.SOPInstanceUID,
        frame_number=_frame(segmentation, number, source),
        segment_number=number,
        source_image=source,
    )
    for item in region:  # a frame of a binary segment says which; both together are not allowed (PS3.3, 10-3)
        for reference in item.get("ReferencedSOPSequence", ()):
            reference.pop("ReferencedSegmentNumber", None)
    value, meaning = MUSCLE_CODES[term.muscle]
    side_value, side_meaning = SIDE_CODES[term.side]
    site = hd.sr.FindingSite(
        anatomic_location=code(value, SCHEME, meaning), laterality=code(side_value, SCHEME, side_meaning)
    )
    algorithm = hd.sr.AlgorithmIdentification(
        name=job.algorithm.name,
        version=job.algorithm.version,
        family=code(*job.algorithm.family),
        parameters=[f"{name}={word}" for name, word in job.parameters.items()],
    )
    figures = [
        (AREA, measured.area_mm2, MM2, None),
        (ATTENUATION, measured.mean_hu, HOUNSFIELD, MEAN),
        (ATTENUATION, measured.sd_hu, HOUNSFIELD, STANDARD_DEVIATION),
    ]
    group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(
            uid=uid_of("region", str(job.sources[0].SeriesInstanceUID), term.name),
            identifier=f"{CORNERSTONE_TOOL}:{term.name}",
        ),
        referenced_segment=region,
        finding_type=code(*MUSCLE),
        algorithm_id=algorithm,
        finding_sites=[site],
        measurements=[
            hd.sr.Measurement(
                name=code(*name),
                value=round(figure, DECIMALS),
                unit=code(*unit),
                derivation=None if derivation is None else code(*derivation),
            )
            for name, figure, unit, derivation in figures
            if not math.isnan(figure)  # unknown
        ],
    )
    return _with_line(group, _line(hd, job, term))


def _with_line(group: Any, line: Any) -> Any:
    """A line that the area is inferred from; the template is extensible, and highdicom has no word for it."""
    for item in group[0].ContentSequence:
        if item.ValueType == "NUM" and item.ConceptNameCodeSequence[0].CodeValue == AREA[0]:
            item.ContentSequence = [*item.get("ContentSequence", ()), line]
    return group


def _line(hd: Any, job: Job, term: Term) -> Any:
    """Around the largest piece, in columns and rows: viewers without segmentations show the area by it."""
    stored_slice, _ = _at_level(job)
    lines = outlines(job.case_images.labels[stored_slice] == term.label)
    if not lines:
        raise GlutsegError("export-unsupported", "the segment has no pixel at the level")
    largest = max(lines, key=lambda line: abs(signed_area(line)))
    columns_rows = largest[:, ::-1] + PIXEL_CENTRE
    return hd.sr.CoordinatesForMeasurement(
        graphic_type=hd.sr.GraphicTypeValues.POLYLINE,
        graphic_data=np.concatenate([columns_rows, columns_rows[:1]]),
        source_image=hd.sr.SourceImageForRegion(*_reference(job)),
    )


def _source_at_level(hd: Any, job: Job) -> Any:
    return hd.sr.SourceImageForSegmentation(*_reference(job))


def _reference(job: Job) -> tuple[str, str, list[int] | None]:
    """SOP class, SOP instance and, in a multi-frame image, the frame of the measured slice."""
    _, header = _at_level(job)
    frames = None if header.sop_class_uid == CT_IMAGE else [header.frame + 1]
    return header.sop_class_uid, header.sop_uid, frames


def _at_level(job: Job) -> tuple[int, SliceHeader]:
    """The measured slice in the order of the files, and its image."""
    level = job.row.result.level
    stored_slice = None if level is None else job.mask.stored.canonical_slice(level.slice_index)
    header = None if stored_slice is None else job.case_images.headers.get(stored_slice)
    if stored_slice is None or header is None:
        raise GlutsegError("export-unsupported", "no image shows the level", job.row.result.case_id)
    return stored_slice, header


def _frame(segmentation: Dataset, number: int, source: Any) -> int:
    """Frame (from 1) of a segment on an image."""
    wanted = source.ReferencedSOPSequence[0]
    frames = wanted.get("ReferencedFrameNumber")
    for frame_number, groups in enumerate(segmentation.PerFrameFunctionalGroupsSequence, start=1):
        derivation = groups.DerivationImageSequence[0].SourceImageSequence[0]
        is_same = (
            derivation.ReferencedSOPInstanceUID == wanted.ReferencedSOPInstanceUID
            and derivation.get("ReferencedFrameNumber") == frames
            and groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber == number
        )
        if is_same:
            return frame_number
    raise GlutsegError("export-unsupported", "the segment has no pixel at the level")
