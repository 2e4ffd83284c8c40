"""Whether a mask is of the patient and study of the images, as far as DICOM headers say."""

from __future__ import annotations

from pydicom.dataset import Dataset

from glutseg.dicom.text import items, text
from glutseg.errors import Flag, GlutsegError
from glutseg.exchange.foreign import Owner


def owner_of_mask(dataset: Dataset) -> Owner:
    """Of a Segmentation or an RT Structure Set, with the series it refers to."""
    referenced = [
        *items(dataset, "ReferencedSeriesSequence"),
        *(
            series
            for frame in items(dataset, "ReferencedFrameOfReferenceSequence")
            for study in items(frame, "RTReferencedStudySequence")
            for series in items(study, "RTReferencedSeriesSequence")
        ),
    ]
    series_uids = {text(item, "SeriesInstanceUID") for item in referenced} - {""}
    return Owner(text(dataset, "PatientID"), text(dataset, "StudyInstanceUID"), frozenset(series_uids))


def owner_of_images(dataset: Dataset) -> Owner:
    """Of an image; empty where there is no DICOM header."""
    series_uids = {text(dataset, "SeriesInstanceUID")} - {""}
    return Owner(text(dataset, "PatientID"), text(dataset, "StudyInstanceUID"), frozenset(series_uids))


def check_owner(mask: Owner, images: Owner) -> tuple[Flag, ...]:
    """Refuse a mask of another patient; coordinates cannot tell: frames of reference may be shared.

    A copy without names may have another patient id, and a program may put its masks into a study of its own;
    not both at once. What refers to the series itself was drawn on it. Ids are not told: a run may have
    pseudonyms.

    Raises
    ------
    GlutsegError
        ``mask-other-patient`` where patient and study both differ.
    """
    is_other_patient = _differ(mask.patient_id, images.patient_id)
    is_other_study = _differ(mask.study_uid, images.study_uid)
    refers = bool(mask.series_uids & images.series_uids)
    if is_other_patient and is_other_study:
        but = ", although it refers to their series" if refers else ""
        message = f"PatientID and StudyInstanceUID of the mask differ from those of the images{but}"
        raise GlutsegError("mask-other-patient", message)
    if refers or not (is_other_patient or is_other_study):
        return ()
    what = "PatientID" if is_other_patient else "StudyInstanceUID"
    message = f"{what} of the mask differs from that of the images, and it does not refer to their series"
    return (Flag("mask-owner-differs", message),)


def _differ(one: str, other: str) -> bool:
    """Whether both are known and not the same."""
    return bool(one.strip() and other.strip()) and one.strip() != other.strip()
