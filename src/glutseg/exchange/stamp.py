"""DICOM objects of equal content are equal bytes: dates from the run, identifiers from the content."""

from __future__ import annotations

import hashlib
import io
import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from glutseg.errors import GlutsegError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

DATES = ("InstanceCreationDate", "ContentDate", "SeriesDate", "StructureSetDate")
TIMES = ("InstanceCreationTime", "ContentTime", "SeriesTime", "StructureSetTime")
CARRIED = (
    *("StudyDescription", "PatientIdentityRemoved", "DeidentificationMethod"),
    *("DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified"),
)
"""Of the study and of how it was de-identified: an object about de-identified images is de-identified too."""
PLACEHOLDER = "2.25.0"
"""Stands for the object's own UID until its content is known."""


def uid_of(*parts: str) -> str:
    """A UID of the form 2.25.UUID (PS3.5, B.2), the same for the same parts."""
    digest = hashlib.sha256("\0".join(("glutseg", *parts)).encode("utf-8", "surrogatepass")).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}"


def time_of(started: str) -> datetime:
    """When the run began, from its record.

    Raises
    ------
    GlutsegError
        ``input-missing`` when the record does not say.
    """
    try:
        return datetime.fromisoformat(started)
    except ValueError as error:
        raise GlutsegError("input-missing", "the run's record does not say when it began") from error


def stamped(dataset: Dataset, when: datetime, source: Dataset, dimensions_uid: str = "") -> Dataset:
    """The object with the run's date, what its images say of the study, and a UID derived from its content.

    Parameters
    ----------
    dataset : with `PLACEHOLDER` as its SOP Instance UID; changed in place
    source : header of an image that the object is about
    dimensions_uid : for the dimension organisation of a multi-frame object
    """
    from pydicom.uid import UID

    for keyword in CARRIED:
        if keyword in source and keyword not in dataset:
            dataset[keyword] = source[keyword]
    for keyword in DATES:
        if keyword in dataset:
            setattr(dataset, keyword, when.strftime("%Y%m%d"))
    for keyword in TIMES:
        if keyword in dataset:
            setattr(dataset, keyword, when.strftime("%H%M%S"))
    for item in dataset.get("ContributingEquipmentSequence") or ():
        if "ContributionDateTime" in item:
            item.ContributionDateTime = when.strftime("%Y%m%d%H%M%S")
    for sequence in ("DimensionOrganizationSequence", "DimensionIndexSequence"):
        for item in dataset.get(sequence) or ():
            item.DimensionOrganizationUID = dimensions_uid
    uid = UID(uid_of("instance", hashlib.sha256(to_bytes(dataset)).hexdigest()))
    dataset.SOPInstanceUID = uid
    dataset.file_meta.MediaStorageSOPInstanceUID = uid
    return dataset


def to_bytes(dataset: Dataset) -> bytes:
    """The object as a DICOM file."""
    content = io.BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    return content.getvalue()
