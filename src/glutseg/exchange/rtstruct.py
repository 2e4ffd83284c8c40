"""Outlines as an RT Structure Set (PS3.3, A.19): closed lines in the planes of the images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from glutseg.exchange.contours import outlines
from glutseg.exchange.job import PROGRAM, SERIES_NUMBERS, Job
from glutseg.exchange.stamp import PLACEHOLDER, stamped, uid_of
from glutseg.exchange.terms import ANATOMICAL_STRUCTURE, MUSCLE_CODES, SCHEME, SIDE_CODES, Term

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
DETACHED_STUDY_MANAGEMENT = "1.2.840.10008.3.1.2.3.1"
"""What Structure Sets name as the class of the study they refer to (retired, and still asked for)."""
COPIED = (
    *("StudyDate", "StudyTime", "AccessionNumber", "PatientName", "PatientID"),
    *("PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID", "ReferringPhysicianName"),
    *("FrameOfReferenceUID", "PositionReferenceIndicator"),
)
MAX_DECIMALS = 4
"""Of a coordinate in mm: a DS value has sixteen characters at most."""


def structure_set(job: Job) -> Dataset:
    """A case's mask as an RT Structure Set: one ROI per muscle and side, lines half-way between pixels.

    Raises
    ------
    GlutsegError
        ``export-unsupported`` when the images cannot be referred to.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    first = job.sources[0]
    dataset = Dataset()
    if first.get("SpecificCharacterSet"):
        dataset.SpecificCharacterSet = first.SpecificCharacterSet
    for keyword in COPIED:
        setattr(dataset, keyword, first.get(keyword, ""))
    dataset.SOPClassUID, dataset.SOPInstanceUID = UID(RT_STRUCTURE_SET), UID(PLACEHOLDER)
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = "RTSTRUCT", PROGRAM, PROGRAM
    dataset.SoftwareVersions = job.version
    dataset.SeriesInstanceUID = uid_of("rtstruct", str(first.SeriesInstanceUID), job.values)
    dataset.SeriesNumber, dataset.InstanceNumber = SERIES_NUMBERS["rtstruct"], 1
    dataset.SeriesDescription = f"glutseg outlines ({job.values}, {job.row.result.status})"
    dataset.OperatorsName = ""
    dataset.StructureSetLabel = "GLUTEI"
    dataset.StructureSetDate = dataset.SeriesDate = dataset.InstanceCreationDate = ""
    dataset.StructureSetTime = dataset.SeriesTime = dataset.InstanceCreationTime = ""
    dataset.ApprovalStatus = "UNAPPROVED"
    dataset.ReferencedFrameOfReferenceSequence = [_frame_of_reference(job)]
    terms = list(enumerate(job.terms, start=1))
    dataset.StructureSetROISequence = [_roi(job, number, term) for number, term in terms]
    dataset.ROIContourSequence = [_contours(job, number, term) for number, term in terms]
    dataset.RTROIObservationsSequence = [_observation(number, term) for number, term in terms]
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = UID(RT_STRUCTURE_SET)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = UID(uid_of("implementation"))
    return stamped(dataset, job.when, first)


def _item(**values: object) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _image_item(job: Job, stored_slice: int) -> Dataset:
    header = job.case_images.headers[stored_slice]
    item = _item(ReferencedSOPClassUID=header.sop_class_uid, ReferencedSOPInstanceUID=header.sop_uid)
    if job.sources[0].get("NumberOfFrames"):
        item.ReferencedFrameNumber = header.frame + 1
    return item


def _frame_of_reference(job: Job) -> Dataset:
    first = job.sources[0]
    series = _item(
        SeriesInstanceUID=first.SeriesInstanceUID,
        ContourImageSequence=[_image_item(job, stored_slice) for stored_slice in job.case_images.used],
    )
    study = _item(
        ReferencedSOPClassUID=DETACHED_STUDY_MANAGEMENT,
        ReferencedSOPInstanceUID=first.StudyInstanceUID,
        RTReferencedSeriesSequence=[series],
    )
    return _item(FrameOfReferenceUID=first.FrameOfReferenceUID, RTReferencedStudySequence=[study])


def _roi(job: Job, number: int, term: Term) -> Dataset:
    return _item(
        ROINumber=number,
        ReferencedFrameOfReferenceUID=job.sources[0].FrameOfReferenceUID,
        ROIName=term.name,
        ROIGenerationAlgorithm=job.algorithm_type,
        ROIGenerationDescription=f"{job.algorithm.name} {job.algorithm.version}",
    )


def _contours(job: Job, number: int, term: Term) -> Dataset:
    items: list[Dataset] = []
    for stored_slice in job.case_images.used:
        for points in _lines_mm(job, stored_slice, term):
            items.append(
                _item(
                    ContourImageSequence=[_image_item(job, stored_slice)],
                    ContourGeometricType="CLOSED_PLANAR",
                    NumberOfContourPoints=len(points) // 3,
                    ContourNumber=len(items) + 1,
                    ContourData=points,
                )
            )
    return _item(ROIDisplayColor=list(term.colour), ContourSequence=items, ReferencedROINumber=number)


def _lines_mm(job: Job, stored_slice: int, term: Term) -> Iterator[list[str]]:
    """x, y, z of every point (LPS mm), line by line."""
    for line in outlines(job.case_images.labels[stored_slice] == term.label):
        index = np.stack([line[:, 1], line[:, 0], np.full(len(line), stored_slice), np.ones(len(line))])
        points = (job.mask.stored.matrix @ index)[:3].T.ravel()
        yield [f"{value:.{MAX_DECIMALS}f}" for value in points + 0.0]


def _observation(number: int, term: Term) -> Dataset:
    value, meaning = MUSCLE_CODES[term.muscle]
    side_value, side_meaning = SIDE_CODES[term.side]
    side = _item(CodeValue=side_value, CodingSchemeDesignator=SCHEME, CodeMeaning=side_meaning)
    kind = _item(
        CodeValue=value,
        CodingSchemeDesignator=SCHEME,
        CodeMeaning=meaning,
        SegmentedPropertyTypeModifierCodeSequence=[side],
    )
    category_value, category = ANATOMICAL_STRUCTURE
    properties = _item(CodeValue=category_value, CodingSchemeDesignator=SCHEME, CodeMeaning=category)
    return _item(
        ObservationNumber=number,
        ReferencedROINumber=number,
        RTROIIdentificationCodeSequence=[kind],
        SegmentedPropertyCategoryCodeSequence=[properties],
        RTROIInterpretedType="ORGAN",
        ROIInterpreter="",
    )
